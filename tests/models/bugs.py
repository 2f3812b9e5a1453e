"""Bugs that people make in these protocols, as patches of the models.

Conformance, or a check of the history, must catch each of them; the simulator need not. Each bug has plans under which
it shows. The names say what the broken node does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from models import multi_paxos, paxos, zab
from models.log import Log
from models.node import Effects, handler
from models.plan import Change, Crash, Features, Partition, Plan, planned
from models.protocols import Machine, Protocol, multi, raft, single
from models.protocols import zab as zab_protocol
from models.raft import AppendEntries, RequestVote, Timing
from models.raft_extended import ExtendedServer, InstallSnapshot
from models.replica import Replica
from models.store import Command, Outcome, Store


def without(durable: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: kind for name, kind in durable.items() if name not in names}


# --- Raft -----------------------------------------------------------------------------------------


class ForgetsItsVote(ExtendedServer):
    """The vote is not on disk, so that the server votes twice in a term if it restarts in between."""

    DURABLE = without(ExtendedServer.DURABLE, "voted_for")


class ForgetsItsTerm(ExtendedServer):
    """Neither term nor vote is on disk."""

    DURABLE = without(ExtendedServer.DURABLE, "term", "voted_for")


class VotesForAnyLog(ExtendedServer):
    """It does not ask whether the candidate's log is up-to-date."""

    def is_up_to_date(self, m: RequestVote) -> bool:
        return True


class CommitsAnOlderTerm(ExtendedServer):
    """A leader commits entries of earlier terms by counting (the situation of Figure 8 of the paper).

    It sends one entry at a time, so that an older one can be at a majority before its own is.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, timing=Timing(batch=1))

    def committable(self) -> int:
        matched = sorted((self.last if s == self.name else self.matched[s] for s in self.members), reverse=True)
        return matched[len(matched) // 2]


class CommitsByHalf(ExtendedServer):
    """A leader counts one server too few for a majority."""

    def committable(self) -> int:
        matched = sorted((self.last if s == self.name else self.matched[s] for s in self.members), reverse=True)
        n = matched[len(matched) // 2 - 1]
        return n if self.log.term_at(n) == self.term else 0


class KeepsTheSuffix(ExtendedServer):
    """Entries that conflict are overwritten, and what followed them stays."""

    def merged(self, m: AppendEntries) -> Log:
        suffix = self.log.between(min(m.last_index, self.last), self.last)
        return self.log.with_entries(m.prev_index, (*m.entries, *suffix))


class TruncatesTooMuch(ExtendedServer):
    """An old message that repeats the beginning of the log cuts off the rest of it."""

    def has_news(self, m: AppendEntries) -> bool:
        return True


class DoesNotCompareLogs(ExtendedServer):
    """It takes entries without looking at what comes before them."""

    def agrees(self, index: int, term: int) -> bool:
        return index <= self.last


class ChangesTwoAtOnce(ExtendedServer):
    """A new membership may begin while another is under way, and before the leader knows what is committed."""

    def may_change(self) -> bool:
        return True


class SavesTooMuch(ExtendedServer):
    """A snapshot covers the whole log, be it committed or not."""

    def take_snapshot(self, i: int, _data: str) -> None:
        super().take_snapshot(self.last, _data)
        self.delivered = max(self.delivered, self.last)


class ForgetsTheLastTerm(ExtendedServer):
    """Who installs a snapshot does not note the term of its last entry."""

    @handler
    def on_install_snapshot(self, m: InstallSnapshot, sender: str) -> None:
        super().on_install_snapshot(m, sender)
        self.log = replace(self.log, base_term=0)


class DiscardsTheSuffix(ExtendedServer):
    """Who installs a snapshot empties its log, also of what it has acknowledged after the snapshot."""

    @handler
    def on_install_snapshot(self, m: InstallSnapshot, sender: str) -> None:
        super().on_install_snapshot(m, sender)
        if m.snapshot is self.snapshot:
            self.set_log(Log((), m.snapshot.index, m.snapshot.term))


class StartsFromNothing(ExtendedServer):
    """The log on disk begins after the snapshot, and the snapshot is not there."""

    DURABLE = without(ExtendedServer.DURABLE, "snapshot")


class AnswersReadsAlone(Replica):
    """Who believes to lead answers reads from its own store, without asking whether there is another leader."""

    def serve(self, client: str, command: Command, now: float) -> Effects:
        if command.operation.f == "read" and self.node.leader == self.name:
            return self.answer(client, command, Outcome(True, self.store.data.get(command.operation.key)))
        return super().serve(client, command, now)


class NoSessions(Store):
    """A command that is sent again is done again."""

    def apply(self, command: Command) -> Outcome | None:
        return self.perform(command.operation)


class ServesWithoutSessions(Replica):
    def __init__(self, node: Any, local_reads: bool = False) -> None:
        super().__init__(node, local_reads)
        self.store = NoSessions()


# --- Paxos ----------------------------------------------------------------------------------------


class LosesItsPromise(paxos.Acceptor):
    """The promise is not on disk."""

    DURABLE = without(paxos.Acceptor.DURABLE, "promised")


class LosesItsVote(paxos.Acceptor):
    """The vote is not on disk."""

    DURABLE = without(paxos.Acceptor.DURABLE, "voted")


class VotesAgainstItsPromise(paxos.Acceptor):
    """It votes in any ballot."""

    def may_vote(self, ballot: int) -> bool:
        return True


class InsistsOnItsValue(paxos.Proposer):
    """A proposer ignores the votes that the promises report."""

    def choice(self) -> str:
        return self.value


Votes = dict[int, multi_paxos.Vote]


class ForgetsReportedVotes(multi_paxos.Server):
    """A new leader of the log begins afresh."""

    def later_votes(self, mine: Votes, others: Votes) -> Votes:
        return mine


class TakesAnyVote(multi_paxos.Server):
    """A new leader proposes the first vote that it hears of, not the latest."""

    def later_votes(self, mine: Votes, others: Votes) -> Votes:
        return {**others, **mine}


# --- Zab ------------------------------------------------------------------------------------------


class SkipsSynchronisation(zab.Server):
    """A leader broadcasts as soon as it knows the best history, without waiting until a quorum has it."""

    def advance(self) -> bool:
        advanced = super().advance()
        if self.office is zab.Office.SYNCHRONISING:
            self.establish()
        return advanced


class PrefersItsOwnHistory(zab.Server):
    """A leader begins with its own history, not with the latest of a quorum."""

    def is_better(self, m: zab.AckEpoch) -> bool:
        return m.history == self.txns


class ForgetsItsEpoch(zab.Server):
    """The epoch that it has accepted is not on disk."""

    DURABLE = without(zab.Server.DURABLE, "accepted")


class CommitsAtOnce(zab.Server):
    """A leader commits what one other server has acknowledged, be it a quorum or not."""

    def committable(self) -> int:
        return max((self.acked.get(s, 0) for s in self.members if s != self.name), default=0)


class CountsOldVotes(zab.Server):
    """A vote of an earlier round counts as one of this round."""

    @handler
    def on_notification(self, m: zab.Notification, sender: str) -> None:
        late = self.looks and m.standing is zab.Standing.LOOKING and m.round < self.round
        super().on_notification(replace(m, round=self.round) if late else m, sender)


class VotesById(zab.Server):
    """The greater id wins, whatever the histories are."""

    def rank(self, v: zab.Vote) -> tuple[int, ...]:
        return (self.members.index(v.server),)


class ElectsAlone(zab.Server):
    """It follows its own vote, without waiting until a quorum has the same."""

    def supporters(self) -> Iterable[str]:
        return self.members


class JoinsAnyLeader(zab.Server):
    """Who comes late believes a server that says it leads, without asking whether a quorum follows it."""

    def may_join(self, s: str) -> bool:
        return self.others[s].standing is zab.Standing.LEADING


# --- all of them ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bug:
    """It shows under each of `plans`: in the trace, or, if the trace says nothing against it, in the history."""

    name: str
    protocol: Protocol
    plans: tuple[Plan, ...]
    shows_in: str = "trace"


def seeds(protocol: Protocol, *numbers: int, features: Features | None = None) -> tuple[Plan, ...]:
    """The usual plans of these seeds."""
    return tuple(planned(protocol.name, number, features=features) for number in numbers)


def reseeded(plan: Plan, *numbers: int) -> tuple[Plan, ...]:
    return tuple(replace(plan, seed=number) for number in numbers)


def served_by(replica: type[Replica]) -> Protocol:
    """Raft under another store."""

    def build(name: str, plan: Plan, *rest: Any) -> Machine:
        return replica(raft().build(name, plan, *rest).node)

    return replace(raft(), build=build)


def in_trace(name: str, protocol: Protocol, *numbers: int, features: Features | None = None) -> Bug:
    return Bug(name, protocol, seeds(protocol, *numbers, features=features))


def in_history(name: str, protocol: Protocol, *plans: Plan) -> Bug:
    return Bug(name, protocol, plans, "history")


# The leader s0 is cut off, and a client goes on reading from it.
LEADER_CUT_OFF = Plan(
    "raft", 0, clients=2, readers=1, operations=40, keys=1, faults=(Partition(400, 900, frozenset({"s0"})),)
)
MESSAGES_LOST = Plan("raft", 0, clients=3, operations=15, keys=1, loss=0.1, delay=(1, 40))
# The leader s0 lets s3 and s4 join, and is alone with them: three of five, while s1 and s2 are two of three.
TWO_JOIN = Plan(
    "raft",
    0,
    clients=3,
    readers=1,
    operations=60,
    keys=1,
    faults=(
        Change(400, "join", "s3"),
        Change(400, "join", "s4"),
        Partition(408, 800, frozenset({"s0", "s3", "s4"})),
    ),
)
# All servers restart at once, from their snapshots.
ALL_RESTART = Plan(
    "raft",
    0,
    clients=2,
    readers=1,
    operations=40,
    keys=3,
    snapshot_every=3,
    faults=tuple(Crash(500, f"s{i}", 50) for i in range(3)),
)
SNAPSHOTS = Features(snapshots=True)

BUGS = (
    in_trace("forgets its vote", raft(ForgetsItsVote), 4, 6),
    in_trace("forgets its term", raft(ForgetsItsTerm), 4, 6),
    in_trace("votes for any log", raft(VotesForAnyLog), 0, 6),
    in_trace("commits an older term", raft(CommitsAnOlderTerm), 6, 33),
    in_trace("commits by half", raft(CommitsByHalf), 0, 1),
    in_trace("keeps the suffix", raft(KeepsTheSuffix), 45),
    in_trace("truncates too much", raft(TruncatesTooMuch), 0, 14),
    in_trace("does not compare logs", raft(DoesNotCompareLogs), 36),
    in_trace("saves too much", raft(SavesTooMuch), 0, 1, features=SNAPSHOTS),
    in_trace("forgets the last term", raft(ForgetsTheLastTerm), 1, 3, features=SNAPSHOTS),
    in_trace("discards the suffix", raft(DiscardsTheSuffix), 3, 5, features=SNAPSHOTS),
    in_trace("loses its promise", single(acceptor=LosesItsPromise), 0, 1),
    in_trace("loses its vote", single(acceptor=LosesItsVote), 0, 1),
    in_trace("votes against its promise", single(acceptor=VotesAgainstItsPromise), 9, 16),
    in_trace("insists on its value", single(proposer=InsistsOnItsValue), 4, 9),
    in_trace("forgets reported votes", multi(ForgetsReportedVotes), 4, 5),
    in_trace("takes any vote", multi(TakesAnyVote), 5, 27),
    in_trace("skips synchronisation", zab_protocol(SkipsSynchronisation), 0, 1),
    in_trace("prefers its own history", zab_protocol(PrefersItsOwnHistory), 5, 20),
    in_trace("forgets its epoch", zab_protocol(ForgetsItsEpoch), 1, 2),
    in_trace("commits at once", zab_protocol(CommitsAtOnce), 0, 2),
    in_trace("counts old votes", zab_protocol(CountsOldVotes), 0, 4),
    in_trace("votes by id", zab_protocol(VotesById), 12, 20),
    in_trace("elects alone", zab_protocol(ElectsAlone), 0, 3),
    in_trace("joins any leader", zab_protocol(JoinsAnyLeader), 1, 2),
    in_history("answers reads alone", served_by(AnswersReadsAlone), *reseeded(LEADER_CUT_OFF, 10, 19)),
    in_history("serves without sessions", served_by(ServesWithoutSessions), *reseeded(MESSAGES_LOST, 2, 3)),
    in_history("starts from nothing", raft(StartsFromNothing), *reseeded(ALL_RESTART, 0, 4)),
    in_history("changes two at once", raft(ChangesTwoAtOnce), *reseeded(TWO_JOIN, 67)),
)
