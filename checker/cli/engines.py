"""Which engine explores: the one asked for, or the best that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checker.cli.console import Console
    from checker.explore.problem import Engine

ENGINES = ("auto", "interpreter", "native")


def choose(name: str, console: Console) -> Engine:
    """The engine of this name; raises SpecError (Q0714) when it cannot run here."""
    from checker.cli.failure import usage
    from checker.explore.problem import INTERPRETER

    if name == "native":
        raise usage("Q0714", "`--engine`: there is no native engine in this release", "use the interpreter")
    return INTERPRETER
