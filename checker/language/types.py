"""The types of the language, as frozen values that compare by structure.

Named types hold only their name; what it stands for is in the `Spec` that declares it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, assert_never

if TYPE_CHECKING:
    from checker.language.ir import Expr


@dataclass(frozen=True)
class Bool:
    pass


@dataclass(frozen=True)
class Int:
    """All integers: the type of integer expressions. Only a `Range` or a constant can be stored."""


@dataclass(frozen=True)
class Range:
    """Integers from `low` to `high`, both included; the bounds are constant expressions of type Int.

    A range is a type of places (variables, fields, binders); an expression that reads one has type Int.
    """

    low: Expr
    high: Expr


@dataclass(frozen=True)
class Sort:
    """Interchangeable elements without literals."""

    name: str


@dataclass(frozen=True)
class Order:
    """Totally ordered elements."""

    name: str


@dataclass(frozen=True)
class Quorum:
    """A member of a quorum family; usable wherever a set of its sort's elements is iterated or tested."""

    name: str


@dataclass(frozen=True)
class Enum:
    name: str


@dataclass(frozen=True)
class Record:
    name: str


@dataclass(frozen=True)
class Message:
    """A message of one kind: its declared fields, then `from` and `to` where the kind has them."""

    name: str


@dataclass(frozen=True)
class Option:
    """A value of `item` or none; never nested. None lies below every value of an ordered item."""

    item: Type


@dataclass(frozen=True)
class Map:
    """A total function."""

    key: Type
    value: Type


@dataclass(frozen=True)
class Set:
    item: Type


@dataclass(frozen=True)
class Seq:
    """A sequence whose positions and length are values of `index`: an order from zero, or a range from 0.

    The first element is at the successor of zero; the length is the last position, or zero when it is empty.
    """

    index: Type
    item: Type


@dataclass(frozen=True)
class Bag:
    """A multiset of messages in flight; only networks have variables of this type."""

    item: Type


@dataclass(frozen=True)
class Queue:
    """Messages of several kinds in order of sending; only networks have variables of this type."""

    kinds: tuple[str, ...]


Type: TypeAlias = (
    Bool | Int | Range | Sort | Order | Quorum | Enum | Record | Message | Option | Map | Set | Seq | Bag | Queue
)


def is_ordered(type_: Type) -> bool:
    """Whether `<` compares values of the type: integers, orders, and options of them."""
    match type_:
        case Int() | Range() | Order():
            return True
        case Option(item):
            return is_ordered(item)
        case _:
            return False


def erased(type_: Type) -> Type:
    """The type up to integer ranges: two types are compatible when they are equal after this.

    Keys of maps and indices of sequences keep their ranges, for these decide which positions there are.
    """
    match type_:
        case Range():
            return Int()
        case Option(item):
            return Option(erased(item))
        case Map(key, value):
            return Map(key, erased(value))
        case Set(item):
            return Set(erased(item))
        case Seq(index, item):
            return Seq(index, erased(item))
        case Bag(item):
            return Bag(erased(item))
        case Bool() | Int() | Sort() | Order() | Quorum() | Enum() | Record() | Message() | Queue():
            return type_
        case _:
            assert_never(type_)


def show(type_: Type) -> str:
    """The type as a user writes it."""
    match type_:
        case Bool():
            return "Bool"
        case Int():
            return "Int"
        case Range(low, high):
            return f"{low.span.text}..{high.span.text}"
        case Sort(name) | Order(name) | Quorum(name) | Enum(name) | Record(name) | Message(name):
            return name
        case Option(item):
            return f"{show(item)}?"
        case Map(key, value):
            return f"Map[{show(key)}, {show(value)}]"
        case Set(item):
            return f"Set[{show(item)}]"
        case Seq(index, item):
            return f"Seq[{show(index)}, {show(item)}]"
        case Bag(item):
            return f"Bag[{show(item)}]"
        case Queue(kinds):
            return f"Queue[{', '.join(kinds)}]"
        case _:
            assert_never(type_)
