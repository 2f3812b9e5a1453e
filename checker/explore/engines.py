"""The engines by name, and the choice between them: small state spaces need no compiler, large ones need one.

It decides who explores; how is the engines' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from checker.explore.problem import INTERPRETER, Engine, Options, Problem
from checker.explore.problem import explore as interpret
from checker.explore.search import Answer, End, Progress
from checker.source import Diagnostic, SpecError

SMALL = 1_000
"""State spaces up to this many states are left to the interpreter, which is done before a compiler would be."""


def engine(name: Literal["auto", "interpreter", "native"]) -> Engine:
    """The engine of this name. Where compiled code cannot answer, `native` raises SpecError (Q0714), and `auto` leaves
    it to the interpreter with a note that says so."""
    match name:
        case "interpreter":
            return INTERPRETER
        case "native":
            return Engine("native", _native)
        case "auto":
            return Engine("auto", _auto)


def _native(problem: Problem, options: Options, progress: Callable[[Progress], None] | None = None) -> Answer:
    from checker.explore.native.engine import Unavailable, explore

    try:
        return explore(problem, options, progress)
    except Unavailable as reason:
        hint = "`--engine auto` uses the interpreter then"
        raise SpecError([Diagnostic("Q0714", f"`--engine native`: {reason}", hint=hint)]) from None


def _auto(problem: Problem, options: Options, progress: Callable[[Progress], None] | None = None) -> Answer:
    """The interpreter up to a number of states, which makes the choice the same each time; then compiled code."""
    from checker.explore.native.engine import Unavailable, explore

    first = interpret(problem, options, states=SMALL)
    if first.end is not End.STATES:
        return replace(first, engine="interpreter")
    rest = options if options.timeout is None else replace(options, timeout=max(0.01, options.timeout - first.seconds))
    try:
        answer = replace(explore(problem, rest, progress), engine="native")
    except Unavailable as reason:
        note = f"explored by the interpreter, about a hundred times slower than compiled code: {reason}"
        answer = replace(interpret(problem, rest, progress), engine="interpreter", notes=(note,))
    return replace(answer, seconds=answer.seconds + first.seconds)
