"""Traces: who did what, what each step received and newly sent, under each kind of network; and what is no run."""

from __future__ import annotations

import pytest
from exploring import interpreter_of, result, verdict_of

from checker.explore.interpreter import Interpreter, State
from checker.explore.replay import NotARun, states_from_labels, trace_from_states
from checker.explore.search import Limits, Watch, search
from checker.verdict import BagValue, MapValue, RecordValue, SeqValue, SetValue, Status, Step, Trace, show

PING = """
sort Node
message Ping(n: 0..3) from Node to Node
message Pong(n: 0..3) from Node to Node
network {network}
state started: Bool = false
role Node
    durable got: 0..3 = 0
    on Ping(m)
        require got < m.n
        got := m.n
        send Pong(m.n) to m.from
    on Pong(m)
        got := m.n
        if m.n < 3
            send Ping(m.n + 1) to m.from
            send Ping(m.n + 1) to m.from
action start(a in Node, b in Node)
    require not started and a != b
    started := true
    send Ping(1) from a to b
reachable Done
    exists n in Node: n.got == 3
terminal
    true
instance i
    Node = 2
"""


def told(network: str, most: int = 3) -> tuple[Trace, list[tuple[str, str | None, str | None, list[str]]]]:
    """The run to `Done`: the trace, and for each step its action, node, message received and messages sent."""
    text = PING.replace("{network}", network).replace("n.got == 3", f"n.got == {most}")
    trace = result(verdict_of(text), "Done").trace
    assert trace is not None
    return trace, [(s.action, s.node, s.received and show(s.received), [show(m) for m in s.sent]) for s in trace.steps]


EXPECTED = [
    ("start", None, None, ["Ping(1, n0, n1)"]),
    ("Node.on Ping", "n1", "Ping(1, n0, n1)", ["Pong(1, n1, n0)"]),
    ("Node.on Pong", "n0", "Pong(1, n1, n0)", ["Ping(2, n0, n1)"]),
    ("Node.on Ping", "n1", "Ping(2, n0, n1)", ["Pong(2, n1, n0)"]),
    ("Node.on Pong", "n0", "Pong(2, n1, n0)", ["Ping(3, n0, n1)"]),
    ("Node.on Ping", "n1", "Ping(3, n0, n1)", ["Pong(3, n1, n0)"]),
]


def test_a_message_of_the_growing_set_is_sent_once_only() -> None:
    trace, steps = told("lossy, duplicating, reordering")
    assert steps == EXPECTED
    [network] = [i for i, v in enumerate(trace.variables) if v.name == "sent Ping"]
    last = trace.states[-1][network]
    assert isinstance(last, SetValue) and len(last.items) == 3
    assert trace.variables[network].network


def test_in_a_bag_each_copy_is_sent_and_taken_on_its_own() -> None:
    trace, steps = told("reordering")
    doubled = [(a, n, r, s * 2 if a == "Node.on Pong" else s) for a, n, r, s in EXPECTED]
    assert steps == doubled
    [network] = [i for i, v in enumerate(trace.variables) if v.name == "flying Ping"]
    assert trace.states[3][network] == BagValue(((ping(2), 2),))
    assert trace.states[4][network] == BagValue(((ping(2), 1),))


def ping(n: int) -> RecordValue:
    return RecordValue("Ping", (("n", n), ("from", "n0"), ("to", "n1")))


def test_in_queues_messages_keep_their_order_and_the_head_goes_first() -> None:
    # The second copy of Ping(2) stays at the head, where the handler refuses it: Ping(3) is never received.
    assert result(verdict_of(PING.replace("{network}", "fifo")), "Done").status is Status.UNREACHED
    trace, steps = told("fifo", most=2)
    assert steps == [(a, n, r, s * 2 if a == "Node.on Pong" else s) for a, n, r, s in EXPECTED[:4]]
    queue = next(i for i, v in enumerate(trace.variables) if v.network)
    rows = trace.states[3][queue]
    assert isinstance(rows, MapValue)
    row = dict(rows.entries)["n0"]
    assert isinstance(row, MapValue)
    assert dict(row.entries)["n1"] == SeqValue((ping(2), ping(2)))


def test_a_step_names_its_choices_but_not_its_node_and_message_twice() -> None:
    text = """
        sort Node
        message Hello from Node to Node
        network reordering
        role Node
            volatile mood: 0..9 = 0
            durable log: 0..9 = 0
            on Hello(m)
                pick i in 1..2
                mood := i
            action greet(n in Node)
                require n != self and log == 0
                log := 1
                send Hello to n
        timeout late
            skip
        reachable R
            exists n in Node: n.mood == 2
        instance i
            Node = 2
            crashes <= 1
            timeouts <= 1
        """
    trace = result(verdict_of(text), "R").trace
    assert trace is not None
    greet, hello = trace.steps
    assert (greet.kind, greet.node, greet.arguments) == ("action", "n0", (("n", "n1"),))
    assert (hello.kind, hello.node, hello.arguments) == ("on", "n1", (("i", 2),))
    assert greet.place is not None and greet.place.text.strip() == "action greet(n in Node)"
    names = [variable.full_name for variable in trace.variables]
    assert "crashes" not in names and "timeouts" not in names
    assert {"Node.mood", "Node.log"} <= set(names)


def test_a_crash_and_a_loss_are_steps_of_their_own_kind() -> None:
    text = PING.replace("{network}", "lossy, reordering").replace("durable got", "volatile got")
    interpreter = interpreter_of(text + "    crashes <= 1\n")
    kinds = {action.qualified: action.kind for action in interpreter.spec.actions}
    assert kinds["Node.crash"] == "crash" and kinds["lose Ping"] == "lose"
    watches = [
        Watch(on_step=lambda a, b: last_step(interpreter, a, b).kind == "lose"),
        Watch(on_step=lambda a, b: last_step(interpreter, a, b).kind == "crash"),
    ]
    found = search(interpreter, len(interpreter.spec.actions), watches, Limits(deadlock=False, depth=4)).found
    lose, crash = (trace_from_states(interpreter, f.run).steps[-1] for f in sorted(found, key=lambda f: f.subject))
    assert (lose.kind, lose.node, lose.received and lose.received.name, lose.sent) == ("lose", None, "Ping", ())
    assert (crash.kind, crash.received, crash.sent) == ("crash", None, ())
    assert crash.node in ("n0", "n1")


def last_step(interpreter: Interpreter, before: State, after: State) -> Step:
    return trace_from_states(interpreter, (before, after), from_anywhere=True).steps[0]


TOKEN = """
order Place
state at: Place = any
action move(p in Place)
    require at != p
    at := p
instance i
    Place = 3
"""


def test_labels_and_states_tell_the_same_run() -> None:
    interpreter = interpreter_of(TOKEN)
    states = states_from_labels(interpreter, (1, 0), [(0, (2,)), (0, (0,))])
    assert states == ((1, 0), (2, 0), (0, 0))
    trace = trace_from_states(interpreter, states)
    assert [step.arguments for step in trace.steps] == [(("p", 2),), (("p", 0),)]
    assert [state for (state,) in trace.states] == [1, 2, 0]
    assert trace.variables[0].arbitrary


@pytest.mark.parametrize("labels", [[(0, (1,))], [(0, (2,)), (0, (2,))], [(0, ())]])
def test_labels_that_cannot_be_taken_are_no_run(labels: list[tuple[int, tuple[int, ...]]]) -> None:
    with pytest.raises(NotARun):
        states_from_labels(interpreter_of(TOKEN), (1, 0), labels)


@pytest.mark.parametrize("states", [[(3, 0)], [(0, 0), (0, 0)], [(0, 0), (1, 0), (1, 0)]])
def test_states_without_steps_between_them_are_no_run(states: list[State]) -> None:
    with pytest.raises(NotARun):
        trace_from_states(interpreter_of(TOKEN), states)
