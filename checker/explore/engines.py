"""The engines by name, and the choice between them: small state spaces need no compiler, large ones need one.

It decides who explores; how is the engines' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Literal

from checker.explore.problem import INTERPRETER, Engine, Options, Problem
from checker.explore.problem import explore as interpret
from checker.explore.search import Answer, End, Progress
from checker.language import ir
from checker.language.traverse import binders, children
from checker.source import Diagnostic, SpecError

SMALL = 1_000
"""State spaces up to this many states are left to the interpreter, which is done before a compiler would be."""

PATIENCE = 10_000_000
"""About how many operations the interpreter may spend on properties before compiled code takes over: a second's."""

MANY = 100
"""No name is taken to have more choices than this: large domains are those of messages, of which few are sent."""


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
    """The interpreter up to a number of states, then compiled code.

    The number depends on the problem and on no clock, so the choice is the same each time.
    """
    first = interpret(problem, options, states=max(1, min(SMALL, PATIENCE // work(problem))))
    if first.end is not End.STATES:
        return replace(first, engine="interpreter")
    from checker.explore.native.engine import Unavailable, explore

    rest = options if options.timeout is None else replace(options, timeout=max(0.01, options.timeout - first.seconds))
    try:
        answer = replace(explore(problem, rest, progress), engine="native")
    except Unavailable as reason:
        note = f"explored by the interpreter, about a hundred times slower than compiled code: {reason}"
        answer = replace(interpret(problem, rest, progress), engine="interpreter", notes=(note,))
    return replace(answer, seconds=answer.seconds + first.seconds)


def work(problem: Problem) -> int:
    """At most about how many operations the properties take in one state, by the form of their clauses; at least 1."""
    spec = problem.interpreter.spec
    bodies = {d.name: d.body for d in spec.definitions}
    domains = problem.interpreter.instance.worlds[0].domains

    def operations(expr: ir.Expr) -> int:
        inner = sum(map(operations, children(expr)))
        if isinstance(expr, ir.Call):
            inner += operations(bodies[expr.name])
        return max(1, inner) * prod(min(domains.size(b.type), MANY) for b in binders(expr))

    return 1 + sum(operations(clause) for goal in problem.goals for clause in goal.clauses)
