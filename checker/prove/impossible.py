"""Control paths that no run takes: their conditions contradict each other, or what is proved of all states.

Only unbounded queries that were answered "unsat" count; a finite scope is looked at first, since a structure there that
satisfies the conditions spares the solver the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice

from checker.language import ir
from checker.language.paths import Path
from checker.prove import terms as t
from checker.prove.cache import Cache, directory
from checker.prove.discharge import Discharger, Options
from checker.prove.finite import Core, Model
from checker.prove.obligations import Obligation, plan
from checker.prove.prove import growing
from checker.prove.strategies import narrow, quick
from checker.prove.transitions import DEFINEDNESS, Fact, Transition

Way = tuple[str, str]
"""A control path by its action and its label."""

_FIRST = 2  # attempts of the quick ones: the others are for what has many premises


@dataclass(frozen=True)
class Excluded:
    """Paths that no state satisfying the invariants enables. `proved`: that all invariants hold is known, from a proof
    in the cache."""

    ways: frozenset[Way]
    proved: bool


def contradictory(spec: ir.Spec) -> frozenset[Way]:
    """The paths whose conditions no state satisfies, reachable or not.

    Raises SpecError (Q0901, Q0902) for what cannot be put as obligations.
    """
    asked = _Asked(spec)
    try:
        return asked.never(asked.steps, with_invariants=False)
    finally:
        asked.discharger.close()


def excluded(spec: ir.Spec, ways: Collection[Way]) -> Excluded:
    """Which of these paths no state enables that satisfies the invariants and lemmas of the spec.

    Raises SpecError (Q0901, Q0902) for what cannot be put as obligations.
    """
    asked = _Asked(spec)
    try:
        found = asked.never([step for step in asked.steps if _way(step.path) in ways], with_invariants=True)
        return Excluded(found, bool(found) and asked.all_proved())
    finally:
        asked.discharger.close()


def _way(path: Path) -> Way:
    return path.action, path.label


class _Asked:
    """A spec whose paths are asked about."""

    def __init__(self, spec: ir.Spec) -> None:
        self.plan = plan(growing(spec))
        self.steps = self.plan.transitions
        self.discharger = Discharger(self.plan, Options(jobs=1), Cache(directory() / "proofs.json"))

    def never(self, steps: Iterable[Transition], with_invariants: bool) -> frozenset[Way]:
        """The paths of which no step can be; several may have the same label."""
        steps = list(steps)
        possible = {_way(step.path) for step in steps if not self.impossible(step, with_invariants)}
        return frozenset(_way(step.path) for step in steps) - possible

    def impossible(self, step: Transition, with_invariants: bool) -> bool:
        """What rests on definedness rests on a proof, so that it is left out where no invariant may be used."""
        given = [fact for fact in step.guards if with_invariants or not fact.source]
        known = self.plan.invariants if with_invariants else ()
        work = self.discharger.work(0, _contradiction(step, (*self.plan.axioms, *self.plan.ranges, *given), known))
        outcome = self.discharger.checks[0].decide(work.facts, t.FALSE, smallest=False)
        if isinstance(outcome, Model):
            return False
        if self.discharger.attempts(work, islice(quick(0, few=True), _FIRST)):
            return True
        if not with_invariants or not isinstance(outcome, Core):
            return False
        work.selected |= {work.facts[i].name for i in outcome.facts}
        return self.discharger.attempts(work, narrow(0)) is not None

    def all_proved(self) -> bool:
        """Whether each obligation of the spec was proved as it reads, by this program."""
        return all(o.decided or self.discharger.is_proved(o) for o in self.plan.obligations)


def _contradiction(step: Transition, givens: Iterable[Fact], known: tuple[Fact, ...]) -> Obligation:
    path = step.path
    facts = tuple(fact for fact in givens if fact.formula.op != "true")
    name = f"never {path.action} [{path.label}]"
    return Obligation(name, "defined", DEFINEDNESS, 0, path.action, path, path.span, t.FALSE, facts, known)
