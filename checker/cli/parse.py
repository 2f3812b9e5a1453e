"""`quorate parse`: the outline of specs with the type of everything declared, as text or JSON."""

from __future__ import annotations

from typing import Literal

import click

from checker.cli.console import Console
from checker.cli.formats import JsonCommand, json_option
from checker.cli.options import color_option, files_argument
from checker.cli.outcome import Exit


@click.command("parse", cls=JsonCommand)
@files_argument
@json_option
@color_option
def command(files: tuple[str, ...], json_target: str | None, color: Literal["auto", "always", "never"]) -> Exit:
    """Read specs and print their outline: what is declared, with types."""
    from checker.cli.files import read
    from checker.cli.outline import outline_text, outline_to_json
    from checker.cli.save import save_document
    from checker.report.json import diagnostic_to_json

    console = Console(color)
    found = read(files)
    console.diagnose(found.errors)
    code = Exit.USAGE if found.errors else Exit.OK
    if json_target is not None:
        data = {
            "format": "quorate.outline",
            "version": 1,
            "exit_code": code,
            "specs": [{"file": path, **outline_to_json(loaded.spec)} for path, loaded in found.loaded],
            "diagnostics": [diagnostic_to_json(d) for d in found.errors],
        }
        save_document(data, json_target, console)
    if json_target != "-" and found.loaded:
        console.out("\n\n".join(outline_text(loaded.spec, console.look) for _, loaded in found.loaded))
    return code
