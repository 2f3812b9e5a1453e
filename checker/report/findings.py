"""What of a report a reader has to look at: each violation, doubt and warning once, with its rule and its place.

SARIF, annotations and code-quality reports are lists of these; a result that is not a success always has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeVar

from checker.report import proof
from checker.report.results import PLAIN, Report, Result
from checker.report.text import headline, result_story
from checker.source import Diagnostic, Severity
from checker.verdict import Assurance, ObligationResult, Outcome, Place, PropertyResult, Status, Trace, Verdict

Level = Literal["error", "warning", "note"]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Rule:
    """A kind of finding: its name, which never changes, and one sentence about it."""

    name: str
    sentence: str


RULES = {
    rule.name: rule
    for rule in (
        Rule("violated-invariant", "A run leads to a state in which an invariant or a lemma is false."),
        Rule("violated-step", "A run has a step that a step property forbids."),
        Rule("unreachable", "None of the reachable states is what a `reachable` asks for."),
        Rule("deadlock", "A run leads to a state in which nothing can happen."),
        Rule("undefined-operation", "A run applies an operation where it has no meaning."),
        Rule("out-of-range", "A run gives a variable a value outside its range."),
        Rule("expectation-not-met", "An instance expects something else than was found."),
        Rule("not-inductive", "A step from a state that satisfies all properties breaks one of them."),
        Rule("not-proved", "An obligation of a proof was not decided."),
        Rule("weaker-than-required", "The verdict reaches less far than the configuration requires."),
        Rule("out-of-budget", "Time or memory ended before the answer was known."),
        Rule("unknown", "The answer could not be found out."),
        Rule("interrupted", "The command was interrupted before the answer was known."),
        Rule("not-run", "After an earlier failure this was not tried."),
        Rule("nothing-to-check", "There is no property to check."),
        Rule("error-in-spec", "The spec has errors."),
        Rule("internal-error", "An error inside Quorate."),
        Rule("idle-action", "An action is never taken in any instance that was explored."),
        Rule("untested-implication", "The left side of an implication is never true in any instance."),
        Rule("unused-lemma", "No property rests on a lemma."),
        Rule("stale-setting", "The configuration speaks of something that is not there."),
    )
}
"""All rules but those of diagnostics, which go by their codes (Q0801)."""

_BY_KIND = {
    "step": "violated-step",
    "deadlock": "deadlock",
    "undefined": "undefined-operation",
    "range": "out-of-range",
}

_BY_OUTCOME = {
    Outcome.VIOLATED: "expectation-not-met",
    Outcome.WEAK: "weaker-than-required",
    Outcome.BUDGET: "out-of-budget",
    Outcome.UNKNOWN: "unknown",
    Outcome.NOTHING: "nothing-to-check",
    Outcome.INTERRUPTED: "interrupted",
    Outcome.INVALID: "error-in-spec",
    Outcome.INTERNAL: "internal-error",
    Outcome.NOT_RUN: "not-run",
}
"""The rules for results as a whole; outcomes that are missing are no finding."""


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    `title` is one line, `text` all there is to tell. `about` is what it is found of (a property, an obligation), so
    that it keeps its `fingerprint` when lines move. `end` is the line and column after its last. `known` findings are
    told, but no failure.
    """

    rule: str
    level: Level
    file: str
    title: str
    text: str
    about: str = ""
    place: Place | None = None
    end: tuple[int, int] | None = None
    trace: Trace | None = None
    known: bool = False

    @property
    def line(self) -> int:
        return self.place.line if self.place is not None else 1

    def fingerprint(self, path: str) -> str:
        """The same for the same thing in the same file, wherever in it that stands."""
        return blake2b("\0".join((self.rule, path, self.about)).encode(), digest_size=16).hexdigest()


def findings(report: Report) -> tuple[Finding, ...]:
    """All findings of all results, in order, then warnings about the files."""
    found = [f for result in report.results for f in _of_result(result)]
    return (*found, *(_of_diagnostic(d, "") for d in report.warnings), *remarks(report.results))


def _of_result(result: Result) -> Iterator[Finding]:
    found = [*(_of_diagnostic(d, result.file) for d in result.diagnostics)]
    if result.verdict is not None:
        found += _of_verdict(result, result.verdict)
    if result.outcome in _BY_OUTCOME and not any(f.level == "error" for f in found):
        found.append(_whole(result))
    elif result.outcome in (Outcome.INTERRUPTED, Outcome.BUDGET, Outcome.WEAK, Outcome.INTERNAL):
        found.append(_whole(result))  # beside what was found before, say that this is not all
    yield from found


def _of_verdict(result: Result, verdict: Verdict) -> Iterator[Finding]:
    for violation in verdict.failures:
        yield _violation(result, verdict, violation)
    for expectation in verdict.expectations:
        if expectation.met is False:
            title = f"{result.name}: expected {expectation.text.removeprefix('expect ')}, found {expectation.found}"
            about = f"{result.name} {expectation.text}"
            yield Finding("expectation-not-met", "error", result.file, title, title, about, expectation.place)
    cut = result.outcome in (Outcome.INTERRUPTED, Outcome.BUDGET)
    for o in verdict.obligations:
        if o.failure is not None:
            yield _not_inductive(result, o)
        elif o.status is Status.UNKNOWN and not cut:
            title = f"{o.name} was not decided"
            yield Finding("not-proved", "error", result.file, title, o.message or title, o.name, o.place)


def _violation(result: Result, verdict: Verdict, violation: PropertyResult) -> Finding:
    unreached = violation.status is Status.UNREACHED
    rule = "unreachable" if unreached else _BY_KIND.get(violation.kind, "violated-invariant")
    title = f"{headline(violation, verdict)} ({verdict.spec}, {result.name})"
    known = not result.is_new(violation)
    return Finding(
        rule,
        "note" if known else "error",
        result.file,
        title,
        result_story(violation, verdict, PLAIN),
        f"{result.name} {violation.name}",
        violation.place or (violation.trace.steps[-1].place if violation.trace and violation.trace.steps else None),
        trace=violation.trace,
        known=known,
    )


def _not_inductive(result: Result, o: ObligationResult) -> Finding:
    assert o.failure is not None
    return Finding(
        "not-inductive",
        "error",
        result.file,
        proof.headline(o),
        proof.failure_story(o, PLAIN),
        o.name,
        o.place,
        trace=o.failure.trace,
    )


def _whole(result: Result) -> Finding:
    """The result itself as a finding, where nothing in it says what is wrong."""
    why = result.message or (result.verdict.reason if result.verdict is not None else "")
    title = f"{result.name or result.file}: {result.outcome.value}" + (f": {why}" if why else "")
    return Finding(_BY_OUTCOME[result.outcome], "error", result.file, title, title, result.name, result.place)


def _of_diagnostic(diagnostic: Diagnostic, file: str) -> Finding:
    span = diagnostic.span
    place = None if span is None else Place(span.source.name, span.line, span.column, span.source.line(span.line))
    return Finding(
        diagnostic.code,
        "error" if diagnostic.severity is Severity.ERROR else "warning",
        file if place is None else place.file,
        diagnostic.message,
        diagnostic.render(),
        diagnostic.message,
        place,
        None if span is None else (span.end_line, span.end_column),
    )


# --- what is suspicious in a spec as a whole --------------------------------------------------------


def remarks(results: Iterable[Result]) -> tuple[Finding, ...]:
    """What no instance of a spec ever does or tests, and lemmas that its proof does not need.

    Only instances that were explored in full can tell, and each of them may leave something to the others.
    """
    by_file: dict[str, list[Verdict]] = {}
    for result in results:
        if result.verdict is not None:
            by_file.setdefault(result.file, []).append(result.verdict)
    return tuple(f for file, verdicts in by_file.items() for f in _remarks(file, verdicts))


def _remarks(file: str, verdicts: list[Verdict]) -> Iterator[Finding]:
    whole = [v for v in verdicts if v.assurance is Assurance.EXHAUSTIVE]
    idle = _in_all([{a.name for a in v.census.actions if a.taken == 0} for v in whole])
    for action in whole[0].census.actions if whole else ():
        if action.name in idle:
            title = f"{action.name} is never taken in any instance"
            yield Finding("idle-action", "warning", file, title, title, action.name, action.place)
    untested = _in_all([{(c.text, c.place) for c in v.census.vacuous} for v in whole])
    for clause in whole[0].census.vacuous if whole else ():
        if (clause.text, clause.place) in untested:
            title = f"never tested: the left side of `{clause.text}` is never true in any instance"
            yield Finding("untested-implication", "warning", file, title, title, clause.text, clause.place)
    for verdict in verdicts:
        places = {p.name: p.place for p in verdict.properties}
        for name in verdict.graph.unused if verdict.graph is not None else ():
            title = f"no property rests on the lemma {name}"
            yield Finding("unused-lemma", "warning", file, title, title, name, places.get(name))


def _in_all(sets: list[set[_T]]) -> set[_T]:
    return set.intersection(*sets) if sets else set()
