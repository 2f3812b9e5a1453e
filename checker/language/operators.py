"""Operators of expressions: logic, arithmetic, sets, comparisons, and how two operands come to have one type.

Functions of the elaborator `Expressions`, kept apart from it by what they are about.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, assert_never

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import item_type, local
from checker.language.context import Failed, NeedsType, Scope, TypeName
from checker.language.typing import brief, conversion, lifted, value_of
from checker.source import Span

if TYPE_CHECKING:
    from checker.language.expressions import Expressions


def unary(ex: Expressions, tree: s.Unary, scope: Scope) -> ir.Expr:
    """`not x`, `-x`, `the x`."""
    match tree.operator:
        case "not":
            return ir.Not(type=t.Bool(), span=tree.span, operand=ex.boolean(tree.operand, scope))
        case "-":
            operand = _integer(ex, tree.operand, scope, "-")
            zero = ir.Const(type=t.Int(), span=tree.span, value=0)
            return ir.Binary(type=t.Int(), span=tree.span, operator="-", left=zero, right=operand)
        case "the":
            operand = ex.value(tree.operand, scope)
            if not isinstance(operand.type, t.Option):
                message = f"`{brief(operand.span)}` is never none: it is `{t.show(operand.type)}`"
                ex.report.error("Q0301", message, tree.span, "leave `the` out; it takes the value out of an option")
            return ir.Unwrap(type=value_of(operand.type.item), span=tree.span, operand=operand)
        case _:
            assert_never(tree.operator)


def operation(ex: Expressions, tree: s.Operation, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    """`=>`, `<=>`, arithmetic, and the operations of sets."""
    operator, span = tree.operator, tree.span
    match operator:
        case "=>" | "<=>":
            left, right = ex.checks([(tree.left, t.Bool()), (tree.right, t.Bool())], scope)
            return ir.Binary(type=t.Bool(), span=span, operator=operator, left=left, right=right)
        case "+" | "-" | "*":
            left, right = ex.report.both(
                lambda: _integer(ex, tree.left, scope, operator), lambda: _integer(ex, tree.right, scope, operator)
            )
            return ir.Binary(type=t.Int(), span=span, operator=operator, left=left, right=right)
        case "union" | "intersect" | "minus":
            hint = wanted if isinstance(wanted, t.Set) else None
            left, right = (_as_set(ex, e) for e in _operands(ex, tree.left, tree.right, scope, hint))
            if hint is not None:
                left, right = lifted(left, hint) or left, lifted(right, hint) or right
            left, right = _unified(ex, left, right)
            return ir.Binary(type=left.type, span=span, operator=operator, left=left, right=right)
        case _:
            raise AssertionError(operator)


def _integer(ex: Expressions, tree: s.ExprTree, scope: Scope, operator: str) -> ir.Expr:
    expr = ex.complete(lambda: ex.infer(tree, scope, t.Int()))
    match expr.type:
        case t.Int():
            return expr
        case t.Order():
            ex.mismatch(expr, "Int", "orders have no arithmetic: use `.next` and `.prev`")
        case t.Set() | t.Quorum():
            word = {"+": "union", "-": "minus", "*": "intersect"}[operator]
            ex.mismatch(expr, "Int", f"sets are combined with `{word}`")
        case t.Seq():
            ex.mismatch(expr, "Int", "a sequence grows with `append(s, x)`")
        case _:
            ex.mismatch(expr, "Int", conversion(expr.type, t.Int(), brief(expr.span)))


def _as_set(ex: Expressions, expr: ir.Expr) -> ir.Expr:
    """A set as it is; a quorum as the set of its members."""
    match expr.type:
        case t.Set():
            return expr
        case t.Quorum(name):
            binder = ex.symbols.fresh("member", ex.symbols.quorums[name].of, expr.span, expr)
            item = local(binder, expr.span)
            return ir.SetOf(type=t.Set(binder.type), span=expr.span, binders=(binder,), where=None, item=item)
        case t.Int():
            ex.mismatch(expr, "Set", "numbers are combined with `+`, `-` and `*`")
        case _:
            ex.mismatch(expr, "Set", f"the set of this alone is `{{{brief(expr.span)}}}`")


def conditional(ex: Expressions, tree: s.Conditional, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    """`if c then a else b`; where one branch is none, the other is lifted to an option."""
    condition, (yes, no) = ex.report.both(
        lambda: ex.boolean(tree.condition, scope), lambda: pair(ex, tree.then, tree.otherwise, scope, wanted)
    )
    return ir.If(type=yes.type, span=tree.span, condition=condition, then=yes, otherwise=no)


# --- two operands of one type -----------------------------------------------------------------------


def pair(
    ex: Expressions, left: s.ExprTree, right: s.ExprTree, scope: Scope, wanted: t.Type | None = None
) -> tuple[ir.Expr, ir.Expr]:
    """Two expressions that must have one type: each may give the other its type, or be lifted to an option."""
    first, second = _operands(ex, left, right, scope, wanted)
    if wanted is not None:
        first, second = lifted(first, wanted) or first, lifted(second, wanted) or second
    elif lifted(first, second.type) is None and lifted(second, first.type) is None:
        first = ex.infer(left, scope, second.type)  # what it builds may hold options, which it did not know
    return _unified(ex, first, second)


def _operands(
    ex: Expressions, left: s.ExprTree, right: s.ExprTree, scope: Scope, wanted: t.Type | None
) -> tuple[ir.Expr, ir.Expr]:
    """Both, each with what is wanted or else the type of the other to help; raises NeedsType when neither has one."""
    first: ir.Expr | None = None
    missing: NeedsType | None = None
    try:
        first = ex.infer(left, scope, wanted)
    except NeedsType as needs:
        missing = needs
    except Failed:
        with suppress(Failed, NeedsType):  # for what else is wrong with it
            ex.infer(right, scope, wanted)
        raise
    try:
        second = ex.infer(right, scope, wanted if wanted is not None or first is None else _beside(ex, first))
    except NeedsType as needs:
        if first is None:
            raise
        second = ex.infer(right, scope, _beside(ex, first, needs))
    if first is None:
        first = ex.infer(left, scope, _beside(ex, second, missing))
    return first, second


def _beside(ex: Expressions, other: ir.Expr, missing: NeedsType | None = None) -> t.Type:
    """What one operand says about the type of the other: beside a value, `none` is an option of its type."""
    match other.type:
        case t.Quorum(name):
            return t.Set(ex.symbols.quorums[name].of)
        case type_ if missing is not None and missing.text == "none" and not isinstance(type_, t.Option):
            return t.Option(type_)
        case type_:
            return type_


def _unified(ex: Expressions, first: ir.Expr, second: ir.Expr) -> tuple[ir.Expr, ir.Expr]:
    if (same := lifted(second, first.type)) is not None:
        return first, same
    if (same := lifted(first, second.type)) is not None:
        return same, second
    _different(ex, first, second)


def _different(ex: Expressions, first: ir.Expr, second: ir.Expr) -> NoReturn:
    one, other = t.show(first.type), t.show(second.type)
    message = f"this is `{other}`, but `{brief(first.span)}` is `{one}`"
    hint = conversion(second.type, first.type, brief(second.span)) or conversion(
        first.type, second.type, brief(first.span)
    )
    ex.report.error("Q0301", message, second.span, hint)


# --- comparisons ------------------------------------------------------------------------------------


def comparison(ex: Expressions, tree: s.Comparison, scope: Scope) -> ir.Expr:
    """A chain of comparisons: all of them hold. Operands within the chain take part in two."""
    operands, operators = tree.operands, tree.operators
    inner = scope if len(operators) == 1 else ex.doubled(scope, tree.span)
    links: list[ir.Expr] = []
    for left, operator, right in zip(operands, operators, operands[1:], strict=False):
        with ex.report.recovering():
            links.append(_compare(ex, left, operator, right, inner))
    if len(links) < len(operators):
        raise Failed
    return links[0] if len(links) == 1 else ir.And(type=t.Bool(), span=tree.span, items=tuple(links))


def _compare(ex: Expressions, left: s.ExprTree, operator: str, right: s.ExprTree, scope: Scope) -> ir.Expr:
    span = left.span.to(right.span)
    match operator:
        case "in" | "not in":
            member = _membership(ex, span, left, right, scope)
            return member if operator == "in" else ir.Not(type=t.Bool(), span=span, operand=member)
        case "subset":
            first, second = _operands(ex, left, right, scope, None)
            first, second = _unified(ex, _as_set(ex, first), _as_set(ex, second))
            return ir.Binary(type=t.Bool(), span=span, operator="subset", left=first, right=second)
        case "==" | "!=":
            first, second = _compared(ex, left, right, scope)
            return ir.Binary(type=t.Bool(), span=span, operator=operator, left=first, right=second)
        case "<" | "<=" | ">" | ">=":
            first, second = _compared(ex, left, right, scope)
            if not t.is_ordered(first.type):
                unordered(ex, first.type, span, operator)
            return ir.Binary(type=t.Bool(), span=span, operator=operator, left=first, right=second)
        case _:
            raise AssertionError(operator)


def _compared(ex: Expressions, left: s.ExprTree, right: s.ExprTree, scope: Scope) -> tuple[ir.Expr, ir.Expr]:
    first, second = pair(ex, left, right, scope)
    for one, other in ((first, second), (second, first)):
        if isinstance(one, ir.NoneValue) and isinstance(other, ir.Lift):
            type_ = t.show(other.operand.type)
            message = f"`{brief(other.span)}` is never none: it is `{type_}`, not `{type_}?`"
            ex.report.error("Q0301", message, left.span.to(right.span), "leave this comparison out")
    return first, second


def unordered(ex: Expressions, type_: t.Type, span: Span, operator: str = "") -> NoReturn:
    """Report values that have no order."""
    hint = "integers, elements of an `order`, and options of these are"
    if isinstance(type_, t.Set | t.Quorum):
        hint = "sets are compared by `subset`"
    elif isinstance(type_, t.Enum) and operator:
        hint = "names of an `enum` are only equal or not; a range or an `order` has `<`"
    ex.report.error("Q0305", f"values of type `{t.show(type_)}` are not ordered", span, hint)


def named_type_of(ex: Expressions, tree: s.ExprTree, scope: Scope) -> t.Type | None:
    """The type that a tree names, None for everything that is no name of a type."""
    if isinstance(tree, s.Name) and tree.text not in scope.names:
        symbol = ex.symbols.names.get(tree.text)
        return symbol.type if isinstance(symbol, TypeName) else None
    return None


def _membership(ex: Expressions, span: Span, left: s.ExprTree, right: s.ExprTree, scope: Scope) -> ir.Expr:
    if named_type_of(ex, right, scope) is not None:
        hint = "types are gone through by `forall`, `exists`, `{x in T | …}`, `pick` and parameters"
        message = "`in` asks for a set here, and every value is in its type"
        ex.report.error("Q0209", message, right.span, hint)
    try:
        container = ex.infer(right, scope)
    except NeedsType:
        item = ex.value(left, scope)
        container = ex.complete(lambda: ex.infer(right, scope, t.Set(item.type)))
    except Failed:
        with suppress(Failed, NeedsType):
            ex.infer(left, scope)
        raise
    wanted = item_type(ex, container)
    return ir.Binary(type=t.Bool(), span=span, operator="in", left=ex.check(left, wanted, scope), right=container)
