"""Each bug shows under its plans, where the healthy model does well. That it is caught: `tests/conform`."""

from __future__ import annotations

import pytest
from bugs import BUGS, Bug

from models.protocols import PROTOCOLS
from models.shrink import shrunk
from models.simulator import simulate


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
