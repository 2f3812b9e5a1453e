"""A server of Raft, as `specs/raft.spec` has it: elections, replication, commitment, persistence.

After Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (USENIX ATC 2014), Figure 2, and
Ongaro's dissertation (2014). The first half are the steps of the spec, one method each under the spec's names; the
second half decides when to take them. Membership change and snapshots are in `raft_extended`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from models.log import Entry, Log
from models.node import Message, Node, action, handler


class Mode(Enum):
    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class RequestVote(Message):
    term: int
    last_index: int
    last_term: int


@dataclass(frozen=True, slots=True)
class Vote(Message):
    term: int
    granted: bool


@dataclass(frozen=True, slots=True)
class AppendEntries(Message):
    term: int
    prev_index: int
    prev_term: int
    entries: tuple[Entry, ...]
    leader_commit: int

    @property
    def last_index(self) -> int:
        return self.prev_index + len(self.entries)

    def shown(self) -> dict[str, object]:
        entries = {self.prev_index + i: entry for i, entry in enumerate(self.entries, 1)}
        return {
            "term": self.term,
            "prev_index": self.prev_index,
            "prev_term": self.prev_term,
            "entries": entries,
            "last_index": self.last_index,
            "leader_commit": self.leader_commit,
        }


@dataclass(frozen=True, slots=True)
class AppendReply(Message):
    term: int
    success: bool
    matched: int


@dataclass(frozen=True, slots=True)
class Timing:
    """In milliseconds. A server stands for election after a random time between `election` and twice that."""

    heartbeat: float = 50.0
    election: float = 150.0
    batch: int = 32  # entries in one message


NOOP = ""  # the command that a new leader commits first, to learn which entries are committed (section 6.4)


class Server(Node):
    DURABLE: ClassVar[dict[str, Any]] = {"term": int, "voted_for": str | None, "log": Log}
    SHOWN: ClassVar[tuple[str, ...]] = (*DURABLE, "last", "mode", "commit", "votes", "before", "matched")

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
        self.timing = timing or Timing()
        self.members = tuple(members)
        # "Persistent state on all servers"
        self.term = 0
        self.voted_for: str | None = None
        self.log = Log()
        # "Volatile state on all servers"
        self.mode = Mode.FOLLOWER
        self.commit = 0
        # Volatile state of candidates and leaders
        self.votes: frozenset[str] = frozenset()
        self.before = self.nowhere()  # nextIndex[] - 1
        self.matched = self.before  # matchIndex[]
        # What the spec does not speak of
        self.contact = -self.timing.election  # when the leader of this term was last heard of
        self.delivered = 0  # "lastApplied"
        self.awaiting: set[str] = set()  # followers that have entries on the way to them

    @property
    def last(self) -> int:
        return self.log.last

    # --- the steps of the spec --------------------------------------------------------------------

    def follow(self) -> None:
        if self.mode is Mode.LEADER:
            self.set_timer("heartbeat", None)
            self.await_election()
        self.mode = Mode.FOLLOWER
        self.votes = frozenset()
        self.before = self.matched = self.nowhere()

    def observe(self, term: int) -> None:
        """What every handler begins with: a later term makes a follower of anyone."""
        if term > self.term:
            self.term = term
            self.voted_for = None
            self.leader = None
            self.follow()

    @action
    def start_election(self) -> None:
        self.term += 1
        self.mode = Mode.CANDIDATE
        self.voted_for = self.name
        self.votes = frozenset({self.name})
        self.leader = None
        self.send(RequestVote(self.term, self.last, self.log.term_at(self.last)))

    @handler
    def on_request_vote(self, m: RequestVote, sender: str) -> None:
        self.observe(m.term)
        granted = m.term == self.term and self.voted_for in (None, sender) and self.is_up_to_date(m)
        if granted:
            if self.voted_for is None:
                self.voted_for = sender
            self.await_election()
        self.send(Vote(self.term, granted), sender)

    def is_up_to_date(self, m: RequestVote) -> bool:
        """Whether the candidate's log is at least as up-to-date as this one (section 3.6.1)."""
        return (m.last_term, m.last_index) >= (self.log.term_at(self.last), self.last)

    @handler
    def on_vote(self, m: Vote, sender: str) -> None:
        self.observe(m.term)
        if m.granted and m.term == self.term and self.mode is Mode.CANDIDATE:
            self.votes = self.votes | {sender}

    @action
    def become_leader(self) -> None:
        self.mode = Mode.LEADER
        self.votes = frozenset()
        self.before = dict.fromkeys(self.members, self.last)
        self.matched = self.nowhere()
        self.leader = self.name

    @action
    def client_request(self, v: str) -> None:
        self.set_log(self.log.with_entries(self.last, (Entry(self.term, v),)))

    @action
    def send_entries(self, s: str, to_index: int) -> None:
        prev = self.before[s]
        entries = self.log.between(prev, to_index)
        self.send(AppendEntries(self.term, prev, self.log.term_at(prev), entries, self.commit), s)

    @handler
    def on_append_entries(self, m: AppendEntries, sender: str) -> None:
        if m.term < self.term:
            self.send(AppendReply(self.term, False, 0), sender)
            return
        self.observe(m.term)
        self.follow()
        self.leader = sender
        self.contact = self.now
        self.await_election()
        if not self.agrees(m.prev_index, m.prev_term):
            self.send(AppendReply(self.term, False, 0), sender)
            return
        if self.has_news(m):
            self.set_log(self.merged(m))
        self.commit = max(self.commit, min(m.leader_commit, m.last_index))
        self.send(AppendReply(self.term, True, m.last_index), sender)

    def agrees(self, index: int, term: int) -> bool:
        """Whether the log has the entry that another log has at `index`; index 0 comes before all entries."""
        return index <= self.last and self.log.term_at(index) == term

    def has_news(self, m: AppendEntries) -> bool:
        """If all the entries are there already, the log stays as it is, with what follows them."""
        return any(self.log.term_at(i) != entry.term for i, entry in enumerate(m.entries, m.prev_index + 1))

    def merged(self, m: AppendEntries) -> Log:
        """Conflicting entries are deleted, and all that follow them."""
        return self.log.with_entries(m.prev_index, m.entries)

    @handler
    def on_append_reply(self, m: AppendReply, sender: str) -> None:
        self.observe(m.term)
        if m.term != self.term or self.mode is not Mode.LEADER:
            return
        before, matched = self.before.get(sender, 0), self.matched.get(sender, 0)
        if m.success:
            matched = max(matched, m.matched)
            self.matched = {**self.matched, sender: matched}
            self.before = {**self.before, sender: matched}
        elif before > matched:
            self.before = {**self.before, sender: before - 1}

    @action
    def advance_commit(self, n: int) -> None:
        self.commit = n

    # --- when they are taken ----------------------------------------------------------------------

    def started(self) -> None:
        self.await_election()

    def timed_out(self, timer: str) -> None:
        if timer == "election" and self.mode is not Mode.LEADER and self.name in self.members:
            self.start_election()
            self.await_election()
        elif timer == "heartbeat" and self.mode is Mode.LEADER:
            self.beat()
        self.follow_up()

    def received(self, message: Message, sender: str) -> None:
        match message:
            case RequestVote():
                self.on_request_vote(message, sender)
            case Vote():
                self.on_vote(message, sender)
            case AppendEntries():
                self.on_append_entries(message, sender)
            case AppendReply():
                self.awaiting.discard(sender)
                self.on_append_reply(message, sender)
        self.follow_up()

    def proposed(self, value: str, change: str | None) -> None:
        if self.mode is Mode.LEADER:
            self.client_request(value)
            self.follow_up()

    def follow_up(self) -> None:
        """Takes the steps that what has just happened makes possible."""
        if self.mode is Mode.CANDIDATE and self.is_majority(self.votes):
            self.become_leader()
            self.client_request(NOOP)
            self.set_timer("election", None)
            self.beat()
        if self.mode is Mode.LEADER and (n := self.committable()) > self.commit:
            self.advance_commit(n)
        if self.mode is Mode.LEADER:
            for s in self.members:
                if s != self.name and s not in self.awaiting and self.before[s] < self.last:
                    self.replicate(s)
        self.deliver()

    def beat(self) -> None:
        """Sends to everyone what is next for them, be it nothing: what was lost is sent again."""
        self.set_timer("heartbeat", self.timing.heartbeat)
        for s in self.members:
            if s != self.name:
                self.replicate(s)

    def replicate(self, s: str) -> None:
        self.awaiting.add(s)
        self.send_entries(s, min(self.last, self.before[s] + self.timing.batch))

    def committable(self) -> int:
        """The last index that a majority has, if its entry is of this term: others are not counted (section 3.6.2)."""
        matched = sorted((self.last if s == self.name else self.matched[s] for s in self.members), reverse=True)
        n = matched[len(matched) // 2]
        return n if self.log.term_at(n) == self.term else 0

    def deliver(self) -> None:
        for index in range(self.delivered + 1, self.commit + 1):
            self.effects.delivered.append((index, self.log[index].value))
        self.delivered = max(self.delivered, self.commit)

    # --- small parts ------------------------------------------------------------------------------

    def await_election(self) -> None:
        self.set_timer("election", self.rng.uniform(self.timing.election, 2 * self.timing.election))

    def is_majority(self, servers: frozenset[str]) -> bool:
        return 2 * len(servers.intersection(self.members)) > len(self.members)

    def nowhere(self) -> dict[str, int]:
        return dict.fromkeys(self.members, 0)

    def audience(self, message: Message) -> Sequence[str]:
        return self.members

    def set_log(self, log: Log) -> None:
        self.log = log
