"""The state graph has the states that a search counts and all steps between them, and says what is violated where."""

from __future__ import annotations

from pathlib import Path

import pytest

from checker.explore.check import check
from checker.explore.graph import TooManyStates, state_graph
from checker.explore.instance import find_instance
from checker.explore.problem import Options
from checker.language.frontend import load, load_source
from checker.language.ir import InstanceDecl, Spec
from checker.source import Source
from checker.verdict import StateGraph

SPECS = Path(__file__).parent.parent.parent / "specs"

TOY = """\
spec Toy

state x: 0..3 = 0
state stuck: Bool = false

action up
    require not stuck and x < 3
    x := x + 1

action back
    require not stuck and x == 2
    x := 0

action stop(b in Bool)
    require x == 3 and not stuck
    stuck := b

invariant Low
    x < 3

step Up
    old(x) <= x

instance all
"""


def toy() -> tuple[Spec, InstanceDecl]:
    spec = load_source(Source("toy.spec", TOY)).spec
    return spec, find_instance(spec, "all")


def graph(path: str, name: str, most: int = 4000, depth: int | None = None) -> StateGraph:
    spec = load(str(SPECS / path)).spec
    return state_graph(spec, find_instance(spec, name), most, Options(depth=depth))


@pytest.mark.parametrize(
    ("path", "name", "states", "edges"),
    [("peterson.spec", "two", 42, 70), ("peterson.spec", "three_without_seats", 1428, 3432)],
)
def test_it_has_the_states_of_the_search(path: str, name: str, states: int, edges: int) -> None:
    found = graph(path, name)
    spec = load(str(SPECS / path)).spec
    census = check(spec, find_instance(spec, name)).census
    assert len(found.states) == len(found.depths) == len(found.violated) == census.states == states
    assert len(set(found.edges)) == len(found.edges) == edges <= census.transitions
    assert max(found.depths) == census.depth
    assert not any(found.violated) and not found.unexplored


def test_each_edge_is_a_step_of_its_action() -> None:
    found = graph("peterson.spec", "two")
    phase = [v.name for v in found.variables].index("phase")
    for edge in found.edges:
        assert found.depths[edge.target] <= found.depths[edge.source] + 1
        assert (found.states[edge.source][phase] == found.states[edge.target][phase]) is (edge.step.action == "look")


def test_what_is_violated_is_marked_where_it_is() -> None:
    found = state_graph(*toy(), most=100)
    assert [v.name for v in found.variables] == ["x", "stuck"]
    assert found.states == ((0, False), (1, False), (2, False), (3, False), (3, True))
    assert found.violated == ((), (), (), ("Low",), ("Deadlock", "Low"))
    assert [(e.source, e.target, e.step.action, e.violates) for e in found.edges] == [
        (0, 1, "up", ()),
        (1, 2, "up", ()),
        (2, 3, "up", ()),
        (2, 0, "back", ("Up",)),
        (3, 3, "stop", ()),
        (3, 4, "stop", ()),
    ]


def test_a_limited_depth_leaves_states_unexplored() -> None:
    spec, decl = toy()
    found = state_graph(spec, decl, 100, Options(depth=2))
    assert len(found.states) == 3
    assert found.unexplored == {2}
    assert found.violated == ((), (), ())


def test_too_many_states_are_refused_at_once() -> None:
    assert len(state_graph(*toy(), most=5).states) == 5
    with pytest.raises(TooManyStates) as refused:
        state_graph(*toy(), most=4)
    assert refused.value.seen == 4
    with pytest.raises(TooManyStates):
        graph("raft.spec", next(iter(load(str(SPECS / "raft.spec")).spec.instances)).name, most=50)
