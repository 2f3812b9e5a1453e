"""Maps, sequences and sets in expressions: looking up, building, choosing an extreme; and the built-in functions.

Functions of the elaborator `Expressions`, kept apart from it by what they are about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checker.language import ir, operators
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import NeedsType, Scope
from checker.language.typing import lifted, value_of
from checker.source import Span

if TYPE_CHECKING:
    from checker.language.expressions import Expressions


def subscript(ex: Expressions, span: Span, operand: s.ExprTree, key: s.ExprTree, scope: Scope) -> ir.Expr:
    base = ex.value(operand, scope)
    match base.type:
        case t.Map(key_type, value):
            position = ex.check(key, key_type, scope)
            return ir.At(type=value_of(value), span=span, operand=base, key=position)
        case t.Seq(index, item):
            position = ex.check(key, index, scope)
            return ir.At(type=value_of(item), span=span, operand=base, key=position)
        case _:
            ex.report.error(
                "Q0308",
                f"`{t.show(base.type)}` has no places to look up",
                operand.span,
                "only maps and sequences have",
            )


def sequence(ex: Expressions, tree: s.ExprTree, scope: Scope, wanted: t.Type | None = None) -> ir.Expr:
    expr = ex.complete(lambda: ex.infer(tree, scope, wanted))
    if not isinstance(expr.type, t.Seq):
        ex.mismatch(expr, "Seq", "the size of a set is `size(…)`" if isinstance(expr.type, t.Set) else None)
    return expr


def map_image(
    ex: Expressions, span: Span, binding: s.Binding, value: s.ExprTree, scope: Scope, wanted: t.Type | None
) -> ir.Expr:
    binders, inner = ex.bind_all((binding,), scope)
    if len(binders) != 1 or binders[0].domain is not None:
        ex.report.error("Q0306", "a map is given for all values of one type", binding.span, "name one key and its type")
    hint = wanted.value if isinstance(wanted, t.Map) else None
    body = ex.infer(value, inner, hint)
    if hint is not None:
        body = lifted(body, hint) or body
    return ir.MapOf(type=t.Map(binders[0].type, body.type), span=span, binder=binders[0], body=body)


def display(ex: Expressions, tree: s.SetDisplay | s.SeqDisplay, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    if isinstance(wanted, t.Option):
        wanted = wanted.item
    if isinstance(tree, s.SeqDisplay):
        if not isinstance(wanted, t.Seq):
            raise NeedsType("[…]" if tree.items else "[]", tree.span)
        items = tuple(ex.check(item, wanted.item, scope) for item in tree.items)
        return ir.SeqLiteral(type=wanted, span=tree.span, items=items)
    if isinstance(wanted, t.Set):
        items = tuple(ex.check(item, wanted.item, scope) for item in tree.items)
        return ir.SetLiteral(type=wanted, span=tree.span, items=items)
    if not tree.items:
        raise NeedsType("{}", tree.span)
    first = ex.infer(tree.items[0], scope)
    others = tuple(ex.check(item, first.type, scope) for item in tree.items[1:])
    return ir.SetLiteral(type=t.Set(first.type), span=tree.span, items=(first, *others))


def extremum(ex: Expressions, tree: s.Extremum, scope: Scope) -> ir.Expr:
    binders, inner = ex.bind_all((tree.binding,), scope)
    if len(binders) != 1:
        ex.report.error("Q0306", f"`{tree.kind}` binds one name", tree.binding.span)
    binder = binders[0]
    where = ex.boolean(tree.where, inner) if tree.where is not None else None
    key = ex.value(tree.key, inner) if tree.key is not None else ex.local(binder, binder.span)
    if not t.is_ordered(key.type):
        hint = None if tree.key is not None else "say by what: `max x in S by x.ballot`"
        ex.report.error("Q0305", f"values of type `{t.show(key.type)}` are not ordered", key.span, hint)
    return ir.Extreme(type=value_of(binder.type), span=tree.span, kind=tree.kind, binder=binder, where=where, key=key)


@dataclass(frozen=True)
class Use:
    """One use of a built-in function."""

    span: Span
    name: str
    arguments: tuple[s.ExprTree, ...]


def size(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    if (type_ := operators.named_type_of(ex, use.arguments[0], scope)) is not None:
        if not isinstance(type_, t.Sort | t.Order | t.Enum):
            ex.report.error("Q0301", "the size of a sort, order, enum or set is needed", use.arguments[0].span)
        return ir.SizeOf(type=t.Int(), span=use.span, of=type_)
    operand = ex.value(use.arguments[0], scope)
    match operand.type:
        case t.Set() | t.Quorum():
            return ir.Size(type=t.Int(), span=use.span, operand=operand)
        case t.Seq():
            ex.mismatch(operand, "Set", "the length of a sequence is `length(…)`")
        case _:
            ex.mismatch(operand, "Set")


def length(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    operand = sequence(ex, use.arguments[0], scope)
    assert isinstance(operand.type, t.Seq)
    return ir.Length(type=value_of(operand.type.index), span=use.span, operand=operand)


def append(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    operand = sequence(ex, use.arguments[0], scope, wanted)
    assert isinstance(operand.type, t.Seq)
    item = ex.check(use.arguments[1], operand.type.item, scope)
    return ir.Append(type=operand.type, span=use.span, operand=operand, item=item)


def old(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    if not scope.old:
        ex.report.error(
            "Q0407",
            "there is no earlier state here",
            use.span,
            "`old(…)` belongs in `step` properties and `after` blocks",
        )
    if scope.inside_old:
        ex.report.error("Q0407", "`old` inside `old`", use.span, "there is only one state before the step")
    operand = ex.infer(use.arguments[0], replace(scope, inside_old=True), wanted)
    return ir.Old(type=operand.type, span=use.span, operand=operand)


def greater(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    first, second = operators.pair(ex, use.arguments[0], use.arguments[1], scope, wanted)
    if not t.is_ordered(first.type):
        ex.report.error("Q0305", f"values of type `{t.show(first.type)}` are not ordered", use.span)
    operator: ir.BinaryOperator = ">=" if use.name == "max" else "<="
    test = ir.Binary(type=t.Bool(), span=use.span, operator=operator, left=first, right=second)
    return ir.If(type=first.type, span=use.span, condition=test, then=first, otherwise=second)


BUILTIN = {
    "size": (size, 1),
    "length": (length, 1),
    "append": (append, 2),
    "old": (old, 1),
    "max": (greater, 2),
    "min": (greater, 2),
}
