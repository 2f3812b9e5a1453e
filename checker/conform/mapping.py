"""Map files: how the words of a trace become those of a spec; see `docs/conformance.md`.

A map changes events before anybody reads them as steps; it knows names and values as text, and no types.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from checker.conform.events import Event, Header, is_name
from checker.conform.values import Unfit, parts
from checker.source import Diagnostic, SpecError, did_you_mean

Json = Any

_TABLES = {
    "actions": dict,
    "fields": dict,
    "messages": dict,
    "nodes": dict,
    "values": dict,
    "none": dict,
    "constants": dict,
    "node_of": dict,
    "ignore": list,
    "unlogged": list,
    "hidden": list,
    "most_hidden": int,
}


@dataclass(frozen=True)
class Renaming:
    """What a map file says. Names on the left are the trace's.

    `fields` and `none` are asked with the scope first: `Vote.granted` before `granted`, where the scope is the action
    or the message, or of a record within a field that field. `values` are by field. `node_of` names, by action, the
    argument that says whose step it is.
    """

    actions: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, str | int] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    none: Mapping[str, Json] = field(default_factory=dict)
    constants: Mapping[str, Json] = field(default_factory=dict)
    node_of: Mapping[str, str] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()
    unlogged: frozenset[str] = frozenset()
    hidden: tuple[str, ...] = ()
    most_hidden: int = 1

    def header(self, header: Header) -> Header:
        """A header in the words of the spec."""
        complete = frozenset(self.fields.get(name, name) for name in header.complete) - self.unlogged
        nodes = {sort: tuple(self._node(name) for name in names) for sort, names in header.nodes.items()}
        constants = {name: self._value("", name, value) for name, value in header.constants.items()}
        return replace(header, complete=complete, nodes=nodes, constants={**constants, **self.constants})

    def event(self, event: Event) -> Event | None:
        """An event in the words of the spec; None for one that is left out."""
        if self._changes_nothing:
            return event
        if event.action in self.ignore:
            return None
        action = event.action or ""
        args = self._fields(action, event.args)
        node = None if event.node is None else self._node(event.node)
        if self.node_of.get(action) in args:
            node = args.pop(self.node_of[action])
            if not is_name(node):
                raise event.where.error("Q1001", f"`{self.node_of[action]}` says whose step it is, and is no name")
        received = event.received
        return replace(
            event,
            node=node,
            action=self.actions.get(action, action) or None,
            args=args,
            received=self._message(received) if isinstance(received, Mapping) else received,
            set=self._places(event.set),
            present=self._places(event.present),
            sent=None if event.sent is None else tuple(self._message(m) for m in event.sent),
        )

    @cached_property
    def _changes_nothing(self) -> bool:
        return self == Renaming()

    def _node(self, name: str | int) -> str | int:
        return self.nodes.get(str(name), name)

    def _message(self, message: Mapping[str, Json]) -> dict[str, Json]:
        kind = message["type"]
        told = dict(message, type=self.messages.get(kind, kind), fields=self._fields(kind, message.get("fields") or {}))
        for end in ("from", "to"):
            if told.get(end) is not None:
                told[end] = self._node(told[end])
        return told

    def _fields(self, scope: str, given: Mapping[str, Json]) -> dict[str, Json]:
        return {self._name(scope, name): self._value(scope, name, value) for name, value in given.items()}

    def _places(self, given: Mapping[str, Json]) -> dict[str, Json]:
        found = {}
        for place, value in given.items():
            owner = max((name for name in self.nodes if place.startswith(f"{name}.")), key=len, default="")
            name, rest = _split(place[len(owner) + 1 :] if owner else place)
            new = self._name("", name)
            if new not in self.unlogged:
                front = f"{self._node(owner)}." if owner else ""
                found[front + new + "".join(self._part(name, part) for part in rest)] = self._value("", name, value)
        return found

    def _part(self, field: str, part: str) -> str:
        return f"[{self._key(field, part[1:-1])}]" if part.startswith("[") else f".{self._key(field, part[1:])}"

    def _name(self, scope: str, name: str) -> str:
        return self.fields.get(f"{scope}.{name}") or self.fields.get(name, name)

    def _value(self, scope: str, name: str, value: Json) -> Json:
        for key in (f"{scope}.{name}", name):
            if key in self.none and type(value) is type(self.none[key]) and value == self.none[key]:
                return None
            if key in self.values and isinstance(value, str | int):
                table = self.values[key]
                text = str(value).lower() if isinstance(value, bool) else str(value)
                if text in table:
                    return table[text]
        match value:
            case str() | bool() | int():
                return self.nodes.get(str(value), value) if isinstance(value, str) else value
            case list():
                return [self._value(scope, name, item) for item in value]
            case dict():
                return {self._key(name, k): self._value(name, k, v) for k, v in value.items()}
            case _:
                return value

    def _key(self, scope: str, name: str) -> str:
        return str(self.nodes[name]) if name in self.nodes else self._name(scope, name)


def _split(place: str) -> tuple[str, list[str]]:
    """A place as a name and its parts; all of it is the name where it is no place."""
    try:
        name, *rest = parts(place)
    except Unfit:
        return place, []
    return name, rest


def read_map(path: str) -> Renaming:
    """What a map file says. Raises SpecError (Q0701, Q0705, Q1004)."""
    try:
        with open(path, "rb") as stream:
            told = tomllib.load(stream)
    except FileNotFoundError:
        raise SpecError([Diagnostic("Q0701", f"there is no file `{path}`", hint="check the path")]) from None
    except OSError as error:
        raise SpecError([Diagnostic("Q0705", f"`{path}` cannot be read: {error.strerror}")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"is no TOML: {error}") from None
    except RecursionError:
        raise _wrong(path, "is nested too deeply") from None
    for name, value in told.items():
        if name not in _TABLES:
            hint = did_you_mean(name, _TABLES) or f"it may have {', '.join(_TABLES)}"
            raise _wrong(path, f"has an unknown part `{name}`", hint)
        if not isinstance(value, _TABLES[name]) or isinstance(value, bool):
            raise _wrong(path, f"has a `{name}` that is no {_KINDS[_TABLES[name]]}")
        if not _is_json(value):
            raise _wrong(path, f"has a value in `{name}` that no trace has, such as a date")
    for name in ("actions", "fields", "messages", "nodes", "node_of"):
        for key, value in told.get(name, {}).items():
            if not isinstance(value, str) and not (name == "nodes" and type(value) is int):
                raise _wrong(path, f"gives `{key}` in `{name}` no name")
    for key, value in told.get("values", {}).items():
        if not isinstance(value, dict):
            raise _wrong(path, f"has a `{key}` in `values` that is no table of values")
    for name in ("ignore", "unlogged", "hidden"):
        if not all(isinstance(value, str) for value in told.get(name, ())):
            raise _wrong(path, f"has something in `{name}` that is no name")
    if told.get("most_hidden", 0) < 0:
        raise _wrong(path, "has a `most_hidden` that is less than 0")
    for name in ("ignore", "unlogged"):
        told[name] = frozenset(told.get(name, ()))
    told["hidden"] = tuple(told.get("hidden", ()))
    return Renaming(**told)


_KINDS = {dict: "table", list: "list", int: "integer"}


def _wrong(path: str, what: str, hint: str | None = None) -> SpecError:
    return SpecError([Diagnostic("Q1004", f"the map `{path}` {what}", hint=hint)])


def _is_json(value: Json) -> bool:
    match value:
        case dict():
            return all(map(_is_json, value.values()))
        case list():
            return all(map(_is_json, value))
        case float():
            return math.isfinite(value)
        case _:
            return isinstance(value, str | int)
