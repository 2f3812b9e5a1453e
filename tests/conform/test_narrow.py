"""Looking only where something can be found gives the steps that the interpreter finds, state by state."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from checker.conform.driver import Done, Driver
from checker.explore.faults import Fault
from checker.explore.instance import instantiate
from checker.explore.interpreter import Interpreter, State
from checker.language.finite import for_instance
from checker.language.frontend import load
from checker.language.ir import Expr

ROOT = Path(__file__).parent.parent.parent
SPECS = sorted([*(ROOT / "specs").glob("*.spec"), *(ROOT / "tests" / "explore" / "little").glob("*.spec")])


def states(interpreter: Interpreter, most: int) -> list[State]:
    """The first states of a breadth-first search, thinned so that they lie at many depths."""
    seen = dict.fromkeys(islice(interpreter.initial(), 20))
    edge = list(seen)
    while edge and len(seen) < most:
        following = [state for before in edge[:12] for _, state in interpreter.expand(before).steps]
        edge = [state for state in dict.fromkeys(following) if state not in seen][-12:]
        seen |= dict.fromkeys(edge)
    return list(seen)


def answer(interpreter: Interpreter, clause: Expr, state: State) -> bool | str:
    try:
        return interpreter.holds([clause], state)
    except Fault as fault:
        return fault.message


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_the_same_steps(path: Path) -> None:
    spec = load(path).spec
    decl = spec.instances[0]
    instance = instantiate(for_instance(spec, decl), decl)
    reference, driver = Interpreter(instance), Driver(instance)
    for state in states(reference, 60):
        expected = reference.expand(state)
        assert driver.expand(state) == expected
        taken = [
            (number, result.taken.state)
            for number in range(len(instance.spec.actions))
            for result in driver.attempt(state, number, {})
            if isinstance(result, Done)
        ]
        assert sorted(taken, key=repr) == sorted(expected.steps, key=repr)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_the_same_truth(path: Path) -> None:
    spec = load(path).spec
    decl = spec.instances[0]
    instance = instantiate(for_instance(spec, decl), decl)
    reference, driver = Interpreter(instance), Driver(instance)
    properties = [p for p in instance.spec.properties if p.kind in ("invariant", "lemma", "reachable", "terminal")]
    for state in states(reference, 20)[::3]:
        for property_ in properties:
            for clause in property_.clauses:
                assert answer(driver, clause, state) == answer(reference, clause, state), clause.span.text
