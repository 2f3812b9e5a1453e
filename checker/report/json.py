"""Verdicts and traces as JSON documents, and back: the form that tools read and that `show` prints again.

The shape is published as docs/verdict.schema.json; nothing here reads files or knows the language.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from checker.source import Diagnostic
from checker.verdict import (
    ActionCount,
    Assurance,
    Census,
    Clause,
    Expectation,
    Place,
    PropertyResult,
    RecordValue,
    Status,
    Step,
    Trace,
    Value,
    Variable,
    Verdict,
    value_from_json,
    value_to_json,
)

FORMAT = "quorate.verdicts"
VERSION = 1

Json = dict[str, Any]


class NotAVerdict(ValueError):
    """Raised for JSON that is not a document, verdict or trace of this format; the message says what is amiss."""


# --- to JSON ----------------------------------------------------------------------------------------


def document(verdicts: Iterable[Verdict], diagnostics: Iterable[Diagnostic] = (), *, exit_code: int = 0) -> Json:
    """What one command found, as one JSON value: its verdicts in order and what it had to say about the files."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "exit_code": exit_code,
        "verdicts": [verdict_to_json(v) for v in verdicts],
        "diagnostics": [diagnostic_to_json(d) for d in diagnostics],
    }


def verdict_to_json(verdict: Verdict) -> Json:
    """One verdict, complete: `verdict_from_json` gives an equal one back."""
    return {
        "spec": verdict.spec,
        "instance": verdict.instance,
        "engine": verdict.engine,
        "assurance": verdict.assurance.name.lower(),
        "reason": verdict.reason,
        "depth_bound": verdict.depth_bound,
        "seconds": verdict.seconds,
        "seed": verdict.seed,
        "sizes": [list(pair) for pair in verdict.sizes],
        "properties": [_property_to_json(p) for p in verdict.properties],
        "expectations": [_expectation_to_json(e) for e in verdict.expectations],
        "census": _census_to_json(verdict.census),
    }


def trace_to_json(trace: Trace) -> Json:
    """A trace; each state is an object from the variables' full names (`Role.field`) to their values."""
    names = [v.full_name for v in trace.variables]
    return {
        "variables": [_variable_to_json(v) for v in trace.variables],
        "constants": _pairs_to_json(trace.constants),
        "states": [dict(zip(names, map(value_to_json, state), strict=True)) for state in trace.states],
        "steps": [_step_to_json(s) for s in trace.steps],
    }


def diagnostic_to_json(diagnostic: Diagnostic) -> Json:
    """A diagnostic with its place as numbers, for editors and CI systems."""
    span = diagnostic.span
    place = None
    if span is not None:
        place = {
            "file": span.source.name,
            "line": span.line,
            "column": span.column,
            "end_line": span.end_line,
            "end_column": span.end_column,
        }
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "place": place,
    }


def _pairs_to_json(pairs: tuple[tuple[str, Value], ...]) -> list[list[Any]]:
    return [[name, value_to_json(value)] for name, value in pairs]


def _place_to_json(place: Place | None) -> Json | None:
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "column": place.column, "text": place.text}


def _clause_to_json(clause: Clause) -> Json:
    return {
        "text": clause.text,
        "witnesses": _pairs_to_json(clause.witnesses),
        "place": _place_to_json(clause.place),
        "because": [_clause_to_json(c) for c in clause.because],
    }


def _property_to_json(result: PropertyResult) -> Json:
    return {
        "name": result.name,
        "kind": result.kind,
        "status": result.status.value,
        "message": result.message,
        "place": _place_to_json(result.place),
        "clauses": [_clause_to_json(c) for c in result.clauses],
        "trace": None if result.trace is None else trace_to_json(result.trace),
    }


def _expectation_to_json(expectation: Expectation) -> Json:
    return {
        "text": expectation.text,
        "met": expectation.met,
        "found": expectation.found,
        "about": expectation.about,
        "place": _place_to_json(expectation.place),
    }


def _census_to_json(census: Census) -> Json:
    return {
        "states": census.states,
        "transitions": census.transitions,
        "depth": census.depth,
        "frontier": census.frontier,
        "actions": [
            {"name": a.name, "taken": a.taken, "discovered": a.discovered, "place": _place_to_json(a.place)}
            for a in census.actions
        ],
        "bounds": [list(pair) for pair in census.bounds],
        "vacuous": [_clause_to_json(c) for c in census.vacuous],
    }


def _variable_to_json(variable: Variable) -> Json:
    return {
        "name": variable.name,
        "role": variable.role,
        "network": variable.network,
        "ghost": variable.ghost,
        "arbitrary": variable.arbitrary,
    }


def _step_to_json(step: Step) -> Json:
    return {
        "action": step.action,
        "kind": step.kind,
        "node": step.node,
        "arguments": _pairs_to_json(step.arguments),
        "received": None if step.received is None else value_to_json(step.received),
        "sent": [value_to_json(m) for m in step.sent],
        "place": _place_to_json(step.place),
    }


# --- from JSON --------------------------------------------------------------------------------------


def read_document(data: object) -> tuple[Verdict, ...] | Trace:
    """The verdicts of a document, or of a verdict that stands alone, or a trace that stands alone.

    Raises NotAVerdict for anything else.
    """
    try:
        match data:
            case {"format": str(name)} if name != FORMAT:
                raise NotAVerdict(f"its format is {name!r}, not {FORMAT!r}")
            case {"format": _, "version": version} if version != VERSION:
                raise NotAVerdict(f"it is written in version {version} of the format; this program reads {VERSION}")
            case {"format": _, "verdicts": list(verdicts)}:
                return tuple(map(verdict_from_json, verdicts))
            case {"states": _, "steps": _, "variables": _}:
                return trace_from_json(data)
            case {"assurance": _, "properties": _}:
                return (verdict_from_json(data),)
            case _:
                raise NotAVerdict("it holds neither verdicts nor a trace")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, NotAVerdict):
            raise
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise NotAVerdict(what) from error


def verdict_from_json(data: Any) -> Verdict:
    """The inverse of `verdict_to_json`; raises KeyError, TypeError or ValueError on anything else."""
    return Verdict(
        spec=_text(data["spec"]),
        instance=_text(data["instance"]),
        engine=_text(data["engine"]),
        assurance=_assurance(data["assurance"]),
        properties=tuple(map(_property_from_json, _list(data["properties"]))),
        sizes=tuple((_text(name), _text(size)) for name, size in _list(data["sizes"])),
        census=_census_from_json(data["census"]),
        expectations=tuple(map(_expectation_from_json, _list(data["expectations"]))),
        reason=_text(data["reason"]),
        depth_bound=None if data["depth_bound"] is None else int(data["depth_bound"]),
        seconds=float(data["seconds"]),
        seed=None if data["seed"] is None else int(data["seed"]),
    )


def trace_from_json(data: Any) -> Trace:
    """The inverse of `trace_to_json`; raises KeyError, TypeError or ValueError on anything else."""
    variables = tuple(map(_variable_from_json, _list(data["variables"])))
    states = tuple(tuple(value_from_json(state[v.full_name]) for v in variables) for state in _list(data["states"]))
    steps = tuple(map(_step_from_json, _list(data["steps"])))
    if len(states) != len(steps) + 1:
        raise ValueError(f"a trace of {len(steps)} steps has {len(steps) + 1} states, not {len(states)}")
    return Trace(variables, states, steps, _pairs_from_json(data["constants"]))


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise TypeError(f"{data!r} is not a text")
    return data


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError(f"{data!r} is not a list")
    return data


def _assurance(data: Any) -> Assurance:
    try:
        return Assurance[_text(data).upper()]
    except KeyError:
        raise ValueError(f"{data!r} is no assurance") from None


def _pairs_from_json(data: Any) -> tuple[tuple[str, Value], ...]:
    return tuple((_text(name), value_from_json(value)) for name, value in _list(data))


def _place_from_json(data: Any) -> Place | None:
    if data is None:
        return None
    return Place(_text(data["file"]), int(data["line"]), int(data["column"]), _text(data["text"]))


def _clause_from_json(data: Any) -> Clause:
    return Clause(
        _text(data["text"]),
        _pairs_from_json(data["witnesses"]),
        _place_from_json(data["place"]),
        tuple(map(_clause_from_json, _list(data["because"]))),
    )


def _property_from_json(data: Any) -> PropertyResult:
    return PropertyResult(
        name=_text(data["name"]),
        kind=_text(data["kind"]),
        status=Status(data["status"]),
        place=_place_from_json(data["place"]),
        trace=None if data["trace"] is None else trace_from_json(data["trace"]),
        clauses=tuple(map(_clause_from_json, _list(data["clauses"]))),
        message=_text(data["message"]),
    )


def _expectation_from_json(data: Any) -> Expectation:
    met, about = data["met"], data["about"]
    if not (met is None or isinstance(met, bool)):
        raise TypeError(f"{met!r} is neither true, false nor null")
    return Expectation(
        _text(data["text"]),
        met,
        _text(data["found"]),
        _place_from_json(data["place"]),
        None if about is None else _text(about),
    )


def _census_from_json(data: Any) -> Census:
    return Census(
        states=int(data["states"]),
        transitions=int(data["transitions"]),
        depth=int(data["depth"]),
        frontier=int(data["frontier"]),
        actions=tuple(
            ActionCount(_text(a["name"]), int(a["taken"]), int(a["discovered"]), _place_from_json(a["place"]))
            for a in _list(data["actions"])
        ),
        bounds=tuple((_text(name), int(count)) for name, count in _list(data["bounds"])),
        vacuous=tuple(map(_clause_from_json, _list(data["vacuous"]))),
    )


def _variable_from_json(data: Any) -> Variable:
    return Variable(
        _text(data["name"]),
        None if data["role"] is None else _text(data["role"]),
        bool(data["network"]),
        bool(data["ghost"]),
        bool(data["arbitrary"]),
    )


_KINDS = ("action", "timeout", "on", "crash", "lose")


def _step_from_json(data: Any) -> Step:
    kind = data["kind"]
    if kind not in _KINDS:
        raise ValueError(f"{kind!r} is no kind of step")
    return Step(
        action=_text(data["action"]),
        kind=kind,
        arguments=_pairs_from_json(data["arguments"]),
        node=None if data["node"] is None else _text(data["node"]),
        received=None if data["received"] is None else _message(data["received"]),
        sent=tuple(map(_message, _list(data["sent"]))),
        place=_place_from_json(data["place"]),
    )


def _message(data: Any) -> RecordValue:
    value = value_from_json(data)
    if not isinstance(value, RecordValue):
        raise TypeError(f"{data!r} is not a message")
    return value
