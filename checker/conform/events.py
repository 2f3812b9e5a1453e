"""Traces as files: the lines that a running system wrote, checked for their form; see `docs/trace-format.md`.

It knows what a line may say, and nothing of the spec that the words are of.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checker.source import Diagnostic, Source, Span, SpecError, did_you_mean

Json = Any

VERSION = 1

MEMBERS = ("node", "action", "args", "received", "heard", "set", "is", "sent", "time", "seq", "note")
_HEADER = ("trace", "spec", "nodes", "complete", "messages", "ordered", "features", "constants")
_MESSAGE = ("id", "type", "from", "to", "fields")


@dataclass(frozen=True)
class Where:
    """A line of a trace."""

    file: str
    line: int
    text: str

    def error(self, code: str, message: str, hint: str | None = None, column: int = 1) -> SpecError:
        source = Source(self.file, "\n" * (self.line - 1) + self.text)
        span = Span(source, self.line, column, self.line, max(column, len(self.text)) + 1)
        return SpecError([Diagnostic(code, message, span, hint)])


@dataclass(frozen=True)
class Event:
    """One line: one step of one node. `sent` is None where nothing is said of messages."""

    where: Where
    node: str | int | None = None
    action: str | None = None
    args: Mapping[str, Json] = field(default_factory=dict)
    received: str | Mapping[str, Json] | None = None
    heard: tuple[str, ...] = ()
    set: Mapping[str, Json] = field(default_factory=dict)
    present: Mapping[str, Json] = field(default_factory=dict)
    sent: tuple[Mapping[str, Json], ...] | None = None
    time: float | None = None
    seq: int | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The ids of messages that were sent before."""
        return (*self.heard, self.received) if isinstance(self.received, str) else self.heard


@dataclass(frozen=True)
class Header:
    """What holds for all of a trace. `where` is the line that says it, of the last file that has one."""

    spec: str | None = None
    nodes: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()
    messages: bool = False
    ordered: bool = False
    constants: Mapping[str, Json] = field(default_factory=dict)
    where: Where = Where("the trace", 1, "")

    def with_(self, other: Header) -> Header:
        """The header of several files together. They are in order only if there is one file.

        Raises SpecError (Q1001) where they contradict each other.
        """
        if self.spec is not None and other.spec is not None and self.spec != other.spec:
            raise other.where.error("Q1001", f"this is a trace of `{other.spec}`, and the one before of `{self.spec}`")
        for name in self.constants.keys() & other.constants.keys():
            if self.constants[name] != other.constants[name]:
                raise other.where.error("Q1001", f"`{name}` has another value in the file before")
        nodes = {**self.nodes}
        for sort, names in other.nodes.items():
            nodes[sort] = tuple(dict.fromkeys((*nodes.get(sort, ()), *names)))
        return Header(
            self.spec or other.spec,
            nodes,
            self.complete | other.complete,
            self.messages or other.messages,
            False,
            {**self.constants, **other.constants},
            other.where,
        )


@dataclass(frozen=True)
class Trace:
    """A trace on disk. It is read as often as its events are asked for, and never kept whole."""

    files: tuple[str, ...]
    header: Header
    _stamps: tuple[tuple[int, int], ...]

    def events(self, file: str) -> Iterator[Event]:
        """The events of one file, in the order of its lines. Raises SpecError (Q0705, Q1001)."""
        first: dict[str, Json] | None = None
        for where, told in _lines(file):
            if first is None:
                first = told
            if "trace" not in told:
                yield _event(where, told)
            elif told != first:
                hint = "a header is the first line of its file; more of them may only repeat it"
                raise where.error("Q1001", "this header is not the one with which the file begins", hint)

    def check_unchanged(self) -> None:
        """Raises SpecError (Q0705) if a file is not what it was when the trace was opened."""
        for file, stamp in zip(self.files, self._stamps, strict=True):
            if _stamp(file) != stamp:
                message = f"`{file}` cannot be read: it was written to meanwhile"
                raise SpecError([Diagnostic("Q0705", message, hint="check a copy of it")])


def open_trace(files: Iterable[str]) -> Trace:
    """A trace of these files, whose headers are read. Raises SpecError (Q0701, Q0705, Q1001)."""
    found: Header | None = None
    names = tuple(dict.fromkeys(files))
    stamps = tuple(map(_stamp, names))
    for file in names:
        header = Header()
        for where, told in _lines(file):
            if "trace" in told:
                header = _header(where, told)
            break
        found = header if found is None else found.with_(header)
    return Trace(names, found or Header(), stamps)


def _stamp(file: str) -> tuple[int, int]:
    """What changes when the file does."""
    try:
        status = os.stat(file)
    except OSError as error:
        raise _unreadable(file, error) from None
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        message = f"`{file}` cannot be read: it is no file, and a trace is read more than once"
        raise SpecError([Diagnostic("Q0705", message, hint="write it to a file first")])
    return status.st_size, status.st_mtime_ns


def _unreadable(file: str, error: OSError) -> SpecError:
    if isinstance(error, FileNotFoundError):
        return SpecError([Diagnostic("Q0701", f"there is no file `{file}`", hint="check the path")])
    return SpecError([Diagnostic("Q0705", f"`{file}` cannot be read: {error.strerror}")])


def _lines(file: str) -> Iterator[tuple[Where, dict[str, Json]]]:
    try:
        with open(file, "rb") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.isspace():
                    where = Where(file, number, _text(file, number, line))
                    yield where, _object(where, line.endswith(b"\n"))
    except OSError as error:
        raise _unreadable(file, error) from None


def _text(file: str, number: int, line: bytes) -> str:
    """The line without a byte order mark and its end. Raises SpecError (Q1001)."""
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        where = Where(file, number, line.decode(errors="replace").rstrip("\r\n"))
        raise where.error("Q1001", "this line is not UTF-8", "a trace is text, with one JSON object a line") from None


def _refuse(name: str) -> Json:
    raise ValueError(f"{name} is no value of JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse)


def _object(where: Where, whole: bool) -> dict[str, Json]:
    """The object that a line is; not `whole`: the file ends within it. Raises SpecError (Q1001)."""
    hint = "a trace has one JSON object a line"
    if not whole:
        hint = "the file ends within this line; if it was not written to its end, remove it"
    try:
        told = _JSON.decode(where.text)
        if "\\ud" in where.text.lower():
            json.dumps(told, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise where.error("Q1001", f"this line is no JSON: {error.msg}", hint, error.colno) from None
    except UnicodeEncodeError:
        raise where.error("Q1001", "this line has half a character: a surrogate without the other one") from None
    except RecursionError:
        raise where.error("Q1001", "this line is nested too deeply") from None
    except ValueError as error:
        raise where.error("Q1001", f"this line cannot be read: {error}") from None
    if not isinstance(told, dict):
        raise where.error("Q1001", "this line is no object", hint)
    return told


def _header(where: Where, told: dict[str, Json]) -> Header:
    _known(where, told, _HEADER, "the header")
    if told["trace"] != VERSION or isinstance(told["trace"], bool):
        raise where.error("Q1001", f"version {told['trace']!r} of the format is not known", f"this reads {VERSION}")
    nodes = _expect(where, told, "nodes", dict, {})
    for sort, names in nodes.items():
        if not isinstance(names, list) or not all(is_name(name) for name in names):
            raise where.error("Q1001", f"the nodes of `{sort}` are no array of names")
    complete = _expect(where, told, "complete", list, [])
    if not all(isinstance(name, str) for name in complete):
        raise where.error("Q1001", "`complete` is no array of names of fields")
    return Header(
        _expect(where, told, "spec", str, None),
        {sort: tuple(names) for sort, names in nodes.items()},
        frozenset(complete),
        _expect(where, told, "messages", bool, False),
        _expect(where, told, "ordered", bool, False),
        _expect(where, told, "constants", dict, {}),
        where,
    )


def _event(where: Where, told: dict[str, Json]) -> Event:
    _known(where, told, MEMBERS, "an event")
    node = told.get("node")
    if node is not None and not is_name(node):
        raise where.error("Q1001", "`node` is no name")
    received = told.get("received")
    if isinstance(received, dict):
        _message(where, received)
    elif received is not None and not isinstance(received, str):
        raise where.error("Q1001", "`received` is neither the id of a message nor a message")
    heard = _expect(where, told, "heard", list, [])
    if not all(isinstance(name, str) for name in heard):
        raise where.error("Q1001", "`heard` is no array of ids of messages")
    sent = _expect(where, told, "sent", list, None)
    for message in sent or ():
        _message(where, message)
    time = told.get("time")
    if time is not None and not isinstance(time, int | float):
        raise where.error("Q1001", "`time` is no number")
    return Event(
        where,
        node,
        _expect(where, told, "action", str, None),
        _expect(where, told, "args", dict, {}),
        received,
        tuple(heard),
        _expect(where, told, "set", dict, {}),
        _expect(where, told, "is", dict, {}),
        None if sent is None else tuple(sent),
        time,
        _expect(where, told, "seq", int, None),
    )


def _message(where: Where, message: Json) -> None:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise where.error("Q1001", "a message is an object with its `type`")
    _known(where, message, _MESSAGE, "a message")
    _expect(where, message, "fields", dict, {})
    _expect(where, message, "id", str, None)
    for end in ("from", "to"):
        if message.get(end) is not None and not is_name(message[end]):
            raise where.error("Q1001", f"`{end}` is no name")


def _known(where: Where, told: Mapping[str, Json], members: tuple[str, ...], what: str) -> None:
    for name in told:
        if name not in members and not name.startswith("x-"):
            hint = did_you_mean(name, members) or f"members are {', '.join(members)}; others begin with `x-`"
            raise where.error("Q1001", f"{what} has no member `{name}`", hint)


def _expect(where: Where, told: Mapping[str, Json], name: str, kind: type, default: Json) -> Json:
    value = told.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise where.error("Q1001", f"`{name}` is not {_KINDS[kind]}")
    return value


_KINDS: Mapping[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "true or false",
    int: "an integer",
}


def is_name(name: Json) -> bool:
    """Whether nodes may be called so."""
    return isinstance(name, str | int) and not isinstance(name, bool)
