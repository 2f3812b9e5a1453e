"""A server of the replicated store: a node that agrees on commands, and the store that applies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.node import Effects, Envelope, Event, Node, Propose, Receive
from models.raft_extended import ExtendedServer
from models.store import ClientReply, ClientRequest, Command, Outcome, Store


class Replica:
    """Serves clients.

    With `local_reads` a server answers reads at once from what it has: so it answers under a partition too, and what
    it answers may be old, the other choice of the CAP theorem. Otherwise reads go through the log like writes.
    """

    def __init__(self, node: Node, local_reads: bool = False) -> None:
        self.node = node
        self.local_reads = local_reads
        self.store = Store()
        self.waiting: dict[tuple[str, int], str] = {}  # who is to be told what came of a command
        if isinstance(node, ExtendedServer):
            node.capture = lambda: self.store.snapshot()

    @property
    def name(self) -> str:
        return self.node.name

    def durable(self) -> dict[str, Any]:
        return self.node.durable()

    def restore(self, durable: Mapping[str, Any]) -> None:
        self.node.restore(durable)

    def step(self, event: Event, now: float) -> Effects:
        """As for `Node`, besides that it answers clients."""
        match event:
            case Receive(Envelope(sender=client, message=ClientRequest(text))):
                effects = self.serve(client, Command.parse(text), now)
            case _:
                effects = self.node.step(event, now)
        self.apply(effects)
        return effects

    def serve(self, client: str, command: Command, now: float) -> Effects:
        if self.local_reads and command.operation.f == "read":
            return self.answer(client, command, Outcome(True, self.store.data.get(command.operation.key)))
        if self.node.primary != self.name or not self.takes(command):
            return self.answer(client, command, None)
        asked = (command.client, command.number)
        if asked in self.waiting:
            return Effects()  # under way
        self.waiting[asked] = client
        return self.node.step(Propose(command.text(), self.change(command)), now)

    def takes(self, command: Command) -> bool:
        """Memberships change one at a time, and only where the protocol can."""
        if command.operation.f not in ("join", "leave"):
            return True
        if not isinstance(self.node, ExtendedServer):
            return False
        change = self.change(command)
        return change is None or (self.node.may_change() and self.node.members != (change,))

    def change(self, command: Command) -> str | None:
        """Who is to become a member or to be none any more; None if that is so already, or the command is another."""
        member = isinstance(self.node, ExtendedServer) and command.operation.key in self.node.members
        match command.operation.f:
            case "join" if not member:
                return command.operation.key
            case "leave" if member:
                return command.operation.key
            case _:
                return None

    def answer(self, client: str, command: Command, outcome: Outcome | None) -> Effects:
        effects = Effects()
        effects.sent.append(self.reply(client, command.number, outcome))
        return effects

    def reply(self, client: str, number: int, outcome: Outcome | None) -> Envelope:
        leader = None if self.node.primary == self.name else self.node.primary
        return Envelope("", self.name, client, ClientReply(number, outcome, leader))

    def apply(self, effects: Effects) -> None:
        """Applies what the node has delivered, and tells those who wait for it."""
        if effects.restored is not None:
            self.store = Store.of(effects.restored)
        for _, value in effects.delivered:
            if not value:
                continue  # a leader's first, empty entry
            command = Command.parse(value)
            outcome = self.store.apply(command)
            client = self.waiting.pop((command.client, command.number), None)
            if client is not None and outcome is not None:
                effects.sent.append(self.reply(client, command.number, outcome))
        if self.node.primary != self.name:
            self.waiting.clear()  # who asked will ask again
