"""Specs from small texts, their typed form as short lines, and their problems as codes with places.

In the typed form `some x` is a lift, `x!` an unwrap, `S.f(n)` a definition of a role at a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pages import read

from checker.language import ir
from checker.language.frontend import Loaded, load_source
from checker.language.traverse import binders, children
from checker.language.types import show
from checker.source import Diagnostic, Source, SpecError


def loaded(text: str, network: Literal["declared", "set"] = "declared") -> Loaded:
    """A text without its first line break, as a spec with what lint says."""
    return load_source(Source("test.spec", text.lstrip("\n")), network, read)


def spec(text: str, network: Literal["declared", "set"] = "declared") -> ir.Spec:
    return loaded(text, network).spec


def diagnostics(text: str, network: Literal["declared", "set"] = "declared") -> tuple[Diagnostic, ...]:
    """The errors in a text; none when it can be loaded."""
    try:
        loaded(text, network)
    except SpecError as error:
        return error.diagnostics
    return ()


def problems(text: str) -> list[str]:
    """The errors of a text as `line:column: code message (hint)`."""
    return [problem(d) for d in diagnostics(text)]


def problem(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    assert span is not None
    notes = "".join(f" [{text} {note.line}:{note.column}]" for text, note in diagnostic.notes)
    hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
    return f"{span.line}:{span.column}: {diagnostic.code} {diagnostic.message}{hint}{notes}"


# --- parts of a spec --------------------------------------------------------------------------------


def action(of: ir.Spec, name: str) -> ir.ActionDecl:
    (found,) = (a for a in of.actions if a.qualified == name)
    return found


def variable(of: ir.Spec, name: str) -> ir.VariableDecl:
    (found,) = (v for v in of.variables if v.name == name)
    return found


def clauses(of: ir.Spec, name: str) -> list[str]:
    """The clauses of a property, in short."""
    (found,) = (p for p in of.properties if p.name == name)
    return [shown(clause) for clause in found.clauses]


# --- the typed form in short ------------------------------------------------------------------------


def body(of: ir.Spec, name: str) -> list[str]:
    """The statements of an action or procedure, one a line, branches indented."""
    procedures = [p.body for p in of.procedures if p.name == name]
    return [*_lines(procedures[0] if procedures else action(of, name).body)]


def _lines(statements: Iterable[ir.Statement]) -> Iterator[str]:
    for statement in statements:
        match statement:
            case ir.Choice(branches, otherwise):
                for test, inner in branches:
                    yield f"if {shown(test)}"
                    yield from (f"  {line}" for line in _lines(inner))
                if otherwise:
                    yield "else"
                    yield from (f"  {line}" for line in _lines(otherwise))
            case ir.Require(condition):
                yield f"require {shown(condition)}"
            case ir.Within(condition, bound):
                yield f"within {shown(condition)} [{bound}]"
            case ir.Let(binder, value):
                yield f"let {binder.name}: {show(binder.type)} = {shown(value)}"
            case ir.Pick(binder, where):
                yield f"pick {_binder(binder)}" + (f" where {shown(where)}" if where is not None else "")
            case ir.Assign(name, value):
                yield f"{name} := {shown(value)}"
            case ir.Invoke(name, arguments):
                yield f"{name}({_list(arguments)})"


def _binder(binder: ir.Binder) -> str:
    return f"{binder.name} in {show(binder.type) if binder.domain is None else shown(binder.domain)}"


def _binders(found: Iterable[ir.Binder]) -> str:
    return ", ".join(map(_binder, found))


def _list(expressions: Iterable[ir.Expr | None]) -> str:
    return ", ".join("_" if e is None else shown(e) for e in expressions)


def shown(expr: ir.Expr) -> str:
    """The expression in short, with every conversion."""
    match expr:
        case ir.Const():
            return (
                f"{show(expr.type)}#{expr.value}"
                if type(expr.value) is int and show(expr.type) != "Int"
                else str(expr.value).lower()
            )
        case ir.NoneValue():
            return "none"
        case ir.Local() | ir.Read():
            return expr.name
        case ir.Lift():
            return f"some {shown(expr.operand)}"
        case ir.Unwrap():
            return f"{shown(expr.operand)}!"
        case ir.FieldOf():
            return f"{shown(expr.operand)}.{expr.field}"
        case ir.At():
            return f"{shown(expr.operand)}[{shown(expr.key)}]"
        case ir.WithAt():
            return f"{shown(expr.operand)}[{shown(expr.key)} := {shown(expr.value)}]"
        case ir.WithField():
            return f"{shown(expr.operand)}[.{expr.field} := {shown(expr.value)}]"
        case ir.Construct():
            return f"{show(expr.type)}({_list(expr.fields)})"
        case ir.Call():
            return f"{expr.name}({_list(expr.arguments)})"
        case ir.SentMatch():
            return f"match {shown(expr.messages)} ({_list(expr.fields)})"
        case ir.Binary():
            return f"({shown(expr.left)} {expr.operator} {shown(expr.right)})"
        case ir.And() | ir.Or():
            return "(" + f" {type(expr).__name__.lower()} ".join(map(shown, expr.items)) + ")"
        case ir.If():
            return f"(if {shown(expr.condition)} then {shown(expr.then)} else {shown(expr.otherwise)})"
        case ir.Quantified():
            where = f" where {shown(expr.where)}" if expr.where is not None else ""
            return f"({expr.kind} {_binders(expr.binders)}{where}: {shown(expr.body)})"
        case ir.SetOf():
            where = f" where {shown(expr.where)}" if expr.where is not None else ""
            return f"{{{shown(expr.item)} for {_binders(expr.binders)}{where}}}"
        case ir.MapOf():
            return f"[{_binder(expr.binder)} -> {shown(expr.body)}]"
        case ir.SetLiteral():
            return "{" + _list(expr.items) + "}"
        case ir.SeqLiteral():
            return "[" + _list(expr.items) + "]"
        case ir.Extreme():
            where = f" where {shown(expr.where)}" if expr.where is not None else ""
            return f"({expr.kind} {_binder(expr.binder)}{where} by {shown(expr.key)})"
        case ir.SizeOf():
            return f"Size({show(expr.of)})"
        case ir.Heads():
            return f"Heads({shown(expr.channels)}, {expr.kind}, {shown(expr.receiver)})"
        case _:
            return f"{type(expr).__name__}({_list(children(expr))})"


# --- everything in a spec ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Parts:
    """All expressions of a spec, outermost, and the binders that stand in no expression."""

    expressions: tuple[ir.Expr, ...]
    binders: tuple[ir.Binder, ...]


def parts(of: ir.Spec) -> Parts:
    roots: list[ir.Expr] = []
    bound: list[ir.Binder] = []
    for declared in (*of.actions, *of.procedures):
        bound += declared.parameters
        todo = [*declared.body]
        while todo:
            match todo.pop():
                case ir.Choice(branches, otherwise):
                    for test, inner in branches:
                        roots.append(test)
                        todo += inner
                    todo += otherwise
                case ir.Require(value) | ir.Within(value, _) | ir.Assign(_, value):
                    roots.append(value)
                case ir.Let(binder, value):
                    bound.append(binder)
                    roots.append(value)
                case ir.Pick(binder, where):
                    bound.append(binder)
                    roots += [where] if where is not None else []
                case ir.Invoke(_, arguments):
                    roots += arguments
    for definition in of.definitions:
        bound += definition.parameters
        roots.append(definition.body)
    roots += [clause for p in of.properties for clause in p.clauses]
    roots += [v.initial for v in of.variables if v.initial is not None]
    roots += [b.domain for b in bound if b.domain is not None]
    return Parts(tuple(roots), tuple(bound))


def all_uids(of: ir.Spec) -> list[int]:
    """The uids of all binders of a spec, with repetitions if there are any."""
    found = parts(of)
    uids = [b.uid for b in found.binders]
    todo = [*found.expressions]
    while todo:
        expr = todo.pop()
        uids += [b.uid for b in binders(expr)]
        todo += children(expr)
    return uids
