"""Where messages go in the space-time diagram, whose lane a step is on, and that the parts of an arrow meet."""

from __future__ import annotations

from itertools import pairwise

from report_examples import disagreement

from checker.report.diagram import COLORS, CROWD, NOWHERE, actors, diagram, journeys
from checker.verdict import BagValue, Clause, MapValue, RecordValue, SetValue, Step, Trace, Value, Variable


def message(number: int, sender: str, to: str | None = None, name: str = "Ping") -> RecordValue:
    ends = (("from", sender),) if to is None else (("from", sender), ("to", to))
    return RecordValue(name, (("number", number), *ends))


def sends(node: str, *sent: RecordValue) -> Step:
    return Step("Node.send", "action", (), node, None, sent)


def receives(node: str, received: RecordValue, *sent: RecordValue) -> Step:
    return Step("Node.on Ping", "on", (), node, received, sent)


def loses(lost: RecordValue) -> Step:
    return Step("lose Ping", "lose", (), None, lost)


def trace(*steps: Step, network: Value = SetValue(()), nodes: int = 3) -> Trace:  # noqa: B008 (it is frozen)
    state = (MapValue(tuple((f"n{i}", 0) for i in range(nodes))), network)
    return Trace((Variable("Node.x", "Node"), Variable("net", network=True)), (state,) * (len(steps) + 1), steps)


def ways(run: Trace, handled: frozenset[str] | None = None) -> list[tuple[int, str, int, str | None, str]]:
    return [(w.sent, w.source, w.ended, w.target, w.fate) for w in journeys(run, actors(run), handled)]


def test_a_message_goes_from_its_sender_to_its_receiver() -> None:
    m = message(1, "n0", "n1")
    assert ways(trace(sends("n0", m), receives("n1", m))) == [(1, "n0", 2, "n1", "received")]


def test_a_second_receipt_of_one_message_is_a_duplicate() -> None:
    m = message(1, "n0", "n1")
    run = trace(sends("n0", m), receives("n1", m), receives("n1", m))
    assert [w[-1] for w in ways(run)] == ["received", "again"]


def test_two_sendings_of_one_message_are_two_messages() -> None:
    m = message(1, "n0", "n1")
    run = trace(sends("n0", m), sends("n0", m), receives("n1", m), receives("n1", m))
    assert ways(run) == [(1, "n0", 3, "n1", "received"), (2, "n0", 4, "n1", "received")]


def test_each_node_receives_a_broadcast_once() -> None:
    m = message(1, "n0")
    run = trace(sends("n0", m), receives("n1", m), receives("n2", m), receives("n1", m))
    assert [(w[3], w[4]) for w in ways(run)] == [("n1", "received"), ("n2", "received"), ("n1", "again")]


def test_lost_and_never_received() -> None:
    first, second = message(1, "n0", "n1"), message(2, "n0", "n2")
    run = trace(sends("n0", first, second), loses(first))
    assert ways(run) == [(1, "n0", 2, "n1", "lost"), (1, "n0", 1, "n2", "waiting")]


def test_a_message_lost_after_it_was_copied_is_no_longer_waiting() -> None:
    m = message(1, "n0", "n1")
    run = trace(sends("n0", m), receives("n1", m), loses(m))
    assert [w[-1] for w in ways(run)] == ["received", "lost"]


def test_what_no_step_receives_is_there_to_be_looked_at() -> None:
    run = trace(sends("n0", message(1, "n0", name="Vote")))
    assert ways(run, frozenset({"Ping"}))[0][-1] == "open"
    assert ways(run, frozenset({"Vote"}))[0][-1] == "waiting"


def test_messages_that_are_there_from_the_start() -> None:
    m = message(1, "n2", "n0")
    run = trace(receives("n0", m), network=BagValue(((m, 1),)))
    assert ways(run) == [(0, "n2", 1, "n0", "received")]
    assert ways(trace(receives("n0", m))) == ways(run)  # and so where the trace shows no network


def test_steps_without_a_node_are_on_the_lane_of_the_sender() -> None:
    m = message(1, "n1", "n0")
    run = trace(Step("ask", "action", (("n", "n2"),), None, None, (m,)), Step("tick", "action", (("k", 7),)))
    assert actors(run) == ("n1", NOWHERE)
    assert actors(trace(Step("wake", "action", (("n", "n2"),)))) == ("n2",)


def test_processes_of_a_spec_without_roles_have_lanes() -> None:
    level = MapValue(((1, 0), (2, 0)))
    steps = (Step("climb", "action", (("p", 1),)), Step("look", "action", (("p", 2), ("q", 1))))
    run = Trace((Variable("level"), Variable("turn")), ((level, 1),) * 3, steps)
    drawn = diagram(run, (Clause("...", (("p", 1), ("q", 2))),))
    assert [(lane.name, lane.role) for lane in drawn.lanes] == [("1", "p"), ("2", "p")]
    assert [mark.note for mark in drawn.slices[-1].marks if mark.kind == "witness"] == ["p", "q"]


def test_without_nodes_there_is_one_lane() -> None:
    run = Trace((Variable("x"),), ((0,), (1,)), (Step("tick", "action"),))
    assert [lane.name for lane in diagram(run).lanes] == [NOWHERE]


def test_nodes_to_which_nothing_happens_are_left_out_of_a_crowd() -> None:
    few = diagram(trace(sends("n0"), nodes=CROWD))
    assert [lane.quiet for lane in few.lanes] == [False] + [True] * (CROWD - 1)
    many = diagram(trace(sends("n0"), nodes=CROWD + 1), (Clause("...", (("m", "n4"),)),))
    assert [lane.name for lane in many.lanes] == ["n0", "n4"]
    assert len(many.undrawn) == CROWD - 1


def test_the_parts_of_an_arrow_meet_and_end_at_their_nodes() -> None:
    m = message(1, "n0", "n2")
    drawn = diagram(trace(sends("n0", m), sends("n1"), sends("n1"), receives("n2", m)))
    parts = [s for row in drawn.slices for s in row.strands]
    assert len(parts) == 4
    assert parts[0].x1 == drawn.lanes[0].x and parts[-1].x2 == drawn.lanes[2].x
    assert all(a.x2 == b.x1 for a, b in pairwise(parts))
    assert [s.head for s in parts] == [False, False, False, True]


def test_a_message_to_oneself_leaves_the_lane() -> None:
    m = message(1, "n1", "n1")
    first, second = [s for row in diagram(trace(sends("n1", m), receives("n1", m))).slices for s in row.strands]
    assert first.x1 == second.x2
    assert first.x2 == second.x1 > first.x1


def test_a_crash_interrupts_its_lane() -> None:
    drawn = diagram(trace(Step("Node.crash", "crash", (), "n1")))
    assert drawn.slices[1].broken == {drawn.lanes[1].x}


def test_colours_are_used_again() -> None:
    run = trace(*(sends("n0", message(i, "n0", "n1", f"Kind{i}")) for i in range(COLORS + 1)))
    assert [color for _, color in diagram(run).colors] == [*range(COLORS), 0]


def test_the_run_of_paxos() -> None:
    drawn = diagram(disagreement(), (), frozenset({"Prepare", "Accept"}))
    assert [lane.name for lane in drawn.lanes] == [NOWHERE, "a0", "a1", "a2"]
    assert set(drawn.fates) == {"received", "open"}
