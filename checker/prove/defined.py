"""When an expression is defined: the condition under which no partial operation in it leaves its domain.

Follows the order of evaluation, so that a guard protects what it guards. It does not say what the value is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from checker.language import ir
from checker.language import types as ty
from checker.language.ir import Binder, Expr
from checker.language.traverse import children
from checker.prove import terms as t
from checker.prove.evaluate import Environment, Evaluator
from checker.prove.terms import Term
from checker.prove.values import Value, as_term

Own = Callable[[Expr, Environment, Evaluator], Term]


def defined(expr: Expr, env: Environment, e: Evaluator) -> Term:
    """The formula that holds exactly where evaluating the expression meets no undefined operation."""
    return _everywhere(expr, env, e, _own)


def inside(expr: Expr, env: Environment, e: Evaluator) -> Term:
    """The formula that holds exactly where evaluating the expression steps past no order's last element."""
    return _everywhere(expr, env, e, _edge)


def _everywhere(expr: Expr, env: Environment, e: Evaluator, own: Own) -> Term:
    """That `own` holds of every operation that is evaluated."""
    if e.forms.total(expr):
        return t.TRUE
    match expr:
        case ir.And():
            return _in_turn(expr.items, env, e, until=False, own=own)
        case ir.Or():
            return _in_turn(expr.items, env, e, until=True, own=own)
        case ir.Binary(operator="=>"):
            return t.and_(
                _everywhere(expr.left, env, e, own),
                t.implies(e.truth(expr.left, env), _everywhere(expr.right, env, e, own)),
            )
        case ir.If():
            condition = e.truth(expr.condition, env)
            then, otherwise = _everywhere(expr.then, env, e, own), _everywhere(expr.otherwise, env, e, own)
            return t.and_(
                _everywhere(expr.condition, env, e, own), t.implies(condition, then), t.or_(condition, otherwise)
            )
        case ir.Quantified():
            return _under(expr.binders, expr.where, (expr.body,), env, e, own)
        case ir.SetOf():
            return _under(expr.binders, expr.where, (expr.item,), env, e, own)
        case ir.MapOf():
            return _under((expr.binder,), None, (expr.body,), env, e, own)
        case ir.Extreme():
            return t.and_(_under((expr.binder,), expr.where, (expr.key,), env, e, own), own(expr, env, e))
        case ir.Call():
            arguments = tuple(_everywhere(a, env, e, own) for a in expr.arguments)
            definition = e.forms.definitions[expr.name]
            values = {b.uid: e.value(a, env) for b, a in zip(definition.parameters, expr.arguments, strict=True)}
            return t.and_(*arguments, _everywhere(definition.body, replace(env, locals=values), e, own))
        case ir.Old():
            if env.before is None:
                raise ValueError("old(…) outside a step")
            return _everywhere(expr.operand, replace(env, state=env.before), e, own)
        case _:
            return t.and_(*(_everywhere(c, env, e, own) for c in children(expr)), own(expr, env, e))


def _in_turn(items: tuple[Expr, ...], env: Environment, e: Evaluator, until: bool, own: Own) -> Term:
    """The items are evaluated from left to right until one has the value `until`."""
    first, *rest = items
    here = _everywhere(first, env, e, own)
    if not rest or all(e.forms.total(r) for r in rest):
        return here
    value = e.truth(first, env)
    later = _in_turn(tuple(rest), env, e, until, own)
    return t.and_(here, t.or_(value, later) if until else t.implies(value, later))


def _under(
    binders: tuple[Binder, ...],
    where: Expr | None,
    bodies: tuple[Expr, ...],
    env: Environment,
    e: Evaluator,
    own: Own,
) -> Term:
    """For all values of the binders: `own` holds of the condition, and where that is true also of the bodies."""
    domains = t.and_(*(_everywhere(b.domain, env, e, own) for b in binders[:1] if b.domain is not None))

    def body(inner: Environment) -> Term:
        later = t.and_(*(_everywhere(b.domain, inner, e, own) for b in binders[1:] if b.domain is not None))
        parts = t.and_(*(_everywhere(body, inner, e, own) for body in bodies))
        if where is None:
            return t.and_(later, parts)
        return t.and_(later, _everywhere(where, inner, e, own), t.implies(e.truth(where, inner), parts))

    return t.and_(domains, e.over("forall", binders, env, body))


def _extreme_exists(expr: ir.Extreme, env: Environment, e: Evaluator) -> Term:
    """There is an element, not two have the extreme key, and the keys have a bound.

    Every sort is finite in every instance, so that nothing else is needed for a greatest or least key; only integers
    need a bound to be shown.
    """
    binder = expr.binder
    plain = (binder,)

    def member(inner: Environment) -> Term:
        return e.where(expr, inner)

    def unique(first: Environment) -> Term:
        def same(second: Environment) -> Term:
            a, b = first.locals[binder.uid], second.locals[binder.uid]
            both = t.and_(e.is_extreme(expr, env, a), e.is_extreme(expr, env, b))
            return t.implies(both, e.signature.equal(ty.erased(binder.type), a, b))

        return e.over("forall", plain, env, same)

    found = [e.over("exists", plain, env, member), e.over("forall", plain, env, unique)]
    key = expr.key.type.item if isinstance(expr.key.type, ty.Option) else expr.key.type
    if isinstance(key, ty.Int | ty.Range):

        def bounded(limit: Value) -> Term:
            return e.over("forall", plain, env, lambda inner: e.beyond(expr, inner, limit))

        found.append(e.signature.some(ty.erased(key), bounded))
    return t.and_(*found)


def _own(expr: Expr, env: Environment, e: Evaluator) -> Term:
    """The domain of the operation at the root."""
    match expr:
        case ir.Extreme():
            return _extreme_exists(expr, env, e)
        case ir.Unwrap():
            return e.closed(lambda: e.option(expr.operand, env).some)
        case ir.At() | ir.WithAt():
            return e.closed(lambda: _place(expr, env, e))
        case ir.Prefix():
            return e.closed(lambda: t.le(e.scalar(expr.end, env), e.sequence(expr.operand, env).length))
        case ir.Previous():
            return e.closed(lambda: t.not_(_is_zero(e.scalar(expr.operand, env))))
        case ir.Append() if isinstance(expr.type, ty.Seq) and isinstance(expr.type.index, ty.Range):
            high = e.signature.bound(expr.type.index.high)
            return e.closed(lambda: t.lt(e.sequence(expr.operand, env).length, high))
        case ir.SeqLiteral() if isinstance(expr.type, ty.Seq) and isinstance(expr.type.index, ty.Range):
            return t.le(t.integer(len(expr.items)), e.signature.bound(expr.type.index.high))
        case _:
            return t.TRUE


def _edge(expr: Expr, env: Environment, e: Evaluator) -> Term:
    """That the operation at the root does not step past the end of an order."""
    match expr, expr.type:
        case ir.Next(), ty.Order(name):
            return e.closed(lambda: _not_last(e.scalar(expr.operand, env), name))
        case ir.Append(), ty.Seq(ty.Order(name), _):
            return e.closed(lambda: _not_last(e.sequence(expr.operand, env).length, name))
        case ir.SeqLiteral(), ty.Seq(ty.Order(name) as index, _):
            position = e.signature.zero(index)
            found = []
            for _ in expr.items:
                found.append(_not_last(position, name))
                position = e.signature.next(index, position)
            return t.and_(*found)
        case _:
            return t.TRUE


def _not_last(value: Term, order: str) -> Term:
    assert value.sort == order
    return t.app("order goes on", (value,), t.BOOL)


def _place(expr: ir.At | ir.WithAt, env: Environment, e: Evaluator) -> Term:
    """The key is among those that the map or sequence has."""
    match expr.operand.type:
        case ty.Map(ty.Range() as keys, _):
            return e.signature.in_range(keys, as_term(e.value(expr.key, env)))
        case ty.Seq(index, _):
            position = e.scalar(expr.key, env)
            length = e.sequence(expr.operand, env).length
            return t.and_(t.lt(e.signature.zero(index), position), t.le(position, length))
        case _:
            return t.TRUE


def _is_zero(value: Term) -> Term:
    return t.eq(value, t.app("order zero", (), value.sort))
