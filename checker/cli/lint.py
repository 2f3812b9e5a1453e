"""`quorate lint`: errors and warnings of specs, without exploring anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from checker.cli.console import Console
from checker.cli.formats import JsonCommand, format_options, report_of
from checker.cli.options import color_option, files_argument, quiet_option
from checker.cli.outcome import Exit

if TYPE_CHECKING:
    from checker.cli.formats import Formats


@click.command("lint", cls=JsonCommand)
@files_argument
@format_options
@color_option
@quiet_option
def command(files: tuple[str, ...], formats: Formats, color: Literal["auto", "always", "never"], quiet: bool) -> Exit:
    """Read specs and report errors and warnings; explores nothing.

    Warnings do not change the exit code.
    """
    from checker.cli.files import read

    console = Console(color, quiet)
    found = read(files)
    code = Exit.USAGE if found.errors else Exit.OK
    console.diagnose((*found.errors, *found.warnings))
    formats.write(console, report_of(found.results, found.warnings, code))
    if not (formats.fill_stdout or quiet):
        console.out(_tally(len(files), len(found.errors), len(found.warnings)))
    return code


def _tally(files: int, errors: int, warnings: int) -> str:
    def count(number: int, noun: str) -> str:
        return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"

    return f"{count(files, 'file')}: {count(errors, 'error')}, {count(warnings, 'warning')}"
