"""Maps, sequences and sets in expressions: looking up, building, choosing an extreme; and the built-in functions.

Functions of the elaborator `Expressions`, kept apart from it by what they are about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from checker.language import ir, operators
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import bind_all, bind_one, local
from checker.language.context import NeedsType, Scope
from checker.language.typing import brief, lifted, plain, value_of
from checker.source import Span

if TYPE_CHECKING:
    from checker.language.expressions import Expressions

# --- looking up -------------------------------------------------------------------------------------


def subscript(ex: Expressions, span: Span, operand: s.ExprTree, key: s.ExprTree, scope: Scope) -> ir.Expr:
    """`m[k]`, `s[i]`"""
    base = ex.value(operand, scope)
    match base.type:
        case t.Map(key_type, value):
            position = ex.check(key, key_type, scope)
            return ir.At(type=value_of(value), span=span, operand=base, key=position)
        case t.Seq(index, item):
            position = ex.check(key, index, scope)
            return ir.At(type=value_of(item), span=span, operand=base, key=position)
        case _:
            no_places(ex, base.type, operand.span)


def no_places(ex: Expressions, type_: t.Type, span: Span) -> NoReturn:
    """Report a lookup in what is no map or sequence."""
    hint = "only maps and sequences have places"
    if isinstance(type_, t.Option) and isinstance(type_.item, t.Map | t.Seq):
        hint = f"it may be none: write `(the {brief(span)})[…]`"
    elif isinstance(type_, t.Set | t.Quorum):
        hint = "whether something is in a set is asked by `x in s`"
    ex.report.error("Q0308", f"a value of type `{t.show(type_)}` has no places to look up", span, hint)


def _sequence(ex: Expressions, tree: s.ExprTree, scope: Scope, wanted: t.Type | None = None) -> ir.Expr:
    expr = ex.infer(tree, scope, wanted)
    if not isinstance(expr.type, t.Seq):
        is_set = isinstance(expr.type, t.Set | t.Quorum)
        ex.mismatch(expr, "Seq", "the number of its elements is `size(…)`" if is_set else None)
    return expr


def prefix(ex: Expressions, tree: s.Slice, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    """`s[..i]`"""
    sequence = _sequence(ex, tree.operand, scope, wanted)
    assert isinstance(sequence.type, t.Seq)
    end = ex.check(tree.end, sequence.type.index, scope)
    return ir.Prefix(type=sequence.type, span=tree.span, operand=sequence, end=end)


# --- building ---------------------------------------------------------------------------------------


def set_of(ex: Expressions, tree: s.SetFilter | s.SetImage, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    """`{x in D | P}`, `{e for x in D where P}`"""
    if isinstance(tree, s.SetFilter):
        binder, inner = bind_one(ex, tree.binding, scope, "a set is filtered by one name")
        chosen = ex.boolean(tree.condition, inner)
        item = local(binder, binder.span)
        return ir.SetOf(type=t.Set(binder.type), span=tree.span, binders=(binder,), where=chosen, item=item)
    binders, inner = bind_all(ex, tree.bindings, scope)
    context = plain(wanted)
    hint = context.item if isinstance(context, t.Set) else None
    test, image = ex.report.both(lambda: ex.optional(tree.where, inner), lambda: _item(ex, tree.item, inner, hint))
    return ir.SetOf(type=t.Set(image.type), span=tree.span, binders=binders, where=test, item=image)


def _item(ex: Expressions, tree: s.ExprTree, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    """A part of what is built, lifted where options are wanted."""
    expr = ex.infer(tree, scope, wanted)
    return expr if wanted is None else lifted(expr, wanted) or expr


def map_image(
    ex: Expressions, span: Span, binding: s.Binding, value: s.ExprTree, scope: Scope, wanted: t.Type | None
) -> ir.Expr:
    """`[k in K -> e]`"""
    binder, inner = bind_one(ex, binding, scope, "a map has one key")
    if binder.domain is not None:
        hint = "name the type of the keys; a map is total: `if … then … else …` gives the others their values"
        ex.report.error("Q0306", "a map is given for all values of a type", binding.domain.span, hint)
    context = plain(wanted)
    body = _item(ex, value, inner, context.value if isinstance(context, t.Map) else None)
    return ir.MapOf(type=t.Map(binder.type, body.type), span=span, binder=binder, body=body)


def display(ex: Expressions, tree: s.SetDisplay | s.SeqDisplay, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    """`{a, b}`, `[a, b]`; the items give a set its type where nothing around it does."""
    match tree, wanted:
        case s.SeqDisplay(span, items), t.Seq(_, item):
            return ir.SeqLiteral(type=wanted, span=span, items=ex.checks([(i, item) for i in items], scope))
        case s.SetDisplay(span, items), t.Set(item):
            return ir.SetLiteral(type=wanted, span=span, items=ex.checks([(i, item) for i in items], scope))
        case s.SeqDisplay(span, items), _:
            raise NeedsType("[…]" if items else "[]", span)
        case s.SetDisplay(span, items), _:
            type_ = _common(ex, items, scope, span)
            return ir.SetLiteral(type=t.Set(type_), span=span, items=ex.checks([(i, type_) for i in items], scope))
    raise AssertionError(tree)


def _common(ex: Expressions, items: tuple[s.ExprTree, ...], scope: Scope, span: Span) -> t.Type:
    """The type of the first item that has one by itself; an option of it where another is one or none."""
    missing = NeedsType("{}", span)
    types: list[t.Type] = []
    for item in items:
        try:
            types.append(ex.infer(item, scope).type)
        except NeedsType as needs:
            missing = needs
    if not types:
        raise missing
    option = t.Option(types[0])
    lift = missing.text == "none" or any(t.erased(other) == t.erased(option) for other in types)
    return option if lift and not isinstance(types[0], t.Option) else types[0]


def extremum(ex: Expressions, tree: s.Extremum, scope: Scope) -> ir.Expr:
    """`max x in D where P by key`"""
    binder, inner = bind_one(ex, tree.binding, scope, f"`{tree.kind}` binds one name")
    where, key = ex.report.both(
        lambda: ex.optional(tree.where, inner),
        lambda: local(binder, binder.span) if tree.key is None else ex.value(tree.key, inner),
    )
    if not t.is_ordered(key.type):
        if tree.key is None and not isinstance(key.type, t.Set):
            hint = f"say by what: `{tree.kind} {binder.name} in … by {binder.name}.…`"
            ex.report.error("Q0305", f"values of type `{t.show(key.type)}` are not ordered", key.span, hint)
        operators.unordered(ex, key.type, key.span)
    return ir.Extreme(type=value_of(binder.type), span=tree.span, kind=tree.kind, binder=binder, where=where, key=key)


# --- built-in functions -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """One use of a built-in function."""

    span: Span
    name: str
    arguments: tuple[s.ExprTree, ...]


def _size(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    if (type_ := operators.named_type_of(ex, use.arguments[0], scope)) is not None:
        if not isinstance(type_, t.Sort | t.Order | t.Enum):
            message = f"`{t.show(type_)}` is no sort, order or enum, and no set"
            ex.report.error("Q0314", message, use.arguments[0].span, "`size` counts elements of these")
        return ir.SizeOf(type=t.Int(), span=use.span, of=type_)
    operand = ex.value(use.arguments[0], scope)
    match operand.type:
        case t.Set() | t.Quorum():
            return ir.Size(type=t.Int(), span=use.span, operand=operand)
        case t.Seq():
            ex.mismatch(operand, "Set", "the length of a sequence is `length(…)`")
        case _:
            ex.mismatch(operand, "Set")


def _length(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    operand = ex.complete(lambda: _sequence(ex, use.arguments[0], scope))
    assert isinstance(operand.type, t.Seq)
    return ir.Length(type=value_of(operand.type.index), span=use.span, operand=operand)


def _append(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    operand = _sequence(ex, use.arguments[0], scope, wanted)
    assert isinstance(operand.type, t.Seq)
    item = ex.check(use.arguments[1], operand.type.item, scope)
    return ir.Append(type=operand.type, span=use.span, operand=operand, item=item)


def _old(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    if not scope.old:
        hint = "`old(…)` belongs in `step` properties and `after` blocks; a definition goes inside: `old(d)`"
        ex.report.error("Q0407", "there is no earlier state here", use.span, hint)
    if scope.inside_old:
        ex.report.error("Q0407", "`old` inside `old`", use.span, "there is only one state before the step")
    operand = ex.infer(use.arguments[0], replace(scope, inside_old=True), wanted)
    return ir.Old(type=operand.type, span=use.span, operand=operand)


def _greater(ex: Expressions, use: Use, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    left, right = use.arguments
    first, second = operators.pair(ex, left, right, ex.doubled(scope, use.span), wanted)
    if not t.is_ordered(first.type):
        operators.unordered(ex, first.type, use.span)
    operator: ir.BinaryOperator = ">=" if use.name == "max" else "<="
    test = ir.Binary(type=t.Bool(), span=use.span, operator=operator, left=first, right=second)
    then, otherwise = ex.symbols.another(first), ex.symbols.another(second)
    return ir.If(type=first.type, span=use.span, condition=test, then=then, otherwise=otherwise)


# Each with the names of its parameters.
BUILTIN: dict[str, tuple[Callable[[Expressions, Use, Scope, t.Type | None], ir.Expr], tuple[str, ...]]] = {
    "size": (_size, ("set",)),
    "length": (_length, ("sequence",)),
    "append": (_append, ("sequence", "item")),
    "old": (_old, ("expression",)),
    "max": (_greater, ("a", "b")),
    "min": (_greater, ("a", "b")),
}
