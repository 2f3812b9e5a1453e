"""What proofs say of small specs: what is proved, what is not and why, and what a proof would not mean."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import z3
from processes import ends, runs
from proving import SPECS, failed, spec, verdict, without_lemma

from checker.explain import page
from checker.language.frontend import load
from checker.prove import terms as t
from checker.prove.cache import Cache, Hint
from checker.prove.counterexample import Budget
from checker.prove.discharge import Discharged, Discharger, Options
from checker.prove.obligations import plan
from checker.prove.prove import growing, prove
from checker.prove.smtlib import Style, Vocabulary, Writer
from checker.prove.workers import Child
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


def test_an_order_may_end() -> None:
    """What is assumed of a last element does not contradict there being next ones."""
    found = verdict("""
spec Ends
order Index from zero
constant last: Index
assume forall i in Index: i <= last
state x: Index = zero
action step
    x := x.next
invariant Stays
    x == zero
step Grows
    old(x) < x
reachable Moved
    x != zero
""")
    assert failed(found) == ["Stays by step"]


@pytest.mark.parametrize("style", [Style("free"), Style("int")], ids=["free", "int"])
def test_the_next_element_is_greater_in_every_style(style: Style) -> None:
    x = t.app("x", (), "Index")
    after = t.app("order next", (x,), "Index")
    goes_on = [("guard", t.app("order goes on", (x,), t.BOOL))]
    vocabulary = Vocabulary({"Index": True}, {}, frozenset({"Index"}))
    answers = []
    for goal in (t.lt(x, after), t.lt(after, x)):
        solver = z3.Solver()
        solver.from_string(Writer(vocabulary, style).script(goes_on, goal).text)
        answers.append(solver.check() == z3.unsat)
    assert answers == [True, False]


def test_facts_of_one_name_have_witnesses_of_their_own() -> None:
    x = t.var("x", "Node")
    red = t.app("red", (x,), t.BOOL)
    facts = [("guard 1", t.exists((x,), red)), ("guard 1", t.exists((x,), t.not_(red)))]
    solver = z3.Solver()
    solver.from_string(Writer(Vocabulary({}, {}, frozenset()), Style()).script(facts, t.FALSE).text)
    assert solver.check() == z3.sat


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
    begin = time.monotonic()
    first = Discharger(obligations, Options(jobs=1), cache).run(obligations.obligations)
    assert 0 < sum(r.seconds for r in first) < time.monotonic() - begin, "what waits for a solver takes no time"
    cache.save()
    again = Cache(tmp_path / "proofs.json")
    second = Discharger(obligations, Options(), again).run(obligations.obligations)
    assert all(r.status == "proved" for r in (*first, *second))
    solved = [r for r in second if not r.obligation.decided]
    assert solved and all(r.recalled for r in solved)


def test_a_cached_proof_counts_only_for_the_very_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of a solver twice; what was edited, damaged or proved by another program is asked again."""
    asked: list[str] = []
    query = Discharger.query

    def counted(self: Discharger, work: Any, text: Any, attempt: Any) -> Any:
        asked.append(work.obligation.name)
        return query(self, work, text, attempt)

    def run(text: str) -> int:
        asked.clear()
        obligations, cache = plan(spec(text)), Cache(tmp_path / "proofs.json")
        assert all(r.status == "proved" for r in Discharger(obligations, Options(), cache).run(obligations.obligations))
        cache.save()
        return len(asked)

    monkeypatch.setattr(Discharger, "query", counted)
    text = COUNTER.format(guard="N")
    assert run(text) > 0 and run(text) == 0
    assert run("# a line more\n" + text) == 0, "no solver is told of lines"
    edited = text.replace("x <= N\n", "x <= N + 1\n")
    assert run(edited) > 0 and run(edited) == 0
    monkeypatch.setattr("checker.prove.cache.program", lambda: "another")
    assert run(text) > 0 and run(text) == 0
    (tmp_path / "proofs.json").write_text("{")
    assert run(text) > 0


def test_a_hint_that_proves_nothing_is_only_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "proofs.json"
    obligations = plan(spec(COUNTER.format(guard="N + 1")))
    cache = Cache(path)
    for o in obligations.obligations:
        discharger = Discharger(obligations, Options(), cache)
        cache.hints[discharger.key(o)] = Hint("marks, all", 0, ())
    found = Discharger(obligations, Options(timeout=5.0), cache).run(obligations.obligations)
    assert any(r.status == "refuted" for r in found)


def test_a_step_property_without_meaning_has_a_counterexample() -> None:
    found = prove(
        spec("spec S\nstate x: Bool? = none\naction a\n    x := none\nstep Was\n    the old(x) or x == none\n"),
        Options(cache=False),
    )
    failure = next(o.failure for o in found.obligations if "is defined after a" in o.name)
    assert failure is not None and "none" in failure.clause.text


def test_no_reachable_is_remarked() -> None:
    found = prove(spec("spec S\nstate x: Bool = false\naction a\n    x := true\nstep Up\n    old(x) => x\n"),
                  Options(cache=False))  # fmt: skip
    assert found.assurance is Assurance.PROVED
    assert any("no `reachable`" in note for note in found.notes)


def test_a_suggestion_excludes_the_counterexample_and_is_true() -> None:
    text = (SPECS / "paxos.spec").read_text(encoding="utf-8")
    lost = "SilentPromiseMeansNoVote"
    found = verdict(without_lemma(text, lost), budget=Budget(suggest=20.0))
    proposed = [s for o in found.obligations if o.failure is not None for s in o.failure.suggestions]
    assert len(proposed) == 1
    strengthened = without_lemma(text, lost).replace(
        "proof Agreement", f"lemma {lost}\n    {proposed[0]}\n\nproof Agreement"
    )
    assert verdict(strengthened).assurance is Assurance.PROVED


def test_what_stays_open_says_what_was_tried_and_what_to_do() -> None:
    found = verdict((SPECS / "ring_election.spec").read_text(encoding="utf-8"), timeout=0.001)
    unknown = [o for o in found.obligations if o.status is Status.UNKNOWN]
    assert unknown and found.assurance is Assurance.INCONCLUSIVE
    assert "Node -> Node" in unknown[0].message and "--timeout" in unknown[0].message


@pytest.mark.parametrize("code", ["Q0901", "Q0902"])
def test_the_pages_of_the_codes_show_them(code: str) -> None:
    shown = dict(page(code).examples)
    with pytest.raises(SpecError) as error:
        verdict(shown["spec"])
    assert [d.code for d in error.value.diagnostics] == [code]
    assert verdict(shown["spec ok"]).assurance is Assurance.PROVED


def test_the_text_of_a_proof_can_be_checked_again(tmp_path: Path) -> None:
    found = verdict((SPECS / "lock_epochs.spec").read_text(encoding="utf-8"), smt2=tmp_path)
    solved = [o for o in found.obligations if o.how not in ("frame", "form")]
    files = sorted(tmp_path.glob("*.smt2"))
    assert len(files) == len(solved) > 10
    solver = z3.Solver()
    solver.from_string(files[0].read_text(encoding="utf-8"))
    assert solver.check() == z3.unsat


def test_an_interrupt_keeps_what_was_found() -> None:
    obligations = plan(growing(load(SPECS / "peterson.spec").spec))
    discharger = Discharger(obligations, Options(cache=False, jobs=1), Cache(None))
    seen: list[str] = []

    def interrupt(r: Discharged) -> None:
        seen.append(r.obligation.name)
        if not r.obligation.decided:
            raise KeyboardInterrupt

    found = discharger.run(obligations.obligations, interrupt)
    assert len(found) == len(obligations.obligations)
    assert {r.obligation.name for r in found if r.status == "proved"} == set(seen)
    assert any(r.reason == "interrupted" for r in found)


def test_a_solver_that_does_not_answer_is_killed() -> None:
    child = Child()
    slow = {"op": "prove", "declarations": "(declare-fun f (Int) Int)", "assertions": _HARD, "options": {},
            "simple": False, "core": False, "steps": 4_000_000_000}  # fmt: skip
    try:
        begin = time.monotonic()
        assert child.ask(slow, 0.2)["answer"] == "unknown"
        assert time.monotonic() - begin < 5
        easy = {**slow, "assertions": [["a", "false"]]}
        assert child.ask(easy, 5.0)["answer"] == "unsat"
    finally:
        child.close()


_ASKING = """
import json, sys
from checker.prove.workers import Child
child = Child()
print(child.start().pid, flush=True)
child.ask(json.loads(sys.argv[1]), 600)
"""


def test_a_solver_ends_with_who_asked_it() -> None:
    """Even if that was killed and could end nothing itself."""
    slow = {"op": "prove", "declarations": "(declare-fun f (Int) Int)", "assertions": _HARD, "options": {},
            "simple": False, "core": False, "steps": 4_000_000_000}  # fmt: skip
    asking = subprocess.Popen([sys.executable, "-c", _ASKING, json.dumps(slow)], stdout=subprocess.PIPE, text=True)
    assert asking.stdout is not None
    solver = int(asking.stdout.readline())
    time.sleep(1)  # it is at work by then, or will see it when it begins
    asking.kill()
    asking.wait()
    asking.stdout.close()
    try:
        assert ends(solver, 30)
    finally:
        if runs(solver):
            os.kill(solver, signal.SIGKILL)


# The sum of three cubes that is 42, without the hint that its terms have seventeen digits.
_HARD = [["a", "(exists ((x Int) (y Int) (z Int)) (= 42 (+ (* x x x) (* y y y) (* z z z))))"]]


STEP_PROOFS = """spec Steps
state a: Bool = false
state b: Bool = false
action go
    b := a
lemma A
    not a
lemma B
    not b
"""


def test_a_step_is_proved_from_the_properties_that_are_named() -> None:
    assert failed(verdict(STEP_PROOFS + "proof B by go from A\n")) == []


def test_a_step_is_proved_from_no_others() -> None:
    assert failed(verdict(STEP_PROOFS + "proof B by go from B\n")) == ["B by go"]
