"""Counterexamples to induction: small, replayed by the interpreter, and told apart by the explorer.

A finite structure that breaks an obligation is only believed when the interpreter, on the state that it stands for,
takes the step and sees the property fail. Whether a run leads there is the explorer's word.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from checker.explore.faults import Fault
from checker.explore.instance import Instance
from checker.explore.interpreter import Failed, Interpreter, State, Taken
from checker.explore.replay import NotARun, place, trace_from_states
from checker.explore.search import End, Limits, Watch, search
from checker.explore.witness import why_false
from checker.language import ir
from checker.prove import terms as t
from checker.prove.effort import PER_SECOND
from checker.prove.finite import FiniteCheck, Model
from checker.prove.ground import Scope
from checker.prove.obligations import Obligation, Plan
from checker.prove.structure import Decoder, Structure
from checker.prove.suggest import suggestions
from checker.prove.words import Words
from checker.source import SpecError
from checker.verdict import Clause, InductionFailure, Trace


@dataclass(frozen=True)
class Budget:
    """Seconds of work for shrinking one counterexample, for exploring its instance, and for suggestions."""

    shrink: float = 2.0
    explore: float = 3.0
    suggest: float = 0.0


@dataclass(frozen=True)
class Fact:
    """A part of a state in words, and the same with names that may be bound for the elements in it."""

    text: str
    general: str


@dataclass(frozen=True)
class Found:
    """A counterexample that the interpreter confirmed: `after` is None where the goal fails in the state itself."""

    instance: Instance
    interpreter: Interpreter
    before: State
    after: State | None
    clause: Clause | None


def confirmed(plan: Plan, o: Obligation, model: Model, check: FiniteCheck) -> Found | None:
    """The state that a structure stands for, if the interpreter agrees that it breaks the obligation."""
    decoder = Decoder(plan.spec, plan.evaluator, Structure(model, check.grounder))
    try:
        instance = decoder.instance()
        interpreter = Interpreter(instance)
        values = plan.start if o.kind == "initially" or (not o.action and o.kind == "range") else plan.state
        state = decoder.state(instance, values)
        return _confirm(plan, o, instance, interpreter, state)
    except (SpecError, NotARun, Fault, IndexError, KeyError, ValueError):
        return None  # the structure is no state of the language, such as a number outside its range


def _confirm(plan: Plan, o: Obligation, instance: Instance, interpreter: Interpreter, state: State) -> Found | None:
    clauses = _clauses(plan, o)
    if o.kind in ("initially", "derived"):
        why = _why(interpreter, clauses, state)
        return Found(instance, interpreter, state, None, why) if why else None
    if o.kind in ("defined", "range"):
        fault = _fault(interpreter, state, o, clauses)
        return Found(instance, interpreter, state, None, fault) if fault else None
    for taken in _steps(interpreter, state, o.action):
        old = state if o.kind == "step" else None
        why = _why(interpreter, clauses, taken.state, old)
        if why:
            return Found(instance, interpreter, state, taken.state, why)
    return None


def _why(interpreter: Interpreter, clauses: Sequence[ir.Expr], state: State, old: State | None = None) -> Clause | None:
    """Why a clause is false, or has no meaning, in a state."""
    try:
        return next(iter(why_false(interpreter, clauses, state, old)), None)
    except Fault as fault:
        return Clause(fault.message, (), place(fault.span))


def _clauses(plan: Plan, o: Obligation) -> tuple[ir.Expr, ...]:
    """The clause that the obligation is about."""
    for p in plan.spec.properties:
        if p.name == o.property:
            return (p.clauses[o.clause],)
    return ()


def _steps(interpreter: Interpreter, state: State, action: str) -> Iterator[Taken]:
    for taken in interpreter.steps(state):
        if isinstance(taken, Taken) and interpreter.spec.actions[taken.action].qualified == action:
            yield taken


def _fault(interpreter: Interpreter, state: State, o: Obligation, clauses: Sequence[ir.Expr]) -> Clause | None:
    """The undefined operation or value out of range that the state leads to."""
    if clauses and o.kind == "defined":
        if not o.action:
            return _undefined(interpreter, clauses, state, None)
        after = (_undefined(interpreter, clauses, each.state, state) for each in _steps(interpreter, state, o.action))
        return next((found for found in after if found), None)
    for stop in interpreter.steps(state):
        if isinstance(stop, Failed):
            return Clause(stop.fault.message, (), place(stop.fault.span))
    return None


def _undefined(interpreter: Interpreter, clauses: Sequence[ir.Expr], state: State, old: State | None) -> Clause | None:
    try:
        interpreter.holds(clauses, state, old)
    except Fault as fault:
        return Clause(fault.message, (), place(fault.span))
    return None


# --- shrinking --------------------------------------------------------------------------------------


def failure(plan: Plan, o: Obligation, model: Model, check: FiniteCheck, budget: Budget) -> InductionFailure | None:
    """The counterexample to show for a structure that breaks an obligation; None if the interpreter does not agree."""
    found = confirmed(plan, o, model, check)
    if found is None:
        return None
    spent = 0.0
    relevant: tuple[Fact, ...] = ()
    scope, names = model.scope, list(model.scope.sizes)
    while names and spent < budget.shrink:
        reduced, seconds = _fewest(plan, o, _reduced(scope, names[0]), budget.shrink)
        spent += seconds
        if reduced is None:
            names.pop(0)
        else:
            found, scope = reduced[0], _reduced(scope, names[0])
            relevant = reduced[1]
    if scope == model.scope and budget.shrink > 0:
        again, _ = _fewest(plan, o, scope, budget.shrink)
        if again is not None:
            found, relevant = again
    states = [found.before] if found.after is None else [found.before, found.after]
    trace = trace_from_states(found.interpreter, states, from_anywhere=True)
    reachable, run = classify(plan, o, found, budget.explore)
    sizes = tuple((d.name, str(scope.sizes[d.name])) for d in (*plan.spec.sorts, *plan.spec.orders))
    proposed: tuple[str, ...] = ()
    if budget.suggest > 0 and reachable is not True and o.kind in ("kept", "step", "derived"):
        proposed = suggestions(plan.spec, scope, [fact.general for fact in relevant], budget.suggest)
    return InductionFailure(trace, sizes, tuple(fact.text for fact in relevant), found.clause, reachable, run, proposed)


def _reduced(scope: Scope, name: str) -> Scope:
    """One element of a sort less."""
    return replace(scope, sizes={**scope.sizes, name: scope.sizes[name] - 1})


def _fewest(
    plan: Plan, o: Obligation, scope: Scope, seconds: float
) -> tuple[tuple[Found, tuple[Fact, ...]] | None, float]:
    """A confirmed counterexample of the scope with few facts true, and those that matter, or None if there is none.

    With it the seconds of work that it took.
    """
    if any(size < 1 for size in scope.sizes.values()):
        return None, 0.0
    start = time.thread_time()
    check = FiniteCheck(scope, seconds)
    try:
        model = check.smallest((*o.givens, *o.hypotheses), o.goal)
        found = None if model is None else confirmed(plan, o, model, check)
        smallest = None if model is None or found is None else (found, _relevant(plan, o, model, check))
        return smallest, time.thread_time() - start + check.spent / PER_SECOND
    finally:
        check.close()


# --- telling ----------------------------------------------------------------------------------------


def classify(plan: Plan, o: Obligation, found: Found, seconds: float) -> tuple[bool | None, Trace | None]:
    """Whether the property really fails in some run of this size: True with the run, False if all was seen."""
    clauses = _clauses(plan, o)
    interpreter = found.interpreter
    if o.kind == "initially":
        return True, trace_from_states(interpreter, [found.before])
    if not clauses or o.kind == "defined":
        return None, None

    def fails(state: State) -> bool:
        return not interpreter.holds(clauses, state)

    def breaks(before: State, after: State) -> bool:
        return not interpreter.holds(clauses, after, before)

    watch = Watch(on_step=breaks) if o.kind == "step" else Watch(on_state=fails)
    limits = Limits(work=seconds, stop_on=frozenset((0,)), deadlock=False)
    answer = search(interpreter, len(interpreter.spec.actions), [watch], limits)
    for hit in answer.found:
        if hit.subject == 0:  # in an abstract network: which the one that was declared may not have
            return (None, None) if _is_abstract(plan) else (True, trace_from_states(interpreter, hit.run))
    return (False if answer.end is End.COMPLETE else None), None


def _is_abstract(plan: Plan) -> bool:
    return plan.spec.network is not None and plan.spec.network.abstract


def _relevant(plan: Plan, o: Obligation, model: Model, check: FiniteCheck) -> tuple[Fact, ...]:
    """The few parts of the state that make the step possible and the goal fail."""
    words, general = Words(plan.spec, check.scope), Words(plan.spec, check.scope, general=True)
    grounder = check.grounder
    names: dict[int, Fact] = {}
    fixed: list[int] = []
    for (name, values), literal in grounder.truths.items():
        held = literal if literal in model.literals else -literal
        sorts = grounder.sorts.get(name, ())
        shown, bound = (w.truth(name, sorts, values, held > 0) for w in (words, general))
        fixed.append(held)
        names[held] = Fact(shown, bound)
    for (name, values, sort), cases in grounder.scalars.items():
        sorts = grounder.sorts.get(name, ())
        for value, literal in cases.items():
            held = literal in model.literals if literal > 0 else -literal not in model.literals
            if held and len(cases) > 1:
                shown, bound = (w.scalar(name, sorts, values, sort, value) for w in (words, general))
                fixed.append(literal)
                names[literal] = Fact(shown, bound)
    fixed.sort(key=lambda x: bool(names[x].text))  # what is not of the state is never shown, so it is given up last
    always = {*plan.axioms, *plan.ranges}
    guards = (f.formula for f in o.givens if not f.source and f not in always)
    reached = check.grounder.literal(t.and_(*guards, t.not_(o.goal)))
    answer = check.solve([*fixed, -reached], smallest=True)
    core = {names[x] for x in answer.get("smallest", ()) if x in names and names[x].text}
    return tuple(sorted(core, key=lambda fact: fact.text))
