"""Differences of values: as deep as they are short, and nothing for equal values."""

from __future__ import annotations

import pytest

from checker.report.changes import Change, brief, changes
from checker.verdict import BagValue, MapValue, RecordValue, SeqValue, SetValue, Value


def entry(term: int, value: str) -> RecordValue:
    return RecordValue("Entry", (("term", term), ("value", value)))


def lines(before: Value, after: Value) -> list[str]:
    return [f"{c.path}: {c.text}" for c in changes(before, after)]


LONG = SetValue(("acceptor0", "acceptor1", "acceptor2"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, 0, [": none → 0"]),
        (False, 0, [": false → 0"]),
        (3, 3, []),
        (SetValue(()), SetValue(("n1",)), [": {} → {n1}"]),
        (LONG, SetValue((*LONG.items[1:], "acceptor3")), [": + acceptor3, - acceptor0"]),
        (BagValue((("m", 2),)), BagValue((("m", 1), ("k", 3))), [": - m, + k x3"]),
        (SeqValue(()), SeqValue((entry(1, "x"),)), [": [] → [Entry(1, x)]"]),
        (
            SeqValue((entry(1, "x"), entry(1, "y"))),
            SeqValue((entry(1, "x"), entry(1, "y"), entry(2, "z"))),
            ["[3]: + Entry(2, z)"],
        ),
        (SeqValue((entry(1, "x"), entry(2, "y"), entry(3, "z"))), SeqValue((entry(1, "x"),)),
         ["[2]: - Entry(2, y)", "[3]: - Entry(3, z)"]),
        (SeqValue((entry(1, "x"), entry(2, "y"), entry(3, "z"))),
         SeqValue((entry(1, "x"), entry(2, "w"), entry(3, "z"))),
         ["[2]: Entry(2, y) → Entry(2, w)"]),
        (MapValue((("n0", 0), ("n1", 0))), MapValue((("n0", 0), ("n1", 1))), ["[n1]: 0 → 1"]),
        (
            MapValue((("n0", 0), ("n1", 0), ("n2", 5))),
            MapValue((("n0", 1), ("n1", 1), ("n2", 4))),
            ["[n0, n1]: 0 → 1", "[n2]: 5 → 4"],
        ),
        (
            MapValue((("n0", MapValue((("n1", 1), ("n2", 1)))),)),
            MapValue((("n0", MapValue((("n1", 1), ("n2", 2)))),)),
            ["[n0][n2]: 1 → 2"],
        ),
        (
            RecordValue("Snapshot", (("last_index", 11), ("last_term", 3), ("done", False))),
            RecordValue("Snapshot", (("last_index", 11), ("last_term", 4), ("done", False))),
            [".last_term: 3 → 4"],
        ),
    ],
)  # fmt: skip
def test_change(before: Value, after: Value, expected: list[str]) -> None:
    assert lines(before, after) == expected


def test_ascii_arrow() -> None:
    assert changes(None, 1, "->") == [Change("", "none -> 1")]


def test_a_map_writes_equal_values_once() -> None:
    assert brief(MapValue((("a0", None), ("a1", 3), ("a2", None)))) == "[a0, a2: none; a1: 3]"
    assert brief(MapValue((("a0", None), ("a1", None), ("a2", None)))) == "[all: none]"
    assert brief(MapValue((("a0", 1), ("a1", 2)))) == "[a0: 1, a1: 2]"


def test_records_of_more_than_two_fields_name_them() -> None:
    assert brief(RecordValue("P", (("x", 1), ("y", None)))) == "P(1, none)"
    assert brief(RecordValue("P", (("x", 1), ("y", 2), ("z", 3)))) == "P(x: 1, y: 2, z: 3)"
    assert brief(RecordValue("Unit", ())) == "Unit"
