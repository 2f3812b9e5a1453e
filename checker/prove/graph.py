"""Which property rests on which: read off the cores of the successful queries, with what that leaves unproved.

A property counts as proved only when all it rests on is, so that a failed lemma takes down exactly what needs it.
"""

from __future__ import annotations

from collections.abc import Iterable

from checker.language import ir
from checker.prove.discharge import Discharged
from checker.prove.obligations import stated
from checker.prove.transitions import DEFINEDNESS
from checker.verdict import ProofGraph


def needs(results: Iterable[Discharged]) -> dict[str, tuple[str, ...]]:
    """For each property (and range) the others that its obligations used, in order of use."""
    found: dict[str, dict[str, None]] = {}
    for r in results:
        o = r.obligation
        mine = found.setdefault(o.property, {})
        sources = {f.name: f.source for f in (*o.givens, *o.hypotheses) if f.source}
        mine.update({sources[name]: None for name in r.used if sources.get(name, o.property) != o.property})
    return {name: tuple(used) for name, used in found.items()}


def proved(results: Iterable[Discharged]) -> frozenset[str]:
    """The properties all of whose obligations are proved, and that rest on nothing that is not."""
    results = tuple(results)
    rests = needs(results)
    good = set(rests) - {r.obligation.property for r in results if r.status != "proved"}
    while lost := {name for name in good if not good.issuperset(rests[name])}:
        good -= lost
    return frozenset(good)


def proof_graph(spec: ir.Spec, results: Iterable[Discharged]) -> ProofGraph:
    """The edges between properties of the spec, and the lemmas on which no invariant or step property rests.

    Which lemmas are unused is only known when all is proved.
    """
    results = tuple(results)
    rests = needs(results)
    names = [p.name for p in spec.properties if p.kind in ("invariant", "lemma", "step")]
    edges = tuple((name, tuple(n for n in names if n in rests.get(name, ()))) for name in names)
    kept: set[str] = set()
    todo = [p.name for p in spec.properties if p.kind in ("invariant", "step")] + [DEFINEDNESS]
    while todo:
        name = todo.pop()
        if name not in kept:
            kept.add(name)
            todo.extend(rests.get(name, ()))
    complete = all(r.status == "proved" for r in results)
    unused = tuple(p.name for p in stated(spec) if complete and p.kind == "lemma" and p.name not in kept)
    return ProofGraph(edges, unused)
