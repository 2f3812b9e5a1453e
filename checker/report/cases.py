"""A result as test cases: one for each property and each thing expected, for test reports and for pytest.

A violation is a `failure`; whatever keeps the answer from being known is an `error`, and its `type` says which. A
result that is no success has at least one case that is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from checker.report import proof
from checker.report.results import PLAIN, Result
from checker.report.text import answer, headline, result_story
from checker.verdict import ObligationResult, Outcome, PropertyResult, Status, Verdict

Answer = Literal["", "failure", "error", "skipped"]


@dataclass(frozen=True)
class Case:
    """One test case: a property, an expectation, or the result as a whole. `answer` is empty for success."""

    name: str
    answer: Answer = ""
    type: str = ""
    message: str = ""
    text: str = ""
    line: int = 1


_WHOLE: dict[Outcome, Answer] = {
    Outcome.PASSED: "",
    Outcome.KNOWN: "skipped",
    Outcome.VIOLATED: "failure",
    Outcome.WEAK: "failure",
    Outcome.SKIPPED: "skipped",
    Outcome.NOT_RUN: "error",
    Outcome.BUDGET: "error",
    Outcome.UNKNOWN: "error",
    Outcome.NOTHING: "error",
    Outcome.INTERRUPTED: "error",
    Outcome.INVALID: "error",
    Outcome.INTERNAL: "error",
}


def cases(result: Result) -> tuple[Case, ...]:
    """The test cases of one result; at least one, and one that is no success unless the result is."""
    found = tuple(_cases(result)) if result.verdict is not None else ()
    last = whole(result)
    if not found or last.answer == "error" or (last.answer and all(case.answer != last.answer for case in found)):
        return (*found, last)
    return found


def whole(result: Result) -> Case:
    """The result itself as a case, named like its instance."""
    verdict = result.verdict
    message = result.message or (answer(verdict)[0] if verdict is not None else result.outcome.value)
    text = "\n\n".join(d.render() for d in result.diagnostics) or message
    line = result.place.line if result.place is not None else 1
    return Case(result.name or "spec", _WHOLE[result.outcome], result.outcome.value, message, text, line)


def _cases(result: Result) -> Iterator[Case]:
    verdict = result.verdict
    assert verdict is not None
    for p in verdict.properties:
        line = p.place.line if p.place is not None else 1
        yield replace(_case(result, verdict, p), line=line)
    for e in verdict.expectations:
        name, line = f"expect {e.text.removeprefix('expect ')}", e.place.line if e.place is not None else 1
        if e.met:
            yield Case(name, line=line)
        elif e.met is False:
            yield Case(name, "failure", "expectation not met", f"found {e.found}", line=line)
        else:
            yield Case(name, *_open(result), f"cannot be told: {e.found}", line=line)


def _case(result: Result, verdict: Verdict, p: PropertyResult) -> Case:
    match p.status:
        case Status.HOLDS | Status.REACHED:
            return Case(p.name)
        case Status.VIOLATED | Status.UNREACHED:
            if p not in verdict.failures:
                return Case(p.name)
            text, title = result_story(p, verdict, PLAIN), headline(p, verdict)
            if not result.is_new(p):
                return Case(p.name, "skipped", Outcome.KNOWN.value, f"known violation: {title}", text)
            return Case(p.name, "failure", p.kind, title, text)
        case Status.UNKNOWN:
            text = "\n\n".join(_obligations(verdict, p))
            return Case(p.name, *_open(result), p.message or "not decided", text)


def _open(result: Result) -> tuple[Answer, str]:
    """How something counts that was not decided: by the reason why the result as a whole is what it is."""
    if result.outcome in (Outcome.PASSED, Outcome.KNOWN, Outcome.VIOLATED):
        return "skipped", "not decided"  # the search ended with a violation, which is told beside this
    return "error", result.outcome.value


def _obligations(verdict: Verdict, p: PropertyResult) -> Iterator[str]:
    """Why a property is not proved."""

    def told(o: ObligationResult) -> str:
        return proof.failure_story(o, PLAIN) if o.failure is not None else f"{o.name}: {o.message or o.status.value}"

    return (told(o) for o in verdict.obligations if o.property == p.name and o.status is not Status.HOLDS)


def numbers(result: Result) -> Iterator[tuple[str, str]]:
    """How far a result reaches and what it took, as names and texts."""
    yield "outcome", result.outcome.value
    yield "cached", "true" if result.cached else "false"
    verdict = result.verdict
    if verdict is None:
        return
    yield "assurance", verdict.assurance.value
    yield "engine", verdict.engine
    if verdict.obligations:
        yield "obligations", str(len(verdict.obligations))
    else:
        yield "states", str(verdict.census.states)
        yield "steps", str(verdict.census.transitions)
        yield "depth", str(verdict.census.depth)
    if verdict.seed is not None:
        yield "seed", str(verdict.seed)
    yield from ((f"size {name}", size) for name, size in verdict.sizes)
