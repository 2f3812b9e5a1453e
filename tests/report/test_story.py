"""Stories of traces: golden texts of whole ones, and single features on small ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from report_examples import disagreement, holding, violated, violated_as_expected

from checker.report.look import Look
from checker.report.story import View, event, story
from checker.report.text import report
from checker.verdict import MapValue, RecordValue, SetValue, Step, Trace, Value, Variable

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("width", [60, 100, 140])
def test_paxos_violated(golden: Golden, width: int) -> None:
    text = report(violated(), Look(width))
    assert max(map(len, text.split("\n"))) <= width
    golden(f"paxos_violated_{width}", text)


def test_paxos_violated_in_full(golden: Golden) -> None:
    golden("paxos_violated_full", report(violated(), Look(100), View(full=True)))


def test_paxos_violated_as_expected(golden: Golden) -> None:
    golden("paxos_expected", report(violated_as_expected(), Look(100)))


def test_paxos_holding(golden: Golden) -> None:
    golden("paxos_holding", report(holding(), Look(100)))
    golden("paxos_witness", report(holding(), Look(100), witness=frozenset({"SomethingIsChosen"})))


def test_colour_changes_nothing_but_colour() -> None:
    import re

    plain, colored = report(violated(), Look(100)), report(violated(), Look(100, color=True))
    assert colored != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_ascii_only_where_the_output_has_no_more() -> None:
    text = report(violated(), Look(100, unicode=False))
    assert text.isascii()
    assert "promised: none -> 0" in text


# --- single features --------------------------------------------------------------------------------


def tiny(*states: tuple[Value, ...], variables: tuple[Variable, ...], steps: tuple[Step, ...]) -> Trace:
    return Trace(variables, states, steps)


def rows(trace: Trace, view: View | None = None, mentioned: str = "") -> list[str]:
    return [" ".join(line.split()) for line in story(trace, Look(120), view, mentioned).split("\n")]


def nodes(*values: Value) -> MapValue:
    return MapValue(tuple((f"n{i}", v) for i, v in enumerate(values)))


def test_own_fields_go_without_the_node_and_others_with_it() -> None:
    trace = tiny(
        (nodes(0, 0, 0),), (nodes(1, 0, 0),), (nodes(1, 5, 5),), (nodes(1, 5, 6),),
        variables=(Variable("Node.term", "Node"),),
        steps=(Step("tick", "action", node="n0"), Step("reset", "action"), Step("fix", "action", node="n0")),
    )  # fmt: skip
    assert rows(trace) == [
        "0 start",
        "1 n0 tick term: 0 → 1",
        "2 reset term of n1, n2: 0 → 5",
        "3 n0 fix n2.term: 5 → 6",
    ]


def test_open_initial_values_and_constants_are_told_at_the_start() -> None:
    trace = Trace((Variable("turn", arbitrary=True), Variable("done")), (("p1", False),), (), (("N", 3),))
    assert rows(trace) == ["0 start N = 3; turn = p1"]


def test_ghosts_are_hidden_unless_the_property_speaks_of_them() -> None:
    trace = tiny((0,), (1,), variables=(Variable("history", ghost=True),), steps=(Step("go", "action"),))
    assert rows(trace) == ["0 start", "1 go"]
    assert rows(trace, mentioned="size(history) < 1") == ["0 start", "1 go history: 0 → 1"]
    assert rows(trace, mentioned="prehistory") == ["0 start", "1 go"]


def test_only_and_hide() -> None:
    trace = disagreement()
    only = story(trace, Look(120), View(only=frozenset({"voted"})))
    assert "voted:" in only and "promised:" not in only
    hidden = story(trace, Look(120), View(hide=frozenset({"Acceptor.voted"})))
    assert "voted:" not in hidden and "promised:" in hidden


def test_copies_of_a_message_are_one_phrase() -> None:
    def request(to: str) -> RecordValue:
        return RecordValue("RequestVote", (("term", 1), ("from", "n0"), ("to", to)))

    trace = tiny(
        (), (), variables=(),
        steps=(Step("start_election", "timeout", node="n0", sent=(request("n1"), request("n2"))),),
    )  # fmt: skip
    assert rows(trace)[1] == "1 n0 timeout start_election sends RequestVote(term: 1) to n1, n2"


def test_events() -> None:
    vote = RecordValue("Vote", (("term", 2), ("from", "n1"), ("to", "n0")))
    assert event(Step("Server.on Vote", "on", node="n0", received=vote)) == "n0 on Vote(term: 2) from n1"
    picked = Step("Server.on Vote", "on", (("v", "x1"),), node="n0", received=vote)
    assert event(picked) == "n0 on Vote(term: 2) from n1 with v = x1"
    assert event(Step("Server.crash", "crash", node="n2")) == "n2 crashes and restarts"
    assert event(Step("lose Vote", "lose", received=vote)) == "Vote(term: 2) from n1 to n0 is lost"
    assert (
        event(Step("partition", "partition", (("side", SetValue(("n0", "n1"))),))) == "partition: n0, n1 | all others"
    )
    assert event(Step("heal", "heal")) == "the partition heals"
    assert event(Step("Server.cut Disk", "partition", (("to", "d0"),), node="n2")) == "n2 no longer reaches d0"
    assert event(Step("Server.mend Disk", "heal", (("to", "d0"),), node="n2")) == "n2 reaches d0 again"
    lead = Step("lead", "action", (("q", SetValue(("n0", "n1"))),), node="n0")
    assert event(lead) == "n0 lead(q: {n0, n1})"


def test_long_runs_without_effect_are_counted_in_one_line() -> None:
    steps = (*(Step("spin", "action"),) * 4, Step("go", "action"), Step("spin", "action"))
    states: tuple[tuple[Value, ...], ...] = (*((0,),) * 5, (1,), (1,))
    trace = Trace((Variable("x"),), states, steps)
    assert rows(trace) == [
        "0 start",
        "1..4 4 steps without visible effect: spin x4",
        "5 go x: 0 → 1",
        "6 spin",
    ]
    assert len([r for r in rows(trace, View(full=True)) if r.endswith("spin")]) == 5
