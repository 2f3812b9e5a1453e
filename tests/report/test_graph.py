"""State graphs as drawings: merging by variables, DOT, places of nodes, and the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from page_reading import Reading

from checker.report.graph import dot, draw, graph_page, heading
from checker.report.layout import layout
from checker.verdict import Edge, MapValue, StateGraph, Step, Variable

EVIL = '"]; evil -> <script>alert(1)</script>\\\n'


def edge(source: int, target: int, action: str, *violates: str) -> Edge:
    return Edge(source, target, Step(action, "action", (("n", "n0"),)), violates)


def light() -> StateGraph:
    """A traffic light that can break while it is green, with a counter of its changes up to 2."""
    states = (("red", 0), ("green", 1), ("red", 2), ("dark", 1))
    edges = (edge(0, 1, "change"), edge(1, 2, "change"), edge(2, 2, "wait"), edge(1, 3, "break", "NeverDark"))
    violated: tuple[tuple[str, ...], ...] = ((), (), (), ("Deadlock",))
    return StateGraph(
        "Light", "all", (Variable("shows"), Variable("changes")), states, (0, 1, 2, 2), 1, edges, violated
    )


def test_each_state_is_a_node() -> None:
    drawing = draw(light())
    assert [(n.values, n.states, n.initial) for n in drawing.nodes[:2]] == [
        (("red", "0"), 1, True),
        (("green", "1"), 1, False),
    ]
    assert len(drawing.arcs) == 4
    assert drawing.nodes[3].violated == ("Deadlock",)
    assert heading(drawing) == "4 states, 4 steps"


def test_states_that_are_equal_on_a_variable_are_one_node() -> None:
    drawing = draw(light(), ["shows"])
    assert [(n.values, n.states, n.inner, n.initial) for n in drawing.nodes] == [
        (("red",), 2, 1, True),
        (("green",), 1, 0, False),
        (("dark",), 1, 0, False),
    ]
    assert [(a.source, a.target, drawing.actions[a.action], a.violates) for a in drawing.arcs] == [
        (0, 1, "change", ()),
        (1, 0, "change", ()),
        (1, 2, "break", ("NeverDark",)),
    ]
    assert heading(drawing) == "4 states, 4 steps; 3 nodes by shows"


def test_a_variable_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        draw(light(), ["colour"])


def test_steps_of_one_action_are_one_arc() -> None:
    twice = replace(light(), edges=(edge(0, 1, "change"), replace(edge(0, 1, "change"), step=Step("change", "action"))))
    (arc,) = draw(twice).arcs
    assert arc.events == ("change(n: n0)", "change")


def test_dot(golden: Callable[[str, str], None]) -> None:
    golden("graph_light", dot(draw(light())) + dot(draw(light(), ["shows"])))


def test_dot_of_a_big_graph_has_numbers_for_labels() -> None:
    states = tuple((n,) for n in range(100))
    big = StateGraph("Big", "all", (Variable("x"),), states, tuple(range(100)), 1, (), ((),) * 100, frozenset({99}))
    text = dot(draw(big))
    assert 's7 [label="7", tooltip="x = 7"];' in text
    assert 's99 [label="99", tooltip="x = 99", style="rounded,filled,dashed"];' in text


def _strings_closed(text: str) -> bool:
    """Whether nothing but DOT's own words is left when its strings and comments are taken away."""
    bare = re.sub(r"^//.*$", "", text, flags=re.MULTILINE)
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "S", bare)
    return '"' not in bare and "evil" not in bare and "\\" not in bare


def evil() -> StateGraph:
    graph = light()
    edges = tuple(replace(e, step=replace(e.step, action=e.step.action + EVIL), violates=(EVIL,)) for e in graph.edges)
    names = (Variable(EVIL), Variable(EVIL + "2"))
    states = tuple((f"{EVIL}{shows}", MapValue(((EVIL, n),))) for shows, n in graph.states)
    return replace(
        graph, spec=EVIL, instance=EVIL, variables=names, states=states, edges=edges, violated=((EVIL,),) * 4
    )


def test_names_do_not_break_out_of_dot() -> None:
    assert _strings_closed(dot(draw(light())))
    assert _strings_closed(dot(draw(evil())))


def test_names_do_not_break_out_of_the_page() -> None:
    read, honest = Reading(graph_page(draw(evil()))), Reading(graph_page(draw(light())))
    assert {tag for tag, _ in read.tags} == {tag for tag, _ in honest.tags}
    assert len(read.scripts) == len(honest.scripts) == 2


def test_the_page_stands_alone_and_holds_the_graph() -> None:
    text = graph_page(draw(light()))
    read = Reading(text)
    assert text == graph_page(draw(light()))
    assert read.values("src") == [] and read.values("href") == []
    assert len(read.values("data-node")) == 4 and len(read.values("data-arc")) == 4
    data = json.loads(next(code for attrs, code in read.scripts if attrs))
    assert data["nodes"][3] == [["dark", "1"], 2, 1, 0, ["Deadlock"]]
    assert data["arcs"][3] == [1, 3, 2, ["break(n: n0)"], ["NeverDark"]]
    names = read.values("id")
    assert len(names) == len(set(names))


def test_layers_go_downwards_and_nodes_do_not_lie_on_each_other() -> None:
    depths = [0, *([1] * 40), *([2] * 3)]
    places = layout(depths, [(0, n) for n in range(1, 41)] + [(n, 41 + n % 3) for n in range(1, 41)])
    assert len(set(places)) == len(places)
    lowest = [max(p.y for p, d in zip(places, depths, strict=True) if d == depth) for depth in range(3)]
    highest = [min(p.y for p, d in zip(places, depths, strict=True) if d == depth) for depth in range(3)]
    assert lowest[0] < highest[1] and lowest[1] < highest[2]


def test_children_stand_below_their_parents() -> None:
    """Two trees side by side, whose leaves are numbered crosswise, do not cross."""
    places = layout([0, 0, 1, 1], [(0, 3), (1, 2)])
    assert (places[0].x < places[1].x) is (places[3].x < places[2].x)


def test_no_states_no_places() -> None:
    assert layout([], []) == []
