"""Clusters of processes: killed, restarted, resized, asked meanwhile; nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from checker.conform.follow import conform
from checker.language.frontend import load
from checker.verdict import Conforms
from models.cluster import Cluster, Prompt, demonstrate, main, running
from models.disk import whole_lines
from models.tcp import HOST, RETRY, Link

ROOT = Path(__file__).parent.parent.parent


def demonstrated(cluster: Cluster, clients: int, operations: int) -> tuple[list[str], list[str]]:
    """What was lost, and what was said."""
    said: list[str] = []

    async def run() -> list[str]:
        async with running(cluster):
            return await demonstrate(cluster, said.append, clients, operations)

    return asyncio.run(asyncio.wait_for(run(), 240)), said


SPECS = {("raft", False): "raft_membership", ("raft", True): "raft_complete", ("zab", False): "zab_election"}


@pytest.mark.parametrize(
    ("protocol", "size", "snapshots"), [("raft", 5, None), ("raft", 3, 40), ("multi-paxos", 3, None), ("zab", 3, None)]
)
def test_no_acknowledged_write_is_lost(protocol: str, size: int, snapshots: int | None, tmp_path: Path) -> None:
    cluster = Cluster(protocol, size, tmp_path, snapshots, sync=False)  # a kill loses nothing that was written
    lost, said = demonstrated(cluster, clients=3, operations=60)
    assert lost == []
    assert any(line.startswith("kill") for line in said)
    if protocol == "raft":
        assert {f"add s{size}", f"add s{size + 1}"} <= set(said)
        assert len(cluster.members) == size + 1
    assert [log.read_text() for log in tmp_path.glob("*.log") if log.stat().st_size] == []
    done = [told for told in cluster.history if told["type"] == "ok"]
    assert len(done) > 80
    restarts = [e for path in tmp_path.glob("s*.ndjson") for e in whole_lines(path)[1:] if e["action"] == "restart"]
    assert len(restarts) == 3
    spec = SPECS.get((protocol, snapshots is not None), protocol.replace("-", "_"))
    assert_conforms(protocol, ROOT / "specs" / f"{spec}.spec", tmp_path)


def assert_conforms(protocol: str, spec: Path, directory: Path) -> None:
    """The logs of all nodes, which have no clock in common, are one run of the spec."""
    logs = sorted(str(path) for path in directory.glob("s*.ndjson"))
    answer = conform(load(spec).spec, logs)
    assert answer.answer is Conforms.YES, answer.fault or answer.reason
    assert answer.events > 1000
    taken = dict(answer.actions)
    if protocol != "multi-paxos":  # whose acceptors lose nothing
        assert taken["Server.crash"] == 3
    if protocol == "raft":
        assert taken["Server.change_membership"] == 3


def test_what_is_sent_before_the_other_end_listens_waits_for_it(tmp_path: Path) -> None:
    """A channel that keeps the order loses nothing without a crash, also while a cluster starts."""

    async def run() -> bytes:
        found: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await found.put(await reader.readline())
            writer.close()

        link = Link(tmp_path / "s1.port")
        link.send(b"first\n")
        await asyncio.sleep(3 * RETRY)
        server = await asyncio.start_server(take, HOST, 0)
        (tmp_path / "s1.port").write_text(str(server.sockets[0].getsockname()[1]))
        link.send(b"second\n")
        try:
            return await asyncio.wait_for(found.get(), 10)
        finally:
            link.close()
            server.close()

    assert asyncio.run(run()) == b"first\n"


def test_the_prompt(tmp_path: Path) -> None:
    script = "put x 5\nget x\ncas x 5 six\ncas x 5 7\nkill s1\nget x\nrestart s1\nadd s3\nstatus\nkill s9\nquit\n"
    done = subprocess.run(
        [sys.executable, "-m", "models.cluster", "--nodes", "3", "--directory", str(tmp_path / "files")],
        input=script,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("s0, s1, s2 are up")
    assert lines[1:9] == [
        "5",
        "5",
        '"six"',
        'no: it is "six"',
        "done",
        '"six"',
        "done",
        "done",
    ]
    assert [text.split()[0] for text in lines[9:13]] == ["s0", "s1", "s2", "s3"]
    assert lines[13].startswith("cannot do that now: kill s9")
    history = [json.loads(text) for text in (tmp_path / "files" / "history.ndjson").read_text().splitlines()]
    assert [told["type"] for told in history] == ["invoke", "ok"] * 3 + ["invoke", "fail"] + ["invoke", "ok"]


def test_a_prompt_that_is_misused(tmp_path: Path) -> None:
    """A node that has died by itself can be killed and restarted; a name that is no node's is refused."""

    async def run() -> list[str]:
        cluster = Cluster("raft", 3, tmp_path, sync=False)
        async with running(cluster):
            prompt = Prompt(cluster)
            cluster.processes["s1"].kill()  # behind the cluster's back
            await cluster.processes["s1"].wait()
            lines = ["status", "kill s1", "restart s1", "add ../s3", "add c1", "put x", "load many", "put x 1"]
            return [(await prompt.obey(line.split())).splitlines()[0] for line in lines] + [prompt.status()]

    *answers, status = asyncio.run(asyncio.wait_for(run(), 120))
    assert answers == [
        "s0 up",
        "done",
        "done",
        *(f"cannot do that now: {line}" for line in ("add ../s3", "add c1", "put x", "load many")),
        "1",
    ]
    assert [line.split()[1] for line in status.splitlines()] == ["up", "up", "up"]


def test_the_history_of_an_interrupted_run_is_kept(tmp_path: Path) -> None:
    files = tmp_path / "files"
    process = subprocess.Popen(
        [sys.executable, "-m", "models.cluster", "--directory", str(files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdin and process.stdout
    process.stdin.write("put x 1\nload 100000\n")
    process.stdin.flush()
    for _ in range(3):
        process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    history = [json.loads(text) for text in (files / "history.ndjson").read_text().splitlines()]
    assert [told["type"] for told in history[:2]] == ["invoke", "ok"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--nodes", "0"], "is not in the range"),
        (["--snapshot-every", "0"], "is not in the range"),
        (["--directory", "FILE/below"], "Not a directory"),
        (["--directory", "FULL"], "is not empty"),
    ],
)
def test_a_cluster_that_cannot_be(options: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "FILE").write_text("")
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "history.ndjson").write_text("")
    places = [str(tmp_path / o) if o.startswith("F") else o for o in options]
    result = CliRunner().invoke(main, places)
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert isinstance(result.exception, SystemExit)
