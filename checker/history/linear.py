"""Linearizability: whether each operation can be thought to be done at one moment between its begin and its end.

After Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of configurations of Lowe,
"Testing for Linearizability" (2017), and the locality of Herlihy and Wing (1990): each key is checked on its own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from checker.history.models import Object, State
from checker.history.operations import Operation


class OutOfTime(Exception):
    """The deadline came before the answer."""


class _Entry:
    """The begin or the end of an operation, in a list that operations are lifted out of and put back into."""

    __slots__ = ("match", "next", "number", "operation", "prev")

    def __init__(self, number: int, operation: Operation) -> None:
        self.number, self.operation = number, operation
        self.match: _Entry | None = None  # of a begin: the end
        self.prev: _Entry | None = None
        self.next: _Entry | None = None


def is_linearizable(operations: Sequence[Operation], of: Object, deadline: float | None = None) -> bool:
    """Whether operations on one object are linearizable. Raises OutOfTime."""
    head = _linked(operations)
    wanted = sum(1 << i for i, operation in enumerate(operations) if operation.known)
    done, state = 0, of.initial
    seen: set[tuple[int, State]] = set()
    taken: list[tuple[_Entry, State]] = []
    entry, steps = head.next, 0
    while done & wanted != wanted:
        steps += 1
        if deadline is not None and steps % 1024 == 0 and time.monotonic() > deadline:
            raise OutOfTime
        if entry is not None and entry.match is not None:  # a begin: it may be the next one
            following = of.step(state, entry.operation)
            more = done | 1 << entry.number
            if following is not None and (more, following[0]) not in seen:
                seen.add((more, following[0]))
                taken.append((entry, state))
                done, state = more, following[0]
                _lift(entry)
                entry = head.next
            else:
                entry = entry.next
            continue
        # An end is reached: an operation that has not been done must have been. Or there is nothing left.
        if not taken:
            return False
        entry, state = taken.pop()
        done &= ~(1 << entry.number)
        _put_back(entry)
        entry = entry.next
    return True


def _linked(operations: Sequence[Operation]) -> _Entry:
    """The events in order. Operations without an end have it after all others, where it forces nothing."""
    far = max((max(o.begin, o.end or 0) for o in operations), default=0) + 1
    events: list[tuple[int, int, _Entry]] = []
    for i, operation in enumerate(operations):
        begin, end = _Entry(i, operation), _Entry(i, operation)
        begin.match = end
        events += [(operation.begin, 0, begin), (far if operation.end is None else operation.end, 1 + i, end)]
    events.sort(key=lambda event: event[:2])
    head = _Entry(-1, Operation(0, "", None, None, None, -1, None))
    last = head
    for _, _, entry in events:
        last.next, entry.prev = entry, last
        last = entry
    return head


def _lift(begin: _Entry) -> None:
    for entry in (begin, begin.match):
        assert entry is not None and entry.prev is not None
        entry.prev.next = entry.next
        if entry.next is not None:
            entry.next.prev = entry.prev


def _put_back(begin: _Entry) -> None:
    for entry in (begin.match, begin):
        assert entry is not None and entry.prev is not None
        entry.prev.next = entry
        if entry.next is not None:
            entry.next.prev = entry
