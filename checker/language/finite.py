"""What an instance makes of a spec before it is explored: limits become counters, history that nobody reads goes.

Both are changes of the spec, so every explorer gets them alike; proofs for every size never see them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from checker.language import ir
from checker.language import types as t
from checker.language.forms import Forms
from checker.language.traverse import free, subterms
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
    history = _History(spec)
    dropped = history.names - history.needed()
    if not dropped:
        return spec
    forms = Forms(spec)
    return replace(
        spec,
        variables=tuple(v for v in spec.variables if v.name not in dropped),
        actions=tuple(replace(a, body=history.without(a.body, dropped)) for a in spec.actions),
        procedures=tuple(replace(p, body=history.without(p.body, dropped)) for p in spec.procedures),
        definitions=tuple(d for d in spec.definitions if not forms.definition_reads(d.name) & dropped),
    )


class _History:
    """Which history there is, and what the spec computes from what.

    `sources` has for each history variable all variables from which it is computed, `locals` the same for names bound
    by `let`, and `read` what everything else reads.
    """

    def __init__(self, spec: ir.Spec) -> None:
        self.names = frozenset(v.name for v in spec.variables if _is_history(spec, v))
        self.sources: dict[str, set[str]] = {name: set() for name in self.names}
        self.locals: dict[int, frozenset[str]] = {}
        self.read: set[str] = set()
        self._forms = Forms(spec)
        for property_ in spec.properties:
            for clause in property_.clauses:
                self.read |= self._reads(clause)
        for action in spec.actions:
            for binder in action.parameters:
                self._choose(binder)
        for body in (*(a.body for a in spec.actions), *(p.body for p in spec.procedures)):
            self._collect(body, frozenset())

    def needed(self) -> frozenset[str]:
        """The history on which something else depends, through other history or not."""
        needed = set[str]()
        todo = [name for name in self.read if name in self.names]
        while todo:
            name = todo.pop()
            if name not in needed:
                needed.add(name)
                todo += self.sources[name] & self.names
        return frozenset(needed)

    def _reads(self, expr: ir.Expr) -> frozenset[str]:
        bound = (self.locals.get(uid, frozenset()) for uid in free(expr))
        return self._forms.reads(expr).union(*bound)

    def _choose(self, binder: ir.Binder) -> None:
        if binder.domain is not None:
            self.read |= self._reads(binder.domain)

    def _collect(self, body: Iterable[ir.Statement], conditions: frozenset[str]) -> None:
        """Take in a body that is run under conditions that read these variables."""
        for statement in body:
            match statement:
                case ir.Assign(variable, value):
                    target = self.sources[variable] if variable in self.names else self.read
                    target |= self._reads(value) | conditions
                case ir.Choice(branches, otherwise):
                    tests = conditions.union(*(self._reads(test) for test, _ in branches))
                    for _, inner in branches:
                        self._collect(inner, tests)
                    self._collect(otherwise, tests)
                case ir.Require(condition) | ir.Within(condition, _):
                    self.read |= self._reads(condition) | conditions
                case ir.Let(binder, value):
                    self.locals[binder.uid] = self._reads(value)
                case ir.Pick(binder, where):
                    self._choose(binder)
                    self.read |= conditions
                    if where is not None:
                        self.read |= self._reads(where)
                case ir.Invoke(_, arguments):
                    self.read |= conditions.union(*map(self._reads, arguments))
                case _:
                    assert_never(statement)

    def without(self, body: tuple[ir.Statement, ...], dropped: frozenset[str]) -> tuple[ir.Statement, ...]:
        """The body without assignments to what is dropped, without what only they use, and without empty choices."""
        kept: list[ir.Statement] = []
        for statement in body:
            match statement:
                case ir.Assign(variable, _) if variable in dropped:
                    pass
                case ir.Let(binder, _) if self.locals[binder.uid] & dropped:
                    pass
                case ir.Choice(branches, otherwise, span):
                    tests = frozenset[str]().union(*(self._reads(test) for test, _ in branches))
                    inner = tuple((test, self.without(part, dropped)) for test, part in branches)
                    rest = self.without(otherwise, dropped)
                    choice = ir.Choice(inner, rest, span)
                    if not tests & dropped and (choice == statement or not _idle((choice,))):
                        kept.append(choice)
                case _:
                    kept.append(statement)
        return tuple(kept)


def _idle(body: tuple[ir.Statement, ...]) -> bool:
    """Whether the body only binds names."""
    for statement in body:
        match statement:
            case ir.Choice(branches, otherwise):
                if not all(_idle(part) for _, part in branches) or not _idle(otherwise):
                    return False
            case ir.Let():
                pass
            case _:
                return False
    return True


def _is_history(spec: ir.Spec, variable: ir.VariableDecl) -> bool:
    remembered = spec.network is not None and spec.network.kind != "set" and variable.name.startswith("sent ")
    return variable.kind == "ghost" or (variable.kind == "network" and remembered)


# --- limits -----------------------------------------------------------------------------------------


LIMITED = {"crashes": ("crash", "stop"), "timeouts": ("timeout",), "partitions": ("partition",)}
"""The limits of an instance that count steps, and which."""


def with_limits(spec: ir.Spec, limits: dict[str, int]) -> ir.Spec:
    """With counters of the limited steps, and the number of messages bounded."""
    for name, kinds in LIMITED.items():
        if name in limits:
            spec = _counted(spec, name, kinds, limits[name])
    if "messages" in limits:
        spec = _few_messages(spec, limits["messages"])
    return spec


def _integer(value: int, span: Span) -> ir.Expr:
    return ir.Const(type=t.Int(), span=span, value=value)


def _counted(spec: ir.Spec, name: str, kinds: tuple[str, ...], most: int) -> ir.Spec:
    """Each step of these kinds counts, up to `most`."""
    if not any(a.kind in kinds for a in spec.actions):
        return spec
    span = spec.span
    type_ = t.Range(_integer(0, span), _integer(most, span))
    counter = ir.VariableDecl(name, span, type_, _integer(0, span), "limit")

    def counting(action: ir.ActionDecl) -> ir.ActionDecl:
        if action.kind not in kinds:
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
    holding = ("sent ",) if growing else ("flying ", "channels ")
    counted = [v for v in spec.variables if v.kind == "network" and v.name.startswith(holding)]
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
