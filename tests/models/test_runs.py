"""Simulated runs, each held against its spec and its history against the store: the command that does it for many."""

from __future__ import annotations

import pytest
from bugs import SkipsSynchronisation
from click.testing import CliRunner

from bench import runs
from models.protocols import PROTOCOLS
from models.protocols import zab as zab_protocol


@pytest.mark.parametrize(
    "options",
    ["paxos", "multi-paxos", "raft", "raft --membership", "raft --snapshots --membership", "zab"],
)
def test_runs_conform(options: str) -> None:
    result = CliRunner().invoke(runs.main, ["--protocol", *options.split(), "--runs", "25", "--seed", "20000"])
    assert result.exit_code == 0, result.output
    assert "seeds from 20000: 25 runs: all conform, all histories are linearizable" in result.output


def test_a_run_that_fails_can_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROTOCOLS, "zab", zab_protocol(SkipsSynchronisation))
    result = CliRunner().invoke(runs.main, ["--protocol", "zab", "--runs", "2"])
    assert result.exit_code == 1
    assert "seed 1: the trace does not conform: line " in result.output
    assert "establish" in result.output
    assert "python -m models.simulate --protocol zab --seed 1 --runs 1 --trace trace.ndjson" in result.output
    assert "zab, seeds from 0: 2 runs: 2 failed" in result.output


def test_an_interrupted_check_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    def two_chunks(*_: object) -> object:
        yield runs.Tally(runs=20)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "results", two_chunks)
    result = CliRunner().invoke(runs.main, ["--protocol", "paxos", "--runs", "100"])
    assert result.exit_code == 130
    assert "20 of 100 runs, interrupted after seed 19" in result.output
