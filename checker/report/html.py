"""Verdicts and traces as one HTML page that stands alone: the run drawn and told, each state, and what fails.

The words are those of `text`, `proof` and `story`; the templates lay them out. Everything that comes from a spec is
escaped by the template engine, and the page forbids itself any script but its own and any access to the network.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.report import proof, text
from checker.report.changes import brief
from checker.report.diagram import NOWHERE, Diagram, Slice, diagram
from checker.report.look import TIED, Look, printable
from checker.report.results import Report, Result
from checker.report.story import View, changed, event, sends
from checker.report.table import Table, tables
from checker.verdict import (
    Assurance,
    Clause,
    InductionFailure,
    MapValue,
    ObligationResult,
    Place,
    PropertyResult,
    Status,
    Trace,
    Value,
    Variable,
    Verdict,
    show,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_WIDE = Look(width=1_000_000)  # lines are broken by the browser


@dataclass(frozen=True)
class Row:
    """One row of a story: its number, what happened, its changes (variable, phrase) and sends (phrase, colour)."""

    number: int
    event: str
    changes: tuple[tuple[int, str], ...]
    sends: tuple[tuple[str, int], ...]
    place: str
    slice: Slice
    color: int | None = None  # of the message received


@dataclass(frozen=True)
class Fact:
    """What something that the failing clause speaks of is in the last state, and the step that made it so (0: none)."""

    name: str
    value: str
    since: int
    variable: int


@dataclass(frozen=True)
class Run:
    """One run with all that the page says of it.

    `tone`: bad, expected, warn, plain or good; `why` are the clauses as a tree, `verb` what they do (fail, or are
    reached); `across` is how many facts stand side by side. Each of the `variables` comes with its number and whether
    it is shown at first.
    """

    key: str
    label: str
    title: str
    about: str
    tone: str
    verb: str
    why: tuple[Clause, ...]
    error: str
    place: str
    remarks: tuple[str, ...]
    facts: tuple[Fact, ...]
    across: int
    variables: tuple[tuple[int, Variable, bool], ...]
    diagram: Diagram
    rows: tuple[Row, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Summary:
    """One verdict in short: what it is about, its sentence, and the standing of each property."""

    about: str
    line: str
    tone: str
    properties: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class _Told:
    """A trace and the words that go with it, before it is drawn."""

    title: str
    about: str
    tone: str
    trace: Trace
    why: tuple[Clause, ...] = ()
    verb: str = "fails"
    error: str = ""
    place: Place | None = None
    remarks: tuple[str, ...] = ()
    handled: frozenset[str] | None = None  # the kinds of messages that some action receives
    start: str = "start"
    given: tuple[str, ...] = ()  # what is known of the state that it starts in


def html(report: Report) -> str:
    """The page of all results of a report."""
    return page([result.verdict or _without(result) for result in report.results])


def _without(result: Result) -> Verdict:
    """What the page says of a result that has no verdict: that nothing is known, and why."""
    why = f"{result.outcome.value}: {result.message}"
    unknown = PropertyResult(result.title, result.kind, Status.UNKNOWN, result.place, message=why)
    return Verdict(result.file, result.name, "none", Assurance.INCONCLUSIVE, (unknown,), reason=why)


def page(found: Sequence[Verdict] | Trace) -> str:
    """The page of verdicts, or of a trace alone, as HTML text; the same for the same input."""
    if isinstance(found, Trace):
        count = len(found.steps)
        title = f"A run of {count} step{'' if count == 1 else 's'}"
        told, summaries = [_Told(title, "", "plain", found)], []
    else:
        told = [each for verdict in found for each in _told(verdict)]
        told.sort(key=lambda each: _ORDER.index(each.tone))
        summaries = [_summary(verdict) for verdict in found]
    runs = [_run(f"r{i}", each) for i, each in enumerate(told, start=1)]
    title = runs[0].title if runs else "; ".join(s.about for s in summaries) or "Nothing was checked"
    data = [_data(each.trace, run) for each, run in zip(told, runs, strict=True)]
    return render("trace.html", "trace.js", title=title, runs=runs, summaries=summaries, data=data, nowhere=NOWHERE)


_ORDER = ("bad", "warn", "expected", "plain", "good")


# --- templates --------------------------------------------------------------------------------------


def render(template: str, script: str, **values: Any) -> str:
    """A page from a template, with the style sheet and its script in it; the page lets no other script run."""
    code = _asset("common.js") + _asset(script)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return _environment().get_template(template).render(style=_asset("page.css"), code=code, digest=digest, **values)


def _asset(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = printable
    environment.filters["value"] = lambda value: printable(brief(value))
    environment.filters["at"] = _at
    return environment


def _at(place: Place | None) -> str:
    return printable(f"{place.file}:{place.line}") if place else ""


# --- what is told -----------------------------------------------------------------------------------


def _told(verdict: Verdict) -> Iterator[_Told]:
    """The runs of a verdict: counterexamples, counterexamples to induction, and witnesses."""
    about = _about(verdict)
    for result in verdict.properties:
        if result.trace is not None and not (verdict.obligations and result.status is not Status.REACHED):
            yield _of_property(result, result.trace, verdict, about)
    for o in verdict.obligations:
        if o.failure is not None:
            yield from _of_obligation(o, o.failure, verdict)


def _of_property(result: PropertyResult, trace: Trace, verdict: Verdict, about: str) -> _Told:
    expected = result in verdict.violations and result not in verdict.failures
    reached = result.status is Status.REACHED
    title = text.headline(result, verdict) + (", as expected" if expected else "")
    error = result.message + (f" [{result.code}]" if result.code else "")
    tone = "good" if reached else "expected" if expected else "bad"
    verb = "reached" if reached else "fails"
    return _Told(
        printable(title),
        about,
        tone,
        trace,
        result.clauses,
        verb,
        printable(error),
        result.place,
        (),
        _handled(verdict),
    )


def _handled(verdict: Verdict) -> frozenset[str] | None:
    names = [action.name for action in verdict.census.actions] or [o.action for o in verdict.obligations if o.action]
    return frozenset(name.partition(".on ")[2] for name in names) if names else None


def _of_obligation(o: ObligationResult, failure: InductionFailure, verdict: Verdict) -> Iterator[_Told]:
    sizes = ", ".join(f"{name} {size}" for name, size in failure.sizes)
    about = printable(f"{verdict.spec}, {verdict.instance}" + (f": {sizes}" if sizes else ""))
    why = (failure.clause,) if failure.clause else ()
    remarks = [f"Means: {proof.meaning(o, failure)}."]
    remarks += [f"Try: {suggestion}" for suggestion in failure.suggestions]
    tone = "bad" if failure.reachable else "warn"
    title, told, handled = printable(proof.headline(o)), tuple(map(printable, remarks)), _handled(verdict)
    start, given = "some state in which all that is assumed holds", tuple(map(printable, failure.relevant))
    yield _Told(title, about, tone, failure.trace, why, "fails", "", o.place, told, handled, start, given)
    if failure.run is not None and failure.run.steps:
        title += ": a run from an initial state to where it fails"
        yield _Told(title, about, "bad", failure.run, why, handled=handled)


def _about(verdict: Verdict) -> str:
    if verdict.obligations or verdict.graph is not None:
        return printable(f"{verdict.spec}, {verdict.instance}")
    return printable(text.instance(verdict).replace(TIED, " "))


def _summary(verdict: Verdict) -> Summary:
    proved = bool(verdict.obligations) or verdict.graph is not None
    line = (proof if proved else text).verdict_line(verdict, _WIDE)
    rows = []
    for p in verdict.properties:
        words, tone = proof.standing(p, verdict) if proved else text.standing(p, verdict)
        rows.append((printable(p.name), "" if p.kind == "deadlock" else p.kind, printable(words), tone))
    head = line.partition(":")[0]
    tones = {"holds": "good", "violated": "bad", "violated as expected": "expected", "not as expected": "bad"}
    return Summary(_about(verdict), printable(line), tones.get(head, "warn"), tuple(rows))


# --- one run ----------------------------------------------------------------------------------------


def _run(key: str, told: _Told) -> Run:
    trace = told.trace
    drawn = diagram(trace, told.why, told.handled)
    facts = tuple(_facts(trace, told.why))
    mentioned = " ".join(_texts(told.why))
    variables = tuple((i, v, View().shows(v, mentioned)) for i, v in enumerate(trace.variables))
    return Run(
        key,
        f"{told.title} ({told.about})" if told.about else told.title,
        told.title,
        told.about,
        told.tone,
        told.verb,
        told.why,
        told.error,
        _at(told.place),
        told.remarks,
        facts,
        max([*Counter(fact.variable for fact in facts).values(), 1]),
        variables,
        drawn,
        tuple(_rows(told, drawn)),
        tables(trace),
    )


def _rows(told: _Told, drawn: Diagram) -> Iterator[Row]:
    trace, colors = told.trace, dict(drawn.colors)
    opening = [(-1, fact) for fact in told.given]
    opening += [(-1, f"{name} = {brief(value)}") for name, value in trace.constants]
    opening += [
        (i, f"{v.full_name} = {brief(trace.states[0][i])}") for i, v in enumerate(trace.variables) if v.arbitrary
    ]
    yield Row(0, told.start, tuple((i, printable(line)) for i, line in opening), (), "", drawn.slices[0])
    for n, step in enumerate(trace.steps, start=1):
        changes = tuple(
            (i, line)
            for i, v in enumerate(trace.variables)
            if not v.network  # networks are told as what is sent
            for line in changed(trace, n, i)
        )
        sent = tuple((line, colors.get(name, 0)) for name, line in sends(step))
        color = colors.get(step.received.name) if step.received is not None else None
        yield Row(n, event(step), changes, sent, _at(step.place), drawn.slices[n], color)


def _texts(clauses: Iterable[Clause]) -> Iterator[str]:
    for clause in clauses:
        yield clause.text
        yield from _texts(clause.because)


def _facts(trace: Trace, clauses: tuple[Clause, ...]) -> Iterator[Fact]:
    """What the clauses speak of: the variables that they name, of the nodes that their names stand for."""
    words = set(re.findall(r"\w+", " ".join(_texts(clauses))))
    witnesses = [show(value) for clause in clauses for _, value in clause.witnesses]
    for i, variable in enumerate(trace.variables):
        if variable.network or variable.short_name not in words:
            continue
        last = trace.states[-1][i]
        if not isinstance(last, MapValue):
            yield Fact(printable(variable.full_name), printable(brief(last)), _since(trace, i, None), i)
            continue
        for key, value in last.entries:
            if show(key) in witnesses:
                name = show(key) + "." + variable.short_name if variable.role else f"{variable.name}[{show(key)}]"
                yield Fact(printable(name), printable(brief(value)), _since(trace, i, key), i)


def _since(trace: Trace, i: int, key: Value) -> int:
    """The step that gave a variable, or its entry, the value that it has at the end; 0 if it always had it."""

    def value(n: int) -> Value:
        whole = trace.states[n][i]
        return dict(whole.entries)[key] if isinstance(whole, MapValue) and key is not None else whole

    n = len(trace.steps)
    while n > 0 and value(n - 1) == value(len(trace.steps)):
        n -= 1
    return n


# --- the state at each step -------------------------------------------------------------------------


def _data(trace: Trace, run: Run) -> dict[str, Any]:
    """For the script: the text of each cell at the start, then for each step the cells that it changes."""
    cells = [cell for table in run.tables for row in table.rows for cell in row.cells]
    texts = [[cell.text(state) for cell in cells] for state in trace.states]
    steps = [
        [[k, new] for k, (old, new) in enumerate(zip(texts[n], texts[n + 1], strict=True)) if old != new]
        for n in range(len(trace.steps))
    ]
    return {"start": texts[0], "steps": steps}
