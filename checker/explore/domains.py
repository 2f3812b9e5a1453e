"""The finite domains of an instance: how many values a type has, which, in what order, and which place each takes.

Values are plain Python objects (see `Value`). Nothing here evaluates an expression, and no domain is listed before
its size is known to be bearable.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

from checker.language import types as ty
from checker.language.ir import Spec
from checker.source import Diagnostic, Span, SpecError

# bool and int stand for themselves; an element of a sort, order, enum or quorum family is its position; none is None;
# records and messages are tuples of their fields; maps are tuples by position of the key; sets are frozensets;
# sequences are tuples; bags are tuples of (message, count), in order; queues are tuples of (kind, message).
Value: TypeAlias = Any

MOST_VALUES = 10**6
"""A domain with more values than this is never listed."""

HUGE = 10**18
"""Sizes of domains are exact below this, and stop here."""

_REMEMBERED = 4096  # sorted sets kept for reuse, for each place that goes over a set


@dataclass(frozen=True, eq=False)
class Domains:
    """The values of every type of one spec, given sizes, quorum families, and the bounds of integer ranges.

    `sizes`: how many elements each sort and order has. `families`: the members of each quorum family, in order.
    `bounds`: the least and the greatest value of a range. `names`: what the elements of a sort are called, where they
    have names of their own.
    """

    spec: Spec
    sizes: Mapping[str, int]
    families: Mapping[str, tuple[frozenset[int], ...]]
    bounds: Callable[[ty.Range], tuple[int, int]]
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _listed: dict[ty.Type, tuple[Value, ...]] = field(default_factory=dict, repr=False)

    # --- what the spec says of named types -----------------------------------------------------------

    def fields(self, type_: ty.Record | ty.Message) -> tuple[tuple[str, ty.Type], ...]:
        """Names and types of the places of a record or message."""
        if isinstance(type_, ty.Record):
            return next(r.fields for r in self.spec.records if r.name == type_.name)
        return next(m.layout for m in self.spec.messages if m.name == type_.name)

    def enumerators(self, name: str) -> tuple[str, ...]:
        return next(e.values for e in self.spec.enums if e.name == name)

    def longest(self, type_: ty.Seq) -> int:
        """The greatest length of a sequence."""
        return self.bounds(type_.index)[1] if isinstance(type_.index, ty.Range) else self.size(type_.index) - 1

    # --- sizes --------------------------------------------------------------------------------------

    def size(self, type_: ty.Type) -> int:
        """How many values the type has, computed without listing them; at most `HUGE`."""
        match type_:
            case ty.Bool():
                return 2
            case ty.Range():
                low, high = self.bounds(type_)
                return min(HUGE, max(0, high - low + 1))
            case ty.Sort(name) | ty.Order(name):
                return self.sizes[name]
            case ty.Quorum(name):
                return len(self.families[name])
            case ty.Enum(name):
                return len(self.enumerators(name))
            case ty.Record() | ty.Message():
                return min(HUGE, math.prod(self.size(item) for _, item in self.fields(type_)))
            case ty.Option(item):
                return min(HUGE, 1 + self.size(item))
            case ty.Map(key, value):
                return _power(self.size(value), self.size(key))
            case ty.Set(item):
                return _power(2, self.size(item))
            case ty.Seq(_, item):
                return _sequences(self.size(item), self.longest(type_))
            case ty.Int() | ty.Bag() | ty.Queue():
                return HUGE
            case _:
                assert_never(type_)

    # --- values -------------------------------------------------------------------------------------

    def values(self, type_: ty.Type, span: Span) -> tuple[Value, ...]:
        """All values in order. Raises SpecError (Q0508, at `span`, which needs them) if they are too many to list."""
        found = self._listed.get(type_)
        if found is None:
            size = self.size(type_)
            if size > MOST_VALUES:
                raise SpecError([too_many(f"`{ty.show(type_)}` has {shown_size(size)} values", span)])
            found = self._listed[type_] = tuple(self._list(type_, span))
        return found

    def _list(self, type_: ty.Type, span: Span) -> Iterator[Value] | Sequence[Value]:
        match type_:
            case ty.Bool():
                return (False, True)
            case ty.Range():
                low, high = self.bounds(type_)
                return range(low, high + 1)
            case ty.Sort() | ty.Order() | ty.Quorum() | ty.Enum():
                return range(self.size(type_))
            case ty.Record() | ty.Message():
                return itertools.product(*(self.values(item, span) for _, item in self.fields(type_)))
            case ty.Option(item):
                return (None, *self.values(item, span))
            case ty.Map(key, value):
                return itertools.product(self.values(value, span), repeat=len(self.values(key, span)))
            case ty.Set(item):
                return _subsets(self.values(item, span))
            case ty.Seq(_, item):
                items = self.values(item, span)
                lengths = range(self.longest(type_) + 1)
                return itertools.chain.from_iterable(itertools.product(items, repeat=n) for n in lengths)
            case ty.Int() | ty.Bag() | ty.Queue():
                raise ValueError(f"{ty.show(type_)} is not listed")
            case _:
                assert_never(type_)

    def members(self, name: str) -> tuple[tuple[int, ...], ...]:
        """The elements of each member of a quorum family, in order."""
        return tuple(tuple(sorted(member)) for member in self.families[name])

    # --- order --------------------------------------------------------------------------------------

    def key(self, type_: ty.Type) -> Callable[[Value], Any] | None:
        """A sort key that puts values in the order of `values`; None if Python's own order does."""
        match type_:
            case ty.Bool() | ty.Int() | ty.Range() | ty.Sort() | ty.Order() | ty.Quorum() | ty.Enum():
                return None
            case ty.Option(item):
                inner = self._key(item)
                return lambda v: () if v is None else (inner(v),)
            case ty.Record() | ty.Message():
                keys = [self.key(item) for _, item in self.fields(type_)]
                if all(k is None for k in keys):
                    return None
                each = [k or _same for k in keys]
                return lambda v: tuple([k(x) for k, x in zip(each, v, strict=True)])
            case ty.Map(_, value):
                inner = self._key(value)
                return lambda v: tuple([inner(x) for x in v])
            case ty.Set(item):
                # Greatest elements first: then sets come in the order of the binary numbers that they are.
                inner = self._key(item)
                return lambda v: sorted(map(inner, v), reverse=True)
            case ty.Seq(_, item):
                inner = self._key(item)
                return lambda v: (len(v), tuple([inner(x) for x in v]))
            case ty.Bag(item):
                inner = self._key(item)
                return lambda v: tuple([(inner(x), n) for x, n in v])
            case ty.Queue(kinds):
                inners = {kind: self._key(ty.Message(kind)) for kind in kinds}
                return lambda v: tuple([(kind, inners[kind](x)) for kind, x in v])
            case _:
                assert_never(type_)

    def _key(self, type_: ty.Type) -> Callable[[Value], Any]:
        return self.key(type_) or _same

    def ordered(self, item: ty.Type) -> Callable[[Collection[Value]], tuple[Value, ...]]:
        """A function that lists a set of `item`s in order; it remembers sets that it has seen lately."""
        key = self.key(item)
        seen: dict[Collection[Value], tuple[Value, ...]] = {}

        def listed(items: Collection[Value]) -> tuple[Value, ...]:
            found = seen.get(items)
            if found is None:
                if len(seen) >= _REMEMBERED:
                    seen.clear()
                found = seen[items] = tuple(sorted(items, key=key))
            return found

        return listed

    def position(self, type_: ty.Type, span: Span) -> Callable[[Value], int | None]:
        """A function from a value to its place in `values`, or None if it is not of the type; for keys of maps."""
        match type_:
            case ty.Sort() | ty.Order() | ty.Quorum() | ty.Enum() | ty.Bool():
                return int
            case ty.Range():
                low, high = self.bounds(type_)
                return lambda v: v - low if low <= v <= high else None
            case _:
                return {value: i for i, value in enumerate(self.values(type_, span))}.get

    # --- ranges -------------------------------------------------------------------------------------

    def outside(self, type_: ty.Type) -> Callable[[Value], tuple[int, int, int] | None] | None:
        """A function that finds an integer outside its range in a value: (integer, low, high), or None.

        None instead of a function where the type has no ranges.
        """
        match type_:
            case ty.Range():
                low, high = self.bounds(type_)
                return lambda v: None if low <= v <= high else (v, low, high)
            case ty.Option(item):
                inner = self.outside(item)
                return inner and _if_some(inner)
            case ty.Record() | ty.Message():
                parts = [(i, f) for i, (_, t) in enumerate(self.fields(type_)) if (f := self.outside(t)) is not None]
                return (lambda v: _least(f(v[i]) for i, f in parts)) if parts else None
            case ty.Map(_, item) | ty.Set(item) | ty.Seq(_, item):
                return _in_all(self.outside(item), lambda v: v)
            case ty.Bag(item):
                return _in_all(self.outside(item), lambda v: (x for x, _ in v))
            case ty.Queue(kinds):
                by_kind = {kind: f for kind in kinds if (f := self.outside(ty.Message(kind))) is not None}
                return (lambda v: _least(by_kind[k](x) for k, x in v if k in by_kind)) if by_kind else None
            case ty.Bool() | ty.Int() | ty.Sort() | ty.Order() | ty.Quorum() | ty.Enum():
                return None
            case _:
                assert_never(type_)


def too_many(what: str, span: Span | None) -> Diagnostic:
    """The diagnostic for something that would have to be listed and is too large for it."""
    return Diagnostic("Q0508", f"{what}, too many to go through", span, "choose smaller sizes or a narrower type")


def shown_size(size: int) -> str:
    return f"{size:,}" if size < HUGE else "more than a million million million"


def _same(value: Value) -> Any:
    return value


def _power(base: int, exponent: int) -> int:
    if base <= 1:
        return 1 if exponent == 0 else base
    return min(HUGE, base**exponent) if exponent < 64 else HUGE


def _sequences(items: int, longest: int) -> int:
    """How many sequences of at most this length there are."""
    if items <= 1:
        return 1 + items * longest
    return min(HUGE, sum(items**n for n in range(longest + 1))) if longest < 64 else HUGE


def _subsets(items: Sequence[Value]) -> Iterator[frozenset[Value]]:
    for mask in range(1 << len(items)):
        yield frozenset(item for i, item in enumerate(items) if mask >> i & 1)


_Outside: TypeAlias = Callable[[Value], tuple[int, int, int] | None]


def _if_some(inner: _Outside) -> _Outside:
    return lambda v: None if v is None else inner(v)


def _in_all(inner: _Outside | None, items: Callable[[Value], Any]) -> _Outside | None:
    return None if inner is None else lambda v: _least(inner(x) for x in items(v))


def _least(found: Iterator[tuple[int, int, int] | None]) -> tuple[int, int, int] | None:
    return min((f for f in found if f is not None), default=None)
