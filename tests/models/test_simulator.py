"""The models stand what the simulator does to them; and it does do it to them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from checker.history.check import check_history
from models.plan import Change, Crash, Features, Partition, Plan, SlowDisk, planned
from models.protocols import PROTOCOLS
from models.simulate import main
from models.simulator import Chance, Simulation, simulate

EXTENDED = Features(snapshots=True, membership=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_goes_wrong(protocol: str) -> None:
    for seed in range(300):
        run = simulate(planned(protocol, seed), PROTOCOLS[protocol])
        assert run.failure is None, f"seed {seed}: {run.failure}"


@pytest.mark.parametrize("seed", [5504, 5556])
def test_who_follows_a_leader_of_zab_in_its_earlier_office_notices_the_end(seed: int) -> None:
    """Signs of life between the two would keep both where they are, and the others from having a quorum."""
    assert simulate(planned("zab", seed), PROTOCOLS["zab"]).failure is None


def test_nothing_goes_wrong_with_snapshots_and_changes_of_membership() -> None:
    for seed in range(300):
        run = simulate(planned("raft", seed, features=EXTENDED), PROTOCOLS["raft"])
        assert run.failure is None, f"seed {seed}: {run.failure}"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_run_is_a_function_of_its_plan(protocol: str) -> None:
    plan = planned(protocol, 14)
    first, second = (simulate(plan, PROTOCOLS[protocol], record=True) for _ in range(2))
    assert first.trace == second.trace
    assert first.history == second.history
    assert first.trace != simulate(planned(protocol, 15), PROTOCOLS[protocol], record=True).trace


def test_recording_changes_nothing() -> None:
    plan = planned("raft", 7)
    with_trace, without = (simulate(plan, PROTOCOLS["raft"], record=record) for record in (True, False))
    assert with_trace.history == without.history
    assert with_trace.events == without.events
    assert not without.trace


def actions(protocol: str, features: Features | None = None, runs: int = 40) -> Counter[str]:
    return Counter(
        event["action"]
        for seed in range(runs)
        for event in simulate(planned(protocol, seed, features=features), PROTOCOLS[protocol], record=True).trace[1:]
    )


@pytest.mark.parametrize(
    ("protocol", "least"),
    [
        ("paxos", {"prepare": 80, "propose": 60, "on Prepare": 150, "on Accept": 150}),
        ("multi-paxos", {"prepare": 50, "on Promise": 100, "propose_again": 50, "propose": 300}),
        ("raft", {"become_leader": 60, "on Vote": 100, "advance_commit": 300}),
        ("zab", {"elect": 200, "establish": 60, "give_up": 100, "on Commit": 300}),
        ("zab", {"look": 250, "tell_again": 150, "on Notification": 2000, "join": 40}),
    ],
)
def test_what_can_happen_happens(protocol: str, least: dict[str, int]) -> None:
    taken = actions(protocol)
    assert {name: taken[name] for name in least if taken[name] < least[name]} == {}
    assert taken["crash"] >= 20
    assert 0 < taken["restart"] <= taken["crash"]


def test_entries_are_cut_off() -> None:
    truncated = 0
    for seed in range(100):
        for event in simulate(planned("raft", seed), PROTOCOLS["raft"], record=True).trace[1:]:
            values = [value for place, value in event.get("set", {}).items() if place.startswith("log[")]
            truncated += event["action"] == "on AppendEntries" and None in values
    assert truncated


def test_features_are_used_and_can_be_told_apart() -> None:
    beyond = {"take_snapshot", "send_snapshot", "on InstallSnapshot", "change_membership"}
    used = actions("raft", EXTENDED)
    assert {name for name in beyond if not used[name]} == set()
    assert beyond & set(actions("raft")) == set()
    header = simulate(planned("raft", 1, features=EXTENDED), PROTOCOLS["raft"], record=True).trace[0]
    assert header["features"] == ["snapshots", "membership"]


def test_a_partition_of_the_leader_is_survived_by_a_majority_only() -> None:
    """Two of five answer nobody: the choice of consistency."""
    cut = Partition(100, 2300, frozenset({"s0", "s1", "s2"}))
    plan = Plan("raft", 1, nodes=5, clients=3, operations=12, faults=(cut,))
    sim = Simulation(plan, PROTOCOLS["raft"], record=True)
    assert sim.execute().failure is None
    leads = {e["node"] for e in sim.run.trace[1:] if e["action"] == "become_leader" and e["time"] < 2300}
    assert leads
    assert leads <= cut.side


def test_local_reads_are_answered_under_a_partition() -> None:
    """The other choice: a server without a leader still answers reads, from what it has."""
    lonely = Partition(300, 2000, frozenset({"s0"}))
    for local in (True, False):
        plan = Plan("raft", 3, clients=1, readers=1, operations=5, faults=(lonely,), local_reads=local)
        run = simulate(plan, PROTOCOLS["raft"])
        assert run.failure is None
        answered = [told for told in run.history if told["type"] == "ok"]
        assert len(answered) == 5
        assert (answered[0]["time"] < 100e6) is local  # before there was a leader


def test_slow_disks_delay_answers() -> None:
    slow = tuple(SlowDisk(0, 2400, f"s{i}", 100.0) for i in range(3))
    times = []
    for faults in ((), slow):
        run = simulate(Plan("raft", 5, clients=1, operations=5, faults=faults), PROTOCOLS["raft"])
        times.append(max(told["time"] for told in run.history))
    assert times[1] > times[0] + 300e6


def test_a_crash_during_a_write_loses_the_step_or_keeps_it() -> None:
    outcomes = set()
    for seed in range(30):
        slow, crash = SlowDisk(0, 1000, "s0", 400.0), Crash(350, "s0", 100)
        plan = Plan("raft", seed, clients=1, operations=2, faults=(slow, crash))
        run = simulate(plan, PROTOCOLS["raft"], record=True)
        assert run.failure is None
        (restart,) = (event for event in run.trace[1:] if event["action"] == "restart")
        outcomes.add("term" in restart.get("set", {}))
    assert outcomes == {True, False}


def test_chance_is_even() -> None:
    rolls = [Chance(3, 1, n).roll() for n in range(2000)]
    assert 0.47 < sum(rolls) / len(rolls) < 0.53
    assert len(set(rolls)) == len(rolls)


def test_faults_tell_what_they_are() -> None:
    plan = Plan(
        "raft",
        1,
        faults=(
            Crash(10, "s0", 50),
            Partition(20, 60, frozenset({"s1"}), one_way=True),
            SlowDisk(30, 70, "s2", 5),
            Change(40, "join", "s3"),
        ),
    )
    assert plan.told().splitlines()[2:] == [
        "at 10 ms: s0 crashes, and is down for 50 ms",
        "at 20 ms: for 60 ms nothing passes from s1 to the others",
        "at 30 ms: for 70 ms each write of s2 takes 5 ms",
        "at 40 ms: s3 is to join",
    ]


def test_the_command() -> None:
    result = CliRunner().invoke(main, ["--protocol", "paxos", "--runs", "60", "--jobs", "2"])
    assert result.exit_code == 0, result.output
    assert "paxos: 60 runs" in result.output
    assert CliRunner().invoke(main, ["--protocol", "zab", "--snapshots"]).exit_code == 2


@pytest.mark.parametrize(
    "options", ["--nodes 1", "--nodes -1", "--runs 0", "--jobs 0", "--runs 1 --trace /dev/null/trace.ndjson"]
)
def test_runs_that_cannot_be(options: str) -> None:
    result = CliRunner().invoke(main, ["--protocol", "raft", *options.split()])
    assert result.exit_code in (1, 2)
    assert "Error: " in result.output
    assert isinstance(result.exception, SystemExit)


def test_a_run_does_not_depend_on_the_hashes_of_strings() -> None:
    """They are others in each process, and with them the order of sets."""
    program = """
import json
from models.plan import Features, planned
from models.protocols import PROTOCOLS
from models.simulator import simulate
for name, protocol in PROTOCOLS.items():
    for seed in (3, 4):
        features = Features(snapshots=True, membership=True) if name == "raft" else None
        run = simulate(planned(name, seed, features=features), protocol, record=True)
        print(json.dumps([run.trace, run.history, run.events]))
"""
    root = Path(__file__).parent.parent.parent
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_consistent_or_available(tmp_path: Path) -> None:
    """The two commands of docs/conformance.md."""
    answers = []
    for options in ([], ["--local-reads"]):
        path = tmp_path / "history.ndjson"
        result = CliRunner().invoke(
            main, ["--protocol", "raft", "--seed", "49", "--runs", "1", "--history", str(path), *options]
        )
        assert result.exit_code == 0
        answers.append(check_history(str(path), "kv", "linearizable"))
    strong, weak = answers
    assert strong.answer == "consistent"
    assert [o.text for o in weak.part] == ["write k0 202", "write k0 203", "read k0 gives 202"]
