"""Scenarios: short runs of a spec that together go everywhere, to drive an implementation with, step by step.

Goals are each action, each control path of an action, each `reachable`, and each state at a border of the instance.
The runs are the shortest ones, for they are found breadth-first; values are written as traces write them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from checker.conform.driver import Blocked, Done, Driver
from checker.conform.survey import bare
from checker.explore.faults import CutOff
from checker.explore.instance import instantiate
from checker.explore.interpreter import State
from checker.language import ir
from checker.language.finite import for_instance
from checker.language.paths import paths
from checker.source import SpecError

Json = Any


@dataclass(frozen=True)
class Goal:
    """Something to be covered: its kind, and a name that is unique among those of the kind."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Scenario:
    """A run, and the goals that it covers. `steps` are the steps from each state to the next."""

    states: tuple[State, ...]
    steps: tuple[Done, ...]
    covers: tuple[Goal, ...]


@dataclass(frozen=True)
class Suite:
    """All scenarios of one instance. `missed`: the goals that no run reached; `exhausted`: no run can reach them."""

    driver: Driver
    labels: Labels
    instance: str
    scenarios: tuple[Scenario, ...]
    missed: tuple[Goal, ...]
    states: int
    exhausted: bool


def generate(
    spec: ir.Spec,
    decl: ir.InstanceDecl,
    most_states: int,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    covered: frozenset[Goal] = frozenset(),
) -> Suite:
    """Scenarios for all goals that are reached within so many states, and before the deadline (of `time.monotonic`),
    but those `covered` already.

    Where the states are more than that, some runs are followed on into the depth; what they reach may be reached by
    shorter runs, too.

    Raises SpecError where the instance cannot be explored.
    """
    made = for_instance(spec, decl)
    driver = Driver(instantiate(made, decl))
    search = _Search(driver, Labels(spec), most_states, deadline, progress, covered)
    exhausted = search.run()
    if not exhausted:
        search.dive(most_states // _DIVING)
    missed = tuple(goal for goal in search.wanted if goal not in search.found)
    return Suite(driver, search.labels, decl.name, tuple(search.scenarios()), missed, len(search.came), exhausted)


@dataclass(frozen=True)
class _Link:
    """How a state was reached first."""

    before: State
    done: Done


_DIVING = 4  # one state in so many, after those seen in order
_DEEP = 40  # steps of a dive


class _Search:
    """Breadth-first search that remembers where each goal was first reached: by a state, or by a step from it."""

    def __init__(
        self,
        driver: Driver,
        labels: Labels,
        most: int,
        deadline: float | None,
        progress: Callable[[int, int], None] | None,
        covered: frozenset[Goal],
    ) -> None:
        self.driver, self.labels = driver, labels
        self.most, self.deadline, self.progress = most, deadline, progress
        self.covered = covered
        self.came: dict[State, _Link | None] = {}
        self.found: dict[Goal, tuple[State, Done | None]] = {}
        self.edge: list[State] = []  # the states that were found last
        self.wanted = [goal for goal in _goals(driver.spec, labels) if goal not in covered]
        self.reachables = {p.name: driver.predicate(p.clauses) for p in driver.spec.properties if p.kind == "reachable"}

    def run(self) -> bool:
        """Searches until all goals are reached; whether it saw all states."""
        edge = list(dict.fromkeys(self.driver.initial()))
        self.came.update(dict.fromkeys(edge))
        for state in edge:
            self._look(state)
        while edge:
            following: list[State] = []
            for state in edge:
                if self._is_over():
                    self.edge = [*following, *edge]
                    return False
                following.extend(self._expand(state))
            edge = following
        return True

    def dive(self, states: int) -> None:
        """Goes on from states at the edge, each time to one that is new, until all goals are reached."""
        chance, self.most = random.Random(0), len(self.came) + states
        stalled = 0
        while self.edge and stalled < _DEEP:
            known, state = len(self.came), chance.choice(self.edge)
            for _ in range(_DEEP):
                if self._is_over():
                    return
                following = list(self._expand(state))
                if not following:
                    break
                state = chance.choice(following)
            stalled = 0 if len(self.came) > known else stalled + 1

    def _is_over(self) -> bool:
        if self.progress is not None and len(self.came) % 100 == 0:
            self.progress(len(self.came), self.most)
        late = self.deadline is not None and time.monotonic() > self.deadline
        return late or len(self.came) >= self.most or all(goal in self.found for goal in self.wanted)

    def _expand(self, state: State) -> Iterator[State]:
        stuck = True
        for number, action in enumerate(self.driver.spec.actions):
            for result in self.driver.attempt(state, number, {}):
                if isinstance(result, Blocked):
                    if isinstance(result.stop, CutOff):
                        self._reach(Goal("border", result.stop.bound), state, None)
                    continue
                stuck = False
                self._reach(Goal("action", action.qualified), state, result)
                self._reach(Goal("path", self.labels.path(action.qualified, result.branches)), state, result)
                new = result.taken.state
                if new not in self.came:
                    self.came[new] = _Link(state, result)
                    self._look(new)
                    yield new
        if stuck:
            self._reach(Goal("border", "nothing more can happen"), state, None)

    def _look(self, state: State) -> None:
        for name, holds in self.reachables.items():
            if Goal("reachable", name) not in self.found and holds(state):
                self._reach(Goal("reachable", name), state, None)

    def _reach(self, goal: Goal, state: State, done: Done | None) -> None:
        if goal not in self.covered:
            self.found.setdefault(goal, (state, done))

    # --- runs ---------------------------------------------------------------------------------------

    def scenarios(self) -> Iterator[Scenario]:
        """A run for each goal, without those that are the beginning of another one."""
        runs: dict[tuple[State, ...], tuple[tuple[Done, ...], list[Goal]]] = {}
        for goal, (state, done) in self.found.items():
            states, steps = self._run(state)
            if done is not None:
                states, steps = (*states, done.taken.state), (*steps, done)
            # Steps with different labels may lead from a state to the same one; so a run is its states and labels.
            key = (*states, *(((d.taken.action, d.branches),) for d in steps))
            runs.setdefault(key, (steps, []))[1].append(goal)
        every = [(tuple(key[: len(steps) + 1]), steps, goals) for key, (steps, goals) in runs.items()]
        every.sort(key=lambda run: -len(run[1]))
        kept: list[tuple[tuple[State, ...], tuple[Done, ...], list[Goal]]] = []
        for states, steps, goals in every:
            longer = next(
                (run for run in kept if run[1][: len(steps)] == steps and run[0][: len(states)] == states), None
            )
            if longer is not None:
                longer[2].extend(goals)
            else:
                kept.append((states, steps, list(goals)))
        for states, steps, goals in reversed(kept):
            yield Scenario(states, steps, tuple(sorted(goals, key=str)))

    def _run(self, state: State) -> tuple[tuple[State, ...], tuple[Done, ...]]:
        states, steps = [state], []
        while (link := self.came[states[-1]]) is not None:
            states.append(link.before)
            steps.append(link.done)
        return tuple(reversed(states)), tuple(reversed(steps))


class Labels:
    """Names of control paths: by the branches that the protocol takes, without those that only update history."""

    def __init__(self, spec: ir.Spec) -> None:
        self.spec = bare(spec)
        self.actions = {action.qualified: action for action in self.spec.actions}
        self._known = {name: frozenset(_conditions(self.spec, a.body)) for name, a in self.actions.items()}

    def path(self, action: str, branches: Iterable[str]) -> str:
        """The name of the path that takes these branches."""
        label = self.label(action, branches)
        return f"{action}: {label}" if label else action

    def label(self, action: str, branches: Iterable[str]) -> str:
        return "; ".join(text for text in branches if text in self._known[action])

    def all(self) -> Iterator[str]:
        for name, action in self.actions.items():
            yield from (self.path(name, path.label.split("; ")) for path in paths(self.spec, action))


def _conditions(spec: ir.Spec, body: Iterable[ir.Statement]) -> Iterator[str]:
    """What each branch may be called."""
    for statement in body:
        match statement:
            case ir.Choice(branches, otherwise):
                for condition, inner in branches:
                    yield from (condition.span.text, f"not ({condition.span.text})")
                    yield from _conditions(spec, inner)
                yield from _conditions(spec, otherwise)
            case ir.Invoke(name, _):
                yield from _conditions(spec, next(p.body for p in spec.procedures if p.name == name))


def _goals(spec: ir.Spec, labels: Labels) -> Iterator[Goal]:
    """The goals that are known before a search: which borders there are shows only then."""
    yield from (Goal("action", name) for name in labels.actions)
    yield from (Goal("path", name) for name in dict.fromkeys(labels.all()))
    yield from (Goal("reachable", p.name) for p in spec.properties if p.kind == "reachable")


# --- all instances ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scenarios:
    """The suites of a spec, one for each instance, and what is known of the goals that none of them covers.

    `impossible`: paths whose conditions contradict each other; `excluded`: paths that no state enables which satisfies
    the invariants, which are `proved` or not; `missed`: all others.
    """

    spec: ir.Spec
    suites: tuple[Suite, ...]
    impossible: tuple[Goal, ...] = ()
    excluded: tuple[Goal, ...] = ()
    proved: bool = False

    @property
    def missed(self) -> tuple[Goal, ...]:
        """The goals that no instance reached, and of which nothing says that none can."""
        known = {*self.impossible, *(self.excluded if self.proved else ())}
        return tuple(goal for goal in _unreached(self.suites) if goal not in known)

    @property
    def exhausted(self) -> bool:
        """Whether no run of these instances reaches what is missed."""
        return all(suite.exhausted for suite in self.suites)


def generate_all(
    spec: ir.Spec,
    decls: Sequence[ir.InstanceDecl],
    most_states: int,
    timeout: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scenarios:
    """A suite for each instance, of what those before it do not cover, and what is known of the rest."""
    suites: list[Suite] = []
    deadline = None if timeout is None else time.monotonic() + timeout
    impossible = _impossible(spec)
    covered = frozenset(impossible)
    for decl in decls:
        suite = generate(spec, decl, most_states, deadline, progress, covered)
        covered |= {goal for scenario in suite.scenarios for goal in scenario.covers}
        suites.append(suite)
    return _explained(Scenarios(spec, tuple(suites), impossible))


def _unreached(suites: Sequence[Suite]) -> tuple[Goal, ...]:
    return tuple(g for g in suites[-1].missed if all(g in suite.missed for suite in suites)) if suites else ()


def _ways(spec: ir.Spec) -> dict[Goal, set[tuple[str, str]]]:
    """The paths as proofs know them, with the branches that update history, by those of the protocol."""
    labels, found = Labels(spec), dict[Goal, set[tuple[str, str]]]()
    for action in spec.actions:
        for path in paths(spec, action):
            goal = Goal("path", labels.path(action.qualified, path.label.split("; ")))
            found.setdefault(goal, set()).add((action.qualified, path.label))
    return found


def _impossible(spec: ir.Spec) -> tuple[Goal, ...]:
    """The paths that contradict themselves; none where the spec is beyond proofs."""
    from checker.prove.impossible import contradictory

    try:
        never = contradictory(spec)
    except SpecError:
        return ()
    return tuple(goal for goal, ways in sorted(_ways(spec).items(), key=str) if ways <= never)


def _explained(found: Scenarios) -> Scenarios:
    """With what the invariants say of the paths that were not reached."""
    from checker.prove.impossible import excluded

    unreached = set(_unreached(found.suites))
    wanted = {goal: ways for goal, ways in _ways(found.spec).items() if goal in unreached}
    try:
        answer = excluded(found.spec, set().union(*wanted.values())) if wanted else None
    except SpecError:
        return found
    if answer is None:
        return found
    never = tuple(goal for goal, ways in wanted.items() if ways <= answer.ways)
    return replace(found, excluded=never, proved=answer.proved)
