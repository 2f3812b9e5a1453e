"""The meaning of expressions: each becomes a Python closure from a state and the bound names to a value.

Slow and obvious on purpose. What an expression means is decided in one match, `Evaluator._compile`; where operations
are partial, it raises `Fault`, and where the instance ends, `CutOff`. It takes no step and changes no state.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, assert_never

from checker.explore import network, partial
from checker.explore.domains import MOST_VALUES, Domains, Value, shown_size, too_many
from checker.language import ir
from checker.language import types as ty
from checker.language.forms import Forms
from checker.source import Span, SpecError

State: TypeAlias = Sequence[Value]
Env: TypeAlias = dict[int, Any]
Eval: TypeAlias = Callable[[State, Env], Any]

# Bound names are kept by uid, and under keys that no uid has: the state before the step, and the choices of `pick`s.
OLD: Final = 1 << 62
PICKS: Final = OLD + 1


class Evaluator:
    """Makes closures for the expressions of one spec over given domains; `reads` gives variables and constants."""

    def __init__(self, domains: Domains, reads: Mapping[str, Eval]) -> None:
        self.domains = domains
        self.spec = domains.spec
        self._forms = Forms(domains.spec)
        self._reads = reads
        self._declared = {d.name: d for d in self.spec.definitions}
        self._definitions: dict[str, Eval] = {}

    def compile(self, expr: ir.Expr) -> Eval:
        """The closure for an expression. Raises SpecError where a domain is too large to go through."""
        return self._compile(expr)

    def _compile(self, expr: ir.Expr) -> Eval:
        go = self._compile
        match expr:
            case ir.Const(value=value):
                return lambda s, e: value
            case ir.NoneValue():
                return lambda s, e: None
            case ir.Local(uid=uid):
                return lambda s, e: e[uid]
            case ir.Read(name=name):
                return self._reads[name]
            case ir.Old(operand=operand):
                before = go(operand)
                return lambda s, e: before(e[OLD], e)
            case ir.Lift(operand=operand):
                return go(operand)
            case ir.Unwrap(operand=operand):
                return partial.unwrap(go(operand), expr)
            case ir.FieldOf(operand=operand, field=name):
                return _field(go(operand), self._field_index(operand.type, name))
            case ir.Construct(fields=fields):
                return _tuple([go(each) for each in fields])
            case ir.WithField(operand=operand, field=name, value=value):
                return _with_place(go(operand), self._field_index(operand.type, name), go(value))
            case ir.At(operand=operand, key=key):
                return partial.at(go(operand), self._place(operand.type, expr), go(key))
            case ir.WithAt(operand=operand, key=key, value=value):
                return partial.with_at(go(operand), self._place(operand.type, expr), go(key), go(value))
            case ir.Call(name=name, arguments=arguments):
                return self._call(name, [go(each) for each in arguments])
            case ir.Not(operand=operand):
                inner = go(operand)
                return lambda s, e: not inner(s, e)
            case ir.And(items=items):
                return _all([go(each) for each in items])
            case ir.Or(items=items):
                return _any([go(each) for each in items])
            case ir.Binary():
                return self._binary(expr)
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                test, yes, no = go(condition), go(then), go(otherwise)
                return lambda s, e: yes(s, e) if test(s, e) else no(s, e)
            case ir.Quantified():
                return self._quantified(expr)
            case ir.SetOf(binders=binders, where=where, item=item):
                return self._set_of(binders, where, item)
            case ir.MapOf():
                return self._map(expr)
            case ir.SetLiteral(items=items):
                parts = [go(each) for each in items]
                return lambda s, e: frozenset([part(s, e) for part in parts])
            case ir.SeqLiteral(items=items):
                return partial.sequence([go(each) for each in items], self._longest(expr.type), expr)
            case ir.Extreme():
                return self._extreme(expr)
            case ir.Next(operand=operand):
                return partial.following(go(operand), self.domains.size(operand.type), expr)
            case ir.Previous(operand=operand):
                return partial.preceding(go(operand), expr)
            case ir.Size(operand=operand):
                whole = self.collection(operand)
                return lambda s, e: len(whole(s, e))
            case ir.SizeOf(of=of):
                size = self.domains.size(of)
                return lambda s, e: size
            case ir.Length(operand=operand):
                sequence = go(operand)
                return lambda s, e: len(sequence(s, e))
            case ir.Append(operand=operand, item=item):
                return partial.append(go(operand), go(item), self._longest(expr.type), expr)
            case ir.Prefix(operand=operand, end=end):
                return partial.prefix(go(operand), go(end), expr)
            case ir.SentMatch(messages=messages, fields=fields):
                return _sent(go(messages), [None if f is None else go(f) for f in fields])
            case ir.BagWith(bag=bag, message=message):
                return network.bag_with(go(bag), go(message), self._bag_key(bag.type))
            case ir.BagWithAll(bag=bag, messages=messages):
                return network.bag_with_all(go(bag), go(messages), self._bag_key(bag.type))
            case ir.BagWithout(bag=bag, message=message):
                return network.bag_without(go(bag), go(message))
            case ir.BagItems(bag=bag):
                items_of = go(bag)
                return lambda s, e: frozenset([message for message, _ in items_of(s, e)])
            case ir.Heads(channels=channels, kind=kind, receiver=receiver):
                return self._heads(channels, kind, receiver)
            case ir.Enqueue(queue=queue, message=message):
                return network.enqueue(go(queue), go(message), message.type)
            case ir.Dequeue(queue=queue):
                line = go(queue)
                return lambda s, e: line(s, e)[1:]
            case ir.QueueLength(operand=operand):
                return network.length(go(operand), operand.type)
            case ir.Empty():
                return lambda s, e: ()
            case _:
                assert_never(expr)

    # --- places of records, maps and sequences -------------------------------------------------------

    def _field_index(self, type_: ty.Type, name: str) -> int:
        assert isinstance(type_, ty.Record | ty.Message)
        return [field for field, _ in self.domains.fields(type_)].index(name)

    def _place(self, type_: ty.Type, expr: ir.At | ir.WithAt) -> partial.Place | None:
        """How a key finds its place in the tuple that a map or sequence is; None where the key is the place."""
        match type_:
            case ty.Map(ty.Sort() | ty.Order() | ty.Enum() | ty.Quorum() | ty.Bool(), _):
                return None
            case ty.Map(key, _):
                return partial.map_place(self.domains.position(key, expr.span), expr)
            case _:
                return partial.sequence_place(expr)

    def _longest(self, type_: ty.Type) -> tuple[int, ty.Type]:
        assert isinstance(type_, ty.Seq)
        return self.domains.longest(type_), type_.index

    # --- definitions --------------------------------------------------------------------------------

    def _call(self, name: str, arguments: list[Eval]) -> Eval:
        uids = [parameter.uid for parameter in self._declared[name].parameters]
        body = self._definitions.get(name)
        if body is None:
            body = self._definitions[name] = self._compile(self._declared[name].body)
        value = body
        if not uids:
            return value

        def call(s: State, e: Env) -> Any:
            # All arguments first: one of them may call the same definition. No body is active twice.
            given = [argument(s, e) for argument in arguments]
            for uid, item in zip(uids, given, strict=True):
                e[uid] = item
            return value(s, e)

        return call

    # --- operators ----------------------------------------------------------------------------------

    def _binary(self, expr: ir.Binary) -> Eval:
        sets = expr.operator in ("subset", "union", "intersect", "minus")
        left = self.collection(expr.left) if sets else self._compile(expr.left)
        right = self.collection(expr.right) if sets or expr.operator == "in" else self._compile(expr.right)
        match expr.operator:
            case "=>":
                return lambda s, e: not left(s, e) or right(s, e)
            case "==" | "<=>":
                return lambda s, e: left(s, e) == right(s, e)
            case "!=":
                return lambda s, e: left(s, e) != right(s, e)
            case "<":
                return _less(left, right, expr.left.type)
            case ">":
                return _less(right, left, expr.left.type, reverse=True)
            case "<=":
                return _at_most(left, right, expr.left.type)
            case ">=":
                return _at_most(right, left, expr.left.type, reverse=True)
            case "in":
                return lambda s, e: left(s, e) in right(s, e)
            case "subset":
                return lambda s, e: left(s, e) <= right(s, e)
            case "+":
                return lambda s, e: left(s, e) + right(s, e)
            case "-" | "minus":
                return lambda s, e: left(s, e) - right(s, e)
            case "*":
                return lambda s, e: left(s, e) * right(s, e)
            case "union":
                return lambda s, e: left(s, e) | right(s, e)
            case "intersect":
                return lambda s, e: left(s, e) & right(s, e)
            case _:
                assert_never(expr.operator)

    def collection(self, expr: ir.Expr) -> Eval:
        """A set as it is, a quorum as the set of its members."""
        value = self._compile(expr)
        if not isinstance(expr.type, ty.Quorum):
            return value
        families = self.domains.families[expr.type.name]
        return lambda s, e: families[value(s, e)]

    # --- binders ------------------------------------------------------------------------------------

    def choices(self, binder: ir.Binder) -> Callable[[State, Env], Sequence[Value]]:
        """What a binder ranges over, in order."""
        if binder.domain is None:
            values = self.domains.values(binder.type, binder.span)
            return lambda s, e: values
        domain = self._compile(binder.domain)
        if isinstance(binder.domain.type, ty.Quorum):
            members = self.domains.members(binder.domain.type.name)
            return lambda s, e: members[domain(s, e)]
        assert isinstance(binder.domain.type, ty.Set)
        ordered = self.domains.ordered(binder.domain.type.item)
        return lambda s, e: ordered(domain(s, e))

    def bearable(self, binders: Iterable[ir.Binder], span: Span) -> None:
        """Raises SpecError (Q0508) when binders without domains have too many choices together."""
        free = [binder for binder in binders if binder.domain is None]
        size = math.prod(self.domains.size(binder.type) for binder in free)
        if size > MOST_VALUES * 10:
            names = ", ".join(f"`{binder.name}`" for binder in free)
            raise SpecError([too_many(f"there are {shown_size(size)} choices of {names}", span)])

    def _quantified(self, expr: ir.Quantified) -> Eval:
        """A formula without meaning for some choice has none, whatever the others say: elements come in no order."""
        kind, binders = expr.kind, expr.binders
        self.bearable(binders, expr.body.span if not binders else binders[0].span.to(binders[-1].span))
        inner = self._compile(expr.body)
        if expr.where is not None:
            inner = _restricted(kind, self._compile(expr.where), inner)
        decide = _first_choice if self._forms.total(expr) else _every_choice
        for binder in reversed(binders):
            inner = decide(binder.uid, self.choices(binder), inner, kind == "forall")
        return inner

    def _set_of(self, binders: tuple[ir.Binder, ...], where: ir.Expr | None, item: ir.Expr) -> Eval:
        self.bearable(binders, binders[0].span.to(binders[-1].span))
        fill = _fill(None if where is None else self._compile(where), self._compile(item))
        for binder in reversed(binders):
            fill = _each(binder.uid, self.choices(binder), fill)
        run = fill

        def set_of(s: State, e: Env) -> frozenset[Value]:
            found: list[Value] = []
            run(s, e, found)
            return frozenset(found)

        return set_of

    def _map(self, expr: ir.MapOf) -> Eval:
        keys = self.domains.values(expr.binder.type, expr.binder.span)
        return _map_of(expr.binder.uid, keys, self._compile(expr.body))

    def _extreme(self, expr: ir.Extreme) -> Eval:
        where = None if expr.where is None else self._compile(expr.where)
        key = self._compile(expr.key)
        return partial.extreme(expr, self.choices(expr.binder), where, key)

    # --- networks -----------------------------------------------------------------------------------

    def _bag_key(self, type_: ty.Type) -> Callable[[Value], Any]:
        assert isinstance(type_, ty.Bag)
        return self.domains.key(type_.item) or (lambda message: message)

    def _heads(self, channels: ir.Expr, kind: str, receiver: ir.Expr) -> Eval:
        assert isinstance(channels.type, ty.Map) and isinstance(channels.type.value, ty.Map)
        position = self.domains.position(channels.type.value.key, channels.span)
        return network.heads(self._compile(channels), kind, self._compile(receiver), position)


# --- parts that need no spec ------------------------------------------------------------------------


def _field(record: Eval, index: int) -> Eval:
    return lambda s, e: record(s, e)[index]


def _with_place(record: Eval, index: int, value: Eval) -> Eval:
    def changed(s: State, e: Env) -> tuple[Value, ...]:
        old = record(s, e)
        return (*old[:index], value(s, e), *old[index + 1 :])

    return changed


def _tuple(parts: list[Eval]) -> Eval:
    return lambda s, e: tuple([part(s, e) for part in parts])


def _map_of(uid: int, keys: Sequence[Value], body: Eval) -> Eval:
    def map_of(s: State, e: Env) -> tuple[Value, ...]:
        values = []
        for key in keys:
            e[uid] = key
            values.append(body(s, e))
        return tuple(values)

    return map_of


def _all(items: list[Eval]) -> Eval:
    def conjunction(s: State, e: Env) -> bool:
        for item in items:  # noqa: SIM110 (half the time of `all`, in the innermost loop of everything)
            if not item(s, e):
                return False
        return True

    return conjunction


def _any(items: list[Eval]) -> Eval:
    def disjunction(s: State, e: Env) -> bool:
        for item in items:  # noqa: SIM110
            if item(s, e):
                return True
        return False

    return disjunction


def _less(low: Eval, high: Eval, type_: ty.Type, reverse: bool = False) -> Eval:
    return _compared(low, high, operator.lt, _option_less if isinstance(type_, ty.Option) else None, reverse)


def _at_most(low: Eval, high: Eval, type_: ty.Type, reverse: bool = False) -> Eval:
    return _compared(low, high, operator.le, _option_at_most if isinstance(type_, ty.Option) else None, reverse)


def _compared(
    low: Eval,
    high: Eval,
    plain: Callable[[Any, Any], bool],
    option: Callable[[Any, Any], bool] | None,
    reverse: bool,
) -> Eval:
    """Compares with `plain`, or with `option` where given; with `reverse` the higher side is evaluated first."""
    compare = option or plain
    if not reverse:
        return lambda s, e: compare(low(s, e), high(s, e))

    def backwards(s: State, e: Env) -> bool:
        second = high(s, e)
        return compare(low(s, e), second)

    return backwards


def _option_less(low: Value, high: Value) -> bool:
    return high is not None and (low is None or low < high)


def _option_at_most(low: Value, high: Value) -> bool:
    return low is None or (high is not None and low <= high)


def _restricted(kind: str, where: Eval, body: Eval) -> Eval:
    if kind == "forall":
        return lambda s, e: not where(s, e) or body(s, e)
    return lambda s, e: where(s, e) and body(s, e)


def _first_choice(uid: int, choices: Eval, body: Eval, usual: bool) -> Eval:
    """`usual` unless the body says otherwise of some choice; ends with the first that does."""

    def decided(s: State, e: Env) -> bool:
        for value in choices(s, e):
            e[uid] = value
            if body(s, e) != usual:
                return not usual
        return usual

    return decided


def _every_choice(uid: int, choices: Eval, body: Eval, usual: bool) -> Eval:
    """The same for a body that may have no meaning: it is asked of all choices."""

    def decided(s: State, e: Env) -> bool:
        answer = usual
        for value in choices(s, e):
            e[uid] = value
            if body(s, e) != usual:
                answer = not usual
        return answer

    return decided


_Fill: TypeAlias = Callable[[State, Env, list[Value]], None]


def _fill(where: Eval | None, item: Eval) -> _Fill:
    def fill(s: State, e: Env, found: list[Value]) -> None:
        if where is None or where(s, e):
            found.append(item(s, e))

    return fill


def _each(uid: int, choices: Eval, inner: _Fill) -> _Fill:
    def each(s: State, e: Env, found: list[Value]) -> None:
        for value in choices(s, e):
            e[uid] = value
            inner(s, e, found)

    return each


def _sent(messages: Eval, fields: list[Eval | None]) -> Eval:
    """Whether some message has these fields; without `_` that is membership."""
    given = [(i, field) for i, field in enumerate(fields) if field is not None]
    if len(given) == len(fields):
        return lambda s, e: tuple([field(s, e) for _, field in given]) in messages(s, e)

    def matches(s: State, e: Env) -> bool:
        wanted = [(i, field(s, e)) for i, field in given]
        for message in messages(s, e):
            for i, value in wanted:
                if message[i] != value:
                    break
            else:
                return True
        return False

    return matches
