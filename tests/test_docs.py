"""What `docs/` shows is true: every spec in it is loaded, and explored where it has instances."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from checker.explore.check import check
from checker.language.frontend import load_source
from checker.source import Source, SpecError

ROOT = Path(__file__).parent.parent
PAGES = (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md")


@dataclass(frozen=True)
class Block:
    """A fenced block whose first word after the fence is `spec`; `error` is the code that it must yield."""

    page: str
    line: int
    error: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"^```spec(?: error (Q\d{4}))?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, match.start()) + 2
            found.append(Block(page.name, line, match.group(1), match.group(2)))
    return found


BLOCKS = _blocks()
GOOD = [block for block in BLOCKS if block.error is None]
BAD = [block for block in BLOCKS if block.error is not None]


def test_the_reference_has_examples() -> None:
    assert len(GOOD) > 10
    assert len(BAD) > 4


@pytest.mark.parametrize("block", GOOD, ids=str)
def test_example_is_a_spec_that_does_what_it_expects(block: Block) -> None:
    loaded = load_source(Source(str(block), block.text))
    assert [w.render() for w in loaded.warnings] == []
    for decl in loaded.spec.instances:
        verdict = check(loaded.spec, decl)
        assert [(e.text, e.found) for e in verdict.expectations if not e.met] == []
        assert [p.name for p in verdict.failures] == []
        assert decl.expected


@pytest.mark.parametrize("block", BAD, ids=str)
def test_example_of_an_error_yields_its_code_alone(block: Block) -> None:
    with pytest.raises(SpecError) as raised:
        load_source(Source(str(block), block.text))
    assert [d.code for d in raised.value.diagnostics] == [block.error]
