"""Bugs that are put into the models are caught, and what is wrong is named: the guard, the field, or the read."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import runs
from checker.conform.follow import conform
from checker.history.check import check_history
from checker.verdict import Conforms, Consistency
from models.plan import Partition, Plan
from models.protocols import PROTOCOLS
from models.simulator import Run, simulate

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "models"))

from bugs import BUGS  # noqa: E402

NAMED = {
    "forgets its vote": ("restart", "voted_for was"),
    "forgets its term": ("restart", "term was"),
    "votes for any log": ("Server.on RequestVote", "voted_for would be none"),
    "commits an older term": ("Server.advance_commit", "has(n, term)"),
    "commits by half": ("Server.advance_commit", "forall s in q: s == self or matched[s] >= n"),
    "keeps the suffix": ("Server.on AppendEntries", "would be none"),
    "truncates too much": ("Server.on AppendEntries", "the trace has none"),
    "does not compare logs": ("Server.on AppendEntries", "would be none"),
    "saves too much": ("Server.take_snapshot", "saved < i <= known"),
    "forgets the last term": ("Server.on InstallSnapshot", "saved_term would be"),
    "discards the suffix": ("Server.on InstallSnapshot", "the trace has none"),
    "loses its promise": ("restart", "promised was"),
    "loses its vote": ("restart", "voted was"),
    "votes against its promise": ("Acceptor.on Accept", "promised <= m.ballot"),
    "insists on its value": ("propose", "heard == {} or v == (max vote in heard by vote.ballot).value"),
    "forgets reported votes": ("Ballot.on Promise", "the trace has none"),
    "takes any vote": ("Ballot.on Promise", ".latest["),
    "skips synchronisation": ("Server.establish", "forall s in q: acked[s] != none"),
    "prefers its own history": ("Server.on AckEpoch", "best would be"),
    "forgets its epoch": ("Server.crash", "accepted would be"),
    "commits at once": ("Server.advance_commit", "forall s in q: acked[s] >= i"),
    "counts old votes": ("Server.on Notification", "votes[s1] would be none"),
    "votes by id": ("Server.on Notification", ".vote would be Vote("),
    "elects alone": ("Server.elect", "forall s in q: votes[s] == vote"),
    "joins any leader": ("Server.join", "forall n in q: others[n] != none and agree(the others[n], its)"),
}
"""By bug: the action at fault, and the guard that blocked it or what it would have done instead."""

BY_NAME = {bug.name: bug for bug in BUGS}


@pytest.mark.parametrize("name", NAMED)
def test_conformance_names_what_is_wrong(name: str, tmp_path: Path) -> None:
    bug = BY_NAME[name]
    for plan in bug.plans:
        run = simulate(plan, bug.protocol, record=True, go_on=True)
        answer = conform(runs.spec(run.trace[0]["spec"]), [runs.written(run.trace, tmp_path / "trace.ndjson")])
        assert answer.answer is Conforms.NO and answer.fault is not None
        action, said = NAMED[name]
        obstacles = [o for o in answer.fault.obstacles if o.action == action]
        told = [t for o in obstacles for t in (*o.differences, *((o.clause.text,) if o.clause else ()))]
        assert any(said in text for text in told), answer.fault.obstacles


def history(run: Run, path: Path, level: str = "linearizable") -> Consistency:
    return check_history(runs.written(run.history, path / "history.ndjson"), "kv", level, timeout=60)


@pytest.mark.parametrize("bug", [b for b in BUGS if b.shows_in == "history"], ids=lambda b: b.name)
def test_histories_name_what_is_wrong(bug, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for plan in bug.plans:
        healthy = history(simulate(plan, PROTOCOLS[plan.protocol], record=True, go_on=True), tmp_path)
        broken = history(simulate(plan, bug.protocol, record=True, go_on=True), tmp_path)
        assert healthy.answer == "consistent"
        assert broken.answer == "inconsistent"
        (fault,) = [operation for operation in broken.part if operation.at_fault]
        assert fault.text.startswith(("read ", "cas ")) and len(broken.part) <= 12


def test_at_least_a_dozen() -> None:
    assert len({*NAMED, *(bug.name for bug in BUGS if bug.shows_in == "history")}) >= 12


# --- consistency or availability ------------------------------------------------------------------
#
# The leader is cut off from the other servers, not from the clients. Reads that go through the log get no answer from
# it; local reads are answered on both sides, and what they give may be old.

CUT = Plan("raft", 0, clients=2, readers=1, operations=40, keys=1, faults=(Partition(400, 900, frozenset({"s0"})),))


def under_partition(local_reads: bool, seed: int) -> Run:
    return simulate(replace(CUT, seed=seed, local_reads=local_reads), PROTOCOLS["raft"], record=True, go_on=True)


def test_consistent_or_available(tmp_path: Path) -> None:
    stale, strong_reads, weak_reads = [], 0, 0
    for seed in range(12):
        strong, weak = under_partition(False, seed), under_partition(True, seed)
        assert history(strong, tmp_path).answer == "consistent"
        answer = history(weak, tmp_path)
        stale += [o.text for o in answer.part if o.at_fault]
        strong_reads += answered_while_cut(strong)
        weak_reads += answered_while_cut(weak)
    assert len(stale) >= 3 and all(text.startswith("read ") for text in stale)
    assert weak_reads > strong_reads


def answered_while_cut(run: Run) -> int:
    """How many reads are answered while the leader is cut off."""
    cut = CUT.faults[0]
    assert isinstance(cut, Partition)
    return sum(
        line["type"] == "ok" and line["f"] == "read" and cut.at * 1e6 <= line["time"] <= (cut.at + cut.lasts) * 1e6
        for line in run.history
    )
