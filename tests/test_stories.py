"""The counterexamples that users see first, word for word: naive specs, lessons, and mutants that crash or deadlock."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from mutants import load_mutant

from checker.cli import run

ROOT = Path(__file__).parent.parent
Golden = Callable[[str, str], None]


class Told(Protocol):
    def __call__(self, file: str, engine: str = "interpreter", instance: str | None = None) -> str: ...


MUTANTS = (
    "paxos_ignores_votes",
    "lock_epochs_epoch_not_kept_on_disk",
    "two_phase_commit_decides_early",
    "peterson_does_not_wait",
    "zab_skips_synchronisation",
    "reliable_broadcast_one_of_three_lies",
    "isr_replication_truncates_to_the_high_watermark",
)
LESSONS = (
    ("cap", "consistent_one"),
    ("cap", "available_one"),
    ("primary_backup", "cut_off"),
    ("three_phase_commit", "split"),
    ("isr_replication", "unclean_election"),
    ("floodset", "one_crash_one_round"),
    ("floodset", "two_crashes_two_rounds"),
    ("byzantine_generals", "three"),
    ("chubby", "paused_client"),
    ("dynamo_anomalies", "stale_read"),
    ("dynamo_anomalies", "new_then_old"),
    ("dynamo_anomalies", "clocks_apart"),
)

COMPILED = {"chubby", "dynamo_anomalies", "floodset"}
"""Lessons that take the interpreter too long."""


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """What `check` prints about a file, without the line that tells the time."""
    monkeypatch.setenv("COLUMNS", "110")

    def check(file: str, engine: str = "interpreter", instance: str | None = None) -> str:
        only = [] if instance is None else ["--instance", instance]
        assert run(["check", "--engine", engine, file, *only]) == 0
        return re.sub(r"\n  engine .*", "", capsys.readouterr().out)

    return check


@pytest.mark.parametrize("path", sorted((ROOT / "specs" / "naive").glob("*.spec")), ids=lambda p: p.stem)
def test_naive_specs(path: Path, told: Told, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    golden(f"naive_{path.stem}", told(str(path.relative_to(ROOT))))


@pytest.mark.parametrize(("spec", "instance"), LESSONS, ids=["_".join(lesson) for lesson in LESSONS])
def test_lessons(spec: str, instance: str, told: Told, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    engine = "auto" if spec in COMPILED else "interpreter"
    golden(f"lesson_{spec}_{instance}", told(f"specs/{spec}.spec", engine, instance))


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants(name: str, told: Told, golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = load_mutant(ROOT / "tests" / "mutants" / f"{name}.mutant")
    (tmp_path / f"{name}.spec").write_text(mutant.source.text)
    monkeypatch.chdir(tmp_path)
    golden(f"mutant_{name}", told(f"{name}.spec"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["raft_membership_no_entry_of_its_term", "raft_commits_an_older_term"])
def test_mutants_that_take_compiled_code(
    name: str, told: Told, golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = load_mutant(ROOT / "tests" / "mutants" / f"{name}.mutant")
    (tmp_path / f"{name}.spec").write_text(mutant.source.text)
    shutil.copy(ROOT / "specs" / "raft.spec", tmp_path)
    monkeypatch.chdir(tmp_path)
    golden(f"mutant_{name}", re.sub(r"(raft\w*\.spec):\d+", r"\1", told(f"{name}.spec", "auto", "mutant")))
