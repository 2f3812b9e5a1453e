"""The gallery is what `python -m specs` makes of the files today."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutants import MUTANTS

from specs.__main__ import gallery

SPECS = Path(__file__).parent.parent / "specs"


def test_gallery_has_not_drifted(request: pytest.FixtureRequest) -> None:
    page = SPECS / "README.md"
    made = gallery()
    if request.config.getoption("--update-golden"):
        page.write_text(made, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == made, "python -m specs > specs/README.md"


def test_gallery_leaves_nothing_out() -> None:
    page = (SPECS / "README.md").read_text(encoding="utf-8")
    assert [path for path in SPECS.rglob("*.spec") if f"({path.relative_to(SPECS).as_posix()})" not in page] == []
    assert [path.stem for path in MUTANTS if f"`{path.stem}`" not in page] == []
