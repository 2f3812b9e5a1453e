"""The specs that come with complete proofs are proved for every size, whatever the seed; broken ones never are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mutants import MUTANTS, load_mutant
from proving import SPECS, failed, verdict, without_lemma

from checker.prove.counterexample import Budget
from checker.verdict import Assurance, Status

PROVED = ["paxos.spec", "two_phase_commit.spec", "lock_epochs.spec", "peterson.spec"]
LEMMAS = [
    (name, lemma)
    for name in PROVED
    for lemma in re.findall(r"^lemma (\w+)", (SPECS / name).read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("name", PROVED)
def test_every_property_is_proved(name: str) -> None:
    found = verdict((SPECS / name).read_text(encoding="utf-8"))
    assert failed(found) == []
    assert found.assurance is Assurance.PROVED
    assert all(p.status is Status.HOLDS for p in found.properties)
    assert found.graph is not None and found.graph.unused == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
@pytest.mark.parametrize("name", PROVED)
def test_the_seed_does_not_matter(name: str, seed: int) -> None:
    assert verdict((SPECS / name).read_text(encoding="utf-8"), seed=seed).assurance is Assurance.PROVED


@pytest.mark.parametrize("path", MUTANTS, ids=lambda path: path.stem)
def test_a_mutant_is_never_proved(path: Path) -> None:
    found = verdict(load_mutant(path).source.text, budget=Budget(shrink=0.5, explore=0.2))
    assert found.assurance is not Assurance.PROVED
    assert any(o.failure is not None for o in found.obligations), "it should have a counterexample to induction"


@pytest.mark.parametrize(("name", "lemma"), LEMMAS, ids=lambda part: part.removesuffix(".spec"))
def test_without_a_lemma_there_is_a_small_counterexample(name: str, lemma: str) -> None:
    found = verdict(without_lemma((SPECS / name).read_text(encoding="utf-8"), lemma))
    assert found.assurance is Assurance.INCONCLUSIVE
    failures = [o.failure for o in found.obligations if o.status is not Status.HOLDS]
    assert failures and all(failure is not None for failure in failures)
    assert all(failure.reachable is not True for failure in failures if failure is not None)
    assert min(len(failure.relevant) for failure in failures if failure is not None) <= 12
