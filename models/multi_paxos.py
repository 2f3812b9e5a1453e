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


# In the spec each ballot is a node: the leader of the ballot. So it is the sender of `Prepare` and `Accept`, and the
# receiver of the answers.


@dataclass(frozen=True, slots=True)
class Prepare(Message):
    ballot: int

    def shown(self) -> dict[str, object]:
        return {}


@dataclass(frozen=True, slots=True)
class Promise(Message):
    ballot: int
    votes: dict[int, Vote]

    def shown(self) -> dict[str, object]:
        return {"votes": self.votes}

    def shown_to(self, to: str | None) -> int:
        return self.ballot


@dataclass(frozen=True, slots=True)
class Accept(Message):
    ballot: int
    slot: int
    command: str

    def shown(self) -> dict[str, object]:
        return {"slot": self.slot, "command": self.command}


@dataclass(frozen=True, slots=True)
class Accepted(Message):
    ballot: int
    slot: int
    command: str

    def shown(self) -> dict[str, object]:
        return {"slot": self.slot, "command": self.command}

    def shown_to(self, to: str | None) -> int:
        return self.ballot


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
    SHOWN = ("promised", "votes", "heard", "latest", "leads", "proposed")
    COUNTED = (Accepted,)

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
        self.heard: frozenset[str] = frozenset()  # whose promises it has
        self.latest: dict[int, Vote] = {}  # the latest votes that they report
        self.leads = False
        self.proposed_slots: frozenset[int] = frozenset()
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
    def prepare(self) -> None:
        self.send(Prepare(self.led()))

    @handler
    def on_promise(self, m: Promise, sender: str) -> None:
        self.heard = self.heard | {sender}
        self.latest = self.later_votes(self.latest, m.votes)
        self.leads = self.is_quorum(self.heard)

    @action
    def propose_again(self, s: int) -> None:
        self.propose_in(s, self.latest[s].command)

    @action
    def fill_gap(self, s: int) -> None:
        self.propose_in(s, NOOP)

    @action
    def propose(self, s: int, c: str) -> None:
        self.propose_in(s, c)

    def propose_in(self, s: int, c: str) -> None:
        self.proposed_slots = self.proposed_slots | {s}
        self.proposals[s] = self.send(Accept(self.led(), s, c))

    def later_votes(self, mine: dict[int, Vote], others: dict[int, Vote]) -> dict[int, Vote]:
        """For each slot the later of two votes."""
        later = {s: vote for s, vote in others.items() if s not in mine or mine[s].ballot < vote.ballot}
        return {**mine, **later}

    def actor(self, step: str) -> str | int:
        return self.name if step in ("on Prepare", "on Accept") else self.led()

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
            case Promise(ballot) if ballot == self.ballot and not self.is_leader():
                self.on_promise(message, sender)
                if self.leads:
                    self.take_over()
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

    def proposed(self, value: str, change: str | None) -> None:
        if self.is_leader():
            self.propose(len(self.proposals), value)
            self.vote_oneself(self.proposals[len(self.proposals) - 1])

    def stand(self) -> None:
        """Wants to lead: begins a ballot of its own that is above all that it has heard of."""
        count, mine = len(self.members), self.members.index(self.name)
        self.ballot = (max(self.promised or 0, self.ballot or 0) // count + 1) * count + mine
        self.leader = None
        self.heard, self.latest, self.leads, self.proposed_slots = frozenset(), {}, False, frozenset()
        self.proposals, self.accepted = {}, {}
        self.await_leader()
        self.prepare()
        self.vote_oneself(self.effects.sent[-1])

    def take_over(self) -> None:
        self.leader = self.name
        self.set_timer("leader", None)
        for slot in range(max(self.latest, default=-1) + 1):
            if slot in self.latest:
                self.propose_again(slot)
            else:
                self.fill_gap(slot)
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
        self.send(Beat(self.led(), len(self.chosen)))
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
        return self.ballot is not None and self.leads

    def led(self) -> int:
        """The ballot that it leads, or wants to."""
        assert self.ballot is not None
        return self.ballot

    def state(self) -> dict[str, object]:
        named = {name: getattr(self, name) for name in self.SHOWN if name != "proposed"}
        return {**named, "proposed": self.proposed_slots}

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
