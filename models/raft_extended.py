"""Raft beyond `specs/raft.spec`: change of membership, one server at a time, and snapshots.

After chapters 4 and 5 of Ongaro's dissertation, as `raft_membership.spec` and `raft_snapshots.spec` have them.
A run without `change_membership`, `take_snapshot` and what follows from them is one of `specs/raft.spec`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from models.log import Entry, Log
from models.node import Message, action, handler
from models.raft import AppendEntries, AppendReply, Mode, RequestVote, Server, Timing


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state machine after the entry at `index`, and the membership there."""

    index: int
    term: int
    members: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True)
class InstallSnapshot(Message):
    term: int
    snapshot: Snapshot

    def shown(self) -> dict[str, object]:
        """Without the state of the state machine, which is a text here and a map of values in the spec."""
        return {"term": self.term, "last_index": self.snapshot.index, "last_term": self.snapshot.term}


class ExtendedServer(Server):
    """A server whose membership is the latest in its log, committed or not.

    One that joins begins with no members, and waits until a leader writes to it. With `snapshot_every`, it replaces
    the log by a snapshot whenever that many entries were delivered since the last one.
    """

    DURABLE: ClassVar[dict[str, Any]] = {**Server.DURABLE, "snapshot": Snapshot | None}
    SHOWN: ClassVar[tuple[str, ...]] = (*Server.SHOWN, "saved", "saved_term", "saved_members")
    OF_FEATURES: ClassVar[Mapping[str, frozenset[str]]] = {
        "saved": frozenset({"snapshots"}),
        "saved_term": frozenset({"snapshots"}),
        "saved_members": frozenset({"snapshots", "membership"}),
    }

    def __init__(
        self,
        name: str,
        members: Iterable[str],
        rng: random.Random,
        boot: int = 0,
        recording: bool = False,
        timing: Timing | None = None,
        snapshot_every: int | None = None,
    ) -> None:
        super().__init__(name, members, rng, boot, recording, timing)
        self.first_members = self.members
        self.snapshot_every = snapshot_every
        self.snapshot: Snapshot | None = None
        self.capture: Callable[[], str] | None = None  # the state machine, after what was delivered before this step

    # --- change of membership ---------------------------------------------------------------------

    def may_change(self) -> bool:
        """Whether no change is under way, and this leader knows what is committed (section 4.1; the second condition is
        Ongaro's correction of 2015)."""
        settled = all(self.log[i].members is None for i in range(self.known + 1, self.last + 1))
        return self.mode is Mode.LEADER and settled and self.log.term_at(self.commit) == self.term

    @action
    def change_membership(self, s: str, _command: str) -> None:
        """Removes a member, or adds a server that is none."""
        members = tuple(m for m in self.members if m != s) if s in self.members else (*self.members, s)
        self.set_log(self.log.with_entries(self.last, (Entry(self.term, _command, members),)))

    @action
    def advance_commit(self, n: int) -> None:
        """A leader that is no member steps down when that is committed (section 4.2.2)."""
        super().advance_commit(n)
        if self.name not in self.members and all(self.log[i].members is None for i in range(n + 1, self.last + 1)):
            self.follow()
            self.leader = None

    def set_log(self, log: Log) -> None:
        """A server uses a new membership as soon as it is in its log."""
        super().set_log(log)
        self.members = self.members_at(log.last)
        if self.mode is Mode.LEADER:
            self.matched = {**dict.fromkeys(self.members, 0), **self.matched}
            self.before = {**dict.fromkeys(self.members, 0), **self.before}

    # --- snapshots --------------------------------------------------------------------------------

    @property
    def saved(self) -> int:
        return self.log.base

    @property
    def saved_term(self) -> int:
        return self.log.base_term

    @property
    def saved_members(self) -> tuple[str, ...]:
        return self.snapshot.members if self.snapshot else self.first_members

    @property
    def known(self) -> int:
        """Up to where entries are known to be committed. A restart forgets the commit index, and not the snapshot."""
        return max(self.commit, self.saved)

    @action
    def take_snapshot(self, i: int, _data: str) -> None:
        self.snapshot = Snapshot(i, self.log.term_at(i), self.members_at(i), _data)
        self.log = self.log.compacted(i)

    def members_at(self, index: int) -> tuple[str, ...]:
        listed = (e.members for e in reversed(self.log.between(self.log.base, index)) if e.members is not None)
        return next(listed, self.saved_members)

    @action
    def send_snapshot(self, s: str) -> None:
        assert self.snapshot
        self.send(InstallSnapshot(self.term, self.snapshot), s)

    @handler
    def on_install_snapshot(self, m: InstallSnapshot, sender: str) -> None:
        if m.term < self.term:
            self.send(AppendReply(self.term, False, 0), sender)
            return
        self.observe(m.term)
        self.follow()
        self.leader = sender
        self.contact = self.now
        self.await_election()
        new = m.snapshot
        if new.index > self.known:
            retain = new.index <= self.last and self.log.term_at(new.index) == new.term
            self.snapshot = new
            self.set_log(self.log.compacted(new.index) if retain else Log((), new.index, new.term))
            self.commit = self.delivered = new.index
            self.effects.restored = new.data
        self.send(AppendReply(self.term, True, new.index), sender)

    def agrees(self, index: int, term: int) -> bool:
        """What a snapshot covers is committed: whoever is a leader has the same there."""
        return index < self.saved or super().agrees(index, term)

    def has_news(self, m: AppendEntries) -> bool:
        return super().has_news(self.beyond_snapshot(m))

    def merged(self, m: AppendEntries) -> Log:
        return super().merged(self.beyond_snapshot(m))

    def beyond_snapshot(self, m: AppendEntries) -> AppendEntries:
        """What the message says of entries that the snapshot does not cover."""
        covered = max(0, self.saved - m.prev_index)
        return replace(m, prev_index=m.prev_index + covered, entries=m.entries[covered:])

    def restore(self, durable: Mapping[str, Any]) -> None:
        super().restore(durable)
        self.set_log(self.log)
        self.delivered = self.saved

    # --- when they are taken ----------------------------------------------------------------------

    def started(self) -> None:
        if self.snapshot:
            self.effects.restored = self.snapshot.data
        super().started()

    def received(self, message: Message, sender: str) -> None:
        match message:
            case RequestVote() if self.hears_leader():
                return  # a removed server does not disturb the others (section 4.2.3); the request counts as lost
            case InstallSnapshot():
                self.on_install_snapshot(message, sender)
            case _:
                super().received(message, sender)

    def hears_leader(self) -> bool:
        return self.mode is Mode.LEADER or self.now - self.contact < self.timing.election

    def proposed(self, value: str, change: str | None) -> None:
        if change is None:
            super().proposed(value, None)
        elif self.may_change():
            self.change_membership(change, value)
            self.follow_up()

    def replicate(self, s: str) -> None:
        if self.before[s] < self.saved:
            self.awaiting.add(s)
            self.send_snapshot(s)
        else:
            super().replicate(s)

    def follow_up(self) -> None:
        if self.capture and self.wants_snapshot():
            self.take_snapshot(self.delivered, self.capture())
        super().follow_up()

    def wants_snapshot(self) -> bool:
        """One that joins does not know who the members were before it, and so cannot put them in a snapshot."""
        enough = self.snapshot_every is not None and self.delivered - self.saved >= self.snapshot_every
        return enough and self.members_at(self.delivered) != ()
