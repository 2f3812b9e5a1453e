"""Histories: what the clients of a system asked and were told, read from JSON lines or from Jepsen's EDN.

See `docs/trace-format.md`. An operation that failed was not done and is left out; one of which nobody knows whether it
was done has no end.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from checker.history import edn
from checker.source import Diagnostic, Source, Span, SpecError


@dataclass(frozen=True)
class Operation:
    """One operation: between `begin` and `end`, counted in events of the history, it was done, if it was.

    `end` is None where nobody knows whether it was done; it may be at any later time. `value` is what was asked for,
    `result` what was answered. `key` is None where there is only one object.
    """

    process: int
    f: str
    key: Hashable
    value: Hashable
    result: Hashable
    begin: int
    end: int | None

    @property
    def known(self) -> bool:
        return self.end is not None

    def precedes(self, other: Operation) -> bool:
        """Whether it was over before the other began."""
        return self.end is not None and self.end < other.begin


def read_history(path: str, keyed: bool) -> tuple[Operation, ...]:
    """The operations of a file, in the order in which they began. Raises SpecError (Q0701, Q0705, Q1001).

    `keyed`: each value is a pair of a key and the value proper.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except FileNotFoundError:
        raise SpecError([Diagnostic("Q0701", f"there is no file `{path}`", hint="check the path")]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SpecError([Diagnostic("Q0705", f"`{path}` cannot be read: {reason}")]) from None
    events = list(_edn(path, text) if path.endswith(".edn") else _json(path, text))
    return _operations(events, keyed)


@dataclass(frozen=True)
class _Event:
    process: int
    type: str
    f: str
    value: Any
    where: Span | None
    path: str

    def error(self, message: str, hint: str | None = None) -> SpecError:
        return SpecError([Diagnostic("Q1001", message, self.where, hint)])


def _json(path: str, text: str) -> Iterator[_Event]:
    source = Source(path, text)
    for number, line in enumerate(source.lines, start=1):
        if not line.strip():
            continue
        where = Span(source, number, 1, number, len(line) + 1)
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            hint = "a history has one JSON object a line; Jepsen's own format is read from files that end in `.edn`"
            raise SpecError([Diagnostic("Q1001", "this line is no JSON", where, hint)]) from None
        yield from _event(path, told, where)


def _edn(path: str, text: str) -> Iterator[_Event]:
    try:
        found = list(edn.values(text))
    except (ValueError, RecursionError) as error:
        raise SpecError([Diagnostic("Q1001", f"`{path}` is no EDN: {error}")]) from None
    for told in found[0] if len(found) == 1 and isinstance(found[0], tuple) else found:
        yield from _event(path, told, None)


def _event(path: str, told: Any, where: Span | None) -> Iterator[_Event]:
    problem = None
    if not isinstance(told, dict):
        problem = "an event of a history is an object"
    elif told.get("type") not in ("invoke", "ok", "fail", "info"):
        problem = f"the `type` of an event is invoke, ok, fail or info, not {told.get('type')!r}"
    elif not isinstance(told.get("f"), str):
        problem = "an event has no `f`"
    if problem is not None:
        raise SpecError([Diagnostic("Q1001", f"{problem} (in `{path}`)", where)])
    process = told.get("process")
    if isinstance(process, int) and not isinstance(process, bool):  # others are no clients, such as `nemesis`
        yield _Event(process, told["type"], told["f"], told.get("value"), where, path)


def _operations(events: Sequence[_Event], keyed: bool) -> tuple[Operation, ...]:
    pending: dict[int, tuple[int, _Event]] = {}
    found: list[Operation] = []
    for number, event in enumerate(events):
        if event.type == "invoke":
            if event.process in pending:
                raise event.error(f"process {event.process} asks again before it was answered")
            pending[event.process] = (number, event)
            continue
        if event.process not in pending:
            if event.type == "info":
                continue  # a remark of the harness
            raise event.error(f"process {event.process} is answered, and has not asked")
        begin, asked = pending.pop(event.process)
        if event.type != "fail":
            found.append(_operation(asked, event, begin, number if event.type == "ok" else None, keyed))
    found += [_operation(asked, asked, begin, None, keyed) for begin, asked in pending.values()]
    return tuple(sorted(found, key=lambda operation: operation.begin))


def _operation(asked: _Event, answered: _Event, begin: int, end: int | None, keyed: bool) -> Operation:
    key, value = _keyed(asked) if keyed else (None, asked.value)
    _, result = _keyed(answered) if keyed else (None, answered.value)
    return Operation(asked.process, asked.f, _frozen(key), _frozen(value), _frozen(result), begin, end)


def _keyed(event: _Event) -> tuple[Any, Any]:
    if not isinstance(event.value, list | tuple) or len(event.value) != 2:
        raise event.error("the value is no pair of key and value", "for a single register, give `--model register`")
    return event.value[0], event.value[1]


def _frozen(value: Any) -> Hashable:
    match value:
        case list() | tuple():
            return tuple(map(_frozen, value))
        case dict():
            return tuple(sorted((str(k), _frozen(v)) for k, v in value.items()))
        case _:
            assert isinstance(value, Hashable)
            return value
