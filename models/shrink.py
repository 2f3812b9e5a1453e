"""From a run that goes wrong to a short one that goes wrong in the same way.

Delta debugging (Zeller and Hildebrandt, TSE 2002) of the plan: leave out faults, then what else makes it complicated,
as long as the run still goes wrong, until nothing more can be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from models.plan import Plan
from models.protocols import Protocol
from models.simulator import Run, simulate

Judge = Callable[[Run], str | None]


def kind_of_failure(run: Run) -> str | None:
    """What the simulator itself found wrong, without its details."""
    return run.failure.partition(":")[0] if run.failure else None


def shrunk(run: Run, protocol: Protocol, judge: Judge = kind_of_failure, tries: int = 400) -> Run:
    """The simplest run found, with its trace, that `judge` gives the same name as `run`. At most `tries` runs are made.

    `judge` may be a check of the trace or of the history; it is given runs with both.
    """
    wanted = judge(run)
    best = run
    again = True
    while again:
        again = False
        for plan in simpler(best.plan):
            if tries == 0:
                break
            tries -= 1
            tried = simulate(plan, protocol, record=True)
            if judge(tried) == wanted and _weight(tried) < _weight(best):
                best, again = tried, True
                break
    return best if best.trace else simulate(best.plan, protocol, record=True)


def _weight(run: Run) -> tuple[int, ...]:
    """Simpler first: fewer faults, fewer kinds of trouble, fewer nodes, clients and operations, fewer events."""
    plan = run.plan
    trouble = sum(bool(x) for x in (plan.loss, plan.duplication, plan.tail, plan.skew))
    return (len(plan.faults), trouble, plan.nodes, plan.clients, plan.operations, run.events)


def simpler(plan: Plan) -> Iterator[Plan]:
    """Plans with something left out, the boldest first."""
    faults = plan.faults
    size = len(faults)
    while size:
        for start in range(0, len(faults), size):
            yield replace(plan, faults=faults[:start] + faults[start + size :])
        size //= 2
    for name in ("loss", "duplication", "tail", "skew"):
        if getattr(plan, name):
            yield _with(plan, name, 0.0)
    for nodes in range(1, plan.nodes):
        if not _names_another(plan, nodes):
            yield replace(plan, nodes=nodes)
    for name in ("clients", "operations", "keys"):
        for smaller in sorted({1, getattr(plan, name) // 2, getattr(plan, name) - 1}):
            if 0 < smaller < getattr(plan, name):
                yield _with(plan, name, smaller)
    for calm in (plan.calm / 2, plan.calm * 0.9):
        if all(fault.at < calm for fault in faults):
            yield replace(plan, calm=calm)
    if plan.delay != (1.0, 2.0):
        yield replace(plan, delay=(1.0, 2.0))


def _with(plan: Plan, name: str, value: Any) -> Plan:
    return replace(plan, **{name: value})


def _names_another(plan: Plan, nodes: int) -> bool:
    """Whether a fault is about a node that there would not be."""
    there = {*replace(plan, nodes=nodes).names}
    named = {name for fault in plan.faults for name in fault.nodes}
    return bool(named - there)
