"""What `docs/` shows is true: every spec in it is loaded, and explored where it has instances."""

from __future__ import annotations

import pytest
from pages import BLOCKS, Block, read

from checker.explore.check import check
from checker.language.frontend import load_source
from checker.source import SpecError

GOOD, BAD, FAULTY = ([block for block in BLOCKS if block.kind == kind] for kind in ("good", "error", "fault"))


def test_the_reference_has_examples() -> None:
    assert len(GOOD) > 10
    assert len(BAD) > 4
    assert FAULTY


@pytest.mark.parametrize("block", GOOD, ids=str)
def test_example_is_a_spec_that_does_what_it_expects(block: Block) -> None:
    loaded = load_source(block.source, read=read)
    assert [w.render() for w in loaded.warnings] == []
    for decl in loaded.spec.instances:
        verdict = check(loaded.spec, decl)
        assert [(e.text, e.found) for e in verdict.expectations if not e.met] == []
        assert [p.name for p in verdict.failures] == []
        assert decl.expected


@pytest.mark.parametrize("block", BAD, ids=str)
def test_example_of_an_error_yields_its_code_alone(block: Block) -> None:
    with pytest.raises(SpecError) as raised:
        load_source(block.source, read=read)
    assert [d.code for d in raised.value.diagnostics] == [block.code]


@pytest.mark.parametrize("block", FAULTY, ids=str)
def test_example_of_a_fault_meets_it(block: Block) -> None:
    spec = load_source(block.source, read=read).spec
    (decl,) = spec.instances
    assert [p.code for p in check(spec, decl).failures] == [block.code]
