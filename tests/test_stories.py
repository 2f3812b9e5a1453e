"""The counterexamples that users see first, word for word: the naive specs, and mutants that crash or deadlock."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mutants import load_mutant

from checker.cli import run

ROOT = Path(__file__).parent.parent
Golden = Callable[[str, str], None]

MUTANTS = (
    "paxos_ignores_votes",
    "lock_epochs_epoch_not_kept_on_disk",
    "two_phase_commit_decides_early",
    "peterson_does_not_wait",
)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """What `check` prints about a file, without the line that tells the time."""
    monkeypatch.setenv("COLUMNS", "110")

    def check(file: str) -> str:
        assert run(["check", "--engine", "interpreter", file]) == 0
        return re.sub(r"\n  engine .*", "", capsys.readouterr().out)

    return check


@pytest.mark.parametrize("path", sorted((ROOT / "specs" / "naive").glob("*.spec")), ids=lambda p: p.stem)
def test_naive_specs(path: Path, told: Callable[[str], str], golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    golden(f"naive_{path.stem}", told(str(path.relative_to(ROOT))))


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants(
    name: str, told: Callable[[str], str], golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = load_mutant(ROOT / "tests" / "mutants" / f"{name}.mutant")
    (tmp_path / f"{name}.spec").write_text(mutant.source.text)
    monkeypatch.chdir(tmp_path)
    golden(f"mutant_{name}", told(f"{name}.spec"))
