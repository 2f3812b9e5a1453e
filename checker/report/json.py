"""Verdicts and traces as JSON documents, and back: the form that tools read and that `show` prints again.

Every dataclass of `verdict` becomes an object with its fields' names; the shape is published as
docs/verdict.schema.json. Nothing here reads files or knows the language.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

from checker.report.results import Report, Result, of_verdict
from checker.source import Diagnostic
from checker.verdict import (
    BagValue,
    MapValue,
    RecordValue,
    SeqValue,
    SetValue,
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


def document(report: Report) -> Json:
    """What one command found, as one JSON value: its results, their verdicts in order, and all diagnostics."""
    verdicts = [r.verdict for r in report.results if r.verdict is not None]
    diagnostics = [d for r in report.results for d in r.diagnostics] + list(report.warnings)
    numbers = iter(range(len(verdicts)))
    return {
        "format": FORMAT,
        "version": VERSION,
        "tool": report.version,
        "exit_code": report.exit_code,
        "results": [_result_to_json(r, None if r.verdict is None else next(numbers)) for r in report.results],
        "verdicts": [verdict_to_json(v) for v in verdicts],
        "diagnostics": [diagnostic_to_json(d) for d in dict.fromkeys(diagnostics)],
    }


def _result_to_json(result: Result, number: int | None) -> Json:
    """A result; its verdict is given by its number among the document's."""
    return {
        "file": result.file,
        "name": result.name,
        "kind": result.kind,
        "outcome": result.outcome.name.lower(),
        "message": result.message,
        "cached": result.cached,
        "known": list(result.known),
        "digest": result.digest,
        "verdict": number,
    }


def verdict_to_json(verdict: Verdict) -> Json:
    """One verdict, complete: `verdict_from_json` gives an equal one back."""
    return dict(encode(verdict))


def trace_to_json(trace: Trace) -> Json:
    """A trace; each state is an object from the variables' full names (`Role.field`) to their values."""
    names = [v.full_name for v in trace.variables]
    return {
        "variables": encode(trace.variables),
        "constants": encode(trace.constants),
        "states": [dict(zip(names, map(value_to_json, state), strict=True)) for state in trace.states],
        "steps": encode(trace.steps),
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


def encode(data: Any) -> Any:
    match data:
        case RecordValue() | SetValue() | BagValue() | SeqValue() | MapValue():
            return value_to_json(data)
        case Trace():
            return trace_to_json(data)
        case Enum():
            return data.name.lower()
        case tuple():
            return [encode(item) for item in data]
        case _ if dataclasses.is_dataclass(data):
            return {f.name: encode(getattr(data, f.name)) for f in dataclasses.fields(data)}
        case _:
            return data


# --- from JSON --------------------------------------------------------------------------------------


def read_results(data: object) -> tuple[Result, ...]:
    """The results of a document that have a verdict, with the files that they are about; raises NotAVerdict."""
    found = read_document(data)
    if isinstance(found, Trace):
        return ()
    files: dict[int, str] = {}
    match data:
        case {"results": list(results)}:
            for each in results:
                match each:
                    case {"verdict": int(number), "file": str(file)}:
                        files[number] = file
    return tuple(of_verdict(verdict, files.get(i, "")) for i, verdict in enumerate(found))


def read_document(data: object) -> tuple[Verdict, ...] | Trace:
    """The verdicts of a document, or of a verdict that stands alone, or a trace that stands alone.

    Raises NotAVerdict for anything else.
    """
    match data:
        case {"format": name} if name != FORMAT:
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


def verdict_from_json(data: Any) -> Verdict:
    """The inverse of `verdict_to_json`; raises NotAVerdict on anything else."""
    verdict = _decode(Verdict, data, "verdict")
    assert isinstance(verdict, Verdict)
    return verdict


def trace_from_json(data: Any) -> Trace:
    """The inverse of `trace_to_json`; raises NotAVerdict on anything else."""
    fields = _object(data, "trace")
    variables: tuple[Variable, ...] = _decode(_hints(Trace)["variables"], fields.get("variables"), "variables")
    steps = _decode(_hints(Trace)["steps"], fields.get("steps"), "steps")
    constants = _decode(_hints(Trace)["constants"], fields.get("constants"), "constants")
    states = _decode(tuple[Any, ...], fields.get("states"), "states")
    if len(states) != len(steps) + 1:
        raise NotAVerdict(f"a trace of {len(steps)} steps has {len(steps) + 1} states, not {len(states)}")
    return Trace(variables, tuple(_state(state, variables) for state in states), steps, constants)


def _state(data: Any, variables: tuple[Variable, ...]) -> tuple[Value, ...]:
    values = _object(data, "state")
    if missing := [v.full_name for v in variables if v.full_name not in values]:
        raise NotAVerdict(f"a state has no value for {missing[0]!r}")
    return tuple(_value(values[v.full_name]) for v in variables)


def _decode(hint: Any, data: Any, what: str) -> Any:
    """The value of the type that `hint` describes; `what` names the place in messages."""
    if hint == Value:
        return _value(data)
    if hint is Any:
        return data
    arguments = typing.get_args(hint)
    match typing.get_origin(hint):
        case types.UnionType | typing.Union:  # always X | None, for values are dealt with above
            return None if data is None else _decode(arguments[0], data, what)
        case typing.Literal:
            return _one_of(arguments, data, what)
        case builtin if builtin is tuple and arguments[-1] is ...:
            return tuple(_decode(arguments[0], item, what) for item in _array(data, what))
        case builtin if builtin is tuple:
            items = _array(data, what)
            if len(items) != len(arguments):
                raise NotAVerdict(f"{what}: {items!r} has not {len(arguments)} items")
            return tuple(_decode(each, item, what) for each, item in zip(arguments, items, strict=True))
        case _:
            return _decode_class(hint, data, what)


def _decode_class(class_: type, data: Any, what: str) -> Any:
    if class_ is Trace:
        return trace_from_json(data)
    if class_ is RecordValue:
        value = _value(data)
        if not isinstance(value, RecordValue):
            raise NotAVerdict(f"{what}: {data!r} is not a message")
        return value
    if issubclass(class_, Enum):
        return class_[_one_of(tuple(member.name.lower() for member in class_), data, what).upper()]
    if dataclasses.is_dataclass(class_):
        return _decode_fields(class_, _object(data, what))
    if class_ is float and type(data) is int:
        return float(data)
    if type(data) is not class_:  # a bool is not taken for an int
        raise NotAVerdict(f"{what}: {data!r} is not of type {class_.__name__}")
    return data


def _decode_fields(class_: type, data: Mapping[str, Any]) -> Any:
    """The dataclass; fields that have a default may be missing, as from an earlier release."""
    values = {}
    for field in dataclasses.fields(class_):
        if field.name in data:
            values[field.name] = _decode(_hints(class_)[field.name], data[field.name], field.name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise NotAVerdict(f"{field.name!r} is missing")
    return class_(**values)


@cache
def _hints(class_: type) -> dict[str, Any]:
    return typing.get_type_hints(class_)


def _value(data: Any) -> Value:
    try:
        return value_from_json(data)
    except (ValueError, TypeError) as error:
        raise NotAVerdict(str(error)) from None


def _one_of(known: tuple[Any, ...], data: Any, what: str) -> Any:
    if data not in known:
        raise NotAVerdict(f"{what}: {data!r} is none of {', '.join(map(str, known))}")
    return data


def _array(data: Any, what: str) -> list[Any]:
    if not isinstance(data, list):
        raise NotAVerdict(f"{what}: {data!r} is not a list")
    return data


def _object(data: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise NotAVerdict(f"{what}: {data!r} is not an object")
    return data
