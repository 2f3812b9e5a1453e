"""Damaged specs, end to end: whatever a file holds, the answer is a verdict or diagnostics, and it comes soon."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
from mutate import ALL, SMALL, mutated

from checker.explore.check import Options, check
from checker.explore.instance import default_instance
from checker.language.frontend import Loaded, load_source
from checker.report.json import document, read_document
from checker.report.look import Look
from checker.report.text import report
from checker.source import Source, SpecError

SPECS = sorted((Path(__file__).parent.parent / "specs").rglob("*.spec"))
BATCHES = 8
LOADED_EACH, EXPLORED_EACH = 250, 30
"""How many damaged specs a batch reads, and how many it explores as well."""


def load(text: str) -> Loaded | None:
    """The spec, or None if it has errors, each of which has been looked at."""
    try:
        return load_source(Source("damaged.spec", text))
    except SpecError as error:
        assert error.diagnostics
        for diagnostic in error.diagnostics:
            assert re.fullmatch(r"Q\d{4}", diagnostic.code)
            assert diagnostic.message and diagnostic.span is not None
            assert diagnostic.render().startswith(f"error[{diagnostic.code}]: ")
        return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_specs_give_diagnostics_only(batch: int) -> None:
    texts = [path.read_text(encoding="utf-8") for path in SPECS]
    loaded = 0
    for n in range(LOADED_EACH):
        rng = random.Random(batch * LOADED_EACH + n)
        text = mutated(rng.choice(texts), rng, ALL)
        start = time.monotonic()
        loaded += load(text) is not None
        assert time.monotonic() - start < 3, f"seed {batch * LOADED_EACH + n} takes long"
    assert 0 < loaded < LOADED_EACH, "the damage is too heavy, or too light"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_specs_are_explored_or_refused(batch: int) -> None:
    texts = [path.read_text(encoding="utf-8") for path in SPECS]
    explored = 0
    for n in range(EXPLORED_EACH):
        rng = random.Random(1_000_000 + batch * EXPLORED_EACH + n)
        loaded = load(mutated(rng.choice(texts), rng, SMALL, most=2))
        if loaded is None:
            continue
        instances = loaded.spec.instances or (default_instance(loaded.spec),)
        try:
            verdict = check(loaded.spec, instances[0], Options(engine="interpreter", depth=3, seconds=0.2))
        except SpecError as error:
            assert error.diagnostics
            continue
        explored += 1
        assert report(verdict, Look(80))
        assert read_document(document([verdict])) == (verdict,)
    assert explored > 0
