"""Control paths: each way through an action's body as guards over the state before the step and parallel updates.

This is the lowering that native code and the prover share; the interpreter runs statements instead and checks it.
Nothing here is finite: sizes, ranges and limits are the business of those who read the paths.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from checker.language import types as ty
from checker.language.forms import Forms, has_range
from checker.language.ir import (
    ActionDecl,
    Assign,
    At,
    Binder,
    Call,
    Choice,
    Const,
    Construct,
    Expr,
    FieldOf,
    Invoke,
    Let,
    Lift,
    Local,
    NoneValue,
    Not,
    Old,
    Pick,
    Read,
    Require,
    Spec,
    Statement,
    WithAt,
    WithField,
    Within,
)
from checker.language.traverse import bottom_up, children, free, rebuild, subterms
from checker.source import Span


@dataclass(frozen=True)
class Guard:
    """The path is taken only where the condition holds."""

    condition: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Bound:
    """Like a guard, but what it cuts off is counted under the instance's limit `bound`."""

    condition: Expr
    bound: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Define:
    """A local name for a value, evaluated here whether it is used or not."""

    binder: Binder
    value: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Choose:
    """One step for each value of the binder for which `where` holds."""

    binder: Binder
    where: Expr | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Check:
    """The value assigned to `variable` must be defined and within the variable's ranges, before what follows counts.

    Only where something that can end the step comes between an assignment and the end of the path; the prover may
    ignore it, for the same expressions are among the updates or were overwritten.
    """

    variable: str
    value: Expr
    span: Span = field(compare=False, repr=False)


Item: TypeAlias = Guard | Bound | Define | Choose | Check


@dataclass(frozen=True)
class Update:
    """`variable` has `value` after the step; `span` is that of the last assignment to it."""

    variable: str
    value: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Path:
    """One way through the body of `action` (its qualified name).

    All expressions read the state before the step, parameters, and locals of earlier items. The updates happen
    together, at most one for a variable. `label` says which branches were taken (empty when there are none). Only the
    conditions in `limits` read the state after the step: bounds of an instance that come last in a body.
    """

    action: str
    parameters: tuple[Binder, ...]
    items: tuple[Item, ...]
    updates: tuple[Update, ...]
    label: str
    span: Span = field(compare=False, repr=False)
    limits: tuple[Bound, ...] = ()

    @property
    def writes(self) -> frozenset[str]:
        """The variables that the path assigns."""
        return frozenset(update.variable for update in self.updates)


def paths(spec: Spec, action: ActionDecl) -> tuple[Path, ...]:
    """All paths of an action, in order of its branches. Branches that are never taken by form alone are left out.

    Names that the lowering adds have negative uids, which no spec has.
    """
    lowering = _Lowering(spec, itertools.count(-1, -1))
    done = lowering.run(action.body, _Progress({}, {}, (), (), ()))
    return tuple(
        Path(
            action.qualified,
            action.parameters,
            end.items,
            tuple(Update(name, value, span) for name, (value, span) in end.written.items()),
            "; ".join(text for text, _ in end.branches),
            end.branches[-1][1] if end.branches else action.span,
            end.limits,
        )
        for end in done
    )


# --- lowering ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Progress:
    """What is known at one point of one path: names bound to values, variables written, items so far.

    `pending` names the written variables whose values have not been checked before an item that may end the step.
    """

    names: Mapping[int, Expr]
    written: Mapping[str, tuple[Expr, Span]]
    pending: tuple[str, ...]
    items: tuple[Item, ...]
    branches: tuple[tuple[str, Span], ...]
    limits: tuple[Bound, ...] = ()


class _Lowering:
    """Runs statements symbolically; each method takes progress and gives the progress after."""

    def __init__(self, spec: Spec, uids: Iterator[int]) -> None:
        self.forms = Forms(spec)
        self.uids = uids
        self.procedures = {procedure.name: procedure for procedure in spec.procedures}
        self.fallible_types = {v.name: has_range(v.type, spec) for v in spec.variables}

    def run(self, body: tuple[Statement, ...], at: _Progress) -> tuple[_Progress, ...]:
        """All ways through the statements."""
        if not body:
            return (at,)
        first, rest = body[0], body[1:]
        match first:
            case Require(condition, span):
                return self._after(self.guard(condition, span, at), rest)
            case Within(condition, bound, span) if not rest and not free(condition):
                return (replace(at, limits=(*at.limits, Bound(condition, bound, span))),)
            case Within(condition, bound, span):
                at, value = self.value(condition, at)
                return self._after(_with_item(self.settle(at), Bound(value, bound, span)), rest)
            case Let(binder, value, span):
                return self.run(rest, self.define(binder, value, span, at))
            case Pick(binder, where, span):
                return self.run(rest, self.choose(binder, where, span, at))
            case Assign(variable, value, span):
                return self.run(rest, self.assign(variable, value, span, at))
            case Choice():
                return self.choice(first, rest, at)
            case Invoke(procedure, arguments, span):
                declared = self.procedures[procedure]
                for parameter, argument in zip(declared.parameters, arguments, strict=True):
                    at = self.define(parameter, argument, span, at)
                return self.run(declared.body + rest, at)
            case _:
                assert_never(first)

    def _after(self, at: _Progress | None, rest: tuple[Statement, ...]) -> tuple[_Progress, ...]:
        return () if at is None else self.run(rest, at)

    def guard(self, condition: Expr, span: Span, at: _Progress) -> _Progress | None:
        """Adds a condition; None when it is false by form."""
        at, value = self.value(condition, at)
        if isinstance(value, Const):
            return at if value.value else None
        return _with_item(self.settle(at), Guard(value, span))

    def choice(self, choice: Choice, rest: tuple[Statement, ...], at: _Progress) -> tuple[_Progress, ...]:
        done: list[_Progress] = []
        reached: _Progress | None = at
        for condition, body in choice.branches:
            if reached is None:
                break
            text = condition.span.text
            taken = self.guard(condition, condition.span, _with_branch(reached, text, condition.span))
            done.extend(self._after(taken, body + rest))
            negated = Not(condition, type=ty.Bool(), span=condition.span)
            reached = self.guard(negated, condition.span, _with_branch(reached, f"not ({text})", condition.span))
        done.extend(self._after(reached, choice.otherwise + rest))
        return tuple(done)

    def define(self, binder: Binder, value: Expr, span: Span, at: _Progress) -> _Progress:
        """Binds a name: small total values are put in its place, others become a `Define` under a fresh uid."""
        at, lowered = self.value(value, at)
        if self.is_atom(lowered):
            return replace(at, names={**at.names, binder.uid: lowered})
        fresh = replace(binder, uid=next(self.uids), domain=None)
        if not self.forms.total(lowered):
            at = self.settle(at)
        local = Local(binder.name, fresh.uid, type=binder.type, span=lowered.span)
        named = replace(at, names={**at.names, binder.uid: local})
        return _with_item(named, Define(fresh, lowered, span))

    def choose(self, binder: Binder, where: Expr | None, span: Span, at: _Progress) -> _Progress:
        domain = None
        if binder.domain is not None:
            at, domain = self.value(binder.domain, at)
        fresh = replace(binder, uid=next(self.uids), domain=domain)
        local = Local(binder.name, fresh.uid, type=binder.type, span=binder.span)
        at = replace(self.settle(at), names={**at.names, binder.uid: local})
        condition = None
        if where is not None:
            at, condition = self.value(where, at)
        return _with_item(at, Choose(fresh, condition, span))

    def assign(self, variable: str, value: Expr, span: Span, at: _Progress) -> _Progress:
        at, lowered = self.value(value, at)
        if variable in at.pending:
            at = self.settle(at)
        fallible = self.fallible_types[variable] or not self.forms.total(lowered)
        written = {name: w for name, w in at.written.items() if name != variable}
        pending = (*at.pending, variable) if fallible else at.pending
        return replace(at, written={**written, variable: (lowered, span)}, pending=pending)

    def settle(self, at: _Progress) -> _Progress:
        """Checks what was assigned so far, before an item that may end the step."""
        checks = tuple(Check(name, *at.written[name]) for name in at.pending)
        return replace(at, items=at.items + checks, pending=())

    # --- expressions

    def value(self, expr: Expr, at: _Progress) -> tuple[_Progress, Expr]:
        """The expression over the state before the step, and progress with the names that this needed."""
        opened = self._opened(expr, frozenset(at.written))
        for variable in sorted({e.name for e in subterms(opened) if isinstance(e, Read) and e.name in at.written}):
            at = self._shared(variable, at)
        return at, self._lowered(opened, at)

    def _opened(self, expr: Expr, written: frozenset[str]) -> Expr:
        """Unfolds definitions that read what has been written."""

        def unfold(e: Expr) -> Expr:
            if isinstance(e, Call) and self.forms.definition_reads(e.name) & written:
                return self._opened(self.forms.unfolded(e, self.uids), written)
            return e

        return bottom_up(expr, unfold) if written else expr

    def _lowered(self, expr: Expr, at: _Progress) -> Expr:
        match expr:
            case Old():
                return self._lowered(expr.operand, replace(at, written={}))
            case Local():
                return at.names.get(expr.uid, expr)
            case Read() if expr.name in at.written:
                return at.written[expr.name][0]
            case _:
                return self.forms.simplified(rebuild(expr, [self._lowered(c, at) for c in children(expr)]))

    def _shared(self, variable: str, at: _Progress) -> _Progress:
        """Names the large parts of a written value, which is about to be read."""
        value, span = at.written[variable]
        at, small = self._atomized(value, variable, at)
        return replace(at, written={**at.written, variable: (small, span)})

    def _atomized(self, value: Expr, name: str, at: _Progress) -> tuple[_Progress, Expr]:
        match value:
            case WithAt() | WithField() | Construct() | Lift():
                parts: list[Expr] = []
                for child in children(value):
                    at, part = self._atomized(child, name, at)
                    parts.append(part)
                return at, rebuild(value, parts)
            case _ if self.is_atom(value):
                return at, value
            case _:
                binder = Binder(name, next(self.uids), value.type, None, value.span)
                local = Local(name, binder.uid, type=value.type, span=value.span)
                return _with_item(at, Define(binder, value, value.span)), local

    def is_atom(self, value: Expr) -> bool:
        """Whether repeating the value costs nothing and it cannot fail."""
        match value:
            case Const() | NoneValue() | Local() | Read():
                return True
            case Lift() | FieldOf():
                return self.is_atom(value.operand)
            case At():
                return self.forms.total(value) and self.is_atom(value.operand) and self.is_atom(value.key)
            case _:
                return False


def _with_item(at: _Progress, item: Item) -> _Progress:
    return replace(at, items=(*at.items, item))


def _with_branch(at: _Progress, text: str, span: Span) -> _Progress:
    return replace(at, branches=(*at.branches, (text, span)))
