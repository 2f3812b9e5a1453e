"""Damaged specs, end to end: whatever a file holds, the answer is a verdict or diagnostics, and it comes soon."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from mutate import ALL, SMALL, Damage, mutated
from pages import read

from checker.explore.check import check
from checker.explore.instance import default_instance
from checker.explore.problem import Options
from checker.language.frontend import Loaded, load_source
from checker.report.json import document, read_document
from checker.report.look import Look
from checker.report.results import Report, of_verdict
from checker.report.text import report
from checker.source import Source, SpecError

SPECS = sorted((Path(__file__).parent.parent / "specs").rglob("*.spec"))
BATCHES = 8
READ_EACH, EXPLORED_EACH = 190, 60
"""How many damaged specs a batch reads, and how many others it explores if they have no errors."""

TEXTS = [path.read_text(encoding="utf-8") for path in SPECS]
WEIGHTS = [1 / len(text) ** 2 for text in TEXTS]  # short ones more often: it is damage that counts, not length


def damaged(rng: random.Random, damages: Sequence[Damage], most: int) -> str:
    return mutated(rng.choices(TEXTS, WEIGHTS)[0], rng, damages, most)


def load(text: str) -> Loaded | None:
    """The spec, or None if it has errors, each of which has been looked at."""
    try:
        return load_source(Source("damaged.spec", text), read=read)
    except SpecError as error:
        assert error.diagnostics
        for diagnostic in error.diagnostics:
            assert re.fullmatch(r"Q\d{4}", diagnostic.code)
            assert diagnostic.message and diagnostic.span is not None
            assert diagnostic.render().startswith(f"error[{diagnostic.code}]: ")
        return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_specs_give_diagnostics_only(batch: int) -> None:
    loaded = 0
    for seed in range(batch * READ_EACH, (batch + 1) * READ_EACH):
        start = time.process_time()
        loaded += load(damaged(random.Random(seed), ALL, 3)) is not None
        assert time.process_time() - start < 3, f"seed {seed} takes long"
    assert 0 < loaded < READ_EACH, "the damage is too heavy, or too light"


@pytest.mark.parametrize("batch", range(BATCHES // 2))
def test_damaged_specs_are_explored_or_refused(batch: int) -> None:
    explored = 0
    for seed in range(1_000_000 + batch * EXPLORED_EACH, 1_000_000 + (batch + 1) * EXPLORED_EACH):
        loaded = load(damaged(random.Random(seed), SMALL, 2))
        if loaded is None:
            continue
        instances = loaded.spec.instances or (default_instance(loaded.spec),)
        try:
            verdict = check(loaded.spec, instances[0], Options(depth=3, timeout=0.2))
        except SpecError as error:
            assert error.diagnostics
            continue
        explored += 1
        assert report(verdict, Look(80))
        assert read_document(document(Report((of_verdict(verdict),)))) == (verdict,)
    assert explored > EXPLORED_EACH // 10
