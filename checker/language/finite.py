"""What an instance makes of a spec before it is explored: limits become counters, history that nobody reads goes.

Both are changes of the spec, so every explorer gets them alike; proofs for every size never see them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from checker.language import ir
from checker.language import types as t
from checker.language.forms import reads
from checker.language.traverse import subterms
from checker.source import Span


def for_instance(spec: ir.Spec, instance: ir.InstanceDecl) -> ir.Spec:
    """The spec with the properties that the instance checks, its limits, and only the state that matters to them."""
    if instance.only is not None:
        wanted = {*instance.only}
        kept = tuple(p for p in spec.properties if p.name in wanted or p.kind in ("assume", "terminal"))
        spec = replace(spec, properties=kept)
    return with_limits(without_history(spec), dict(instance.limits))


# --- history ----------------------------------------------------------------------------------------


def without_history(spec: ir.Spec) -> ir.Spec:
    """Without ghost state and remembered messages that no property and no step depends on."""
    history = {v.name for v in spec.variables if _is_history(spec, v)}
    bodies = [a.body for a in spec.actions] + [p.body for p in spec.procedures]
    assigned: dict[str, set[str]] = {name: set() for name in history}
    needed: set[str] = set()
    for property_ in spec.properties:
        for clause in property_.clauses:
            needed |= reads(clause, spec)
    for body in bodies:
        _collect(body, spec, assigned, needed, frozenset())
    todo = list(needed & history)
    while todo:
        for name in assigned[todo.pop()] & history - needed:
            needed.add(name)
            todo.append(name)
    dropped = history - needed
    if not dropped:
        return spec
    return replace(
        spec,
        variables=tuple(v for v in spec.variables if v.name not in dropped),
        actions=tuple(replace(a, body=_without(a.body, dropped)) for a in spec.actions),
        procedures=tuple(replace(p, body=_without(p.body, dropped)) for p in spec.procedures),
    )


def _is_history(spec: ir.Spec, variable: ir.VariableDecl) -> bool:
    remembered = spec.network is not None and spec.network.kind != "set" and variable.name.startswith("sent ")
    return variable.kind == "ghost" or (variable.kind == "network" and remembered)


def _collect(
    body: Iterable[ir.Statement],
    spec: ir.Spec,
    assigned: dict[str, set[str]],
    needed: set[str],
    conditions: frozenset[str],
) -> None:
    """What each history variable is computed from (`assigned`), and what the rest of the body reads (`needed`)."""
    for statement in body:
        match statement:
            case ir.Assign(variable, value):
                read = reads(value, spec)
                if variable in assigned:
                    assigned[variable] |= read | conditions
                else:
                    needed |= read | conditions
            case ir.Choice(branches, otherwise):
                tests = conditions.union(*(reads(test, spec) for test, _ in branches))
                for _, inner in branches:
                    _collect(inner, spec, assigned, needed, tests)
                _collect(otherwise, spec, assigned, needed, tests)
            case ir.Require(condition) | ir.Within(condition, _):
                needed |= reads(condition, spec) | conditions
            case ir.Let(_, value):
                needed |= reads(value, spec)
            case ir.Pick(binder, where):
                if where is not None:
                    needed |= reads(where, spec)
                if binder.domain is not None:
                    needed |= reads(binder.domain, spec)
            case ir.Invoke(_, arguments):
                needed |= conditions
                for argument in arguments:
                    needed |= reads(argument, spec)


def _without(body: tuple[ir.Statement, ...], dropped: set[str]) -> tuple[ir.Statement, ...]:
    """The body without assignments to what is dropped, and without choices that then do nothing."""
    kept: list[ir.Statement] = []
    for statement in body:
        match statement:
            case ir.Assign(variable, _) if variable in dropped:
                continue
            case ir.Choice(branches, otherwise, span):
                inner = tuple((test, _without(part, dropped)) for test, part in branches)
                rest = _without(otherwise, dropped)
                if rest or any(part for _, part in inner):
                    kept.append(ir.Choice(inner, rest, span))
            case _:
                kept.append(statement)
    return tuple(kept)


# --- limits -----------------------------------------------------------------------------------------


def with_limits(spec: ir.Spec, limits: dict[str, int]) -> ir.Spec:
    """With counters of the limited steps, and the number of messages bounded."""
    for name, kind in (("crashes", "crash"), ("timeouts", "timeout")):
        if name in limits:
            spec = _counted(spec, name, kind, limits[name])
    if "messages" in limits:
        spec = _few_messages(spec, limits["messages"])
    return spec


def _integer(value: int, span: Span) -> ir.Expr:
    return ir.Const(type=t.Int(), span=span, value=value)


def _counted(spec: ir.Spec, name: str, kind: str, most: int) -> ir.Spec:
    """Each step of the kind counts, up to `most`."""
    if not any(a.kind == kind for a in spec.actions):
        return spec
    span = spec.span
    type_ = t.Range(_integer(0, span), _integer(most, span))
    counter = ir.VariableDecl(name, span, type_, _integer(0, span), "limit")

    def counting(action: ir.ActionDecl) -> ir.ActionDecl:
        if action.kind != kind:
            return action
        now = ir.Read(type=t.Int(), span=action.span, name=name)
        few = ir.Binary(type=t.Bool(), span=action.span, operator="<", left=now, right=_integer(most, action.span))
        more = ir.Binary(type=t.Int(), span=action.span, operator="+", left=now, right=_integer(1, action.span))
        bound = ir.Within(few, f"{name} <= {most}", action.span)
        return replace(action, body=(*action.body, bound, ir.Assign(name, more, action.span)))

    return replace(spec, variables=(*spec.variables, counter), actions=tuple(map(counting, spec.actions)))


def _few_messages(spec: ir.Spec, most: int) -> ir.Spec:
    """A step that would leave more than `most` messages (sent, or in flight where these are told apart) is cut off."""
    growing = spec.network is not None and spec.network.kind == "set"
    counted = [v for v in spec.variables if v.kind == "network" and (growing or not v.name.startswith("sent "))]
    if not counted:
        return spec
    names = {v.name for v in counted}

    def bounded(action: ir.ActionDecl) -> ir.ActionDecl:
        if not names & _adds(action.body, spec):
            return action
        counts = [_count(v, action.span) for v in counted]
        total = counts[0]
        for count in counts[1:]:
            total = ir.Binary(type=t.Int(), span=action.span, operator="+", left=total, right=count)
        few = ir.Binary(type=t.Bool(), span=action.span, operator="<=", left=total, right=_integer(most, action.span))
        return replace(action, body=(*action.body, ir.Within(few, f"messages <= {most}", action.span)))

    return replace(spec, actions=tuple(map(bounded, spec.actions)))


def _count(variable: ir.VariableDecl, span: Span) -> ir.Expr:
    read = ir.Read(type=variable.type, span=span, name=variable.name)
    if isinstance(variable.type, t.Set):
        return ir.Size(type=t.Int(), span=span, operand=read)
    return ir.QueueLength(type=t.Int(), span=span, operand=read)


def _adds(body: Iterable[ir.Statement], spec: ir.Spec) -> set[str]:
    """The variables to which the body may add messages."""
    found: set[str] = set()
    for statement in body:
        match statement:
            case ir.Assign(variable, value):
                if any(isinstance(e, ir.BagWith | ir.BagWithAll | ir.Enqueue) for e in subterms(value)) or (
                    isinstance(value, ir.Binary) and value.operator == "union"
                ):
                    found.add(variable)
            case ir.Choice(branches, otherwise):
                for _, inner in branches:
                    found |= _adds(inner, spec)
                found |= _adds(otherwise, spec)
            case ir.Invoke(name, _):
                procedure = next(p for p in spec.procedures if p.name == name)
                found |= _adds(procedure.body, spec)
            case _:
                pass
    return found
