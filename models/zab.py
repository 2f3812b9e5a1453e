"""A server of Zab with Fast Leader Election, as `specs/zab_election.spec` has it: election, discovery, synchronisation,
broadcast.

After Junqueira, Reed and Serafini, "Zab: High-performance broadcast for primary-backup systems" (DSN 2011), and for the
election Medeiros, "ZooKeeper's atomic broadcast protocol: Theory and practice" (2012). The first half are the steps of
the spec, one method each; the second half decides when to take them.
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


class Standing(Enum):
    """What a server says of itself in the election: it looks for a leader, or follows one, or is the one."""

    LOOKING = "looking"
    FOLLOWING = "following"
    LEADING = "leading"


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
class Vote:
    """Whom to elect, and for what history: its epoch, and the zxid of its last transaction."""

    server: str
    current: int
    epoch: int
    last: int


@dataclass(frozen=True, slots=True)
class Word:
    """What a server that does not look any more has said."""

    standing: Standing
    round: int
    vote: Vote


@dataclass(frozen=True, slots=True)
class Notification(Message):
    standing: Standing
    round: int
    vote: Vote


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


@dataclass(frozen=True, slots=True)
class Ping(Message):
    """A sign of life, which the spec does not have: of a leader to those who may follow it, and back from who does."""

    leader: str


def _start(message: str) -> str:
    """The sender of a message, and which of its starts it was sent in, by the message's id."""
    return message.rpartition(".")[0]


def _looks(message: Message) -> bool:
    return isinstance(message, Notification) and message.standing is Standing.LOOKING


class Server(Node):
    DURABLE: ClassVar[dict[str, Any]] = {"accepted": int, "current": int, "txns": tuple[Txn, ...]}
    SHOWN = (
        *("accepted", "current", "history", "last", "phase", "leader", "delivered"),
        *("looks", "round", "vote", "votes", "others"),
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
        # The election
        self.looks = False
        self.round = 0
        self.vote: Vote | None = None
        self.votes: dict[str, Vote] = {}
        self.others: dict[str, Word] = {}
        # What the spec does not speak of
        self.waiting: dict[str, deque[Envelope]] = {s: deque() for s in self.members}  # messages, by sender
        self.alive: set[str] = set()  # who has shown signs of life lately

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
    def look(self) -> None:
        self.looks = True
        self.round += 1
        self.vote = self.own
        self.votes = {self.name: self.own}
        self.others = {}
        self.tell()

    @action
    def tell_again(self) -> None:
        self.tell()

    @handler
    def on_notification(self, m: Notification, sender: str) -> None:
        if not self.looks:
            if m.standing is Standing.LOOKING:
                self.send(self.notification(), sender)
        elif m.standing is not Standing.LOOKING:
            self.others = {**self.others, sender: Word(m.standing, m.round, m.vote)}
            if m.round == self.round:
                self.votes = {**self.votes, sender: m.vote}
        elif m.round > self.round:
            self.round = m.round
            self.vote = m.vote if self.better(m.vote, self.own) else self.own
            self.votes = {self.name: self.vote, sender: m.vote}
            self.tell()
        elif m.round == self.round:
            self.votes = {**self.votes, sender: m.vote}
            assert self.vote is not None
            if self.better(m.vote, self.vote):
                self.vote = m.vote
                self.votes = {**self.votes, self.name: m.vote}
                self.tell()
        else:
            self.send(self.notification(), sender)

    @property
    def own(self) -> Vote:
        return Vote(self.name, self.current, self.history.epoch_at_end(), self.last)

    def better(self, v: Vote, w: Vote) -> bool:
        """The later history wins, then the greater id."""
        return self.rank(v) > self.rank(w)

    def rank(self, v: Vote) -> tuple[int, ...]:
        return v.current, v.epoch, v.last, self.members.index(v.server)

    def notification(self) -> Notification:
        assert self.vote is not None
        office = Standing.LEADING if self.leader == self.name else Standing.FOLLOWING
        return Notification(Standing.LOOKING if self.looks else office, self.round, self.vote)

    def tell(self) -> None:
        for s in self.members:
            if s != self.name:
                self.send(self.notification(), s)

    @action
    def elect(self) -> None:
        assert self.vote is not None
        self.follow(self.vote.server)

    @action
    def join(self, s: str) -> None:
        its = self.others[s]
        self.round = its.round
        self.vote = its.vote
        self.votes = {}
        self.follow(s)

    def follow(self, s: str) -> None:
        self.looks = False
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
        self.search()
        self.follow_up()

    def timed_out(self, timer: str) -> None:
        match timer:
            case "tell" if self.looks:
                self.tell_again()
                self.set_timer("tell", self.some_time() / 2)
            case "decide" if self.looks and self.is_quorum(self.supporters()):
                self.elect()
                self.set_out()
            case "patience" if not self.looks:
                self.be_patient()
            case "ping" if self.office is not Office.FOLLOWER:
                self.ping()
            case _:
                pass
        self.follow_up()

    def received(self, message: Message, sender: str) -> None:
        assert self.receiving is not None
        match message:
            case Ping(leader):
                if leader == self.leader:  # another leader is no sign of life
                    self.alive.add(sender)
                    if sender == leader:
                        self.send(message, sender)
            case _:
                waiting = self.waiting[sender]
                if waiting and _start(waiting[0].id) != _start(self.receiving):
                    waiting.clear()
                waiting.append(Envelope(self.receiving, sender, self.name, message))
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

    def disconnected(self, peer: str) -> None:
        """The peer has crashed: what came over the connection that is broken, and is not handled yet, is lost."""
        self.waiting[peer].clear()

    def send(self, message: Message, to: str | None = None) -> Envelope:
        """As for all nodes; but what a server sends to itself, it takes in within the same step."""
        envelope = super().send(message, to)
        if to == self.name:
            self.waiting[to].append(envelope)
        return envelope

    def follow_up(self) -> None:
        """Takes in the messages that need not wait, those of each sender in order, and the steps that are possible."""
        while self.take_in() or self.advance():
            pass

    def take_in(self) -> bool:
        for waiting in self.waiting.values():
            if waiting and not self.has_to_wait(waiting):
                envelope = waiting.popleft()
                self.receiving = envelope.id
                self.handle(envelope.message, envelope.sender)
                return True
        return False

    def has_to_wait(self, waiting: Sequence[Envelope]) -> bool:
        """A CEPOCH that comes between the phases has to wait, and so has what its sender sends after it. It waits until
        an election is over, too, unless its sender looks again and does not want it any more."""
        if not isinstance(waiting[0].message, CEpoch):
            return False
        between = self.office in (Office.DISCOVERING, Office.SYNCHRONISING)
        return between or (self.looks and not any(_looks(envelope.message) for envelope in waiting))

    def handle(self, message: Message, sender: str) -> None:
        match message:
            case Notification():
                self.on_notification(message, sender)
                self.consider()
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

    def advance(self) -> bool:
        """One step of the leader, if one is possible."""
        match self.office:
            case Office.GATHERING if self.name in self.followers and self.is_quorum(self.followers):
                self.new_epoch()
            case Office.DISCOVERING if self.answered == self.followers:
                self.new_leader()
            case Office.SYNCHRONISING if self.is_quorum(self.acked):
                self.establish()
            case Office.BROADCASTING if self.committable() > self.commit:
                self.advance_commit(self.committable())
            case _:
                return False
        return True

    def committable(self) -> int:
        """Up to where a quorum has acknowledged."""
        acked = sorted((self.acked.get(s, 0) for s in self.members), reverse=True)
        return acked[len(acked) // 2]

    # --- the election -----------------------------------------------------------------------------

    def search(self) -> None:
        self.look()
        self.set_timer("tell", self.some_time() / 2)
        self.consider()

    def consider(self) -> None:
        """A leader that a quorum follows is joined. When a quorum has the same vote, some time is left for a better one
        to come."""
        if not self.looks:
            return
        leader = next((s for s in self.others if self.may_join(s)), None)
        if leader is not None:
            self.join(leader)
            self.set_out()
        elif self.is_quorum(self.supporters()):
            self.set_timer("decide", self.timing.heartbeat / 2)

    def may_join(self, s: str) -> bool:
        its = self.others[s]
        agree = (n for n, word in self.others.items() if (word.round, word.vote) == (its.round, its.vote))
        return its.standing is Standing.LEADING and self.is_quorum(agree)

    def supporters(self) -> Iterable[str]:
        return (s for s, vote in self.votes.items() if vote == self.vote)

    # --- signs of life ----------------------------------------------------------------------------

    def set_out(self) -> None:
        """It has a leader now, and gives it some time."""
        self.set_timer("tell", None)
        self.set_timer("decide", None)
        self.alive = {self.name, self.leader or self.name}
        self.set_timer("patience", 4 * self.timing.election)
        if self.leader == self.name:
            self.ping()

    def ping(self) -> None:
        """Only those are pinged who follow this leader in its present office: one that followed it in an earlier one
        has to notice that this is over."""
        for s in sorted(self.followers - {self.name}):
            self.send(Ping(self.name), s)
        self.set_timer("ping", self.timing.heartbeat)

    def be_patient(self) -> None:
        """A follower wants signs of life of its leader, a leader those of a quorum; and it wants to get somewhere."""
        leads = self.leader == self.name
        fine = self.is_quorum(self.alive | {self.name}) if leads else self.leader in self.alive
        if not fine or self.phase is not Phase.BROADCAST:
            self.give_up()
            self.search()
            return
        self.alive = set()
        self.set_timer("patience", self.some_time())

    # --- small parts ------------------------------------------------------------------------------

    def some_time(self) -> float:
        return self.rng.uniform(self.timing.election, 2 * self.timing.election)

    def is_quorum(self, servers: Iterable[str]) -> bool:
        return 2 * len(set(servers).intersection(self.members)) > len(self.members)
