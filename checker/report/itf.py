"""Traces in the Informal Trace Format (Apalache's ADR 15), which other tools of the field read and draw.

Numbers are `#bigint`, sets `#set`, maps `#map`, a bag a map to numbers, a record or message a variant whose tag is its
name; `none`, elements of sorts and enumerators are strings. The ends of a message are called `sender` and `receiver`.
What the format has no place for stands under `#meta`: property, clauses, actions, messages, tool and digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, assert_never

from checker.report.results import Report, Result
from checker.report.story import event
from checker.verdict import (
    BagValue,
    Clause,
    MapValue,
    Place,
    RecordValue,
    SeqValue,
    SetValue,
    Status,
    Step,
    Trace,
    Value,
    show,
)

DESCRIPTION = "https://apalache-mc.org/docs/adr/015adr-trace.html"

Json = dict[str, Any]

_ENDS = {"from": "sender", "to": "receiver"}


@dataclass(frozen=True)
class Shown:
    """A trace and what it shows `about` a property: a violation, a witness, or a counterexample to induction."""

    result: Result
    trace: Trace
    about: str
    kind: str
    status: str
    clauses: tuple[Clause, ...]

    @property
    def file_name(self) -> str:
        """A name for a file of its own."""
        spec = self.result.verdict.spec if self.result.verdict is not None else "spec"
        words = (spec, self.result.name, self.about)
        return "-".join(re.sub(r"[^\w.]+", "_", word) for word in words) + ".itf.json"


def traces(report: Report, witnesses: frozenset[str] = frozenset()) -> tuple[Shown, ...]:
    """All counterexamples, expected or not, and the witnesses that were asked for by name."""
    return tuple(shown for result in report.results for shown in _traces(result, witnesses))


def _traces(result: Result, witnesses: frozenset[str]) -> Iterator[Shown]:
    verdict = result.verdict
    if verdict is None:
        return
    for p in verdict.properties:
        if p.trace is not None and p.status is Status.VIOLATED:
            yield Shown(result, p.trace, p.name, p.kind, "violation", p.clauses)
        elif p.trace is not None and p.name in witnesses:
            yield Shown(result, p.trace, p.name, p.kind, "ok", p.clauses)
    for o in verdict.obligations:
        if o.failure is not None:
            clauses = () if o.failure.clause is None else (o.failure.clause,)
            yield Shown(result, o.failure.trace, o.name, "counterexample to induction", "violation", clauses)


def itf(shown: Shown, report: Report) -> str:
    """One trace as a file, as text."""
    trace = shown.trace
    names = [v.full_name for v in trace.variables]
    params = [name for name, _ in trace.constants]
    first = {name: value_to_itf(value) for name, value in trace.constants}
    steps: list[Step | None] = [None, *trace.steps]
    states = [
        {"#meta": _state_meta(n, step), **(first if n == 0 else {}), **_values(names, state)}
        for n, (step, state) in enumerate(zip(steps, trace.states, strict=True))
    ]
    document: Json = {"#meta": _meta(shown, report), "vars": names, "states": states}
    if params:
        document["params"] = params
    return json.dumps(document, indent=1) + "\n"


def _values(names: list[str], state: tuple[Value, ...]) -> Json:
    return dict(zip(names, map(value_to_itf, state), strict=True))


def _meta(shown: Shown, report: Report) -> Json:
    verdict, result = shown.result.verdict, shown.result
    assert verdict is not None
    meta: Json = {
        "format": "ITF",
        "format-description": DESCRIPTION,
        "source": report.path(result.file),
        "status": shown.status,
        "description": f"Created by Quorate {report.version}",
        "spec": verdict.spec,
        "instance": verdict.instance,
        "sizes": dict(verdict.sizes),
        "property": shown.about,
        "kind": shown.kind,
        "clauses": [_clause(clause) for clause in shown.clauses],
        "variables": {
            v.full_name: {"role": v.role, "network": v.network, "ghost": v.ghost} for v in shown.trace.variables
        },
    }
    if result.digest:
        meta["digest"] = result.digest
    if verdict.seed is not None:
        meta["seed"] = verdict.seed
    return meta


def _clause(clause: Clause) -> Json:
    told: Json = {"text": clause.text, "witnesses": {name: show(value) for name, value in clause.witnesses}}
    return told if clause.place is None else {**told, "location": _location(clause.place)}


def _location(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"


def _state_meta(n: int, step: Step | None) -> Json:
    """The state's number, and the step that led to it."""
    meta: Json = {"index": n}
    if step is None:
        return meta
    meta |= {"action": step.action, "kind": step.kind, "event": event(step)}
    meta["picks"] = {name: value_to_itf(value) for name, value in step.arguments}
    if step.node is not None:
        meta["node"] = step.node
    if step.received is not None:
        meta["received"] = value_to_itf(step.received)
    if step.sent:
        meta["sent"] = [value_to_itf(sent) for sent in step.sent]
    return meta if step.place is None else {**meta, "location": _location(step.place)}


def value_to_itf(value: Value) -> Any:
    """A value as the format writes it; elements of sets and maps keep the order of their type."""
    match value:
        case None:
            return "none"
        case bool() | str():
            return value
        case int():
            return {"#bigint": str(value)}
        case RecordValue(name, fields):
            return {"tag": name, "value": {_field(key, value): value_to_itf(v) for key, v in fields}}
        case SetValue(items):
            return {"#set": [value_to_itf(v) for v in items]}
        case BagValue(items):
            return {"#map": [[value_to_itf(v), value_to_itf(n)] for v, n in items]}
        case SeqValue(items):
            return [value_to_itf(v) for v in items]
        case MapValue(entries):
            return {"#map": [[value_to_itf(k), value_to_itf(v)] for k, v in entries]}
        case _:
            assert_never(value)


def _field(name: str, value: RecordValue) -> str:
    """`sender` for `from`, which is a keyword for some readers; unless a field is called so."""
    other = _ENDS.get(name, name)
    return name if other in dict(value.fields) else other
