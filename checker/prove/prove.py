"""The proof of a spec for every size, from its obligations to one verdict that says exactly how far it reaches.

It only combines what the stages found; no stage below it draws a verdict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from checker.explore.check import check
from checker.explore.problem import Options as Exploration
from checker.language import ir
from checker.language.frontend import reload
from checker.prove import terms as t
from checker.prove.cache import Cache, Hint, digest, directory, seal
from checker.prove.discharge import Discharged, Discharger, Options
from checker.prove.graph import proof_graph, proved
from checker.prove.obligations import Obligation, Plan, plan, stated
from checker.prove.secondopinion import files, opinions
from checker.prove.smtlib import Style, Writer
from checker.prove.vacuity import Vacuity, vacuity
from checker.source import Diagnostic, Span, SpecError
from checker.verdict import Assurance, ObligationResult, Place, ProofGraph, PropertyResult, Status, Verdict

Progress = Callable[[ObligationResult], None]

_STATUS = {"proved": Status.HOLDS, "refuted": Status.VIOLATED, "unknown": Status.UNKNOWN}


def prove(spec: ir.Spec, options: Options, progress: Progress = lambda _: None) -> Verdict:
    """Prove all invariants, lemmas and step properties of a spec as its file declares it.

    First the instances are explored for a while, for what is false there need not be tried. Then every network is
    taken as the growing set of messages, and rounds with the set of those under way, which has all behaviours of what
    was declared.
    Raises SpecError (Q0901, Q0902) for what cannot be put as obligations.
    """
    start = time.monotonic()
    obligations = plan(growing(spec))
    cache = Cache(directory() / "proofs.json" if options.cache else None)
    discharger = Discharger(obligations, options, cache)
    try:
        false = () if discharger.all_known() else violated(spec, options.explore)
        if false:
            return _violated(spec, false, options, time.monotonic() - start)
        premises = _premises(obligations, discharger, cache)
        results = discharger.run(obligations.obligations, lambda r: progress(result(r)))
    finally:
        discharger.close()
        cache.save()
    found = verdict(obligations, premises, results, options, time.monotonic() - start)
    if discharger.cut and found.assurance is Assurance.INCONCLUSIVE:
        why = "interrupted" if discharger.cut == "interrupted" else "out of time"
        found = replace(found, cut=discharger.cut, reason=f"{why}: {found.reason}")
    if options.smt2 is not None:
        _write(options.smt2, results)
    if options.recheck:
        found = _rechecked(found, results, options)
    return replace(found, notes=(*found.notes, *_taken(spec)))


def _premises(obligations: Plan, discharger: Discharger, cache: Cache) -> Vacuity:
    """Whether a proof would be about anything; what was found for the very same premises is not asked again."""
    groups = [("axiom", obligations.axioms), ("initial", obligations.initial), ("range", obligations.ranges)]
    groups += [("property", obligations.invariants)]
    groups += [(f"{i} {step.path.action}", step.guards) for i, step in enumerate(obligations.transitions)]
    facts = [(f"{group}: {fact.name}", fact.formula) for group, among in groups for fact in among]
    text = Writer(obligations.vocabulary, Style()).script(facts, t.FALSE).text
    known = cache.get(digest(f"premises {text}"))
    if known is not None and known.proved == seal(f"premises {text}"):
        return Vacuity(idle=known.used)
    found = vacuity(obligations, discharger.checks)
    if not found.reason:
        cache.put(digest(f"premises {text}"), Hint("", 0, (), found.idle, seal(f"premises {text}")))
    return found


def _write(directory: Path, results: tuple[Discharged, ...]) -> None:
    """Raises SpecError (Q0903) where the directory cannot be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files(results):
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"`{directory}` cannot be written: {error.strerror}"
        raise SpecError([Diagnostic("Q0903", message, hint="choose a directory of your own")]) from None


def _rechecked(found: Verdict, results: tuple[Discharged, ...], options: Options) -> Verdict:
    """The verdict with what cvc5 says; one that contradicts is not a proof."""
    said = opinions(results, options.timeout, options.jobs)
    if said is None:
        return replace(found, notes=(*found.notes, "cvc5 is not installed, so nothing was checked again"))
    against = [o.obligation for o in said if o.answer == "sat"]
    if against:
        reason = f"cvc5 contradicts: {', '.join(against)}"
        return replace(found, assurance=Assurance.INCONCLUSIVE, reason=reason)
    silent = [o.obligation for o in said if o.answer != "unsat"]
    note = f"cvc5 agrees on {len(said) - len(silent)} of {len(said)} obligations"
    return replace(found, notes=(*found.notes, note + (f"; without answer: {', '.join(silent)}" if silent else "")))


def _taken(spec: ir.Spec) -> tuple[str, ...]:
    """How the network was taken, if otherwise than declared."""
    if _exact(spec):
        return ()
    if spec.network is not None and spec.network.synchronous:
        return ("each message of a round was taken to come once or more, which has all behaviours of coming once",)
    return ("every network was taken as the growing set of messages, which has all behaviours of the one declared",)


def growing(spec: ir.Spec) -> ir.Spec:
    """The spec with its network as proofs take it: the growing set of sent messages, or the set of those in a round."""
    return spec if _exact(spec) else reload(spec, "set")


def _exact(spec: ir.Spec) -> bool:
    """Whether proofs see the very network that is declared."""
    return spec.network is None or spec.network.kind == "set"


def violated(spec: ir.Spec, seconds: float) -> tuple[tuple[str, PropertyResult], ...]:
    """The properties that are false on an instance, with its name; looks for no longer than the seconds given."""
    end = time.monotonic() + seconds
    for decl in spec.instances:
        left = end - time.monotonic()
        if left <= 0:
            break
        try:
            answer = check(spec, decl, Exploration(timeout=left, deadlock=False))
        except SpecError:
            continue  # `check` tells what is wrong with the instance; no proof depends on it
        kinds = ("invariant", "lemma", "step")
        false = tuple((decl.name, p) for p in answer.violations if p.kind in kinds and p.trace is not None)
        if false:
            return false
    return ()


def _violated(
    spec: ir.Spec, false: tuple[tuple[str, PropertyResult], ...], options: Options, seconds: float
) -> Verdict:
    results = {p.name: p for _, p in false}
    properties = tuple(
        results.get(p.name) or PropertyResult(p.name, p.kind, Status.UNKNOWN, place(p.span), message="not tried")
        for p in spec.properties
        if p.kind in ("invariant", "lemma", "step")
    )
    return Verdict(
        spec.name,
        false[0][0],
        "prover",
        Assurance.VIOLATED,
        properties,
        seconds=seconds,
        seed=options.seed,
        graph=ProofGraph(),
        notes=(f"found by exploring the instance {false[0][0]}; nothing was tried to be proved",),
    )


def verdict(
    plan: Plan, premises: Vacuity, results: tuple[Discharged, ...], options: Options, seconds: float
) -> Verdict:
    """What the results amount to."""
    good = proved(results)
    properties = tuple(
        _property(p, results, p.name in good and not premises.reason)
        for p in plan.spec.properties
        if p.kind in ("invariant", "lemma", "step")
    )
    open_ = [r for r in results if r.status != "proved"]
    complete = not open_ and not premises.reason
    scope = Assurance.PROVED if complete else Assurance.INCONCLUSIVE
    if any(p.status is Status.VIOLATED for p in properties):
        scope = Assurance.VIOLATED
    return Verdict(
        plan.spec.name,
        "every size",
        "prover",
        scope,
        properties,
        reason="" if complete else premises.reason or _reason(open_),
        seconds=seconds,
        seed=options.seed,
        obligations=tuple(map(result, results)),
        graph=proof_graph(plan.spec, results),
        notes=tuple(_notes(plan, premises)),
    )


def _property(p: ir.Property, results: Iterable[Discharged], holds: bool) -> PropertyResult:
    mine = [r for r in results if r.obligation.property == p.name]
    failed = [r for r in mine if r.status != "proved"]
    if holds:
        message = ""
    elif failed:
        what = "was not decided" if failed[0].status == "unknown" else "has a counterexample to induction"
        message = f"{failed[0].obligation.name} {what}"
    else:
        message = "its own obligations are proved, but it rests on properties that are not"
    run = next((r.failure for r in failed if r.failure is not None and r.failure.reachable), None)
    if run is not None and run.run is not None:
        clauses = () if run.clause is None else (run.clause,)
        return PropertyResult(p.name, p.kind, Status.VIOLATED, place(p.span), run.run, clauses)
    return PropertyResult(p.name, p.kind, Status.HOLDS if holds else Status.UNKNOWN, place(p.span), message=message)


def _reason(failed: list[Discharged]) -> str:
    broken = sum(r.status == "refuted" for r in failed)
    unknown = len(failed) - broken
    parts = []
    if broken:
        parts.append(f"{broken} obligation{'s have' if broken > 1 else ' has'} a counterexample to induction")
    if unknown:
        parts.append(f"{unknown} {'were' if unknown > 1 else 'was'} not decided")
    return " and ".join(parts)


def _notes(plan: Plan, premises: Vacuity) -> Iterable[str]:
    if not any(p.kind == "reachable" for p in plan.spec.properties):
        yield "the spec has no `reachable`: a protocol that does nothing is proved as easily"
    for name in premises.idle:
        yield f"{name} was never possible in a small state that satisfies the properties"
    if not stated(plan.spec):
        yield "there are no invariants, only step properties"


def result(r: Discharged) -> ObligationResult:
    """One obligation as verdicts show it."""
    o = r.obligation
    return ObligationResult(
        o.name,
        o.kind,
        o.property,
        o.action,
        _STATUS[r.status],
        r.how,
        tuple(name for name in r.used if name not in ("goal", "marks", "axioms", "case")),
        r.seconds,
        place(o.place),
        _path_place(o),
        r.reason,
        r.tried,
        r.failure,
    )


def _path_place(o: Obligation) -> Place | None:
    return place(o.path.span) if o.path is not None else None


def place(span: Span) -> Place:
    """A span as verdicts give places."""
    return Place(span.source.name, span.line, span.column, span.source.line(span.line))
