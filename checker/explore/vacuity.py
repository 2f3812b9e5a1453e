"""Implications that may hold for want of a case: for each, a probe that is true where its left side is.

A property whose left side is never true in any reachable state says nothing, and its author should know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from checker.language import ir
from checker.language import types as ty
from checker.language.forms import Forms
from checker.source import Span


@dataclass(frozen=True)
class Probe:
    """`condition` is true in the states in which the implication at `span`, a part of the property, is tested."""

    property: str
    condition: ir.Expr
    span: Span


# Puts a condition where an implication stands: under the choices and the left sides around it.
_Around: TypeAlias = Callable[[ir.Expr], ir.Expr]


def probes(spec: ir.Spec) -> tuple[Probe, ...]:
    """The probes of all invariants and lemmas, in order of their place."""
    forms = Forms(spec)
    return tuple(
        probe
        for property_ in spec.properties
        if property_.kind in ("invariant", "lemma")
        for probe in _of_items(property_.name, property_.clauses, lambda e: e, forms)
    )


def _of_items(name: str, items: Sequence[ir.Expr], around: _Around, forms: Forms) -> Iterator[Probe]:
    """The probes of conditions that hold together; where one rests on those before it, its probes do as well."""
    for i, item in enumerate(items):
        if i == 0 or forms.total(item):
            yield from _probes(name, item, around, forms)
        else:
            yield from _probes(name, item, lambda e, before=items[:i]: around(_all(*before, e)), forms)  # type: ignore[misc]


def _probes(name: str, expr: ir.Expr, around: _Around, forms: Forms) -> Iterator[Probe]:
    match expr:
        case ir.And(items=items):
            yield from _of_items(name, items, around, forms)
        case ir.Binary(operator="=>", left=left, right=right):
            yield Probe(name, around(left), expr.span)
            yield from _probes(name, right, lambda e: around(_all(left, e)), forms)
        case ir.Quantified(kind="forall", where=where, body=body):
            if where is not None:
                yield Probe(name, around(_exists(expr, where)), expr.span)
            yield from _probes(
                name, body, lambda e: around(_exists(expr, e if where is None else _all(where, e))), forms
            )
        case ir.Call(name=called, arguments=arguments):
            definition = forms.definitions[called]
            yield from _probes(name, definition.body, lambda e: around(_bound(definition, arguments, e)), forms)
        case _:
            pass


def _all(*items: ir.Expr) -> ir.Expr:
    return ir.And(type=ty.Bool(), span=items[0].span, items=items)


def _exists(forall: ir.Quantified, body: ir.Expr) -> ir.Expr:
    return replace(forall, kind="exists", where=None, body=body)


def _bound(definition: ir.DefinitionDecl, arguments: tuple[ir.Expr, ...], body: ir.Expr) -> ir.Expr:
    """The body with the definition's parameters bound to the arguments: each ranges over its one value."""
    if not arguments:
        return body
    binders = []
    for parameter, argument in zip(definition.parameters, arguments, strict=True):
        only = ir.SetLiteral(type=ty.Set(argument.type), span=argument.span, items=(argument,))
        binders.append(replace(parameter, domain=only))
    return ir.Quantified(
        type=ty.Bool(), span=definition.span, kind="exists", binders=tuple(binders), where=None, body=body
    )
