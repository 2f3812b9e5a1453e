"""Values as traces write them, read by the types of the spec; and the elements and sizes that a trace speaks of.

A trace is read twice: first to learn how many elements there are (`Names` grows), then for its values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

from checker.explore.domains import Domains, Value
from checker.explore.instance import MOST_ELEMENTS
from checker.language import ir
from checker.language import types as ty
from checker.source import did_you_mean

Json: TypeAlias = Any


class Unfit(Exception):
    """A value that is not of its type; the message is a sentence, and `hint` a way out."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass
class Names:
    """The elements of each sort by the name that the trace gives them, and the last position of each order."""

    elements: dict[str, dict[str | int, int]] = field(default_factory=dict)
    greatest: dict[str, int] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()  # sorts and orders that the header lists in full

    def element(self, sort: str, name: str | int) -> int:
        known = self.elements.setdefault(sort, {})
        if name not in known and sort in self.closed:
            hint = did_you_mean(str(name), map(str, known)) or f"the header lists {', '.join(map(str, known))}"
            raise Unfit(f"`{name}` is no {sort}", hint)
        return known.setdefault(name, len(known))

    def see(self, order: str, position: int) -> None:
        last = self.greatest.get(order, 0)
        if position <= last:
            return
        if order in self.closed:
            raise Unfit(f"`{position}` is no {order}", f"the header lists 0 to {last}")
        if position >= MOST_ELEMENTS:
            raise Unfit(f"`{position}` is too far in {order}", f"an order has at most {MOST_ELEMENTS:,} elements")
        self.greatest[order] = position


@dataclass
class Reader:
    """Reads values. Without `domains` it only takes note of names and sizes, and what it returns is of no use."""

    spec: ir.Spec
    names: Names
    domains: Domains | None = None

    def __post_init__(self) -> None:
        self._fields: dict[ty.Type, tuple[tuple[str, ty.Type], ...]] = {}
        for record in self.spec.records:
            self._fields[ty.Record(record.name)] = record.fields
        for message in self.spec.messages:
            self._fields[ty.Message(message.name)] = message.layout
        self._enums = {e.name: {value: i for i, value in enumerate(e.values)} for e in self.spec.enums}
        self._quorums = {q.name: q.of for q in self.spec.quorums}
        self._blank: dict[ty.Type, Value] = {}

    def fields(self, type_: ty.Type) -> tuple[tuple[str, ty.Type], ...]:
        """Names and types of the places of a record or message."""
        return self._fields[type_]

    def value(self, type_: ty.Type, raw: Json) -> Value:
        """The value that is written so. Raises Unfit."""
        match type_:
            case ty.Bool():
                return _of(raw, bool, type_)
            case ty.Int():
                return _integer(raw, type_)
            case ty.Range():
                return self._in_range(type_, _integer(raw, type_))
            case ty.Order(name):
                position = _integer(raw, type_)
                if position < 0:
                    raise Unfit(f"{position} is no {name}: its elements count from 0")
                self.names.see(name, position)
                return position
            case ty.Sort(name):
                if isinstance(raw, bool) or not isinstance(raw, str | int):
                    raise Unfit(f"{_shown(raw)} is no {name}: an element is a string or an integer")
                return self.names.element(name, raw)
            case ty.Enum(name):
                return self._enumerator(name, raw)
            case ty.Option(item):
                return None if raw is None else self.value(item, raw)
            case ty.Record():
                return self._record(type_, raw)
            case ty.Set(item):
                return frozenset([self.value(item, each) for each in _of(raw, list, type_)])
            case ty.Quorum(name):
                return self._quorum(name, raw)
            case ty.Seq(_, item):
                return self._sequence(type_, [self.value(item, each) for each in _of(raw, list, type_)])
            case ty.Map(key, item):
                return self._map(key, item, _of(raw, dict, type_))
            case ty.Message() | ty.Bag() | ty.Queue():
                raise Unfit(f"a trace does not write {ty.show(type_)}")
            case _:
                assert_never(type_)

    def key(self, type_: ty.Type, text: str) -> Value:
        """The key of a map, which is written as text."""
        match type_:
            case ty.Order() | ty.Range() | ty.Int():
                if (number := whole(text)) is None:
                    raise Unfit(f"`{text}` is no {ty.show(type_)}")
                return self.value(type_, number)
            case ty.Bool():
                return self.value(type_, {"true": True, "false": False}.get(text))
            case ty.Sort(name):
                known = self.names.elements.get(name, {})
                number = whole(text)
                return self.value(type_, text if text in known or number not in known else number)
            case ty.Enum():
                return self.value(type_, text)
            case _:
                raise Unfit(f"keys of type {ty.show(type_)} cannot be written in a trace")

    def place_of(self, type_: ty.Type, key: Value) -> int:
        """Where a map keeps the value of a key."""
        low = self.domains.bounds(type_)[0] if isinstance(type_, ty.Range) and self.domains else 0
        place: int = key - low
        return place

    # --- parts --------------------------------------------------------------------------------------

    def _in_range(self, type_: ty.Range, value: int) -> int:
        if self.domains is not None:
            low, high = self.domains.bounds(type_)
            if not low <= value <= high:
                raise Unfit(f"{value} is outside {low}..{high}")
        return value

    def _enumerator(self, name: str, raw: Json) -> int:
        known = self._enums[name]
        if not isinstance(raw, str) or raw not in known:
            raise Unfit(f"{_shown(raw)} is no {name}", did_you_mean(str(raw), known) or f"it is {', '.join(known)}")
        return known[raw]

    def _record(self, type_: ty.Record, raw: Json) -> Value:
        given = dict(_of(raw, dict, type_))
        values = []
        for name, field_type in self._fields[type_]:
            if name not in given and not isinstance(field_type, ty.Option):
                raise Unfit(f"the {type_.name} has no `{name}`")
            values.append(self.value(field_type, given.pop(name, None)))
        if given:
            name = next(iter(given))
            raise Unfit(f"{type_.name} has no field `{name}`", did_you_mean(name, (f for f, _ in self._fields[type_])))
        return tuple(values)

    def _quorum(self, name: str, raw: Json) -> Value:
        members = frozenset(self.value(self._quorums[name], each) for each in _of(raw, list, ty.Quorum(name)))
        if self.domains is None:
            return 0
        family = self.domains.families[name]
        if members not in family:
            raise Unfit(f"{_shown(raw)} is no {name}")
        return family.index(members)

    def _sequence(self, type_: ty.Seq, items: list[Value]) -> Value:
        if isinstance(type_.index, ty.Order):
            self.names.see(type_.index.name, len(items))
        return tuple(items)

    def _map(self, key: ty.Type, item: ty.Type, raw: Mapping[str, Json]) -> Value:
        given = [(self.key(key, name), self.value(item, value)) for name, value in raw.items()]
        if self.domains is None:
            return ()
        size = self.domains.size(key)
        values = [None] * size if len(given) >= size else [self.blank(item)] * size
        for place, value in given:
            values[self.place_of(key, place)] = value
        return tuple(values)

    def blank(self, type_: ty.Type) -> Value:
        """As `blank`, under the domains of the trace."""
        if type_ not in self._blank:
            assert self.domains is not None
            self._blank[type_] = blank(self.domains, type_)
        return self._blank[type_]


def blank(domains: Domains, type_: ty.Type) -> Value:
    """What a key that is left out has: none, false, zero, nothing. Raises Unfit where that is no value."""
    match type_:
        case ty.Bool():
            return False
        case ty.Int() | ty.Order():
            return 0
        case ty.Range():
            low, high = domains.bounds(type_)
            return min(max(0, low), high)
        case ty.Option():
            return None
        case ty.Set():
            return frozenset()
        case ty.Seq():
            return ()
        case ty.Map(key, item):
            return (blank(domains, item),) * domains.size(key)
        case _:
            raise Unfit(f"a key is left out, and {ty.show(type_)} has no value that could be meant")


def _of(raw: Json, kind: type, type_: ty.Type) -> Any:
    if not isinstance(raw, kind):
        raise Unfit(f"{_shown(raw)} is no {ty.show(type_)}", f"it is written as {_WRITTEN[kind]}")
    return raw


_WRITTEN = {bool: "true or false", list: "an array", dict: "an object"}


def _integer(raw: Json, type_: ty.Type) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise Unfit(f"{_shown(raw)} is no {ty.show(type_)}", "it is written as an integer")
    return raw


def _shown(raw: Json) -> str:
    text = json.dumps(raw)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def whole(text: Json) -> int | None:
    """The number that this is, or is the text of; None for anything else, and for what is larger than all sizes."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", str(text)) else None


def named(type_: ty.Type) -> frozenset[str]:
    """The sorts and orders whose elements values of the type are made of, but for those in records."""
    match type_:
        case ty.Sort(name) | ty.Order(name):
            return frozenset({name})
        case ty.Option(item) | ty.Set(item):
            return named(item)
        case ty.Map(key, item):
            return named(key) | named(item)
        case ty.Seq(index, item):
            return named(index) | named(item)
        case _:
            return frozenset()


def parts(place: str) -> Iterator[str]:
    """The parts of a place as text: `log[3].term` is `log`, `[3]`, `.term`. Raises Unfit."""
    found = re.findall(r"\[[^\[\]]*\]|\.?[^.\[\]]+", place)
    if "".join(found) != place or not found or found[0].startswith(("[", ".")):
        raise Unfit(f"`{place}` is no place", "write `field`, `field[key]` or `field.part`")
    yield from found
