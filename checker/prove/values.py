"""Values of the language over terms: scalars are terms, composite values are small objects and closures.

Only scalars ever reach a solver: records are split into fields, options into a flag and a value, maps, sets and
sequences into functions of their arguments. Nothing here evaluates expressions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from checker.language import types as ty
from checker.language.ir import Expr, Spec
from checker.prove import terms as t
from checker.prove.terms import Term


@dataclass(frozen=True, eq=False)
class RecordV:
    """A record or message: its fields in order of layout."""

    fields: Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class OptionV:
    """`item` counts only where `some` is true."""

    some: Term
    item: Value


@dataclass(frozen=True, eq=False)
class SetV:
    """A set or quorum by its membership; `object` is the term that stands for it whole, if there is one."""

    contains: Callable[[Value], Term]
    object: Term | None = None


@dataclass(frozen=True, eq=False)
class MapV:
    at: Callable[[Value], Value]
    object: Term | None = None


@dataclass(frozen=True, eq=False)
class SeqV:
    """`at` counts only at positions after zero up to the length."""

    length: Term
    at: Callable[[Term], Value]
    object: Term | None = None


Value: TypeAlias = Term | RecordV | OptionV | SetV | MapV | SeqV


class Unsupported(Exception):
    """A construct that proofs for every size do not reach; the message is a sentence."""


@dataclass(frozen=True)
class Shape:
    """One way in which values of a type look: bound variables, the value over them, and its range condition."""

    variables: tuple[Term, ...]
    value: Value
    condition: Term


class Signature:
    """How types become sorts, symbols and quantifiers for one spec.

    `bound` gives the term of a range's limit, an expression over constants.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.records = {r.name: r.fields for r in spec.records}
        self.messages = {m.name: m.layout for m in spec.messages}
        self.counter: Iterator[int] = itertools.count()
        self.reified: dict[str, ty.Type] = {}
        self.bound: Callable[[Expr], Term] = _no_bounds

    def fresh(self, sort: str) -> Term:
        return t.var(f"v{next(self.counter)}", sort)

    # --- sorts

    def sort(self, type_: ty.Type) -> str:
        """The sort of a scalar, or of the objects that stand for whole sets, maps or sequences."""
        match type_:
            case ty.Bool():
                return t.BOOL
            case ty.Int() | ty.Range():
                return t.INT
            case ty.Sort(name) | ty.Order(name) | ty.Quorum(name) | ty.Enum(name):
                return name
            case ty.Set() | ty.Map() | ty.Seq():
                name = ty.show(type_)
                self.reified[name] = type_
                return name
            case ty.Record() | ty.Message() | ty.Option() | ty.Bag() | ty.Queue():
                raise TypeError(f"{ty.show(type_)} is no scalar")
            case _:
                assert_never(type_)

    def fields(self, type_: ty.Record | ty.Message) -> tuple[tuple[str, ty.Type], ...]:
        return self.records[type_.name] if isinstance(type_, ty.Record) else self.messages[type_.name]

    # --- symbols

    def symbol(self, type_: ty.Type, name: str, args: tuple[Term, ...] = ()) -> Value:
        """An unknown value of the type, a function of `args`."""
        match type_:
            case ty.Bool() | ty.Int() | ty.Range() | ty.Sort() | ty.Order() | ty.Quorum() | ty.Enum():
                return t.app(name, args, self.sort(type_))
            case ty.Record() | ty.Message():
                return RecordV({f: self.symbol(ft, f"{name}.{f}", args) for f, ft in self.fields(type_)})
            case ty.Option(item):
                return OptionV(t.app(f"{name}?", args, t.BOOL), self.symbol(item, name, args))
            case ty.Set(item):
                return SetV(lambda v: self._member(item, name, args, v))
            case ty.Map(key, value):
                return MapV(
                    lambda k: self.applied(key, k, lambda suffix, a: self.symbol(value, name + suffix, args + a))
                )
            case ty.Seq(index, item):
                length = t.app(f"{name}.length", args, self.sort(index))
                return SeqV(length, lambda p: self.symbol(item, f"{name}.at", (*args, p)))
            case ty.Bag() | ty.Queue():
                raise Unsupported("proofs take every network as the growing set of sent messages")
            case _:
                assert_never(type_)

    def _member(self, item: ty.Type, name: str, args: tuple[Term, ...], value: Value) -> Term:
        return as_term(self.applied(item, value, lambda suffix, a: t.app(name + suffix, args + a, t.BOOL)))

    def applied(self, type_: ty.Type, argument: Value, result: Callable[[str, tuple[Term, ...]], Value]) -> Value:
        """A function of a composite argument: one symbol for each pattern of options that the argument can have."""
        return self.defined_by(type_, argument, lambda cases: _chosen(cases, result))

    def defined_by(
        self, type_: ty.Type, argument: Value, use: Callable[[list[tuple[Term, str, tuple[Term, ...]]]], Value]
    ) -> Value:
        """Calls `use` with the argument split into cases of terms; whole sets and sequences become objects first."""
        objects: list[tuple[Term, Term]] = []
        cases = self.split(type_, argument, objects)
        result = use(cases)
        if not objects:
            return result
        if not isinstance(result, Term) or result.sort != t.BOOL:
            raise Unsupported("a map whose keys hold sets, maps or sequences is beyond proofs for every size")
        for variable, definition in objects:
            result = t.the((variable,), definition, result)
        return result

    def split(
        self, type_: ty.Type, value: Value, objects: list[tuple[Term, Term]]
    ) -> list[tuple[Term, str, tuple[Term, ...]]]:
        """The value as cases: a condition, the pattern of its options, and its scalars.

        `objects` receives a variable and its definition for each whole set, map or sequence in the value.
        """
        match type_, value:
            case ((ty.Record() | ty.Message()), RecordV(fields)):
                cases: list[tuple[Term, str, tuple[Term, ...]]] = [(t.TRUE, "", ())]
                for name, field_type in self.fields(type_):
                    inner = self.split(field_type, fields[name], objects)
                    cases = [
                        (t.and_(c, d), s + r, a + b)
                        for c, s, a in cases
                        for d, r, b in inner
                        if t.and_(c, d) != t.FALSE
                    ]
                return cases
            case ty.Option(item), OptionV(some, inside):
                present = [(t.and_(some, c), f"+{s}", a) for c, s, a in self.split(item, inside, objects)]
                return [case for case in [(t.not_(some), "-", ()), *present] if case[0] != t.FALSE]
            case ((ty.Set() | ty.Map() | ty.Seq()), (SetV() | MapV() | SeqV())):
                if value.object is not None:
                    return [(t.TRUE, "", (value.object,))]
                variable = self.fresh(self.sort(type_))
                objects.append((variable, self.equal(type_, self.symbol_of(type_, variable), value)))
                return [(t.TRUE, "", (variable,))]
            case _, Term():
                return [(t.TRUE, "", (value,))]
            case _:
                raise TypeError(f"no {ty.show(type_)}: {value}")

    def symbol_of(self, type_: ty.Type, object_: Term) -> Value:
        """The set, map or sequence that an object stands for."""
        value = self.symbol(type_, f"of {object_.sort}", (object_,))
        assert isinstance(value, SetV | MapV | SeqV)
        return replace(value, object=object_)

    def extensionality(self) -> Iterator[tuple[str, Term]]:
        """That objects which stand for equal sets, maps or sequences are the same."""
        for name, type_ in sorted(self.reified.items()):
            a, b = self.fresh(name), self.fresh(name)
            same = self.equal(type_, self.symbol_of(type_, a), self.symbol_of(type_, b))
            yield name, t.forall((a, b), t.implies(same, t.eq(a, b)))

    # --- quantifiers

    def shapes(self, type_: ty.Type, bounded: bool = True) -> list[Shape]:
        """All values of a type. With `bounded` integers are within their ranges."""
        match type_:
            case ty.Bool():
                return [Shape((), t.TRUE, t.TRUE), Shape((), t.FALSE, t.TRUE)]
            case ty.Range():
                x = self.fresh(t.INT)
                return [Shape((x,), x, self.in_range(type_, x) if bounded else t.TRUE)]
            case ty.Int() | ty.Sort() | ty.Order() | ty.Quorum() | ty.Enum():
                x = self.fresh(self.sort(type_))
                return [Shape((x,), x, t.TRUE)]
            case ty.Option(item):
                absent = Shape((), OptionV(t.FALSE, self.arbitrary(item)), t.TRUE)
                inner = self.shapes(item, bounded)
                return [absent, *(Shape(s.variables, OptionV(t.TRUE, s.value), s.condition) for s in inner)]
            case ty.Record() | ty.Message():
                return self._record_shapes(type_, bounded)
            case ty.Set() | ty.Map() | ty.Seq():
                x = self.fresh(self.sort(type_))
                value = self.symbol_of(type_, x)
                return [Shape((x,), value, self.well_typed(type_, value) if bounded else t.TRUE)]
            case ty.Bag() | ty.Queue():
                raise Unsupported("proofs take every network as the growing set of sent messages")
            case _:
                assert_never(type_)

    def _record_shapes(self, type_: ty.Record | ty.Message, bounded: bool) -> list[Shape]:
        names = [name for name, _ in self.fields(type_)]
        parts = itertools.product(*(self.shapes(field_type, bounded) for _, field_type in self.fields(type_)))
        found = []
        for part in parts:
            variables = tuple(v for s in part for v in s.variables)
            value = RecordV({name: s.value for name, s in zip(names, part, strict=True)})
            found.append(Shape(variables, value, t.and_(*(s.condition for s in part))))
        return found  # siblings may share variables: no quantifier is inside another's scope

    def every(self, type_: ty.Type, body: Callable[[Value], Term], bounded: bool = True) -> Term:
        """`body` of all values of the type."""
        return t.and_(
            *(t.forall(s.variables, t.implies(s.condition, body(s.value))) for s in self.shapes(type_, bounded))
        )

    def some(self, type_: ty.Type, body: Callable[[Value], Term]) -> Term:
        """`body` of one value of the type."""
        return t.or_(*(t.exists(s.variables, t.and_(s.condition, body(s.value))) for s in self.shapes(type_)))

    # --- predicates

    def equal(self, type_: ty.Type, a: Value, b: Value) -> Term:
        """Equality, by extension for sets, maps and sequences."""
        match type_, a, b:
            case _, Term(), Term():
                return t.eq(a, b)
            case ((ty.Record() | ty.Message()), RecordV(x), RecordV(y)):
                return t.and_(*(self.equal(ft, x[f], y[f]) for f, ft in self.fields(type_)))
            case ty.Option(item), OptionV(some_a, a_value), OptionV(some_b, b_value):
                both = t.implies(t.and_(some_a, some_b), self.equal(item, a_value, b_value))
                return t.and_(t.iff(some_a, some_b), both)
            case ty.Set(item), SetV(in_a), SetV(in_b):
                return self.every(item, lambda v: t.iff(in_a(v), in_b(v)), bounded=False)
            case ty.Map(key, value), MapV(a_at), MapV(b_at):
                return self.every(key, lambda k: self.equal(value, a_at(k), b_at(k)))
            case ty.Seq(index, item), SeqV(n, a_item), SeqV(m, b_item):
                p = self.fresh(self.sort(index))
                inside = t.and_(t.lt(self.zero(index), p), t.le(p, n))
                return t.and_(t.eq(n, m), t.forall((p,), t.implies(inside, self.equal(item, a_item(p), b_item(p)))))
            case _:
                raise TypeError(f"cannot compare as {ty.show(type_)}: {a}, {b}")

    def well_typed(self, type_: ty.Type, value: Value) -> Term:
        """That all integers in the value are within their ranges."""
        match type_, value:
            case ty.Range(), Term():
                return self.in_range(type_, value)
            case ((ty.Record() | ty.Message()), RecordV(fields)):
                return t.and_(*(self.well_typed(ft, fields[f]) for f, ft in self.fields(type_)))
            case ty.Option(item), OptionV(some, inside):
                return t.implies(some, self.well_typed(item, inside))
            case ty.Set(item), SetV(contains):
                if not has_range(item, self):
                    return t.TRUE
                return self.every(item, lambda v: t.implies(contains(v), self.well_typed(item, v)), bounded=False)
            case ty.Map(key, item), MapV(at):
                return self.every(key, lambda k: self.well_typed(item, at(k)))
            case ty.Seq(index, item), SeqV(length, place):
                p = self.fresh(self.sort(index))
                zero = self.zero(index)
                inside = t.and_(t.lt(zero, p), t.le(p, length))
                size = t.and_(t.le(zero, length), self.well_typed(index, length))
                return t.and_(size, t.forall((p,), t.implies(inside, self.well_typed(item, place(p)))))
            case _:
                return t.TRUE

    def in_range(self, type_: ty.Range, value: Term) -> Term:
        return t.and_(t.le(self.bound(type_.low), value), t.le(value, self.bound(type_.high)))

    def zero(self, index: ty.Type) -> Term:
        """The position before the first."""
        return t.app("order zero", (), index.name) if isinstance(index, ty.Order) else t.integer(0)

    def next(self, index: ty.Type, value: Term) -> Term:
        """The position or element after this one."""
        if isinstance(index, ty.Order):
            return t.app("order next", (value,), index.name)
        return t.arithmetic("add", value, t.integer(1))

    def arbitrary(self, type_: ty.Type) -> Value:
        """Some value of the type, where which one does not matter."""
        return self.symbol(type_, f"any {ty.show(type_)}")


def has_range(type_: ty.Type, signature: Signature) -> bool:
    """Whether values of the type can be out of range."""
    match type_:
        case ty.Range():
            return True
        case ty.Option(item) | ty.Set(item) | ty.Map(_, item):
            return has_range(item, signature)
        case ty.Seq(index, item):
            return isinstance(index, ty.Range) or has_range(item, signature)
        case ty.Record() | ty.Message():
            return any(has_range(ft, signature) for _, ft in signature.fields(type_))
        case _:
            return False


def _no_bounds(_: Expr) -> Term:
    raise RuntimeError("a range before its signature was complete")


def _chosen(cases: list[tuple[Term, str, tuple[Term, ...]]], result: Callable[[str, tuple[Term, ...]], Value]) -> Value:
    value = result(*cases[-1][1:])
    for condition, suffix, args in reversed(cases[:-1]):
        value = choose(condition, result(suffix, args), value)
    return value


def choose(condition: Term, a: Value, b: Value) -> Value:
    """`a` where the condition holds, else `b`."""
    if condition.op == "true" or a is b:
        return a
    if condition.op == "false":
        return b
    match a, b:
        case Term(), Term():
            return t.ite(condition, a, b)
        case RecordV(x), RecordV(y):
            return RecordV({f: choose(condition, x[f], y[f]) for f in x})
        case OptionV(some_a, item_a), OptionV(some_b, item_b):
            absent = some_a.op == "false" or some_b.op == "false"
            known = item_b if some_a.op == "false" else item_a
            return OptionV(t.ite(condition, some_a, some_b), known if absent else choose(condition, item_a, item_b))
        case SetV(in_a), SetV(in_b):
            return SetV(lambda v: t.ite(condition, in_a(v), in_b(v)))
        case MapV(a_at), MapV(b_at):
            return MapV(lambda k: choose(condition, a_at(k), b_at(k)))
        case SeqV(n, a_item), SeqV(m, b_item):
            return SeqV(t.ite(condition, n, m), lambda i: choose(condition, a_item(i), b_item(i)))
        case _:
            raise TypeError(f"different values to choose from: {a}, {b}")


def as_term(value: Value) -> Term:
    if not isinstance(value, Term):
        raise TypeError(f"no scalar: {value}")
    return value
