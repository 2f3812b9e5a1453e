"""Expressions to values over terms: the prover's meaning of every construct of the language.

Partial operations are taken as if they were defined; that they are is an obligation of its own (`defined`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeAlias, assert_never

from checker.language import ir
from checker.language import types as ty
from checker.language.forms import Forms
from checker.language.ir import Binder, Expr
from checker.prove import terms as t
from checker.prove.terms import Term
from checker.prove.values import (
    MapV,
    OptionV,
    RecordV,
    SeqV,
    SetV,
    Signature,
    Unsupported,
    Value,
    as_term,
    choose,
)
from checker.source import Source, Span

State: TypeAlias = Callable[[str], Value]


@dataclass(frozen=True, eq=False)
class Environment:
    """What names stand for: locals by uid, the state read, and the state before the step where there is one."""

    locals: Mapping[int, Value]
    state: State
    before: State | None = None

    def bind(self, uid: int, value: Value) -> Environment:
        return replace(self, locals={**self.locals, uid: value})


@dataclass(frozen=True)
class Witness:
    """A variable that its definition determines, as long as the value that it stands for exists."""

    variables: tuple[Term, ...]
    definition: Term


class Evaluator:
    """Evaluates expressions of one spec. `constants` are symbols, the same in every state."""

    def __init__(self, spec: ir.Spec) -> None:
        self.spec = spec
        self.forms = Forms(spec)
        self.signature = Signature(spec)
        self.constants = {c.name: self.signature.symbol(c.type, c.name) for c in spec.constants}
        nowhere = Environment({}, _no_state)
        self.signature.bound = lambda e: self.scalar(e, nowhere)
        self.stepped = frozenset(_stepped(spec))
        self.witnesses: list[Witness] = []

    # --- truth

    def truth(self, expr: Expr, env: Environment) -> Term:
        """The formula for an expression of type Bool."""
        match expr:
            case ir.Not():
                return t.not_(self.truth(expr.operand, env))
            case ir.And():
                return t.and_(*(self.truth(e, env) for e in expr.items))
            case ir.Or():
                return t.or_(*(self.truth(e, env) for e in expr.items))
            case ir.Binary(operator="=>"):
                return t.implies(self.truth(expr.left, env), self.truth(expr.right, env))
            case ir.Quantified():
                return self.quantified(expr, env)
            case _:
                return self.closed(lambda: as_term(self.value(expr, env)))

    def closed(self, body: Callable[[], Term]) -> Term:
        """The formula with the witnesses that its evaluation asked for bound around it."""
        outer, self.witnesses = self.witnesses, []
        try:
            formula = body()
            for w in reversed(self.witnesses):
                formula = t.the(w.variables, w.definition, formula)
        finally:
            self.witnesses = outer
        return formula

    def quantified(self, expr: ir.Quantified, env: Environment) -> Term:
        def body(inner: Environment) -> Term:
            parts = [self.truth(expr.body, inner)]
            if expr.where is not None:
                parts.insert(0, self.truth(expr.where, inner))
            return t.and_(*parts) if expr.kind == "exists" else t.implies(t.and_(*parts[:-1]), parts[-1])

        return self.over(expr.kind, expr.binders, env, body)

    def over(self, kind: str, binders: Iterable[Binder], env: Environment, body: Callable[[Environment], Term]) -> Term:
        """Quantifies over the values of the binders in their domains; `kind` is `forall` or `exists`."""
        first, *rest = binders

        def inner(value: Value) -> Term:
            bound = env.bind(first.uid, value)
            member = self.member(first, value, env)
            result = self.over(kind, rest, bound, body) if rest else body(bound)
            return t.and_(member, result) if kind == "exists" else t.implies(member, result)

        quantify = self.signature.some if kind == "exists" else self.signature.every
        return quantify(_of_domain(first), inner)

    def member(self, binder: Binder, value: Value, env: Environment) -> Term:
        """That the value is in the binder's domain."""
        if binder.domain is None:
            return t.TRUE
        domain = binder.domain
        return self.closed(lambda: self.contains(domain, env)(value))

    # --- values

    def scalar(self, expr: Expr, env: Environment) -> Term:
        return as_term(self.value(expr, env))

    def value(self, expr: Expr, env: Environment) -> Value:
        match expr:
            case ir.Const():
                return self.constant(expr)
            case ir.Local():
                return env.locals[expr.uid]
            case ir.Read():
                return self.constants[expr.name] if expr.name in self.constants else env.state(expr.name)
            case ir.Old():
                if env.before is None:
                    raise ValueError("old(…) outside a step")
                return self.value(expr.operand, replace(env, state=env.before))
            case ir.NoneValue():
                item = expr.type.item if isinstance(expr.type, ty.Option) else ty.Bool()
                return OptionV(t.FALSE, self.signature.arbitrary(item))
            case ir.Lift():
                return OptionV(t.TRUE, self.value(expr.operand, env))
            case ir.Unwrap():
                return self.option(expr.operand, env).item
            case ir.FieldOf() | ir.Construct() | ir.WithField():
                return self.record_value(expr, env)
            case ir.At() | ir.WithAt() | ir.MapOf():
                return self.map_value(expr, env)
            case ir.Call():
                return self.call(expr, env)
            case ir.Not() | ir.And() | ir.Or() | ir.Quantified():
                return self.truth(expr, env)
            case ir.Binary(operator="union" | "intersect" | "minus"):
                return SetV(self.contains(expr, env))
            case ir.Binary():
                return self.binary(expr, env)
            case ir.If():
                condition = self.truth(expr.condition, env)
                return choose(condition, self.value(expr.then, env), self.value(expr.otherwise, env))
            case ir.SetOf() | ir.SetLiteral():
                return SetV(self.contains(expr, env))
            case ir.SeqLiteral() | ir.Length() | ir.Append() | ir.Prefix():
                return self.sequence_value(expr, env)
            case ir.Extreme():
                return self.extreme(expr, env)
            case ir.Next():
                operand = self.scalar(expr.operand, env)
                return t.app("order next", (operand,), operand.sort)
            case ir.Previous():
                operand = self.scalar(expr.operand, env)
                return t.app("order previous", (operand,), operand.sort)
            case ir.SizeOf():
                return t.app(f"size {ty.show(expr.of)}", (), t.INT)
            case ir.SentMatch():
                return self.sent(expr, env)
            case ir.Size():
                raise Unsupported("the size of a set is beyond proofs for every size")
            case (
                ir.BagWith() | ir.BagWithAll() | ir.BagWithout() | ir.BagItems() | ir.Heads() | ir.Enqueue()
                | ir.Dequeue() | ir.QueueLength() | ir.Empty()
            ):  # fmt: skip
                raise Unsupported("proofs take every network as the growing set of sent messages")
            case _:
                assert_never(expr)

    def constant(self, expr: ir.Const) -> Term:
        match expr.type:
            case ty.Bool():
                return t.truth(bool(expr.value))
            case ty.Order(name):
                return t.app("order zero", (), name)
            case ty.Enum(name):
                return t.app(f"value {int(expr.value)}", (), name)
            case _:
                return t.integer(int(expr.value))

    def call(self, expr: ir.Call, env: Environment) -> Value:
        definition = self.forms.definitions[expr.name]
        arguments = [self.value(a, env) for a in expr.arguments]
        bound = {b.uid: a for b, a in zip(definition.parameters, arguments, strict=True)}
        return self.value(definition.body, replace(env, locals=bound))

    def option(self, expr: Expr, env: Environment) -> OptionV:
        value = self.value(expr, env)
        assert isinstance(value, OptionV)
        return value

    def record_value(self, expr: ir.FieldOf | ir.Construct | ir.WithField, env: Environment) -> Value:
        match expr:
            case ir.Construct():
                names = self.forms.field_names(expr.type)
                return RecordV({f: self.value(e, env) for f, e in zip(names, expr.fields, strict=True)})
            case ir.FieldOf():
                record = self.value(expr.operand, env)
                assert isinstance(record, RecordV)
                return record.fields[expr.field]
            case ir.WithField():
                record = self.value(expr.operand, env)
                assert isinstance(record, RecordV)
                return RecordV({**record.fields, expr.field: self.value(expr.value, env)})
            case _:
                assert_never(expr)

    def map_value(self, expr: ir.At | ir.WithAt | ir.MapOf, env: Environment) -> Value:
        match expr:
            case ir.At():
                whole, key = self.value(expr.operand, env), self.value(expr.key, env)
                assert isinstance(whole, MapV | SeqV)
                return whole.at(key) if isinstance(whole, MapV) else whole.at(as_term(key))
            case ir.WithAt():
                return self.with_at(expr, env)
            case ir.MapOf():
                return MapV(lambda k: self.value(expr.body, env.bind(expr.binder.uid, k)))
            case _:
                assert_never(expr)

    def with_at(self, expr: ir.WithAt, env: Environment) -> Value:
        whole = self.value(expr.operand, env)
        key, new = self.value(expr.key, env), self.value(expr.value, env)
        match whole, expr.operand.type:
            case MapV(at), ty.Map(key_type, _):
                return MapV(lambda k: choose(self.signature.equal(key_type, k, key), new, at(k)))
            case SeqV(length, item), _:
                return SeqV(length, lambda p: choose(t.eq(p, as_term(key)), new, item(p)))
            case _:
                raise TypeError(f"no place to replace in {expr.operand}")

    def sequence_value(self, expr: ir.SeqLiteral | ir.Length | ir.Append | ir.Prefix, env: Environment) -> Value:
        match expr:
            case ir.SeqLiteral():
                return self.sequence_literal(expr, env)
            case ir.Length():
                return self.sequence(expr.operand, env).length
            case ir.Append():
                whole, item = self.sequence(expr.operand, env), self.value(expr.item, env)
                last = self.signature.next(_index(expr), whole.length)
                return SeqV(last, lambda p: choose(t.eq(p, last), item, whole.at(p)))
            case ir.Prefix():
                return SeqV(self.scalar(expr.end, env), self.sequence(expr.operand, env).at)
            case _:
                assert_never(expr)

    def sequence(self, expr: Expr, env: Environment) -> SeqV:
        value = self.value(expr, env)
        assert isinstance(value, SeqV)
        return value

    def sequence_literal(self, expr: ir.SeqLiteral, env: Environment) -> SeqV:
        index = _index(expr)
        assert isinstance(expr.type, ty.Seq)
        position = self.signature.zero(index)
        item = self.signature.arbitrary(expr.type.item)
        result = SeqV(position, lambda p: item)
        for e in expr.items:
            position = self.signature.next(index, position)
            result = _extended(result, position, self.value(e, env))
        return result

    # --- operators

    def binary(self, expr: ir.Binary, env: Environment) -> Term:
        match expr.operator:
            case "=>":
                return self.truth(expr, env)
            case "<=>":
                return t.iff(self.truth(expr.left, env), self.truth(expr.right, env))
            case "==" | "!=":
                left, right = self.value(expr.left, env), self.value(expr.right, env)
                if isinstance(left, SetV) or isinstance(right, SetV):
                    same = self.same_set(expr, env)
                else:
                    same = self.signature.equal(expr.left.type, left, right)
                return same if expr.operator == "==" else t.not_(same)
            case "<" | "<=" | ">" | ">=":
                left, right = self.value(expr.left, env), self.value(expr.right, env)
                a, b = (right, left) if expr.operator in (">", ">=") else (left, right)
                return _at_most(a, b) if expr.operator in ("<=", ">=") else t.not_(_at_most(b, a))
            case "+":
                return t.arithmetic("add", self.scalar(expr.left, env), self.scalar(expr.right, env))
            case "-":
                return t.arithmetic("sub", self.scalar(expr.left, env), self.scalar(expr.right, env))
            case "*":
                return t.arithmetic("mul", self.scalar(expr.left, env), self.scalar(expr.right, env))
            case "in":
                return self.contains(expr.right, env)(self.value(expr.left, env))
            case "subset":
                left_in, right_in = self.contains(expr.left, env), self.contains(expr.right, env)
                item = item_type(self.spec, expr.left.type)
                return self.signature.every(item, lambda v: t.implies(left_in(v), right_in(v)), bounded=False)
            case "union" | "intersect" | "minus":
                raise TypeError("sets are evaluated by their membership")
            case _:
                assert_never(expr.operator)

    def same_set(self, expr: ir.Binary, env: Environment) -> Term:
        left_in, right_in = self.contains(expr.left, env), self.contains(expr.right, env)
        item = item_type(self.spec, expr.left.type)
        return self.signature.every(item, lambda v: t.iff(left_in(v), right_in(v)), bounded=False)

    def contains(self, expr: Expr, env: Environment) -> Callable[[Value], Term]:
        """The membership of a set or quorum."""
        match expr:
            case ir.SetLiteral():
                item = item_type(self.spec, expr.type)
                values = [self.value(e, env) for e in expr.items]
                return lambda v: t.or_(*(self.signature.equal(item, v, x) for x in values))
            case ir.SetOf():
                return lambda v: self.in_comprehension(expr, env, v)
            case ir.Binary(operator="union"):
                a, b = self.contains(expr.left, env), self.contains(expr.right, env)
                return lambda v: t.or_(a(v), b(v))
            case ir.Binary(operator="intersect"):
                a, b = self.contains(expr.left, env), self.contains(expr.right, env)
                return lambda v: t.and_(a(v), b(v))
            case ir.Binary(operator="minus"):
                a, b = self.contains(expr.left, env), self.contains(expr.right, env)
                return lambda v: t.and_(a(v), t.not_(b(v)))
            case _:
                value = self.value(expr, env)
                if isinstance(value, SetV):
                    return value.contains
                quorum = as_term(value)
                return lambda v: t.app(f"in {quorum.sort}", (as_term(v), quorum), t.BOOL)

    def in_comprehension(self, expr: ir.SetOf, env: Environment, value: Value) -> Term:
        binder = expr.binders[0]
        if len(expr.binders) == 1 and isinstance(expr.item, ir.Local) and expr.item.uid == binder.uid:
            inner = env.bind(binder.uid, value)
            where = t.TRUE if expr.where is None else self.truth(expr.where, inner)
            bounds = self.signature.well_typed(binder.type, value) if binder.domain is None else t.TRUE
            return t.and_(bounds, self.member(binder, value, env), where)
        item = item_type(self.spec, expr.type)

        def body(inner: Environment) -> Term:
            where = t.TRUE if expr.where is None else self.truth(expr.where, inner)
            return t.and_(where, self.closed(lambda: self.signature.equal(item, value, self.value(expr.item, inner))))

        return self.over("exists", expr.binders, env, body)

    def extreme(self, expr: ir.Extreme, env: Environment) -> Value:
        """A witness for the element with the greatest or least key."""
        binder = expr.binder
        shapes = self.signature.shapes(_of_domain(binder))
        if len(shapes) != 1:
            raise Unsupported("max and min over values with options in them are beyond proofs for every size")
        shape = shapes[0]
        definition = t.and_(shape.condition, self.is_extreme(expr, env, shape.value))
        self.witnesses.append(Witness(shape.variables, definition))
        return shape.value

    def is_extreme(self, expr: ir.Extreme, env: Environment, value: Value) -> Term:
        """That the value is in the domain and no other there has a key beyond its own."""
        key = self.key(expr, env, value)

        chosen = env.bind(expr.binder.uid, value)
        return t.and_(
            self.member(expr.binder, value, env),
            self.where(expr, chosen),
            self.over("forall", (expr.binder,), env, lambda inner: self.beyond(expr, inner, key)),
        )

    def beyond(self, expr: ir.Extreme, env: Environment, limit: Value) -> Term:
        """That the bound element, if it counts, has no key beyond the limit."""

        def atom() -> Term:
            key = self.value(expr.key, env)
            return _at_most(key, limit) if expr.kind == "max" else _at_most(limit, key)

        return t.implies(self.where(expr, env), self.closed(atom))

    def where(self, expr: ir.Extreme, env: Environment) -> Term:
        return t.TRUE if expr.where is None else self.truth(expr.where, env)

    def key(self, expr: ir.Extreme, env: Environment, value: Value) -> Value:
        return self.value(expr.key, env.bind(expr.binder.uid, value))

    def sent(self, expr: ir.SentMatch, env: Environment) -> Term:
        """Whether some message agrees with the fields given."""
        message = item_type(self.spec, expr.messages.type)
        assert isinstance(message, ty.Message)
        contains = self.contains(expr.messages, env)
        layout = self.signature.fields(message)
        fixed: dict[str, Value] = {}
        open_: list[tuple[str, ty.Type]] = []
        for (name, type_), field in zip(layout, expr.fields, strict=True):
            if field is None:
                open_.append((name, type_))
            else:
                fixed[name] = self.value(field, env)

        def search(left: list[tuple[str, ty.Type]], known: dict[str, Value]) -> Term:
            if not left:
                return contains(RecordV({name: known[name] for name, _ in layout}))
            (name, type_), *rest = left
            return self.signature.some(type_, lambda v: search(rest, {**known, name: v}))

        return search(open_, fixed)


def item_type(spec: ir.Spec, type_: ty.Type) -> ty.Type:
    """The type of the elements of a set or quorum."""
    match type_:
        case ty.Set(item):
            return item
        case ty.Quorum(name):
            return next(q.of for q in spec.quorums if q.name == name)
        case _:
            raise TypeError(f"{ty.show(type_)} has no elements")


def _of_domain(binder: Binder) -> ty.Type:
    """The values a binder ranges over; where it has a domain, that bounds integers, and their own range need not."""
    return binder.type if binder.domain is None else ty.erased(binder.type)


def _index(expr: Expr) -> ty.Type:
    assert isinstance(expr.type, ty.Seq)
    return expr.type.index


def _extended(sequence: SeqV, position: Term, item: Value) -> SeqV:
    return SeqV(position, lambda p: choose(t.eq(p, position), item, sequence.at(p)))


def _at_most(a: Value, b: Value) -> Term:
    """`a <= b` of integers, elements of an order, or options of these, none below every value."""
    match a, b:
        case Term(), Term():
            return t.le(a, b)
        case OptionV(p, x), Term():
            return t.or_(t.not_(p), _at_most(x, b))
        case Term(), OptionV(q, y):
            return t.and_(q, _at_most(a, y))
        case OptionV(p, x), OptionV(q, y):
            return t.or_(t.not_(p), t.and_(q, _at_most(x, y)))
        case _:
            raise TypeError(f"no order between {a} and {b}")


def _stepped(part: object) -> Iterator[str]:
    """The orders in which a spec takes next or previous elements, or counts the items of a sequence."""
    match part:
        case ir.Next(type=ty.Order(name)) | ir.Previous(type=ty.Order(name)):
            yield name
        case ty.Seq(ty.Order(name), _):
            yield name
    if isinstance(part, tuple):
        for item in part:
            yield from _stepped(item)
    elif is_dataclass(part) and not isinstance(part, Span | Source):
        for f in fields(part):
            yield from _stepped(getattr(part, f.name))


def _no_state(name: str) -> Value:
    raise ValueError(f"{name} is no constant")
