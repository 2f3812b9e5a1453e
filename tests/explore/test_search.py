"""Breadth-first search over plain Python models: counts, shortest runs, and honest ends of what is cut short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.explore.faults import Fault
from checker.explore.search import DEADLOCK, FAULT, Answer, End, Expansion, Limits, Progress, Watch, memory_used, search
from checker.source import Source, Span


@dataclass
class Graph:
    """A model given by its edges, two actions: even and odd positions in the list of a node's edges."""

    edges: dict[int, list[int]]
    roots: list[int]
    cut: frozenset[int] = frozenset()
    faulty: frozenset[int] = frozenset()
    ends: frozenset[int] = frozenset()
    expanded: list[int] = field(default_factory=list)

    def initial(self) -> Iterator[int]:
        yield from self.roots

    def expand(self, state: int) -> Expansion:
        self.expanded.append(state)
        steps = [(i % 2, target) for i, target in enumerate(self.edges.get(state, []))]
        return Expansion(steps, frozenset({"limit"} if state in self.cut else ()), state in self.faulty)

    def may_stop(self, state: int) -> bool:
        return state in self.ends


def run(graph: Graph, *watches: Watch, limits: Limits | None = None) -> Answer:
    return search(graph, 2, watches, limits or Limits(deadlock=False))


def levels(graph: Graph) -> dict[int, int]:
    """The distance of each reachable node, by another algorithm: relaxation to a fixed point."""
    distance = dict.fromkeys(graph.roots, 0)
    changed = True
    while changed:
        changed = False
        for source, targets in graph.edges.items():
            for target in targets:
                if source in distance and distance[source] + 1 < distance.get(target, 10**9):
                    distance[target] = distance[source] + 1
                    changed = True
    return distance


nodes = st.integers(0, 12)
graphs = st.builds(
    Graph, st.dictionaries(nodes, st.lists(nodes, max_size=4), max_size=13), st.lists(nodes, min_size=1, max_size=3)
)


@given(graphs)
def test_all_is_seen_once_and_counted(graph: Graph) -> None:
    answer, distance = run(graph), levels(graph)
    assert answer.end is End.COMPLETE
    assert sorted(graph.expanded) == sorted(distance)
    assert (answer.states, answer.depth, answer.frontier) == (len(distance), max(distance.values()), 0)
    assert answer.transitions == sum(answer.taken) == sum(len(graph.edges.get(n, [])) for n in distance)


@given(graphs)
def test_a_state_is_discovered_by_the_first_action_that_leads_to_it_from_the_level_before(graph: Graph) -> None:
    answer, distance = run(graph), levels(graph)
    expected = [0, 0]
    for node, far in distance.items():
        if far:
            sources = [s for s, d in distance.items() if d == far - 1]
            expected[min(i % 2 for s in sources for i, t in enumerate(graph.edges.get(s, [])) if t == node)] += 1
    assert list(answer.discovered) == expected


@given(graphs, nodes)
def test_runs_are_shortest_and_real(graph: Graph, wanted: int) -> None:
    answer, distance = run(graph, Watch(on_state=lambda s: s == wanted)), levels(graph)
    if wanted not in distance:
        assert answer.found == ()
        return
    [found] = answer.found
    assert len(found.run) == distance[wanted] + 1
    assert found.run[0] in graph.roots and found.run[-1] == wanted
    assert all(b in graph.edges[a] for a, b in zip(found.run, found.run[1:], strict=False))


@given(graphs, nodes)
def test_the_level_in_which_something_is_found_is_completed(graph: Graph, wanted: int) -> None:
    watches = [Watch(on_state=lambda s: s == wanted), Watch(on_state=lambda s: s > wanted)]
    answer = run(graph, *watches, limits=Limits(deadlock=False, stop_on=frozenset({0})))
    distance = levels(graph)
    last = distance.get(wanted, max(distance.values()))
    assert answer.states == sum(far <= last for far in distance.values())
    greater = [far for node, far in distance.items() if node > wanted and far <= last]
    assert [len(f.run) - 1 for f in answer.found if f.subject == 1] == ([min(greater)] if greater else [])
    assert answer.end is (End.FOUND if answer.frontier else End.COMPLETE)


@given(graphs, st.integers(0, 4))
def test_a_depth_bound_says_what_it_left(graph: Graph, depth: int) -> None:
    answer, distance = run(graph, limits=Limits(depth=depth, deadlock=False)), levels(graph)
    seen = {node for node, far in distance.items() if far <= depth}
    assert answer.states == len(seen)
    assert answer.end is (End.COMPLETE if max(distance.values()) < depth else End.DEPTH)
    assert answer.frontier == (0 if answer.end is End.COMPLETE else sum(distance[n] == depth for n in seen))


def test_a_step_is_found_with_its_run_although_it_leads_nowhere_new() -> None:
    graph = Graph({0: [1], 1: [2], 2: [0]}, [0])
    [found] = run(graph, Watch(on_step=lambda a, b: b < a)).found
    assert found.run == (0, 1, 2, 0)


LINE = {0: [1], 1: [2], 2: []}


def test_a_state_without_steps_is_a_deadlock() -> None:
    answer = run(Graph(LINE, [0]), limits=Limits(stop_on=frozenset({DEADLOCK})))
    assert [(f.subject, f.run) for f in answer.found] == [(DEADLOCK, (0, 1, 2))]


@pytest.mark.parametrize(
    ("graph", "limits"),
    [
        (Graph(LINE, [0], cut=frozenset({2})), Limits()),
        (Graph(LINE, [0], ends=frozenset({2})), Limits()),
        (Graph(LINE, [0]), Limits(deadlock=False)),
    ],
)
def test_no_deadlock_where_a_bound_cut_off_or_the_end_is_meant_or_nobody_asks(graph: Graph, limits: Limits) -> None:
    assert run(graph, limits=limits).found == ()


def test_bounds_count_states() -> None:
    graph = Graph({0: [1, 2], 1: [0, 1], 2: [2]}, [0], cut=frozenset({1, 2}))
    assert run(graph).bounds == (("limit", 2),)


def test_a_step_without_meaning_is_found_where_it_begins() -> None:
    answer = run(Graph(LINE, [0], faulty=frozenset({1})), limits=Limits(stop_on=frozenset({FAULT})))
    assert [(f.subject, f.run) for f in answer.found] == [(FAULT, (0, 1))]


def test_a_property_without_meaning_is_found_and_others_are_looked_at_all_the_same() -> None:
    def undefined(state: int) -> bool:
        if state == 1:
            raise Fault("Q0601", "no value", Span(Source("t", ""), 1, 1, 1, 1))
        return False

    answer = run(Graph(LINE, [0]), Watch(on_state=undefined), Watch(on_state=lambda s: s == 1))
    assert [(f.subject, f.run) for f in answer.found] == [(FAULT, (0, 1)), (1, (0, 1))]


class Endless(Graph):
    def expand(self, state: int) -> Expansion:
        return Expansion([(0, state + 1), (1, 2 * state + 1)])


def test_the_time_bound_ends_a_search_that_has_no_end() -> None:
    answer = run(Endless({}, [0]), limits=Limits(seconds=0.2))
    assert answer.end is End.TIME
    assert answer.frontier > 0 and 0.2 <= answer.seconds < 2


def test_the_memory_bound_ends_a_search_that_has_no_end() -> None:
    answer = run(Endless({}, [0]), limits=Limits(memory=memory_used() + (8 << 20), seconds=60))
    assert answer.end is End.MEMORY
    assert answer.frontier > 0


def test_an_interruption_keeps_what_was_seen() -> None:
    class Interrupted(Endless):
        def expand(self, state: int) -> Expansion:
            if state > 1000:
                raise KeyboardInterrupt
            return super().expand(state)

    answer = run(Interrupted({}, [0]), Watch(on_state=lambda s: s == 7))
    assert answer.end is End.INTERRUPTED
    assert answer.states > 300 and answer.frontier > 0
    assert [f.subject for f in answer.found] == [0]


def test_progress_is_told_now_and_then() -> None:
    told: list[Progress] = []
    search(Endless({}, [0]), 2, [], Limits(seconds=0.6), told.append)
    assert 1 <= len(told) <= 3
    assert all(0 < p.frontier <= p.states for p in told)
    assert [p.states for p in told] == sorted({p.states for p in told})
