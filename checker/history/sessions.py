"""Guarantees that are weaker than one order of everything: what each client may rely on, and agreement in the end.

After Terry, Demers, Petersen, Spreitzer, Theimer and Welch, "Session Guarantees for Weakly Consistent Replicated Data"
(1994). They speak of the order of versions, which a history does not tell. So a guarantee holds here if the writes of
each key have some order that respects real time and in which it holds: a write that was over before another began is
older. Each value of a key must be written only once, or nobody could tell which write a read saw.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from checker.history.operations import Operation


class NotDecidable(Exception):
    """The history does not tell enough; the message is a sentence."""


@dataclass(frozen=True)
class Broken:
    """Operations that break a guarantee together; the last one is at fault."""

    message: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class _Edge:
    """One version must be older than another (or the same one), because of these operations."""

    older: Operation | None
    newer: Operation | None
    because: tuple[Operation, ...]


Guarantee = Callable[[Sequence[Operation]], Broken | None]


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
                        f"the value {_written(operation)!r} is written twice"
                        + (f" to {operation.key}" if operation.key is not None else "")
                        + ", so it cannot be told which write a read saw"
                    )
                self.writer[_written(operation)] = operation
        self.phantom = next((o for o in operations if _reads(o) and not self._was_written(o)), None)

    def _was_written(self, read: Operation) -> bool:
        """Whether somebody had begun to write what was read."""
        if _read(read) not in self.writer:
            return False
        write = self.writer[_read(read)]
        return write is None or not read.precedes(write)

    def seen(self, operation: Operation) -> Operation | None:
        """The write that a read saw; None for the value at first."""
        return self.writer[_read(operation)]

    def sessions(self) -> Iterator[list[Operation]]:
        found: dict[int, list[Operation]] = {}
        for operation in self.operations:
            found.setdefault(operation.process, []).append(operation)
        return iter(found.values())

    def versions(self) -> list[Operation]:
        """The writes that took effect as far as is known: those that were answered or seen."""
        seen = {id(self.seen(o)) for o in self.operations if _reads(o)}
        return [o for o in self.operations if _writes(o) and (o.known or id(o) in seen)]


def by_key(operations: Sequence[Operation]) -> Mapping[Hashable, list[Operation]]:
    """The operations on each key."""
    found: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        found.setdefault(operation.key, []).append(operation)
    return found


def _each(operations: Sequence[Operation], judge: Callable[[_Key], Broken | None]) -> Broken | None:
    for found in by_key(operations).values():
        key = _Key(found)
        if key.phantom is not None:
            return Broken("nobody had written what was read", (key.phantom,))
        broken = judge(key)
        if broken is not None:
            return broken
    return None


# --- the guarantees -------------------------------------------------------------------------------


def read_your_writes(operations: Sequence[Operation]) -> Broken | None:
    """After a client has written, it reads what it wrote or something newer."""

    def edges(key: _Key) -> Iterator[_Edge]:
        for session in key.sessions():
            mine: Operation | None = None
            for operation in session:
                if _reads(operation) and mine is not None:
                    yield _Edge(mine, key.seen(operation), (mine, operation))
                if _writes(operation) and operation.known:
                    mine = operation

    return _each(operations, lambda key: _circle(key, list(edges(key)), "a client does not read what it wrote"))


def monotonic_reads(operations: Sequence[Operation]) -> Broken | None:
    """What a client reads is never older than what it has read before."""

    def edges(key: _Key) -> Iterator[_Edge]:
        for session in key.sessions():
            before: Operation | None = None
            for operation in session:
                if _reads(operation):
                    if before is not None:
                        yield _Edge(key.seen(before), key.seen(operation), (before, operation))
                    before = operation

    return _each(operations, lambda key: _circle(key, list(edges(key)), "a client reads something older than before"))


def monotonic_writes(operations: Sequence[Operation]) -> Broken | None:
    """Nobody sees a client's writes in another order than that in which it wrote them."""

    def pairs(key: _Key) -> Iterator[tuple[Operation, ...]]:
        for session in key.sessions():
            mine = [o for o in session if _writes(o)]
            yield from ((a, b) for i, a in enumerate(mine) for b in mine[i + 1 :])

    return _each(operations, lambda key: _observed(key, pairs(key), "writes of one client are seen in another order"))


def writes_follow_reads(operations: Sequence[Operation]) -> Broken | None:
    """Nobody sees a write, and later what its writer had read before it wrote."""

    def pairs(key: _Key) -> Iterator[tuple[Operation, ...]]:
        for session in key.sessions():
            for i, read in enumerate(session):
                seen = key.seen(read) if _reads(read) else None
                if seen is not None:
                    yield from ((seen, o, read) for o in session[i:] if _writes(o) and o is not seen)

    return _each(operations, lambda key: _observed(key, pairs(key), "a write is seen before what its writer had read"))


def eventual_convergence(operations: Sequence[Operation]) -> Broken | None:
    """When all writes are over, all clients come to read the same. Raises NotDecidable where nobody reads then."""
    asked = False
    for found in by_key(operations).values():
        key = _Key(found)
        if key.phantom is not None:
            return Broken("nobody had written what was read", (key.phantom,))
        over = max((o.end for o in found if _writes(o) and o.end is not None), default=-1)
        last: dict[int, Operation] = {}
        for operation in found:
            if operation.f == "read" and operation.known and operation.begin > over:
                last[operation.process] = operation
        asked = asked or len(last) > 1
        values = {_read(o): o for o in last.values()}
        if len(values) > 1:
            if any(_writes(o) and not o.known for o in found):
                raise NotDecidable("a write that was never answered may still be under way")
            return Broken("after the last write clients read different values", tuple(values.values()))
    if not asked:
        raise NotDecidable("no two clients read the same key after its last write")
    return None


# --- orders of versions ---------------------------------------------------------------------------


def _circle(key: _Key, edges: Sequence[_Edge], message: str) -> Broken | None:
    """A shortest circle in what must be older than what: then no order of the versions will do.

    Real time is kept by the moments at which writes begin and end: a version leads to its end, each moment to the next
    one, and the begin of a write to its version. Moments have numbers, versions names that no moment has.
    """
    follows: dict[Hashable, list[tuple[Hashable, tuple[Operation, ...]]]] = {}

    def name(write: Operation | None) -> Hashable:
        return "first" if write is None else ("write", write.begin)

    moments: set[int] = {-1}
    follows["first"] = [(-1, ())]
    for write in key.versions():
        if write.end is not None:
            follows.setdefault(name(write), []).append((write.end, (write,)))
            moments.add(write.end)
        follows.setdefault(write.begin, []).append((name(write), (write,)))
        moments.add(write.begin)
    ordered = sorted(moments)
    for earlier, later in pairwise(ordered):
        follows.setdefault(earlier, []).append((later, ()))
    told = [e for e in edges if e.older is not e.newer]
    for edge in told:
        follows.setdefault(name(edge.older), []).append((name(edge.newer), edge.because))
    try:
        TopologicalSorter({place: [to for to, _ in ways] for place, ways in follows.items()}).prepare()
    except CycleError:
        pass
    else:
        return None
    shortest: tuple[Operation, ...] | None = None
    for edge in sorted(told, key=lambda e: e.because[-1].begin):
        way = _way(follows, name(edge.newer), name(edge.older))
        if way is not None:
            found = tuple(dict.fromkeys((*edge.because, *way)))
            if shortest is None or len(found) < len(shortest):
                shortest = found
            if len(shortest) <= 3:
                break
    if shortest is None:
        return None
    return Broken(message, tuple(sorted(shortest, key=lambda o: o.begin)))


def _way(
    follows: Mapping[Hashable, Sequence[tuple[Hashable, tuple[Operation, ...]]]], start: Hashable, end: Hashable
) -> tuple[Operation, ...] | None:
    """The operations along a shortest way."""
    came: dict[Hashable, tuple[Hashable, tuple[Operation, ...]] | None] = {start: None}
    edge = [start]
    while edge and end not in came:
        following = []
        for place in edge:
            for target, because in follows.get(place, ()):
                if target not in came:
                    came[target] = (place, because)
                    following.append(target)
        edge = following
    if end not in came:
        return None
    found: list[Operation] = []
    at = came[end]
    while at is not None:
        place, because = at
        found.extend(because)
        at = came[place]
    return tuple(found)


def _observed(key: _Key, pairs: Iterator[tuple[Operation, ...]], message: str) -> Broken | None:
    """A client that sees the second write of a pair, and later the first one."""
    views = []
    for session in key.sessions():
        reads = [o for o in session if _reads(o)]
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for i, read in enumerate(reads):
            seen = id(key.seen(read))
            first.setdefault(seen, i)
            last[seen] = i
        views.append((reads, first, last))
    for pair in pairs:
        older, newer = id(pair[0]), id(pair[1])
        for reads, first, last in views:
            if newer in first and first[newer] < last.get(older, -1):
                return Broken(message, (*pair, reads[first[newer]], reads[last[older]]))
    return None


GUARANTEES: Mapping[str, Guarantee] = {
    "read-your-writes": read_your_writes,
    "monotonic-reads": monotonic_reads,
    "monotonic-writes": monotonic_writes,
    "writes-follow-reads": writes_follow_reads,
    "eventual": eventual_convergence,
}
