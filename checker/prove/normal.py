"""Normal forms in which solvers do well: no negation but of atoms, outer witnesses named, universals flat.

A flat clause gives a solver triggers that cover it; the same formula with quantifiers inside disjunctions does not.
"""

from __future__ import annotations

from collections.abc import Callable

from checker.prove import terms as t
from checker.prove.terms import Term

_MOST_CLAUSES = 24  # beyond this a disjunction of conjunctions stays as it is


def negation_normal(term: Term, positive: bool = True) -> Term:
    """Negations pushed to the atoms; an equivalence with quantifiers in it is split."""
    match term.op:
        case "not":
            return negation_normal(term.args[0], not positive)
        case "and" | "or":
            parts = [negation_normal(a, positive) for a in term.args]
            return t.and_(*parts) if (term.op == "and") == positive else t.or_(*parts)
        case "iff" if t.has_quantifier(term):
            a, b = term.args
            both = (t.implies(a, b), t.implies(b, a)) if positive else (t.or_(a, b), t.or_(t.not_(a), t.not_(b)))
            return t.and_(*(negation_normal(part) for part in both))
        case "forall" | "exists":
            body = negation_normal(term.args[0], positive)
            return (t.forall if (term.op == "forall") == positive else t.exists)(term.bound, body)
        case "the":
            return t.exists(term.bound, t.and_(negation_normal(term.args[0]), negation_normal(term.args[1], positive)))
        case _:
            return term if positive else t.not_(term)


def skolemized(term: Term, constant: Callable[[Term], Term]) -> Term:
    """The formula in negation normal form with constants for existential variables that no universal encloses."""
    match term.op:
        case "and":
            return t.and_(*(skolemized(a, constant) for a in term.args))
        case "or":
            return t.or_(*(skolemized(a, constant) for a in term.args))
        case "exists":
            values = {v.name: constant(v) for v in term.bound}
            return skolemized(t.substitute(term.args[0], values), constant)
        case _:
            return term


def clauses(formula: Term, hint: str) -> tuple[Term, ...]:
    """Formulas whose conjunction is satisfiable exactly where `formula` is: each a flat universal clause if it can be.

    Witnesses are constants named after `hint`.
    """
    count = 0

    def constant(v: Term) -> Term:
        nonlocal count
        count += 1
        return t.app(f"{hint} #{count}", (), v.sort)

    def name() -> Term:
        nonlocal count
        count += 1
        return t.app(f"{hint} case {count}", (), t.BOOL)

    apart = t.renamed(formula, "u")  # siblings may share variables, which would clash when pulled together
    named = _cases(skolemized(negation_normal(apart), constant), name)
    return tuple(t.forall(bound, body) for part in named for bound, body in _flat(part))


def _cases(f: Term, name: Callable[[], Term]) -> list[Term]:
    """Conjuncts; in a closed disjunction parts with quantifiers get names, to be split instead of multiplied."""
    if f.op == "and":
        return [part for a in f.args for part in _cases(a, name)]
    if f.op != "or" or sum(map(t.has_quantifier, f.args)) < 2:
        return [f]
    choices: list[Term] = []
    parts: list[Term] = []
    for a in f.args:
        if not t.has_quantifier(a):
            choices.append(a)
            continue
        label = name()
        choices.append(label)
        parts += [t.or_(t.not_(label), part) for part in _cases(a, name)]
    return [t.or_(*choices), *parts]


_Clause = tuple[tuple[Term, ...], Term]


def _flat(f: Term) -> list[_Clause]:
    """The conjuncts of a formula as universally bound bodies."""
    match f.op:
        case "and":
            return [clause for a in f.args for clause in _flat(a)]
        case "forall":
            return [(f.bound + bound, body) for bound, body in _flat(f.args[0])]
        case "or":
            return _distributed(f)
        case "true":
            return []
        case _:
            return [((), f)]


def _distributed(f: Term) -> list[_Clause]:
    found: list[_Clause] = [((), t.FALSE)]
    for a in f.args:
        parts = _flat(a)
        if len(found) * len(parts) > _MOST_CLAUSES:
            parts = [((), a)]
        found = [(b + c, t.or_(x, y)) for b, x in found for c, y in parts]
    return [(bound, body) for bound, body in found if body.op != "true"]
