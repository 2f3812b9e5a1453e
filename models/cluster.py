"""`python -m models.cluster`: a cluster of processes on loopback, which can be asked, killed, restarted and resized."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click

from models.client import Client, Happening
from models.node import Effects
from models.protocols import PROTOCOLS
from models.store import Operation, Outcome, Value
from models.tcp import TcpHost
from models.trace import Json, line


class Unanswered(Exception):
    """The cluster has not answered in time; the operation may be done or not."""


@dataclass
class Cluster:
    """The processes of a cluster; all files are in `directory`: ports, journals, traces, what the nodes print."""

    protocol: str
    size: int
    directory: Path
    snapshot_every: int | None = None
    sync: bool = True
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    history: list[Json] = field(default_factory=list)
    leader: str | None = None  # who answered last
    asked: int = 0

    async def start(self) -> None:
        self.members = [f"s{i}" for i in range(self.size)]
        await asyncio.gather(*(self.run(name) for name in self.members))

    async def run(self, name: str) -> None:
        """Starts the process of a node, for the first time or again, and waits until it listens."""
        port = self.directory / f"{name}.port"
        port.unlink(missing_ok=True)
        options = ["--protocol", self.protocol, "--name", name, "--nodes", str(self.size)]
        options += ["--directory", str(self.directory), "--sync" if self.sync else "--no-sync"]
        options += ["--snapshot-every", str(self.snapshot_every)] if self.snapshot_every else []
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "models.serve", *options, stdout=log, stderr=log
            )
        for _ in range(600):
            if port.exists():
                return
            await asyncio.sleep(0.05)
        raise Unanswered(f"{name} does not start; see {self.directory / name}.log")

    async def kill(self, name: str) -> None:
        """SIGKILL: the process has no time for anything."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):  # it may be dead already
            process.kill()
        await process.wait()

    def is_up(self, name: str) -> bool:
        return name in self.processes and self.processes[name].returncode is None

    async def stop(self) -> None:
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        await asyncio.gather(*(process.wait() for process in self.processes.values()))
        self.processes.clear()

    # --- clients ----------------------------------------------------------------------------------

    async def ask(self, f: str, key: str, value: Value = None, patience: float = 15.0) -> Outcome:
        """One operation; `Unanswered` after `patience` seconds."""
        client = await self.load(iter([Operation(f, key, value)]), patience)
        if not client.answers:
            raise Unanswered(f"{f} {key}: no answer after {patience:g} s")
        return client.answers[0][1]

    async def load(self, operations: Iterator[Operation], patience: float = 15.0) -> Client:
        """One client that asks the operations one after the other; returns it when it is done."""
        self.asked += 1
        done = asyncio.Event()
        rng = random.Random(f"{self.asked} {time.time_ns()}")
        started = [name for name in self.members if name in self.processes]
        first = [self.leader] if self.leader in started else started
        client = Client(self.asked, 100_000, self.members, operations, rng, self.tell, patience=patience * 1000)
        client.server = rng.choice([name for name in first if name])

        def keep(effects: Effects) -> None:
            if client.done:
                done.set()

        messages = PROTOCOLS[self.protocol].messages
        host = TcpHost(client.name, client, self.directory, messages, lambda message: (), keep)
        await host.start()
        try:
            await done.wait()
        finally:
            await host.stop()
            (self.directory / f"{client.name}.port").unlink()
        self.leader = client.server
        return client

    def tell(self, happening: Happening) -> None:
        if happening.f in ("read", "write", "cas"):
            self.history.append(happening.shown(len(self.history), time.monotonic() * 1000))

    # --- elasticity -------------------------------------------------------------------------------

    async def add(self, name: str) -> None:
        """Starts a new node and lets it join."""
        await self.run(name)
        await self.ask("join", name)
        self.members.append(name)

    async def remove(self, name: str) -> None:
        """Lets a node leave, and stops its process."""
        await self.ask("leave", name)
        self.members.remove(name)
        if name in self.processes:
            await self.kill(name)


@asynccontextmanager
async def running(cluster: Cluster) -> AsyncIterator[Cluster]:
    """The cluster, started; stopped at the end whatever happens."""
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()


# --- the command ----------------------------------------------------------------------------------


def mixed(client: int, count: int, rng: random.Random) -> Iterator[Operation]:
    """Reads, writes and swaps of a few keys that all clients share, and writes of keys that are the client's own."""
    for n in range(1, count + 1):
        value = client * 1_000_000 + n
        match n % 4:
            case 0:
                yield Operation("write", f"own-{client}-{n}", value)
            case 1:
                yield Operation("write", f"k{rng.randrange(3)}", value)
            case 2:
                yield Operation("read", f"k{rng.randrange(3)}")
            case _:
                yield Operation("cas", f"k{rng.randrange(3)}", (rng.choice((None, value - 2)), value))


Say = Callable[[str], None]


async def demonstrate(cluster: Cluster, say: Say, clients: int = 4, operations: int = 200) -> list[str]:
    """Kills, restarts, and, where the protocol can, growth and shrinking, while clients ask; then all is read back.

    Returns what was acknowledged and is lost.
    """
    rng = random.Random(0)
    loads = [asyncio.create_task(cluster.load(mixed(c, operations, rng))) for c in range(1, clients + 1)]
    await asyncio.sleep(0.3)
    await _trouble(cluster, say)
    done = await asyncio.gather(*loads)
    acknowledged = {
        command.operation.key: command.operation.value
        for client in done
        for command in client.acknowledged
        if command.operation.key.startswith("own-")
    }
    say(f"{sum(len(c.acknowledged) for c in done)} operations were done; now reading {len(acknowledged)} writes back")
    reader = await cluster.load(Operation("read", key) for key in acknowledged)
    found = {command.operation.key: outcome.value for command, outcome in reader.answers}
    return [key for key, value in acknowledged.items() if found.get(key) != value]


async def _trouble(cluster: Cluster, say: Say) -> None:
    followers = [name for name in cluster.members if name != await _leader(cluster)]
    say(f"kill {followers[0]}, a follower")
    await cluster.kill(followers[0])
    await asyncio.sleep(0.3)
    down = [followers[0]]
    if cluster.size < 5:  # one down is all that it stands
        say(f"restart {down[0]}")
        await cluster.run(down.pop())
    down.append(await _leader(cluster))
    say(f"kill {down[-1]}, the leader")
    await cluster.kill(down[-1])
    say(f"{await _leader(cluster)} leads now; restart {' and '.join(down)}")
    await asyncio.gather(*(cluster.run(name) for name in down))
    if cluster.protocol == "raft":
        for name in (f"s{cluster.size}", f"s{cluster.size + 1}"):
            say(f"add {name}")
            await cluster.add(name)
        leaving = await _leader(cluster)
        say(f"remove {leaving}, the leader")
        await cluster.remove(leaving)
    leader = await _leader(cluster)
    say(f"kill {leader}, the leader, and restart it at once")
    await cluster.kill(leader)
    await cluster.run(leader)


async def _leader(cluster: Cluster) -> str:
    await cluster.ask("read", "k0")
    assert cluster.leader
    return cluster.leader


HELP = """\
put KEY VALUE | get KEY | cas KEY OLD NEW      VALUE is JSON, or a word
kill NODE | restart NODE | add NODE | remove NODE      NODE is s0, s1, ...
load OPERATIONS      asks them while you go on
status | help | quit"""


class Prompt:
    """One line of the user at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.loads: set[asyncio.Task[None]] = set()

    async def obey(self, words: list[str]) -> str:
        """Does what a line says; the answer."""
        cluster, members = self.cluster, self.cluster.members
        match words:
            case ["put", key, value]:
                return _worded(await cluster.ask("write", key, _value(value)))
            case ["get", key]:
                return _worded(await cluster.ask("read", key))
            case ["cas", key, old, new]:
                return _worded(await cluster.ask("cas", key, (_value(old), _value(new))))
            case ["kill", name] if name in cluster.processes:
                await cluster.kill(name)
            case ["restart", name] if name in members and not cluster.is_up(name):
                await cluster.run(name)
            case ["add", name] if cluster.protocol == "raft" and re.fullmatch(r"s\d+", name) and name not in members:
                await cluster.add(name)
            case ["remove", name] if cluster.protocol == "raft" and name in members:
                await cluster.remove(name)
            case ["load", count] if count.isdigit():
                task = asyncio.create_task(self.load(int(count)))
                self.loads.add(task)
                task.add_done_callback(self.loads.discard)
            case ["status"]:
                return self.status()
            case ["help"]:
                return HELP
            case _:
                return f"cannot do that now: {' '.join(words)}\n{HELP}"
        return "done"

    async def load(self, count: int) -> None:
        client = await self.cluster.load(mixed(self.cluster.asked + 1, count, random.Random(count)))
        click.echo(f"{client.name}: {len(client.acknowledged)} of {count} operations were answered")

    def status(self) -> str:
        leader = self.cluster.leader
        up = {name: self.cluster.is_up(name) for name in self.cluster.members}
        return "\n".join(
            f"{name} {'up' if is_up else 'down'}{' leads' * (is_up and name == leader)}" for name, is_up in up.items()
        )


def _value(word: str) -> Value:
    try:
        return json.loads(word)
    except ValueError:
        return word


def _worded(outcome: Outcome) -> str:
    return json.dumps(outcome.value) if outcome.done else f"no: it is {json.dumps(outcome.value)}"


async def _converse(cluster: Cluster) -> None:
    prompt = Prompt(cluster)
    click.echo(f"{', '.join(cluster.members)} are up; files in {cluster.directory}; help tells what you can do")
    while True:
        if sys.stdin.isatty():
            click.echo("> ", nl=False)
        text = await asyncio.to_thread(sys.stdin.readline)
        words = text.split()
        if not text or words == ["quit"]:
            await asyncio.gather(*prompt.loads)
            return
        if words:
            try:
                click.echo(await prompt.obey(words))
            except Unanswered as error:
                click.echo(str(error))


async def _main(cluster: Cluster, demo: bool) -> bool:
    lost: list[str] = []
    try:
        async with running(cluster):
            if not demo:
                await _converse(cluster)
            else:
                lost = await demonstrate(cluster, click.echo)
                click.echo(f"lost: {', '.join(lost)}" if lost else "no acknowledged write is lost")
    finally:  # also of a run that was interrupted
        history = cluster.directory / "history.ndjson"
        history.write_text("".join(f"{line(told)}\n" for told in cluster.history), encoding="utf-8")
    return not lost


@click.command()
@click.option("--protocol", type=click.Choice([p.name for p in PROTOCOLS.values() if p.serves]), default="raft")
@click.option("--nodes", type=click.IntRange(1), default=3, show_default=True)
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Empty; kept afterwards.")
@click.option("--snapshot-every", type=click.IntRange(1), help="Raft: entries between two snapshots.")
@click.option("--demo", is_flag=True, help="A script of kills, restarts and changes of membership under load.")
def main(protocol: str, nodes: int, directory: Path | None, snapshot_every: int | None, demo: bool) -> None:
    """Starts a cluster of NODES processes and does what you type, or what is piped in, line by line.

    DIRECTORY holds the durable state, the traces (*.ndjson) and, at the end, the history of all clients.
    """
    if directory and directory.exists() and any(directory.iterdir()):
        raise click.UsageError(f"{directory} is not empty")
    where = directory or Path(tempfile.mkdtemp(prefix="cluster-"))
    try:
        where.mkdir(parents=True, exist_ok=True)
        fine = asyncio.run(_main(Cluster(protocol, nodes, where, snapshot_every), demo))
    except Unanswered as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{where}: {error.strerror or error}") from None
    finally:
        if directory is None:
            shutil.rmtree(where)
    raise SystemExit(0 if fine else 1)


if __name__ == "__main__":
    main()
