"""Kinds of option values that several verbs share: sizes of memory, durations, and where JSON goes."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from checker.cli.console import Console
from checker.cli.outcome import Exit

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def memory(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Bytes, written as a number with K, M, G or T (powers of 1024)."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?)(?:i?b)?", value.strip().lower(), re.ASCII)
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if size < 1 << 20:
        raise click.BadParameter(f"`{value}` is not a size of at least 1M, such as 512M or 4G")
    return size


def duration(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Seconds, written as a number, with s, m or h if need be."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*(s|m|min|h|)", value.strip().lower(), re.ASCII)
    length = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if length <= 0:
        raise click.BadParameter(f"`{value}` is not a time, such as 30, 90s, 5m or 2h")
    return length


def settings(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` pairs by name; of two for the same name the last counts."""
    pairs = {}
    for text in value:
        name, equals, what = text.partition("=")
        if not (name.strip() and equals and what.strip()):
            raise click.BadParameter(f"`{text}` is not NAME=VALUE, such as Acceptor=4")
        pairs[name.strip()] = what.strip()
    return pairs


def json_target(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """`-` for stdout, or a file as `output_file` takes it."""
    return value if value == "-" else output_file(context, option, value)


def output_file(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A file that can be written and is no spec."""
    from checker.cli.failure import usage

    if value is None:
        return None
    if value.endswith(".spec"):
        raise click.BadParameter(f"`{value}` is a spec; results would overwrite it")
    path = Path(value)
    writable = path.is_file() and os.access(path, os.W_OK) if path.exists() else os.access(path.parent, os.W_OK)
    if not writable:
        raise usage("Q0715", f"`{value}` cannot be written", "is its directory there, and may you write to it?")
    return value


class JsonCommand(click.Command):
    """A command whose `--json` may stand alone (stdout) or with a file: `--json=FILE`, or `--json NAME.json`.

    Alone it never takes the next argument for its value, for that is likely to be a spec.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        joined: list[str] = []
        rest = iter(args)
        for argument in rest:
            if argument == "--":
                joined += [argument, *rest]
            elif argument != "--json":
                joined.append(argument)
            else:
                following = next(rest, None)
                if following is not None and following.endswith(".json"):
                    joined.append(f"--json={following}")
                else:
                    joined += ["--json=-", *([] if following is None else [following])]
        return super().parse_args(ctx, joined)


json_option = click.option(
    "--json", "json_target", callback=json_target, metavar="[=FILE]", help="Print JSON, or write it to a file."
)
html_option = click.option(
    "--html", callback=output_file, metavar="FILE", help="Write the runs that are told as one HTML page."
)
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

        for option in reversed(_RUN_OPTIONS):
            command = option(command)
        return click.command(name, cls=JsonCommand)(command)

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
    json_option,
    html_option,
    color_option,
    quiet_option,
)
