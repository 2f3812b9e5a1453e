"""Short words for typed expressions that the elaborator makes itself, for steps and guards that nobody writes out.

Each has the place that it stands for; types follow from the operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from checker.language import ir
from checker.language import types as t
from checker.source import Span


def truth(value: bool, span: Span) -> ir.Expr:
    return ir.Const(type=t.Bool(), span=span, value=value)


def not_(operand: ir.Expr) -> ir.Expr:
    """The opposite, for the same place."""
    return ir.Not(type=t.Bool(), span=operand.span, operand=operand)


def any_of(items: Sequence[ir.Expr]) -> ir.Expr:
    """That one of them is true; there is at least one."""
    return items[0] if len(items) == 1 else ir.Or(type=t.Bool(), span=items[0].span, items=tuple(items))


def all_of(items: Sequence[ir.Expr]) -> ir.Expr:
    """That all of them are true; there is at least one."""
    return items[0] if len(items) == 1 else ir.And(type=t.Bool(), span=items[0].span, items=tuple(items))


def compare(left: ir.Expr, operator: Literal["==", "!=", "in"], right: ir.Expr) -> ir.Expr:
    return ir.Binary(type=t.Bool(), span=left.span, operator=operator, left=left, right=right)


def use(binder: ir.Binder) -> ir.Local:
    """The bound name."""
    return ir.Local(type=binder.type, span=binder.span, name=binder.name, uid=binder.uid)


def quantified(kind: Literal["forall", "exists"], binders: Sequence[ir.Binder], body: ir.Expr) -> ir.Expr:
    return ir.Quantified(type=t.Bool(), span=body.span, kind=kind, binders=tuple(binders), where=None, body=body)


def at(operand: ir.Expr, key: ir.Expr) -> ir.Expr:
    """A map at a key."""
    assert isinstance(operand.type, t.Map)
    return ir.At(type=operand.type.value, span=operand.span, operand=operand, key=key)


def with_at(operand: ir.Expr, key: ir.Expr, value: ir.Expr) -> ir.Expr:
    """A map with one place replaced."""
    return ir.WithAt(type=operand.type, span=operand.span, operand=operand, key=key, value=value)


def map_of(type_: t.Map, binder: ir.Binder, body: ir.Expr) -> ir.Expr:
    return ir.MapOf(type=type_, span=binder.span, binder=binder, body=body)


def where(binder: ir.Binder, condition: ir.Expr) -> ir.Expr:
    """The set of the elements that satisfy the condition."""
    return ir.SetOf(type=t.Set(binder.type), span=binder.span, binders=(binder,), where=condition, item=use(binder))


def set_of(type_: t.Set, items: Sequence[ir.Expr], span: Span) -> ir.Expr:
    """The set of these."""
    return ir.SetLiteral(type=type_, span=span, items=tuple(items))


def nothing(type_: t.Type, span: Span) -> ir.Expr:
    """The empty set, bag or queue."""
    return set_of(type_, (), span) if isinstance(type_, t.Set) else ir.Empty(type=type_, span=span)


def set_operation(operator: Literal["union", "minus"], left: ir.Expr, right: ir.Expr) -> ir.Expr:
    return ir.Binary(type=left.type, span=left.span, operator=operator, left=left, right=right)
