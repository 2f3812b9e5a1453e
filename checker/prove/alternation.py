"""Where the quantifiers of an obligation go round: sorts from which others are made again and again.

Without such a cycle a solver has only finitely many elements to look at. A cycle is no error, only a hint of why a
query does not end.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from checker.prove import terms as t
from checker.prove.normal import negation_normal
from checker.prove.terms import Term

Edges = dict[tuple[str, str], str]


def cycle(facts: Iterable[tuple[str, Term]], goal: Term) -> str:
    """A cycle as `Acceptor -> Ballot -> Acceptor (by Promised, Safe)`, or nothing if there is none."""
    edges: Edges = {}
    for name, formula in facts:
        _collect(negation_normal(formula), (), name, edges)
    _collect(negation_normal(goal, positive=False), (), "the goal", edges)
    loops = (_path(edges, start) for start in sorted({a for a, _ in edges}))
    shortest = min((loop for loop in loops if loop), key=len, default=[])
    if not shortest:
        return ""
    causes = dict.fromkeys(edges[(a, b)] for a, b in pairwise(shortest))
    return f"{' -> '.join(shortest)} (by {', '.join(causes)})"


def _collect(f: Term, universal: tuple[Term, ...], name: str, edges: Edges) -> None:
    """An element of one sort leads to one of another by an `exists` below a `forall`, and by a function."""
    if f.op == "forall":
        universal += f.bound
    elif f.op in ("exists", "the"):
        for outer in universal:
            for inner in f.bound:
                edges.setdefault((outer.sort, inner.sort), name)
    elif f.op == "app" and f.sort != t.BOOL and f.free:
        for a in f.args:
            if a.sort not in (t.BOOL, t.INT) and f.sort != t.INT:
                edges.setdefault((a.sort, f.sort), f.name)
    for a in f.args:
        _collect(a, universal, name, edges)


def _path(edges: Edges, start: str) -> list[str]:
    """A shortest way from a sort back to itself."""
    ways: list[list[str]] = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for a, b in sorted(edges):
            if a != way[-1]:
                continue
            if b == start:
                return [*way, b]
            if b not in seen:
                seen.add(b)
                ways.append([*way, b])
    return []
