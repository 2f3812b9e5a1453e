"""From a spec and an instance to a verdict: poses the problem to an engine and words what the engine answers.

Whatever an engine claims to have found is replayed by the interpreter first. A verdict never claims more than was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from checker.explore.expect import expectations, notes
from checker.explore.instance import instantiate
from checker.explore.interpreter import Interpreter
from checker.explore.problem import Goal, Options, Problem, problem, shallow
from checker.explore.replay import NotARun, place, text, trace_from_states
from checker.explore.search import DEADLOCK, FAULT, Answer, End, Found, Progress
from checker.explore.witness import fault_at, why_false, why_true
from checker.language import ir
from checker.language.finite import for_instance
from checker.verdict import ActionCount, Assurance, Census, Clause, Cut, PropertyResult, Status, Verdict


def check(
    spec: ir.Spec,
    decl: ir.InstanceDecl,
    options: Options | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Verdict:
    """Explore one instance of a spec, with the engine that the options name.

    Raises SpecError where the instance cannot be explored at all, and NotARun where the engine shows a run that the
    interpreter cannot repeat, which is an error of the engine.
    """
    options = options or Options()
    with shallow(spec):
        question = problem(Interpreter(instantiate(for_instance(spec, decl), decl)), options)
        answer = options.engine.explore(question, options, progress)
        verdict = judge(question, answer, answer.engine or options.engine.name, extent(answer, options))
    return replace(verdict, notes=(*notes(spec, decl), *answer.notes))


# --- how far an answer reaches ----------------------------------------------------------------------


@dataclass(frozen=True)
class Extent:
    """How far a search reached, and in words why no further. `unseen`: what is said of a property not seen violated.

    `cut`: what stopped the search before it was done, as `Verdict` has it.
    """

    assurance: Assurance
    reason: str = ""
    depth: int | None = None
    seed: int | None = None
    unseen: str = "not violated so far"
    cut: Cut = ""


def extent(answer: Answer, options: Options) -> Extent:
    """The scope that the end of a search gives to its answer, violations apart."""
    match answer.end:
        case End.COMPLETE:
            return Extent(Assurance.EXHAUSTIVE)
        case End.FOUND:
            return Extent(Assurance.INCONCLUSIVE, "the search ended with a violation")
        case End.DEPTH:
            return Extent(Assurance.BOUNDED, depth=options.depth)
        case End.TIME:
            return Extent(Assurance.INCONCLUSIVE, f"out of time after {answer.seconds:.1f} s", cut="time")
        case End.STATES:
            return Extent(Assurance.INCONCLUSIVE, f"stopped after {answer.states:,} states", cut="states")
        case End.MEMORY:
            limit = "" if options.memory is None else f" of {options.memory / (1 << 20):,.0f} MiB"
            return Extent(Assurance.INCONCLUSIVE, f"out of memory: the limit{limit} is reached", cut="memory")
        case End.INTERRUPTED:
            return Extent(Assurance.INCONCLUSIVE, "interrupted", cut="interrupted")


# --- from answer to verdict -------------------------------------------------------------------------


def judge(question: Problem, answer: Answer, engine: str, reach: Extent) -> Verdict:
    """The verdict that an engine's answer supports. Raises NotARun where it does not."""
    instance = question.interpreter.instance
    if any(found.subject == FAULT for found in answer.found) and reach.assurance is not Assurance.SAMPLED:
        # Behind a step without meaning there may be states that nobody saw.
        reach = replace(reach, assurance=Assurance.INCONCLUSIVE, reason="an operation is undefined")
    results = _results(question, answer, reach)
    verdict = Verdict(
        instance.spec.name,
        instance.decl.name,
        engine,
        reach.assurance,
        results,
        instance.sizes,
        _census(question, answer, reach.assurance is Assurance.EXHAUSTIVE),
        expectations(instance.decl, results, answer.states, reach.assurance is Assurance.EXHAUSTIVE),
        reach.reason,
        reach.depth,
        answer.seconds,
        reach.seed,
        cut=reach.cut,
    )
    if verdict.failures or (verdict.violations and reach.assurance is not Assurance.EXHAUSTIVE):
        return replace(verdict, assurance=Assurance.VIOLATED, reason="")
    return verdict


def _census(question: Problem, answer: Answer, exhaustive: bool) -> Census:
    actions = question.interpreter.spec.actions
    counts = zip(actions, answer.taken, answer.discovered, strict=True)
    found = {each.subject for each in answer.found}
    return Census(
        answer.states,
        answer.transitions,
        answer.depth,
        answer.frontier,
        tuple(ActionCount(a.qualified, taken, discovered, place(a.span)) for a, taken, discovered in counts),
        answer.bounds,
        tuple(
            Clause(text(goal.span), (), place(goal.span))
            for i, goal in enumerate(question.goals)
            if goal.kind == "probe" and i not in found and exhaustive
        ),
        answer.symmetry,
    )


def _results(question: Problem, answer: Answer, reach: Extent) -> tuple[PropertyResult, ...]:
    by_subject = {found.subject: found for found in answer.found}
    results = [
        _result(question, goal, by_subject.get(i), reach)
        for i, goal in enumerate(question.goals)
        if goal.kind != "probe"
    ]
    if question.deadlock:
        results.append(_deadlock(question, by_subject.get(DEADLOCK), reach))
    if (fault := by_subject.get(FAULT)) is not None:
        results.append(_fault(question, fault))
    return tuple(results)


def _result(question: Problem, goal: Goal, found: Found | None, reach: Extent) -> PropertyResult:
    known = PropertyResult(goal.name, goal.kind, Status.UNKNOWN, place(goal.span))
    if found is None:
        return _unseen(known, reach)
    interpreter, run = question.interpreter, found.run
    trace = trace_from_states(interpreter, run)
    last, old = run[-1], run[-2] if goal.kind == "step" else None
    if interpreter.holds(goal.clauses, last, old) is goal.is_violation:
        raise NotARun(f"the run that is said to show {goal.name} does not")
    if goal.is_violation:
        clauses = why_false(interpreter, goal.clauses, last, old)
        return replace(known, status=Status.VIOLATED, trace=trace, clauses=clauses)
    return replace(known, status=Status.REACHED, trace=trace, clauses=why_true(interpreter, goal.clauses, last))


def _unseen(known: PropertyResult, reach: Extent) -> PropertyResult:
    """What is known of a property that nobody saw violated, or of a `reachable` that nobody saw reached."""
    if known.kind == "reachable":
        if reach.assurance is Assurance.EXHAUSTIVE:
            return replace(known, status=Status.UNREACHED)
        return replace(known, message="not reached so far")
    if reach.assurance is Assurance.BOUNDED and known.kind == "deadlock":
        return replace(known, status=Status.HOLDS, message=f"looked for in states less than {reach.depth} steps deep")
    if reach.assurance in (Assurance.EXHAUSTIVE, Assurance.BOUNDED):
        return replace(known, status=Status.HOLDS)
    return replace(known, message=reach.unseen)


def _deadlock(question: Problem, found: Found | None, reach: Extent) -> PropertyResult:
    known = PropertyResult("Deadlock", "deadlock", Status.UNKNOWN)
    if found is None:
        return _unseen(known, reach)
    interpreter, last = question.interpreter, found.run[-1]
    if any(True for _ in interpreter.steps(last)) or interpreter.may_stop(last):
        raise NotARun("the state that is said to be a deadlock is none")
    return replace(known, status=Status.VIOLATED, trace=trace_from_states(interpreter, found.run))


def _fault(question: Problem, found: Found) -> PropertyResult:
    interpreter, run = question.interpreter, found.run
    trace = trace_from_states(interpreter, run)
    said = fault_at(interpreter, [goal.clauses for goal in question.goals if goal.kind in _CHECKED], run)
    if said is None:
        raise NotARun("the operation that is said to be undefined is not")
    name = "Range" if said.kind == "range" else "Undefined"
    return PropertyResult(
        name, said.kind, Status.VIOLATED, place(said.span), trace, message=said.message, code=said.code
    )


_CHECKED = ("invariant", "lemma", "step", "reachable")
