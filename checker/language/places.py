"""What can be assigned to: a variable, a node's field, or a part of one of these.

An assignment to a part becomes one to the whole variable, with that part replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from checker.language import ir, names
from checker.language import syntax as s
from checker.language import types as t
from checker.language.collections import no_places
from checker.language.context import Broken, Failed, Reads, Role, Scope
from checker.language.expressions import Expressions
from checker.language.typing import value_of
from checker.source import Span


@dataclass(frozen=True)
class Place:
    """A part of a variable: its type, its present value, and the way to it from the variable inwards.

    Each step of the way is (span, the value that has the part, the key or field name).
    """

    variable: ir.VariableDecl
    type: t.Type
    current: ir.Expr
    steps: tuple[tuple[Span, ir.Expr, ir.Expr | str], ...] = ()


def place(ex: Expressions, target: s.ExprTree, scope: Scope, after: bool) -> Place:
    """The place that a target names; `after`: in ghost updates, which change ghost state and nothing else."""
    match target:
        case s.Name(span, text):
            return _variable(ex, s.Word(span, text), scope, after)
        case s.Dot(span, operand, word):
            node = _node(ex, operand, scope)
            if node is not None:
                return _field_of_node(ex, span, node, word, scope, after)
            return _field_of_record(ex, span, place(ex, operand, scope, after), word)
        case s.Subscript(span, operand, key):
            return _element(ex, span, place(ex, operand, scope, after), key, scope)
        case _:
            ex.report.error("Q0408", "this cannot be assigned to", target.span, "assign to state or a part of it")


def rebuilt(ex: Expressions, where: Place, value: ir.Expr) -> ir.Expr:
    """The whole variable's value with this part replaced."""
    for position, (span, whole, part) in reversed([*enumerate(where.steps)]):
        # beyond the first step, the whole speaks of keys that stand in the steps before it
        operand = ex.symbols.another(whole) if position else whole
        if isinstance(part, str):
            value = ir.WithField(type=whole.type, span=span, operand=operand, field=part, value=value)
        else:
            value = ir.WithAt(type=whole.type, span=span, operand=operand, key=part, value=value)
        if isinstance(whole, ir.Unwrap):  # a part of a record in an option: the option is written back
            value = ir.Lift(type=whole.operand.type, span=span, operand=value)
    return value


# --- where the way begins ---------------------------------------------------------------------------


def _variable(ex: Expressions, word: s.Word, scope: Scope, after: bool) -> Place:
    if word.text in scope.names:
        bound = scope.names[word.text]
        if bound.expr is None:
            raise Failed
        note = ("it is bound here", bound.span)
        hint = "only state is assigned; bind a new name with `let`"
        ex.report.error("Q0408", f"`{word.text}` cannot be assigned to", word.span, hint, note)
    own = scope.role.members.get(word.text) if scope.role is not None else None
    symbol = own if own is not None else ex.symbols.names.get(word.text)
    match symbol:
        case ir.VariableDecl():
            if symbol.role is not None:
                return _at_node(ex, word.span, symbol, scope.node, after)
            _assignable(ex, symbol, word.span, after)
            scope.reads.mark("state", word.span)
            if symbol.kind == "state":
                scope.reads.mark("shared", word.span)
            return Place(symbol, symbol.type, ir.Read(type=value_of(symbol.type), span=word.span, name=symbol.name))
        case Broken():
            raise Failed
        case None:
            names.unknown(ex, word, "name", scope)
        case _:
            note = ("it is declared here", symbol.span)
            message = f"`{word.text}` cannot be assigned to"
            ex.report.error("Q0408", message, word.span, "only state is assigned", note)


def _assignable(ex: Expressions, decl: ir.VariableDecl, span: Span, after: bool) -> None:
    note = ("it is declared here", decl.span)
    short = decl.name.split(".")[-1]
    if decl.kind == "fault":
        hint = "a node stops by the step `stop`, which may happen at any time"
        ex.report.error("Q0408", f"`{short}` cannot be assigned to", span, hint, note)
    if after and decl.kind != "ghost":
        hint = "an `after` block assigns to `ghost` state only"
        ex.report.error("Q0412", f"`{short}` is not ghost state", span, hint, note)
    if not after and decl.kind == "ghost":
        hint = "assign it in a block of its own: `after` and the name of the action"
        ex.report.error("Q0415", f"`{short}` is ghost state, which a step does not assign", span, hint, note)


def _node(ex: Expressions, tree: s.ExprTree, scope: Scope) -> ir.Expr | None:
    """The node whose field is assigned, when what stands before the dot is a node of a role."""
    value = names.unwrapped(ex.value(tree, replace(scope, reads=Reads())))
    role = ex.symbols.role_of(value.type)
    return ex.value(tree, scope) if role is not None else None


def _field_of_node(ex: Expressions, span: Span, node: ir.Expr, word: s.Word, scope: Scope, after: bool) -> Place:
    node = names.unwrapped(node)
    assert isinstance(node.type, t.Sort | t.Order)
    role = ex.symbols.roles[node.type.name]
    decl = names.role_member(ex, role, word)
    match decl:
        case ir.VariableDecl():
            pass
        case Broken():
            raise Failed
        case _:
            note = ("it is declared here", decl.span)
            ex.report.error("Q0408", f"`{word.text}` cannot be assigned to", word.span, "only state is assigned", note)
    if not names.is_self(node, role, scope):
        if scope.role is not None and not after:
            _not_own(ex, span, role)
        scope.reads.mark("nodes", span)
    return _at_node(ex, span, decl, node, after)


def _not_own(ex: Expressions, span: Span, role: Role) -> NoReturn:
    hint = f"send a message that the `{role.name}` handles, or make this a top-level action"
    ex.report.error("Q0401", "a node cannot change another node's state", span, hint)


def _at_node(ex: Expressions, span: Span, decl: ir.VariableDecl, node: ir.Expr, after: bool) -> Place:
    _assignable(ex, decl, span, after)
    assert isinstance(decl.type, t.Map)
    whole = ir.Read(type=decl.type, span=span, name=decl.name)
    here = ir.At(type=value_of(decl.type.value), span=span, operand=whole, key=node)
    return Place(decl, decl.type.value, here, ((span, whole, node),))


# --- further inwards --------------------------------------------------------------------------------


def _field_of_record(ex: Expressions, span: Span, base: Place, word: s.Word) -> Place:
    current = names.unwrapped(base.current)
    if not isinstance(current.type, t.Record):
        names.no_field(ex, current.type, word)
    read = names.field(ex, span, current, word)
    type_ = dict(names.fields_of(ex, current.type))[word.text]
    return Place(base.variable, type_, read, (*base.steps, (span, current, word.text)))


def _element(ex: Expressions, span: Span, base: Place, key: s.ExprTree, scope: Scope) -> Place:
    match base.type:
        case t.Map(key_type, item) | t.Seq(key_type, item):
            position = ex.check(key, key_type, scope)
        case _:
            no_places(ex, base.type, span)
    here = ir.At(type=value_of(item), span=span, operand=base.current, key=position)
    return Place(base.variable, item, here, (*base.steps, (span, base.current, position)))
