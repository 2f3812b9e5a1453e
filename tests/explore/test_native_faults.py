"""Every operation that is not defined everywhere, in every place where it may stand: the engines meet the same faults.

The number of states tells whether a fault ends the right step, the length of the run whether it is met when it should.
"""

from __future__ import annotations

from textwrap import indent

import pytest
from agreeing import both, verdicts
from exploring import first, spec_of

from checker.explore.native.build import find_compiler

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")

HEAD = """
order Level from zero
order Rank
sort Node
record P(x: 0..3, y: Level?)
message M(p: P) from Node
network lossy, duplicating, reordering

state opt: Node? = none
state s: Seq[0..2, 0..3] = []
state log: Seq[Level, P] = []
state lvl: Level = zero
state n: 0..3 = 0
state m: Map[0..2, Bool] = [k in 0..2 -> false]
state deep: Map[Node, P?] = [k in Node -> none]
state nodes: Set[Node] = {}
state nums: Set[0..3] = {}

define half(k in 0..3) = (deep[the opt]).x + k
define up(l in Level) = l.next

action count
    require n < 3
    n := n + 1
    nums := nums union {n}

action fill(a in Node)
    require n == 1
    opt := a
    nodes := nodes union {a}
"""

INSTANCE = """
instance i
    Level = 2
    Rank = 2
    Node = 2
"""

CONDITIONS = (
    "the opt in nodes",
    "not (opt == none) or the opt in nodes",
    "s[n] == 1",
    "s[n + 1] == 1",
    "s[1] == n or n == 0",
    "log[lvl].x == 1",
    "log[lvl.next].x == 1",
    "lvl.next > zero",
    "lvl.prev == zero",
    "m[n]",
    "m[n - 1]",
    "half(1) > 0",
    "up(up(lvl)) > zero",
    "(max z in nodes by n) in nodes",
    "(min i in nums by i) == 1",
    "(max i in nums where i > 2 by 0) == 3",
    "(max z in Node where deep[z] == none by n) in nodes",
    "s[..n] == s",
    "log[..lvl] == log",
    "(deep[the opt]).x > 1",
    "forall z in nodes: (deep[z]).x > 1",
    "exists z in Node: (deep[z]).x > 1",
    "exists z in Node: z in nodes and (deep[z]).x > 1",
    "forall k in 0..3: n != k or m[k]",
    "{k in 0..3 | m[k]} == {}",
    "{m[k] for k in 0..2} == {false}",
    "size({z in nodes | (deep[z]).x > 0}) > 0",
    "sent M(P(n + 1, lvl.next)) from (the opt)",
    "n < 2 or [n, n, n] != s",
    "append(append(s, 1), n) != []",
    "append(append(append(log, P(0, none)), P(1, none)), P(1, none)) == []",
    "n + 1 < 3 and s[n] == 0",
    "P(n + 2, none) == P(3, none)",
    "P(n + 2, none).x == 4",
    "n + 3 in nums",
)

EFFECTS = (
    "n := n + 1",
    "n := 2 * n - 1",
    "s := append(s, n)",
    "s := append(s, n + 1)",
    "s := [n, n, n]",
    "s[n] := 1",
    "s[1] := n + 3",
    "log := append(log, P(n + 1, lvl.next))",
    "log[lvl.next].x := 1",
    "lvl := lvl.next.next",
    "lvl := lvl.prev",
    "m[n] := true",
    "m[n + 1] := m[n]",
    "deep[the opt] := P(n, none)",
    "deep[the opt].x := n",
    "deep[the opt].y := lvl.next",
    "nums := nums union {n + 1}",
    "nums := {k + 1 for k in nums}",
    "nums := nums minus {n + 5}",
    "nums := {k in nums | m[k]}",
    "n := n + 1 / n := n - 1",
    "n := n + 2 / n := n - 2 / lvl := lvl.next",
    "n := n + 2 / n := n - 2",
    "deep := [k in Node -> P(n + 1, none)]",
    "deep := [k in Node -> if k in nodes then P(n, none) else deep[k]]",
    "opt := the opt",
    "opt := max k in nodes by n",
    "n := size(nums) + n",
    "n := if n > 2 then n + 1 else 0",
    "s := s[..n]",
    "send M(P(n, lvl.next)) from (the opt)",
    "send M(P(n + 1, none)) from (the opt)",
    "send M(P(n + 1, none)) from (the opt) / lvl := lvl.next",
)
"""Statements, one after the other."""

GUARD = """
action go(r in Rank)
    require {}
    opt := none
"""

LATER_GUARD = """
action go(r in Rank, a in nodes)
    require n != 1
    require {}
    require a != opt
    require r == r
    opt := a
"""

LET = """
action go(a in nodes)
    let v = {}
    require opt == none
    if v
        opt := a
    elif n == 2
        nodes := nodes minus {{a}}
    else
        nodes := {{}}
"""

BRANCH = """
action go(a in nodes)
    opt := none
    if {}
        n := 0
    else
        lvl := lvl.next
"""

PICK = """
action go
    pick a in nodes where {}
    pick b in Node where b != a
    opt := b
"""

INVARIANT = """
invariant I
    n < 2 or {}
"""

REACHABLE = """
reachable I
    {}
"""

STEP = """
step I
    old(n) == 2 => {0}
    old({0}) or n >= 0
"""

PLACES = (GUARD, LATER_GUARD, LET, BRANCH, PICK, INVARIANT, REACHABLE, STEP)

EFFECT = """
action go(r in Rank, a in nodes)
{}
"""

EFFECT_THEN_BRANCH = """
action go(a in Node)
    require a in nodes
{}
    if n == 2
        nodes := {{}}
    elif opt == a
        lvl := lvl.next
"""

PROCEDURE = """
procedure p(y in Node)
{}

action go(a in Node)
    p(a)
    p(a)
"""

BODIES = (EFFECT, EFFECT_THEN_BRANCH, PROCEDURE)


def agree(text: str) -> None:
    spec = spec_of(HEAD + text)
    reference, native = both(spec, first(spec), threads=1)
    assert native == reference
    reduced, plain = verdicts(spec, first(spec), threads=1)
    assert reduced == plain


def condition_cases() -> list[object]:
    """Each condition in two places; in the others too where slow tests are run."""
    cases = []
    for i, condition in enumerate(CONDITIONS):
        for j, place in enumerate(PLACES):
            marks = () if (i + j) % 4 == 0 else (pytest.mark.slow,)
            cases.append(pytest.param(place, condition, marks=marks, id=f"{place.split()[0]}{j}-{condition}"))
    return cases


@pytest.mark.parametrize(("place", "condition"), condition_cases())
def test_conditions(place: str, condition: str) -> None:
    agree(place.format(condition) + INSTANCE + "    allow deadlock\n")


@pytest.mark.parametrize("condition", CONDITIONS[::3])
def test_conditions_of_final_states(condition: str) -> None:
    agree(f"\nterminal\n    {condition}\n" + INSTANCE)


def effect_cases() -> list[object]:
    cases = []
    for i, effect in enumerate(EFFECTS):
        for j, body in enumerate(BODIES):
            marks = () if (i + j) % 3 == 0 else (pytest.mark.slow,)
            cases.append(pytest.param(body, effect, marks=marks, id=f"{body.split()[0]}{j}-{effect}"))
    return cases


@pytest.mark.parametrize(("body", "effect"), effect_cases())
def test_effects(body: str, effect: str) -> None:
    statements = indent(effect.replace(" / ", "\n"), "    ")
    agree(body.format(statements) + INSTANCE + "    allow deadlock\n")
