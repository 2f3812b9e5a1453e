"""A server of Zab, as `specs/zab.spec` has it: discovery, synchronisation, broadcast; and an election before them.

After Junqueira, Reed and Serafini, "Zab: High-performance broadcast for primary-backup systems" (DSN 2011). The first
half are the steps of the spec, one method each; the second half decides when to take them. The spec leaves the election
to an oracle: here servers tell each other whom they would follow and prefer who has the latest history, as ZooKeeper's
fast leader election does (Medeiros, "ZooKeeper's atomic broadcast protocol: Theory and practice", 2012, section 3).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from models.log import Numbered
from models.node import Envelope, Message, Node, action, handler
from models.raft import Timing


class Phase(Enum):
    ELECTION = "election"
    DISCOVERY = "discovery"
    SYNCHRONISATION = "synchronisation"
    BROADCAST = "broadcast"


class Office(Enum):
    """What a server is as a leader, besides following itself."""

    FOLLOWER = "follower"
    GATHERING = "gathering"
    DISCOVERING = "discovering"
    SYNCHRONISING = "synchronising"
    BROADCASTING = "broadcasting"


@dataclass(frozen=True, slots=True)
class Txn:
    epoch: int
    value: str


@dataclass(frozen=True, slots=True)
class History(Numbered):
    """Transactions at indices from 1 on."""

    entries: tuple[Txn, ...] = ()

    def epoch_at_end(self) -> int:
        return self.entries[-1].epoch if self.entries else 0

    def numbered(self) -> dict[int, Txn]:
        return dict(enumerate(self.entries, 1))


@dataclass(frozen=True, slots=True)
class CEpoch(Message):
    accepted: int


@dataclass(frozen=True, slots=True)
class NewEpoch(Message):
    epoch: int


@dataclass(frozen=True, slots=True)
class AckEpoch(Message):
    epoch: int
    current: int
    history: tuple[Txn, ...]

    def shown(self) -> dict[str, object]:
        history = History(self.history)
        return {"epoch": self.epoch, "current": self.current, "history": history.numbered(), "last": history.last}


@dataclass(frozen=True, slots=True)
class NewLeader(Message):
    epoch: int
    history: tuple[Txn, ...]

    def shown(self) -> dict[str, object]:
        history = History(self.history)
        return {"epoch": self.epoch, "history": history.numbered(), "last": history.last}


@dataclass(frozen=True, slots=True)
class AckLeader(Message):
    epoch: int
    last: int


@dataclass(frozen=True, slots=True)
class CommitLeader(Message):
    epoch: int
    commit: int


@dataclass(frozen=True, slots=True)
class Propose(Message):
    epoch: int
    index: int
    value: str


@dataclass(frozen=True, slots=True)
class Ack(Message):
    epoch: int
    index: int


@dataclass(frozen=True, slots=True)
class Commit(Message):
    epoch: int
    index: int


# What the spec does not have: the election, and signs of life.


@dataclass(frozen=True, order=True, slots=True)
class Ballot:
    """Whom a server would follow; the greater ballot wins."""

    current: int
    last_epoch: int
    last: int
    server: str


@dataclass(frozen=True, slots=True)
class Look(Message):
    """The sender's ballot in a round of the election; one that does not look any more names its leader."""

    round: int
    ballot: Ballot
    leader: str | None


@dataclass(frozen=True, slots=True)
class Ping(Message):
    """Of a leader to those who may follow it, and back from those who do."""

    leader: str


def _start(message: str) -> str:
    """The sender of a message, and which of its starts it was sent in, by the message's id."""
    return message.rpartition(".")[0]


class Server(Node):
    DURABLE: ClassVar[dict[str, Any]] = {"accepted": int, "current": int, "txns": tuple[Txn, ...]}
    SHOWN = (
        *("accepted", "current", "history", "last", "phase", "leader", "delivered"),
        *("office", "epoch", "followers", "answered", "best", "log", "log_last", "acked", "commit"),
    )

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
        # "Persistent state" of a follower
        self.accepted = 0  # f.p
        self.current = 0  # f.a
        self.txns: tuple[Txn, ...] = ()  # h_f
        # Volatile state
        self.phase = Phase.ELECTION
        self.delivered = 0
        self.resign()
        # The election, and who has shown signs of life since the last look
        self.round = 0
        self.ballot = self.own_ballot()
        self.ballots: dict[str, Ballot] = {}
        self.decided: dict[str, str] = {}
        self.alive: set[str] = set()
        # Messages that wait: to itself, and of those who come between the phases
        self.own: deque[Envelope] = deque()
        self.held: dict[str, deque[Envelope]] = {}

    def resign(self) -> None:
        """The leader's part of the state, as it is at the start."""
        self.leader = None
        self.office = Office.FOLLOWER
        self.epoch = 0
        self.followers: frozenset[str] = frozenset()
        self.answered: frozenset[str] = frozenset()
        self.best = 0
        self.log_txns: tuple[Txn, ...] = ()
        self.acked: dict[str, int] = {}
        self.commit = 0

    @property
    def history(self) -> History:
        return History(self.txns)

    @property
    def last(self) -> int:
        return len(self.txns)

    @property
    def log(self) -> History:
        return History(self.log_txns)

    @property
    def log_last(self) -> int:
        return len(self.log_txns)

    # --- the steps of the spec --------------------------------------------------------------------

    @action
    def give_up(self) -> None:
        self.phase = Phase.ELECTION
        self.resign()

    @action
    def elect(self, s: str) -> None:
        self.phase = Phase.DISCOVERY
        self.leader = s
        if s == self.name:
            self.office = Office.GATHERING
            self.epoch = self.accepted
        self.send(CEpoch(self.accepted), s)

    @handler
    def on_c_epoch(self, m: CEpoch, sender: str) -> None:
        if self.office is Office.GATHERING:
            self.followers = self.followers | {sender}
            self.epoch = max(self.epoch, m.accepted)
        elif self.office is Office.BROADCASTING:
            self.followers = self.followers | {sender}
            self.send(NewEpoch(self.epoch), sender)
            self.send(NewLeader(self.epoch, self.log_txns), sender)

    @action
    def new_epoch(self) -> None:
        self.office = Office.DISCOVERING
        self.epoch += 1
        self.send_followers(NewEpoch(self.epoch))

    @handler
    def on_new_epoch(self, m: NewEpoch, sender: str) -> None:
        if self.phase is Phase.DISCOVERY and sender == self.leader and self.accepted <= m.epoch:
            self.phase = Phase.SYNCHRONISATION
            if self.accepted < m.epoch:
                self.accepted = m.epoch
                self.send(AckEpoch(self.accepted, self.current, self.txns), sender)

    @handler
    def on_ack_epoch(self, m: AckEpoch, sender: str) -> None:
        if self.office is Office.DISCOVERING and m.epoch == self.epoch:
            self.answered = self.answered | {sender}
            if self.is_better(m):
                self.best = m.current
                self.log_txns = m.history

    def is_better(self, m: AckEpoch) -> bool:
        """Whether the history is later than the best one so far."""
        its, mine = History(m.history), self.log
        return (m.current, its.epoch_at_end(), its.last) > (self.best, mine.epoch_at_end(), mine.last)

    @action
    def new_leader(self) -> None:
        self.office = Office.SYNCHRONISING
        self.answered = frozenset()
        self.best = 0
        self.send_followers(NewLeader(self.epoch, self.log_txns))

    @handler
    def on_new_leader(self, m: NewLeader, sender: str) -> None:
        follows = self.phase is Phase.SYNCHRONISATION and sender == self.leader and m.epoch == self.accepted
        if follows and (self.current < m.epoch or self.last <= len(m.history)):
            self.current = m.epoch
            self.txns = m.history
            self.send(AckLeader(self.current, self.last), sender)

    @handler
    def on_ack_leader(self, m: AckLeader, sender: str) -> None:
        if self.office in (Office.SYNCHRONISING, Office.BROADCASTING) and m.epoch == self.epoch:
            self.acked = {**self.acked, sender: max(self.acked.get(sender, 0), m.last)}
            if self.office is Office.BROADCASTING:
                self.send(CommitLeader(self.epoch, self.commit), sender)

    @action
    def establish(self) -> None:
        self.office = Office.BROADCASTING
        self.commit = self.log_last
        self.send_followers(CommitLeader(self.epoch, self.commit))

    @handler
    def on_commit_leader(self, m: CommitLeader, sender: str) -> None:
        follows = self.phase is Phase.SYNCHRONISATION and sender == self.leader
        if follows and m.epoch == self.accepted == self.current and m.commit <= self.last:
            self.phase = Phase.BROADCAST
            self.deliver(m.commit)

    @action
    def propose(self, v: str) -> None:
        self.log_txns = (*self.log_txns, Txn(self.epoch, v))
        self.send_followers(Propose(self.epoch, self.log_last, v))

    @handler
    def on_propose(self, m: Propose, sender: str) -> None:
        follows = self.phase in (Phase.SYNCHRONISATION, Phase.BROADCAST) and sender == self.leader
        if follows and m.epoch == self.accepted == self.current and m.index == self.last + 1:
            self.txns = (*self.txns, Txn(self.current, m.value))
            self.send(Ack(self.current, self.last), sender)

    @handler
    def on_ack(self, m: Ack, sender: str) -> None:
        if self.office is Office.BROADCASTING and m.epoch == self.epoch:
            self.acked = {**self.acked, sender: max(self.acked.get(sender, 0), m.index)}

    @action
    def advance_commit(self, i: int) -> None:
        self.commit = i
        self.send_followers(Commit(self.epoch, i))

    @handler
    def on_commit(self, m: Commit, sender: str) -> None:
        if self.phase is Phase.BROADCAST and sender == self.leader and m.epoch == self.current and m.index <= self.last:
            self.deliver(m.index)

    def send_followers(self, message: Message) -> None:
        for s in sorted(self.followers):
            self.send(message, s)

    def deliver(self, upto: int) -> None:
        for index in range(self.delivered + 1, upto + 1):
            self.effects.delivered.append((index, self.txns[index - 1].value))
        self.delivered = max(self.delivered, upto)

    # --- when they are taken ----------------------------------------------------------------------

    def started(self) -> None:
        self.look()

    def timed_out(self, timer: str) -> None:
        match timer:
            case "look" if self.phase is Phase.ELECTION:
                self.tell_ballot()
            case "decide" if self.phase is Phase.ELECTION and self.is_quorum(self.supporters()):
                self.join(self.ballot.server)
            case "patience" if self.phase is not Phase.ELECTION:
                self.be_patient()
            case "ping" if self.office is not Office.FOLLOWER:
                self.ping()
            case _:
                pass
        self.follow_up()

    def received(self, message: Message, sender: str) -> None:
        assert self.receiving is not None
        if (held := self.held.get(sender)) and _start(held[0].id) != _start(self.receiving):
            self.disconnected(sender)
        match message:
            case Look():
                if self.phase is Phase.ELECTION:  # what it asked of this server before, it does not want any more
                    self.take_in(self.held.get(sender, deque()), forget=True)
                self.on_look(message, sender)
            case Ping(leader):
                if leader == self.leader:  # another leader is no sign of life
                    self.alive.add(sender)
                    if sender == leader:
                        self.send(message, sender)
            case _:
                waiting = self.held.setdefault(sender, deque())
                waiting.append(Envelope(self.receiving, sender, self.name, message))
                self.take_in(waiting)
        self.follow_up()

    def proposed(self, value: str, change: str | None) -> None:
        if self.primary == self.name:
            self.propose(value)
            self.follow_up()

    @property
    def primary(self) -> str | None:
        """A leader takes proposals when it has delivered the initial history itself."""
        ready = self.office is Office.BROADCASTING and self.phase is Phase.BROADCAST
        return self.leader if ready or self.leader != self.name else None

    def take_in(self, waiting: deque[Envelope], forget: bool = False) -> None:
        """A CEPOCH that comes between the phases has to wait, and so has what its sender sends after it. It waits until
        an election is over, too."""
        while waiting:
            between = self.phase is Phase.ELECTION or self.office in (Office.DISCOVERING, Office.SYNCHRONISING)
            if between and not forget and isinstance(waiting[0].message, CEpoch):
                return
            envelope = waiting.popleft()
            self.receiving = envelope.id
            self.handle(envelope.message, envelope.sender)

    def disconnected(self, peer: str) -> None:
        """The peer has crashed: what came over the connection that is broken, and is not handled yet, is lost."""
        self.held.pop(peer, None)

    def take_in_all(self) -> None:
        for waiting in self.held.values():
            self.take_in(waiting)

    def handle(self, message: Message, sender: str) -> None:
        match message:
            case CEpoch():
                self.on_c_epoch(message, sender)
            case NewEpoch():
                self.on_new_epoch(message, sender)
            case AckEpoch():
                self.on_ack_epoch(message, sender)
            case NewLeader():
                self.on_new_leader(message, sender)
            case AckLeader():
                self.on_ack_leader(message, sender)
            case CommitLeader():
                self.on_commit_leader(message, sender)
            case Propose():
                self.on_propose(message, sender)
            case Ack():
                self.on_ack(message, sender)
            case Commit():
                self.on_commit(message, sender)
            case _:
                pass

    def follow_up(self) -> None:
        """Takes the steps that are possible now, and the messages that the server has sent to itself, in order."""
        while self.talk_to_itself() or self.advance():
            pass

    def advance(self) -> bool:
        """One step of the leader, if one is possible."""
        match self.office:
            case Office.GATHERING if self.name in self.followers and self.is_quorum(self.followers):
                self.new_epoch()
            case Office.DISCOVERING if self.answered == self.followers:
                self.new_leader()
            case Office.SYNCHRONISING if self.is_quorum(self.acked):
                self.establish()
                self.take_in_all()
            case Office.BROADCASTING if self.committable() > self.commit:
                self.advance_commit(self.committable())
            case _:
                return False
        return True

    def committable(self) -> int:
        """Up to where a quorum has acknowledged."""
        acked = sorted((self.acked.get(s, 0) for s in self.members), reverse=True)
        return acked[len(acked) // 2]

    def talk_to_itself(self) -> bool:
        if not self.own:
            return False
        envelope = self.own.popleft()
        self.receiving = envelope.id
        self.handle(envelope.message, self.name)
        return True

    def send(self, message: Message, to: str | None = None) -> Envelope:
        """As for all nodes; but what a server sends to itself, it takes in within the same step."""
        envelope = super().send(message, to)
        if to == self.name:
            self.own.append(envelope)
        return envelope

    # --- signs of life ----------------------------------------------------------------------------

    def join(self, leader: str) -> None:
        self.elect(leader)
        self.set_timer("look", None)
        self.set_timer("decide", None)
        self.alive = {self.name, leader}
        self.set_timer("patience", 4 * self.timing.election)
        if leader == self.name:
            self.ping()
        self.take_in_all()

    def ping(self) -> None:
        for s in self.members:
            if s != self.name:
                self.send(Ping(self.name), s)
        self.set_timer("ping", self.timing.heartbeat)

    def be_patient(self) -> None:
        """A follower wants signs of life of its leader, a leader those of a quorum; and it wants to get somewhere."""
        leads = self.leader == self.name
        fine = self.is_quorum(self.alive | {self.name}) if leads else self.leader in self.alive
        if not fine or self.phase is not Phase.BROADCAST:
            self.give_up()
            self.look()
            return
        self.alive = set()
        self.set_timer("patience", self.rng.uniform(self.timing.election, 2 * self.timing.election))

    # --- the election -----------------------------------------------------------------------------

    def own_ballot(self) -> Ballot:
        return Ballot(self.current, self.history.epoch_at_end(), self.last, self.name)

    def look(self) -> None:
        self.round += 1
        self.ballot = self.own_ballot()
        self.ballots, self.decided = {}, {}
        self.tell_ballot()

    def tell_ballot(self) -> None:
        self.send(Look(self.round, self.ballot, None))
        self.ballots[self.name] = self.ballot
        self.set_timer("look", self.rng.uniform(self.timing.election, 2 * self.timing.election) / 2)
        self.decide_soon()

    def on_look(self, m: Look, sender: str) -> None:
        if self.phase is not Phase.ELECTION:
            if m.leader is None:
                self.send(Look(self.round, self.ballot, self.leader), sender)
        elif m.leader is not None:
            self.decided[sender] = m.leader
            if self.decided.get(m.leader) == m.leader and self.is_quorum(self.followers_of(m.leader)):
                self.join(m.leader)
        else:
            self.compare(m, sender)

    def compare(self, m: Look, sender: str) -> None:
        """A later round begins the election anew; in the same round, the greater ballot is taken over."""
        if m.round < self.round:
            self.send(Look(self.round, self.ballot, None), sender)
            return
        before = (self.round, self.ballot)
        if m.round > self.round:
            self.round = m.round
            self.ballot = self.own_ballot()
            self.ballots = {}
        self.ballot = max(self.ballot, m.ballot)
        self.ballots[sender] = m.ballot
        if (self.round, self.ballot) != before:
            self.tell_ballot()
        else:
            self.decide_soon()

    def decide_soon(self) -> None:
        """When a quorum has the same ballot, some time is left for a greater one to come."""
        if self.is_quorum(self.supporters()):
            self.set_timer("decide", self.timing.heartbeat / 2)

    def supporters(self) -> frozenset[str]:
        return frozenset(s for s, ballot in self.ballots.items() if ballot == self.ballot)

    def followers_of(self, leader: str) -> frozenset[str]:
        return frozenset(s for s, named in self.decided.items() if named == leader)

    # --- small parts ------------------------------------------------------------------------------

    def is_quorum(self, servers: Iterable[str]) -> bool:
        return 2 * len(set(servers).intersection(self.members)) > len(self.members)

    def audience(self, message: Message) -> Sequence[str]:
        return self.members
