"""What the tests of proofs share: specs from text or with parts taken out, and one call for their verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from checker.language.frontend import load, load_source
from checker.language.ir import Spec
from checker.prove import terms as t
from checker.prove.discharge import Options
from checker.prove.obligations import Obligation, Plan, plan
from checker.prove.prove import prove
from checker.source import Source
from checker.verdict import ObligationResult, Status, Verdict

SPECS = Path(__file__).parent.parent.parent / "specs"


def spec(text: str, name: str = str(SPECS / "test.spec")) -> Spec:
    return load_source(Source(name, text)).spec


def verdict(text: str, **options: object) -> Verdict:
    """The verdict without cache and without exploring first; by one process, for tests run side by side already."""
    chosen = {"timeout": 10.0, "explore": 0.0, "cache": False, "jobs": 1, **options}
    return prove(spec(text), Options(**chosen))  # type: ignore[arg-type]


def until_refuted(text: str, most_facts: int, **options: object) -> Verdict:
    """As `verdict`, but only until there is a counterexample to induction of at most so many relevant facts."""
    chosen = {"timeout": 10.0, "explore": 0.0, "cache": False, "jobs": 1, **options}

    def stop(result: ObligationResult) -> None:
        if result.failure is not None and len(result.failure.relevant) <= most_facts:
            raise KeyboardInterrupt

    return prove(spec(text), Options(**chosen), stop)  # type: ignore[arg-type]


def without_lemma(text: str, name: str) -> str:
    """The spec with a lemma deleted, from the lists of premises too."""
    text = re.sub(rf"^(?:lemma|proof) {name}\n(?:[ \t]+.*\n|\n)*", "", text, flags=re.MULTILINE)
    text = re.sub(rf"^(    from [^\n]*(?:\n        [^\n]+)*?)\b{name}\b,\s+", r"\1", text, flags=re.MULTILINE)
    return re.sub(rf"^(    from [^\n]*(?:\n        [^\n]+)*?),\s+{name}\b", r"\1", text, flags=re.MULTILINE)


def failed(found: Verdict) -> list[str]:
    return [o.name for o in found.obligations if o.status is not Status.HOLDS]


def changed(of: Plan, base: Path) -> list[Obligation]:
    """The obligations for a solver that are not, word for word, among those of another spec; these are proved there."""
    known = _statements_of(base)
    return [o for o, statement in _statements(of) if statement not in known]


@cache
def _statements_of(base: Path) -> frozenset[tuple[int, ...]]:
    return frozenset(statement for _, statement in _statements(plan(load(base, "set").spec)))


def _statements(of: Plan) -> Iterator[tuple[Obligation, tuple[int, ...]]]:
    """What is to be shown, each formula by its number, so that it does not depend on what else is in the spec."""
    seen: dict[int, int] = {}  # by identity: most formulas of a plan stand in hundreds of its obligations

    def number(formula: t.Term) -> int:
        if id(formula) not in seen:
            seen[id(formula)] = _numbers.setdefault(t.renamed(formula), len(_numbers))
        return seen[id(formula)]

    for o in of.obligations:
        if not o.decided:
            yield o, (*(number(f.formula) for f in (*o.givens, *o.hypotheses)), number(o.goal))


_numbers: dict[t.Term, int] = {}
"""Formulas that differ in the names of bound variables only have the same number."""
