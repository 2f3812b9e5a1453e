"""The protocols that can be run: how their nodes are made, and what their traces are traces of."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from typing import Protocol as Interface

from models import multi_paxos, paxos, raft_extended, store, trace
from models import raft as raft_module
from models import zab as zab_module
from models.node import Effects, Event, Message, Node
from models.plan import Features, Plan
from models.raft import NOOP
from models.raft_extended import ExtendedServer
from models.replica import Replica


class Machine(Interface):
    """What a host runs: a node alone, or with a store on top."""

    @property
    def node(self) -> Node: ...

    def step(self, event: Event, now: float) -> Effects: ...

    def durable(self) -> dict[str, Any]: ...

    def restore(self, durable: Mapping[str, Any]) -> None: ...


Build = Callable[[str, Plan, random.Random, int, bool], Machine]
Constants = Mapping[str, trace.Json]


@dataclass(frozen=True)
class Protocol:
    """`serves`: clients use it as a store. `fifo`: it needs channels like those of TCP, which keep the order, and lose
    something only if one of the two crashes. `specs`: what its traces are traces of, if it has such features."""

    name: str
    spec: str
    sort: str  # of the nodes, in the spec
    shown: type[Node]  # whose fields the trace shows
    build: Build  # from name, plan, random numbers, number of the start, and whether to record
    modules: tuple[ModuleType, ...] = ()  # where its messages are
    constants: Callable[[Plan, Features], Constants] = lambda plan, features: {}  # of the spec
    serves: bool = True
    fifo: bool = False
    specs: Mapping[Features, str] = field(default_factory=dict)

    def header(self, plan: Plan, features: Features, joining: Iterable[str], ordered: bool) -> trace.Json:
        """The first line of the traces of a run; `joining` are nodes that were not there at the start."""
        named = [name for name in plan.names if self.serves or name.startswith("a")]
        return trace.header(
            self.specs.get(features, self.spec),
            {self.sort: list(dict.fromkeys((*named, *joining)))},
            self.complete(features),
            ordered,
            features.names,
            self.constants(plan, features),
        )

    def complete(self, features: Features) -> Iterable[str]:
        """The fields that the spec has, too."""
        needed = self.shown.OF_FEATURES
        return (name for name in self.shown.SHOWN if needed.get(name, frozenset()) <= {*features.names})

    @property
    def messages(self) -> dict[str, type[Message]]:
        """All that travels, by name."""
        return {
            name: kind
            for module in (*self.modules, store)
            for name, kind in vars(module).items()
            if isinstance(kind, type) and issubclass(kind, Message)
        }

    def settled(self, machines: Iterable[Machine]) -> bool:
        """Whether there is nothing to wait for, where no clients are: all learners know."""
        learners = [m.node for m in machines if isinstance(m.node, paxos.Learner)]
        return bool(learners) and all(learner.learned is not None for learner in learners)


def raft(server: type[ExtendedServer] = ExtendedServer) -> Protocol:
    def build(name: str, plan: Plan, rng: random.Random, boot: int, recording: bool) -> Machine:
        members = plan.names if name in plan.names else ()
        node = server(name, members, rng, boot, recording, snapshot_every=plan.snapshot_every)
        return Replica(node, plan.local_reads)

    def constants(plan: Plan, features: Features) -> Constants:
        return {"first": [*plan.names]} if features.membership else {}

    specs = {
        Features(membership=True): "RaftMembership",
        Features(snapshots=True): "RaftSnapshots",
        Features(snapshots=True, membership=True): "RaftComplete",
    }
    return Protocol("raft", "Raft", "Server", server, build, (raft_module, raft_extended), constants, specs=specs)


def multi(server: type[multi_paxos.Server] = multi_paxos.Server) -> Protocol:
    def build(name: str, plan: Plan, rng: random.Random, boot: int, recording: bool) -> Machine:
        return Replica(server(name, plan.names, rng, boot, recording), plan.local_reads)

    return Protocol("multi-paxos", "MultiPaxos", "Acceptor", server, build, (multi_paxos,), lambda *_: {"noop": NOOP})


def single(
    acceptor: type[paxos.Acceptor] = paxos.Acceptor, proposer: type[paxos.Proposer] = paxos.Proposer
) -> Protocol:
    def build(name: str, plan: Plan, rng: random.Random, boot: int, recording: bool) -> Machine:
        roles = paxos.Roles(*(tuple(n for n in plan.names if n[0] == letter) for letter in "pal"))
        made: dict[str, type[paxos.Participant]] = {"p": proposer, "a": acceptor, "l": paxos.Learner}
        return made[name[0]](name, roles, rng, boot, recording)

    return Protocol("paxos", "Paxos", "Acceptor", acceptor, build, (paxos,), serves=False)


def zab(server: type[zab_module.Server] = zab_module.Server) -> Protocol:
    def build(name: str, plan: Plan, rng: random.Random, boot: int, recording: bool) -> Machine:
        return Replica(server(name, plan.names, rng, boot, recording), plan.local_reads)

    def ids(plan: Plan, features: Features) -> Constants:
        return {"id": {name: place for place, name in enumerate(plan.names)}}

    return Protocol("zab", "ZabElection", "Server", server, build, (zab_module,), ids, fifo=True)


PROTOCOLS = {protocol.name: protocol for protocol in (single(), multi(), raft(), zab())}
