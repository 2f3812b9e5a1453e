"""Rounds: byzantine nodes in lock-step, who hold up nobody and tell each node what they like."""

from __future__ import annotations

from typed import body, spec

from checker.explore.check import check
from checker.explore.engines import engine
from checker.explore.problem import Options
from checker.verdict import Status

TEXT = """
spec Liars
sort Node
constant faulty: Set[Node]
message Word(value: 0..1) from Node to Node
network synchronous
role Node
    fault byzantine where self in faulty
    durable round: 0..2 = 0
    durable heard: Map[0..2, Set[0..1]] = [r in 0..2 -> {}]
    action speak
        require round < 2
        round := round + 1
        {sends}
    on Word(w)
        require w.value not in heard[round]
        heard[round] := heard[round] union {w.value}
define done(n in Node) = n.round == 2 and n not in faulty
{asks}
instance three
    Node = 3
    faulty = {n0}
    allow deadlock
"""
QUIET = "skip"
HEARD = ("{}", "{0}", "{1}", "{0, 1}")


def liars(sends: str = QUIET, asks: str = "") -> str:
    return TEXT.replace("{sends}", sends).replace("{asks}", asks)


def test_nobody_waits_for_liars_nor_for_what_they_say() -> None:
    of = spec(liars())
    everybody = "(forall n in Node: (moved Node[n] or (n in faulty)))"
    assert body(of, "Node.on Word")[2] == f"require {everybody}"
    assert body(of, "next round")[:2] == [
        f"require {everybody}",
        "require (forall m in BagItems(flying Word): ((m.to in faulty) or (m.from in faulty)))",
    ]


def test_one_lie_is_on_its_way_at_a_time() -> None:
    assert body(spec(liars()), "Node.lie Word")[:3] == [
        "require (self in faulty)",
        "require (forall n in Node: (moved Node[n] or (n in faulty)))",
        "require Not((exists m in BagItems(flying Word): (m.from in faulty)))",
    ]
    remembered = spec(liars(asks="invariant I\n    forall n in Node: sent Word from n => n in faulty"))
    assert body(remembered, "Node.lie Word")[2] == "require Not((Word(value, self, to) in BagItems(flying Word)))"


def test_each_node_may_be_told_anything_in_each_round() -> None:
    """All that two nodes can have heard in two rounds is reached, be the lies remembered or not."""
    pairs = [(mine, others) for mine in HEARD for others in HEARD]
    asks = "\n".join(
        f"reachable R{i}\n    exists n, m in Node: n != m and done(n) and done(m) and n.heard[1] == {mine}"
        f" and m.heard[1] == {others} and n.heard[2] == {others} and m.heard[2] == {mine}"
        for i, (mine, others) in enumerate(pairs)
    )
    for remembered in ("", "\ninvariant I\n    forall n in Node: sent Word from n => n in faulty"):
        of = spec(liars(asks=asks + remembered))
        found = check(of, of.instances[0], Options(engine=engine("auto"))).properties
        assert {p.status for p in found if p.kind == "reachable"} == {Status.REACHED}, remembered


def test_only_liars_send_what_was_not_sent() -> None:
    asks = "invariant Honest\n    forall n in Node: 0 not in n.heard[1]\n"
    asks += "reachable Heard\n    exists n in Node: n.heard[1] == {1}"
    text = liars("send Word(1) to each n in Node where n != self", asks)
    for faulty, honest in (("{n0}", Status.VIOLATED), ("{n in Node | false}", Status.HOLDS)):
        of = spec(text.replace("{n0}", faulty))
        found = {p.name: p.status for p in check(of, of.instances[0], Options(stop_at_first=False)).properties}
        assert (found["Honest"], found["Heard"]) == (honest, Status.REACHED)
