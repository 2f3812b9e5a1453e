"""Messages as state: what each kind of network makes of sending, receiving, losing and remembering."""

from __future__ import annotations

from typing import Literal

import pytest
from typed import action, body, shown, spec, variable

from checker.explore.check import check
from checker.explore.engines import engine
from checker.explore.problem import Options
from checker.language import ir
from checker.language.types import show

TEXT = """
spec Network
sort Node
sort Client
message Ping(count: 0..3) from Node to Node
message Pong(count: 0..3) from Node to Node
message Ask from Client to Node
message Note(count: 0..3) from Node
message Told from Node to Client
network {network}
role Node
    durable peers: Set[Node] = {}
    durable count: 0..3 = 0
    on Ping(m)
        require m.count > count
        count := m.count
        send Pong(count) to m.from
        send Ping(count) to each p in peers where p != self
        send Note(count)
        send Told to each c in Client
    on Pong
        skip
    on Ask(a)
        send Ping(1) to each n in Node
action start(n in Node, c in Client)
    send Ask from c to n
    send Ping(2) from n to each p in Node where not sent Ping(2) to p
invariant Known
    forall n in Node: sent Note(_) from n => sent Ping to n
"""


def network(flags: str, *, as_set: bool = False) -> ir.Spec:
    return spec(TEXT.replace("{network}", flags), "set" if as_set else "declared")


def state(of: ir.Spec) -> dict[str, str]:
    return {v.name: show(v.type) for v in of.variables if v.kind == "network"}


def parameters(of: ir.Spec, name: str) -> list[str]:
    found = action(of, name).parameters
    return [f"{p.name} in {show(p.type) if p.domain is None else shown(p.domain)}" for p in found]


# --- lossy, duplicating, reordering: what was sent -----------------------------------------------------

SET = "lossy, duplicating, reordering"


def test_the_growing_set() -> None:
    of = network(SET)
    assert of.network is not None and (of.network.kind, of.network.lossy) == ("set", True)
    assert state(of) == {f"sent {m}": f"Set[{m}]" for m in ("Ping", "Pong", "Ask", "Note", "Told")}
    assert [a.qualified for a in of.actions] == ["Node.on Ping", "Node.on Pong", "Node.on Ask", "start"]
    assert parameters(of, "Node.on Ping") == ["self in Node", "m in sent Ping"]
    assert parameters(of, "Node.on Pong") == ["self in Node", "m in sent Pong"]
    assert body(of, "Node.on Ping") == [
        "require (m.to == self)",
        "require (m.count > Node.count[self])",
        "Node.count := Node.count[self := m.count]",
        "sent Pong := (sent Pong union {Pong(Node.count[self], self, m.from)})",
        "sent Ping := (sent Ping union {Ping(Node.count[self], self, p) for p in Node.peers[self] where (p != self)})",
        "sent Note := (sent Note union {Note(Node.count[self], self)})",
        "sent Told := (sent Told union {Told(self, c) for c in Client})",
    ]
    assert body(of, "start") == [
        "sent Ask := (sent Ask union {Ask(c, n)})",
        "sent Ping := (sent Ping union {Ping(2, n, p) for p in Node where Not(match sent Ping (2, _, p))})",
    ]


@pytest.mark.parametrize("flags", ["fifo", "lossy, reordering", "duplicating, reordering"])
def test_every_network_can_be_taken_as_the_growing_set(flags: str) -> None:
    assert network(flags, as_set=True) == network(SET, as_set=True) or "lossy" not in flags
    of = network(flags, as_set=True)
    assert of.actions == network(SET).actions and of.variables == network(SET).variables


def test_messages_without_a_receiver_are_for_anyone() -> None:
    of = spec("""
spec Anyone
sort Node
message Ping from Node
network lossy, duplicating, reordering
role Node
    durable heard: Bool = false
    on Ping
        heard := true
        send Ping
""")
    assert body(of, "Node.on Ping") == [
        "Node.heard := Node.heard[self := true]",
        "sent Ping := (sent Ping union {Ping(self)})",
    ]


# --- reordering: a bag ------------------------------------------------------------------------------


def test_the_bag() -> None:
    of = network("reordering")
    assert state(of) == {
        "sent Ping": "Set[Ping]",
        "flying Ping": "Bag[Ping]",
        "flying Pong": "Bag[Pong]",
        "flying Ask": "Bag[Ask]",
        "sent Note": "Set[Note]",
    }
    assert shown(variable(of, "flying Ping").initial or pytest.fail()) == "Empty()"
    assert parameters(of, "Node.on Ping") == ["self in Node", "m in BagItems(flying Ping)"]
    assert body(of, "Node.on Ping") == [
        "require (m.to == self)",
        "flying Ping := BagWithout(flying Ping, m)",
        "require (m.count > Node.count[self])",
        "Node.count := Node.count[self := m.count]",
        "flying Pong := BagWith(flying Pong, Pong(Node.count[self], self, m.from))",
        "flying Ping := BagWithAll(flying Ping, "
        "{Ping(Node.count[self], self, p) for p in Node.peers[self] where (p != self)})",
        "sent Ping := (sent Ping union {Ping(Node.count[self], self, p) for p in Node.peers[self] where (p != self)})",
        "sent Note := (sent Note union {Note(Node.count[self], self)})",
    ]
    assert "lose Ping" not in [a.qualified for a in of.actions]


def test_what_is_sent_may_depend_on_what_was_sent_before() -> None:
    """The message is delivered before it is remembered, so that both speak of the same history."""
    delivered, remembered = body(network("reordering"), "start")[1:]
    assert delivered.startswith("flying Ping := BagWithAll(") and "match sent Ping (2, _, p)" in delivered
    assert remembered.startswith("sent Ping := (sent Ping union") and "match sent Ping (2, _, p)" in remembered


def test_loss_from_the_bag() -> None:
    of = network("lossy, reordering")
    assert [a.qualified for a in of.actions if a.kind == "lose"] == ["lose Ping", "lose Pong", "lose Ask"]
    assert parameters(of, "lose Ask") == ["m in BagItems(flying Ask)"]
    assert body(of, "lose Ask") == ["flying Ask := BagWithout(flying Ask, m)"]
    assert action(of, "lose Ask").message == "Ask"


# --- fifo: a queue for each pair --------------------------------------------------------------------


def test_queues() -> None:
    of = network("fifo")
    assert state(of) == {
        "sent Ping": "Set[Ping]",
        "channels Node Node": "Map[Node, Map[Node, Queue[Ping, Pong]]]",
        "channels Client Node": "Map[Client, Map[Node, Queue[Ask]]]",
        "sent Note": "Set[Note]",
    }
    initial = variable(of, "channels Client Node").initial
    assert initial is not None and shown(initial) == "[sender in Client -> [receiver in Node -> Empty()]]"
    assert parameters(of, "Node.on Pong") == ["self in Node", "m in Heads(channels Node Node, Pong, self)"]
    queues = "channels Node Node"
    assert body(of, "Node.on Ping") == [
        f"{queues} := {queues}[m.from := {queues}[m.from][self := Dequeue({queues}[m.from][self])]]",
        "require (m.count > Node.count[self])",
        "Node.count := Node.count[self := m.count]",
        f"{queues} := {queues}[self := {queues}[self][m.from := "
        f"Enqueue({queues}[self][m.from], Pong(Node.count[self], self, m.from))]]",
        f"{queues} := {queues}[self := [p in Node -> (if ((p in Node.peers[self]) and (p != self)) "
        f"then Enqueue({queues}[self][p], Ping(Node.count[self], self, p)) else {queues}[self][p])]]",
        "sent Ping := (sent Ping union {Ping(Node.count[self], self, p) for p in Node.peers[self] where (p != self)})",
        "sent Note := (sent Note union {Note(Node.count[self], self)})",
    ]
    assert body(of, "Node.on Ask")[1] == (
        f"{queues} := {queues}[self := [n in Node -> Enqueue({queues}[self][n], Ping(1, self, n))]]"
    )


def test_loss_from_a_queue() -> None:
    of = network("lossy, fifo")
    queues = "channels Client Node"
    assert parameters(of, "lose Ask") == ["to in Node", f"m in Heads({queues}, Ask, to)"]
    assert body(of, "lose Ask") == [
        f"{queues} := {queues}[m.from := {queues}[m.from][to := Dequeue({queues}[m.from][to])]]"
    ]


def test_a_crash_breaks_the_queues_to_and_from_the_node() -> None:
    of = spec(TEXT.replace("{network}", "fifo, breaking").replace("durable count", "volatile count"))
    assert body(of, "Node.crash") == [
        "Node.count := Node.count[self := 0]",
        "channels Node Node := [sender in Node -> [receiver in Node -> (if ((sender == self) or (receiver == self)) "
        "then Empty() else channels Node Node[sender][receiver])]]",
        "channels Client Node := [sender in Client -> [receiver in Node -> (if (receiver == self) "
        "then Empty() else channels Client Node[sender][receiver])]]",
    ]
    as_set = spec(TEXT.replace("{network}", "fifo, breaking").replace("durable count", "volatile count"), "set")
    assert body(as_set, "Node.crash") == ["Node.count := Node.count[self := 0]"]


# --- what they do -----------------------------------------------------------------------------------

TALK = """
spec Talk
sort Node
message Word(number: 1..2) from Node to Node
network {network}
role Node
    durable heard: Seq[0..2, 1..2] = []
    durable spoken: Bool = false
    action speak
        require not spoken
        spoken := true
        send Word(1) to each n in Node where n != self
        send Word(2) to each n in Node where n != self
    on Word(w)
        require length(heard) < 2
        heard := append(heard, w.number)
invariant InOrder
    forall n in Node: n.heard == [] or n.heard[1] == 1
invariant Once
    forall n in Node: length(n.heard) < 2 or n.heard[1] != n.heard[2]
reachable All
    forall n in Node: length(n.heard) == 2
reachable OnlyTwo
    exists n in Node: length(n.heard) == 1 and n.heard[1] == 2
instance two
    Node = 2
    check {check}
    allow deadlock
"""


@pytest.mark.parametrize(
    ("flags", "true"),
    [
        ("lossy, duplicating, reordering", {"All", "OnlyTwo"}),
        ("reordering", {"Once", "All", "OnlyTwo"}),
        ("lossy, reordering", {"Once", "All", "OnlyTwo"}),
        ("fifo", {"InOrder", "Once", "All"}),
        ("lossy, fifo", {"Once", "All", "OnlyTwo"}),
    ],
)
def test_how_messages_travel(flags: str, true: set[str]) -> None:
    found = set()
    for name in ("InOrder", "Once", "All", "OnlyTwo"):
        of = spec(TALK.replace("{network}", flags).replace("{check}", name))
        (result,) = [p for p in check(of, of.instances[0]).properties if p.name == name]
        if result.status.value in ("holds", "reached"):
            found.add(name)
    assert found == true


CRASH = """
spec Crash
sort Node
message Word(number: 1..2) from Node to Node
network {network}
role Node
    durable said: 0..2 = 0
    volatile heard: Set[1..2] = {}
    action speak(n in Node)
        require said < 2 and n != self
        said := said + 1
        send Word(said) to n
    on Word(w)
        heard := heard union {w.number}
reachable OnlyTheSecond
    exists n in Node: n.heard == {2} and n.said == 0
instance two
    Node = 2
    crashes <= 1
    check OnlyTheSecond
    allow deadlock
"""


@pytest.mark.parametrize("name", ["interpreter", "native"])
@pytest.mark.parametrize(("flags", "steps"), [("fifo", 5), ("fifo, breaking", 4)])
def test_what_was_under_way_is_lost_in_a_crash(name: Literal["interpreter", "native"], flags: str, steps: int) -> None:
    """Without `breaking` the listener has to hear the first word, and then to crash itself."""
    of = spec(CRASH.replace("{network}", flags))
    (result,) = [
        p for p in check(of, of.instances[0], Options(engine=engine(name))).properties if p.kind == "reachable"
    ]
    assert result.trace is not None and len(result.trace.steps) == steps
