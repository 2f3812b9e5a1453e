"""`quorate lint`: errors and warnings of specs, without exploring anything."""

from __future__ import annotations

from typing import Literal

import click

from checker.cli.console import Console
from checker.cli.options import JsonCommand, color_option, files_argument, json_option, quiet_option
from checker.cli.outcome import Exit


@click.command("lint", cls=JsonCommand)
@files_argument
@json_option
@color_option
@quiet_option
def command(
    files: tuple[str, ...], json_target: str | None, color: Literal["auto", "always", "never"], quiet: bool
) -> Exit:
    """Read specs and report errors and warnings; explores nothing.

    Warnings do not change the exit code.
    """
    from checker.cli.files import read
    from checker.cli.save import save_document
    from checker.report.json import document

    console = Console(color, quiet)
    found = read(files)
    code = Exit.USAGE if found.errors else Exit.OK
    console.diagnose((*found.errors, *found.warnings))
    if json_target is not None:
        save_document(document((), (*found.errors, *found.warnings), exit_code=code), json_target, console)
    if json_target != "-" and not quiet:
        console.out(_tally(len(files), len(found.errors), len(found.warnings)))
    return code


def _tally(files: int, errors: int, warnings: int) -> str:
    def count(number: int, noun: str) -> str:
        return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"

    return f"{count(files, 'file')}: {count(errors, 'error')}, {count(warnings, 'warning')}"
