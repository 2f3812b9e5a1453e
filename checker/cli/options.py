"""What several verbs share: values such as sizes of memory and durations, and the options of verbs that explore."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from checker.cli.console import Console
from checker.cli.formats import JsonCommand, format_options
from checker.cli.outcome import Exit
from checker.units import bytes_of, seconds_of

_N = TypeVar("_N", int, float)


def memory(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Bytes, written as a number with K, M, G or T (powers of 1024)."""
    return _with_unit(bytes_of, value)


def duration(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Seconds, written as a number, with s, m or h if need be."""
    return _with_unit(seconds_of, value)


def _with_unit(read: Callable[[str], _N], value: str | None) -> _N | None:
    try:
        return None if value is None else read(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def settings(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` pairs by name; of two for the same name the last counts."""
    pairs = {}
    for text in value:
        name, equals, what = text.partition("=")
        if not (name.strip() and equals and what.strip()):
            raise click.BadParameter(f"`{text}` is not NAME=VALUE, such as Acceptor=4")
        pairs[name.strip()] = what.strip()
    return pairs


color_option = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour on stdout and stderr."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Less output: no progress, no warnings, no tables.")


def run_options(name: str) -> Callable[[Callable[..., Exit]], click.Command]:
    """The arguments and options of a verb that explores; they arrive as one `Run`, the verb's own ones as they are."""

    def decorate(body: Callable[..., Exit]) -> click.Command:
        @functools.wraps(body)
        def command(color: Any, quiet: bool, **given: Any) -> Exit:
            from checker.cli.runs import Run

            shared = {field.name: given.pop(field.name) for field in fields(Run) if field.name != "console"}
            return body(run=Run(Console(color, quiet), **shared), **given)

        optional = format_options(command)
        for option in reversed(_RUN_OPTIONS):
            optional = option(optional)
        return click.command(name, cls=JsonCommand)(optional)

    return decorate


files_argument = click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")

_RUN_OPTIONS = (
    files_argument,
    click.option(
        "-i",
        "--instance",
        "instances",
        multiple=True,
        metavar="NAME",
        help="Only this instance; repeatable.",
    ),
    click.option(
        "--set",
        "overrides",
        multiple=True,
        callback=settings,
        metavar="NAME=VALUE",
        help="Another size, constant or limit for all instances; repeatable.",
    ),
    click.option("--deadlock/--no-deadlock", default=True, help="Report states in which nothing can happen."),
    click.option("--full", is_flag=True, help="Whole states after each step of a counterexample, and all tables."),
    click.option("--witness", multiple=True, metavar="NAME", help="Tell the witness of this `reachable`; repeatable."),
    color_option,
    quiet_option,
)
