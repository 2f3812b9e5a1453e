"""`quorate history`: is what the clients of a system were answered consistent?"""

from __future__ import annotations

from typing import Literal

import click

from checker.cli.console import Console
from checker.cli.formats import STDOUT, JsonCommand, json_option
from checker.cli.options import color_option, duration, quiet_option
from checker.cli.outcome import Exit, worst

_LEVELS = (
    "linearizable",
    "sequential",
    "read-your-writes",
    "monotonic-reads",
    "monotonic-writes",
    "writes-follow-reads",
    "eventual",
)


@click.command("history", cls=JsonCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option(
    "--model",
    type=click.Choice(["kv", "register", "set", "queue"]),
    default="kv",
    show_default=True,
    help="What it is a history of; kv: a register for each key.",
)
@click.option(
    "--consistency",
    "levels",
    type=click.Choice(_LEVELS),
    multiple=True,
    default=("linearizable",),
    show_default=True,
    help="What is to hold of it; repeatable.",
)
@click.option("--timeout", callback=duration, metavar="SECONDS", help="Give up each answer after this time: 90, 5m.")
@json_option
@color_option
@quiet_option
def command(
    files: tuple[str, ...],
    model: str,
    levels: tuple[str, ...],
    timeout: float | None,
    json_target: str | None,
    color: Literal["auto", "always", "never"],
    quiet: bool,
) -> Exit:
    """Tell whether the history in each FILE is consistent: JSON, one event a line, or Jepsen's (`.edn`).

    If it is not, the few operations that show it are drawn on a timeline. The format is described in
    docs/trace-format.md.
    """
    from checker.history.check import check_history
    from checker.report.history import report, to_json

    console = Console(color, quiet)
    answers = [check_history(file, model, level, timeout) for file in files for level in levels]
    if json_target != STDOUT:
        console.out("\n\n".join(report(answer, console.look) for answer in answers))
    if json_target is not None:
        from checker.cli.save import save_document

        save_document(to_json(answers), json_target, console)
    return worst(_code(answer.answer, answer.reason, answer.operations) for answer in answers)


def _code(answer: str, reason: str, operations: int) -> Exit:
    if reason == "interrupted":
        return Exit.INTERRUPTED
    if operations == 0:
        return Exit.NOTHING
    return {"consistent": Exit.OK, "inconsistent": Exit.VIOLATED}.get(answer, Exit.INCONCLUSIVE)
