"""The prover's meaning against the interpreter's: both must agree on every clause in arbitrary states and after steps.

States come from the solver, not from runs, so that they are as odd as counterexamples to induction are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from checker.explore.faults import Fault
from checker.explore.interpreter import Interpreter, Taken
from checker.language.frontend import load
from checker.language.ir import Expr
from checker.prove.finite import FiniteCheck, Model, scope
from checker.prove.obligations import Plan, plan, stated
from checker.prove.prove import growing
from checker.prove.structure import Decoder, Structure
from checker.prove.transitions import Fact

SPECS = Path(__file__).parent.parent.parent / "specs"
ROUNDS = str(Path(__file__).with_name("rounds.spec"))
FILES = ["paxos.spec", "two_phase_commit.spec", "lock_epochs.spec", "peterson.spec", ROUNDS]
MODELS = 4


def models(check: FiniteCheck, facts: tuple[Fact, ...], seed: int) -> Iterator[Model]:
    """Structures that satisfy the facts, each pushed towards a random choice of atoms."""
    chance = random.Random(seed)
    for fact in facts:
        check.grounder.literal(fact.formula)
    for _ in range(MODELS):
        chosen: list[int] = []
        atoms = list(check.grounder.truths.values())
        for atom in chance.sample(atoms, min(12, len(atoms))):
            wish = atom if chance.random() < 0.5 else -atom
            assumptions = [check.grounder.literal(f.formula) for f in facts]
            answer = check.solve([*assumptions, *chosen, wish])
            if answer["answer"] == "sat":
                chosen.append(wish)
                model = Model(check.scope, frozenset(answer["model"]))
        yield model


@pytest.fixture(scope="module", params=FILES)
def planned(request: pytest.FixtureRequest) -> Plan:
    return plan(growing(load(SPECS / request.param).spec))


def test_clauses_mean_the_same_in_arbitrary_states(planned: Plan) -> None:
    check = FiniteCheck(scope(planned, 2), 10.0)
    compared = set()
    try:
        for fact in planned.invariants:
            check.grounder.literal(fact.formula)
        for model in models(check, (*planned.axioms, *planned.ranges), 1):
            structure = Structure(model, check.grounder)
            decoder = Decoder(planned.spec, planned.evaluator, structure)
            instance = decoder.instance()
            interpreter, state = Interpreter(instance), decoder.state(instance, planned.state)
            for fact, clause in zip(planned.invariants, _clauses(planned), strict=True):
                try:
                    expected = interpreter.holds([clause], state)
                except Fault:
                    continue
                assert structure.truth(fact.formula, {}) == expected, fact.name
                compared.add((fact.name, expected))
    finally:
        check.close()
    assert {name for name, _ in compared} == {fact.name for fact in planned.invariants}
    assert len(compared) > len(planned.invariants), "clauses should be seen true and false"


def test_clauses_mean_the_same_after_steps(planned: Plan) -> None:
    check = FiniteCheck(scope(planned, 2), 10.0)
    compared = 0
    try:
        for transition in planned.transitions:
            goals = [o for o in planned.obligations if o.path is transition.path and o.kind == "kept"]
            conditions = tuple(Fact("defined", c.formula) for c in transition.checks)
            facts = (*planned.axioms, *planned.ranges, *transition.guards, *conditions)
            for o in goals:
                check.grounder.literal(o.goal)
            for model in models(check, facts, 2):
                structure = Structure(model, check.grounder)
                decoder = Decoder(planned.spec, planned.evaluator, structure)
                instance = decoder.instance()
                interpreter, state = Interpreter(instance), decoder.state(instance, planned.state)
                name = transition.path.action
                taken = [
                    s
                    for s in interpreter.steps(state)
                    if isinstance(s, Taken) and interpreter.spec.actions[s.action].qualified == name
                ]
                assert taken, f"{name} should be possible"
                for o in goals:
                    if o.decided == "frame":
                        continue
                    clause = _clause(planned, o.property, o.clause)
                    outcomes = {interpreter.holds([clause], s.state) for s in taken}
                    assert structure.truth(o.goal, {}) in outcomes, o.name
                    compared += 1
    finally:
        check.close()
    assert compared > 20


def _clauses(planned: Plan) -> list[Expr]:
    return [clause for p in stated(planned.spec) for clause in p.clauses]


def _clause(planned: Plan, name: str, i: int) -> Expr:
    return next(p.clauses[i] for p in planned.spec.properties if p.name == name)
