"""Every mutant is killed: the explorer finds the violation that its file expects, after exactly so many steps."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutants import MUTANTS, SPECS, load_mutant

from checker.explore.check import check
from checker.explore.engines import engine
from checker.explore.problem import Options
from checker.language import ir
from checker.language.frontend import load_source


@pytest.mark.parametrize("path", MUTANTS, ids=lambda path: path.stem)
def test_mutant_is_killed(path: Path) -> None:
    spec = load_source(load_mutant(path).source).spec
    (decl,) = spec.instances
    assert all(isinstance(expected, ir.ExpectViolated) and expected.steps for expected in decl.expected)
    verdict = check(spec, decl, Options(engine=engine("auto")))
    assert [(e.text, e.met) for e in verdict.expectations] == [(e.text, True) for e in verdict.expectations] != []


def test_every_spec_has_mutants() -> None:
    assert {load_mutant(path).base for path in MUTANTS} == set(SPECS.glob("*.spec"))


@pytest.mark.parametrize("base", sorted(SPECS.glob("*.spec")), ids=lambda path: path.stem)
def test_every_guard_of_a_spec_has_a_mutant(base: Path) -> None:
    """A `require` that no mutant touches might as well not be there."""
    text = base.read_text(encoding="ascii")
    guards = {line for line in text.splitlines() if line.strip().startswith("require ")}
    touched = "".join(path.read_text(encoding="ascii") for path in MUTANTS if load_mutant(path).base == base)
    untouched = {line.strip() for line in guards if f"- {line}" not in touched}
    assert untouched == PROGRAM_ORDER.get(base.stem, set())


# Guards that say where a process is in its program, as line numbers do in the paper; they protect nothing.
# Nor do those by which a server of Raft has no election against itself, sends no snapshot to whom it can send entries;
# by which time ends; and by which a server of a chain that has failed sends no more updates (what it would send is
# right), and by which the counts of gossip end.
# In Chubby, who asks for a lock that it has is refused, who is elected again counts on longer leases, and a session
# ends once.
# Nor, in three-phase commit and with a primary and backups, do those by which who has failed does nothing more and each
# message counts once; a coordinator may be left at any time, as long as all leave it.
PROGRAM_ORDER = {
    "bakery": {
        "require phase[p] == outside",
        "require phase[p] == looking and q not in done[p]",
        "require phase[p] == waiting and q not in chose[p]",
        "require phase[p] == waiting and q not in done[p]",
        "require phase[p] == served",
    },
    "ricart_agrawala": {"require m.from != self", "require inside"},
    # A byzantine node that follows the protocol does no more harm, and nobody has enough reasons for a second value.
    "reliable_broadcast": {
        "require n not in faulty and n.ready_for == none",
        "require n not in faulty and n.delivered == none",
    },
    "floodset": {"require round < rounds"},
    "byzantine_generals": {"require round == 0"},
    "ticket_lock": {"require phase[p] == outside"},
    "chubby": {
        "require not over and sequencer == none",
        "require r != master",
        "require master != none and c in sessions",
    },
    # A coordinator does one thing at a time; who has nothing tells nobody.
    "dynamo": {
        "require writes == none and not reads",
        "require copy != zero",
        "require hints[r] != zero",
    },
    "gossip_counter": {"require downs[self] < down"},
    # A server of Zab in no phase has nothing to give up.
    "zab": {"require phase != election"},
    "chain_replication": {"require not failed and zero < i <= last"},
    "multi_paxos": {"require not leads"},
    "raft": {"require mode != leader", "require m.from != self"},
    "raft_pre_vote": {"require mode != leader"},
    "raft_snapshots": {"require before[s] < saved"},
    "raft_complete": {"require before[s] < saved"},
    "raft_lease_read": {"require n.clock < end"},
    # A backup's commit-number is as good as the primary's.
    "viewstamped_replication": {"require is_primary and commit != zero"},
    "primary_backup": {"require p != s and s not in p.down"},
    "three_phase_commit": {
        "require phase != aborted and not alone",
        "require c.stage == preparing and not c.stopped",
        "require (c.stopped or not c.reaches(p)) and not p.stopped and not p.alone",
    },
    "peterson": {
        "require phase[p] == climbing",
        "require phase[p] == announcing",
        "require phase[p] == waiting",
        "require phase[p] == critical",
        "require q != p and q not in seen[p]",
    },
}


def test_a_mutant_that_does_not_fit_its_base_is_refused(tmp_path: Path) -> None:
    text = next(path for path in MUTANTS if path.stem == "paxos_ignores_promise").read_text(encoding="ascii")
    path = tmp_path / "x.mutant"
    path.write_text(text.replace("promised <= m.ballot", "promised <= m.ballots"), encoding="ascii")
    with pytest.raises(ValueError, match="occur 0 times"):
        load_mutant(path)
    path.write_text(
        text.replace("        require promised <= m.ballot", "        promised := m.ballot"), encoding="ascii"
    )
    with pytest.raises(ValueError, match="occur 2 times"):
        load_mutant(path)
