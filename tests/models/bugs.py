"""Bugs that people make in these protocols, as patches of the models.

Conformance, or a check of the history, must catch each of them; the simulator need not. Each bug has plans under which
it shows. The names say what the broken node does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from models import multi_paxos, paxos
from models.log import Log
from models.node import Effects
from models.plan import Features, Plan, planned
from models.protocols import Machine, Protocol, multi, raft, single
from models.raft import AppendEntries, RequestVote
from models.raft_extended import ExtendedServer
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
    """A leader commits entries of earlier terms by counting (the situation of Figure 8 of the paper)."""

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


class LosesItsVotePaxos(paxos.Acceptor):
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


class ForgetsReportedVotes(multi_paxos.Server):
    """A new leader of the log begins afresh."""

    def latest_votes(self) -> dict[int, multi_paxos.Vote]:
        return {}


class TakesAnyVote(multi_paxos.Server):
    """A new leader proposes the first vote that it hears of, not the latest."""

    def latest_votes(self) -> dict[int, multi_paxos.Vote]:
        found: dict[int, multi_paxos.Vote] = {}
        for votes in self.promises.values():
            found = {**votes, **found}
        return found


# --- all of them ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bug:
    """`seeds` are some under which it shows."""

    name: str
    protocol: Protocol
    seeds: tuple[int, ...] = ()
    features: Features = Features()

    def plans(self, seeds: Iterable[int] | None = None) -> Iterable[Plan]:
        for seed in self.seeds if seeds is None else seeds:
            yield planned(self.protocol.name, seed, features=self.features)


def served_by(replica: type[Replica]) -> Protocol:
    """Raft under another store."""

    def build(name: str, plan: Plan, *rest: Any) -> Machine:
        return replica(raft().build(name, plan, *rest).node)

    return replace(raft(), build=build)


BUGS = (
    Bug("forgets its vote", raft(ForgetsItsVote)),
    Bug("forgets its term", raft(ForgetsItsTerm)),
    Bug("votes for any log", raft(VotesForAnyLog)),
    Bug("commits an older term", raft(CommitsAnOlderTerm)),
    Bug("commits by half", raft(CommitsByHalf)),
    Bug("keeps the suffix", raft(KeepsTheSuffix)),
    Bug("truncates too much", raft(TruncatesTooMuch)),
    Bug("does not compare logs", raft(DoesNotCompareLogs)),
    Bug("changes two at once", raft(ChangesTwoAtOnce), features=Features(membership=True)),
    Bug("answers reads alone", served_by(AnswersReadsAlone)),
    Bug("serves without sessions", served_by(ServesWithoutSessions)),
    Bug("loses its promise", single(acceptor=LosesItsPromise)),
    Bug("loses its vote", single(acceptor=LosesItsVotePaxos)),
    Bug("votes against its promise", single(acceptor=VotesAgainstItsPromise)),
    Bug("insists on its value", single(proposer=InsistsOnItsValue)),
    Bug("forgets reported votes", multi(ForgetsReportedVotes)),
    Bug("takes any vote", multi(TakesAnyVote)),
)
