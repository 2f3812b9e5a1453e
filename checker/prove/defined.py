"""When an expression is defined: the condition under which no partial operation in it leaves its domain.

Follows the order of evaluation, so that a guard protects what it guards. It does not say what the value is.
"""

from __future__ import annotations

from dataclasses import replace

from checker.language import ir
from checker.language import types as ty
from checker.language.ir import Binder, Expr
from checker.language.traverse import children
from checker.prove import terms as t
from checker.prove.evaluate import Environment, Evaluator
from checker.prove.terms import Term
from checker.prove.values import Value, as_term


def defined(expr: Expr, env: Environment, e: Evaluator) -> Term:
    """The formula that holds exactly where evaluating the expression meets no undefined operation."""
    if e.forms.total(expr):
        return t.TRUE
    match expr:
        case ir.And():
            return _in_turn(expr.items, env, e, until=False)
        case ir.Or():
            return _in_turn(expr.items, env, e, until=True)
        case ir.Binary(operator="=>"):
            return t.and_(defined(expr.left, env, e), t.implies(e.truth(expr.left, env), defined(expr.right, env, e)))
        case ir.If():
            condition = e.truth(expr.condition, env)
            then, otherwise = defined(expr.then, env, e), defined(expr.otherwise, env, e)
            return t.and_(defined(expr.condition, env, e), t.implies(condition, then), t.or_(condition, otherwise))
        case ir.Quantified():
            return _under(expr.binders, expr.where, (expr.body,), env, e)
        case ir.SetOf():
            return _under(expr.binders, expr.where, (expr.item,), env, e)
        case ir.MapOf():
            return _under((expr.binder,), None, (expr.body,), env, e)
        case ir.Extreme():
            return t.and_(_under((expr.binder,), expr.where, (expr.key,), env, e), _extreme_exists(expr, env, e))
        case ir.Call():
            arguments = tuple(defined(a, env, e) for a in expr.arguments)
            definition = e.forms.definitions[expr.name]
            values = {b.uid: e.value(a, env) for b, a in zip(definition.parameters, expr.arguments, strict=True)}
            return t.and_(*arguments, defined(definition.body, replace(env, locals=values), e))
        case ir.Old():
            if env.before is None:
                raise ValueError("old(…) outside a step")
            return defined(expr.operand, replace(env, state=env.before), e)
        case _:
            return t.and_(*(defined(c, env, e) for c in children(expr)), _own(expr, env, e))


def _in_turn(items: tuple[Expr, ...], env: Environment, e: Evaluator, until: bool) -> Term:
    """The items are evaluated from left to right until one has the value `until`."""
    first, *rest = items
    here = defined(first, env, e)
    if not rest or all(e.forms.total(r) for r in rest):
        return here
    value = e.truth(first, env)
    later = _in_turn(tuple(rest), env, e, until)
    return t.and_(here, t.or_(value, later) if until else t.implies(value, later))


def _under(
    binders: tuple[Binder, ...], where: Expr | None, bodies: tuple[Expr, ...], env: Environment, e: Evaluator
) -> Term:
    """For all values of the binders: the condition is defined, and where it holds so are the bodies."""
    domains = t.and_(*(defined(b.domain, env, e) for b in binders[:1] if b.domain is not None))

    def inside(inner: Environment) -> Term:
        later = t.and_(*(defined(b.domain, inner, e) for b in binders[1:] if b.domain is not None))
        parts = t.and_(*(defined(body, inner, e) for body in bodies))
        if where is None:
            return t.and_(later, parts)
        return t.and_(later, defined(where, inner, e), t.implies(e.truth(where, inner), parts))

    return t.and_(domains, e.over("forall", binders, env, inside))


def _extreme_exists(expr: ir.Extreme, env: Environment, e: Evaluator) -> Term:
    """There is an element, not two have the extreme key, and the keys have a bound.

    Every set is finite in every instance, so that nothing else is needed for a greatest or least key; only integers
    and orders without end need a bound to be shown.
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
    endless = isinstance(key, ty.Int | ty.Range) or (
        expr.kind == "max" and isinstance(key, ty.Order) and key.name in e.stepped
    )
    if endless:

        def bounded(limit: Value) -> Term:
            return e.over("forall", plain, env, lambda inner: e.beyond(expr, inner, limit))

        found.append(e.signature.some(ty.erased(key), bounded))
    return t.and_(*found)


def _own(expr: Expr, env: Environment, e: Evaluator) -> Term:
    """The domain of the operation at the root."""
    match expr:
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
