"""The clauses of a violated property are told with the names that decide them, and the facts behind them."""

from __future__ import annotations

import pytest
from exploring import result, verdict_of

from checker.verdict import Clause, RecordValue, SetValue, Status, show

Told = tuple[str, dict[str, str], list["Told"]]


def told(clause: Clause) -> Told:
    return clause.text, {name: show(value) for name, value in clause.witnesses}, [told(part) for part in clause.because]


def why(text: str, name: str = "I") -> list[Told]:
    found = result(verdict_of(text), name)
    assert found.status in (Status.VIOLATED, Status.REACHED)
    return [told(clause) for clause in found.clauses]


VOTES = """
sort Voter
sort Value
quorum Quorum of Voter
message Voted(round: 0..1, value: Value) from Voter
network lossy, duplicating, reordering
role Voter
    durable round: 0..2 = 0
    action vote(v in Value)
        require round < 2
        send Voted(round, v)
        round := round + 1
define chosen_in(r in 0..1, v in Value) = exists q in Quorum: forall a in q: sent Voted(r, v) from a
define chosen(v in Value) = exists r in 0..1: chosen_in(r, v)
terminal
    true
instance i
    Voter = 3
    Value = 2
"""


def test_agreement_is_told_as_a_person_would() -> None:
    text = VOTES + "invariant I\n    forall v, w in Value: chosen(v) and chosen(w) => v == w\n"
    [(clause, names, because)] = why(text)
    assert clause == "forall v, w in Value: chosen(v) and chosen(w) => v == w"
    assert names == {"v": "v0", "w": "v1"} or names == {"v": "va0", "w": "va1"}
    first, second = names.values()
    assert because == [
        (f"chosen({first})", {"r": "0", "q": because[0][1]["q"]}, []),
        (f"chosen({second})", {"r": "1", "q": because[1][1]["q"]}, []),
    ]


def test_a_witness_of_a_reachable_is_told_too() -> None:
    text = VOTES + "reachable R\n    exists v in Value: chosen(v)\n"
    [(clause, names, because)] = why(text, "R")
    assert clause == "exists v in Value: chosen(v)"
    assert because == [(f"chosen({names['v']})", {"r": "0", "q": because[0][1]["q"]}, [])]


def test_only_the_first_clause_that_fails_is_told_with_its_own_place() -> None:
    text = "state x: 0..3 = 0\naction a\n    x := 2\ninvariant I\n    x < 3\n    x < 2\n    x < 1\n"
    found = result(verdict_of(text), "I")
    [clause] = found.clauses
    assert clause.text == "x < 2"
    assert clause.place is not None and clause.place.text.strip() == "x < 2"


STATE = """
state x: 0..3 = 2
state y: 0..3 = 0
state s: Set[0..3] = {}
define small = x < 2
define below(a in 0..9, b in 0..9) = a < b
define above(a in 0..9) = exists i in 0..9: i < a and i > x
action a
    y := x
"""


@pytest.mark.parametrize(
    ("clause", "names", "because"),
    [
        ("x < 2", {}, [("x >= 2", {"x": "2"}, [])]),
        ("x != 2", {}, [("x == 2", {"x": "2"}, [])]),
        ("x == y", {}, [("x != y", {"x": "2", "y": "0"}, [])]),
        ("x <= 1 or y > 0", {}, [("x > 1", {"x": "2"}, []), ("y <= 0", {"y": "0"}, [])]),
        ("y == 0 and x < 2", {}, [("x >= 2", {"x": "2"}, [])]),
        ("forall i in 0..3: i == x => i < 2", {"i": "2"}, []),
        ("forall i in 0..3 where i > y: i < x", {"i": "2"}, [("2 > y", {"y": "0"}, []), ("2 >= x", {"x": "2"}, [])]),
        ("not exists i in 0..3: i > y and i == x", {"i": "2"}, [("2 > y", {"y": "0"}, [])]),
        ("forall i in 0..3: forall j in 0..3: j <= i or j > x", {"i": "0", "j": "1"}, [("1 <= x", {"x": "2"}, [])]),
        ("x == 2 => y == x", {}, [("y != x", {"y": "0", "x": "2"}, [])]),
        ("if y == 0 then x < 1 else x < 2", {}, [("x >= 1", {"x": "2"}, [])]),
        ("small", {}, [("x >= 2", {"x": "2"}, [])]),
        ("below(x, 2)", {}, [("not below(x, 2)", {"x": "2"}, [])]),
        ("not above(x + 2)", {}, [("above(x + 2)", {"x + 2": "4", "i": "3"}, [("3 > x", {"x": "2"}, [])])]),
        ("x in s", {}, [("x not in s", {"x": "2", "s": "{}"}, [])]),
    ],
)
def test_what_makes_a_clause_false(clause: str, names: dict[str, str], because: list[Told]) -> None:
    assert why(f"{STATE}invariant I\n    {clause}\n") == [(clause, names, because)]


def test_a_message_that_fits_a_pattern_is_shown() -> None:
    text = VOTES + "invariant I\n    forall a in Voter: not sent Voted(_, _) from a\n"
    found = result(verdict_of(text), "I")
    [clause] = found.clauses
    [fact] = clause.because
    assert fact.text.startswith("sent Voted(_, _) from ")
    [(name, message)] = fact.witnesses
    assert name == "message" and isinstance(message, RecordValue) and message.name == "Voted"


def test_a_quorum_is_shown_as_its_members() -> None:
    text = VOTES + "invariant I\n    forall q in Quorum: exists a in q: not sent Voted(0, _) from a\n"
    [clause] = result(verdict_of(text), "I").clauses
    [(name, members)] = clause.witnesses
    assert name == "q" and isinstance(members, SetValue) and len(members.items) == 2


def test_a_step_property_is_told_of_both_states() -> None:
    text = "state x: 0..3 = 0\naction a\n    x := 3 - x\nstep S\n    old(x) <= x\n"
    assert why(text, "S") == [("old(x) <= x", {}, [("old(x) > x", {"old(x)": "3", "x": "0"}, [])])]


def test_a_long_formula_keeps_the_users_words() -> None:
    text = """
state x: 0..3 = 0
action a
    x := 2
invariant I
    forall i in 0..3:
        (i == x
            => i < 2)
"""
    assert why(text) == [("forall i in 0..3: (i == x => i < 2)", {"i": "2"}, [])]
