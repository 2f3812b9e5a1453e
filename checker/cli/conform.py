"""`quorate conform`: is a recorded run a behaviour of a spec?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import click

from checker.cli.console import Console
from checker.cli.formats import Formats, JsonCommand, format_options, report_of
from checker.cli.options import color_option, duration, quiet_option, settings
from checker.cli.outcome import Exit

if TYPE_CHECKING:
    from checker.verdict import Conformance


@click.command("conform", cls=JsonCommand)
@click.argument("spec", type=click.Path(), metavar="SPEC")
@click.option(
    "--trace",
    "traces",
    multiple=True,
    required=True,
    type=click.Path(),
    metavar="FILE",
    help="What the system wrote, one JSON object a line; repeatable, for logs of several nodes.",
)
@click.option("--map", "map_file", type=click.Path(), metavar="FILE", help="How the trace's words become the spec's.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    callback=settings,
    metavar="NAME=VALUE",
    help="A size, quorum or constant that the trace does not tell; repeatable.",
)
@click.option(
    "--states",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="Give up where the trace leaves more states open than this.",
)
@click.option("--timeout", callback=duration, metavar="SECONDS", help="Give up after this time: 90, 5m.")
@click.option("--full", is_flag=True, help="Whole states beside the steps before the event at fault.")
@format_options
@color_option
@quiet_option
def command(
    spec: str,
    traces: tuple[str, ...],
    map_file: str | None,
    overrides: dict[str, str],
    states: int,
    timeout: float | None,
    full: bool,
    formats: Formats,
    color: Literal["auto", "always", "never"],
    quiet: bool,
) -> Exit:
    """Tell whether a recorded run is a behaviour of SPEC.

    If it is not: how far it was accepted, the event at fault, and for each action that the event may have been the
    guard that blocked it, with the values. The format of traces is described in docs/trace-format.md.
    """
    from checker.cli.files import read
    from checker.cli.progress import Counting
    from checker.conform.follow import Options, conform
    from checker.conform.mapping import read_map
    from checker.report.conform import as_verdict, report, to_json
    from checker.report.results import of_verdict
    from checker.report.story import View

    console = Console(color, quiet)
    found = read([spec])
    console.diagnose([*found.errors, *found.warnings])
    if found.errors:
        return Exit.USAGE
    renaming = read_map(map_file) if map_file is not None else None
    began = time.monotonic()
    with Counting(console, "events", began) as progress:
        answer = conform(found.loaded[0][1].spec, traces, renaming, Options(states, timeout, overrides), progress)
    if not formats.fill_stdout:
        console.out(report(answer, console.look, View(full)))
    code = _code(answer)
    formats.write(console, report_of([of_verdict(as_verdict(answer), spec)], exit_code=code), to_json(answer))
    return code


def _code(answer: Conformance) -> Exit:
    from checker.verdict import Conforms

    if answer.events == 0:
        return Exit.NOTHING
    if answer.reason.startswith("interrupted"):
        return Exit.INTERRUPTED
    return {Conforms.YES: Exit.OK, Conforms.NO: Exit.VIOLATED, Conforms.UNKNOWN: Exit.INCONCLUSIVE}[answer.answer]
