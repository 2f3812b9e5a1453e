"""Runs nodes under a plan: virtual time, a network that loses, delays, repeats and reorders, disks, crashes.

A run is a function of its plan. Events are taken from a heap in the order of their times; nothing else decides.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from models import trace
from models.client import Client, Happening
from models.node import Effects, Envelope, Event, Receive, Start, Timeout
from models.plan import Change, Crash, Partition, Plan, SlowDisk
from models.protocols import Machine, Protocol
from models.store import Operation
from models.trace import Json


@dataclass
class Run:
    """What came of a plan. `failure` is None if all was well; its first word says what kind it is."""

    plan: Plan
    failure: str | None = None
    time: float = 0.0  # virtual, in milliseconds
    events: int = 0
    trace: list[Json] = field(default_factory=list)
    history: list[Json] = field(default_factory=list)


TOO_MANY = 50_000  # events in one run; a usual one has a thousand


class Failure(Exception):
    """What must never happen has happened."""


@dataclass
class Host:
    """A machine with a disk and a clock. `process` is None while it is down."""

    name: str
    number: int
    rate: float  # of its clock
    disk: dict[str, Any] = field(default_factory=dict)
    process: Machine | Client | None = None
    boot: int = 0
    timers: dict[str, int] = field(default_factory=dict)  # which setting of a timer is the valid one
    slow_until: float = 0.0
    latency: float = 0.0
    busy_until: float = 0.0  # it waits for its disk, and takes no events
    writing: tuple[dict[str, Any], Effects] | None = None
    sent: int = 0  # messages


class Simulation:
    """One run. With `record` it keeps the trace. With `go_on` it does not end when nodes disagree, for the history to
    show what clients see of it."""

    def __init__(self, plan: Plan, protocol: Protocol, record: bool = False, go_on: bool = False) -> None:
        self.plan = plan
        self.protocol = protocol
        self.record = record
        self.go_on = go_on
        self.rng = random.Random(plan.seed)
        self.now = 0.0
        self.run = Run(plan)
        self.agreed: dict[int, str] = {}
        self.hosts: dict[str, Host] = {}
        self.clients: list[Client] = []
        self.cuts: list[Partition] = []
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._settings = 0
        self._last_arrival: dict[tuple[str, str], float] = {}

    # --- the run ----------------------------------------------------------------------------------

    def execute(self) -> Run:
        self.set_up()
        try:
            while self._queue and not self.finished():
                self.now, _, happen = heapq.heappop(self._queue)
                if self.now > self.plan.end:
                    raise Failure(f"progress: not all is answered after {self.plan.end:.0f} ms")
                happen()
                self.run.events += 1
                if self.run.events > TOO_MANY:
                    raise Failure(f"progress: not all is answered after {TOO_MANY} events")
            self.check_acknowledged()
        except Failure as failure:
            self.run.failure = self.run.failure or str(failure)
        self.run.time = self.now
        return self.run

    def set_up(self) -> None:
        if self.record:
            # Nobody knows when a connection breaks but by what comes through; so those traces are in no order.
            plan, ordered = self.plan, not self.protocol.fifo
            self.run.trace.append(self.protocol.header(plan, plan.features, plan.joining, ordered))
        for name in self.plan.names:
            self.add_host(name)
        for host in self.hosts.values():
            self.bring_up(host)
        for host in list(self.hosts.values()):
            self.give(host, host.boot, Start())
        for process in range(self.plan.clients if self.protocol.serves else 0):
            self.add_client(process, self.plan.clients, self.operations(process))
        for fault in self.plan.faults:
            self.at(fault.at, partial(self.befall, fault))

    def finished(self) -> bool:
        """All is calm, and all has been answered; protocols without clients have some time to agree."""
        if self.now < self.plan.calm:
            return False
        if self.protocol.serves:
            return all(client.done for client in self.clients)
        return self.protocol.settled(self.machines())

    def machines(self) -> list[Machine]:
        return [host.process for host in self.hosts.values() if host.process and not isinstance(host.process, Client)]

    def at(self, time: float, happen: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (time, self._count, happen))

    # --- hosts ------------------------------------------------------------------------------------

    def add_host(self, name: str) -> Host:
        skew = self.plan.skew
        host = Host(name, len(self.hosts), 1 + self.rng.uniform(-skew, skew))
        self.hosts[name] = host
        return host

    def add_client(self, process: int, stride: int, operations: Iterator[Operation]) -> None:
        host = self.add_host(f"c{process}")
        rng = random.Random(f"{self.plan.seed} {host.name}")
        client = Client(process, stride, self.plan.names, operations, rng, self.tell)
        self.clients.append(client)
        host.process = client
        self.at(1.0, lambda: self.give(host, host.boot, Start()))

    def operations(self, process: int) -> Iterator[Operation]:
        """Each write writes another value, so that a history tells which one a read has seen."""
        rng = random.Random(f"{self.plan.seed} operations {process}")
        for n in range(1, self.plan.operations + 1):
            key, value = f"k{rng.randrange(self.plan.keys)}", 100 * (process + 1) + n
            match "read" if process < self.plan.readers else rng.choice(("read", "read", "write", "write", "cas")):
                case "read":
                    yield Operation("read", key)
                case "write":
                    yield Operation("write", key, value)
                case _:
                    seen = [line["value"][1] for line in self.run.history if line["value"][0] == key]
                    plain = [v for v in seen if isinstance(v, int)]
                    yield Operation("cas", key, (plain[-1] if plain else None, value))

    def start(self, host: Host) -> None:
        self.bring_up(host)
        self.give(host, host.boot, Start())

    def bring_up(self, host: Host) -> None:
        rng = random.Random(f"{self.plan.seed} {host.name} {host.boot}")
        machine = self.protocol.build(host.name, self.plan, rng, host.boot, self.record)
        fresh = machine.node.state() if self.record else {}
        machine.restore(host.disk)
        if host.boot and self.record:
            self.run.trace.append(trace.restart(host.name, self.local(host), fresh, machine.node.state()))
        host.process = machine

    def crash(self, host: Host, down: float) -> None:
        if host.process is None:
            return
        if host.writing is not None:
            durable, effects = host.writing
            if self.rng.random() < 0.5:  # it had reached the disk: the step happened, though nobody heard of it
                host.disk = durable
                self.take_note(effects)
        host.process, host.writing, host.busy_until = None, None, 0.0
        host.boot += 1
        host.timers.clear()
        if self.protocol.fifo:
            for other in self.machines():
                other.node.disconnected(host.name)
        if self.record:
            self.run.trace.append(trace.crash(host.name, self.local(host)))
        self.at(self.now + down, lambda: self.start(host))

    def local(self, host: Host) -> float:
        """What the host's clock shows."""
        return self.now * host.rate

    # --- steps ------------------------------------------------------------------------------------

    def give(self, host: Host, boot: int, event: Event) -> None:
        """Lets the host take an event, unless it has crashed since; later if it waits for its disk."""
        if host.process is None or boot != host.boot:
            return
        if host.busy_until > self.now:
            self.at(host.busy_until, lambda: self.give(host, boot, event))
            return
        effects = host.process.step(event, self.local(host))
        if not effects.write:
            self.carry_out(host, effects)
            return
        assert not isinstance(host.process, Client)
        durable = host.process.durable()
        latency = host.latency if self.now < host.slow_until else 0.0
        if not latency:
            host.disk = durable
            self.carry_out(host, effects)
            return
        host.writing, host.busy_until = (durable, effects), self.now + latency
        boots = {other.name: other.boot for other in self.hosts.values()}
        self.at(host.busy_until, lambda: self.written(host, boots))

    def written(self, host: Host, boots: Mapping[str, int]) -> None:
        """The step that waited for the disk goes on; `boots` are the starts of all hosts when it was taken."""
        if boots[host.name] == host.boot and host.writing:
            host.disk, effects = host.writing
            host.writing = None
            if self.protocol.fifo:  # it goes into connections that are broken since
                effects.sent = [e for e in effects.sent if e.to is None or self.hosts[e.to].boot == boots[e.to]]
            self.carry_out(host, effects)

    def carry_out(self, host: Host, effects: Effects) -> None:
        self.take_note(effects)
        for envelope in effects.sent:
            self.post(host, envelope)
        for timer, delay in effects.timers.items():
            self.set_timer(host, timer, delay)

    def take_note(self, effects: Effects) -> None:
        for step in effects.steps:
            self.run.trace.append(trace.event(step))
        for index, value in effects.delivered:
            if self.agreed.setdefault(index, value) != value:
                self.disagree(f"agreement: {value!r} and {self.agreed[index]!r} are delivered at {index}")

    def disagree(self, what: str) -> None:
        if not self.go_on:
            raise Failure(what)
        self.run.failure = self.run.failure or what

    def set_timer(self, host: Host, timer: str, delay: float | None) -> None:
        self._settings += 1
        host.timers[timer] = setting = self._settings
        if delay is None:
            return
        boot = host.boot

        def run_out() -> None:
            if host.timers.get(timer) == setting:
                self.give(host, boot, Timeout(timer))

        self.at(self.now + delay / host.rate, run_out)

    # --- the network ------------------------------------------------------------------------------

    def post(self, host: Host, envelope: Envelope) -> None:
        if envelope.to is not None:
            self.transmit(host, envelope, envelope.to)
            return
        assert host.process and not isinstance(host.process, Client)
        for name in host.process.node.audience(envelope.message):
            if name != host.name:
                self.transmit(host, envelope, name)

    def transmit(self, host: Host, envelope: Envelope, to: str) -> None:
        if to == host.name or to not in self.hosts:
            return
        host.sent += 1
        chance = Chance(self.plan.seed, host.number, host.sent)
        lost = self.now < self.plan.calm and chance.roll() < self.plan.loss
        if self.protocol.fifo and not self.is_client(host.name) and not self.is_client(to):
            self.arrive_in_order(host, envelope, self.hosts[to], self.delay(chance) * (10 if lost else 1))
        elif not lost and not self.cut_until(host.name, to):
            self.at(self.now + self.delay(chance), partial(self.arrive, envelope, self.hosts[to]))
            if chance.roll() < self.plan.duplication:
                self.at(self.now + self.delay(chance), partial(self.arrive, envelope, self.hosts[to]))

    def is_client(self, name: str) -> bool:
        return isinstance(self.hosts[name].process, Client)

    def delay(self, chance: Chance) -> float:
        low, high = self.plan.delay
        delay = low + (high - low) * chance.roll()
        return delay * 10 if chance.roll() < self.plan.tail else delay

    def arrive(self, envelope: Envelope, host: Host) -> None:
        self.give(host, host.boot, Receive(envelope))

    def arrive_in_order(self, sender: Host, envelope: Envelope, host: Host, delay: float) -> None:
        """As over TCP: what gets lost is sent again, and what a partition holds up comes later; only a crash loses."""
        if host.process is None:
            return
        link = (sender.name, host.name)
        time = max(self.now, self.cut_until(*link)) + delay
        time = self._last_arrival[link] = max(time, self._last_arrival.get(link, 0.0))
        boots = (sender.boot, host.boot)

        def arrive() -> None:
            if boots != (sender.boot, host.boot):
                return  # a crash breaks the connection: what was not read yet is lost, too
            if host.busy_until > self.now:
                self.at(host.busy_until, arrive)
                return
            self.give(host, host.boot, Receive(envelope))

        self.at(time, arrive)

    def cut_until(self, sender: str, to: str) -> float:
        """When messages from one to the other pass again; 0 if they do now."""
        until = 0.0
        if self.is_client(sender) or self.is_client(to):
            return until
        for cut in self.cuts:
            out, back = sender in cut.side and to not in cut.side, to in cut.side and sender not in cut.side
            if out or (back and not cut.one_way):
                until = max(until, cut.at + cut.lasts)
        return until

    # --- faults -----------------------------------------------------------------------------------

    def befall(self, fault: Crash | Partition | SlowDisk | Change) -> None:
        match fault:
            case Crash(_, node, down):
                self.crash(self.hosts[node], down)
            case Partition(at, lasts):
                self.cuts.append(fault)
                self.at(at + lasts, lambda: self.cuts.remove(fault))
            case SlowDisk(at, lasts, node, latency):
                self.hosts[node].slow_until, self.hosts[node].latency = at + lasts, latency
            case Change(_, f, node):
                self.change(f, node)

    def change(self, f: str, node: str) -> None:
        """An operator is a client that asks one thing."""
        if f == "join" and node not in self.hosts:
            self.start(self.add_host(node))
        process = 1000 + len(self.clients)
        self.add_client(process, 1000, iter([Operation(f, node)]))
        self.at(self.now, lambda: None)

    # --- what must hold ---------------------------------------------------------------------------

    def tell(self, happening: Happening) -> None:
        if happening.f in ("read", "write", "cas"):
            self.run.history.append(happening.shown(len(self.run.history), self.now))

    def check_acknowledged(self) -> None:
        """What a client was told is done has been agreed on."""
        texts = set(self.agreed.values())
        for client in self.clients:
            for command in client.acknowledged:
                local = self.plan.local_reads and command.operation.f == "read"
                if not local and command.text() not in texts:
                    raise Failure(f"durability: {command.text()} was acknowledged and is not in the log")


class Chance:
    """A short stream of random numbers that belongs to one message.

    So the fate of a message does not depend on what happens elsewhere, and a plan with a fault less is a similar run.
    """

    def __init__(self, seed: int, host: int, message: int) -> None:
        self._state = (seed * 0x9E3779B97F4A7C15 + host * 0xBF58476D1CE4E5B9 + message * 0x94D049BB133111EB) & _MASK

    def roll(self) -> float:
        """Between 0 and 1 (SplitMix64; Steele, Lea and Flood, OOPSLA 2014)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return (z ^ (z >> 31)) / 2**64


_MASK = 2**64 - 1


def simulate(plan: Plan, protocol: Protocol, record: bool = False, go_on: bool = False) -> Run:
    """Runs the plan; see `Simulation`."""
    return Simulation(plan, protocol, record, go_on).execute()
