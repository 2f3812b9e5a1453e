"""Many results as text for people: the stories of those that are not as they should be, a table, and a line of sums."""

from __future__ import annotations

from collections.abc import Iterable

from checker.report import proof, text
from checker.report.look import Cell, Look, Tone, printable, table
from checker.report.results import Report, Result
from checker.report.text import answer, seconds
from checker.verdict import Outcome

_TONES: dict[Outcome, Tone] = {
    Outcome.PASSED: "good",
    Outcome.KNOWN: "warn",
    Outcome.SKIPPED: "soft",
    Outcome.NOT_RUN: "soft",
    Outcome.VIOLATED: "bad",
    Outcome.INVALID: "bad",
    Outcome.INTERNAL: "bad",
}


def stories(report: Report, look: Look) -> list[str]:
    """What went wrong in each result that has something to tell."""
    return [told for result in report.results if (told := _story(result, look))]


def _story(result: Result, look: Look) -> str:
    verdict = result.verdict
    if verdict is None or result.outcome in (Outcome.PASSED, Outcome.KNOWN):
        return ""
    blocks = [text.result_story(p, verdict, look) for p in verdict.failures if result.is_new(p)]
    blocks += [proof.failure_story(o, look) for o in verdict.obligations if o.failure is not None]
    return "\n\n".join(blocks)


def overview(report: Report, look: Look) -> str:
    """A line for each result."""
    rows: list[list[Cell]] = []
    for result in report.results:
        what, tone = _answer(result)
        rows.append(
            [
                (printable(result.file), "plain"),
                (printable(result.name), "strong"),
                (_time(result), "soft"),
                (what, tone),
            ]
        )
    return table(rows, look, indent=0) if rows else ""


def result_line(result: Result, look: Look) -> str:
    """A result on one line, as it is told while others are under way."""
    what, _ = _answer(result)
    return f"{printable(result.title)}: {what} ({seconds(result.seconds)})"


def _answer(result: Result) -> Cell:
    """What was found; where that is not enough, or nothing was found, why."""
    outcome, verdict = result.outcome, result.verdict
    if verdict is not None and outcome not in (Outcome.KNOWN, Outcome.WEAK):
        what, tone = answer(verdict)
        return what, _TONES.get(outcome, tone)
    found = answer(verdict)[0] if verdict is not None else ""
    parts = [outcome.value, *(part for part in (result.message, found) if part)]
    return printable(": ".join(parts)), _TONES.get(outcome, "warn")


def _time(result: Result) -> str:
    if result.cached:
        return "cached"
    return seconds(result.seconds) if result.verdict is not None else ""


def tally(report: Report, look: Look) -> str:
    """One line: how much was looked at, what came of it, and how much of it was known before."""
    results = report.results
    files = len({r.file for r in results})
    instances = sum(r.kind == "instance" for r in results)
    proofs = sum(r.kind == "proof" for r in results)
    looked = f"{_count(files, 'spec')}, {_count(instances, 'instance')}, {_count(proofs, 'proof')}"
    outcomes = _by_outcome(results)
    if not results:
        told, tone = "nothing to check", "warn"
    elif set(outcomes) == {Outcome.PASSED}:
        told, tone = "all as they should be", "good"
    else:
        told = ", ".join(f"{number} {outcome.value}" for outcome, number in outcomes.items())
        tone = "good" if set(outcomes) <= {Outcome.PASSED, Outcome.KNOWN, Outcome.SKIPPED} else "bad"
    cached = sum(r.cached for r in results)
    known = f"; {cached} of them unchanged and taken from the cache" if cached else ""
    return f"{looked}: {look.paint(told, tone)}{known}"  # type: ignore[arg-type]


def _by_outcome(results: Iterable[Result]) -> dict[Outcome, int]:
    found: dict[Outcome, int] = {}
    for result in results:
        found[result.outcome] = found.get(result.outcome, 0) + 1
    return dict(sorted(found.items(), key=lambda item: list(Outcome).index(item[0])))


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
