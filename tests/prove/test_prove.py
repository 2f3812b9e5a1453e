"""What proofs say of small specs: what is proved, what is not and why, and what a proof would not mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import failed, spec, verdict

from checker.prove.cache import Cache, Hint
from checker.prove.discharge import Discharger, Options
from checker.prove.obligations import plan
from checker.prove.prove import prove
from checker.source import SpecError
from checker.verdict import Assurance, Status

COUNTER = """
spec Counter
constant N: Int
assume N > 0
state x: 0..N = 0
action up
    require x < {guard}
    x := x + 1
invariant Bounded
    x <= N
reachable Moved
    x == 1
"""


def test_ranges_are_obligations() -> None:
    assert verdict(COUNTER.format(guard="N")).assurance is Assurance.PROVED
    broken = verdict(COUNTER.format(guard="N + 1"))
    assert failed(broken) == ["up: line 8 is in range"]
    assert broken.obligations[-1].failure is not None or any(o.failure for o in broken.obligations)


def test_a_property_rests_on_what_its_proof_used() -> None:
    found = verdict("""
spec Chain
sort Node
state a: Set[Node] = {}
state b: Set[Node] = {}
action step(n in Node)
    b := b union {n}
action other(n in Node)
    a := a union {n}
lemma Subset
    forall n in Node: n in b => n in a
invariant Follows
    forall n in Node: n in b and true => n in a
reachable Something
    exists n in Node: n in b
proof Follows
    from Subset
""")
    status = {p.name: p.status for p in found.properties}
    assert failed(found) == ["Subset by step"]
    assert status["Follows"] is not Status.HOLDS
    assert found.graph is not None and dict(found.graph.needs)["Follows"] == ("Subset",)


def test_a_reachable_counterexample_is_a_violation() -> None:
    found = verdict("""
spec Switch
state on: Bool = false
action turn
    on := true
invariant Off
    not on
reachable On
    on
""")
    assert found.assurance is Assurance.VIOLATED
    off = found.properties[0]
    assert off.status is Status.VIOLATED and off.trace is not None and len(off.trace.steps) == 1


def test_contradicting_assumptions_prove_nothing() -> None:
    found = verdict("""
spec Vacuous
constant N: Int
assume N > 3
assume N < 2
state x: Bool = false
action flip
    x := not x
invariant Anything
    x and not x
""")
    assert found.assurance is Assurance.INCONCLUSIVE
    assert "no initial state" in found.reason
    assert all(p.status is not Status.HOLDS for p in found.properties)


def test_contradicting_lemmas_are_reported() -> None:
    found = verdict("""
spec Contradiction
state x: Bool = false
action flip
    x := not x
lemma On
    x
lemma Off
    not x
""")
    assert found.assurance is not Assurance.PROVED
    assert "contradict" in found.reason


def test_an_undefined_operation_is_an_obligation() -> None:
    text = """
spec Partial
sort Node
state last: Node? = none
state seen: Set[Node] = {{}}
action remember(n in Node)
    last := n
action use
    {guard}
    seen := seen union {{the last}}
invariant Fine
    last == none => last == none
reachable Used
    exists n in Node: n in seen
"""
    assert verdict(text.format(guard="require last != none")).assurance is Assurance.PROVED
    broken = verdict(text.format(guard="skip"))
    assert failed(broken) == ["use: line 10 is defined"]


def test_step_properties_speak_of_two_states() -> None:
    text = """
spec Terms
order Term from zero
state term: Term = zero
action advance(t in Term)
    require {relation}
    term := t
step Grows
    old(term) <= term
reachable Advanced
    term != zero
"""
    assert verdict(text.format(relation="term < t")).assurance is Assurance.PROVED
    assert failed(verdict(text.format(relation="t < term or term < t"))) == ["Grows by advance"]


def test_next_elements_and_sequences() -> None:
    found = verdict("""
spec Logs
order Index from zero
sort Value
sort Node
state log: Map[Node, Seq[Index, Value]] = [n in Node -> []]
state chosen: Seq[Index, Value] = []
action propose(v in Value)
    chosen := append(chosen, v)
action copy(n in Node)
    require length(log[n]) < length(chosen)
    log[n] := append(log[n], chosen[length(log[n]).next])
lemma NotLonger
    forall n in Node: length(log[n]) <= length(chosen)
invariant Agree
    forall n in Node, i in Index: zero < i <= length(log[n]) => log[n][i] == chosen[i]
reachable Copied
    exists n in Node: length(log[n]) != zero
""")
    assert failed(found) == []
    assert found.assurance is Assurance.PROVED


def test_networks_are_taken_as_growing_sets() -> None:
    found = verdict(
        """
spec Channel
sort Node
message Ping(n: Node)
network fifo
role Node
    volatile got: Bool = false
    action ping(m in Node)
        send Ping(m) to m
    on Ping(p)
        require p.n == self
        got := true
message Unused
invariant SentBeforeGot
    forall n in Node: n.got => exists m in Node: sent Ping(n) from m to n
reachable Got
    exists n in Node: n.got
""".replace("message Ping(n: Node)", "message Ping(n: Node) from Node to Node").replace("message Unused\n", "")
    )
    assert failed(found) == []
    assert any("growing set" in note for note in found.notes)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("Q0901", "spec S\nstate x: Bool = false\naction a\n    x := true\n"),
        ("Q0902", "spec S\nsort N\nstate x: Set[N] = {}\naction a(n in N)\n    x := x union {n}\n"
         "invariant A\n    size(x) <= size(N)\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_put_as_obligations_is_a_diagnostic(code: str, text: str) -> None:
    with pytest.raises(SpecError) as error:
        verdict(text)
    assert [d.code for d in error.value.diagnostics] == [code]


def test_a_cached_proof_is_run_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "proofs.json")
    obligations = plan(spec(COUNTER.format(guard="N")))
    first = Discharger(obligations, Options(), cache).run(obligations.obligations)
    cache.save()
    again = Cache(tmp_path / "proofs.json")
    second = Discharger(obligations, Options(), again).run(obligations.obligations)
    assert all(r.status == "proved" for r in (*first, *second))
    solved = [r for r in second if not r.obligation.decided]
    assert solved and all(r.recalled for r in solved)


def test_a_hint_that_proves_nothing_is_only_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "proofs.json"
    obligations = plan(spec(COUNTER.format(guard="N + 1")))
    cache = Cache(path)
    for o in obligations.obligations:
        discharger = Discharger(obligations, Options(), cache)
        cache.hints[discharger.key(o)] = Hint("marks, all", 0, ())
    found = Discharger(obligations, Options(timeout=5.0), cache).run(obligations.obligations)
    assert any(r.status == "refuted" for r in found)


def test_no_reachable_is_remarked() -> None:
    found = prove(spec("spec S\nstate x: Bool = false\naction a\n    x := true\nstep Up\n    old(x) => x\n"),
                  Options(cache=False))  # fmt: skip
    assert found.assurance is Assurance.PROVED
    assert any("no `reachable`" in note for note in found.notes)
