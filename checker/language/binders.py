"""Names that are bound: what they range over, what type they have, and that none hides another.

Functions of the elaborator `Expressions`, kept apart from it by what they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import RESERVED, Definition, Failed, Role, Scope, TypeName
from checker.language.typing import BUILTIN, named_type, resolve, value_of, well_formed
from checker.source import Span

if TYPE_CHECKING:
    from checker.language.expressions import Expressions

Binders = tuple[ir.Binder, ...]


def local(binder: ir.Binder, span: Span) -> ir.Expr:
    """The name, where it is used."""
    return ir.Local(type=value_of(binder.type), span=span, name=binder.name, uid=binder.uid)


# --- binding ----------------------------------------------------------------------------------------


def bind_all(ex: Expressions, bindings: tuple[s.Binding, ...], scope: Scope) -> tuple[Binders, Scope]:
    """Binders for the names in order, and the scope in which they are bound.

    Where a domain has an error it is reported, the names are bound to something unknown, and binders are missing.
    """
    binders: list[ir.Binder] = []
    for binding in bindings:
        try:
            type_, over = domain(ex, binding.domain, scope)
        except Failed:
            scope = poisoned(binding.names, scope)
            continue
        for word in binding.names:
            scope = _bind(ex, word, type_, over, binders, scope)
    return tuple(binders), scope


def bind_one(ex: Expressions, binding: s.Binding, scope: Scope, what: str) -> tuple[ir.Binder, Scope]:
    """The one binder of a construct that binds one name; `what` says so to the user."""
    if len(binding.names) != 1:
        extra = binding.names[1].span.to(binding.names[-1].span)
        ex.report.error("Q0307", what, extra, "bind one name; for pairs, build a set with `{e for x, y in D}`")
    binders, inner = bind_all(ex, (binding,), scope)
    if not binders:
        raise Failed
    return binders[0], inner


def _bind(
    ex: Expressions, word: s.Word, type_: t.Type, over: ir.Expr | None, binders: list[ir.Binder], scope: Scope
) -> Scope:
    try:
        unshadowed(ex, word, scope)
    except Failed:
        return scope if word.text in scope.names else scope.bind(word.text, None, word.span)
    if over is not None and binders and over is binders[-1].domain:
        over = ex.symbols.another(over)
    binder = ex.symbols.fresh(word.text, type_, word.span, over)
    binders.append(binder)
    return scope.bind(word.text, local(binder, word.span), word.span)


def poisoned(words: tuple[s.Word, ...], scope: Scope) -> Scope:
    """The scope with these names bound to something unknown; what uses them is silent."""
    for word in words:
        scope = scope.bind(word.text, None, word.span)
    return scope


def unshadowed(ex: Expressions, word: s.Word, scope: Scope) -> None:
    """Report a bound name that the language uses, or that hides another one."""
    if ex.symbols.reserved(word):
        raise Failed
    if word.text in scope.names:
        first = scope.names[word.text].span
    elif word.text in ex.symbols.names:
        first = ex.symbols.names[word.text].span
    elif scope.role is not None and word.text in scope.role.members:
        first = scope.role.members[word.text].span
    else:
        return
    note = ("it is declared here", first)
    ex.report.error("Q0203", f"`{word.text}` already has a meaning here", word.span, "choose another name", note)


def self_binder(ex: Expressions, role: Role | None, scope: Scope) -> tuple[Binders, Scope]:
    """The node parameter of what belongs to a role, bound as `self`."""
    if role is None:
        return (), scope
    binder = ex.symbols.fresh("self", role.type, role.item.name.span)
    return (binder,), scope.bind("self", local(binder, binder.span), binder.span)


def value_parameters(ex: Expressions, bindings: tuple[s.Binding, ...], scope: Scope) -> tuple[Binders, Scope]:
    """Parameters of definitions and procedures: names with a type, which may be Int or a kind of messages.

    Raises Failed when one of them has none: nothing could be said about uses.
    """
    binders: list[ir.Binder] = []
    for binding in bindings:
        type_ = _parameter_type(ex, binding.domain)
        for word in binding.names:
            scope = _bind(ex, word, type_, None, binders, scope)
    if len(binders) < sum(len(binding.names) for binding in bindings):
        raise Failed
    return tuple(binders), scope


def _parameter_type(ex: Expressions, tree: s.DomainTree) -> t.Type:
    match tree:
        case s.Name(span, text) if not isinstance(
            ex.symbols.names.get(text), ir.VariableDecl | ir.ConstantDecl | Definition
        ):
            return named_type(ex.symbols, s.Word(span, text))
        case s.NamedType() | s.GenericType() | s.OptionType() | s.RangeType():
            return type_of(ex, tree)
        case s.SentDomain(_, word):
            hint = f"the type of the messages is `{word.text}`"
            ex.report.error("Q0313", "a parameter of a definition or procedure has a type", tree.span, hint)
        case _:
            hint = "name its type, and ask for membership in the body"
            ex.report.error("Q0313", "a parameter of a definition or procedure has a type", tree.span, hint)


# --- domains ----------------------------------------------------------------------------------------


def domain(ex: Expressions, tree: s.DomainTree, scope: Scope) -> tuple[t.Type, ir.Expr | None]:
    """What `in …` ranges over: a type (no expression), or a set or quorum."""
    match tree:
        case s.RangeType() | s.NamedType() | s.OptionType() | s.GenericType():
            type_ = type_of(ex, tree, scope)
        case s.Name(span, text) if text not in scope.names and (text in BUILTIN or _is_type(ex, text)):
            type_ = named_type(ex.symbols, s.Word(span, text))
        case s.Name(span, text) if not _is_known(ex, text, scope):
            near = [*scope.names, *ex.symbols.names, *BUILTIN]
            ex.symbols.unknown(s.Word(span, text), "type or set", near, "Q0201")
        case _:
            expr = ex.value(tree, scope)
            return item_type(ex, expr), expr
    _enumerable(ex, type_, tree.span)
    return type_, None


def _is_type(ex: Expressions, name: str) -> bool:
    return isinstance(ex.symbols.names.get(name), TypeName | ir.MessageDecl)


def _is_known(ex: Expressions, name: str, scope: Scope) -> bool:
    members = scope.role.members if scope.role is not None else {}
    return name in scope.names or name in members or name in ex.symbols.names or name in RESERVED


def _enumerable(ex: Expressions, type_: t.Type, span: Span) -> None:
    match type_:
        case t.Int():
            ex.report.error("Q0306", "there are too many integers to go through", span, "give bounds: `0..N`")
        case t.Message(name):
            ex.report.error("Q0306", f"`{name}` is a kind of message", span, f"write `in sent {name}`")
        case t.Option(item) | t.Set(item) | t.Seq(_, item):
            _enumerable(ex, item, span)
        case t.Map(key, value):
            _enumerable(ex, key, span)
            _enumerable(ex, value, span)
        case _:
            pass


def item_type(ex: Expressions, expr: ir.Expr) -> t.Type:
    """The type of the elements of a set or quorum; reports what has none."""
    match expr.type:
        case t.Set(item):
            return item
        case t.Quorum(name):
            return ex.symbols.quorums[name].of
        case t.Seq(index):
            hint = f"go through its positions: `i in {t.show(index)} where zero < i <= length(…)`"
            ex.report.error("Q0306", "a sequence is not a set", expr.span, hint)
        case t.Map(key):
            hint = f"go through its keys: `k in {t.show(key)}`"
            ex.report.error("Q0306", "a map is not a set", expr.span, hint)
        case t.Int():
            hint = "the numbers up to it are `0..N` for a constant `N`"
            ex.report.error("Q0306", "an integer has no elements to go through", expr.span, hint)
        case _:
            message = f"a value of type `{t.show(expr.type)}` has no elements to go through"
            ex.report.error("Q0306", message, expr.span, "a set, a quorum or a type is needed")


# --- types and the bounds of ranges -----------------------------------------------------------------


def type_of(ex: Expressions, tree: s.TypeTree, scope: Scope | None = None) -> t.Type:
    """The type that a type tree describes; `scope` knows the names that its bounds must not use."""
    inside = scope or Scope()
    type_ = resolve(ex.symbols, tree, lambda bound: constant_integer(ex, bound, inside, "the bound of a range"))
    well_formed(ex.symbols, type_, tree.span)
    return type_


def constant_integer(ex: Expressions, tree: s.ExprTree, scope: Scope, what: str) -> ir.Expr:
    """An integer made of numbers, constants and sizes of sorts; `what` it is for is said to the user."""
    _constant_form(ex, tree, scope, what)
    return ex.check(tree, t.Int(), Scope())


def _constant_form(ex: Expressions, tree: s.ExprTree, scope: Scope, what: str) -> None:
    match tree:
        case s.Number():
            pass
        case s.Name(span, text):
            if text in scope.names:
                hint = "go through a larger range, and say which elements are meant with `where`"
                ex.report.error("Q0409", f"{what} cannot depend on `{text}`", span, hint)
            if text in ex.symbols.varying:
                hint = "use constants; which elements of a range are meant can be said with `where`"
                ex.report.error("Q0409", f"{what} cannot depend on `{text}`", span, hint)
        case s.Unary(_, "-", operand):
            _constant_form(ex, operand, scope, what)
        case s.Operation(_, "+" | "-" | "*", left, right):
            _constant_form(ex, left, scope, what)
            _constant_form(ex, right, scope, what)
        case s.Apply(_, s.Word(text="size"), (s.Name(text=name),)) if name not in ex.symbols.varying:
            pass
        case _:
            hint = "integers, constants, sizes of sorts, and sums and products of these"
            ex.report.error("Q0409", f"{what} is not made of constants", tree.span, hint)
