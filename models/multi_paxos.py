"""Multi-Paxos: a replicated log, each slot of which is agreed on by Paxos, as `specs/multi_paxos.spec` has it.

After Lamport, "The Part-Time Parliament" (1998), section 3, and "Paxos Made Simple" (2001), section 3. Each server is
acceptor, learner, and, when no leader is heard of, a proposer that wants to lead. The first half are the steps of the
spec; the second half decides when to take them. Whoever wins a ballot proposes all slots again, which is simple and
takes long where the log is.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from models.node import Envelope, Message, Node, action, handler
from models.raft import NOOP, Timing


@dataclass(frozen=True, slots=True)
class Vote:
    ballot: int
    command: str

    def shown(self) -> dict[str, object]:
        return {"ballot": self.ballot, "command": self.command or None}


@dataclass(frozen=True, slots=True)
class Prepare(Message):
    ballot: int


@dataclass(frozen=True, slots=True)
class Promise(Message):
    ballot: int
    votes: dict[int, Vote]


@dataclass(frozen=True, slots=True)
class Accept(Message):
    ballot: int
    slot: int
    command: str

    def shown(self) -> dict[str, object]:
        return {"ballot": self.ballot, "slot": self.slot, "command": self.command or None}


@dataclass(frozen=True, slots=True)
class Accepted(Message):
    ballot: int
    slot: int
    command: str

    def shown(self) -> dict[str, object]:
        return {"ballot": self.ballot, "slot": self.slot, "command": self.command or None}


# What the spec does not have: how the others learn what is chosen, and that there is a leader.


@dataclass(frozen=True, slots=True)
class Beat(Message):
    """The leader of a ballot is there, and so many slots are chosen."""

    ballot: int
    chosen: int


@dataclass(frozen=True, slots=True)
class Behind(Message):
    """The sender knows of so many chosen slots only."""

    chosen: int


@dataclass(frozen=True, slots=True)
class Chosen(Message):
    """What is chosen for the slots from `first` on."""

    first: int
    commands: tuple[str, ...]


class Server(Node):
    DURABLE: ClassVar[dict[str, Any]] = {"promised": int | None, "votes": dict[int, Vote], "chosen": tuple[str, ...]}
    SHOWN = ("promised", "votes", "leads", "plan")
    COUNTED = (Promise, Accepted)

    def __init__(
        self,
        name: str,
        members: Iterable[str],
        rng: random.Random,
        boot: int = 0,
        recording: bool = False,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(name, rng, boot, recording)
        self.members = tuple(members)
        self.timing = timing or Timing()
        # The acceptor
        self.promised: int | None = None
        self.votes: dict[int, Vote] = {}
        # The learner
        self.chosen: tuple[str, ...] = ()
        self.learned: dict[int, str] = {}  # beyond a slot that is not known yet
        self.delivered = 0
        # The leader of `ballot`, or who wants to be
        self.ballot: int | None = None
        self.promises: dict[str, dict[int, Vote]] = {}
        self.leads: dict[int, bool] = {}
        self.plan: dict[int, dict[int, Vote]] = {}
        self.proposals: dict[int, Envelope] = {}
        self.accepted: dict[int, frozenset[str]] = {}

    # --- the steps of the spec --------------------------------------------------------------------

    @handler
    def on_prepare(self, m: Prepare, sender: str) -> None:
        self.promised = m.ballot
        self.send(Promise(m.ballot, self.votes))

    @handler
    def on_accept(self, m: Accept, sender: str) -> None:
        self.promised = m.ballot
        self.votes = {**self.votes, m.slot: Vote(m.ballot, m.command)}
        self.send(Accepted(m.ballot, m.slot, m.command))

    @action
    def prepare(self, b: int) -> None:
        self.send(Prepare(b))

    @action
    def lead(self, b: int) -> None:
        self.leads = {**self.leads, b: True}
        self.plan = {**self.plan, b: self.latest_votes()}

    @action
    def propose_again(self, b: int, s: int) -> None:
        self.proposals[s] = self.send(Accept(b, s, self.plan[b][s].command))

    @action
    def fill_gap(self, b: int, s: int) -> None:
        self.proposals[s] = self.send(Accept(b, s, NOOP))

    @action
    def propose(self, b: int, s: int, c: str) -> None:
        self.proposals[s] = self.send(Accept(b, s, c))

    def latest_votes(self) -> dict[int, Vote]:
        """For each slot the latest vote that the promises report."""
        latest: dict[int, Vote] = {}
        for votes in self.promises.values():
            for slot, vote in votes.items():
                if slot not in latest or latest[slot].ballot < vote.ballot:
                    latest[slot] = vote
        return latest

    def may_promise(self, ballot: int) -> bool:
        return self.promised is None or self.promised < ballot

    def may_vote(self, ballot: int) -> bool:
        return self.promised is None or self.promised <= ballot

    # --- when they are taken ----------------------------------------------------------------------

    def started(self) -> None:
        self.await_leader()
        self.deliver()

    def timed_out(self, timer: str) -> None:
        if timer == "leader":
            self.stand()
        elif timer == "beat" and self.is_leader():
            self.beat()

    def received(self, message: Message, sender: str) -> None:
        match message:
            case Prepare(ballot) if self.may_promise(ballot):
                self.yield_to(ballot)
                self.on_prepare(message, sender)
            case Accept(ballot) if self.may_vote(ballot):
                self.yield_to(ballot)
                self.on_accept(message, sender)
            case Promise(ballot, votes) if ballot == self.ballot and not self.is_leader():
                self.promises[sender] = votes
                if self.is_quorum(self.promises):
                    self.take_over(ballot)
            case Accepted(ballot, slot, command) if ballot == self.ballot:
                self.accepted[slot] = self.accepted.get(slot, frozenset()) | {sender}
                if self.is_quorum(self.accepted[slot]):
                    self.choose(slot, command)
            case Beat(ballot, chosen) if self.may_vote(ballot):
                self.yield_to(ballot)
                self.leader = sender
                if chosen > len(self.chosen):
                    self.send(Behind(len(self.chosen)), sender)
            case Behind(chosen):
                self.send(Chosen(chosen, self.chosen[chosen : chosen + self.timing.batch]), sender)
            case Chosen(first, commands):
                self.learn(first, commands)
            case _:
                pass

    def proposed(self, value: str, members: tuple[str, ...] | None) -> None:
        if self.is_leader():
            assert self.ballot is not None
            self.propose(self.ballot, len(self.proposals), value)
            self.vote_oneself(self.proposals[len(self.proposals) - 1])

    def stand(self) -> None:
        """Wants to lead: begins a ballot of its own that is above all that it has heard of."""
        count, mine = len(self.members), self.members.index(self.name)
        self.ballot = (max(self.promised or 0, self.ballot or 0) // count + 1) * count + mine
        self.leader = None
        self.promises, self.proposals, self.accepted = {}, {}, {}
        self.leads, self.plan = {}, {}
        self.await_leader()
        self.prepare(self.ballot)
        self.vote_oneself(self.effects.sent[-1])

    def take_over(self, ballot: int) -> None:
        self.lead(ballot)
        self.leader = self.name
        self.set_timer("leader", None)
        plan = self.plan[ballot]
        for slot in range(max(plan, default=-1) + 1):
            if slot in plan:
                self.propose_again(ballot, slot)
            else:
                self.fill_gap(ballot, slot)
            self.vote_oneself(self.proposals[slot])
        self.beat()

    def vote_oneself(self, envelope: Envelope) -> None:
        """A server is an acceptor, too: it takes its own message, and what it answers itself, at once."""
        first = len(self.effects.sent)
        self.receive(envelope)
        for answer in self.effects.sent[first:]:
            if isinstance(answer.message, Promise | Accepted):
                self.receive(answer)

    def beat(self) -> None:
        """Tells all that the leader is there, and sends again what is not chosen yet, as the same messages."""
        self.send(Beat(self.ballot or 0, len(self.chosen)))
        for slot, envelope in self.proposals.items():
            if slot >= len(self.chosen) or not self.is_quorum(self.accepted.get(slot, ())):
                self.effects.sent.append(envelope)
        self.set_timer("beat", self.timing.heartbeat)

    def choose(self, slot: int, command: str) -> None:
        known = len(self.chosen)
        self.learn(slot, (command,))
        if len(self.chosen) > known:
            self.send(Chosen(known, self.chosen[known:]))

    def learn(self, first: int, commands: tuple[str, ...]) -> None:
        for slot, command in enumerate(commands, first):
            if slot >= len(self.chosen):
                self.learned[slot] = command
        while len(self.chosen) in self.learned:
            self.chosen = (*self.chosen, self.learned.pop(len(self.chosen)))
        self.deliver()

    def deliver(self) -> None:
        for slot in range(self.delivered, len(self.chosen)):
            self.effects.delivered.append((slot, self.chosen[slot]))
        self.delivered = len(self.chosen)

    # --- small parts ------------------------------------------------------------------------------

    def is_leader(self) -> bool:
        return self.ballot is not None and self.leads.get(self.ballot, False)

    def yield_to(self, ballot: int) -> None:
        """Whoever hears of a higher ballot leads no more, and does not stand at once."""
        if ballot != self.ballot:
            if self.ballot is not None and self.ballot < ballot:
                self.ballot = None
            if self.leader == self.name:
                self.leader = None
                self.set_timer("beat", None)
            self.await_leader()

    def await_leader(self) -> None:
        self.set_timer("leader", self.rng.uniform(self.timing.election, 2 * self.timing.election))

    def is_quorum(self, servers: Iterable[str]) -> bool:
        return 2 * len(set(servers).intersection(self.members)) > len(self.members)

    def owner(self, ballot: int) -> str:
        return self.members[ballot % len(self.members)]

    def audience(self, message: Message) -> Sequence[str]:
        """Answers go to who leads the ballot, though they are for anyone."""
        match message:
            case Promise(ballot) | Accepted(ballot):
                return [self.owner(ballot)]
            case _:
                return self.members
