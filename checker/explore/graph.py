"""The whole state graph of a small instance, to be drawn: every state, every step in words, what is violated where.

Unlike a search it keeps all steps, so it is for spaces that a person can look at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from checker.explore.faults import Fault
from checker.explore.instance import instantiate
from checker.explore.interpreter import Failed, Interpreter, State, Taken
from checker.explore.problem import Goal, Options, problem, shallow
from checker.explore.replay import Teller
from checker.explore.search import Progress
from checker.language import ir
from checker.language.finite import for_instance
from checker.verdict import Edge, StateGraph


class TooManyStates(Exception):
    """There are more states than may be drawn; `seen` is how many were met before that was clear."""

    def __init__(self, seen: int) -> None:
        super().__init__(f"more than {seen} states")
        self.seen = seen


def state_graph(
    spec: ir.Spec,
    decl: ir.InstanceDecl,
    most: int,
    options: Options | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> StateGraph:
    """The states in order of their discovery, breadth first, with all steps between them.

    Of the options `depth` and `deadlock` count. Raises TooManyStates beyond `most` states, and SpecError where the
    instance cannot be explored at all.
    """
    options = options or Options()
    with shallow(spec):
        question = problem(Interpreter(instantiate(for_instance(spec, decl), decl)), options)
        goals = tuple(goal for goal in question.goals if goal.is_violation)
        return _Walk(question.interpreter, goals, question.deadlock, most, options.depth, progress).graph()


@dataclass
class _Walk:
    """The walk through the graph: `numbers` are those of the `states` met, `violated` the properties broken in each."""

    interpreter: Interpreter
    goals: tuple[Goal, ...]
    deadlock: bool
    most: int
    depth: int | None
    progress: Callable[[Progress], None] | None
    numbers: dict[State, int] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    violated: list[set[str]] = field(default_factory=list)
    edges: dict[Edge, None] = field(default_factory=dict)
    unexplored: set[int] = field(default_factory=set)

    def graph(self) -> StateGraph:
        for state in self.interpreter.initial():
            self.number(state, 0)
        initial = len(self.numbers)
        tellers: dict[int, Teller] = {}
        for state in self.states:  # grows while it is walked
            world = self.interpreter.world(state)
            if world not in tellers:
                tellers[world] = Teller(self.interpreter, state)
            at = self.numbers[state]
            if self.depth is not None and self.depths[at] >= self.depth:
                self.unexplored.add(at)
                continue
            self.expand(state, at, tellers[world])
        shown = tuple(tellers[self.interpreter.world(s)].state(s) for s in self.states)
        variables = next(iter(tellers.values())).variables
        return StateGraph(
            self.interpreter.spec.name,
            self.interpreter.instance.decl.name,
            variables,
            shown,
            tuple(self.depths),
            initial,
            tuple(self.edges),
            tuple(tuple(sorted(names)) for names in self.violated),
            frozenset(self.unexplored),
        )

    def number(self, state: State, depth: int) -> int:
        """The number of a state, a new one if it was not met before."""
        known = self.numbers.get(state)
        if known is None:
            if len(self.numbers) >= self.most:
                raise TooManyStates(len(self.numbers))
            known = self.numbers[state] = len(self.numbers)
            self.states.append(state)
            self.depths.append(depth)
            self.violated.append(self.broken(state))
            if self.progress is not None and known % 64 == 0:
                self.progress(Progress(known, len(self.edges), depth, 0, 0.0))
        return known

    def expand(self, state: State, at: int, teller: Teller) -> None:
        stuck = True
        for taken in self.interpreter.steps(state):
            match taken:
                case Taken():
                    to = self.number(taken.state, self.depths[at] + 1)
                    broken = self.broken_by(state, taken.state)
                    self.edges.setdefault(Edge(at, to, teller.step(state, taken), broken))
                    stuck = False
                case Failed():
                    self.violated[at].add("undefined operation")
                    stuck = False
                case _:  # cut off by a bound
                    stuck = False
        if stuck and self.deadlock and not self.may_stop(state):
            self.violated[at].add("Deadlock")

    def may_stop(self, state: State) -> bool:
        try:
            return self.interpreter.may_stop(state)
        except Fault:
            return False

    def broken(self, state: State) -> set[str]:
        return {goal.name for goal in self.goals if goal.kind != "step" and not self.holds(goal, state)}

    def broken_by(self, before: State, after: State) -> tuple[str, ...]:
        return tuple(goal.name for goal in self.goals if goal.kind == "step" and not self.holds(goal, after, before))

    def holds(self, goal: Goal, state: State, old: State | None = None) -> bool:
        """Whether a property holds; one that has no meaning in a state does not."""
        try:
            return self.interpreter.holds(goal.clauses, state, old)
        except Fault:
            return False
