"""Induction over a finite instance: whether its properties are kept by every step of it, all domains finite.

With `k` above one, a property may rest on the k states before. What is shown here is about this instance only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from checker.explore.faults import Fault
from checker.explore.instance import instantiate
from checker.explore.interpreter import Failed, Interpreter, State
from checker.explore.replay import NotARun, place, trace_from_states
from checker.explore.witness import why_false
from checker.language import ir
from checker.language.finite import for_instance
from checker.prove import terms as t
from checker.prove.obligations import clause_name, stated
from checker.prove.terms import Term
from checker.prove.transitions import DEFINEDNESS
from checker.prove.unrolling import Unrolling
from checker.verdict import (
    Assurance,
    Clause,
    InductionFailure,
    ObligationResult,
    PropertyResult,
    Status,
    Trace,
    Verdict,
)


@dataclass(frozen=True)
class Item:
    """One thing to show: a clause, or (without one) that steps are defined."""

    name: str
    property: str
    kind: str
    clause: ir.Expr | None
    premises: tuple[ir.Expr, ...] = ()


def prove_instance(
    spec: ir.Spec,
    decl: ir.InstanceDecl,
    k: int,
    seconds: float,
    progress: Callable[[ObligationResult], None] = lambda _: None,
) -> Verdict:
    """Induction of depth `k` over one instance of a spec whose networks are growing sets; `seconds` for each query.

    Raises SpecError where the instance cannot be explored at all, or holds what cannot be ground (Q0902).
    """
    start = time.monotonic()
    interpreter = Interpreter(instantiate(for_instance(spec, decl), decl))
    items = list(_items(interpreter.spec))
    found: dict[str, ObligationResult] = {}
    for world in range(len(interpreter.instance.worlds)):
        induction = _Induction(interpreter, world, k, seconds)
        try:
            for item in items:
                if item.name not in found or found[item.name].status is Status.HOLDS:
                    found[item.name] = induction.result(item)
        finally:
            induction.close()
    for result in found.values():
        progress(result)
    return _verdict(interpreter, decl, k, tuple(found.values()), time.monotonic() - start)


def _items(spec: ir.Spec) -> Iterator[Item]:
    """All that is to be shown; what has a `proof` rests on its premises in the same state."""
    clauses = {p.name: p.clauses for p in spec.properties}
    premises = {p.name: tuple(c for name in p.premises for c in clauses.get(name, ())) for p in spec.proofs}
    yield Item("steps are defined", DEFINEDNESS, "defined", None)
    for p in spec.properties:
        if p.kind in ("invariant", "lemma", "step"):
            for i, clause in enumerate(p.clauses):
                yield Item(clause_name(p, i), p.name, p.kind, clause, premises.get(p.name, ()))


class _Induction:
    """The states 0 to `k` of one world, and what is assumed of the first k of them."""

    def __init__(self, interpreter: Interpreter, world: int, k: int, seconds: float) -> None:
        self.interpreter, self.k = interpreter, k
        network = interpreter.spec.network
        self.exact = network is None or not network.abstract  # else a run may be none of the declared network
        self.unrolling = Unrolling(interpreter, world, seconds)
        self.invariants = [c for p in stated(interpreter.spec) for c in p.clauses]
        for _ in range(k + 1):
            self.unrolling.extend()
        u = self.unrolling
        self.start = u.initial()
        self.steps = [u.step(n) for n in range(1, k + 1)]
        self.assumed = t.and_(*(t.and_(u.well_typed(n), *self.hold(n)) for n in range(k)))

    def hold(self, number: int) -> list[Term]:
        return [self.unrolling.holds(clause, number) for clause in self.invariants]

    def result(self, item: Item) -> ObligationResult:
        """First the states that the induction begins with, then the step."""
        begin = time.monotonic()
        status, failure, message = Status.HOLDS, None, ""
        try:
            failure = self.base(item) or self.induction(item)
            status = Status.VIOLATED if failure is not None else Status.HOLDS
        except TimeoutError as error:
            status, message = Status.UNKNOWN, f"not decided: {error}"
        except NotARun:
            status, message = Status.UNKNOWN, "the state that was found does not replay"
        where = None if item.clause is None else place(item.clause.span)
        return ObligationResult(
            item.name, item.kind, item.property, "", status, f"{self.k}-induction" if failure is None else "",
            (), time.monotonic() - begin, where, None, message, (), failure,
        )  # fmt: skip

    def base(self, item: Item) -> InductionFailure | None:
        """A run from an initial state that breaks the item within the first k states."""
        first = 1 if item.kind in ("step", "defined") else 0
        for last in range(first, self.k + first):
            runs = t.and_(self.start, *self.steps[: last if item.kind != "defined" else last - 1])
            failure = self.broken(item, runs, last, real=self.exact)
            if failure is not None:
                return failure
        return None

    def induction(self, item: Item) -> InductionFailure | None:
        steps = self.steps if item.kind != "defined" else self.steps[: self.k - 1]
        premises = [self.unrolling.holds(clause, self.k) for clause in item.premises]
        return self.broken(item, t.and_(self.assumed, *steps, *premises), self.k, real=False)

    def broken(self, item: Item, assumed: Term, last: int, *, real: bool) -> InductionFailure | None:
        u = self.unrolling
        goal = t.not_(u.faulty(last)) if item.clause is None else u.holds(item.clause, last)
        literals = [u.check.grounder.literal(f) for f in (assumed, t.not_(goal))]
        model = u.check.model(literals)
        if model is None:
            return None
        states = u.run(model, last - 1 if item.clause is None else last)
        trace = trace_from_states(self.interpreter, states, from_anywhere=not real)
        clause = self.why(item, states)
        return InductionFailure(trace, u.interpreter.instance.sizes, (), clause, real or None, trace if real else None)

    def why(self, item: Item, states: tuple[State, ...]) -> Clause | None:
        if item.clause is None:
            fault = next((x.fault for x in self.interpreter.steps(states[-1]) if isinstance(x, Failed)), None)
            return None if fault is None else Clause(fault.message, (), place(fault.span))
        old = states[-2] if item.kind == "step" else None
        try:
            return next(iter(why_false(self.interpreter, [item.clause], states[-1], old)), None)
        except Fault as fault:
            return Clause(fault.message, (), place(fault.span))

    def close(self) -> None:
        self.unrolling.close()


def _verdict(
    interpreter: Interpreter, decl: ir.InstanceDecl, k: int, results: tuple[ObligationResult, ...], seconds: float
) -> Verdict:
    open_ = [r for r in results if r.status is not Status.HOLDS]
    real: dict[str, Trace] = {r.property: r.failure.run for r in open_ if r.failure and r.failure.run}
    inductive = not open_
    properties = tuple(
        PropertyResult(
            p.name,
            p.kind,
            Status.VIOLATED if p.name in real else Status.HOLDS if inductive else Status.UNKNOWN,
            place(p.span),
            real.get(p.name),
            message="" if inductive or p.name in real else "the properties are not inductive together",
        )
        for p in interpreter.spec.properties
        if p.kind in ("invariant", "lemma", "step")
    )
    assurance = Assurance.VIOLATED if real else Assurance.INDUCTIVE if inductive else Assurance.INCONCLUSIVE
    names = ", ".join(r.name for r in open_)
    return Verdict(
        interpreter.spec.name,
        decl.name,
        f"{k}-induction",
        assurance,
        properties,
        interpreter.instance.sizes,
        reason=f"not inductive: {names}" if open_ else "",
        seconds=seconds,
        obligations=results,
        graph=None,
    )
