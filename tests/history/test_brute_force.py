"""Each answer about small histories is that of a search through all orders, which is too simple to be wrong."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations, permutations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.history.check import LEVELS, check, smallest
from checker.history.linear import is_linearizable
from checker.history.models import MODELS, REGISTER, Object
from checker.history.operations import Operation
from checker.history.sequential import is_sequential
from checker.history.sessions import SESSIONS, NotDecidable

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
            unknown = draw(st.integers(0, 4)) == 0
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


@st.composite
def sets(draw: st.DrawFn) -> list[Operation]:
    found = []
    for process, begin, end in draw(intervals(draw(st.integers(1, 5)))):
        f = draw(st.sampled_from(["add", "add", "read"]))
        value = draw(st.sampled_from([1, 2, 3]))
        result = tuple(sorted(draw(st.sets(st.sampled_from([1, 2, 3]))))) if f == "read" else value
        found.append(Operation(process, f, None, None if f == "read" else value, result, begin, end))
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
    """What was never answered may be done later than what its process asked next."""
    return not any(a.process == b.process and b.known and b.begin < a.begin for a, b in combinations(order, 2))


def explained(operations: Sequence[Operation], of: Object, kept: Callable[[Sequence[Operation]], bool]) -> bool:
    return any(kept(order) and explains(order, of) for order in orders(operations))


def patterns(count: int) -> Iterator[list[tuple[int, int | None]]]:
    """All ways in which operations may overlap: the begin and the end of each, in the order in which they begin."""

    def go_on(events: list[int], begun: int) -> Iterator[list[int]]:
        if begun == count:
            yield events
        for over in range(begun):
            if over + count not in events:
                yield from go_on([*events, over + count], begun)
        if begun < count:
            yield from go_on([*events, begun], begun + 1)

    for events in go_on([], 0):
        yield [(events.index(i), events.index(i + count) if i + count in events else None) for i in range(count)]


KINDS: list[tuple[str, Hashable, Hashable]] = [
    *(("read", None, value) for value in (None, 1, 2)),
    *(("write", value, value) for value in (1, 2)),
    *(("cas", pair, pair) for pair in ((None, 1), (1, 2))),
]


def test_all_histories_of_three_operations() -> None:
    """On one register, by clients that have one operation each, or by two clients."""
    for spans in patterns(3):
        for kinds in product(KINDS, repeat=3):
            for processes in ((0, 1, 2), (0, 1, 0), (0, 0, 1)):
                operations = [
                    Operation(process, f, "x", value, result, begin, end)
                    for process, (f, value, result), (begin, end) in zip(processes, kinds, spans, strict=True)
                ]
                if processes == (0, 1, 2):
                    assert is_linearizable(operations, REGISTER) == explained(operations, REGISTER, in_time)
                else:
                    assert is_sequential(operations, REGISTER) == explained(operations, REGISTER, in_program_order)


@given(registers(keys=("x",)))
@settings(max_examples=400, deadline=None)
def test_linearizable_registers(operations: list[Operation]) -> None:
    assert is_linearizable(operations, REGISTER) == explained(operations, REGISTER, in_time)


@given(registers(once=True, keys=("x",), most=6))
@settings(max_examples=300, deadline=None)
def test_values_that_are_written_once(operations: list[Operation]) -> None:
    assert is_linearizable(operations, REGISTER) == explained(operations, REGISTER, in_time)


def test_an_element_whose_adding_was_never_answered() -> None:
    growing, _ = MODELS["set"]
    unknown = Operation(0, "add", None, 1, 1, 0, None)
    without, having = (Operation(1, "read", None, None, r, b, b + 1) for r, b in (((), 2), ((1,), 4)))
    assert is_linearizable([unknown, without, having], growing)
    assert not is_linearizable([unknown, replace(having, begin=1, end=2), replace(without, begin=3, end=4)], growing)


@given(sets())
@settings(max_examples=400, deadline=None)
def test_linearizable_sets(operations: list[Operation]) -> None:
    growing, _ = MODELS["set"]
    assert is_linearizable(operations, growing) == explained(operations, growing, in_time)


def test_what_was_never_answered_may_be_used_up_too_early() -> None:
    """The same operations done, in the same state: what matters is which of the unknown ones are left."""
    operations = [
        Operation(0, "cas", "x", (1, 2), (1, 2), 0, 7),
        Operation(1, "cas", "x", (1, 3), (1, 3), 1, 4),
        Operation(2, "cas", "x", (None, 1), (None, 1), 2, None),
        Operation(3, "write", "x", 1, 1, 3, None),
    ]
    assert is_linearizable(operations, REGISTER)


def test_a_value_that_only_an_unknown_swap_can_use() -> None:
    operations = [
        Operation(0, "write", "x", 1, 1, 0, 1),
        Operation(1, "write", "x", 9, 9, 2, 9),  # nobody needs it, and it must come after the swap
        Operation(2, "cas", "x", (1, 3), (1, 3), 3, None),
        Operation(3, "read", "x", None, 3, 4, 5),
        Operation(4, "write", "x", 3, 3, 20, None),
    ]
    assert explained(operations, REGISTER, in_time)
    assert is_linearizable(operations, REGISTER)


def test_items_that_are_alike() -> None:
    """The dequeue that began first gets the second one."""
    operations = [
        Operation(0, "enqueue", None, 1, 1, 0, 1),
        Operation(1, "dequeue", None, None, 1, 2, 9),
        Operation(2, "dequeue", None, None, 1, 3, 4),
        Operation(3, "enqueue", None, 1, 1, 5, 6),
    ]
    assert is_linearizable(operations, MODELS["queue"][0])


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
    broken = smallest(operations, REGISTER, lambda part, _: is_linearizable(part, REGISTER), "")
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
        assert (SESSIONS[level](operations)) == expected

    agrees()


Pair = tuple[Operation, Operation]
"""A write, and one that it was put before."""


def missing(operations: Sequence[Operation], pairs: Sequence[Pair]) -> Iterator[tuple[Operation, Operation]]:
    """Reads by those who have seen the later write of a pair on another key, with the earlier one, of the same key."""
    for session in sessions(operations):
        reads = [o for o in session if o.f == "read" and o.known]
        for seen, read in combinations(reads, 2):
            for older, newer in pairs:
                if (seen.key, seen.result) == (newer.key, newer.value) and read.key == older.key != newer.key:
                    yield read, older


def turned_round(operations: Sequence[Operation], pairs: Sequence[Pair]) -> bool:
    """Whether somebody sees the later write of a pair on the same key and then the earlier one."""
    for session in sessions(operations):
        reads = [o for o in session if o.f == "read" and o.known]
        for seen, read in combinations(reads, 2):
            for older, newer in pairs:
                one_key = older.key == newer.key == seen.key == read.key
                if one_key and (seen.result, read.result) == (newer.value, older.value):
                    return True
    return False


def kept_in_order(operations: Sequence[Operation], pairs: Sequence[Pair]) -> bool:
    per_key = {key: [o for o in operations if o.key == key] for key in KEYS}
    if not all(map(sane, per_key.values())) or turned_round(operations, pairs):
        return False
    expected = list(missing(operations, pairs))
    return all(
        any(
            all(order.index(w.value) <= order.index(r.result) for r, w in expected if r.key == key)
            for order in versions(found)
        )
        for key, found in per_key.items()
    )


@given(registers(once=True, most=7))
@settings(max_examples=600, deadline=None)
def test_monotonic_writes(operations: list[Operation]) -> None:
    pairs = [
        (a, b)
        for session in sessions(operations)
        for a, b in combinations([o for o in session if o.f == "write"], 2)
        if a.known
    ]
    assert SESSIONS["monotonic-writes"](operations) == kept_in_order(operations, pairs)


@given(registers(once=True, most=7))
@settings(max_examples=600, deadline=None)
def test_writes_follow_reads(operations: list[Operation]) -> None:
    writers = {(o.key, o.value): o for o in operations if o.f == "write"}
    pairs = [
        (writers[a.key, a.result], b)
        for session in sessions(operations)
        for a, b in combinations(session, 2)
        if a.f == "read" and a.known and (a.key, a.result) in writers and b.f == "write"
    ]
    assert SESSIONS["writes-follow-reads"](operations) == kept_in_order(operations, pairs)


def story(*told: tuple[int, str, str, int | None]) -> list[Operation]:
    """Operations of which each is over before the next one begins."""
    return [
        Operation(process, f, key, None if f == "read" else value, value, 2 * i, 2 * i + 1)
        for i, (process, f, key, value) in enumerate(told)
    ]


def test_an_answer_is_seen_without_its_question() -> None:
    """The example of Terry et al.: who sees the answer to a message does not see the message."""
    answered = story((0, "write", "x", 1), (1, "read", "x", 1), (1, "write", "y", 2), (2, "read", "y", 2))
    lost = [*answered, Operation(2, "read", "x", None, None, 8, 9)]
    assert SESSIONS["writes-follow-reads"](answered)
    assert not SESSIONS["writes-follow-reads"](lost)
    assert SESSIONS["monotonic-writes"](lost)


def test_a_second_write_is_seen_without_the_first() -> None:
    lost = story((0, "write", "x", 1), (0, "write", "y", 2), (1, "read", "y", 2), (1, "read", "x", None))
    assert not SESSIONS["monotonic-writes"](lost)
    assert SESSIONS["writes-follow-reads"](lost)
    assert SESSIONS["monotonic-reads"](lost)


@pytest.mark.parametrize(
    ("told", "broken"),
    [
        # On the key of the write itself, what goes further back is a matter of monotonic reads.
        ([(0, "write", "x", 1), (0, "write", "x", 2), (1, "read", "x", 2), (1, "read", "x", None)], ""),
        ([(0, "write", "x", 1), (0, "write", "x", 2), (1, "read", "x", 2), (1, "read", "x", 1)], "monotonic-writes"),
        # What was written later is not put before.
        ([(0, "write", "y", 1), (0, "write", "x", 2), (1, "read", "y", 1), (1, "read", "x", None)], ""),
        # A swap reads before it writes.
        (
            [(0, "write", "x", 1), (1, "cas", "x", (1, 2)), (2, "read", "x", 2), (2, "read", "x", 1)],
            "writes-follow-reads",
        ),
    ],
)
def test_writes_in_and_out_of_order(told: Any, broken: str) -> None:
    operations = story(*told)
    for level in ("monotonic-writes", "writes-follow-reads"):
        assert SESSIONS[level](operations) == (level != broken)


def test_two_writes_at_once_are_both_put_before_a_third() -> None:
    """Each is the later one for somebody; a client that has seen the third may take either for it, but not both."""
    operations = [
        Operation(0, "write", "x", 1, 1, 0, 2),
        Operation(1, "write", "x", 2, 2, 1, 3),
        Operation(2, "read", "x", None, 1, 4, 5),
        Operation(2, "read", "x", None, 2, 6, 7),
        Operation(2, "write", "y", 3, 3, 8, 9),
        Operation(3, "read", "y", None, 3, 10, 11),
        Operation(3, "read", "x", None, 1, 12, 13),
    ]
    assert SESSIONS["writes-follow-reads"](operations)
    assert not SESSIONS["writes-follow-reads"]([*operations, Operation(3, "read", "x", None, 2, 14, 15)])


@pytest.mark.parametrize("level", ["read-your-writes", "monotonic-writes"])
def test_a_write_that_was_never_answered_may_come_later(level: str) -> None:
    """The client goes on under the same number."""
    operations = [
        Operation(0, "write", "x", 1, 1, 0, None),
        Operation(0, "read", "x", None, None, 2, 3),
        Operation(0, "write", "x", 2, 2, 4, 5),
        Operation(1, "read", "x", None, 2, 6, 7),
        Operation(1, "read", "x", None, 1, 8, 9),
    ]
    assert SESSIONS[level](operations)


def converges(operations: Sequence[Operation]) -> bool | None:
    """None where nobody can tell."""
    asked, agreed = False, True
    for key in KEYS:
        found = [o for o in operations if o.key == key]
        if not sane(found):
            return False
        writes = [o for o in found if o.f == "write"]
        late = [o for o in found if o.f == "read" and o.known and not any(o.begin < (w.end or -1) for w in writes)]
        last = [max((o for o in late if o.process == p), key=lambda o: o.begin) for p in {o.process for o in late}]
        asked = asked or len(last) > 1
        match [*{o.result for o in last}]:
            case [value]:
                begun = {w.value: w for w in writes}
                if any(w.known and (value is None or begun[value].precedes(w)) for w in writes):
                    return False
            case [_, *_]:
                if all(w.known for w in writes):
                    return False
                agreed = False
    return True if asked and agreed else None


@given(registers(once=True, most=7))
@settings(max_examples=400, deadline=None)
def test_eventual_convergence(operations: list[Operation]) -> None:
    answer = check(operations, "kv", "eventual").answer
    assert {"consistent": True, "inconsistent": False, "inconclusive": None}[answer] == converges(operations)


@given(registers(once=True, most=6))
@settings(max_examples=200, deadline=None)
def test_strong_implies_weak(operations: list[Operation]) -> None:
    answers = {level: check(operations, "kv", level).answer for level in LEVELS}
    if answers["linearizable"] == "consistent":
        assert "inconsistent" not in answers.values()


def test_a_value_that_is_written_twice_cannot_be_told() -> None:
    twice = [Operation(0, "write", "x", 1, 1, 0, 1), Operation(0, "write", "x", 1, 1, 2, 3)]
    with pytest.raises(NotDecidable, match="written twice"):
        SESSIONS["monotonic-reads"](twice)
    assert check(twice, "kv", "monotonic-reads").answer == "inconclusive"
