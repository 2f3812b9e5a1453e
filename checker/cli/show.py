"""`quorate show`: prints a saved verdict or trace again, from the JSON that `check --json` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import click

from checker.cli.console import Console
from checker.cli.failure import usage
from checker.cli.options import color_option, html_option
from checker.cli.outcome import Exit

if TYPE_CHECKING:
    from checker.verdict import Trace, Verdict


@click.command("show")
@click.argument("file", type=click.Path(), metavar="FILE.json")
@click.option("--full", is_flag=True, help="Whole states after each step, networks and ghosts as well.")
@click.option("--only", multiple=True, metavar="VARIABLE", help="Show only this variable; may be repeated.")
@click.option("--hide", multiple=True, metavar="VARIABLE", help="Do not show this variable; may be repeated.")
@click.option("--witness", multiple=True, metavar="NAME", help="Tell the witness of this `reachable` as well.")
@html_option
@color_option
def command(
    file: str,
    full: bool,
    only: tuple[str, ...],
    hide: tuple[str, ...],
    witness: tuple[str, ...],
    html: str | None,
    color: Literal["auto", "always", "never"],
) -> Exit:
    """Print a saved verdict or trace again: FILE.json is what `quorate check --json=FILE.json` wrote."""
    from checker.report import proof, text
    from checker.report.story import View, story
    from checker.verdict import Trace

    console = Console(color)
    found = _read(file)
    _check_names((*only, *hide), found)
    view = View(full, frozenset(only), frozenset(hide))
    if html is not None:
        from checker.cli.save import save_page

        save_page(found, html)
    if isinstance(found, Trace):
        console.out(story(found, console.look, view))
        return Exit.OK
    for verdict in found:
        if verdict.obligations:
            console.out(proof.report(verdict, console.look, view) + "\n")
        else:
            console.out(text.report(verdict, console.look, view, frozenset(witness)) + "\n")
    return Exit.OK


def _read(file: str) -> tuple[Verdict, ...] | Trace:
    from checker.report.json import NotAVerdict, read_document

    try:
        with open(file, encoding="utf-8") as stream:
            return read_document(json.load(stream))
    except (OSError, ValueError, RecursionError) as error:
        match error:
            case FileNotFoundError():
                raise usage("Q0701", f"there is no file `{file}`", "check the path") from None
            case IsADirectoryError():
                raise usage("Q0702", f"`{file}` is a directory", "name a file that `check --json=FILE` wrote") from None
            case OSError():
                raise usage("Q0705", f"`{file}` cannot be read: {error.strerror}") from None
            case NotAVerdict():
                message = f"`{file}` holds no verdict or trace: {error}"
            case RecursionError():
                message = f"`{file}` is nested too deeply"
            case _:
                message = f"`{file}` is not JSON"
        raise usage("Q0717", message, "`quorate check --json=FILE SPEC` writes what `show` reads") from None


def _traces(found: tuple[Verdict, ...] | Trace) -> list[Trace]:
    from checker.verdict import Trace

    if isinstance(found, Trace):
        return [found]
    shown = [p.trace for v in found for p in v.properties if p.trace]
    return shown + [o.failure.trace for v in found for o in v.obligations if o.failure]


def _check_names(names: Iterable[str], found: tuple[Verdict, ...] | Trace) -> None:
    """Raises SpecError (Q0719) for a name that no variable of any trace has."""
    from checker.source import did_you_mean

    known = {name for trace in _traces(found) for v in trace.variables for name in (v.short_name, v.full_name)}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or (f"there are {', '.join(sorted(known))}" if known else None)
            raise usage("Q0719", f"no trace has a variable `{name}`", hint)
