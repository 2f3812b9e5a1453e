"""Words for verdicts: each assurance has its sentence, and none says `holds` without its scope."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_examples import disagreement, failed_agreement, holding, place, violated, violated_as_expected

from checker.report.look import Look
from checker.report.text import report, seconds, verdict_line
from checker.verdict import (
    Assurance,
    Census,
    Clause,
    Expectation,
    PropertyResult,
    Status,
    Variable,
    Verdict,
)

LOOK = Look(100)


def made(assurance: Assurance, *properties: PropertyResult, census: Census | None = None, reason: str = "") -> Verdict:
    agreement = PropertyResult("Agreement", "invariant", Status.HOLDS)
    return Verdict(
        "Paxos", "small", "interpreter", assurance, properties or (agreement,), (("Ballot", "2"),),
        census or Census(100, 250, 7), reason=reason, depth_bound=7 if assurance is Assurance.BOUNDED else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (
            made(Assurance.EXHAUSTIVE),
            "holds: all 100 reachable states, depth 7; exhaustive for this instance",
        ),
        (
            made(Assurance.BOUNDED, census=Census(100, 250, 7, 30)),
            "no violation to depth 7: 100 states, 30 of them not explored further",
        ),
        (made(Assurance.SAMPLED), "no violation in the sample: 100 states seen on random walks"),
        (
            made(Assurance.INCONCLUSIVE, reason="out of memory"),
            "inconclusive: out of memory; no violation among 100 states to depth 7",
        ),
        (made(Assurance.INDUCTIVE), "holds: inductive for this instance"),
        (made(Assurance.PROVED), "holds: proved for every size"),
        (violated(), "violated: Agreement after 12 steps"),
    ],
)
def test_verdict_lines(verdict: Verdict, line: str) -> None:
    assert verdict_line(verdict, LOOK) == line


@pytest.mark.parametrize("assurance", [Assurance.BOUNDED, Assurance.SAMPLED, Assurance.INCONCLUSIVE])
def test_nothing_holds_where_the_search_was_cut_short(assurance: Assurance) -> None:
    verdict = replace(holding(), assurance=assurance, depth_bound=3, reason="time")
    assert "holds" not in report(verdict, LOOK)


def test_nothing_holds_beside_a_violation_that_ended_the_search() -> None:
    other = PropertyResult("Other", "invariant", Status.HOLDS)
    verdict = made(Assurance.VIOLATED, failed_agreement(), other, census=Census(100, 250, 7, 30))
    assert "holds" not in report(verdict, LOOK)


def test_an_unmet_expectation_is_no_success() -> None:
    expectation = Expectation("states 3921", False, "3,920")
    verdict = replace(holding(), expectations=(expectation,))
    assert verdict_line(verdict, LOOK) == "not as expected: expect states 3921: not met (found: 3,920)"
    assert "  expect states 3921: not met (found: 3,920)" in report(verdict, LOOK)


def test_a_reachable_without_witness_is_a_violation() -> None:
    verdict = made(Assurance.VIOLATED, PropertyResult("Chosen", "reachable", Status.UNREACHED))
    assert verdict_line(verdict, LOOK) == "violated: Chosen is unreachable"
    first = report(verdict, LOOK).split("\n")[0]
    assert first.startswith("Chosen is unreachable: none of the 100 reachable states is a witness (Paxos")


def test_deadlock_shows_the_state_that_it_ends_in() -> None:
    verdict = made(Assurance.VIOLATED, PropertyResult("Deadlock", "deadlock", Status.VIOLATED, trace=disagreement()))
    text = report(verdict, LOOK)
    assert text.startswith("Deadlock after 12 steps: no step is possible (Paxos, instance small: Ballot 2)\n")
    assert "    Acceptor.voted     [a0: Vote(0, v0); a1, a2: Vote(1, v1)]\n" in text


@pytest.mark.parametrize(("kind", "head"), [("undefined", "Undefined operation"), ("range", "Value out of its range")])
def test_errors_of_the_spec_say_what_and_where(kind: str, head: str) -> None:
    result = PropertyResult(
        "propose",
        kind,
        Status.VIOLATED,
        place(44, "    x := log[i].term"),
        disagreement(),
        (),
        "`log[i]` is past the end",
    )
    text = report(made(Assurance.VIOLATED, result), LOOK)
    assert text.startswith(f"{head} after 12 steps (Paxos, instance small: Ballot 2)\n")
    assert "  The state in which this happens:\n    Acceptor.promised" in text
    assert f"\nviolated: {head.lower()} after 12 steps\n" in text
    assert "  error:   `log[i]` is past the end        specs/paxos.spec:44\n           x := log[i].term\n" in text


def test_violations_in_the_initial_state() -> None:
    trace = replace(disagreement(), states=disagreement().states[:1], steps=())
    result = PropertyResult("Agreement", "invariant", Status.VIOLATED, trace=trace)
    assert report(made(Assurance.VIOLATED, result), LOOK).startswith("Agreement is violated in the initial state (")


def test_bounds_that_were_met_are_said_in_a_sentence() -> None:
    census = Census(100, 250, 7, bounds=(("end of Ballot", 120), ("crashes <= 1", 1), ("messages <= 9", 0)))
    text = report(made(Assurance.EXHAUSTIVE, census=census), Look(200))
    assert "  stepping past the end of Ballot cut off steps in 120 states; runs that need more than 2 are" in text
    assert "  the limit crashes <= 1 cut off steps in 1 state; runs with more are not covered" in text
    assert "messages" not in text


def test_what_the_story_says_is_not_said_again() -> None:
    expected = violated_as_expected()
    alone = replace(expected, properties=expected.properties[:1])
    assert "\n  Agreement" in report(expected, LOOK)
    assert "\n  Agreement" not in report(alone, LOOK)
    assert "expect violated" not in report(alone, LOOK)
    unmet = replace(alone, expectations=(replace(expected.expectations[0], met=False, found="violated after 9 steps"),))
    assert "  expect violated Agreement after 12 steps: not met (found: violated after 9 steps)" in report(unmet, LOOK)


def test_dead_actions_and_vacuous_implications_are_flagged() -> None:
    census = replace(
        holding().census,
        actions=(replace(holding().census.actions[0], taken=0, discovered=0),),
        vacuous=(Clause("chosen(v) => false", (), place(52)),),
    )
    text = report(replace(holding(), census=census), Look(140))
    assert "  prepare      0           0  never taken" in text
    assert "  never tested: the left side of `chosen(v) => false` was never true (specs/paxos.spec:52)" in text


def test_states_that_count_as_one_are_told() -> None:
    census = replace(holding().census, symmetry=("Value", "Acceptor"))
    text = " ".join(report(replace(holding(), census=census), LOOK).split())
    assert "holds: all 3,921 reachable states up to renaming of Value and Acceptor, depth 17; exhaustive" in text
    assert "renaming" not in report(holding(), LOOK)
    stopped = replace(holding(), census=census, assurance=Assurance.INCONCLUSIVE, reason="interrupted")
    told = " ".join(report(stopped, LOOK).split())
    assert "no violation among 3,921 states up to renaming of Value and Acceptor to depth 17" in told


def test_ghosts_of_the_failing_clause_are_shown() -> None:
    clause = Clause("count < 4", (), place(9))
    result = PropertyResult("Few", "invariant", Status.VIOLATED, trace=disagreement(), clauses=(clause,))
    assert Variable("count", ghost=True) in disagreement().variables
    assert "count: 0 → 1" in report(made(Assurance.VIOLATED, result), LOOK)
    assert "count: 0 → 1" not in report(violated(), LOOK)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0.0, "<0.01 s"),
        (0.04, "0.04 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(duration: float, text: str) -> None:
    assert seconds(duration) == text
