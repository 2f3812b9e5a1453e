"""Linearizability: whether each operation can be thought to be done at one moment between its begin and its end.

With the locality of Herlihy and Wing (1990), each object is checked on its own. The operations that were answered are
kept in the order in which they began: those that are done are all up to some place, and a few more, so that a
configuration is small however long the history is.

Most stale reads of a register are found without a search, after Gibbons and Korach, "Testing Shared Memories" (1997): a
value that one operation made is there from one moment to another, and there is no other value in between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise
from math import inf

from checker.history.models import Object, Place, place_made, place_needed
from checker.history.operations import Operation
from checker.history.search import is_explained


def is_linearizable(operations: Sequence[Operation], of: Object, deadline: float | None = None) -> bool:
    """Whether operations on one object are linearizable. Raises OutOfTime."""
    return not _are_in_conflict(_stretches(operations)) and is_explained(_InTime(operations), of, deadline)


# --- values that were there when others were ------------------------------------------------------


def _stretches(operations: Sequence[Operation]) -> Iterator[tuple[float, float]]:
    """For each value that came about once the first end and the last begin of the operations that made or saw it."""
    makers = Counter(place for o in operations if (place := place_made(o)) is not None)
    found: dict[Place, tuple[float, float]] = {}
    for operation in operations:
        end = inf if operation.end is None else operation.end
        seen = place_needed(operation) if operation.known else None
        for place in filter(None, {place_made(operation), seen}):
            if makers[place] + (place.value is None) == 1:
                first, last = found.get(place, (-1 if place.value is None else inf, -1))
                found[place] = min(first, end), max(last, operation.begin)
    yield from found.values()


def _are_in_conflict(stretches: Iterator[tuple[float, float]]) -> bool:
    """Whether two values must have been there at one time.

    One whose first end is before its last begin was there in between. Another one was there before or after, and so
    is neither there in between as well, nor only between the two.
    """
    held, brief = list[tuple[float, float]](), list[tuple[float, float]]()
    for first, last in stretches:
        (held if first < last else brief).append((first, last))
    held.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(held)):
        return True
    for first, last in brief:
        i = bisect_right(held, (last, inf)) - 1
        if i >= 0 and held[i][0] < last and first < held[i][1]:
            return True
    return False


# --- the search -----------------------------------------------------------------------------------


class _InTime:
    """An operation may be next if it began before any other one that is still to be done was over.

    Of two that do the same, the one that was over first can be done first.
    """

    first_will_do = True

    def __init__(self, operations: Sequence[Operation]) -> None:
        ordered = sorted(operations, key=lambda o: o.begin)
        self.known = [o for o in ordered if o.known]
        self.unknown = [o for o in ordered if not o.known]
        self.spans = [(o.begin, o.end) for o in self.known if o.end is not None]
        self.first = 0  # all before this one are done
        self.others = 0  # done ones from there on, as bits

    @property
    def place(self) -> Hashable:
        return self.first, self.others

    def ready(self) -> list[int]:
        found, _ = self._ready()
        return found

    def end(self, i: int) -> int:
        return self.spans[i][1]

    def ready_unknown(self) -> Callable[[int], bool]:
        _, bound = self._ready()
        return lambda i: bound is None or self.unknown[i].begin < bound

    def _ready(self) -> tuple[list[int], int | None]:
        """The known ones that may be next, and when the first of those to be done is over."""
        found: list[int] = []
        bound: int | None = None
        others = self.others
        for i in range(self.first, len(self.spans)):
            begin, end = self.spans[i]
            if bound is not None and begin > bound:
                break
            if not others & 1:
                found.append(i)
                if bound is None or end < bound:
                    bound = end
            others >>= 1
        return found, bound

    def take(self, i: int) -> None:
        self.others |= 1 << (i - self.first)
        while self.others & 1:
            self.others >>= 1
            self.first += 1

    def put_back(self, i: int) -> None:
        if i < self.first:
            self.others = (self.others << (self.first - i)) | ((1 << (self.first - i)) - 1)
            self.first = i
        self.others &= ~(1 << (i - self.first))
