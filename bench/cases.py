"""What is measured: instances of the shipped specs, and the same state graphs in the languages of other tools.

A case names the properties that the peers check too, so that all tools do the same work in each state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import promela

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True)
class Peers:
    """The models of a case in other languages."""

    promela: Callable[[], str]
    murphi: str


@dataclass(frozen=True)
class Case:
    """One state graph: of an instance of the spec, with other `sizes`, and of the same protocol for the peers.

    `properties` are those of the spec that are checked; None: those that the instance names. `murphi` is a template
    with @NAME@ for sizes. `states` is how many there are without symmetry, which every tool has to find.
    """

    name: str
    spec: Path
    instance: str
    sizes: Mapping[str, int]
    properties: tuple[str, ...] | None
    peers: Peers | None
    states: int

    @property
    def murphi_text(self) -> str:
        assert self.peers is not None
        text = (PEERS / self.peers.murphi).read_text()
        for name, size in self.sizes.items():
            text = text.replace(f"@{name}@", str(size))
        return text


def _paxos(acceptors: int, ballots: int, values: int, states: int) -> Case:
    return Case(
        f"Paxos {acceptors}/{ballots}/{values}",
        ROOT / "specs" / "paxos.spec",
        "small",
        {"Acceptor": acceptors, "Ballot": ballots, "Value": values},
        ("Agreement", "OneValuePerBallot"),
        Peers(lambda: promela.paxos(acceptors, ballots, values), "paxos.m"),
        states,
    )


def _two_phase_commit(managers: int, states: int) -> Case:
    return Case(
        f"two-phase commit {managers}",
        ROOT / "specs" / "two_phase_commit.spec",
        "three",
        {"ResourceManager": managers},
        ("Consistency",),
        Peers(lambda: promela.two_phase_commit(managers), "two_phase_commit.m"),
        states,
    )


def _raft(instance: str, states: int) -> Case:
    """Nobody has the same messages, crashes and restarts in another language, and so it is compared to Paxos."""
    return Case(f"Raft, {instance}", ROOT / "specs" / "raft.spec", instance, {}, None, None, states)


SMALL = (_paxos(3, 2, 2, 3_921), _two_phase_commit(5, 8_832), _raft("two_servers", 26_090))
"""Done in a second or two; to see that everything works, not to compare speeds."""

FULL = (
    _paxos(4, 3, 2, 2_135_473),
    _two_phase_commit(7, 296_448),
    _two_phase_commit(9, 10_340_352),
    _raft("three_servers_at_length", 22_461_344),
)
"""Acceptors, ballots and values; resource managers; an instance of the spec."""
