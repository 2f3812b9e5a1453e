"""The specs that `quorate ci` proves for every size are proved whatever the seed, and need each lemma."""

from __future__ import annotations

import os
import re

import pytest
from proving import SPECS, until_refuted, verdict, without_lemma

from checker.verdict import Assurance

LONG = {"raft", "raft_pre_vote", "raft_read_index", "raft_snapshots", "zab", "zab_election"}
"""Specs whose proofs take long, which only `quorate ci` runs."""

ONE_SEED = {
    "abd_register",
    "chain_replication",
    "dynamo",
    "fast_paxos",
    "floodset_proof",
    "learning_switch",
    "multi_paxos",
    "viewstamped_replication",
}
"""Specs for which one seed must do, lest the tests take too long."""

WHOLE_ONLY = {"abd_register", "dynamo", "fast_paxos", "floodset_proof", "viewstamped_replication"}
"""Of these the proofs without some lemma take too long."""

LEMMA = re.compile(r"^lemma (\w+)", re.MULTILINE)
TEXTS = {path.stem: path.read_text(encoding="ascii") for path in sorted(SPECS.glob("*.spec")) if path.stem not in LONG}
PROVED = [name for name, text in TEXTS.items() if LEMMA.search(text)]
LEMMAS = [(name, lemma) for name in PROVED if name not in WHOLE_ONLY for lemma in LEMMA.findall(TEXTS[name])]

FACTS = 10
"""What a reader can take in at once."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), [(n, s) for n in PROVED for s in range(1, 2 if n in ONE_SEED else 11)])
def test_the_seed_does_not_matter(name: str, seed: int) -> None:
    assert verdict(TEXTS[name], seed=seed).assurance is Assurance.PROVED


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
