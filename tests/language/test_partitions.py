"""Partitions and links that fail: what they make of each network, what gets through, and what proofs know of them."""

from __future__ import annotations

from typing import Literal

import pytest
from typed import action, body, spec, variable

from checker.explore.check import check
from checker.explore.engines import engine
from checker.explore.problem import Options
from checker.language.types import show
from checker.prove.discharge import Options as Proof
from checker.prove.prove import prove
from checker.verdict import Assurance, Status

TEXT = """
spec Apart
sort Node
sort Client
constant home: Node
message Ask from Client to Node
message Tell from Node
message Note from Node to Node
network {network}
role Node
    {fault}
    durable told: Bool = false
    on Ask(m)
        send Tell
    on Note
        told := true
    action note(n in Node)
        send Note to n
role Client
    durable got: Bool = false
    action ask(n in Node)
        send Ask to n
{handler}
invariant Cut
    forall c in Client, n in Node: c.reaches(n) or not c.got
"""
HEARD = "    on Tell(m)\n        got := true"


def apart(network: str, fault: str, handler: str = HEARD) -> str:
    return TEXT.replace("{network}", network).replace("{fault}", fault).replace("{handler}", handler)


def test_who_does_not_reach_whom_is_state() -> None:
    of = spec(apart("lossy, duplicating, reordering", "fault partition"))
    cut = [v.name for v in of.variables if v.name.startswith("cut ")]
    assert cut == ["cut Client Node", "cut Node Node", "cut Node Client"], "as handlers and formulas ask for them"
    assert show(variable(of, "cut Client Node").type) == "Map[Client, Set[Node]]"


def test_a_message_is_received_while_its_sender_reaches_the_receiver() -> None:
    of = spec(apart("lossy, duplicating, reordering", "fault partition"))
    assert "require Not((self in cut Client Node[m.from]))" in body(of, "Node.on Ask")
    assert "require Not((self in cut Node Client[m.from]))" in body(of, "Client.on Tell")
    whole = spec(apart("lossy, duplicating, reordering", "fault stop").replace("c.reaches(n) or ", ""))
    assert not any("cut" in line for name in ("Node.on Ask", "Client.on Tell") for line in body(whole, name))


def test_a_partition_has_two_sides_and_ends() -> None:
    of = spec(apart("fifo", "fault partition where self != home", "    action rest\n        skip"))
    some = "(exists from in Client, to in Node: (to in cut Client Node[from]))"
    other = "(exists from in Node, to in Node: (to in cut Node Node[from]))"
    assert [p.name for p in action(of, "partition").parameters] == ["side"]
    assert body(of, "partition") == [
        f"require Not(({some} or {other}))",
        "require (forall self in side: (self != home))",
        "require ((exists from in Client, to in Node: (to in side)) or "
        "(exists from in Node, to in Node: ((from in side) != (to in side))))",
        "cut Client Node := [from in Client -> {to for to in Node where (to in side)}]",
        "cut Node Node := [from in Node -> {to for to in Node where ((from in side) != (to in side))}]",
    ]
    assert body(of, "heal") == [
        f"require ({some} or {other})",
        "cut Client Node := [from in Client -> {}]",
        "cut Node Node := [from in Node -> {}]",
    ]


def test_a_link_fails_one_way_and_breaks_its_channel() -> None:
    of = spec(
        apart("fifo, breaking", "fault link where not told", "    action rest\n        skip").replace(
            "c.reaches(n)", "n.told"
        )
    )
    broken = (
        "channels Node Node := [sender in Node -> [receiver in Node -> (if ((sender == self) and (receiver == to)) "
        "then Empty() else channels Node Node[sender][receiver])]]"
    )
    assert body(of, "Node.cut Node") == [
        "require Not((to in cut Node Node[self]))",
        "require (self != to)",
        "require Not(Node.told[self])",
        broken,
        "cut Node Node := cut Node Node[self := (cut Node Node[self] union {to})]",
    ]
    assert body(of, "Node.mend Node") == [
        "require (to in cut Node Node[self])",
        broken,
        "cut Node Node := cut Node Node[self := (cut Node Node[self] minus {to})]",
    ]


def test_messages_are_counted_and_links_are_not() -> None:
    """Also in rounds, whose state is of the network, too."""
    of = spec(TALK.replace("{network}", "synchronous").replace("partitions <= 1", "messages <= 9"))
    assert check(of, of.instances[0]).assurance is Assurance.EXHAUSTIVE


TALK = """
spec Talk
sort Node
message Word(number: 1..2) from Node to Node
network {network}
role Node
    fault partition
    durable said: 0..2 = 0
    durable heard: Set[1..2] = {}
    action speak(n in Node)
        require said < 2 and n != self
        said := said + 1
        send Word(said) to n
    action rest
        skip
    on Word(w)
        heard := heard union {w.number}
reachable OnlyTheSecond
    exists n in Node: n.heard == {2}
reachable OnlyTheSecondAfterAPartition
    exists n, m in Node: n.heard == {2} and n.reaches(m) and m.said == 2 and m != n
reachable HeardAfterIt
    exists n, m in Node: n.heard == {1, 2} and n != m and not n.reaches(m)
step NothingComesAcross
    forall n in Node: n.heard != old(n.heard) => exists m in Node: m != n and old(m.reaches(n))
instance two
    Node = 2
    partitions <= 1
    allow deadlock
"""


@pytest.mark.parametrize("name", ["interpreter", "native"])
@pytest.mark.parametrize(
    ("flags", "reached"),
    [
        ("reordering", {"OnlyTheSecond", "OnlyTheSecondAfterAPartition", "HeardAfterIt"}),
        ("fifo", {"HeardAfterIt"}),
        ("fifo, breaking", {"OnlyTheSecond", "OnlyTheSecondAfterAPartition", "HeardAfterIt"}),
        ("synchronous", {"OnlyTheSecond", "OnlyTheSecondAfterAPartition", "HeardAfterIt"}),
    ],
)
def test_what_gets_through(name: Literal["interpreter", "native"], flags: str, reached: set[str]) -> None:
    """A queue waits, unless it breaks; what does not arrive in its round is lost."""
    of = spec(TALK.replace("{network}", flags))
    found = check(of, of.instances[0], Options(engine=engine(name))).properties
    assert {p.name for p in found if p.status is Status.REACHED} == reached
    assert {p.status for p in found if p.kind == "step"} == {Status.HOLDS}


def test_without_a_partition_in_order_means_in_order() -> None:
    of = spec(TALK.replace("{network}", "fifo, breaking").replace("partitions <= 1", "partitions <= 0"))
    found = check(of, of.instances[0]).properties
    assert [p.name for p in found if p.status is Status.REACHED] == []


SIDES = """
spec Sides
sort Node
message Beat from Node to Node
network reordering
role Node
    {fault}
    durable heard: Set[Node] = {}
    action beat(n in Node)
        send Beat to n
    on Beat(m)
        heard := heard union {m.from}
invariant TwoSides
    forall a, b in Node: a.reaches(b) => b.reaches(a)
    forall a, b, c in Node: a.reaches(b) and b.reaches(c) => a.reaches(c)
    forall a in Node: a.reaches(a)
step NothingComesAcross
    forall n, m in Node: m in n.heard and m not in old(n.heard) => old(m.reaches(n))
"""


@pytest.mark.parametrize(("fault", "proved"), [("fault partition", True), ("fault link", False)])
def test_proofs_see_who_reaches_whom(fault: str, proved: bool) -> None:
    of = spec(SIDES.replace("{fault}", fault))
    found = prove(of, Proof(timeout=10.0, explore=0.0, cache=False))
    assert (found.assurance is Assurance.PROVED) is proved
    assert {p.name for p in found.properties if p.status is Status.HOLDS} >= {"NothingComesAcross"}
