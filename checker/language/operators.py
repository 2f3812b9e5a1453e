"""Operators in expressions: logic, arithmetic, comparison, sets; how two operands come to have one type.

Functions of the elaborator `Expressions`, kept apart from it by what they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import Failed, NeedsType, Scope, TypeName
from checker.language.typing import brief, lifted, value_of
from checker.source import Span

if TYPE_CHECKING:
    from checker.language.expressions import Expressions


def unary(ex: Expressions, tree: s.Unary, scope: Scope) -> ir.Expr:
    match tree.operator:
        case "not":
            return ir.Not(type=t.Bool(), span=tree.span, operand=ex.boolean(tree.operand, scope))
        case "-":
            operand = ex.check(tree.operand, t.Int(), scope)
            zero = ir.Const(type=t.Int(), span=tree.span, value=0)
            return ir.Binary(type=t.Int(), span=tree.span, operator="-", left=zero, right=operand)
        case "the":
            operand = ex.value(tree.operand, scope)
            if not isinstance(operand.type, t.Option):
                ex.mismatch(operand, f"{t.show(operand.type)}?", "`the` takes the value out of an option")
            return ir.Unwrap(type=value_of(operand.type.item), span=tree.span, operand=operand)
        case _:
            assert_never(tree.operator)


def operation(ex: Expressions, tree: s.Operation, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    operator, span = tree.operator, tree.span
    match operator:
        case "=>" | "<=>":
            left, right = ex.boolean(tree.left, scope), ex.boolean(tree.right, scope)
            return ir.Binary(type=t.Bool(), span=span, operator=operator, left=left, right=right)
        case "+" | "-" | "*":
            left = arithmetic(ex, tree.left, scope, operator)
            right = arithmetic(ex, tree.right, scope, operator)
            return ir.Binary(type=t.Int(), span=span, operator=operator, left=left, right=right)
        case "union" | "intersect" | "minus":
            hint = wanted if isinstance(wanted, t.Set) else None
            left, right = (as_set(ex, e) for e in pair(ex, tree.left, tree.right, scope, hint, quorums=True))
            return ir.Binary(type=left.type, span=span, operator=operator, left=left, right=right)
        case _:
            raise AssertionError(operator)


def arithmetic(ex: Expressions, tree: s.ExprTree, scope: Scope, operator: str) -> ir.Expr:
    expr = ex.complete(lambda: ex.infer(tree, scope, t.Int()))
    match expr.type:
        case t.Int():
            return expr
        case t.Order():
            ex.mismatch(expr, "Int", "orders have no arithmetic: use `.next` and `.prev`")
        case t.Set():
            word = {"+": "union", "-": "minus", "*": "intersect"}[operator]
            ex.mismatch(expr, "Int", f"sets are combined with `{word}`")
        case t.Seq():
            ex.mismatch(expr, "Int", "a sequence grows with `append(s, x)`")
        case _:
            ex.mismatch(expr, "Int")


def as_set(ex: Expressions, expr: ir.Expr) -> ir.Expr:
    """A set as it is; a quorum as the set of its members."""
    match expr.type:
        case t.Set():
            return expr
        case t.Quorum(name):
            binder = ex.symbols.fresh("member", ex.symbols.quorums[name].of, expr.span, expr)
            item = ex.local(binder, expr.span)
            return ir.SetOf(type=t.Set(binder.type), span=expr.span, binders=(binder,), where=None, item=item)
        case _:
            ex.mismatch(expr, "Set")


def connective(ex: Expressions, span: Span, operator: str, items: tuple[s.ExprTree, ...], scope: Scope) -> ir.Expr:
    parts: list[ir.Expr] = []
    for item in items:  # each on its own, so that one line can have two errors
        with ex.report.recovering():
            parts.append(ex.boolean(item, scope))
    if len(parts) < len(items):
        raise Failed
    node = ir.And if operator == "and" else ir.Or
    return node(type=t.Bool(), span=span, items=tuple(parts))


def pair(
    ex: Expressions,
    left: s.ExprTree,
    right: s.ExprTree,
    scope: Scope,
    wanted: t.Type | None = None,
    quorums: bool = False,
) -> tuple[ir.Expr, ir.Expr]:
    """Two expressions that must have one type: each may give the other its type, or be lifted to an option."""
    try:
        first = ex.infer(left, scope, wanted)
        second = ex.complete(lambda: ex.infer(right, scope, wanted if wanted is not None else first.type))
    except NeedsType:
        second = ex.complete(lambda: ex.infer(right, scope, wanted))
        context = second.type if isinstance(second.type, t.Option) or not _is_none(left) else t.Option(second.type)
        first = ex.complete(lambda: ex.infer(left, scope, context))
    if wanted is not None:
        first, second = lifted(first, wanted) or first, lifted(second, wanted) or second
    if quorums:
        first, second = as_set(ex, first), as_set(ex, second)
    return unify(ex, first, second)


def unify(ex: Expressions, first: ir.Expr, second: ir.Expr) -> tuple[ir.Expr, ir.Expr]:
    if (same := lifted(second, first.type)) is not None:
        return first, same
    if (same := lifted(first, second.type)) is not None:
        return same, second
    ex.mismatch(second, t.show(first.type), f"`{brief(first.span)}` is `{t.show(first.type)}`")


def comparison(
    ex: Expressions, span: Span, operands: tuple[s.ExprTree, ...], operators: tuple[str, ...], scope: Scope
) -> ir.Expr:
    links = [
        compare(ex, left, operator, right, scope)
        for left, operator, right in zip(operands, operators, operands[1:], strict=False)
    ]
    return links[0] if len(links) == 1 else ir.And(type=t.Bool(), span=span, items=tuple(links))


def compare(ex: Expressions, left: s.ExprTree, operator: str, right: s.ExprTree, scope: Scope) -> ir.Expr:
    span = left.span.to(right.span)
    match operator:
        case "in" | "not in":
            member = membership(ex, span, left, right, scope)
            return member if operator == "in" else ir.Not(type=t.Bool(), span=span, operand=member)
        case "subset":
            first, second = pair(ex, left, right, scope, quorums=True)
            return ir.Binary(type=t.Bool(), span=span, operator="subset", left=first, right=second)
        case "==" | "!=":
            if named_type_of(ex, right, scope) is not None:
                ex.report.error(
                    "Q0205",
                    "a value cannot be compared with a type",
                    right.span,
                    "compare it with a value of the type",
                )
            first, second = pair(ex, left, right, scope)
            return ir.Binary(type=t.Bool(), span=span, operator=operator, left=first, right=second)
        case "<" | "<=" | ">" | ">=":
            first, second = pair(ex, left, right, scope)
            if not t.is_ordered(first.type):
                hint = "`<` compares integers, elements of an order, and options of these; for sets use `subset`"
                ex.report.error("Q0305", f"values of type `{t.show(first.type)}` are not ordered", span, hint)
            return ir.Binary(type=t.Bool(), span=span, operator=operator, left=first, right=second)
        case _:
            raise AssertionError(operator)


def named_type_of(ex: Expressions, tree: s.ExprTree, scope: Scope) -> t.Type | None:
    if isinstance(tree, s.Name) and tree.text not in scope.names:
        symbol = ex.symbols.names.get(tree.text)
        return symbol.type if isinstance(symbol, TypeName) else None
    return None


def membership(ex: Expressions, span: Span, left: s.ExprTree, right: s.ExprTree, scope: Scope) -> ir.Expr:
    if named_type_of(ex, right, scope) is not None:
        ex.report.error("Q0306", "`in` asks for a set here, not a type", right.span, "every value is in its type")
    try:
        container = ex.infer(right, scope)
    except NeedsType:
        item = ex.value(left, scope)
        container = ex.complete(lambda: ex.infer(right, scope, t.Set(item.type)))
    wanted = ex.item_type(container)
    return ir.Binary(type=t.Bool(), span=span, operator="in", left=ex.check(left, wanted, scope), right=container)


def _is_none(tree: s.ExprTree) -> bool:
    return isinstance(tree, s.Name) and tree.text == "none"
