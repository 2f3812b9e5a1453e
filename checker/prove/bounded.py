"""Bounded model checking as an engine of `check`: every run of at most so many steps, all at once, by a SAT solver.

It visits no states, so that it counts none; what it finds is replayed by the interpreter like any other run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from checker.explore.interpreter import State
from checker.explore.problem import Engine, Goal, Options, Problem
from checker.explore.search import FAULT, Answer, End, Found, Progress
from checker.prove import terms as t
from checker.prove.terms import Term
from checker.prove.unrolling import Unrolling

DEPTH = 10
"""How many steps where nothing is said."""


def explore(problem: Problem, options: Options, progress: Callable[[Progress], None] | None = None) -> Answer:
    """All runs of at most `options.depth` steps; deadlocks are not looked for."""
    start = time.monotonic()
    end = None if options.timeout is None else start + options.timeout
    hunt = _Hunt(problem, DEPTH if options.depth is None else options.depth, end)
    reached = End.DEPTH
    try:
        for world in range(len(problem.interpreter.instance.worlds)):
            hunt.world(world)
            if hunt.stopping:
                reached = End.FOUND
                break
    except TimeoutError:
        reached = End.TIME
    except KeyboardInterrupt:
        reached = End.INTERRUPTED
    zeros = (0,) * len(problem.interpreter.spec.actions)
    found = tuple(Found(subject, run) for subject, run in sorted(hunt.found.items(), key=lambda item: len(item[1])))
    return Answer(reached, 0, 0, hunt.depth, 0, zeros, zeros, (), found, time.monotonic() - start)


ENGINE = Engine("bmc", explore)


class _Hunt:
    """What is looked for, and the shortest runs found so far."""

    def __init__(self, problem: Problem, depth: int, end: float | None) -> None:
        self.problem, self.depth, self.end = problem, depth, end
        self.found: dict[int, tuple[State, ...]] = {}

    @property
    def stopping(self) -> bool:
        return not self.problem.stop_on.isdisjoint(self.found)

    def world(self, world: int) -> None:
        left = 60.0 if self.end is None else max(0.1, self.end - time.monotonic())
        unrolling = Unrolling(self.problem.interpreter, world, left)
        try:
            assumed: list[int] = []
            for number in range(self.depth + 1):
                unrolling.extend()
                fact = unrolling.step(number) if number else unrolling.initial()
                if number:
                    self.look(unrolling, assumed, FAULT, unrolling.faulty(number), number - 1)
                assumed.append(unrolling.check.grounder.literal(fact))
                for subject, goal in enumerate(self.problem.goals):
                    if goal.kind != "probe" and not (goal.kind == "step" and number == 0):
                        self.look(unrolling, assumed, subject, _target(unrolling, goal, number), number)
                if self.stopping:
                    return
        finally:
            unrolling.close()

    def look(self, unrolling: Unrolling, assumed: list[int], subject: int, target: Term, last: int) -> None:
        """Whether a run of the assumed form ends as the target says; a shorter run than one known is kept."""
        if subject in self.found and len(self.found[subject]) <= last + 1:
            return
        if self.end is not None and time.monotonic() > self.end:
            raise TimeoutError
        literal = unrolling.check.grounder.literal(target)
        model = unrolling.check.model([*assumed, literal])
        if model is not None:
            self.found[subject] = unrolling.run(model, last)


def _target(unrolling: Unrolling, goal: Goal, number: int) -> Term:
    all_hold = t.and_(*(unrolling.holds(clause, number) for clause in goal.clauses))
    return t.not_(all_hold) if goal.is_violation else all_hold
