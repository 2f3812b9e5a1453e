"""Induction over instances and bounded model checking: they agree with the explorer, and say how far they reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutants import MUTANTS, load_mutant
from proving import SPECS, spec

from checker.explore.check import check
from checker.explore.problem import INTERPRETER, Options
from checker.language.frontend import load, load_source
from checker.prove.bounded import ENGINE
from checker.prove.instance import prove_instance
from checker.prove.prove import growing
from checker.verdict import Assurance, Status, Verdict

BOUNDED = [p for p in MUTANTS if p.stem.startswith(("two_phase_commit", "lock_epochs"))]
PROVED = ["paxos.spec", "two_phase_commit.spec", "lock_epochs.spec", "peterson.spec"]


def lengths(verdict: Verdict) -> dict[str, int]:
    """The properties violated or reached, and after how many steps."""
    found = (Status.VIOLATED, Status.REACHED)
    return {p.name: len(p.trace.steps) for p in verdict.properties if p.status in found and p.trace is not None}


@pytest.mark.parametrize("path", BOUNDED, ids=lambda path: path.stem)
def test_bounded_runs_and_exploration_find_the_same_shortest_violation(path: Path) -> None:
    mutant = load_source(load_mutant(path).source).spec
    explored = check(mutant, mutant.instances[0], Options(engine=INTERPRETER, deadlock=False))
    violated = {p.name: len(p.trace.steps) for p in explored.violations if p.trace is not None}
    depth = max(violated.values())
    bounded = check(mutant, mutant.instances[0], Options(engine=ENGINE, depth=depth, deadlock=False))
    assert {p.name: len(p.trace.steps) for p in bounded.violations if p.trace is not None} == violated
    assert bounded.assurance is Assurance.VIOLATED
    if depth > 1:
        short = check(mutant, mutant.instances[0], Options(engine=ENGINE, depth=depth - 1, deadlock=False))
        assert short.assurance is Assurance.BOUNDED and short.depth_bound == depth - 1


def test_bounded_runs_find_the_shortest_witnesses() -> None:
    two_phase = load(SPECS / "two_phase_commit.spec").spec
    explored = check(two_phase, two_phase.instances[0], Options(engine=INTERPRETER, deadlock=False))
    bounded = check(two_phase, two_phase.instances[0], Options(engine=ENGINE, depth=10, deadlock=False))
    assert lengths(bounded) == lengths(explored)


def test_bounded_runs_find_undefined_operations() -> None:
    partial = spec("""
spec Partial
sort Node
state last: Node? = none
state seen: Set[Node] = {}
action use
    seen := seen union {the last}
action remember(n in Node)
    last := n
invariant Fine
    last == none => last == none
instance one
    Node = 1
""")
    found = check(partial, partial.instances[0], Options(engine=ENGINE, depth=2, deadlock=False))
    assert [p.kind for p in found.properties if p.status is Status.VIOLATED] == ["undefined"]


@pytest.mark.parametrize("name", PROVED)
def test_what_is_proved_for_every_size_is_inductive_for_an_instance(name: str) -> None:
    declared = load(SPECS / name).spec
    found = prove_instance(growing(declared), declared.instances[0], 1, 30.0)
    assert found.assurance is Assurance.INDUCTIVE, found.reason


COUNTER = """
spec Counter
state x: 0..7 = 0
action jump
    require x == 0
    x := 2
action back
    require x == 2
    x := 0
action stray
    require x == 5
    x := 6
invariant Small
    x != 6
reachable Away
    x == 2
instance only
    allow deadlock
"""


def test_looking_back_further_proves_more() -> None:
    counter = spec(COUNTER)
    first = prove_instance(counter, counter.instances[0], 1, 10.0)
    assert first.assurance is Assurance.INCONCLUSIVE and "Small" in first.reason
    failure = next(o.failure for o in first.obligations if o.failure is not None)
    assert len(failure.trace.steps) == 1 and failure.reachable is None
    second = prove_instance(counter, counter.instances[0], 2, 10.0)
    assert second.assurance is Assurance.INDUCTIVE


def test_a_violation_near_the_start_is_one() -> None:
    counter = spec(COUNTER.replace("x != 6", "x != 2"))
    found = prove_instance(counter, counter.instances[0], 2, 10.0)
    assert found.assurance is Assurance.VIOLATED
    assert found.properties[0].trace is not None and len(found.properties[0].trace.steps) == 1


@pytest.mark.parametrize("path", BOUNDED, ids=lambda path: path.stem)
def test_a_mutant_is_not_inductive(path: Path) -> None:
    mutant = load_source(load_mutant(path).source).spec
    everything = mutant.instances[0]
    everything = type(everything)(**{**everything.__dict__, "only": None})
    found = prove_instance(growing(mutant), everything, 1, 20.0)
    assert found.assurance in (Assurance.INCONCLUSIVE, Assurance.VIOLATED)
