"""Guarantees that are weaker than one order of everything: what each client may rely on, and agreement in the end.

After Terry, Demers, Petersen, Spreitzer, Theimer and Welch, "Session Guarantees for Weakly Consistent Replicated Data"
(1994). They speak of servers and of the order of versions, which a history does not tell. So a guarantee holds here if
the writes of each key have some order that respects real time and in which it holds: a write that was over before
another began is older. And where they say that a server has a write, it is a client that has seen it. Each value of a
key must be written only once, or nobody could tell which write a read saw.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from checker.history.operations import Operation
from checker.history.values import shown


class NotDecidable(Exception):
    """The history does not tell enough; the message is a sentence."""


@dataclass(frozen=True)
class Broken:
    """Operations that are inconsistent together; the last one is at fault."""

    message: str
    operations: tuple[Operation, ...]


_Edge = tuple[Operation | None, Operation | None]
"""A write that must be older than another, or the same one; None is what was there at first."""


# --- what is read and written ---------------------------------------------------------------------


def _writes(operation: Operation) -> bool:
    return operation.f in ("write", "cas")


def _reads(operation: Operation) -> bool:
    return operation.known and operation.f in ("read", "cas")


def _written(operation: Operation) -> Hashable:
    if operation.f == "cas":
        assert isinstance(operation.value, tuple)
        new: Hashable = operation.value[1]
        return new
    return operation.value


def _read(operation: Operation) -> Hashable:
    if operation.f == "cas":
        assert isinstance(operation.value, tuple)
        old: Hashable = operation.value[0]
        return old
    return operation.result


class _Key:
    """The operations on one key: who wrote what, and what was seen. Raises NotDecidable."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations
        self.writer: dict[Hashable, Operation | None] = {None: None}
        for operation in operations:
            if _writes(operation):
                if _written(operation) in self.writer:
                    raise NotDecidable(
                        f"the value {shown(_written(operation))} is written twice"
                        + (f" to {shown(operation.key)}" if operation.key is not None else "")
                        + ", so it cannot be told which write a read saw"
                    )
                self.writer[_written(operation)] = operation
        self.is_sane = all(self.was_written(o) for o in operations if _reads(o))

    def was_written(self, read: Operation) -> bool:
        """Whether somebody had begun to write what was read."""
        if _read(read) not in self.writer:
            return False
        write = self.writer[_read(read)]
        return write is None or not read.precedes(write)

    def seen(self, operation: Operation) -> Operation | None:
        """The write that a read saw; None for the value at first."""
        return self.writer[_read(operation)]


def by_key(operations: Sequence[Operation]) -> Mapping[Hashable, list[Operation]]:
    """The operations on each key."""
    found: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        found.setdefault(operation.key, []).append(operation)
    return found


def by_session(operations: Sequence[Operation]) -> Mapping[int, list[Operation]]:
    """The operations of each process, in its order."""
    found: dict[int, list[Operation]] = {}
    for operation in sorted(operations, key=lambda o: o.begin):
        found.setdefault(operation.process, []).append(operation)
    return found


# --- the guarantees of sessions -------------------------------------------------------------------


def read_your_writes(operations: Sequence[Operation]) -> bool:
    """After a client has written, it reads what it wrote or something newer."""

    def edges(key: _Key) -> Iterator[_Edge]:
        for session in by_session(key.operations).values():
            mine: Operation | None = None
            for operation in session:
                if _reads(operation) and mine is not None:
                    yield mine, key.seen(operation)
                if _writes(operation) and operation.known:
                    mine = operation

    return all(key.is_sane and _have_order(key, edges(key)) for key in map(_Key, by_key(operations).values()))


def monotonic_reads(operations: Sequence[Operation]) -> bool:
    """What a client reads is never older than what it has read before."""

    def edges(key: _Key) -> Iterator[_Edge]:
        for session in by_session(key.operations).values():
            yield from pairwise(key.seen(o) for o in session if _reads(o))

    return all(key.is_sane and _have_order(key, edges(key)) for key in map(_Key, by_key(operations).values()))


def monotonic_writes(operations: Sequence[Operation]) -> bool:
    """Who has seen a client's write does not see what was there before an earlier write of that client."""

    def earlier(operation: Operation, key: _Key) -> tuple[int, Operation | None]:
        return 1, operation if _writes(operation) and operation.known else None

    return _are_seen_in_order(operations, earlier)


def writes_follow_reads(operations: Sequence[Operation]) -> bool:
    """Who has seen a write does not see what was there before the writes that its writer had read."""

    def earlier(operation: Operation, key: _Key) -> tuple[int, Operation | None]:
        return 0, key.seen(operation) if _reads(operation) else None

    return _are_seen_in_order(operations, earlier)


Earlier = Callable[[Operation, _Key], tuple[int, Operation | None]]
"""The write that an operation puts before the later writes of its session; 0 if before its own as well, else 1."""


def _are_seen_in_order(operations: Sequence[Operation], earlier: Earlier) -> bool:
    """Whether nobody who has seen a write then finds one missing that was put before it.

    On the key of that write itself it is enough that the other is not seen afterwards; the rest is a matter of
    monotonic reads.
    """
    keys = {name: _Key(found) for name, found in by_key(operations).items()}
    if not all(key.is_sane for key in keys.values()):
        return False
    sessions = by_session(operations)
    place: dict[int, tuple[int, int]] = {}  # of each write: its session, and how far on there
    told: dict[int, list[tuple[int, Operation]]] = {}  # for each session, what it puts before later writes
    put: dict[int, dict[int, int]] = {}  # for each write, the sessions that put it before others, and from where on
    for name, session in sessions.items():
        for i, operation in enumerate(session):
            place[id(operation)] = name, 2 * i + 1
            own, write = earlier(operation, keys[operation.key])
            if write is not None:
                told.setdefault(name, []).append((2 * i + own, write))
                put.setdefault(id(write), {}).setdefault(name, 2 * i + own)
    edges: dict[Hashable, list[_Edge]] = {}
    for session in sessions.values():
        client = _Client(told)
        for read in filter(_reads, session):
            seen = keys[read.key].seen(read)
            edges.setdefault(read.key, []).extend((write, seen) for write in client.required.get(read.key, ()))
            if seen is None:
                continue
            if any(client.latest.get((name, read.key), -1) > at for name, at in put.get(id(seen), {}).items()):
                return False
            client.sees(read.key, *place[id(seen)])
    return all(_have_order(keys[name], found) for name, found in edges.items())


class _Client:
    """What a client may expect after what it has seen: `told` is what each session puts before its later writes."""

    def __init__(self, told: Mapping[int, Sequence[tuple[int, Operation]]]) -> None:
        self.told = told
        self.latest: dict[tuple[int, Hashable], int] = {}  # by session and key: how far on its latest write seen is
        self.required: dict[Hashable, list[Operation]] = {}  # by key: writes that must not be missing any more
        self._next: dict[int, int] = {}  # for each session, what it has not been told of
        self._waiting: dict[int, dict[Hashable, list[Operation]]] = {}  # it waits for a write of another key

    def sees(self, key: Hashable, name: int, at: int) -> None:
        """It has seen the write of the session `name` that is so far on."""
        self.latest[name, key] = max(at, self.latest.get((name, key), -1))
        told, i = self.told.get(name, ()), self._next.get(name, 0)
        waiting = self._waiting.setdefault(name, {})
        while i < len(told) and told[i][0] < at:
            waiting.setdefault(told[i][1].key, []).append(told[i][1])
            i += 1
        self._next[name] = i
        for other in [other for other in waiting if other != key]:
            for write in waiting.pop(other):
                self._require(write)

    def _require(self, write: Operation) -> None:
        """Of writes that come one after the other, the last one is enough."""
        others = self.required.get(write.key, [])
        if not any(other is write or write.precedes(other) for other in others):
            self.required[write.key] = [*(other for other in others if not other.precedes(write)), write]


def _have_order(key: _Key, edges: Iterable[_Edge]) -> bool:
    """Whether the writes of a key have an order that respects real time and has these edges.

    Real time is kept by the moments at which writes begin and end: a write leads to its end, each moment to the next
    one, and the begin of a write to the write. Moments have numbers, writes names that no moment has.
    """
    follows: dict[Hashable, set[Hashable]] = {"first": {-1}}

    def name(write: Operation | None) -> Hashable:
        return "first" if write is None else ("write", write.begin)

    moments = {-1}
    for write in filter(_writes, key.operations):
        if write.end is not None:
            follows.setdefault(name(write), set()).add(write.end)
            moments.add(write.end)
        follows.setdefault(write.begin, set()).add(name(write))
        moments.add(write.begin)
    for earlier, later in pairwise(sorted(moments)):
        follows.setdefault(earlier, set()).add(later)
    for older, newer in edges:
        if older is not newer:
            follows.setdefault(name(older), set()).add(name(newer))
    try:
        TopologicalSorter(follows).prepare()
    except CycleError:
        return False
    return True


SESSIONS: Mapping[str, Callable[[Sequence[Operation]], bool]] = {
    "read-your-writes": read_your_writes,
    "monotonic-reads": monotonic_reads,
    "monotonic-writes": monotonic_writes,
    "writes-follow-reads": writes_follow_reads,
}
"""Whether each guarantee holds. They raise NotDecidable."""


# --- agreement in the end -------------------------------------------------------------------------


def eventual_convergence(operations: Sequence[Operation]) -> Broken | None:
    """When all writes are over, what each client reads last is the same, and the value of a last write.

    Raises NotDecidable where nobody reads then.
    """
    asked, unknown = False, False
    for found in by_key(operations).values():
        key = _Key(found)
        if not key.is_sane:
            phantom = next(o for o in found if _reads(o) and not key.was_written(o))
            return Broken("nobody had written what was read", (phantom,))
        over = max((o.end for o in found if _writes(o) and o.end is not None), default=-1)
        last: dict[int, Operation] = {}
        for operation in found:
            if operation.f == "read" and operation.known and operation.begin > over:
                last[operation.process] = operation
        asked = asked or len(last) > 1
        values = {_read(o): o for o in last.values()}
        if len(values) > 1:
            if any(_writes(o) and not o.known for o in found):
                unknown = True
                continue  # another key may be plainly wrong
            return Broken("after the last write clients read different values", tuple(values.values()))
        for read in values.values():
            write = key.seen(read)
            lost = next((o for o in found if _writes(o) and o.known and (write is None or write.precedes(o))), None)
            if lost is not None:
                return Broken("after the last write clients read what was there before it", (lost, read))
    if unknown:
        raise NotDecidable("a write that was never answered may still be under way")
    if not asked:
        raise NotDecidable("no two clients read the same key after its last write")
    return None
