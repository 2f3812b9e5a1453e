"""From runs of canonical states, which symmetry reduction finds, to runs that the spec really has.

The interpreter takes every step again, choosing one that leads to a state with the right canonical form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from checker.explore.faults import CutOff, Fault
from checker.explore.interpreter import State, Taken
from checker.explore.problem import Problem
from checker.explore.replay import NotARun
from checker.explore.search import FAULT

Canonical = Callable[[State], bytes | None]
"""The packed canonical form of a state; None if it does not fit."""


def unfold(
    problem: Problem, subject: int, is_step: bool, run: Sequence[bytes], canonical: Canonical
) -> tuple[State, ...]:
    """A run whose states have the canonical forms given, and which shows the subject.

    `is_step`: the subject is found in the last step. Raises NotARun if there is no such run.
    """
    interpreter = problem.interpreter
    states = [_first(interpreter.initial(), run[0], canonical)]
    for n, form in enumerate(run[1:], start=1):
        before = states[-1]
        found = _after(problem, before, form, canonical)
        if is_step and n == len(run) - 1:
            found = (after for after in found if _shows(problem, subject, before, after))
        after = next(found, None)
        if after is None:
            raise NotARun(f"no step leads from state {n - 1} to a state like state {n}")
        states.append(after)
    return tuple(states)


def _first(initial: Iterator[State], form: bytes, canonical: Canonical) -> State:
    for state in initial:
        if canonical(state) == form:
            return state
    raise NotARun("no initial state is like the first state")


def _after(problem: Problem, state: State, form: bytes, canonical: Canonical) -> Iterator[State]:
    for taken in problem.interpreter.steps(state):
        if isinstance(taken, Taken) and canonical(taken.state) == form:
            yield taken.state


def _shows(problem: Problem, subject: int, before: State, after: State) -> bool:
    """Whether a step violates the step property meant, or one of them has no meaning for it."""
    interpreter = problem.interpreter
    goals = [g for g in problem.goals if g.kind == "step"] if subject == FAULT else [problem.goals[subject]]
    for goal in goals:
        try:
            if not interpreter.holds(goal.clauses, after, before) and subject != FAULT:
                return True
        except (CutOff, Fault):
            return subject == FAULT
    return False
