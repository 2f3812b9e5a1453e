"""The proof of a spec for every size, from its obligations to one verdict that says exactly how far it reaches.

It only combines what the stages found; no stage below it draws a verdict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from checker.language import ir
from checker.prove.cache import Cache, directory
from checker.prove.discharge import Discharged, Discharger, Options
from checker.prove.graph import proof_graph, proved
from checker.prove.obligations import Obligation, Plan, plan, stated
from checker.prove.vacuity import Vacuity, vacuity
from checker.source import Span
from checker.verdict import Assurance, ObligationResult, Place, PropertyResult, Status, Verdict

Progress = Callable[[ObligationResult], None]

_STATUS = {"proved": Status.HOLDS, "refuted": Status.VIOLATED, "unknown": Status.UNKNOWN}


def prove(spec: ir.Spec, options: Options, progress: Progress = lambda _: None) -> Verdict:
    """Prove all invariants, lemmas and step properties of a spec whose networks are growing sets.

    Raises SpecError (Q0901 to Q0903) for what cannot be put as obligations.
    """
    start = time.monotonic()
    obligations = plan(spec)
    cache = Cache(directory() / "proofs.json" if options.cache else None)
    discharger = Discharger(obligations, options, cache)
    try:
        premises = vacuity(obligations, discharger.checks)
        results = discharger.run(obligations.obligations, lambda r: progress(result(r)))
    finally:
        discharger.close()
        cache.save()
    return verdict(obligations, premises, results, options, time.monotonic() - start)


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
    return Verdict(
        plan.spec.name,
        "every size",
        "prover",
        Assurance.PROVED if complete else Assurance.INCONCLUSIVE,
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
        message = f"{failed[0].obligation.name}: {failed[0].reason or 'has a counterexample to induction'}"
    else:
        message = "its own obligations are proved, but it rests on properties that are not"
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
