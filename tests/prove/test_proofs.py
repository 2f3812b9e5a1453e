"""The specs that `quorate ci` proves for every size are proved whatever the seed; broken ones never are."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from mutants import MUTANTS, load_mutant
from proving import SPECS, spec, until_refuted, verdict, without_lemma

from checker.prove.cache import Cache
from checker.prove.counterexample import Budget
from checker.prove.discharge import Discharged, Discharger, Options
from checker.prove.obligations import plan
from checker.prove.prove import growing
from checker.verdict import Assurance

LONG = {"raft", "raft_pre_vote", "zab"}
"""Specs whose proofs take long, which only `quorate ci` runs."""

ONE_SEED = {
    "abd_register",
    "chain_replication",
    "dynamo",
    "fast_paxos",
    "learning_switch",
    "multi_paxos",
    "viewstamped_replication",
}
"""Specs for which one seed must do, lest the tests take too long."""

WHOLE_ONLY = {"abd_register", "dynamo", "fast_paxos", "viewstamped_replication"}
"""Of these the proofs without some lemma, and of broken copies, take too long; the explorer breaks the copies."""

LEMMA = re.compile(r"^lemma (\w+)", re.MULTILINE)
TEXTS = {path.stem: path.read_text(encoding="ascii") for path in sorted(SPECS.glob("*.spec")) if path.stem not in LONG}
PROVED = [name for name, text in TEXTS.items() if LEMMA.search(text)]
LEMMAS = [(name, lemma) for name in PROVED if name not in WHOLE_ONLY for lemma in LEMMA.findall(TEXTS[name])]
BROKEN = [path for path in MUTANTS if load_mutant(path).base.stem in set(PROVED) - WHOLE_ONLY]

RAFT = {
    "commits_alone": "CommittedByQuorum by Server.advance_commit",
    "commits_an_older_term": "CommittedInItsTerm by Server.advance_commit",
    "commits_backwards": "CommitIndexIncreases by Server.advance_commit",
    "commits_what_it_has_not": "CommitIsInLog by Server.on AppendEntries",
    "counts_old_votes": "VotesWereGiven by Server.on Vote",
    "counts_refusals": "VotesWereGiven by Server.on Vote",
    "follower_commits_backwards": "CommitIndexIncreases by Server.on AppendEntries",
    "followers_send_entries": "AppendIsOfTheLeader.1 by Server.send_entries",
    "followers_take_requests": "RequestTellsTheLog by Server.client_request",
    "ignores_the_log": "VoterAsksForIt by Server.on RequestVote",
    "leader_overwrites": "LeaderAppendOnly by Server.client_request",
    "leader_stays": "CandidateVotesForItself by Server.on RequestVote",
    "log_not_kept_on_disk": "AckedIsKept by Server.crash",
    "longer_log_wins": "VoterAsksForIt by Server.on RequestVote",
    "obeys_a_former_leader": "ReplyIsAck by Server.on AppendEntries",
    "sends_what_it_has_not": "AppendIsOfTheLeader.1 by Server.send_entries",
    "skips_the_check": "LogEnds.1 by Server.on AppendEntries",
    "term_not_kept_on_disk": "TermsNeverDecrease by Server.crash",
    "truncates_always": "AckedIsKept by Server.on AppendEntries",
    "vote_not_kept_on_disk": "VoteIsKept by Server.crash",
    "votes_twice": "VoteIsKept by Server.on RequestVote",
}
"""Broken copies of Raft, and how the obligations begin that the fault breaks; to refute one of them is enough."""

BEYOND_PROOFS = {"half_elects"}
"""Broken copies of Raft that speak of the size of a set, for which there are no obligations at all."""

FACTS = 10
"""What a reader can take in at once."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), [(n, s) for n in PROVED for s in range(1, 2 if n in ONE_SEED else 11)])
def test_the_seed_does_not_matter(name: str, seed: int) -> None:
    assert verdict(TEXTS[name], seed=seed).assurance is Assurance.PROVED


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_mutant_is_never_proved(path: Path) -> None:
    found = until_refuted(load_mutant(path).source.text, 100, budget=Budget(shrink=0.5, explore=0.2))
    assert found.assurance is not Assurance.PROVED
    assert any(o.failure is not None for o in found.obligations), "it should have a counterexample to induction"


@pytest.mark.slow
@pytest.mark.parametrize("name", RAFT)
def test_a_broken_copy_of_raft_is_never_proved(name: str) -> None:
    """As above, but of the obligations only those that the fault is known to break, for all would take too long."""
    source = load_mutant(SPECS.parent / "tests" / "mutants" / f"raft_{name}.mutant").source
    obligations = plan(growing(spec(source.text)))
    concerned = [o for o in obligations.obligations if o.name.startswith(RAFT[name]) and not o.decided]

    def until_refuted(result: Discharged) -> None:
        if result.status == "refuted":
            raise KeyboardInterrupt

    options = Options(timeout=10.0, jobs=1, budget=Budget(shrink=0.5, explore=0.2))
    results = Discharger(obligations, options, Cache(None)).run(concerned, until_refuted)
    assert "refuted" in {result.status for result in results}


def test_every_broken_copy_of_raft_is_among_them() -> None:
    of_raft = {path.stem for path in MUTANTS if load_mutant(path).base.name == "raft.spec"}
    assert of_raft == {f"raft_{name}" for name in RAFT.keys() | BEYOND_PROOFS}


@pytest.mark.parametrize(("name", "lemma"), LEMMAS)
def test_without_a_lemma_there_is_a_small_counterexample(name: str, lemma: str) -> None:
    """No lemma is superfluous; and whoever forgets one soon sees a state that only it excludes."""
    before = processor_time()
    found = until_refuted(without_lemma(TEXTS[name], lemma), FACTS)
    assert processor_time() - before < 10
    assert found.assurance is Assurance.INCONCLUSIVE
    failures = [o.failure for o in found.obligations if o.failure is not None]
    assert min((len(failure.relevant) for failure in failures), default=None) in range(FACTS + 1)
    assert all(failure.reachable is not True for failure in failures), "with or without a lemma, the protocol is right"


def processor_time() -> float:
    """Seconds of this process and of the solvers that it has waited for."""
    return sum(os.times()[:4])
