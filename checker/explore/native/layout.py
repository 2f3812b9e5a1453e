"""Where each variable lies in a packed state, and the way between packed states and the explorer's values.

A packed state is read here as one number, little-endian. Variables are placed so that none straddles two words where
that costs no room. It reads no expression and writes no C.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from functools import cached_property
from typing import assert_never

from checker.explore.domains import Value
from checker.explore.native.shapes import (
    Collection,
    Finite,
    Integer,
    Line,
    Mapping,
    Multiset,
    Nothing,
    Optional,
    Sequence,
    Shape,
    Tagged,
    Tuple,
    bits,
    codes,
    length_bits,
    size,
)
from checker.language import types as ty


@dataclass(frozen=True)
class Field:
    """A variable, or a constant that an instance leaves open: its shape, and its first bit in the state."""

    name: str
    shape: Shape
    at: int


@dataclass(frozen=True)
class Layout:
    """The fields of a state in order of declaration."""

    fields: tuple[Field, ...]

    @cached_property
    def by_name(self) -> Dictionary[str, Field]:
        return {field.name: field for field in self.fields}

    @property
    def state_bytes(self) -> int:
        """The size of a packed state, at least 1."""
        end = max((field.at + bits(field.shape) for field in self.fields), default=0)
        return max(1, (end + 7) // 8)

    def words_of(self, names: Iterable[str]) -> list[int]:
        """In which 64-bit words these fields lie, in order."""
        fields = [self.by_name[name] for name in names]
        ends = [(field.at, field.at + bits(field.shape)) for field in fields]
        return sorted({word for first, end in ends for word in range(first // 64, (end + 63) // 64)})

    def decode(self, packed: bytes) -> tuple[Value, ...]:
        """The values of all fields, in order."""
        number = int.from_bytes(packed, "little")
        return tuple(decode(field.shape, _cut(number, field.at, bits(field.shape))) for field in self.fields)

    def encode(self, values: Iterable[Value]) -> bytes:
        """The inverse of `decode`. Raises ValueError where a list has no room for a value."""
        number = 0
        for field, value in zip(self.fields, values, strict=True):
            number |= encode(field.shape, value) << field.at
        return number.to_bytes(self.state_bytes, "little")


def lay_out(shapes: Iterable[tuple[str, Shape]]) -> Layout:
    """Places fields without straddling words, or tightly if that makes states smaller.

    The runtime stores states in units of four bytes, so it is these that count.
    """
    named = list(shapes)
    tight, loose = _tight(named), _within_words(named)
    return loose if _units(loose) <= _units(tight) else tight


def _units(layout: Layout) -> int:
    return (layout.state_bytes + 3) // 4


def _tight(named: list[tuple[str, Shape]]) -> Layout:
    fields, at = [], 0
    for name, shape in named:
        fields.append(Field(name, shape, at))
        at += bits(shape)
    return Layout(tuple(fields))


def _within_words(named: list[tuple[str, Shape]]) -> Layout:
    """The largest first, each where the least room is left over; rows of more than a word begin with a word."""
    ends: list[int] = []  # the first free bit of each word, counted from its own start
    places: dict[str, int] = {}
    for name, shape in sorted(named, key=lambda pair: -bits(pair[1])):
        width = bits(shape)
        fitting = [i for i, end in enumerate(ends) if end + width <= 64]
        if width > 64 or not fitting:
            places[name] = 64 * len(ends)
            ends.extend([64] * (width // 64) + [width % 64] * (width % 64 > 0))
            continue
        best = max(fitting, key=lambda i: ends[i])
        places[name] = 64 * best + ends[best]
        ends[best] += width
    return Layout(tuple(Field(name, shape, places[name]) for name, shape in named))


# --- values and numbers -----------------------------------------------------------------------------


def _cut(number: int, at: int, width: int) -> int:
    return number >> at & ((1 << width) - 1)


def decode(shape: Shape, number: int) -> Value:
    """The value of a code, or of a row of bits read as a number."""
    match shape:
        case Finite(type_, _):
            return bool(number) if isinstance(type_, ty.Bool) else number
        case Integer(low, _):
            return low + number
        case Optional(item):
            if codes(shape) is None:
                return decode(item, number >> 1) if number & 1 else None
            return decode(item, number - 1) if number else None
        case Tuple():
            return _decode_tuple(shape, number)
        case Mapping(key, value):
            width = bits(value)
            return tuple(decode(value, _cut(number, k * width, width)) for k in range(size(key)))
        case Collection(item, None):
            return frozenset(decode(item, i) for i in range(size(item)) if number >> i & 1)
        case Sequence(_, item, longest):
            width = bits(item)
            count = number >> longest * width
            return tuple(decode(item, _cut(number, (longest - 1 - i) * width, width)) for i in range(count))
        case Collection(item, _):
            return frozenset(decode(item, code) for code in _items(shape, item, number))
        case Multiset(item, _):
            listed = _items(shape, item, number)
            return tuple((decode(item, code), listed.count(code)) for code in dict.fromkeys(listed))
        case Line():
            return tuple(decode(shape.item, code) for code in _items(shape, shape.item, number))
        case Tagged(kinds):
            kind = kinds[number >> shape.payload]
            return kind.type.name, decode(kind, _cut(number, 0, shape.payload))
        case Nothing():
            raise AssertionError("there are no such values")
        case _:
            assert_never(shape)


def _items(shape: Collection | Multiset | Line, item: Shape, number: int) -> list[int]:
    """The codes of the items of a list."""
    head, width = length_bits(shape), bits(item)
    return [_cut(number, head + i * width, width) for i in range(_cut(number, 0, head))]


def _decode_tuple(shape: Tuple, number: int) -> tuple[Value, ...]:
    values: list[Value] = []
    if codes(shape) is None:
        for _, part in shape.fields:
            width = bits(part)
            values.append(decode(part, _cut(number, 0, width)))
            number >>= width
        return tuple(values)
    for _, part in reversed(shape.fields):
        number, code = divmod(number, size(part))
        values.append(decode(part, code))
    return tuple(reversed(values))


def encode(shape: Shape, value: Value) -> int:
    """The code of a value, or its row of bits as a number. Raises ValueError where a list has no room for it."""
    match shape:
        case Finite():
            return int(value)
        case Integer(low, _):
            return int(value) - low
        case Optional(item):
            if value is None:
                return 0
            inside = encode(item, value)
            return inside << 1 | 1 if codes(shape) is None else inside + 1
        case Tuple():
            return _encode_tuple(shape, value)
        case Mapping(_, part):
            return sum(encode(part, v) << k * bits(part) for k, v in enumerate(value))
        case Collection(item, None):
            return sum(1 << encode(item, v) for v in value)
        case Sequence(_, item, longest):
            width = bits(item)
            filled = sum(encode(item, v) << (longest - 1 - i) * width for i, v in enumerate(value))
            return len(value) << longest * width | filled
        case Collection(item, _):
            return _encode_items(shape, item, sorted(encode(item, v) for v in value))
        case Multiset(item, _):
            return _encode_items(shape, item, sorted(encode(item, v) for v, n in value for _ in range(n)))
        case Line():
            return _encode_items(shape, shape.item, [encode(shape.item, v) for v in value])
        case Tagged(kinds):
            kind = next(i for i, k in enumerate(kinds) if k.type.name == value[0])
            return kind << shape.payload | encode(kinds[kind], value[1])
        case Nothing():
            raise AssertionError("there are no such values")
        case _:
            assert_never(shape)


def _encode_items(shape: Collection | Multiset | Line, item: Shape, listed: list[int]) -> int:
    if shape.room is not None and len(listed) > shape.room:
        raise ValueError(f"{len(listed)} items in a list with room for {shape.room}")
    head, width = length_bits(shape), bits(item)
    return len(listed) | sum(code << head + i * width for i, code in enumerate(listed))


def _encode_tuple(shape: Tuple, value: Value) -> int:
    number = 0
    if codes(shape) is None:
        for (_, part), v in zip(reversed(shape.fields), reversed(value), strict=True):
            number = number << bits(part) | encode(part, v)
        return number
    for (_, part), v in zip(shape.fields, value, strict=True):
        number = number * size(part) + encode(part, v)
    return number
