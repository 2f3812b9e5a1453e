"""Every format is read back by someone else's reader or checked against its schema, for every outcome that there is."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import itf_py
import pytest
from format_examples import GITLAB, HARMLESS, SARIF, VERDICTS, report, result
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped
from report_examples import disagreement, holding, violated, violated_as_expected

from checker.report.findings import findings, remarks
from checker.report.github import MOST_SHOWN, summary, workflow_commands
from checker.report.gitlab import gitlab
from checker.report.html import html
from checker.report.itf import itf, traces, value_to_itf
from checker.report.json import document, read_results
from checker.report.junit import junit
from checker.report.look import Look
from checker.report.mermaid import MOST_STEPS, sequence_diagram
from checker.report.overview import overview, stories, tally
from checker.report.results import Report, Result, of_verdict
from checker.report.sarif import sarif
from checker.source import Diagnostic, Severity, Source, Span
from checker.verdict import Clause, Outcome, Place, RecordValue, Step, Trace, Verdict

ALL = tuple(Outcome)
BAD = tuple(outcome for outcome in Outcome if outcome not in HARMLESS)


def read_junit(given: Report) -> JUnitXml:
    return JUnitXml.fromroot(ET.fromstring(junit(given)))


def read_sarif(given: Report) -> dict[str, Any]:
    data = json.loads(sarif(given))
    SARIF.validate(data)
    (run,) = data["runs"]
    return dict(run)


# --- no outcome is taken for another ----------------------------------------------------------------


@pytest.mark.parametrize("outcome", ALL)
def test_json_fits_its_schema_and_names_the_outcome(outcome: Outcome) -> None:
    data = json.loads(json.dumps(document(report(outcome))))
    VERDICTS.validate(data)
    assert [r["outcome"] for r in data["results"]] == [outcome.name.lower()]


@pytest.mark.parametrize("outcome", ALL)
def test_junit_tells_failures_from_errors_and_both_from_success(outcome: Outcome) -> None:
    suite = read_junit(report(outcome))
    answers = [answer for each in suite for case in each for answer in case.result]
    failures = [a for a in answers if isinstance(a, Failure)]
    errors = [a for a in answers if isinstance(a, Error)]
    skipped = [a for a in answers if isinstance(a, Skipped)]
    assert (suite.failures, suite.errors, suite.skipped) == (len(failures), len(errors), len(skipped))
    match outcome:
        case Outcome.PASSED:
            assert answers == []
        case Outcome.KNOWN | Outcome.SKIPPED:
            assert failures == errors == [] and skipped
        case Outcome.VIOLATED | Outcome.WEAK:
            assert failures and not errors
        case _:
            assert errors and {e.type for e in errors} == {outcome.value}


@pytest.mark.parametrize("outcome", ALL)
def test_sarif_has_an_error_for_all_that_is_no_success(outcome: Outcome) -> None:
    run = read_sarif(report(outcome, exit_code=0 if outcome in HARMLESS else 4))
    levels = {r["level"] for r in run["results"]}
    assert ("error" in levels) == (outcome in BAD)
    (invocation,) = run["invocations"]
    known = (Outcome.VIOLATED, Outcome.WEAK, Outcome.NOTHING)
    assert invocation["executionSuccessful"] == (outcome in HARMLESS or outcome in known)
    assert invocation["exitCode"] == (0 if outcome in HARMLESS else 4)


@pytest.mark.parametrize("outcome", ALL)
def test_gitlab_and_annotations_have_an_error_for_all_that_is_no_success(outcome: Outcome) -> None:
    issues = json.loads(gitlab(report(outcome)))
    GITLAB.validate(issues)
    assert any(issue["severity"] == "critical" for issue in issues) == (outcome in BAD)
    lines = workflow_commands(report(outcome))
    assert any(line.startswith("::error ") for line in lines) == (outcome in BAD)


@pytest.mark.parametrize("outcome", BAD)
def test_the_page_never_says_that_what_is_no_success_holds(outcome: Outcome) -> None:
    text = re.sub(r"<[^>]*>", " ", html(report(outcome)))
    assert "holds: " not in text
    told = result(outcome)
    if told.verdict is None:
        assert f"inconclusive: {outcome.value}: {told.message}" in " ".join(text.split())


def test_all_outcomes_look_different_in_every_format() -> None:
    def rules(outcome: Outcome) -> tuple[str, ...]:
        return tuple(sorted({f.rule for f in findings(report(outcome)) if f.level == "error"}))

    said = {outcome: rules(outcome) for outcome in BAD}
    assert len(set(said.values())) == len(BAD), said
    rows = {overview(report(outcome), Look()) for outcome in ALL}
    sums = {tally(report(outcome), Look()) for outcome in ALL}
    assert len(rows) == len(sums) == len(ALL)
    for outcome in BAD:
        assert "holds" not in overview(report(outcome), Look()).replace("no violation", "")
        assert ":white_check_mark:" not in summary(report(outcome))
        assert "as they should be" not in summary(report(outcome)) or "not as they should be" in summary(
            report(outcome)
        )


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(ALL), max_size=6))
def test_any_mixture_keeps_its_failures(outcomes: list[Outcome]) -> None:
    mixed = report(*outcomes)
    wrong = any(outcome in BAD for outcome in outcomes)
    suite = read_junit(mixed)
    assert bool(suite.failures + suite.errors) == wrong
    assert any(r["level"] == "error" for r in read_sarif(mixed)["results"]) == wrong
    VERDICTS.validate(json.loads(json.dumps(document(mixed))))


# --- JUnit ------------------------------------------------------------------------------------------


def test_junit_has_a_suite_an_instance_and_a_case_a_property() -> None:
    (suite,) = read_junit(report(Outcome.VIOLATED))
    assert (suite.name, suite.timestamp) == ("Paxos small", "2026-01-02T03:04:05Z")
    assert [(case.classname, case.name) for case in suite] == [
        ("specs.paxos.small", name) for name in ("Agreement", "SomethingIsChosen", "Deadlock")
    ]
    (failure,) = next(iter(suite)).result
    assert failure.message == "Agreement is violated after 12 steps"
    assert "  3  a1 on Prepare(ballot: 0)" in failure.text and "with v = v0, w = v1" in failure.text
    assert {p.name: p.value for p in suite.properties()}.items() >= {"states": "5120", "assurance": "violated"}.items()


def test_junit_takes_an_expected_violation_for_success() -> None:
    (suite,) = read_junit(Report((of_verdict(violated_as_expected()),)))
    answers = {case.name: case.result for case in suite}
    assert answers["Agreement"] == answers["expect violated Agreement after 12 steps"] == []


@given(st.text())
def test_junit_is_well_formed_whatever_a_message_holds(text: str) -> None:
    odd = replace(result(Outcome.UNKNOWN), message=text, verdict=None)
    ET.fromstring(junit(Report((odd,))).encode("utf-8", "replace"))


def test_what_comes_from_the_cache_took_no_time() -> None:
    (suite,) = read_junit(Report((replace(result(Outcome.PASSED), cached=True),)))
    assert suite.time == 0
    assert {p.name: p.value for p in suite.properties()}["cached"] == "true"


# --- SARIF ------------------------------------------------------------------------------------------


def test_a_counterexample_is_a_code_flow_with_a_thread_for_each_node() -> None:
    (found,) = [r for r in read_sarif(report(Outcome.VIOLATED))["results"] if r["ruleId"] == "violated-invariant"]
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "specs/paxos.spec", "uriBaseId": "%SRCROOT%"}
    assert place["region"]["startLine"] == 51
    (flow,) = found["codeFlows"]
    threads = {t["id"]: [step["executionOrder"] for step in t["locations"]] for t in flow["threadFlows"]}
    assert threads == {"environment": [1, 4, 7, 10], "a0": [2, 5], "a1": [3, 6, 8, 11], "a2": [9, 12]}
    first = flow["threadFlows"][1]["locations"][0]["location"]
    assert first["physicalLocation"]["region"]["startLine"] == 22
    assert first["message"]["text"].startswith("2. a0 on Prepare(ballot: 0); promised: none → 0; sends Promise(")


def test_a_known_violation_is_suppressed() -> None:
    (found,) = read_sarif(report(Outcome.KNOWN))["results"]
    assert (found["level"], found["suppressions"][0]["kind"]) == ("note", "external")


def test_rules_are_named_once_and_codes_bring_their_pages() -> None:
    run = read_sarif(report(*BAD))
    rules = run["tool"]["driver"]["rules"]
    ids = [rule["id"] for rule in rules]
    assert len(ids) == len(set(ids))
    assert all(ids[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    assert "Q0201" in ids and rules[ids.index("Q0201")]["help"]["markdown"].startswith("# Q0201")


def test_a_fingerprint_outlives_a_move_and_tells_instances_apart() -> None:
    def prints(verdict: Verdict, name: str = "small") -> list[str]:
        results = read_sarif(Report((replace(of_verdict(verdict), name=name),)))["results"]
        return [r["partialFingerprints"]["primaryLocationLineHash"] for r in results]

    verdict = violated()
    first = verdict.properties[0]
    moved = replace(
        verdict, properties=(replace(first, place=Place("specs/paxos.spec", 99, 1)), *verdict.properties[1:])
    )
    assert prints(verdict) == prints(moved) != prints(verdict, "large")


def test_paths_are_those_of_the_repository() -> None:
    given = replace(report(Outcome.VIOLATED), base="sub")
    assert given.path("specs/a.spec") == "sub/specs/a.spec"
    assert given.path("../specs/a.spec") == "specs/a.spec"
    assert given.path("/home/me/repo/x/a.spec") == "x/a.spec"
    elsewhere = Report((replace(result(Outcome.NOT_RUN), file="/tmp/a b.spec"),))
    location = read_sarif(elsewhere)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "file:///tmp/a%20b.spec"}


# --- GitHub and GitLab ------------------------------------------------------------------------------


def test_annotations_name_the_place_and_hold_no_line_breaks() -> None:
    lines = workflow_commands(report(Outcome.VIOLATED))
    assert lines[0].startswith(
        "::error file=specs/paxos.spec,line=51,col=5,title=Quorate%3A violated-invariant::Agreement"
    )
    assert all("\n" not in line for line in lines) and "%0A   3  a1 on Prepare" in lines[0]


def test_text_of_a_spec_cannot_give_commands_to_the_runner() -> None:
    odd = replace(result(Outcome.UNKNOWN), verdict=None, message="x\n::set-output name=a::b\r100%", file="a,b:c.spec")
    (line,) = workflow_commands(Report((odd,)))
    assert line.startswith("::error file=a%2Cb%3Ac.spec,") and "%0A::set-output" in line and "%0D100%25" in line


def test_no_more_annotations_than_are_shown() -> None:
    many = Report(tuple(replace(result(Outcome.NOT_RUN), name=f"i{n}") for n in range(25)))
    lines = workflow_commands(many)
    assert len(lines) == MOST_SHOWN
    assert lines[-1] == "::error title=Quorate::16 more: the summary of this run has all of them"


def test_the_summary_has_a_table_a_diagram_and_the_story() -> None:
    text = summary(report(Outcome.PASSED, Outcome.VIOLATED, exit_code=1))
    assert text.startswith("## Quorate: 1 of 2 not as they should be\n")
    assert "| :white_check_mark: | specs/paxos.spec | small | holds: all 3,921 reachable states" in text
    assert "```mermaid\nsequenceDiagram\n" in text
    assert "<details><summary>The whole story</summary>\n\n```text\nAgreement is violated" in text


def test_a_summary_that_is_too_long_says_what_is_missing() -> None:
    long = tuple(replace(result(Outcome.VIOLATED), name=f"i{n}") for n in range(600))
    text = summary(Report(long, exit_code=1))
    assert len(text.encode()) < 1 << 20
    assert re.search(r"\*\*\d+ more findings do not fit here;\*\*", text)


def test_gitlab_issues_have_different_fingerprints() -> None:
    twice = Report(
        (result(Outcome.VIOLATED), replace(result(Outcome.VIOLATED), name="large"), result(Outcome.VIOLATED))
    )
    prints = [issue["fingerprint"] for issue in json.loads(gitlab(twice))]
    assert len(prints) == len(set(prints)) == 2


# --- Mermaid ----------------------------------------------------------------------------------------


def test_a_diagram_has_lanes_arrows_and_notes() -> None:
    lines = sequence_diagram(disagreement()).splitlines()
    assert lines[:5] == [
        "sequenceDiagram",
        "    participant n0 as environment",
        "    participant n1 as a0",
        "    participant n2 as a1",
        "    participant n3 as a2",
    ]
    assert "    n0->>n1: 2. Prepare(ballot: 0)" in lines
    assert "    Note over n1: promised: none → 0<br/>sends Promise(ballot: 0, last: none)" in lines


def test_a_diagram_shows_losses_crashes_and_messages_between_nodes() -> None:
    note = RecordValue("Note", (("text", "x"), ("from", "n10"), ("to", "n2")))
    steps = (
        Step("on Note", "on", (), "n2", note),
        Step("lose Note", "lose", (), None, note),
        Step("crash", "crash", (), "n2"),
    )
    text = sequence_diagram(Trace((), ((), (), (), ()), steps))
    assert text.splitlines()[1:] == [
        "    participant n0 as n2",
        "    participant n1 as n10",
        "    n1->>n0: 1. Note(text: x)",
        "    n1-xn0: 2. Note(text: x) is lost",
        "    Note over n0: 3. crashes and restarts",
    ]


def test_a_long_diagram_says_what_is_left_out() -> None:
    steps = tuple(Step(f"go; #{n}", "action", (), "n0") for n in range(MOST_STEPS + 7))
    text = sequence_diagram(Trace((), ((),) * (len(steps) + 1), steps))
    assert "Note over n0: 7 steps before are not drawn" in text
    assert text.count("Note over") == MOST_STEPS + 1
    assert "8. go#59; #35;7" in text and ";" not in re.sub(r"#\w+;", "", text)


# --- ITF --------------------------------------------------------------------------------------------


def test_a_trace_in_itf_is_read_by_the_reader_of_its_authors() -> None:
    (shown,) = traces(report(Outcome.VIOLATED))
    read = itf_py.trace_from_json(json.loads(itf(shown, report(Outcome.VIOLATED))))
    assert read.vars == ["Acceptor.promised", "Acceptor.voted", "sent", "count"]
    assert len(read.states) == 13 and read.loop is None
    assert dict(read.states[3].values["Acceptor.promised"]) == {"a0": 0, "a1": 0, "a2": "none"}
    (first,) = read.states[1].values["sent"]
    assert (type(first).__name__, first.ballot) == ("Prepare", 0)
    assert read.meta["property"] == "Agreement" and read.meta["status"] == "violation"
    assert read.meta["clauses"][0]["witnesses"] == {"v": "v0", "w": "v1"}
    assert read.states[4].meta["action"] == "propose"
    assert read.states[4].meta["picks"]["q"] == {"#set": ["a0", "a1"]}
    assert read.states[2].meta["sent"] == [
        {"tag": "Promise", "value": {"ballot": {"#bigint": "0"}, "last": "none", "sender": "a0"}}
    ]
    assert [s.meta["index"] for s in read.states] == list(range(13))


def test_itf_has_params_for_the_constants_of_a_run() -> None:
    verdict = violated()
    first = verdict.properties[0]
    assert first.trace is not None
    told = replace(first, trace=replace(first.trace, constants=(("Limit", 3),)))
    given = Report((of_verdict(replace(verdict, properties=(told,))),))
    data = json.loads(itf(traces(given)[0], given))
    assert data["params"] == ["Limit"] and data["states"][0]["Limit"] == {"#bigint": "3"}


def test_itf_numbers_are_never_plain_and_a_field_keeps_its_name_where_that_is_taken() -> None:
    assert value_to_itf(2**70) == {"#bigint": str(2**70)} and value_to_itf(True) is True
    odd = RecordValue("M", (("from", "n0"), ("sender", 1)))
    assert value_to_itf(odd) == {"tag": "M", "value": {"from": "n0", "sender": {"#bigint": "1"}}}


def test_witnesses_are_traces_where_they_are_asked_for() -> None:
    given = Report((of_verdict(holding()),))
    assert traces(given) == ()
    (shown,) = traces(given, frozenset({"SomethingIsChosen"}))
    assert shown.status == "ok" and shown.file_name == "Paxos-small-SomethingIsChosen.itf.json"


# --- findings ---------------------------------------------------------------------------------------


def test_warnings_of_files_are_findings_with_their_extent() -> None:
    span = Span(Source("a.spec", "spec A\n"), 1, 6, 1, 7)
    given = Report((), (Diagnostic("Q0802", "nothing to check", span, severity=Severity.WARNING),))
    (found,) = findings(given)
    assert (found.rule, found.level, found.place, found.end) == (
        "Q0802",
        "warning",
        Place("a.spec", 1, 6, "spec A"),
        (1, 7),
    )
    region = read_sarif(given)["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 1, "startColumn": 6, "endLine": 1, "endColumn": 7, "snippet": {"text": "spec A"}}


def idle(verdict: Verdict, *names: str) -> Result:
    counts = tuple(replace(a, taken=0) if a.name in names else a for a in verdict.census.actions)
    vacuous = (Clause("a => b", (), Place("specs/paxos.spec", 7, 1)),) if names else ()
    return of_verdict(replace(verdict, census=replace(verdict.census, actions=counts, vacuous=vacuous)))


def test_an_action_is_idle_only_if_no_instance_takes_it() -> None:
    one, other = idle(holding(), "prepare", "propose"), idle(holding(), "propose")
    assert [f.title for f in remarks([one, other])] == [
        "propose is never taken in any instance",
        "never tested: the left side of `a => b` is never true in any instance",
    ]
    assert remarks([one, idle(holding())]) == ()
    assert remarks([idle(violated(), "propose")]) == (), "a search that ended early cannot tell"


def test_overview_tells_stories_of_new_violations_only() -> None:
    assert len(stories(report(Outcome.VIOLATED, Outcome.KNOWN, Outcome.PASSED), Look())) == 1
    text = tally(report(Outcome.PASSED, Outcome.PASSED), Look())
    assert text == "1 spec, 2 instances, no proofs: all as they should be"


def test_results_come_back_from_a_document_with_their_files() -> None:
    data = json.loads(json.dumps(document(report(Outcome.INVALID, Outcome.VIOLATED, Outcome.PASSED))))
    assert [(r.file, r.outcome) for r in read_results(data)] == [
        ("specs/paxos.spec", Outcome.VIOLATED),
        ("specs/paxos.spec", Outcome.PASSED),
    ]
