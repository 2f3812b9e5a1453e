"""The trace page without a browser: whole, closed in itself, true to the trace, deaf to what a spec may smuggle in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from page_reading import Reading
from report_examples import disagreement, failed_agreement, holding, violated, violated_as_expected

from checker.cli import run
from checker.report.html import page
from checker.verdict import (
    Assurance,
    Clause,
    InductionFailure,
    MapValue,
    ObligationResult,
    Place,
    PropertyResult,
    RecordValue,
    SetValue,
    Status,
    Step,
    Trace,
    Value,
    Variable,
    Verdict,
)

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def raft(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("pages") / "raft.html"
    assert run(["check", "-q", str(ROOT / "specs/naive/raft_same_term.spec"), "--html", str(target)]) == 0
    return target.read_text(encoding="utf-8")


def test_the_page_tells_the_run(raft: str, golden: Callable[[str, str], None]) -> None:
    read = Reading(_article(raft))
    golden("page_naive_raft", read.text.replace(f"{ROOT}/", ""))


def _article(text: str, key: str = "r1") -> str:
    """The part of a page that is about one run."""
    found = re.search(rf'<article class="run" id="{key}".*?</article>', text, re.DOTALL)
    assert found
    return found.group()


def test_it_stands_alone(raft: str) -> None:
    read = Reading(raft)
    assert "link" not in [tag for tag, _ in read.tags]
    assert read.values("src") == []
    assert all(target.startswith("#") for target in read.values("href"))
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|import\(|innerHTML", raft)


def test_names_are_unique_and_links_lead_somewhere(raft: str) -> None:
    read = Reading(raft)
    names = read.values("id")
    assert len(names) == len(set(names))
    assert {target[1:] for target in read.values("href") if target != "#"} <= set(names)
    markers = set(re.findall(r"url\(#(\w+)\)", raft))
    assert markers and markers <= set(names)


def test_only_its_own_script_may_run(raft: str) -> None:
    read = Reading(raft)
    codes = [text for attrs, text in read.scripts if attrs.get("type") != "application/json"]
    assert len(codes) == 1
    digest = base64.b64encode(hashlib.sha256(codes[0].encode()).digest()).decode()
    policy = next(a["content"] for tag, a in read.tags if tag == "meta" and "http-equiv" in a)
    assert policy is not None and f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
    assert not [name for _, attrs in read.tags for name in attrs if name.startswith("on")]


def test_the_data_are_those_of_the_trace(raft: str) -> None:
    data = [json.loads(text) for attrs, text in Reading(raft).scripts if attrs.get("type") == "application/json"]
    assert [len(each["steps"]) for each in data[:2]] == [6, 8]
    cells = list(data[0]["start"])
    for step in data[0]["steps"]:
        assert step  # each step of this run changes something
        for cell, text in step:
            assert cells[cell] != text
            cells[cell] = text
    shown = re.findall(r'<td class="cell[^>]*>(.*?)</td>', _article(raft), re.DOTALL)
    assert shown == cells


def test_buttons_and_fields_have_names(raft: str) -> None:
    read = Reading(raft)
    for tag, attrs in read.tags:
        if tag == "button" or (tag == "input" and attrs.get("type") != "checkbox"):
            assert attrs.get("aria-label"), attrs
    assert ("html", {"lang": "en"}) in read.tags


EVIL = "<img src=x onerror=alert(1)></script><script>alert(2)</script>'\"&{{7*7}}\u2028\x1b[31m"


def _poisoned(value: Value) -> Value:
    match value:
        case str():
            return value + EVIL
        case RecordValue(name, fields):
            return RecordValue(name + EVIL, tuple((field + EVIL, _poisoned(v)) for field, v in fields))
        case SetValue(items):
            return SetValue(tuple(map(_poisoned, items)))
        case MapValue(entries):
            return MapValue(tuple((_poisoned(k), _poisoned(v)) for k, v in entries))
        case _:
            return value


def _evil_trace(trace: Trace) -> Trace:
    def record(message: RecordValue) -> RecordValue:
        found = _poisoned(message)
        assert isinstance(found, RecordValue)
        return found

    steps = tuple(
        replace(
            step,
            action=step.action + EVIL,
            node=step.node and step.node + EVIL,
            arguments=tuple((name + EVIL, _poisoned(v)) for name, v in step.arguments),
            received=record(step.received) if step.received else None,
            sent=tuple(map(record, step.sent)),
            place=Place(EVIL, 1, 1, EVIL),
        )
        for step in trace.steps
    )
    variables = tuple(replace(v, name=v.name + EVIL, role=v.role and v.role + EVIL) for v in trace.variables)
    return Trace(variables, tuple(tuple(map(_poisoned, s)) for s in trace.states), steps, ((EVIL, EVIL),))


def test_names_of_a_spec_are_text_and_nothing_else() -> None:
    clause = Clause(EVIL, ((EVIL, EVIL),), Place(EVIL, 1, 1, EVIL), (Clause(EVIL, ((EVIL, EVIL),)),))
    evil = PropertyResult(
        EVIL, "invariant", Status.VIOLATED, Place(EVIL, 1, 1, EVIL), _evil_trace(disagreement()), (clause,), EVIL, EVIL
    )
    verdict = replace(violated(), spec=EVIL, instance=EVIL, sizes=((EVIL, EVIL),), properties=(evil,))
    text = page([verdict])
    read, honest = Reading(text), Reading(page([replace(violated(), properties=(failed_agreement(),))]))
    assert {tag for tag, _ in read.tags} == {tag for tag, _ in honest.tags}
    assert len(read.scripts) == len(honest.scripts) == 2
    assert "onerror" not in {name for _, attrs in read.tags for name in attrs}
    assert "<img" not in text and "\x1b" not in text and "49" not in read.text
    assert "<img src=x onerror=alert(1)>" in read.text  # as text it is all there
    json.loads(next(text for attrs, text in read.scripts if attrs))


def test_the_same_verdict_gives_the_same_page() -> None:
    assert page([violated()]) == page([replace(violated(), seconds=99.0)])


def test_what_was_expected_is_told_so() -> None:
    read = Reading(page([violated_as_expected()]))
    assert "Agreement is violated after 12 steps, as expected" in read.text
    assert "what expected" in read.values("class")


def test_witnesses_come_after_violations() -> None:
    options = [line for line in Reading(page([holding(), violated()])).text.splitlines() if line.endswith(")")]
    assert options[0].startswith("Agreement is violated")
    assert any(line.startswith("SomethingIsChosen is reached") for line in options[1:])


def test_a_verdict_without_a_run_says_what_is_known() -> None:
    bare = replace(holding(), properties=tuple(replace(p, trace=None) for p in holding().properties))
    read = Reading(page([bare]))
    assert "holds: all 3,921 reachable states, depth 17; exhaustive for this instance" in read.text
    assert "slider" not in read.values("id")


def test_inconclusive_is_not_success() -> None:
    open_ = PropertyResult("Agreement", "invariant", Status.UNKNOWN, message="not violated so far")
    verdict = Verdict("Paxos", "small", "interpreter", Assurance.INCONCLUSIVE, (open_,), reason="out of time")
    text = page([verdict])
    assert 'class="line warn">inconclusive: out of time' in text
    assert "holds" not in Reading(text).text


def test_a_trace_alone_has_a_page() -> None:
    text = Reading(page(disagreement())).text
    assert text.count("A run of 12 steps") == 1
    assert "a0 on Prepare(ballot: 0)" in text


def test_a_run_without_steps() -> None:
    trace = Trace((Variable("x"),), ((1,),), ())
    result = PropertyResult("P", "invariant", Status.VIOLATED, None, trace, (Clause("x == 2", (("x", 1),)),))
    text = Reading(page([replace(violated(), properties=(result,))])).text
    assert "P is violated in the initial state" in text
    assert "x = 1 all along" in text


def test_a_counterexample_to_induction_and_the_run_that_shows_it() -> None:
    step = Step("Server.stand", "timeout", (), "s0")
    fields = (Variable("Server.term", "Server"),)
    states = tuple((MapValue((("s0", n), ("s1", 1))),) for n in range(2))
    trace = Trace(fields, states, (step,))
    clause = Clause("forall n in Server: n.term == 1", (("n", "s0"),))
    failure = InductionFailure(trace, (("Server", "2"),), ("s0.term = 0",), clause, False, None, ("s0.term > 0",))
    o = ObligationResult("P kept by stand", "kept", "P", "Server.stand", Status.VIOLATED, failure=failure)
    kept = PropertyResult("P", "invariant", Status.VIOLATED)
    verdict = Verdict("Election", "every size", "z3", Assurance.INCONCLUSIVE, (kept,), obligations=(o,), reason="P")
    text = Reading(page([verdict])).text
    assert "P is not kept by Server.stand" in text
    assert "some state in which all that is assumed holds\ns0.term = 0\n" in text
    assert "the lemmas are too weak to exclude the state above" in text
    assert "s0.term = 1 since step 1" in text
    assert "Try: s0.term > 0" in text
    found = replace(o, failure=replace(failure, reachable=True, run=trace))
    runs = Reading(page([replace(verdict, obligations=(found,))])).text
    assert "P is not kept by Server.stand: a run from an initial state to where it fails" in runs


def long_run(steps: int, nodes: int) -> Trace:
    """A token goes round many nodes for many steps."""
    names = [f"n{i}" for i in range(nodes)]
    fields = (Variable("Node.has", "Node"), Variable("Node.seen", "Node"))

    def state(at: int) -> tuple[Value, ...]:
        has = MapValue(tuple((n, i == at % nodes) for i, n in enumerate(names)))
        seen = MapValue(tuple((n, SetValue(tuple(names[: min(at, i)]))) for i, n in enumerate(names)))
        return has, seen

    def token(k: int) -> RecordValue:
        ends = (("from", names[k % nodes]), ("to", names[(k + 1) % nodes]))
        return RecordValue("Token", (("number", k), *ends))

    taken = tuple(
        Step("Node.on Token", "on", (), names[(k + 1) % nodes], token(k), (token(k + 1),)) for k in range(steps)
    )
    return Trace(fields, tuple(state(k) for k in range(steps + 1)), taken)


def test_hundreds_of_steps_and_many_nodes_stay_small() -> None:
    text = page(long_run(400, 24))
    assert len(text) < 4_000_000
    assert len(re.findall(r'<li class="step', text)) == 401


def test_a_saved_verdict_is_shown_as_the_same_page(raft: str, tmp_path: Path) -> None:
    saved, again = tmp_path / "raft.json", tmp_path / "again.html"
    assert run(["check", "-q", str(ROOT / "specs/naive/raft_same_term.spec"), f"--json={saved}"]) == 0
    assert run(["show", str(saved), "--html", str(again)]) == 0
    assert again.read_text(encoding="utf-8") == raft


def test_where_the_page_goes_is_checked_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = str(ROOT / "specs/naive/raft_same_term.spec")
    assert run(["check", spec, "--html", str(tmp_path / "none" / "page.html")]) == 2
    assert "Q0715" in capsys.readouterr().err
    assert run(["check", spec, "--html", spec]) == 2
    assert "Q0714" in capsys.readouterr().err
