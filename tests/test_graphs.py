"""`check --dot`, `--graph` and `--by`: files that are written, and what is said when they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from checker.cli import run

ROOT = Path(__file__).parent.parent
PETERSON = str(ROOT / "specs" / "peterson.spec")


def test_both_graphs_are_written(tmp_path: Path) -> None:
    dot, page = tmp_path / "two.dot", tmp_path / "two.html"
    assert run(["check", "-q", PETERSON, "-i", "two", "--dot", str(dot), "--graph", str(page)]) == 0
    assert dot.read_text(encoding="utf-8").startswith("// Peterson, instance two: 42 states, 70 steps\n")
    assert page.read_text(encoding="utf-8").count("data-node=") == 42


def test_states_are_merged_by_variables(tmp_path: Path) -> None:
    dot = tmp_path / "two.dot"
    assert run(["check", "-q", PETERSON, "-i", "two", "--dot", str(dot), "--by", "phase, level"]) == 0
    assert "42 states, 70 steps; 15 nodes by level, phase" in dot.read_text(encoding="utf-8")


def test_too_many_states_are_told_with_their_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "big.html"
    assert run(["check", "-q", str(ROOT / "specs" / "paxos.spec"), "--set", "Acceptor=4", "--graph", str(page)]) == 2
    told = capsys.readouterr()
    assert "holds: all" in told.out  # the answer is not lost
    assert "error[Q0721]: `small` has " in told.err and "at most 4,000 can be drawn" in told.err
    assert "--by" in told.err
    assert not page.exists()


def test_a_depth_makes_any_instance_small_enough(tmp_path: Path) -> None:
    dot = tmp_path / "raft.dot"
    spec = str(ROOT / "specs" / "raft.spec")
    run(["check", "-q", spec, "-i", "two_servers", "--depth", "3", "--dot", str(dot)])
    text = dot.read_text(encoding="utf-8")
    assert "not all steps are drawn, for the depth was limited" in text
    assert "dashed" in text


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--dot", "x.dot"], "Q0713", "`--dot` is about one instance; here are `two`, `three`"),
        (["-i", "two", "--by", "phase"], "Q0713", "`--by` needs `--dot` or `--graph`"),
        (["-i", "two", "--dot", "x.dot", "--by", "fase"], "Q0719", "did you mean `phase`?"),
        (["-i", "two", "--graph", "none/x.html"], "Q0715", "cannot be written"),
    ],
)
def test_what_cannot_be_drawn(
    arguments: list[str],
    code: str,
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["check", "-q", PETERSON, *arguments]) == 2
    err = capsys.readouterr().err
    assert code in err and told in err
    assert list(tmp_path.iterdir()) == []
