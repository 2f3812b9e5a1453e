"""Breadth-first search over any model: distinct states, shortest runs, and an honest account of what was not seen.

It knows nothing of the language: a model has initial states and steps, and watches say what to look for.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeAlias

from checker.explore.faults import Fault

State: TypeAlias = Hashable


@dataclass(frozen=True, slots=True)
class Expansion:
    """All that can happen in one state.

    `steps`: each step as the number of its action and the state it leads to, one for each choice, repetitions
    included. `cut`: the bounds that cut a step off. `faulty`: some step has no meaning.
    """

    steps: Sequence[tuple[int, Any]]
    cut: frozenset[str] = frozenset()
    faulty: bool = False


class Model(Protocol):
    """What is searched. Everything must come in the same order each time."""

    def initial(self) -> Iterable[Any]: ...

    def expand(self, state: Any) -> Expansion: ...

    def may_stop(self, state: Any) -> bool:
        """Whether a state without steps is as it should be; may raise Fault."""
        ...


@dataclass(frozen=True)
class Watch:
    """Something to look for until it is found, in states (`on_state`) or steps (`on_step`); either may raise Fault."""

    on_state: Callable[[Any], bool] | None = None
    on_step: Callable[[Any, Any], bool] | None = None


@dataclass(frozen=True)
class Limits:
    """How far to go: `depth` in steps, `memory` in bytes of the process, `seconds` of wall time, `work` in seconds of
    this thread on a processor, and about how many `states`; None: no bound.

    `stop_on`: the subjects (see `Found`) that end the search when found, after the level in which they are found.
    """

    depth: int | None = None
    memory: int | None = None
    seconds: float | None = None
    stop_on: frozenset[int] = frozenset()
    deadlock: bool = True
    states: int | None = None
    work: float | None = None


class End(Enum):
    """Why a search ended. `FOUND`: something of `Limits.stop_on` was found before everything was seen."""

    COMPLETE = "complete"
    FOUND = "found"
    DEPTH = "depth"
    STATES = "states"
    MEMORY = "memory"
    TIME = "time"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Progress:
    """How far a running search is."""

    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float


# What may be found besides watches, which go by their position.
DEADLOCK = -1
FAULT = -2


@dataclass(frozen=True)
class Found:
    """Something found: a watch by its position, `DEADLOCK`, or `FAULT`; `run` holds the states from an initial one.

    The run is shortest. Of a step watch its last two states are the step; of a fault the last state is the one in which
    an expression has no meaning, or the end of a step about which a property has none.
    """

    subject: int
    run: tuple[Any, ...]


@dataclass(frozen=True)
class Answer:
    """What an engine saw. `frontier` counts states found but not expanded, `depth` is that of the deepest state.

    `taken` and `discovered` count for each action; a state counts as discovered for the first action, in order of
    number, that leads to it from the level before. `bounds` counts states in which a bound cut a step off. `engine` is
    who answered, where the engine asked chose another one; `notes` are sentences that belong beside the answer;
    `symmetry` are the sorts up to whose renaming states were told apart.
    """

    end: End
    states: int
    transitions: int
    depth: int
    frontier: int
    taken: tuple[int, ...]
    discovered: tuple[int, ...]
    bounds: tuple[tuple[str, int], ...]
    found: tuple[Found, ...]
    seconds: float = 0.0
    engine: str = ""
    notes: tuple[str, ...] = ()
    symmetry: tuple[str, ...] = ()


_MEMORY_EVERY = 256  # states between two looks at the memory in use
_PROGRESS_EVERY = 0.25  # seconds


class _Ended(Exception):
    def __init__(self, end: End) -> None:
        super().__init__(end.value)
        self.end = end


@dataclass
class _Search:
    """One run of the search. `parents` maps each state seen to the one that it was first reached from."""

    model: Model
    watches: Sequence[Watch]
    limits: Limits
    report: Callable[[Progress], None] | None
    taken: list[int]
    discovered: list[int]
    start: float = field(default_factory=time.monotonic)
    began: float = field(default_factory=time.thread_time)
    reported: float = 0.0
    parents: dict[Any, Any] = field(default_factory=dict)
    found: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    bounds: dict[str, int] = field(default_factory=dict)
    level: list[Any] = field(default_factory=list)
    following: dict[Any, int] = field(default_factory=dict)
    expanded: int = 0
    transitions: int = 0
    depth: int = 0
    ticks: int = 0
    stopping: bool = False
    on_states: list[tuple[int, Callable[[Any], bool]]] = field(default_factory=list)
    on_steps: list[tuple[int, Callable[[Any, Any], bool]]] = field(default_factory=list)

    def run(self) -> Answer:
        end = End.COMPLETE
        try:
            self.begin()
            while self.level:
                if self.stopping:
                    raise _Ended(End.FOUND)
                if self.limits.depth is not None and self.depth >= self.limits.depth:
                    raise _Ended(End.DEPTH)
                self.expand_level()
        except _Ended as ended:
            end = ended.end
        except KeyboardInterrupt:
            end = End.INTERRUPTED
        except MemoryError:
            end = End.MEMORY
        return self.answer(End.FOUND if self.stopping and end is not End.COMPLETE else end)

    def begin(self) -> None:
        self.choose_watches()
        for state in self.model.initial():
            self.check_limits()
            if state not in self.parents:
                self.parents[state] = None
                self.level.append(state)
                self.look(state)

    def expand_level(self) -> None:
        """Expands all states of one depth; those of the next are then the level."""
        for state in self.level:
            self.check_limits()
            self.expand(state)
            self.expanded += 1
        for action in self.following.values():
            self.discovered[action] += 1
        self.level = list(self.following)
        self.following = {}
        self.depth += bool(self.level)

    def expand(self, state: Any) -> None:
        expansion = self.model.expand(state)
        parents, following = self.parents, self.following
        for action, successor in expansion.steps:
            self.taken[action] += 1
            if successor not in parents:
                parents[successor] = state
                following[successor] = action
                self.look(successor)
            elif following.get(successor, -1) > action:
                following[successor] = action
            self.look_at_step(state, successor)
        self.transitions += len(expansion.steps)
        for bound in expansion.cut:
            self.bounds[bound] = self.bounds.get(bound, 0) + 1
        if expansion.faulty:
            self.hit(FAULT, state)
        elif not expansion.steps and not expansion.cut and self.limits.deadlock:
            self.look_for_deadlock(state)

    # --- looking ------------------------------------------------------------------------------------

    def choose_watches(self) -> None:
        """Look only for what was not found yet."""
        wanted = [(i, watch) for i, watch in enumerate(self.watches) if i not in self.found]
        self.on_states = [(i, watch.on_state) for i, watch in wanted if watch.on_state is not None]
        self.on_steps = [(i, watch.on_step) for i, watch in wanted if watch.on_step is not None]

    def look(self, state: Any) -> None:
        for i, on_state in self.on_states:
            try:
                if on_state(state):
                    self.hit(i, state)
            except Fault:
                self.hit(FAULT, state)

    def look_at_step(self, state: Any, successor: Any) -> None:
        for i, on_step in self.on_steps:
            try:
                if on_step(state, successor):
                    self.hit(i, state, successor)
            except Fault:
                self.hit(FAULT, state, successor)

    def look_for_deadlock(self, state: Any) -> None:
        try:
            if not self.model.may_stop(state):
                self.hit(DEADLOCK, state)
        except Fault:
            self.hit(FAULT, state)

    def hit(self, subject: int, state: Any, *successor: Any) -> None:
        """Remember the first run to something found; `successor` is the end of a step that need not be new."""
        if subject in self.found:
            return
        run = [state]
        while (parent := self.parents[run[-1]]) is not None:
            run.append(parent)
        self.found[subject] = (*reversed(run), *successor)
        self.stopping = self.stopping or subject in self.limits.stop_on
        self.choose_watches()

    # --- limits -------------------------------------------------------------------------------------

    def check_limits(self) -> None:
        self.ticks += 1
        if self.limits.states is not None and len(self.parents) > self.limits.states:
            raise _Ended(End.STATES)
        now = time.monotonic() - self.start
        if self.limits.seconds is not None and now > self.limits.seconds:
            raise _Ended(End.TIME)
        if self.limits.work is not None and time.thread_time() - self.began > self.limits.work:
            raise _Ended(End.TIME)
        if self.limits.memory is not None and self.ticks % _MEMORY_EVERY == 1 and memory_used() > self.limits.memory:
            raise _Ended(End.MEMORY)
        if self.report is not None and now - self.reported > _PROGRESS_EVERY:
            self.reported = now
            waiting = len(self.parents) - self.expanded
            self.report(Progress(len(self.parents), self.transitions, self.depth, waiting, now))

    def answer(self, end: End) -> Answer:
        order = sorted(self.found.items(), key=lambda item: (len(item[1]), item[0]))
        if self.following:
            # Ended in the middle of a level.
            self.depth += 1
            for action in self.following.values():
                self.discovered[action] += 1
        return Answer(
            end,
            len(self.parents),
            self.transitions,
            self.depth,
            len(self.parents) - self.expanded,
            tuple(self.taken),
            tuple(self.discovered),
            tuple(sorted(self.bounds.items())),
            tuple(Found(subject, run) for subject, run in order),
            time.monotonic() - self.start,
        )


def search(
    model: Model,
    actions: int,
    watches: Sequence[Watch],
    limits: Limits,
    progress: Callable[[Progress], None] | None = None,
) -> Answer:
    """Visit every state of the model, level by level, as far as the limits allow.

    `actions` is how many actions the model numbers. An interruption from the keyboard ends the search like a limit.
    """
    return _Search(model, watches, limits, progress, [0] * actions, [0] * actions).run()


def memory_used() -> int:
    """Bytes of memory that the process has in use (where the system does not tell: the most it ever had)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak_memory()


def _peak_memory() -> int:
    try:
        import resource
    except ImportError:  # Windows does not have it, and then there is no bound
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
