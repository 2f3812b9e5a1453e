"""What the interpreter remembers of a property's clauses is what it says when asked anew."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from checker.explore.faults import Fault
from checker.explore.instance import instantiate
from checker.explore.interpreter import Interpreter, State
from checker.language.finite import for_instance
from checker.language.frontend import load
from checker.language.ir import Property

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.spec"))


def jumbled(interpreter: Interpreter, chance: random.Random) -> list[State]:
    """States made of parts of a few that are on one run: most are unreachable, and break what holds."""
    run = [next(interpreter.initial())]
    while len(run) < 40 and (steps := interpreter.expand(run[-1]).steps):
        run.append(chance.choice(steps)[1])
    few = chance.choices(run, k=3)
    return [tuple(chance.choice(values) for values in zip(*few, strict=True)) for _ in range(40)]


def asked_anew(interpreter: Interpreter, p: Property, before: State | None, after: State) -> bool | None:
    try:
        return interpreter.holds(p.clauses, after, before)
    except Fault:
        return None


def remembered(interpreter: Interpreter, p: Property, states: list[State]) -> list[bool | None]:
    keeps, holds = interpreter.step_predicate(p.clauses), interpreter.predicate(p.clauses)
    found: list[bool | None] = []
    for before, after in pairwise(states):
        try:
            found.append(keeps(before, after) if p.kind == "step" else holds(after))
        except Fault:
            found.append(None)
    return found


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_what_is_remembered_is_what_holds(path: Path) -> None:
    spec = load(path).spec
    decl = spec.instances[0]
    interpreter = Interpreter(instantiate(for_instance(spec, decl), decl))
    states = jumbled(interpreter, random.Random(0))
    answers = set()
    for p in interpreter.spec.properties:
        pairs = pairwise(states)
        anew = [asked_anew(interpreter, p, before if p.kind == "step" else None, after) for before, after in pairs]
        assert remembered(interpreter, p, states) == anew, p.name
        answers |= set(anew)
    assert answers >= {True, False}
