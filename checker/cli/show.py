"""`quorate show`: prints a saved verdict or trace again, from the JSON that `check --json` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import click

from checker.cli.console import Console
from checker.cli.failure import usage
from checker.cli.formats import Formats, JsonCommand, format_options, report_of
from checker.cli.options import color_option
from checker.cli.outcome import Exit

if TYPE_CHECKING:
    from checker.source import SpecError
    from checker.verdict import Trace, Verdict


@click.command("show", cls=JsonCommand)
@click.argument("file", type=click.Path(), metavar="FILE.json")
@click.option("--full", is_flag=True, help="Whole states after each step, networks and ghosts as well.")
@click.option("--only", multiple=True, metavar="VARIABLE", help="Show only this variable; may be repeated.")
@click.option("--hide", multiple=True, metavar="VARIABLE", help="Do not show this variable; may be repeated.")
@click.option("--witness", multiple=True, metavar="NAME", help="Tell the witness of this `reachable` as well.")
@format_options
@color_option
def command(
    file: str,
    full: bool,
    only: tuple[str, ...],
    hide: tuple[str, ...],
    witness: tuple[str, ...],
    formats: Formats,
    color: Literal["auto", "always", "never"],
) -> Exit:
    """Print a saved verdict or trace again: FILE.json is what `quorate check --json=FILE.json` wrote."""
    from checker.report import proof, text
    from checker.report.json import read_results
    from checker.report.story import View, story
    from checker.verdict import Trace

    console = Console(color)
    data = _json(file)
    found = _read(file, data)
    _check_names((*only, *hide), found)
    view = View(full, frozenset(only), frozenset(hide))
    if isinstance(found, Trace):
        formats.write_trace(console, found)
        console.out(story(found, console.look, view))
        return Exit.OK
    formats.write(console, report_of(read_results(data)))
    for verdict in () if formats.fill_stdout else found:
        if verdict.obligations:
            console.out(proof.report(verdict, console.look, view) + "\n")
        else:
            console.out(text.report(verdict, console.look, view, frozenset(witness)) + "\n")
    return Exit.OK


def _json(file: str) -> object:
    """The JSON that a file holds; raises SpecError (Q0701, Q0702, Q0705, Q0717) where there is none."""
    try:
        with open(file, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        raise usage("Q0701", f"there is no file `{file}`", "check the path") from None
    except IsADirectoryError:
        raise usage("Q0702", f"`{file}` is a directory", "name a file that `check --json=FILE` wrote") from None
    except OSError as error:
        raise usage("Q0705", f"`{file}` cannot be read: {error.strerror}") from None
    except RecursionError:
        raise _unsuitable(f"`{file}` is nested too deeply") from None
    except ValueError:
        raise _unsuitable(f"`{file}` is not JSON") from None


def _read(file: str, data: object) -> tuple[Verdict, ...] | Trace:
    from checker.report.json import NotAVerdict, read_document

    try:
        return read_document(data)
    except NotAVerdict as error:
        raise _unsuitable(f"`{file}` holds no verdict or trace: {error}") from None
    except RecursionError:
        raise _unsuitable(f"`{file}` is nested too deeply") from None


def _unsuitable(message: str) -> SpecError:
    return usage("Q0717", message, "`quorate check --json=FILE SPEC` writes what `show` reads")


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
