"""Random walks: repeatable from their seed, honest about their scope, and real where they find something."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from exploring import first, result, spec_of

from checker.explore.problem import Options
from checker.explore.search import memory_used
from checker.explore.simulate import Walks, simulate
from checker.verdict import Assurance, Status, Verdict

DICE = """
state sum: 0..60 = 0
action roll(eyes in 1..6)
    require sum < 50
    sum := sum + eyes
action wait
    skip
invariant Below
    sum < {limit}
reachable High
    sum >= 50
terminal
    sum >= 50
instance i
    {line}
"""


def walk(limit: int = 60, line: str = "check Below, High, Deadlock", seed: int = 1, **options: Any) -> Verdict:
    spec = spec_of(DICE.replace("{limit}", str(limit)).replace("{line}", line))
    number, length = options.pop("number", 20), options.pop("length", 60)
    return simulate(spec, first(spec), Walks(number, length, seed), Options(**options))


def test_a_sample_without_violations_decides_nothing_but_what_it_reached() -> None:
    verdict = walk()
    assert (verdict.assurance, verdict.seed, verdict.engine) == (Assurance.SAMPLED, 1, "simulation")
    assert result(verdict, "Below").status is Status.UNKNOWN
    assert "20" in result(verdict, "Below").message
    assert result(verdict, "High").status is Status.REACHED
    assert result(verdict, "Deadlock").status is Status.UNKNOWN
    assert verdict.census.vacuous == ()


def test_a_violation_is_a_real_run() -> None:
    verdict = walk(limit=52)
    broken = result(verdict, "Below")
    assert (verdict.assurance, broken.status) == (Assurance.VIOLATED, Status.VIOLATED)
    assert broken.trace is not None
    sums = [state[0] for state in broken.trace.states]
    assert sums[-1] in range(52, 61) and all(0 < b - a < 7 for a, b in pairwise(sums))
    assert broken.clauses


@pytest.mark.parametrize("limit", [60, 52])
def test_the_same_seed_takes_the_same_walks(limit: int) -> None:
    def told(seed: int) -> Any:
        verdict = walk(limit=limit, seed=seed)
        return verdict.census, [p.trace for p in verdict.properties]

    assert told(7) == told(7)
    assert told(7) != told(8)


def test_a_walk_ends_at_its_length_or_where_nothing_changes_the_state() -> None:
    verdict = walk(number=5, length=3)
    assert (verdict.census.transitions, verdict.census.depth) == (15, 3)
    long = walk(number=5, length=1000)
    assert long.census.depth < 50
    assert {a.name: a.taken for a in long.census.actions}["wait"] == 0


def test_expectations_are_told_only_as_far_as_a_sample_can_tell() -> None:
    assert walk(line="expect states 70").expectations == ()
    assert [e.met for e in walk(limit=50, line="expect violated Below after 9 steps").expectations] == [True]
    assert walk(line="expect violated Below").expectations == ()
    assert [e.met for e in walk(line="expect unreachable High").expectations] == [False]


def test_a_deadlock_and_an_undefined_operation_are_found() -> None:
    stuck = spec_of("state x: 0..2 = 0\naction up\n    require x < 2\n    x := x + 1\n")
    verdict = simulate(stuck, first(stuck), Walks(1, 10, 0))
    assert result(verdict, "Deadlock").status is Status.VIOLATED
    broken = spec_of("state x: 0..2 = 0\naction up\n    x := x + 1\n")
    verdict = simulate(broken, first(broken), Walks(1, 10, 0))
    assert result(verdict, "Range").code == "Q0609"


def test_walks_cut_short_are_inconclusive() -> None:
    out_of_time = walk(number=10**6, timeout=0.2)
    assert (out_of_time.assurance, out_of_time.seed) == (Assurance.INCONCLUSIVE, 1)
    assert "out of time" in out_of_time.reason
    assert "memory" in walk(number=10**6, memory=memory_used() // 2).reason


def test_walks_go_on_after_a_violation_when_asked_to() -> None:
    stopped, going_on = walk(limit=52), walk(limit=52, stop_at_first=False)
    assert going_on.census.transitions > stopped.census.transitions
    assert result(going_on, "Below").status is Status.VIOLATED
