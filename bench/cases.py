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
class Case:
    """One state graph. `sizes` and `properties` are those of the spec; `murphi` is a template with @NAME@ for sizes.

    `states` is how many there are without symmetry, which every tool has to find.
    """

    name: str
    spec: Path
    sizes: Mapping[str, int]
    properties: tuple[str, ...]
    promela: Callable[[], str]
    murphi: str
    states: int

    @property
    def murphi_text(self) -> str:
        text = (PEERS / self.murphi).read_text()
        for name, size in self.sizes.items():
            text = text.replace(f"@{name}@", str(size))
        return text


def _paxos(acceptors: int, ballots: int, values: int, states: int) -> Case:
    return Case(
        f"Paxos {acceptors}/{ballots}/{values}",
        ROOT / "specs" / "paxos.spec",
        {"Acceptor": acceptors, "Ballot": ballots, "Value": values},
        ("Agreement", "OneValuePerBallot"),
        lambda: promela.paxos(acceptors, ballots, values),
        "paxos.m",
        states,
    )


def _two_phase_commit(managers: int, states: int) -> Case:
    return Case(
        f"two-phase commit {managers}",
        ROOT / "specs" / "two_phase_commit.spec",
        {"ResourceManager": managers},
        ("Consistency",),
        lambda: promela.two_phase_commit(managers),
        "two_phase_commit.m",
        states,
    )


SMALL = (_paxos(3, 2, 2, 3_921), _two_phase_commit(5, 8_832))
"""Done in a second or two; to see that everything works, not to compare speeds."""

FULL = (_paxos(4, 3, 2, 2_135_473), _two_phase_commit(7, 296_448), _two_phase_commit(9, 10_340_352))
"""Acceptors, ballots and values; resource managers."""
