"""Obligations at a finite scope: in milliseconds either a state that breaks one, or the few hypotheses that it needs.

An answer here is about a handful of elements of each sort: it guides the proof for every size and is never one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from checker.prove import terms as t
from checker.prove.effort import patience, steps
from checker.prove.ground import Grounder, Scope
from checker.prove.obligations import Plan
from checker.prove.terms import Term
from checker.prove.transitions import Fact
from checker.prove.workers import Child


@dataclass(frozen=True)
class Core:
    """The facts, by position, that contradict the negated goal; the goal itself may not even be among them.

    `few` are some of them that do, none of which can be left out as far as was found with little work.
    """

    facts: tuple[int, ...]
    few: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Model:
    """A finite structure in which the facts hold and the goal does not: the literals that are true."""

    scope: Scope
    literals: frozenset[int]
    seconds: float = 0.0


@dataclass(frozen=True)
class Undecided:
    reason: str
    seconds: float


Outcome = Core | Model | Undecided
"""`seconds` are those that the solver worked."""

Answer = dict[str, Any]


class FiniteCheck:
    """One scope with a solver process of its own; may be asked by several threads in turn.

    `seconds` of work are for each question; `spent` counts the solver's steps for all of them.
    """

    def __init__(self, scope: Scope, seconds: float) -> None:
        self.scope = scope
        self.steps = steps(seconds)
        self.grounder = Grounder(scope)
        self.child = Child()
        self.given = 0
        self.spent = 0
        self.lock = threading.Lock()

    def decide(self, facts: Sequence[Fact], goal: Term, smallest: bool = True, own: str = "") -> Outcome:
        """Whether the goal follows from the facts at this scope; facts whose source is `own` stay in the core."""
        with self.lock:
            literals = [self.grounder.literal(f.formula) for f in facts]
            against = -self.grounder.literal(goal)
            kept = [x for x, f in zip(literals, facts, strict=True) if own and f.source == own]
            answer = self.solve([*literals, against], smallest, kept)
        seconds = float(answer["seconds"])
        if answer["answer"] == "sat":
            return Model(self.scope, frozenset(answer["model"]), seconds)
        if answer["answer"] == "unsat":
            core, few = set(answer["core"]), set(answer["smallest"])
            return Core(
                tuple(i for i, x in enumerate(literals) if x in core),
                tuple(i for i, x in enumerate(literals) if x in few),
                seconds,
            )
        return Undecided(str(answer.get("reason", "")), seconds)

    def smallest(self, facts: Sequence[Fact], goal: Term) -> Model | None:
        """A structure that breaks the obligation with few facts true."""
        with self.lock:
            literals = [self.grounder.literal(f.formula) for f in facts]
            against = -self.grounder.literal(goal)
            wanted = list(self.grounder.truths.values())
            answer = self.ask({"op": "shrink", "assumptions": [*literals, against], "facts": wanted})
        return Model(self.scope, frozenset(answer["model"])) if answer["answer"] == "sat" else None

    def model(self, assumptions: Sequence[int]) -> Model | None:
        """A structure in which the literals are true, or None if there is none; raises TimeoutError if undecided."""
        answer = self.solve(assumptions)
        if answer["answer"] == "unknown":
            raise TimeoutError(str(answer.get("reason", "")))
        return Model(self.scope, frozenset(answer["model"])) if answer["answer"] == "sat" else None

    def solve(self, assumptions: Sequence[int], smallest: bool = False, kept: Sequence[int] = ()) -> Answer:
        """What the solver says of the assumptions, as it says it."""
        return self.ask({"op": "solve", "assumptions": list(assumptions), "smallest": smallest, "kept": list(kept)})

    def ask(self, request: Answer) -> Answer:
        limit = patience(self.steps)
        clauses = self.grounder.circuit.clauses
        if len(clauses) > self.given:
            sent = self.child.ask({"op": "clauses", "clauses": clauses[self.given :]}, limit)
            if sent["answer"] != "added":
                self.given = 0
                return {"answer": "unknown", "reason": str(sent.get("reason", "")), "seconds": sent["seconds"]}
            self.given = len(clauses)
        answer = self.child.ask({**request, "steps": self.steps}, limit)
        if answer.get("lost"):
            self.given = 0
        self.spent = int(answer.get("steps", self.spent))
        return answer

    def close(self) -> None:
        self.child.close()


def scope(plan: Plan, each: int) -> Scope:
    """`each` elements of every sort and quorum family, and of objects that stand for sets; one more of every order."""
    spec = plan.spec
    sizes = {s.name: each for s in spec.sorts}
    sizes |= {o.name: each + 1 for o in spec.orders}
    sizes |= {q.name: each for q in spec.quorums}
    sizes |= {e.name: len(e.values) for e in spec.enums}
    sizes |= dict.fromkeys(plan.evaluator.signature.reified, each)
    return Scope(sizes, range(each + 2))


def contradiction(check: FiniteCheck, facts: Iterable[Fact]) -> bool | None:
    """Whether the facts contradict each other at the check's scope; None if that was not decided."""
    outcome = check.decide(tuple(facts), t.FALSE, smallest=False)
    return None if isinstance(outcome, Undecided) else isinstance(outcome, Core)
