"""What every engine is asked: an instance, the goals to look for in it, and how far to go.

It words the question and the choice of who answers it; the answer is `search.Answer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from checker.explore.interpreter import Interpreter
from checker.explore.search import DEADLOCK, FAULT, Answer, Limits, Progress, Watch, search
from checker.explore.vacuity import probes
from checker.language import ir
from checker.source import Diagnostic, Span, SpecError


@dataclass(frozen=True)
class Goal:
    """Something to find: a violation of an invariant, lemma or step property, a witness of a `reachable`, or a state in
    which an implication is tested (`probe`).

    A violation is where some of `clauses` is false, a witness or test where all are true.
    """

    name: str
    kind: Literal["invariant", "lemma", "step", "reachable", "probe"]
    clauses: tuple[ir.Expr, ...]
    span: Span

    @property
    def is_violation(self) -> bool:
        """Whether finding it is bad news."""
        return self.kind in ("invariant", "lemma", "step")


@dataclass(frozen=True)
class Problem:
    """One search: `goals` by position are the subjects of what is found, beside `DEADLOCK` and `FAULT`.

    `stop_on`: the subjects that end the search. `exact`: states must be counted one by one, as symmetry does not.
    """

    interpreter: Interpreter
    goals: tuple[Goal, ...]
    deadlock: bool
    stop_on: frozenset[int]
    exact: bool


@dataclass(frozen=True)
class Engine:
    """A way to explore: its name, and the function that answers a problem.

    The function keeps to the options as far as they concern it, and calls back with its progress now and then.
    """

    name: str
    explore: Callable[[Problem, Options, Callable[[Progress], None] | None], Answer]


def explore(
    problem: Problem,
    options: Options,
    progress: Callable[[Progress], None] | None = None,
    states: int | None = None,
) -> Answer:
    """The reference explorer: breadth-first search over the interpreter, on one core, up to so many `states`."""
    interpreter = problem.interpreter
    limits = Limits(options.depth, options.memory, options.timeout, problem.stop_on, problem.deadlock, states)
    watches = [watch(interpreter, goal) for goal in problem.goals]
    return search(interpreter, len(interpreter.spec.actions), watches, limits, progress)


def watch(interpreter: Interpreter, goal: Goal) -> Watch:
    """The goal as something to look for in states or steps."""
    if goal.kind == "step":
        keeps = interpreter.step_predicate(goal.clauses)
        return Watch(on_step=lambda before, after: not keeps(before, after))
    holds = interpreter.predicate(goal.clauses)
    return Watch(on_state=(lambda state: not holds(state)) if goal.is_violation else holds)


INTERPRETER = Engine("interpreter", explore)
"""The engine that is always there, and the one that all others must agree with."""


@dataclass(frozen=True)
class Options:
    """How to explore: by which engine, and how far (`depth` in steps, `memory` in bytes, `timeout` in seconds).

    `stop_at_first`: end with the level in which a violation is found; else go on and find one of each property.
    `deadlock`: look for states without steps. `threads` (None: all cores), `symmetry` and `hash_compact` (keep hashes
    of states instead of states) are for engines that offer them.
    """

    engine: Engine = INTERPRETER
    depth: int | None = None
    memory: int | None = None
    timeout: float | None = None
    stop_at_first: bool = True
    deadlock: bool = True
    threads: int | None = None
    symmetry: bool = True
    hash_compact: bool = False


def problem(interpreter: Interpreter, options: Options) -> Problem:
    """The question that an instance and the options pose. Raises SpecError (Q0512) if there is no initial state."""
    spec, decl = interpreter.spec, interpreter.instance.decl
    if next(iter(interpreter.initial()), None) is None:
        empty = next((v for v in spec.variables if v.initial is None), spec)
        message = f"`{spec.name}` has no initial state in `{decl.name}`: some variable has no value to begin with"
        raise SpecError([Diagnostic("Q0512", message, empty.span, "nothing can be said of a system that cannot start")])
    properties = [p for p in spec.properties if p.kind in ("invariant", "lemma", "step", "reachable")]
    goals = [_goal(p) for p in properties]
    goals += [Goal(probe.property, "probe", (probe.condition,), probe.span) for probe in probes(spec)]
    wanted = decl.only is None or "Deadlock" in decl.only
    return Problem(
        interpreter,
        tuple(goals),
        options.deadlock and wanted and not decl.allow_deadlock,
        _stop_on(goals, decl) if options.stop_at_first else frozenset(),
        any(isinstance(expected, ir.ExpectStates) for expected in decl.expected),
    )


@contextmanager
def shallow(spec: ir.Spec) -> Iterator[None]:
    """Evaluation of expressions that nest too deeply, as long chains of definitions may, is an error of the file."""
    try:
        yield
    except RecursionError:
        message = "expressions nest too deeply to be evaluated, through definitions that use each other"
        hint = "shorten the chain of definitions"
        raise SpecError([Diagnostic("Q0508", message, spec.span, hint)]) from None


def _goal(property_: ir.Property) -> Goal:
    match property_.kind:
        case "invariant" | "lemma" | "step" | "reachable":
            return Goal(property_.name, property_.kind, property_.clauses, property_.span)
        case kind:
            raise ValueError(f"`{kind}` is not looked for")


def _stop_on(goals: list[Goal], decl: ir.InstanceDecl) -> frozenset[int]:
    """All violations; but where the instance expects several of them, none of these ends the search for the others."""
    subjects = {goal.name: i for i, goal in enumerate(goals) if goal.is_violation} | {"Deadlock": DEADLOCK}
    expected = {e.name for e in decl.expected if isinstance(e, ir.ExpectViolated)}
    return frozenset(s for name, s in subjects.items() if len(expected) < 2 or name not in expected) | {FAULT}
