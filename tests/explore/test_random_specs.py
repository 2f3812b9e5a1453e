"""Specs that nobody wrote: compiled code and the interpreter say the same of them, with symmetry and without."""

from __future__ import annotations

import pytest
from agreeing import both, verdicts
from hypothesis import HealthCheck, given, settings
from random_specs import random_specs

from checker.explore.native.build import find_compiler
from checker.language.frontend import load_source
from checker.source import Source

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(random_specs())
def test_engines_agree_on_random_specs(text: str) -> None:
    spec = load_source(Source("random.spec", text)).spec
    (decl,) = spec.instances
    reference, native = both(spec, decl, depth=4, stop_at_first=False)
    assert native == reference
    reduced, whole = verdicts(spec, decl, depth=5)
    assert reduced == whole
