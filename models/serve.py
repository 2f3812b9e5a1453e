"""`python -m models.serve`: one node of a TCP cluster, as a process of its own. `models.cluster` starts them."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from pathlib import Path

import click

from models import trace
from models.disk import Journal, TraceFile
from models.node import Effects
from models.plan import Features, Plan
from models.protocols import PROTOCOLS
from models.tcp import TcpHost


@click.command()
@click.option("--protocol", type=click.Choice([p.name for p in PROTOCOLS.values() if p.serves]), required=True)
@click.option("--name", required=True)
@click.option("--nodes", type=int, required=True, help="How many nodes the cluster began with: s0, s1, …")
@click.option("--directory", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--snapshot-every", type=int)
@click.option("--sync/--no-sync", default=True, help="Whether each write waits for the disk.")
def main(protocol: str, name: str, nodes: int, directory: Path, snapshot_every: int | None, sync: bool) -> None:
    """Runs the node NAME until it is killed. A name beyond the first NODES is one that joins later."""
    plan = Plan(protocol, seed=0, nodes=nodes, snapshot_every=snapshot_every)
    asyncio.run(_serve(plan, name, directory, sync))


async def _serve(plan: Plan, name: str, directory: Path, sync: bool) -> None:
    protocol = PROTOCOLS[plan.protocol]
    boots = directory / f"{name}.boots"
    boot = int(boots.read_text(encoding="ascii")) + 1 if boots.exists() else 0
    boots.write_text(str(boot), encoding="ascii")

    rng = random.Random(f"{name} {time.time_ns()}")
    machine = protocol.build(name, plan, rng, boot, True)
    fresh, kinds = machine.node.state(), machine.node.DURABLE
    journal = Journal(directory / f"{name}.journal", kinds, sync)
    machine.restore(journal.read())
    features = Features(snapshots=plan.snapshot_every is not None, membership=plan.protocol == "raft")
    header = protocol.header(plan, features, (name,), ordered=False)
    traced = TraceFile(directory / f"{name}.ndjson", header, kinds, journal.traced)

    def keep(effects: Effects) -> None:
        if effects.steps:
            traced.write(trace.event(step) for step in effects.steps)
        if effects.write:
            journal.write(machine.durable(), traced.size)

    host = TcpHost(name, machine, directory, protocol.messages, machine.node.audience, keep)
    if boot:
        traced.write([trace.restart(name, host.now(), fresh, machine.node.state())])
    journal.write(machine.durable(), traced.size)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await host.start()
    await stop.wait()
    await host.stop()


if __name__ == "__main__":
    sys.exit(main())
