"""Warnings: what is allowed but seldom meant. None of them changes what a spec means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from checker.language import ir
from checker.language import types as t
from checker.language.forms import Forms
from checker.language.network import sent_name
from checker.language.traverse import binders, subterms
from checker.source import Diagnostic, Severity, Span


def warnings(spec: ir.Spec) -> tuple[Diagnostic, ...]:
    """All warnings, in order of place."""
    parts = (_nothing_to_check, _unused_state, _unused_names, _idle_messages, _idle_limits)
    found = [diagnostic for part in parts for diagnostic in part(spec)]
    return tuple(sorted(found, key=lambda diagnostic: diagnostic.order))


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


# --- what nothing uses ------------------------------------------------------------------------------


def _unused_state(spec: ir.Spec) -> Iterator[Diagnostic]:
    read = _read_variables(spec)
    for variable in spec.variables:
        if variable.kind not in ("network", "limit") and variable.name not in read:
            name = variable.name.split(".")[-1]
            yield _warning("Q0805", f"nothing reads `{name}`", variable.span, "remove it, or state something about it")
    constants = _constants(spec)
    for constant in spec.constants:
        if constant.name not in constants:
            hint = "remove it: as long as it has no value, all its values are explored"
            yield _warning("Q0805", f"nothing reads `{constant.name}`", constant.span, hint)


def _read_variables(spec: ir.Spec) -> set[str]:
    """All variables that anything reads, other than to change themselves."""
    forms = Forms(spec)
    found: set[str] = set()
    for body in _bodies(spec):
        for statement in _flat(body):
            own = {statement.variable} if isinstance(statement, ir.Assign) else set()
            for expr in _expressions(statement):
                found |= forms.reads(expr) - own
    for expr in (*_domains(spec), *_clauses(spec)):
        found |= forms.reads(expr)
    return found


def _constants(spec: ir.Spec) -> set[str]:
    """All that is read anywhere, in the bounds of ranges, too."""
    found: set[str] = set()
    types = [type_ for record in spec.records for _, type_ in record.fields]
    types += [type_ for message in spec.messages for _, type_ in message.fields]
    types += [*(constant.type for constant in spec.constants), *(variable.type for variable in spec.variables)]
    parameters = [part.parameters for part in spec.actions] + [part.parameters for part in spec.procedures]
    parameters += [part.parameters for part in spec.definitions]
    types += [binder.type for group in parameters for binder in group]
    todo = [*_all_expressions(spec)]
    while todo:
        for part in subterms(todo.pop()):
            types += (b.type for b in binders(part))
            if isinstance(part, ir.Read):
                found.add(part.name)
        while types:
            todo += _bounds(types.pop())
    return found


def _bounds(type_: t.Type) -> tuple[ir.Expr, ...]:
    match type_:
        case t.Range(low, high):
            return (low, high)
        case t.Option(item) | t.Set(item) | t.Bag(item):
            return _bounds(item)
        case t.Map(key, value) | t.Seq(key, value):
            return _bounds(key) + _bounds(value)
        case _:
            return ()


def _unused_names(spec: ir.Spec) -> Iterator[Diagnostic]:
    used = {part.name for expr in _all_expressions(spec) for part in subterms(expr) if isinstance(part, ir.Call)}
    invoked = {s.procedure for body in _bodies(spec) for s in _flat(body) if isinstance(s, ir.Invoke)}
    for definition in spec.definitions:
        if definition.name not in used:
            name = definition.name.split(".")[-1]
            yield _warning("Q0806", f"the definition `{name}` is not used", definition.span, "remove it, or use it")
    for procedure in spec.procedures:
        if procedure.name not in invoked:
            name = procedure.name.split(".")[-1]
            yield _warning("Q0806", f"the procedure `{name}` is not used", procedure.span, "remove it, or call it")


# --- what has no effect -----------------------------------------------------------------------------


def _idle_messages(spec: ir.Spec) -> Iterator[Diagnostic]:
    parts = (part for expr in _all_expressions(spec) for part in subterms(expr))
    sent = {part.type for part in parts if isinstance(part, ir.Construct)}
    asked = _read_variables(spec)
    heard = {action.message for action in spec.actions if action.kind == "on"}
    for message in spec.messages:
        if message.name not in heard and sent_name(message.name) not in asked:
            hint = "handle it with `on`, ask for it with `sent`, or remove it"
            yield _warning("Q0809", f"nobody receives `{message.name}`, nor asks for it", message.span, hint)
        elif t.Message(message.name) not in sent:
            yield _warning("Q0808", f"no step sends `{message.name}`", message.span, "send it, or remove it")


def _idle_limits(spec: ir.Spec) -> Iterator[Diagnostic]:
    kinds = {action.kind for action in spec.actions}
    lacking = {
        "crashes": (not kinds & {"crash", "stop"}, "nodes crash that have `volatile` fields, or stop by `fault stop`"),
        "timeouts": ("timeout" not in kinds, "only steps declared with `timeout` count"),
        "partitions": ("partition" not in kinds, "a role whose nodes may be cut off has a line `fault partition`"),
        "messages": (not spec.messages, "there are no messages"),
    }
    for instance in spec.instances:
        for name, _ in instance.limits:
            idle, hint = lacking[name]
            if idle:
                message = f"there are no {name} to limit in `{instance.name}`"
                yield _warning("Q0807", message, instance.span, hint)


# --- walking ----------------------------------------------------------------------------------------


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


def _domains(spec: ir.Spec) -> Iterator[ir.Expr]:
    """The sets that parameters of steps range over; those of handlers are made by the network."""
    for action in spec.actions:
        if action.kind not in ("on", "lose"):
            yield from (b.domain for b in action.parameters if b.domain is not None)


def _clauses(spec: ir.Spec) -> Iterator[ir.Expr]:
    for property_ in spec.properties:
        yield from property_.clauses


def _all_expressions(spec: ir.Spec) -> Iterator[ir.Expr]:
    for body in _bodies(spec):
        for statement in _flat(body):
            yield from _expressions(statement)
    yield from _domains(spec)
    yield from _clauses(spec)
    yield from (definition.body for definition in spec.definitions)
    yield from (variable.initial for variable in spec.variables if variable.initial is not None)
