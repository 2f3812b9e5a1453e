"""Each answer about small histories is that of a search through all orders, which is too simple to be wrong."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import chain, combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.history.check import LEVELS, check, smallest
from checker.history.linear import is_linearizable
from checker.history.models import MODELS, REGISTER, Object
from checker.history.operations import Operation
from checker.history.sequential import is_sequential
from checker.history.sessions import GUARANTEES, NotDecidable

KEYS = ("x", "y")


# --- histories ------------------------------------------------------------------------------------


@st.composite
def intervals(draw: st.DrawFn, most: int) -> list[tuple[int, int, int | None]]:
    """Process, begin and end of operations: a process has one under way at a time, and none after one without end."""
    found: list[tuple[int, int, int | None]] = []
    pending: dict[int, int] = {}
    silent: set[int] = set()
    moment = 0
    while len(found) < most:
        process = draw(st.sampled_from([p for p in range(3 + len(silent)) if p not in silent]))
        if process in pending:
            unknown = draw(st.integers(0, 9)) == 0
            found.append((process, pending.pop(process), None if unknown else moment))
            if unknown:
                silent.add(process)
        else:
            pending[process] = moment
        moment += 1
    return sorted(found, key=lambda each: each[1])


@st.composite
def registers(draw: st.DrawFn, once: bool = False, keys: tuple[str, ...] = KEYS, most: int = 5) -> list[Operation]:
    """Reads, writes and cas; with `once` each value is written once, and there is no cas."""
    found = []
    for number, (process, begin, end) in enumerate(draw(intervals(draw(st.integers(1, most))))):
        f = draw(st.sampled_from(["read", "write"] if once else ["read", "read", "write", "cas"]))
        value: Hashable = number + 1 if once else draw(st.integers(1, 2))
        key = draw(st.sampled_from(keys))
        if f == "cas":
            value = (draw(st.sampled_from([None, 1, 2])), value)
        result = draw(st.sampled_from([None, *range(1, most + 1)] if once else [None, 1, 2])) if f == "read" else value
        found.append(Operation(process, f, key, None if f == "read" else value, result, begin, end))
    return found


@st.composite
def queues(draw: st.DrawFn) -> list[Operation]:
    found = []
    for process, begin, end in draw(intervals(draw(st.integers(1, 5)))):
        f = draw(st.sampled_from(["enqueue", "dequeue"]))
        value = draw(st.sampled_from([1, 2]))
        result = draw(st.sampled_from([None, 1, 2])) if f == "dequeue" else value
        found.append(Operation(process, f, None, None if f == "dequeue" else value, result, begin, end))
    return found


# --- all orders -----------------------------------------------------------------------------------


def orders(operations: Sequence[Operation]) -> Iterator[tuple[Operation, ...]]:
    """All orders of the operations that were answered, with any of the others among them."""
    known = [o for o in operations if o.known]
    unknown = [o for o in operations if not o.known]
    for some in chain.from_iterable(combinations(unknown, n) for n in range(len(unknown) + 1)):
        yield from permutations([*known, *some])


def explains(order: Sequence[Operation], of: Object) -> bool:
    states: dict[Hashable, Hashable] = {}
    for operation in order:
        found = of.step(states.get(operation.key, of.initial), operation)
        if found is None:
            return False
        states[operation.key] = found[0]
    return True


def in_time(order: Sequence[Operation]) -> bool:
    return not any(b.precedes(a) for a, b in combinations(order, 2))


def in_program_order(order: Sequence[Operation]) -> bool:
    return not any(a.process == b.process and b.begin < a.begin for a, b in combinations(order, 2))


def explained(operations: Sequence[Operation], of: Object, kept: Callable[[Sequence[Operation]], bool]) -> bool:
    return any(kept(order) and explains(order, of) for order in orders(operations))


@given(registers(keys=("x",)))
@settings(max_examples=400, deadline=None)
def test_linearizable_registers(operations: list[Operation]) -> None:
    assert is_linearizable(operations, REGISTER) == explained(operations, REGISTER, in_time)


@given(queues())
@settings(max_examples=300, deadline=None)
def test_linearizable_queues(operations: list[Operation]) -> None:
    queue, _ = MODELS["queue"]
    assert is_linearizable(operations, queue) == explained(operations, queue, in_time)


@given(registers())
@settings(max_examples=300, deadline=None)
def test_keys_may_be_checked_one_by_one(operations: list[Operation]) -> None:
    answer = check(operations, "kv", "linearizable").answer
    assert (answer == "consistent") == explained(operations, REGISTER, in_time)


@given(registers())
@settings(max_examples=300, deadline=None)
def test_sequential(operations: list[Operation]) -> None:
    assert is_sequential(operations, REGISTER) == explained(operations, REGISTER, in_program_order)


@given(registers(keys=("x",)))
@settings(max_examples=150, deadline=None)
def test_what_is_shown_fails_by_itself(operations: list[Operation]) -> None:
    if is_linearizable(operations, REGISTER):
        return
    broken = smallest(operations, lambda part, _: is_linearizable(part, REGISTER), "")
    assert not explained(broken.operations, REGISTER, in_time)


# --- sessions -------------------------------------------------------------------------------------


def versions(operations: Sequence[Operation]) -> Iterator[list[Hashable]]:
    """All orders of the values written that keep to real time; the value at first comes first."""
    seen = {o.result for o in operations if o.f == "read" and o.known}
    writes = [o for o in operations if o.f == "write" and (o.known or o.value in seen)]
    for order in permutations(writes):
        if in_time(order):
            yield [None, *(o.value for o in order)]


def sessions(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    for process in {o.process for o in operations}:
        yield [o for o in operations if o.process == process]


def sane(operations: Sequence[Operation]) -> bool:
    """Whether each read gives a value of which the write had begun."""
    begun = {o.value: o.begin for o in operations if o.f == "write"}
    reads = [o for o in operations if o.f == "read" and o.end is not None]
    return all(o.result is None or begun.get(o.result, 99) < (o.end or 0) for o in reads)


def own(session: Sequence[Operation], order: list[Hashable]) -> bool:
    return all(
        order.index(a.value) <= order.index(b.result)
        for a, b in combinations(session, 2)
        if a.f == "write" and a.known and b.f == "read" and b.known
    )


def forward(session: Sequence[Operation], order: list[Hashable]) -> bool:
    reads = [o.result for o in session if o.f == "read" and o.known]
    return all(order.index(a) <= order.index(b) for a, b in combinations(reads, 2))


@pytest.mark.parametrize(("level", "kept"), [("read-your-writes", own), ("monotonic-reads", forward)])
def test_orders_of_versions(level: str, kept: Callable[[Sequence[Operation], list[Hashable]], bool]) -> None:
    @given(registers(once=True, keys=("x",), most=6))
    @settings(max_examples=400, deadline=None)
    def agrees(operations: list[Operation]) -> None:
        expected = sane(operations) and any(
            all(kept(session, order) for session in sessions(operations)) for order in versions(operations)
        )
        assert (GUARANTEES[level](operations) is None) == expected

    agrees()


def seen_in_order(operations: Sequence[Operation], older: Hashable, newer: Hashable) -> bool:
    for session in sessions(operations):
        reads = [o.result for o in session if o.f == "read" and o.known]
        if any(a == newer and b == older for a, b in combinations(reads, 2)):
            return False
    return True


@given(registers(once=True, keys=("x",), most=7))
@settings(max_examples=300, deadline=None)
def test_monotonic_writes(operations: list[Operation]) -> None:
    pairs = [
        (a.value, b.value)
        for session in sessions(operations)
        for a, b in combinations([o for o in session if o.f == "write"], 2)
    ]
    expected = sane(operations) and all(seen_in_order(operations, a, b) for a, b in pairs)
    assert (GUARANTEES["monotonic-writes"](operations) is None) == expected


@given(registers(once=True, keys=("x",), most=7))
@settings(max_examples=300, deadline=None)
def test_writes_follow_reads(operations: list[Operation]) -> None:
    pairs = [
        (a.result, b.value)
        for session in sessions(operations)
        for a, b in combinations(session, 2)
        if a.f == "read" and a.known and a.result is not None and b.f == "write"
    ]
    expected = sane(operations) and all(a == b or seen_in_order(operations, a, b) for a, b in pairs)
    assert (GUARANTEES["writes-follow-reads"](operations) is None) == expected


@given(registers(once=True, most=6))
@settings(max_examples=200, deadline=None)
def test_strong_implies_weak(operations: list[Operation]) -> None:
    answers = {level: check(operations, "kv", level).answer for level in LEVELS}
    if answers["linearizable"] == "consistent":
        assert "inconsistent" not in answers.values()


def test_a_value_that_is_written_twice_cannot_be_told() -> None:
    twice = [Operation(0, "write", "x", 1, 1, 0, 1), Operation(0, "write", "x", 1, 1, 2, 3)]
    with pytest.raises(NotDecidable, match="written twice"):
        GUARANTEES["monotonic-reads"](twice)
    assert check(twice, "kv", "monotonic-reads").answer == "inconclusive"
