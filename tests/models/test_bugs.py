"""Each bug shows under its plans, and conformance names it where the trace has it; the healthy model conforms."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from bugs import BUGS, Bug

from checker.conform.follow import conform
from checker.language import ir
from checker.language.frontend import load
from checker.verdict import Conforms
from models.plan import planned
from models.protocols import PROTOCOLS
from models.shrink import shrunk
from models.simulator import Run, simulate
from models.trace import line

SPECS = Path(__file__).parent.parent.parent / "specs"
SPEC_OF = {name: SPECS / f"{name.replace('-', '_')}.spec" for name in PROTOCOLS}
SPECIFIED = [name for name, path in SPEC_OF.items() if path.exists()]


@cache
def spec(protocol: str) -> ir.Spec:
    return load(SPEC_OF[protocol]).spec


def conforms(run: Run, tmp_path: Path) -> Conforms:
    path = tmp_path / "trace.ndjson"
    path.write_text("".join(f"{line(event)}\n" for event in run.trace), encoding="utf-8")
    return conform(spec(run.plan.protocol), [str(path)]).answer


def named(bug: Bug) -> str:
    return bug.name


@pytest.mark.parametrize("bug", BUGS, ids=named)
def test_it_shows(bug: Bug) -> None:
    for plan in bug.plans:
        broken, healthy = (
            simulate(plan, protocol, record=True, go_on=True) for protocol in (bug.protocol, PROTOCOLS[plan.protocol])
        )
        assert healthy.failure is None
        if bug.shows_in == "trace":
            assert broken.trace != healthy.trace
        else:
            assert broken.history != healthy.history


@pytest.mark.parametrize("bug", [b for b in BUGS if b.shows_in == "trace" and b.protocol.name in SPECIFIED], ids=named)
def test_its_trace_is_refused(bug: Bug, tmp_path: Path) -> None:
    for plan in bug.plans:
        assert conforms(simulate(plan, bug.protocol, record=True), tmp_path) is Conforms.NO


@pytest.mark.parametrize("protocol", SPECIFIED)
def test_healthy_traces_conform(protocol: str, tmp_path: Path) -> None:
    for seed in range(20):
        run = simulate(planned(protocol, seed), PROTOCOLS[protocol], record=True)
        assert conforms(run, tmp_path) is Conforms.YES, f"seed {seed}"


def test_a_failing_run_is_shrunk() -> None:
    (bug,) = (bug for bug in BUGS if bug.name == "votes for any log")
    first = simulate(bug.plans[0], bug.protocol)
    assert first.failure and first.failure.startswith("agreement")
    small = shrunk(first, bug.protocol, tries=150)
    assert small.failure and small.failure.startswith("agreement")
    assert small.trace
    assert small.events < first.events
    assert (len(small.plan.faults), small.plan.operations) < (len(first.plan.faults), first.plan.operations)
    assert simulate(small.plan, bug.protocol).failure == small.failure
