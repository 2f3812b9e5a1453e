"""The search for an order of operations in which each has the answer that it had.

After Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of configurations of Lowe,
"Testing for Linearizability" (2017). Which orders are allowed is the business of a `Frontier`; so linearizability and
sequential consistency are the same search.

It goes forward without a choice where one operation may as well be done now: one that never changes anything, or that
nothing else depends on. Where there is a choice, it leaves out what would make a later answer impossible (`Outlook`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Protocol

from checker.history.models import Object, State
from checker.history.operations import Operation


class OutOfTime(Exception):
    """The deadline came before the answer."""


class Frontier(Protocol):
    """Which operations may be the next ones, when some are done. Operations are known by their places in `known`,
    which were answered, and in `unknown`, of which each may be done or not."""

    @property
    def known(self) -> Sequence[Operation]: ...

    @property
    def unknown(self) -> Sequence[Operation]: ...

    @property
    def first_will_do(self) -> bool:
        """Whether of ready operations that do the same, the first can stand for all."""
        ...

    @property
    def place(self) -> Hashable:
        """Which of the known ones are done."""
        ...

    def ready(self) -> Iterable[int]:
        """The known ones that may be next."""
        ...

    def end(self, i: int) -> int:
        """When the known one at `i` was answered: those that were answered first are tried first."""
        ...

    def ready_unknown(self) -> Callable[[int], bool]:
        """Whether an unknown one may be next now, if it is not done."""
        ...

    def take(self, i: int) -> None:
        """The known one at `i` is done."""
        ...

    def put_back(self, i: int) -> None: ...


def is_explained(frontier: Frontier, of: Object, deadline: float | None) -> bool:
    """Whether there is an order of all known and some unknown operations. Raises OutOfTime."""
    return _Search(frontier, of).run(deadline)


_Choice = tuple[bool, int]
"""Whether it is a known operation, and which."""


class _Search:
    def __init__(self, frontier: Frontier, of: Object) -> None:
        self.frontier = frontier
        self.of = of
        self.outlook = of.outlook([*frontier.known, *frontier.unknown])
        self.states: dict[Hashable, State] = {o.key: of.initial for o in (*frontier.known, *frontier.unknown)}
        self.left = len(frontier.known)
        self.used = 0  # of the unknown ones, as bits
        self.same = self.alike(frontier.unknown)
        self.failed: dict[Hashable, list[int]] = {}  # by known ones and states: unknown ones that were used
        self.choices: list[list[_Choice | None]] = []
        self.trail: list[tuple[_Choice, State]] = []  # what was done, and the state before
        self.marks: list[int] = []  # where in the trail each choice began

    def run(self, deadline: float | None) -> bool:
        if self.outlook.is_hopeless:
            return False
        steps = 0
        while True:
            steps += 1
            if deadline is not None and steps % 64 == 0 and time.monotonic() > deadline:
                raise OutOfTime
            self.do_what_is_free()
            if not self.left:
                return True
            self.marks.append(len(self.trail))
            self.choices.append([] if self.was_here() else self.alternatives())
            if not self.next_choice():
                return False

    # --- what is done without a choice ------------------------------------------------------------

    def do_what_is_free(self) -> None:
        while free := [*self.free_known()] or [*self.free_unknown()]:
            for choice in free:
                if self.is_free(self.operation(choice)):  # still
                    self.do(choice)

    def free_known(self) -> Iterator[_Choice]:
        return ((True, i) for i in self.frontier.ready() if self.is_free(self.frontier.known[i]))

    def free_unknown(self) -> Iterator[_Choice]:
        for same in self.same:
            operation = self.frontier.unknown[same[0]]
            if self.is_free(operation) and self.is_useful(operation):
                yield from self.first_ready(same)

    def is_free(self, operation: Operation) -> bool:
        state = self.states[operation.key]
        following = self.of.step(state, operation)
        return following is not None and self.outlook.is_free(operation, state)

    def next_choice(self) -> bool:
        """Goes back to the last choice that has an alternative, and takes it. False if there is none."""
        while self.choices:
            self.go_back(self.marks[-1])
            if self.choices[-1]:
                choice = self.choices[-1].pop()
                if choice is not None:
                    self.do(choice)
                    return True
                self.choices[-1].extend(self.unknown_alternatives())
            else:
                self.choices.pop()
                self.marks.pop()
        return False

    # --- choices ----------------------------------------------------------------------------------

    def alternatives(self) -> list[_Choice | None]:
        """What may be next; the last one is to be tried first. None stands for the unknown ones."""
        ready = sorted(self.frontier.ready(), key=self.frontier.end)
        known = [(True, i) for i in ready if self.is_possible(self.frontier.known[i])]
        if self.frontier.first_will_do:
            known = self.different(known)
        return [None, *reversed(known)]

    def unknown_alternatives(self) -> Iterator[_Choice]:
        """Those that may be needed, and may be done; of those that do the same one."""
        for same in self.same:
            if self.is_useful(self.frontier.unknown[same[0]]):
                yield from self.first_ready(same)

    def first_ready(self, same: Sequence[int]) -> Iterator[_Choice]:
        ready = self.frontier.ready_unknown()
        i = next((i for i in same if not self.used >> i & 1 and ready(i)), None)
        if i is not None:
            yield False, i

    def different(self, choices: Sequence[_Choice]) -> list[_Choice]:
        operations = [self.operation(choice) for choice in choices]
        return [choices[same[0]] for same in self.alike(operations)]

    def alike(self, operations: Sequence[Operation]) -> list[list[int]]:
        """The places of operations that do the same, together."""
        found: dict[Hashable, list[int]] = {}
        for i, operation in enumerate(operations):
            found.setdefault((operation.f, operation.key, operation.value, operation.result), []).append(i)
        return list(found.values())

    def is_useful(self, operation: Operation) -> bool:
        if not self.outlook.is_wanted(operation) or not self.is_possible(operation):
            return False
        state = self.states[operation.key]
        return self.of.step(state, operation) != (state,)

    def is_possible(self, operation: Operation) -> bool:
        """Whether it can be done now, and leaves the others possible."""
        state = self.states[operation.key]
        return self.of.step(state, operation) is not None and not self.outlook.spoils(operation, state)

    def was_here(self) -> bool:
        """Whether the search was in this configuration before, with as many unknown operations left, or more."""
        before = self.failed.setdefault((self.frontier.place, tuple(self.states.values())), [])
        if any(used & self.used == used for used in before):
            return True
        before.append(self.used)
        return False

    def operation(self, choice: _Choice) -> Operation:
        is_known, i = choice
        return self.frontier.known[i] if is_known else self.frontier.unknown[i]

    # --- doing and undoing ------------------------------------------------------------------------

    def do(self, choice: _Choice) -> None:
        is_known, i = choice
        operation = self.operation(choice)
        state = self.states[operation.key]
        following = self.of.step(state, operation)
        assert following is not None
        self.states[operation.key] = following[0]
        self.outlook.taken(operation)
        if is_known:
            self.frontier.take(i)
            self.left -= 1
        else:
            self.used |= 1 << i
        if self.choices:  # before the first choice there is nothing to go back to
            self.trail.append((choice, state))

    def go_back(self, mark: int) -> None:
        while len(self.trail) > mark:
            choice, state = self.trail.pop()
            is_known, i = choice
            operation = self.operation(choice)
            self.states[operation.key] = state
            self.outlook.put_back(operation)
            if is_known:
                self.frontier.put_back(i)
                self.left += 1
            else:
                self.used &= ~(1 << i)
