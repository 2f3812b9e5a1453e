"""What is to happen in a simulated run: sizes, how bad the network is, and a schedule of faults.

A plan and the seed in it determine a run to the last detail. `planned` draws a plan from a seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Crash:
    """The node loses its volatile state, and a write under way or not; it comes up `down` later."""

    at: float
    node: str
    down: float

    @property
    def nodes(self) -> frozenset[str]:
        return frozenset({self.node})

    def told(self) -> str:
        return f"{self.node} crashes, and is down for {self.down:.0f} ms"


@dataclass(frozen=True, slots=True)
class Partition:
    """Nothing passes from `side` to the other nodes; nor the other way, unless it is `one_way`.

    Clients reach both sides.
    """

    at: float
    lasts: float
    side: frozenset[str]
    one_way: bool = False

    @property
    def nodes(self) -> frozenset[str]:
        return self.side

    def told(self) -> str:
        way, to = ("from", "to") if self.one_way else ("between", "and")
        return f"for {self.lasts:.0f} ms nothing passes {way} {', '.join(sorted(self.side))} {to} the others"


@dataclass(frozen=True, slots=True)
class SlowDisk:
    """Each write takes `latency`, and the node waits for it. It looks like a long pause of the process, too."""

    at: float
    lasts: float
    node: str
    latency: float

    @property
    def nodes(self) -> frozenset[str]:
        return frozenset({self.node})

    def told(self) -> str:
        return f"for {self.lasts:.0f} ms each write of {self.node} takes {self.latency:.0f} ms"


@dataclass(frozen=True, slots=True)
class Change:
    """An operator asks to let the node join or leave."""

    at: float
    f: str
    node: str

    @property
    def nodes(self) -> frozenset[str]:
        return frozenset()  # it may be a new one

    def told(self) -> str:
        return f"{self.node} is to {self.f}"


Fault = Crash | Partition | SlowDisk | Change


@dataclass(frozen=True, slots=True)
class Features:
    """What Raft does beyond the paper."""

    snapshots: bool = False
    membership: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return ("snapshots",) * self.snapshots + ("membership",) * self.membership


@dataclass(frozen=True, slots=True)
class Plan:
    """Times are in milliseconds.

    Faults happen before `calm`. From then on nothing gets lost, and by `end` all that clients asked must be answered.
    """

    protocol: str
    seed: int
    nodes: int = 3
    clients: int = 2
    operations: int = 8  # of each client
    readers: int = 0  # so many of the clients read only
    keys: int = 2
    loss: float = 0.0  # probability that a message gets lost
    duplication: float = 0.0  # probability that it arrives twice
    delay: tuple[float, float] = (1.0, 8.0)
    tail: float = 0.0  # probability that it takes ten times as long
    skew: float = 0.0  # clocks run up to this fraction too fast or too slow
    faults: tuple[Fault, ...] = ()
    calm: float = 2500.0
    end: float = 20000.0
    snapshot_every: int | None = None
    local_reads: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes there are at the start; for Paxos `nodes` counts the acceptors."""
        if self.protocol != "paxos":
            return tuple(f"s{i}" for i in range(self.nodes))
        return (*(f"a{i}" for i in range(self.nodes)), "p0", "p1", "l0", "l1")

    @property
    def joining(self) -> tuple[str, ...]:
        return tuple(fault.node for fault in self.faults if isinstance(fault, Change) and fault.f == "join")

    @property
    def features(self) -> Features:
        changes = any(isinstance(fault, Change) for fault in self.faults)
        return Features(self.snapshot_every is not None, changes)

    def told(self) -> str:
        """The plan, for people."""
        low, high = self.delay
        lines = [
            f"{self.protocol}, seed {self.seed}: {self.nodes} nodes, {self.clients} clients, each with "
            f"{self.operations} operations on {self.keys} keys",
            f"messages: {low:g} to {high:g} ms, {self.tail:.0%} ten times that, {self.loss:.0%} lost, "
            f"{self.duplication:.0%} twice; clocks up to {self.skew:.0%} off",
            *(f"at {fault.at:.0f} ms: {fault.told()}" for fault in self.faults),
        ]
        return "\n".join(lines)


def planned(protocol: str, seed: int, nodes: int | None = None, features: Features | None = None) -> Plan:
    """A run with faults of all kinds, some more and some less."""
    features = features or Features()
    rng = random.Random(f"{protocol} {seed}")
    plan = Plan(
        protocol,
        seed,
        nodes=nodes or rng.choice((3, 3, 5)),
        clients=rng.randint(1, 3),
        operations=rng.randint(4, 10),
        keys=rng.randint(1, 3),
        loss=rng.choice((0.0, 0.02, 0.1)),
        duplication=rng.choice((0.0, 0.05)),
        delay=rng.choice(((1.0, 3.0), (1.0, 10.0), (1.0, 40.0))),
        tail=rng.choice((0.0, 0.02)),
        skew=rng.choice((0.0, 0.1, 0.3)),
        snapshot_every=rng.choice((3, 10)) if features.snapshots else None,
    )
    return _with_faults(plan, rng, features)


def _with_faults(plan: Plan, rng: random.Random, features: Features) -> Plan:
    faults: list[Fault] = []
    for _ in range(rng.randint(0, 6)):
        at, lasts = rng.uniform(100, plan.calm - 400), rng.uniform(50, 800)
        node = rng.choice(plan.names)
        match rng.choice(("crash", "crash", "partition", "disk")):
            case "crash":
                faults.append(Crash(at, node, lasts))
            case "partition":
                side = frozenset(rng.sample(plan.names, rng.randint(1, plan.nodes // 2)))
                faults.append(Partition(at, lasts, side, one_way=rng.random() < 0.3))
            case _:
                faults.append(SlowDisk(at, lasts, node, rng.choice((5.0, 30.0, 150.0))))
    if features.membership:
        faults += _changes(plan, rng)
    return replace(plan, faults=tuple(sorted(faults, key=lambda fault: fault.at)))


def _changes(plan: Plan, rng: random.Random) -> list[Fault]:
    """Some servers join that were not there, some leave."""
    members, found = list(plan.names), list[Fault]()
    at = 400.0
    for number in range(rng.randint(1, 3)):
        if len(members) > 2 and rng.random() < 0.5:
            found.append(Change(at, "leave", members.pop(rng.randrange(len(members)))))
        else:
            members.append(f"s{plan.nodes + number}")
            found.append(Change(at, "join", members[-1]))
        at += rng.uniform(0, 600)
    return found
