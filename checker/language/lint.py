"""Warnings: what is allowed but seldom meant. None of them changes what a spec means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from checker.language import ir
from checker.language.forms import reads
from checker.language.traverse import subterms
from checker.source import Diagnostic, Severity, Span


def warnings(spec: ir.Spec) -> tuple[Diagnostic, ...]:
    """All warnings, in order of place."""
    found = [*_nothing_to_check(spec), *_unused_state(spec), *_unused_names(spec)]
    return tuple(sorted(found, key=lambda d: (d.span.line, d.span.column) if d.span else (0, 0)))


def _warning(code: str, message: str, span: Span, hint: str) -> Diagnostic:
    return Diagnostic(code, message, span, hint, severity=Severity.WARNING)


def _nothing_to_check(spec: ir.Spec) -> Iterator[Diagnostic]:
    kinds = {p.kind for p in spec.properties}
    if not spec.actions:
        yield _warning("Q0801", f"nothing ever happens in `{spec.name}`", spec.span, "add an `action`")
    if not kinds & {"invariant", "lemma", "step"}:
        yield _warning("Q0802", f"`{spec.name}` states nothing to check", spec.span, "add an `invariant`")
    elif "reachable" not in kinds and not _shows_a_violation(spec):
        hint = "add a `reachable`: a spec in which nothing good can happen is safe, too"
        yield _warning("Q0803", f"`{spec.name}` does not say what must be possible", spec.span, hint)
    if not spec.instances:
        yield _warning("Q0804", f"`{spec.name}` has no instance to explore", spec.span, "add an `instance` block")


def _shows_a_violation(spec: ir.Spec) -> bool:
    """Whether the spec is there to show what goes wrong: the violation is what it says must be possible."""
    return any(isinstance(e, ir.ExpectViolated) for i in spec.instances for e in i.expected)


def _bodies(spec: ir.Spec) -> Iterator[tuple[ir.Statement, ...]]:
    for action in spec.actions:
        yield action.body
    for procedure in spec.procedures:
        yield procedure.body


def _read_names(spec: ir.Spec) -> set[str]:
    """All variables and constants that anything reads, other than to change a part of themselves."""
    found: set[str] = set()
    for body in _bodies(spec):
        for statement in _flat(body):
            # an update of a part reads the rest of the same variable, which is no use of it
            own = {statement.variable} if isinstance(statement, ir.Assign) else set()
            for expr in _expressions(statement):
                found |= reads(expr, spec) - (own if isinstance(expr, ir.WithAt | ir.WithField) else set())
    for action in spec.actions:
        for binder in action.parameters:
            if binder.domain is not None:
                found |= reads(binder.domain, spec)
    for property_ in spec.properties:
        for clause in property_.clauses:
            found |= reads(clause, spec)
    return found


def _unused_state(spec: ir.Spec) -> Iterator[Diagnostic]:
    read = _read_names(spec)
    for variable in spec.variables:
        if variable.kind not in ("network", "limit") and variable.name not in read:
            name = variable.name.split(".")[-1]
            yield _warning("Q0805", f"nothing reads `{name}`", variable.span, "remove it, or state something about it")


def _unused_names(spec: ir.Spec) -> Iterator[Diagnostic]:
    used: set[str] = set()
    invoked: set[str] = set()
    for expr in _all_expressions(spec):
        for part in subterms(expr):
            if isinstance(part, ir.Call):
                used.add(part.name)
    for body in _bodies(spec):
        invoked |= {s.procedure for s in _flat(body) if isinstance(s, ir.Invoke)}
    for definition in spec.definitions:
        if definition.name not in used:
            name = definition.name.split(".")[-1]
            yield _warning("Q0806", f"the definition `{name}` is not used", definition.span, "remove it, or use it")
    for procedure in spec.procedures:
        if procedure.name not in invoked:
            name = procedure.name.split(".")[-1]
            yield _warning("Q0806", f"the procedure `{name}` is not used", procedure.span, "remove it, or call it")


def _flat(body: tuple[ir.Statement, ...]) -> Iterator[ir.Statement]:
    for statement in body:
        yield statement
        if isinstance(statement, ir.Choice):
            for _, inner in statement.branches:
                yield from _flat(inner)
            yield from _flat(statement.otherwise)


def _expressions(statement: ir.Statement) -> Iterator[ir.Expr]:
    """The expressions of one statement, without those of the statements in it."""
    match statement:
        case ir.Require(condition) | ir.Within(condition):
            yield condition
        case ir.Let(_, value) | ir.Assign(_, value):
            yield value
        case ir.Pick(binder, where):
            yield from (e for e in (binder.domain, where) if e is not None)
        case ir.Choice(branches):
            yield from (test for test, _ in branches)
        case ir.Invoke(_, arguments):
            yield from arguments
        case _:
            assert_never(statement)


def _all_expressions(spec: ir.Spec) -> Iterator[ir.Expr]:
    for body in _bodies(spec):
        for statement in _flat(body):
            yield from _expressions(statement)
    for action in spec.actions:
        yield from (b.domain for b in action.parameters if b.domain is not None)
    for definition in spec.definitions:
        yield definition.body
    for property_ in spec.properties:
        yield from property_.clauses
    for variable in spec.variables:
        if variable.initial is not None:
            yield variable.initial
