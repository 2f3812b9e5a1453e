"""What names stand for in expressions: bound names, fields, constants, state, definitions and their calls.

Functions of the elaborator `Expressions`, kept apart from it by what they are about.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, assert_never

from checker.language import collections, ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import self_binder, value_parameters
from checker.language.context import (
    Broken,
    Definition,
    EnumValue,
    Failed,
    Member,
    NeedsType,
    Procedure,
    Role,
    Scope,
    TypeName,
)
from checker.language.elements import is_element
from checker.language.links import Links
from checker.language.rounds import Rounds
from checker.language.typing import plain, value_of
from checker.source import Span, did_you_mean

if TYPE_CHECKING:
    from checker.language.expressions import Expressions

# --- bare names -------------------------------------------------------------------------------------


def name(ex: Expressions, tree: s.Name, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    """A bare name; `wanted` gives `none` and `zero` their type."""
    text, span = tree.text, tree.span
    match text:
        case "true" | "false":
            return ir.Const(type=t.Bool(), span=span, value=text == "true")
        case "none":
            if not isinstance(wanted, t.Option):
                raise NeedsType(text, span)
            return ir.NoneValue(type=value_of(wanted), span=span)
        case "zero":
            return _zero(ex, span, plain(wanted))
    if (bound := scope.names.get(text)) is not None:
        if bound.expr is None:
            raise Failed
        return replace(bound.expr, span=span)
    if text == "self":
        hint = "`self` is the node in a role's steps and definitions; elsewhere take a parameter"
        ex.report.error("Q0416", "there is no `self` here", span, hint)
    if scope.role is not None and (member := scope.role.members.get(text)) is not None:
        return _member(ex, s.Word(span, text), span, member, scope, scope.node)
    return _global(ex, tree, scope)


def _zero(ex: Expressions, span: Span, wanted: t.Type | None) -> ir.Expr:
    match wanted:
        case t.Order(order):
            if not ex.symbols.orders[order].from_zero:
                hint = f"declare it `order {order} from zero`"
                ex.report.error("Q0310", f"the order `{order}` has no least element", span, hint)
            return ir.Const(type=wanted, span=span, value=0)
        case t.Int() | t.Range():
            return ir.Const(type=t.Int(), span=span, value=0)
        case _:
            raise NeedsType("zero", span)


def _global(ex: Expressions, tree: s.Name, scope: Scope) -> ir.Expr:
    text, span = tree.text, tree.span
    symbol = ex.symbols.names.get(text)
    match symbol:
        case EnumValue(type_, position):
            return ir.Const(type=type_, span=span, value=position)
        case ir.ConstantDecl():
            return ir.Read(type=value_of(symbol.type), span=span, name=text)
        case ir.VariableDecl():
            scope.reads.mark("state", span)
            scope.reads.mark("ghost" if symbol.kind == "ghost" else "shared", span)
            return ir.Read(type=value_of(symbol.type), span=span, name=text)
        case Definition():
            return call(ex, span, symbol, (), scope, node=None)
        case Broken():
            raise Failed
        case TypeName():
            hint = f"the set of all its values is `{{x in {text} | true}}`"
            ex.report.error("Q0209", f"`{text}` is a type, but a value is needed", span, hint)
        case ir.MessageDecl():
            hint = f"ask `sent {text}(…)`; the set of those sent is `sent {text}`"
            ex.report.error("Q0209", f"`{text}` is a kind of message, but a value is needed", span, hint)
        case Procedure():
            _no_value(ex, text, span)
        case None:
            unknown(ex, s.Word(span, text), "name", scope)
        case _:
            assert_never(symbol)


def _no_value(ex: Expressions, text: str, span: Span) -> NoReturn:
    hint = "a procedure is a statement; an expression with a name is a `define`"
    ex.report.error("Q0304", f"`{text}` is a procedure and has no value", span, hint)


def unknown(ex: Expressions, word: s.Word, what: str, scope: Scope) -> NoReturn:
    """Report a name that nothing declares; `what` is a name or a definition."""
    symbols = ex.symbols
    owner = next((role for role in symbols.roles.values() if word.text in role.members), None)
    sorts = [n for n, known in symbols.names.items() if isinstance(known, TypeName) and isinstance(known.type, t.Sort)]
    otherwise = ""
    if owner is not None:
        otherwise = f"`{word.text}` belongs to a `{owner.name}`: write `n.{word.text}` for a node `n`"
    elif word.text in symbols.apart:
        otherwise = f"`{word.text}` names {symbols.apart[word.text]}, which has no value"
    elif what == "name" and is_element(word.text, sorts):
        otherwise = "elements have names in instances only: quantify over them, or declare a constant"
    members = scope.role.members if scope.role is not None else {}
    if what == "name":
        values = EnumValue | ir.ConstantDecl | ir.VariableDecl | Definition
        near = [*scope.names, *(n for n, known in symbols.names.items() if isinstance(known, values))]
    else:
        called = symbols.names.items()
        near = [*collections.BUILTIN, *(n for n, known in called if isinstance(known, Definition | TypeName))]
    symbols.unknown(word, what, () if otherwise else [*members, *near], "Q0201", otherwise)


# --- after a dot ------------------------------------------------------------------------------------


def dot(ex: Expressions, tree: s.Dot, scope: Scope) -> ir.Expr:
    """A field of a record, message or node; a neighbour in an order. Options are read through."""
    word, span = tree.name, tree.span
    base = unwrapped(ex.value(tree.operand, scope))
    match base.type:
        case t.Record() | t.Message():
            return field(ex, span, base, word)
        case t.Order() if word.text == "next":
            return ir.Next(type=base.type, span=span, operand=base)
        case t.Order() if word.text == "prev":
            return ir.Previous(type=base.type, span=span, operand=base)
        case t.Sort(role) | t.Order(role) if role in ex.symbols.roles:
            if (moved := _moved(ex, ex.symbols.roles[role], word, scope, base)) is not None:
                return replace(moved, span=span)
            member = role_member(ex, ex.symbols.roles[role], word)
            return _member(ex, word, span, member, scope, base)
        case _:
            no_field(ex, base.type, word)


def _moved(ex: Expressions, role: Role, word: s.Word, scope: Scope, node: ir.Expr) -> ir.Expr | None:
    """`n.moved`: whether a node has taken its action in this round, where there are rounds and no such field."""
    if word.text != "moved" or word.text in role.members or not Rounds(ex.symbols).there_are:
        return None
    scope.reads.mark("state", word.span)
    if not is_self(node, role, scope):
        scope.reads.mark("nodes", word.span)
    return Rounds(ex.symbols).has_moved(role, node)


def unwrapped(expr: ir.Expr) -> ir.Expr:
    """The value in an option; other values as they are."""
    if not isinstance(expr.type, t.Option):
        return expr
    return ir.Unwrap(type=value_of(expr.type.item), span=expr.span, operand=expr)


def no_field(ex: Expressions, type_: t.Type, word: s.Word) -> NoReturn:
    """Report a field asked of a value that can have none of the name."""
    hint: str | None = None
    match type_:
        case t.Int() if word.text in ("next", "prev"):
            hint = f"integers are counted with `{'+' if word.text == 'next' else '-'} 1`"
        case t.Sort(sort):
            hint = f"nodes have fields when there is a `role {sort}`"
        case t.Map() | t.Seq():
            hint = "name the place first: `…[k]`"
        case _:
            pass
    ex.report.error("Q0206", f"a value of type `{t.show(type_)}` has no field `{word.text}`", word.span, hint)


def fields_of(ex: Expressions, type_: t.Record | t.Message) -> tuple[tuple[str, t.Type], ...]:
    """The fields of a record or message, those of a message with its ends; Failed if its declaration is broken."""
    known = ex.symbols.records if isinstance(type_, t.Record) else ex.symbols.messages
    decl = known.get(type_.name)
    match decl:
        case None:
            raise Failed
        case ir.MessageDecl():
            return decl.layout
        case _:
            return decl.fields


def field(ex: Expressions, span: Span, base: ir.Expr, word: s.Word) -> ir.Expr:
    """A field of a record or message."""
    assert isinstance(base.type, t.Record | t.Message)
    fields = dict(fields_of(ex, base.type))
    if word.text in fields:
        return ir.FieldOf(type=value_of(fields[word.text]), span=span, operand=base, field=word.text)
    kind = "record" if isinstance(base.type, t.Record) else "message"
    listed = ", ".join(f"`{n}`" for n in fields)
    otherwise = f"it has {listed}" if listed else "it has no fields"
    if kind == "message" and word.text in ("from", "to"):
        otherwise = f"declare its {'sender' if word.text == 'from' else 'receiver'}: `message … {word.text} …`"
    hint = did_you_mean(word.text, fields) or otherwise
    ex.report.error("Q0206", f"the {kind} `{base.type.name}` has no field `{word.text}`", word.span, hint)


def role_member(ex: Expressions, role: Role, word: s.Word) -> Member:
    symbol = role.members.get(word.text)
    if symbol is not None:
        return symbol
    near = [n for n, known in role.members.items() if not isinstance(known, Procedure)]
    note = ("the role is here", role.item.name.span)
    if word.text in ex.symbols.broken:
        raise Failed
    hint = did_you_mean(word.text, near)
    ex.report.error("Q0206", f"the role `{role.name}` has no field `{word.text}`", word.span, hint, note)


def is_self(node: ir.Expr, role: Role | None, scope: Scope) -> bool:
    """Whether the node, one of this role, is the one whose step or definition this is."""
    return role is not None and scope.role is role and isinstance(node, ir.Local) and node.name == "self"


def _member(ex: Expressions, word: s.Word, span: Span, symbol: Member, scope: Scope, node: ir.Expr) -> ir.Expr:
    """A role's field, or definition without parameters, at a node."""
    match symbol:
        case ir.VariableDecl():
            assert isinstance(symbol.type, t.Map) and symbol.role is not None
            scope.reads.mark("state", span)
            if not is_self(node, ex.symbols.roles[symbol.role], scope):
                scope.reads.mark("nodes", span)
            if symbol.kind == "ghost":
                scope.reads.mark("ghost", span)
            whole = ir.Read(type=symbol.type, span=span, name=symbol.name)
            return ir.At(type=value_of(symbol.type.value), span=span, operand=whole, key=node)
        case Definition():
            return call(ex, span, symbol, (), scope, node)
        case Broken():
            raise Failed
        case Procedure():
            _no_value(ex, word.text, span)
        case _:
            assert_never(symbol)


# --- with arguments ---------------------------------------------------------------------------------


def apply(ex: Expressions, tree: s.Apply, scope: Scope, wanted: t.Type | None) -> ir.Expr:
    """`f(…)`: a built-in function, a definition, or a record."""
    word, span, arguments = tree.name, tree.span, tree.arguments
    if word.text in collections.BUILTIN:
        run, parameters = collections.BUILTIN[word.text]
        if len(arguments) != len(parameters):
            ex.arity(word.text, parameters, len(arguments), span)
        return run(ex, collections.Use(span, word.text, arguments), scope, wanted)
    own = scope.role.members.get(word.text) if scope.role is not None else None
    symbol = own if own is not None else ex.symbols.names.get(word.text)
    if word.text in scope.names:
        symbol = None
        message = f"`{word.text}` is a bound name and takes no arguments"
        ex.report.error("Q0304", message, word.span, "only definitions and records do; maps are read by `x[k]`")
    match symbol:
        case Definition():
            node = scope.node if symbol.role is not None else None
            return call(ex, span, symbol, arguments, scope, node)
        case TypeName(t.Record() as type_):
            return _construct(ex, span, type_, symbol.span, arguments, scope)
        case Broken():
            raise Failed
        case ir.MessageDecl():
            hint = f"ask `sent {word.text}(…)`, or `send` it in a step"
            ex.report.error("Q0304", f"`{word.text}` is a kind of message, not a value", word.span, hint)
        case Procedure():
            _no_value(ex, word.text, word.span)
        case None if word.text == "reaches" and scope.role is not None:
            return reaches(ex, span, scope.node, arguments, scope)
        case None:
            unknown(ex, word, "definition", scope)
        case _:
            note = ("it is declared here", symbol.span)
            hint = "only definitions and records do; maps and sequences are read by `x[k]`"
            ex.report.error("Q0304", f"`{word.text}` takes no arguments", word.span, hint, note)


def _construct(
    ex: Expressions, span: Span, type_: t.Record, declared: Span, arguments: tuple[s.ExprTree, ...], scope: Scope
) -> ir.Expr:
    fields = fields_of(ex, type_)
    note = (f"`{type_.name}` is declared here", declared)
    if len(arguments) != len(fields):
        ex.arity(type_.name, [n for n, _ in fields], len(arguments), span, note)
    values = ex.checks([(a, wanted) for a, (_, wanted) in zip(arguments, fields, strict=True)], scope, note)
    return ir.Construct(type=type_, span=span, fields=values)


def method(ex: Expressions, tree: s.Method, scope: Scope) -> ir.Expr:
    """`n.d(…)`: a role's definition at a node."""
    node, word = unwrapped(ex.value(tree.operand, scope)), tree.name
    role = ex.symbols.role_of(node.type)
    if role is None:
        message = f"a value of type `{t.show(node.type)}` has no definitions"
        ex.report.error("Q0304", message, word.span, "definitions of a role are asked of its nodes: `n.d(…)`")
    if word.text == "reaches" and word.text not in role.members:
        return reaches(ex, tree.span, node, tree.arguments, scope)
    symbol = role_member(ex, role, word)
    match symbol:
        case Definition():
            return call(ex, tree.span, symbol, tree.arguments, scope, node)
        case Broken():
            raise Failed
        case Procedure():
            _no_value(ex, word.text, word.span)
        case _:
            note = ("it is declared here", symbol.span)
            ex.report.error("Q0304", f"`{word.text}` takes no arguments", word.span, f"write `.{word.text}`", note)


def reaches(ex: Expressions, span: Span, node: ir.Expr, arguments: tuple[s.ExprTree, ...], scope: Scope) -> ir.Expr:
    """`n.reaches(m)`: whether anything comes between two nodes at present, on the way from the one to the other."""
    if len(arguments) != 1:
        ex.arity("reaches", ["node"], len(arguments), span)
    other = unwrapped(ex.value(arguments[0], scope))
    if not isinstance(other.type, t.Sort | t.Order) or other.type.name not in ex.symbols.roles:
        message = f"a value of type `{t.show(other.type)}` is no node"
        ex.report.error("Q0301", message, other.span, "nodes are the elements of sorts that have a `role`")
    scope.reads.mark("state", span)
    scope.reads.mark("links", span)
    found = Links(ex.symbols).reaches(node, other, span)
    if found is None:
        message = f"a `{t.show(node.type)}` always reaches a `{t.show(other.type)}`"
        hint = f"let something come between them: `fault partition` in `role {t.show(node.type)}`"
        ex.report.error("Q0421", message, span, hint)
    return found


# --- definitions ------------------------------------------------------------------------------------


def call(
    ex: Expressions,
    span: Span,
    definition: Definition,
    arguments: tuple[s.ExprTree, ...],
    scope: Scope,
    node: ir.Expr | None,
) -> ir.Expr:
    """A definition at these arguments; one of a role at a node."""
    decl = define(ex, definition, span)
    ex.reach(span, definition.depth)
    scope.reads.add(definition.reads, span)
    if node is not None and definition.reads.state is not None and not is_self(node, definition.role, scope):
        scope.reads.mark("nodes", span)
    first = () if node is None else (node,)
    parameters = decl.parameters[len(first) :]
    note = (f"`{definition.item.name.text}` is declared here", definition.span)
    if len(arguments) != len(parameters):
        ex.arity(definition.item.name.text, [p.name for p in parameters], len(arguments), span, note)
    values = ex.checks([(a, p.type) for a, p in zip(arguments, parameters, strict=True)], scope, note)
    return ir.Call(type=decl.type, span=span, name=decl.name, arguments=(*first, *values))


def define(ex: Expressions, definition: Definition, use: Span) -> ir.DefinitionDecl:
    """The elaborated definition; reports recursion at the use that closes the circle."""
    if definition.decl is not None:
        return definition.decl
    if definition.failed:
        raise Failed
    if definition.working:
        note = ("the definition is here", definition.span)
        message = f"`{definition.item.name.text}` is defined by itself"
        ex.report.error("Q0406", message, use, "definitions are not recursive: unfold it", note)
    with ex.measured(definition):
        scope = Scope(role=definition.role, reads=definition.reads)
        node, scope = self_binder(ex, definition.role, scope)
        parameters, scope = value_parameters(ex, definition.item.parameters, scope)
        body = ex.value(definition.item.body, scope)
        parameters = (*node, *parameters)
        definition.decl = ir.DefinitionDecl(definition.qualified, definition.span, parameters, body.type, body)
    return definition.decl
