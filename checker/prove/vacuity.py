"""Whether a proof is about anything: that axioms, properties and guards can be true together, and something starts.

A proof from premises that contradict each other would prove everything; such a spec is reported, never proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checker.prove.finite import FiniteCheck, contradiction
from checker.prove.obligations import Plan
from checker.prove.transitions import Fact


@dataclass(frozen=True)
class Vacuity:
    """`reason` says why nothing is proved, empty if all is well; `idle` names actions that were never possible."""

    reason: str = ""
    idle: tuple[str, ...] = ()


def vacuity(plan: Plan, checks: Sequence[FiniteCheck]) -> Vacuity:
    """Looks for a structure that satisfies the premises, at each scope in turn."""
    largest = max(max(check.scope.sizes.values(), default=1) for check in checks)
    if not _possible(checks, (*plan.axioms, *plan.initial)):
        return Vacuity(
            f"the axioms and assumptions allow no initial state with up to {largest} elements of a sort: "
            "a proof from them would say nothing"
        )
    premises = (*plan.axioms, *plan.ranges, *plan.invariants)
    if not _possible(checks, premises):
        return Vacuity(f"no state with up to {largest} elements of a sort satisfies all properties: they contradict")
    actions: dict[str, bool] = {}
    for transition in plan.transitions:
        name = transition.path.action
        if not actions.get(name):
            actions[name] = _possible(checks, (*premises, *transition.guards))
    return Vacuity(idle=tuple(name for name, possible in actions.items() if not possible))


def _possible(checks: Sequence[FiniteCheck], facts: Iterable[Fact]) -> bool:
    facts = tuple(facts)
    return any(contradiction(check, facts) is False for check in checks)
