"""Random walks: for instances too large to explore, a sample of runs that anyone can repeat from its seed.

A walk that finds a violation gives a real run, though seldom a shortest one; finding none proves nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from checker.explore.check import Extent, judge
from checker.explore.faults import Fault
from checker.explore.instance import instantiate
from checker.explore.interpreter import Interpreter, State
from checker.explore.problem import Options, Problem, problem, shallow, watch
from checker.explore.search import DEADLOCK, FAULT, Answer, End, Expansion, Found, Progress, Watch, memory_used
from checker.language import ir
from checker.language.finite import for_instance
from checker.verdict import Assurance, Cut, Verdict

_MOST_STARTS = 10_000  # initial states among which walks choose
_PROGRESS_EVERY = 0.25  # seconds
_MEMORY_EVERY = 256  # steps between two looks at the memory in use


@dataclass(frozen=True)
class Walks:
    """How many walks, and of how many steps each at most. The same seed takes the same walks."""

    number: int = 100
    length: int = 100
    seed: int = 0


def fresh_seed() -> int:
    """A seed for those who do not care which."""
    return random.SystemRandom().randrange(1 << 32)


def simulate(
    spec: ir.Spec,
    decl: ir.InstanceDecl,
    walks: Walks,
    options: Options | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Verdict:
    """Take random walks through one instance, each until its length, or until nothing changes the state any more.

    Each step is chosen evenly among the different states to which a step leads. Of `options` the bounds on time and
    memory, `stop_at_first` and `deadlock` count. What the instance expects is told only as far as a sample can tell.
    Raises SpecError where the instance cannot be made finite.
    """
    options = options or Options()
    decl = replace(decl, expected=tuple(map(_without_steps, decl.expected)))
    with shallow(spec):
        question = problem(Interpreter(instantiate(for_instance(spec, decl), decl)), options)
        walker = _Walker(question, walks, options, progress)
        answer = walker.run()
        verdict = judge(question, answer, "simulation", _extent(answer, walks, walker.taken))
    return replace(verdict, expectations=tuple(e for e in verdict.expectations if e.met is not None))


def _without_steps(expected: ir.Expected) -> ir.Expected:
    """Walks find violations, but not after the least number of steps."""
    return replace(expected, steps=None) if isinstance(expected, ir.ExpectViolated) else expected


def _extent(answer: Answer, walks: Walks, taken: int) -> Extent:
    unseen = f"not violated in {taken:,} random walks"
    if answer.end in (End.COMPLETE, End.FOUND):
        return Extent(Assurance.SAMPLED, seed=walks.seed, unseen=unseen)
    why, cut = _REASONS[answer.end]
    reason = f"{why} after {taken:,} of {walks.number:,} walks"
    return Extent(Assurance.INCONCLUSIVE, reason, seed=walks.seed, unseen=unseen, cut=cut)


_REASONS: dict[End, tuple[str, Cut]] = {
    End.INTERRUPTED: ("interrupted", "interrupted"),
    End.TIME: ("out of time", "time"),
    End.MEMORY: ("out of memory", "memory"),
}


class _Stopped(Exception):
    def __init__(self, end: End) -> None:
        super().__init__(end.value)
        self.end = end


@dataclass
class _Walker:
    question: Problem
    walks: Walks
    options: Options
    report: Callable[[Progress], None] | None
    seen: set[State] = field(default_factory=set)
    found: dict[int, tuple[State, ...]] = field(default_factory=dict)
    bounds: dict[str, set[State]] = field(default_factory=dict)
    transitions: int = 0
    depth: int = 0
    taken: int = 0
    reported: float = 0.0

    def run(self) -> Answer:
        self.start = time.monotonic()
        self.watches: list[Watch] = [watch(self.question.interpreter, goal) for goal in self.question.goals]
        actions = len(self.question.interpreter.spec.actions)
        self.counts, self.news = [0] * actions, [0] * actions
        end = End.COMPLETE
        try:
            end = self._all()
        except _Stopped as stopped:
            end = stopped.end
        except KeyboardInterrupt:
            end = End.INTERRUPTED
        except MemoryError:
            end = End.MEMORY
        return self._answer(end)

    def _all(self) -> End:
        chance = random.Random(self.walks.seed)
        starts = self._starts()
        for _ in range(self.walks.number):
            self._walk(chance, chance.choice(starts))
            self.taken += 1
            if self.found.keys() & self.question.stop_on:
                return End.FOUND
        return End.COMPLETE

    def _starts(self) -> list[State]:
        """The initial states, or the first of them where there are very many."""
        starts: list[State] = []
        for state in self.question.interpreter.initial():
            starts.append(state)
            if len(starts) == _MOST_STARTS:
                break
        return starts

    def _walk(self, chance: random.Random, state: State) -> None:
        run = [state]
        self._see(run, None)
        while len(run) <= self.walks.length:
            self._check_limits(len(run) - 1)
            expansion = self.question.interpreter.expand(run[-1])
            self._count_bounds(run, expansion)
            if expansion.faulty:
                self._hit(FAULT, run)
                return
            if not expansion.steps:
                self._stuck(run, expansion)
                return
            moves = _moves(run[-1], expansion)
            if not moves:
                return
            state, action = chance.choice(moves)
            run.append(state)
            self.counts[action] += 1
            self.transitions += 1
            self._see(run, action)
            if self.found.keys() & self.question.stop_on:
                return

    # --- looking ------------------------------------------------------------------------------------

    def _see(self, run: list[State], action: int | None) -> None:
        """Looks at the end of the run, and at the last step."""
        self.depth = max(self.depth, len(run) - 1)
        new = run[-1] not in self.seen
        if new:
            self.seen.add(run[-1])
            if action is not None:
                self.news[action] += 1
        for i, each in enumerate(self.watches):
            if i in self.found:
                continue
            try:
                if each.on_state is not None and new and each.on_state(run[-1]):
                    self._hit(i, run)
                if each.on_step is not None and len(run) > 1 and each.on_step(run[-2], run[-1]):
                    self._hit(i, run)
            except Fault:
                self._hit(FAULT, run)

    def _stuck(self, run: list[State], expansion: Expansion) -> None:
        if expansion.cut or not self.question.deadlock:
            return
        try:
            if not self.question.interpreter.may_stop(run[-1]):
                self._hit(DEADLOCK, run)
        except Fault:
            self._hit(FAULT, run)

    def _hit(self, subject: int, run: list[State]) -> None:
        self.found.setdefault(subject, tuple(run))

    def _count_bounds(self, run: list[State], expansion: Expansion) -> None:
        for bound in expansion.cut:
            self.bounds.setdefault(bound, set()).add(run[-1])

    def _check_limits(self, depth: int) -> None:
        now = time.monotonic() - self.start
        if self.options.timeout is not None and now > self.options.timeout:
            raise _Stopped(End.TIME)
        limit = self.options.memory
        if limit is not None and self.transitions % _MEMORY_EVERY == 0 and memory_used() > limit:
            raise _Stopped(End.MEMORY)
        if self.report is not None and now - self.reported > _PROGRESS_EVERY:
            self.reported = now
            self.report(Progress(len(self.seen), self.transitions, depth, 0, now))

    def _answer(self, end: End) -> Answer:
        if end is not End.COMPLETE and self.found.keys() & self.question.stop_on:
            end = End.FOUND
        order = sorted(self.found.items(), key=lambda item: (len(item[1]), item[0]))
        return Answer(
            end,
            len(self.seen),
            self.transitions,
            self.depth,
            0,
            tuple(self.counts),
            tuple(self.news),
            tuple(sorted((bound, len(states)) for bound, states in self.bounds.items())),
            tuple(Found(subject, run) for subject, run in order),
            time.monotonic() - self.start,
        )


def _moves(state: State, expansion: Expansion) -> list[tuple[State, int]]:
    """The different states to which a step leads, each with the first action that does, but for the state itself."""
    moves: dict[State, int] = {}
    for action, successor in expansion.steps:
        moves.setdefault(successor, action)
    moves.pop(state, None)
    return list(moves.items())
