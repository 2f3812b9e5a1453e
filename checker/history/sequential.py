"""Sequential consistency: whether there is one order of all operations that each process could have seen.

After Lamport, "How to Make a Multiprocessor Computer That Correctly Executes Multiprocess Programs" (1979). It is not
local, so all keys are searched together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from checker.history.models import Object, Place, place_made, place_needed
from checker.history.operations import Operation
from checker.history.search import is_explained


def is_sequential(operations: Sequence[Operation], of: Object, deadline: float | None = None) -> bool:
    """Whether the operations are sequentially consistent. Raises OutOfTime."""
    frontier = _InProgramOrder(operations)
    return not frontier.is_circular() and is_explained(frontier, of, deadline)


class _InProgramOrder:
    """An operation may be next if all that its process was answered before are done.

    And it waits for others if it makes a value that nobody else does: a process that reads this value, and just before
    found or left another one in the same register, has done so before the value was made.
    """

    first_will_do = False

    def __init__(self, operations: Sequence[Operation]) -> None:
        ordered = sorted(operations, key=lambda o: o.begin)
        self.known = [o for o in ordered if o.known]
        self.unknown = [o for o in ordered if not o.known]
        names: dict[int, int] = {}
        self.of = [names.setdefault(o.process, len(names)) for o in self.known]  # whose each is
        self.sequences: list[list[int]] = [[] for _ in names]
        self.rank: list[int] = []  # how many of the process come before
        for i, process in enumerate(self.of):
            self.rank.append(len(self.sequences[process]))
            self.sequences[process].append(i)
        self.ends = [o.end for o in self.known if o.end is not None]
        self.done = [0] * len(names)
        self.after = [self._after(o, names) for o in self.unknown]
        self.makers = self._makers()
        self.waits_for = self._waits_for()

    def _after(self, operation: Operation, names: dict[int, int]) -> tuple[int, int] | None:
        """The process of an unknown operation, and how many of its operations must have been done before."""
        process = names.get(operation.process)
        if process is None:
            return None
        return process, sum(self.known[i].begin < operation.begin for i in self.sequences[process])

    def _makers(self) -> Mapping[int, int]:
        """For each operation that needs a value the one that makes it, where there is only one.

        It is the place of a known operation, or of an unknown one with all bits turned (`~`).
        """
        makers: dict[Place | None, list[int]] = {}
        for i, operation in [*enumerate(self.known), *((~i, o) for i, o in enumerate(self.unknown))]:
            makers.setdefault(place_made(operation), []).append(i)
        found: dict[int, int] = {}
        for i, operation in enumerate(self.known):
            place = place_needed(operation)
            match makers.get(place, ()) if place is not None and place.value is not None else ():
                case [maker]:
                    found[i] = maker
        return found

    def _waits_for(self) -> Mapping[int, Sequence[int]]:
        found: dict[int, list[int]] = {}
        for sequence in self.sequences:
            last: dict[Hashable, int] = {}
            for i in sequence:
                previous, maker = last.get(self.known[i].key), self.makers.get(i)
                apart = previous is not None and self._leaves(previous) != place_needed(self.known[i])
                if maker is not None and previous is not None and apart:
                    found.setdefault(maker, []).append(previous)
                last[self.known[i].key] = i
        return found

    def is_circular(self) -> bool:
        """Whether operations wait for each other, which shows most stale reads without a search."""
        before = TopologicalSorter(self.waits_for)
        for sequence in self.sequences:
            for earlier, later in pairwise(sequence):
                before.add(later, earlier)
        for i, maker in self.makers.items():
            before.add(i, maker)
        try:
            before.prepare()
        except CycleError:
            return True
        return False

    def _leaves(self, i: int) -> Place | None:
        return place_made(self.known[i]) or place_needed(self.known[i])

    @property
    def place(self) -> Hashable:
        return tuple(self.done)

    def ready(self) -> list[int]:
        found = [s[done] for s, done in zip(self.sequences, self.done, strict=True) if done < len(s)]
        return [i for i in found if i not in self.waits_for or self._waits_no_more(i)]

    def end(self, i: int) -> int:
        return self.ends[i]

    def ready_unknown(self) -> Callable[[int], bool]:
        return lambda i: self._is_reached(self.after[i]) and self._waits_no_more(~i)

    def _is_reached(self, after: tuple[int, int] | None) -> bool:
        return after is None or self.done[after[0]] >= after[1]

    def _waits_no_more(self, name: int) -> bool:
        return all(self.rank[j] < self.done[self.of[j]] for j in self.waits_for.get(name, ()))

    def take(self, i: int) -> None:
        self.done[self.of[i]] += 1

    def put_back(self, i: int) -> None:
        self.done[self.of[i]] -= 1
