"""Shapes: how values look in generated C, with every size a number.

A value whose shape has at most 2^62 codes is one 64-bit word, its code; others are rows of bits, laid out by parts.
A shape says how many bits that takes and where the parts are; it knows no state, no expression and no C.

Codes follow the order of values where there is one: options put none at 0, records and messages count as numbers in
mixed radix with the first field most significant, sets are bit masks over the codes of their items, sequences have
their length above their items, the first item next to it. Integers have their distance from the least value as code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias, assert_never

from checker.explore.domains import Domains
from checker.language import types as ty

MOST_CODES = 1 << 62
"""A shape with more codes than this is wide."""

BIT_SET = 512
"""Sets over at most this many codes are bit sets; over more, whatever takes less room."""


class Unsupported(Exception):
    """The native engine cannot do something, for the reason given in one clause; the interpreter can."""


@dataclass(frozen=True)
class Nothing:
    """No values: the items of an empty collection, the content of none."""


@dataclass(frozen=True)
class Finite:
    """Elements counted from 0: booleans, sorts, orders, enumerators, members of a quorum family."""

    type: ty.Bool | ty.Sort | ty.Order | ty.Enum | ty.Quorum
    size: int


@dataclass(frozen=True)
class Integer:
    """Integers from `low` to `high`; as a C value the integer itself, in parts its distance from `low`."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low < -MOST_CODES or self.high > MOST_CODES:
            raise Unsupported("an integer may need more than 62 bits")


@dataclass(frozen=True)
class Optional:
    item: Shape


@dataclass(frozen=True)
class Tuple:
    """A record or message: its fields by name, in order."""

    type: ty.Record | ty.Message
    fields: tuple[tuple[str, Shape], ...]

    def index(self, name: str) -> int:
        """The position of a field."""
        return [field for field, _ in self.fields].index(name)


@dataclass(frozen=True)
class Mapping:
    """A total map: the values of all keys, in order of their codes."""

    key: Shape
    value: Shape


@dataclass(frozen=True)
class Collection:
    """A set. `room` None: a bit for each code of an item; else a sorted list of at most so many items."""

    item: Shape
    room: int | None


@dataclass(frozen=True)
class Sequence:
    """A sequence of at most `longest` items whose positions are values of `index`."""

    index: Shape
    item: Shape
    longest: int


@dataclass(frozen=True)
class Multiset:
    """A bag: a sorted list in which items repeat."""

    item: Shape
    room: int


@dataclass(frozen=True)
class Line:
    """A queue of messages of several kinds, its head first."""

    kinds: tuple[Tuple, ...]
    room: int

    @cached_property
    def item(self) -> Tagged:
        return Tagged(self.kinds)


@dataclass(frozen=True)
class Tagged:
    """A message of one of several kinds: the message's bits below, the position of its kind above."""

    kinds: tuple[Tuple, ...]

    @cached_property
    def payload(self) -> int:
        return max(bits(kind) for kind in self.kinds)


Shape: TypeAlias = (
    Nothing | Finite | Integer | Optional | Tuple | Mapping | Collection | Sequence | Multiset | Line | Tagged
)

BOOL = Finite(ty.Bool(), 2)

# --- sizes ------------------------------------------------------------------------------------------


def codes(shape: Shape) -> int | None:
    """How many codes there are for values of the shape, or None if it is wide. Not every code need be a value."""
    match shape:
        case Nothing():
            return 0
        case Finite(_, size):
            return size
        case Integer(low, high):
            return max(0, high - low + 1)
        case Optional(item):
            inside = codes(item)
            return None if inside is None else _bearable(inside + 1)
        case Tuple(_, fields):
            product = 1
            for _, part in fields:
                inside = codes(part)
                if inside is None:
                    return None
                product *= inside
            return _bearable(product)
        case Collection(item, room):
            inside = codes(item)
            return None if inside is None or room is not None else _power_of_two(inside)
        case Mapping(_, value):
            return None if is_wide(value) else _power_of_two(_row_bits(shape))
        case Sequence(_, item, _):
            return None if is_wide(item) else _power_of_two(_row_bits(shape))
        case Tagged(kinds):
            return None if any(map(is_wide, kinds)) else _power_of_two(_row_bits(shape))
        case Multiset() | Line():
            return None
        case _:
            assert_never(shape)


def _bearable(count: int) -> int | None:
    return count if count <= MOST_CODES else None


def _power_of_two(width: int) -> int | None:
    return 1 << width if width <= 62 else None


def is_wide(shape: Shape) -> bool:
    """Whether values of the shape are rows of bits rather than codes."""
    return codes(shape) is None


def bits(shape: Shape) -> int:
    """How many bits a value takes as part of a state or of another value."""
    count = codes(shape)
    return _row_bits(shape) if count is None else max(0, count - 1).bit_length()


def words(shape: Shape) -> int:
    """How many 64-bit words hold a value; at least one."""
    return max(1, (bits(shape) + 63) // 64)


def _row_bits(shape: Shape) -> int:
    match shape:
        case Optional(item):
            return 1 + bits(item)
        case Tuple(_, fields):
            return sum(bits(part) for _, part in fields)
        case Mapping(key, value):
            return size(key) * bits(value)
        case Collection(item, None):
            return size(item)
        case Sequence(_, item, longest):
            return length_bits(shape) + longest * bits(item)
        case Collection(item, int(room)):
            return length_bits(shape) + room * bits(item)
        case Multiset(item, room):
            return length_bits(shape) + room * bits(item)
        case Line():
            return length_bits(shape) + shape.room * bits(shape.item)
        case Tagged(kinds):
            return shape.payload + max(0, len(kinds) - 1).bit_length()
        case Nothing() | Finite() | Integer():
            raise AssertionError("always a code")
        case Collection():
            raise AssertionError("room is None or a number")
        case _:
            assert_never(shape)


def size(shape: Shape) -> int:
    """The number of codes of a shape that must have codes: keys of maps, items of bit sets."""
    count = codes(shape)
    if count is None:
        raise Unsupported("a domain has more than 2^62 values")
    return count


def length_bits(shape: Sequence | Collection | Multiset | Line) -> int:
    """The bits of the number of items in a list."""
    most = shape.longest if isinstance(shape, Sequence) else shape.room
    assert most is not None
    return most.bit_length()


def is_dense(shape: Shape) -> bool:
    """Whether every code below `codes` is a value."""
    match shape:
        case Nothing() | Finite() | Integer():
            return True
        case Optional(item):
            return is_dense(item)
        case Tuple(_, fields):
            return all(is_dense(part) for _, part in fields)
        case Collection(item, room):
            return room is None and is_dense(item)
        case Mapping() | Sequence() | Multiset() | Line() | Tagged():
            return False
        case _:
            assert_never(shape)


# --- from types -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shapes:
    """Makes shapes of types. `room`: how many items a list may hold."""

    domains: Domains
    room: int

    def of(self, type_: ty.Type, room: int | None = None) -> Shape:
        """The shape of the values that a place of this type may hold; `room` instead of the usual one."""
        match type_:
            case ty.Bool() | ty.Sort() | ty.Order() | ty.Enum() | ty.Quorum():
                return Finite(type_, self.domains.size(type_))
            case ty.Range():
                return Integer(*self.domains.bounds(type_))
            case ty.Option(item):
                return Optional(self.of(item, room))
            case ty.Record() | ty.Message():
                fields = self.domains.fields(type_)
                return Tuple(type_, tuple((name, self.of(item, room)) for name, item in fields))
            case ty.Map(key, value):
                return Mapping(self.of(key, room), self.of(value, room))
            case ty.Set(item):
                return self.set_of(self.of(item, room), room)
            case ty.Seq(index, item):
                return Sequence(self.of(index, room), self.of(item, room), self.domains.longest(type_))
            case ty.Bag(item):
                return Multiset(self.of(item, room), room or self.room)
            case ty.Queue(kinds):
                tuples = tuple(self.of(ty.Message(kind), room) for kind in kinds)
                return Line(tuple(t for t in tuples if isinstance(t, Tuple)), room or self.room)
            case ty.Int():
                raise Unsupported("an integer without bounds is stored")
            case _:
                assert_never(type_)

    def set_of(self, item: Shape, room: int | None = None) -> Collection:
        """The shape of sets of items: bits or a list, whichever is better."""
        count, listed = codes(item), Collection(item, room or self.room)
        if count is not None and (count <= BIT_SET or count <= bits(listed)):
            return Collection(item, None)
        return listed


# --- common shapes ----------------------------------------------------------------------------------


def join(left: Shape, right: Shape) -> Shape:
    """The least shape that holds the values of both, which differ in ranges and room only."""
    if left == right or isinstance(right, Nothing):
        return left
    match left, right:
        case Nothing(), _:
            return right
        case Integer(), Integer():
            return Integer(min(left.low, right.low), max(left.high, right.high))
        case Optional(), Optional():
            return Optional(join(left.item, right.item))
        case Tuple(), Tuple():
            pairs = zip(left.fields, right.fields, strict=True)
            return replace(left, fields=tuple((name, join(a, b)) for (name, a), (_, b) in pairs))
        case Mapping(), Mapping():
            return Mapping(left.key, join(left.value, right.value))
        case Sequence(), Sequence():
            return replace(left, item=join(left.item, right.item), longest=max(left.longest, right.longest))
        case Collection(), Collection():
            return _joined_sets(left, right)
        case Multiset(), Multiset():
            return Multiset(join(left.item, right.item), max(left.room, right.room))
        case Line(), Line():
            return replace(left, room=max(left.room, right.room))
        case _:
            raise AssertionError(f"{left} and {right} have no values in common")


def _joined_sets(left: Collection, right: Collection) -> Collection:
    item = join(left.item, right.item)
    count, rooms = codes(item), [room for room in (left.room, right.room) if room is not None]
    if count is not None and (not rooms or count <= BIT_SET):
        return Collection(item, None)
    return Collection(item, max(rooms, default=BIT_SET))


def parts(shape: Shape) -> Iterator[Shape]:
    """The shape and all shapes inside it."""
    yield shape
    match shape:
        case Optional(item) | Collection(item) | Sequence(_, item) | Multiset(item):
            yield from parts(item)
        case Tuple(_, fields):
            for _, part in fields:
                yield from parts(part)
        case Mapping(key, value):
            yield from parts(key)
            yield from parts(value)
        case Line(kinds) | Tagged(kinds):
            for kind in kinds:
                yield from parts(kind)
        case Nothing() | Finite() | Integer():
            pass
        case _:
            assert_never(shape)
