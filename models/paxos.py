"""Single-decree Paxos: proposers, acceptors and learners, as `specs/paxos.spec` has them.

After Lamport, "Paxos Made Simple" (2001), section 2. The acceptors' handlers and the proposers' two actions are the
steps of the spec; what proposers remember and what learners do is none of its business.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from models.node import Message, Node, action, handler


@dataclass(frozen=True, slots=True)
class Vote:
    ballot: int
    value: str


@dataclass(frozen=True, slots=True)
class Prepare(Message):
    ballot: int


@dataclass(frozen=True, slots=True)
class Promise(Message):
    ballot: int
    last: Vote | None


@dataclass(frozen=True, slots=True)
class Accept(Message):
    ballot: int
    value: str


@dataclass(frozen=True, slots=True)
class Accepted(Message):
    ballot: int
    value: str


@dataclass(frozen=True, slots=True)
class Chosen(Message):
    """A proposer tells the learners. The spec does not have it: they could have counted themselves."""

    value: str


@dataclass(frozen=True, slots=True)
class Roles:
    """Who is what."""

    proposers: tuple[str, ...]
    acceptors: tuple[str, ...]
    learners: tuple[str, ...]

    def is_quorum(self, acceptors: Iterable[str]) -> bool:
        return 2 * len(set(acceptors).intersection(self.acceptors)) > len(self.acceptors)


class Participant(Node):
    def __init__(self, name: str, roles: Roles, rng: random.Random, boot: int = 0, recording: bool = False) -> None:
        super().__init__(name, rng, boot, recording)
        self.roles = roles

    def audience(self, message: Message) -> Sequence[str]:
        match message:
            case Prepare() | Accept():
                return self.roles.acceptors
            case Promise():
                return self.roles.proposers
            case Accepted():
                return (*self.roles.proposers, *self.roles.learners)
            case _:
                return self.roles.learners


class Acceptor(Participant):
    DURABLE: ClassVar[dict[str, Any]] = {"promised": int | None, "voted": Vote | None}
    SHOWN = ("promised", "voted")

    def __init__(self, name: str, roles: Roles, rng: random.Random, boot: int = 0, recording: bool = False) -> None:
        super().__init__(name, roles, rng, boot, recording)
        self.promised: int | None = None
        self.voted: Vote | None = None

    @handler
    def on_prepare(self, m: Prepare, sender: str) -> None:
        self.promised = m.ballot
        self.send(Promise(m.ballot, self.voted))

    @handler
    def on_accept(self, m: Accept, sender: str) -> None:
        self.promised = m.ballot
        self.voted = Vote(m.ballot, m.value)
        self.send(Accepted(m.ballot, m.value))

    def may_promise(self, ballot: int) -> bool:
        return self.promised is None or self.promised < ballot

    def may_vote(self, ballot: int) -> bool:
        return self.promised is None or self.promised <= ballot

    def started(self) -> None:
        pass

    def received(self, message: Message, sender: str) -> None:
        match message:
            case Prepare(ballot) if self.may_promise(ballot):
                self.on_prepare(message, sender)
            case Accept(ballot) if self.may_vote(ballot):
                self.on_accept(message, sender)
            case _:
                pass

    def timed_out(self, timer: str) -> None:
        pass


class Proposer(Participant):
    """Proposes `value`, in ballots of its own, until it knows that some value is chosen; then it tells the learners."""

    DURABLE: ClassVar[dict[str, Any]] = {"ballot": int}  # so that no ballot is used twice
    COUNTED = (Promise, Accepted)
    PATIENCE = 100.0  # milliseconds until another ballot; up to twice that, so that rivals do not keep in step

    def __init__(self, name: str, roles: Roles, rng: random.Random, boot: int = 0, recording: bool = False) -> None:
        super().__init__(name, roles, rng, boot, recording)
        self.value = f"value of {name}"
        self.ballot = -1
        self.highest = -1  # the highest ballot heard of
        self.promises: dict[str, Vote | None] = {}
        self.offered: str | None = None
        self.accepted: dict[tuple[int, str], frozenset[str]] = {}
        self.chosen: str | None = None

    @action
    def prepare(self, b: int) -> None:
        self.send(Prepare(b))

    @action
    def propose(self, b: int, v: str) -> None:
        self.send(Accept(b, v))

    def started(self) -> None:
        self.set_timer("retry", self.rng.uniform(0, self.PATIENCE))

    def timed_out(self, timer: str) -> None:
        if self.chosen is not None:
            self.send(Chosen(self.chosen))
        else:
            self.ballot = self.next_ballot()
            self.promises, self.offered = {}, None
            self.prepare(self.ballot)
        self.set_timer("retry", self.rng.uniform(self.PATIENCE, 2 * self.PATIENCE))

    def next_ballot(self) -> int:
        """The ballots of a proposer are those that leave its number when divided by how many proposers there are."""
        count, mine = len(self.roles.proposers), self.roles.proposers.index(self.name)
        return (max(self.ballot, self.highest) // count + 1) * count + mine

    def received(self, message: Message, sender: str) -> None:
        match message:
            case Promise(ballot, last):
                self.highest = max(self.highest, ballot)
                if ballot == self.ballot and self.offered is None:
                    self.promises[sender] = last
                    if self.roles.is_quorum(self.promises):
                        self.offered = self.choice()
                        self.propose(ballot, self.offered)
            case Accepted(ballot, value):
                self.highest = max(self.highest, ballot)
                voters = self.accepted[ballot, value] = self.accepted.get((ballot, value), frozenset()) | {sender}
                if self.roles.is_quorum(voters) and self.chosen is None:
                    self.chosen = value
                    self.send(Chosen(value))
            case _:
                pass

    def choice(self) -> str:
        """The value of the latest vote reported, or its own if none is ("P2c")."""
        votes = [vote for vote in self.promises.values() if vote is not None]
        return max(votes, key=lambda vote: vote.ballot).value if votes else self.value


class Learner(Participant):
    DURABLE: ClassVar[dict[str, Any]] = {"learned": str | None}

    def __init__(self, name: str, roles: Roles, rng: random.Random, boot: int = 0, recording: bool = False) -> None:
        super().__init__(name, roles, rng, boot, recording)
        self.learned: str | None = None
        self.accepted: dict[tuple[int, str], frozenset[str]] = {}

    def started(self) -> None:
        pass

    def timed_out(self, timer: str) -> None:
        pass

    def received(self, message: Message, sender: str) -> None:
        match message:
            case Accepted(ballot, value):
                voters = self.accepted[ballot, value] = self.accepted.get((ballot, value), frozenset()) | {sender}
                if self.roles.is_quorum(voters):
                    self.learn(value)
            case Chosen(value):
                self.learn(value)
            case _:
                pass

    def learn(self, value: str) -> None:
        """Two values are told of both, for all to see that Paxos is broken."""
        if value != self.learned:
            self.learned = value
            self.effects.delivered.append((1, value))
