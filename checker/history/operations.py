"""Histories: what the clients of a system asked and were told, read from JSON lines or from Jepsen's EDN.

See `docs/trace-format.md`. An operation that failed was not done and is left out; one of which nobody knows whether it
was done has no end.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from checker.history import edn
from checker.history.values import frozen, shown
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
        with open(path, encoding="utf-8-sig") as stream:
            text = stream.read()
    except FileNotFoundError:
        raise SpecError([Diagnostic("Q0701", f"there is no file `{path}`", hint="check the path")]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SpecError([Diagnostic("Q0705", f"`{path}` cannot be read: {reason}")]) from None
    source = Source(path, text)
    told = _edn(source) if path.endswith(".edn") else _json(source)
    return _operations([event for event in _in_order(told) if event.process is not None], keyed)


# --- events ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Event:
    """`process` is None for what no client did."""

    process: int | None
    type: str
    f: str
    value: Any
    index: Any
    time: Any
    where: Span

    def error(self, message: str, hint: str | None = None) -> SpecError:
        return _error(message, self.where, hint)


def _error(message: str, where: Span, hint: str | None = None) -> SpecError:
    return SpecError([Diagnostic("Q1001", message, where, hint)])


def _line(source: Source, number: int) -> Span:
    line = source.lines[number - 1] if number <= len(source.lines) else ""
    return Span(source, number, 1, number, len(line) + 1)


def _json(source: Source) -> Iterator[_Event]:
    if source.text.lstrip().startswith("["):
        yield from _json_array(source)
        return
    for number, line in enumerate(source.lines, start=1):
        if line.strip():
            where = _line(source, number)
            try:
                told = json.loads(line, parse_constant=_no_number)
            except (ValueError, RecursionError):
                raise _error("this line is no JSON", where, _JSON) from None
            yield _event(told, where)


_JSON = (
    "a history has one JSON object a line, or is one array of them; "
    "Jepsen's own format is read from files that end in `.edn`"
)


def _json_array(source: Source) -> Iterator[_Event]:
    try:
        told = json.loads(source.text, parse_constant=_no_number)
    except ValueError as error:
        number = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise _error("this is no JSON", _line(source, number), _JSON) from None
    except RecursionError:
        raise _error("this is nested too deeply", _line(source, 1)) from None
    for number, item in enumerate(told):
        yield _event(item, _line(source, 1), f" (item {number} of the array)")


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _edn(source: Source) -> Iterator[_Event]:
    try:
        for told, line in edn.values(source.text):
            yield _event(told, _line(source, line))
    except edn.NoEdn as error:
        raise _error(f"this is no EDN: {error}", _line(source, error.line)) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits
        raise SpecError([Diagnostic("Q1001", f"`{source.name}` is no EDN: {error}")]) from None


def _event(told: Any, where: Span, which: str = "") -> _Event:
    if not isinstance(told, dict):
        raise _error(f"an event of a history is an object{which}", where)
    kind, process, f = told.get("type"), told.get("process"), told.get("f")
    if kind not in ("invoke", "ok", "fail", "info"):
        raise _error(f"the `type` of an event is invoke, ok, fail or info, not {kind!r}{which}", where)
    if process == "nemesis":
        process = None
    elif not isinstance(process, int) or isinstance(process, bool):
        hint = "number your clients; `nemesis` is skipped"
        raise _error(f"the `process` of an event is an integer, or nemesis, not {process!r}{which}", where, hint)
    elif not isinstance(f, str):
        raise _error(f"an event has no `f`{which}", where)
    return _Event(process, kind, str(f), told.get("value"), told.get("index"), told.get("time"), where)


def _in_order(events: Iterable[_Event]) -> Iterator[_Event]:
    """The events as they stand, which is the order that counts. Raises SpecError if they say that it is another one."""
    last: _Event | None = None
    for event in events:
        if last is not None:
            if _is_number(event.index) and _is_number(last.index):
                if event.index <= last.index:
                    raise event.error(f"`index` {event.index} comes after {last.index}", _SORT)
            elif _is_number(event.time) and _is_number(last.time) and event.time < last.time:
                raise event.error(f"`time` {event.time} comes after {last.time}", _SORT)
        last = event
        yield event


_SORT = "the order of lines is the order of events: sort them, by a clock that all clients share"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- operations -----------------------------------------------------------------------------------


def _operations(events: Sequence[_Event], keyed: bool) -> tuple[Operation, ...]:
    pending: dict[int | None, tuple[int, _Event]] = {}
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
        if event.f != asked.f:
            raise event.error(f"process {event.process} asked for `{asked.f}`, and is answered `{event.f}`")
        if event.type == "ok":
            found.append(_operation(asked, event, begin, number, keyed))
        elif event.type == "info":
            found.append(_operation(asked, asked, begin, None, keyed))
    found += [_operation(asked, asked, begin, None, keyed) for begin, asked in pending.values()]
    return tuple(sorted(found, key=lambda operation: operation.begin))


def _operation(asked: _Event, answered: _Event, begin: int, end: int | None, keyed: bool) -> Operation:
    key, value = _keyed(asked) if keyed else (None, _frozen(asked, asked.value))
    other, result = _keyed(answered) if keyed else (None, _frozen(answered, answered.value))
    if key != other:
        raise answered.error("the answer is about another key", f"it was asked for {shown(key)}")
    assert asked.process is not None
    return Operation(asked.process, asked.f, key, value, result, begin, end)


def _keyed(event: _Event) -> tuple[Hashable, Hashable]:
    if not isinstance(event.value, list | tuple) or len(event.value) != 2:
        raise event.error("the value is no pair of key and value", "for a single register, give `--model register`")
    return _frozen(event, event.value[0]), _frozen(event, event.value[1])


def _frozen(event: _Event, value: Any) -> Hashable:
    try:
        return frozen(value)
    except ValueError as error:
        raise event.error(f"the value cannot be read: {error}") from None
