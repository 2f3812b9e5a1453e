"""A state graph to be drawn: states that agree on chosen variables are one node, steps of one action one arc; and DOT.

Where nodes are put is decided by `layout`, and the page is laid out by `graph.html`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from checker.report.changes import brief
from checker.report.diagram import COLORS
from checker.report.html import render
from checker.report.layout import Point, layout
from checker.report.look import printable
from checker.report.story import View, event
from checker.verdict import StateGraph

_FEW = 60
"""Up to this many nodes, DOT shows each node's values and each arc's words; beyond, they are tooltips."""

_PALETTE = ("#1f6fc4", "#b3541e", "#2e7d4f", "#8a3fa8", "#a8326b", "#00757d", "#6d6a1c", "#565b9c")


@dataclass(frozen=True)
class Node:
    """One node: what its states have in common (name and value of each variable chosen), and how many they are.

    `depth` is that of the first of them; `inner` counts the steps between them, which are not drawn; `unexplored`: of
    some of them it is not known where they lead.
    """

    number: int
    values: tuple[str, ...]
    states: int
    depth: int
    initial: bool
    violated: tuple[str, ...]
    unexplored: bool
    inner: int


@dataclass(frozen=True)
class Arc:
    """The steps of one action (by its number) from a node to another, in words; `violates` as for an edge."""

    source: int
    target: int
    action: int
    events: tuple[str, ...]
    violates: tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """Nodes in order of their first state, arcs in order of theirs, and the names of actions and variables."""

    title: str
    names: tuple[str, ...]
    merged: bool
    states: int
    steps: int
    nodes: tuple[Node, ...]
    arcs: tuple[Arc, ...]
    actions: tuple[str, ...]


def draw(graph: StateGraph, by: Sequence[str] | None = None) -> Drawing:
    """The drawing of a graph; `by` names variables (short or full): states that are equal on them are one node.

    Raises KeyError with the name for one that no variable has.
    """
    chosen = _chosen(graph, by)
    node_of, members = _classes(graph, chosen, merge=by is not None)
    actions = {name: i for i, name in enumerate(dict.fromkeys(edge.step.action for edge in graph.edges))}
    events: dict[tuple[int, int, int], dict[str, None]] = {}
    violates: dict[tuple[int, int, int], set[str]] = {}
    inner = [0] * len(members)
    for edge in graph.edges:
        key = (node_of[edge.source], node_of[edge.target], actions[edge.step.action])
        if key[0] == key[1] and by is not None:
            inner[key[0]] += 1
            continue
        events.setdefault(key, {})[event(edge.step)] = None
        violates.setdefault(key, set()).update(edge.violates)
    nodes = tuple(
        Node(
            number,
            tuple(printable(brief(graph.states[states[0]][i])) for i in chosen),
            len(states),
            graph.depths[states[0]],
            states[0] < graph.initial,
            tuple(sorted({printable(name) for s in states for name in graph.violated[s]})),
            any(s in graph.unexplored for s in states),
            inner[number],
        )
        for number, states in enumerate(members)
    )
    return Drawing(
        printable(f"{graph.spec}, instance {graph.instance}"),
        tuple(printable(graph.variables[i].full_name) for i in chosen),
        by is not None,
        len(graph.states),
        len(graph.edges),
        nodes,
        tuple(Arc(*key, tuple(words), tuple(sorted(violates[key]))) for key, words in events.items()),
        tuple(map(printable, actions)),
    )


def _chosen(graph: StateGraph, by: Sequence[str] | None) -> list[int]:
    if by is None:
        return [i for i, v in enumerate(graph.variables) if View(full=True).shows(v)]
    known = {name: i for i, v in enumerate(graph.variables) for name in (v.short_name, v.full_name)}
    return sorted({known[name] for name in by})


def _classes(graph: StateGraph, chosen: list[int], *, merge: bool) -> tuple[list[int], list[list[int]]]:
    """For each state the number of its node, and for each node its states in order."""
    if not merge:
        return list(range(len(graph.states))), [[s] for s in range(len(graph.states))]
    numbers: dict[tuple[object, ...], int] = {}
    members: list[list[int]] = []
    node_of = []
    for s, state in enumerate(graph.states):
        number = numbers.setdefault(tuple(state[i] for i in chosen), len(members))
        if number == len(members):
            members.append([])
        members[number].append(s)
        node_of.append(number)
    return node_of, members


def heading(drawing: Drawing) -> str:
    """How much there is to see, in one line."""
    nodes, states = len(drawing.nodes), drawing.states
    told = f"{_count(states, 'state')}, {_count(drawing.steps, 'step')}"
    if drawing.merged:
        told += f"; {_count(nodes, 'node')} by {', '.join(drawing.names)}"
    if any(node.unexplored for node in drawing.nodes):
        told += "; not all steps are drawn, for the depth was limited"
    return told


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# --- DOT --------------------------------------------------------------------------------------------


def dot(drawing: Drawing) -> str:
    """The drawing in Graphviz' language. Initial states have a double border, violating ones are red."""
    lines = [
        f"// {drawing.title}: {heading(drawing)}",
        *(f"// {_PALETTE[i % COLORS]}: {name}" for i, name in enumerate(drawing.actions)),
        f"digraph {_quoted(drawing.title)} {{",
        '  node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname=Helvetica, fontsize=11];',
        "  edge [fontname=Helvetica, fontsize=9];",
    ]
    few = len(drawing.nodes) <= _FEW or drawing.merged
    lines += [f"  s{node.number} [{_dot_node(drawing, node, few)}];" for node in drawing.nodes]
    lines += [f"  s{arc.source} -> s{arc.target} [{_dot_arc(drawing, arc, few)}];" for arc in drawing.arcs]
    return "\n".join([*lines, "}", ""])


def _dot_node(drawing: Drawing, node: Node, few: bool) -> str:
    told = [f"{name} = {value}" for name, value in zip(drawing.names, node.values, strict=True)]
    told += [f"violates {name}" for name in node.violated]
    told += [f"{node.states} states"] if node.states > 1 else []
    label = told if few else [str(node.number)]
    parts = [f"label={_quoted(*label)}", f"tooltip={_quoted(*told)}"]
    parts += ["peripheries=2"] if node.initial else []
    parts += ['color="#b3261e", penwidth=2, fillcolor="#fdecea"'] if node.violated else []
    parts += ['style="rounded,filled,dashed"'] if node.unexplored else []
    return ", ".join(parts)


def _dot_arc(drawing: Drawing, arc: Arc, few: bool) -> str:
    color = _PALETTE[arc.action % COLORS]
    label = arc.events if few else (drawing.actions[arc.action],)
    parts = [f'color="{color}"', f'fontcolor="{color}"', f"label={_quoted(*label)}"]
    parts += [f"edgetooltip={_quoted(*arc.events)}"] if not few else []
    parts += [f"penwidth=2.5, headlabel={_quoted(*(f'violates {name}' for name in arc.violates))}"] * bool(arc.violates)
    return ", ".join(parts)


def _quoted(*lines: str) -> str:
    """A string of DOT, its lines set flush left."""
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + (escaped[0] if len(escaped) == 1 else "".join(f"{line}\\l" for line in escaped)) + '"'


# --- the page ---------------------------------------------------------------------------------------


def graph_page(drawing: Drawing) -> str:
    """The drawing as an HTML page that stands alone; the same for the same drawing."""
    forward = [(arc.source, arc.target) for arc in drawing.arcs]
    places = layout([node.depth for node in drawing.nodes], forward)
    data = {
        "names": drawing.names,
        "nodes": [[node.values, node.depth, node.states, node.inner, node.violated] for node in drawing.nodes],
        "arcs": [[arc.source, arc.target, arc.action, arc.events, arc.violates] for arc in drawing.arcs],
        "actions": drawing.actions,
        "colors": COLORS,
    }
    return render(
        "graph.html",
        "graph.js",
        title=drawing.title,
        heading=heading(drawing),
        drawing=drawing,
        places=places,
        paths=[_path(places[arc.source], places[arc.target], arc.source == arc.target) for arc in drawing.arcs],
        width=max((p.x for p in places), default=0.0) + 60,
        height=max((p.y for p in places), default=0.0) + 60,
        data=json.loads(json.dumps(data)),
        colors=COLORS,
    )


def _path(a: Point, b: Point, loop: bool) -> str:
    """An arc as a path: downwards straight, to its own node as a loop, else bent, so that there and back are two."""
    if loop:
        return f"M{a.x + 8},{a.y - 5} c26,-22 26,32 0,10"
    if b.y > a.y:
        return f"M{a.x},{a.y} L{b.x},{b.y}"
    side = 46 if b.x <= a.x else -46
    return f"M{a.x},{a.y} Q{round((a.x + b.x) / 2 + side, 1)},{round((a.y + b.y) / 2, 1)} {b.x},{b.y}"
