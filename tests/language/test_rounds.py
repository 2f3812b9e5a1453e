"""Rounds: byzantine nodes in lock-step, who hold up nobody and tell each node what they like; and what proofs know."""

from __future__ import annotations

from typed import body, spec, variable

from checker.explore.check import check
from checker.explore.engines import engine
from checker.explore.problem import Options
from checker.language.types import show
from checker.prove.discharge import Options as Proof
from checker.prove.prove import prove
from checker.verdict import Assurance, Status

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


# --- proofs -----------------------------------------------------------------------------------------

COLUMN = """
spec Column
sort Walker
message Step(number: 0..2) from Walker to Walker
network {network}
role Walker
    fault stop
    durable steps: 0..2 = 0
    durable heard: Set[0..2] = {}
    durable count: 0..9 = 0
    action walk
        require steps < 2
        steps := steps + 1
        heard := {}
        send Step(steps) to each w in Walker
    on Step(m)
        heard := heard union {m.number}
        {more}
{claims}
instance two
    Walker = 1
    check Claim
    allow deadlock
"""
IN_STEP = """
invariant Claim
    forall w in Walker, n in 0..2: n in w.heard => n > 0
lemma WordsAreTrue
    forall m in flying Step: m.number > 0
lemma WordsAreFresh
    forall m in flying Step: m.from.moved
lemma NothingIsLeftOver
    (forall w in Walker: not w.moved) => forall w in Walker: not flying Step from w
"""


def proof(text: str) -> tuple[Assurance, dict[str, Status]]:
    found = prove(spec(text), Proof(timeout=10.0, explore=0.0, cache=False))
    return found.assurance, {p.name: p.status for p in found.properties}


def column(network: str, claims: str, more: str = "skip") -> str:
    return COLUMN.replace("{network}", network).replace("{claims}", claims).replace("{more}", more)


def test_a_proof_knows_what_is_under_way_and_not_how_often() -> None:
    of = spec(column("synchronous", IN_STEP), "set")
    assert show(variable(of, "flying Step").type) == "Set[Step]"
    assert body(of, "Walker.on Step")[3:5] == [
        "pick another in Bool",
        "flying Step := (if another then flying Step else (flying Step minus {m}))",
    ]
    assert proof(column("synchronous", IN_STEP)) == (
        Assurance.PROVED,
        dict.fromkeys(("Claim", "WordsAreTrue", "WordsAreFresh", "NothingIsLeftOver"), Status.HOLDS),
    )


ONCE = "invariant Claim\n    forall w in Walker: w.count <= 1"


def test_what_holds_thanks_to_the_network_alone_is_neither_proved_nor_called_violated() -> None:
    """A run of what proofs take for the network may be none of the network that was declared."""
    text = column("synchronous", ONCE, "count := min(count + 1, 9)").replace("steps < 2", "steps < 1")
    of = spec(text)
    assert [p.status for p in check(of, of.instances[0]).properties if p.name == "Claim"] == [Status.HOLDS]
    assert proof(text) == (Assurance.INCONCLUSIVE, {"Claim": Status.UNKNOWN})
    assert proof(text.replace("synchronous", "fifo")) == (Assurance.INCONCLUSIVE, {"Claim": Status.UNKNOWN})
    assert proof(text.replace("synchronous", "lossy, duplicating, reordering")) == (
        Assurance.VIOLATED,
        {"Claim": Status.VIOLATED},
    )
