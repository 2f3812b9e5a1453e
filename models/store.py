"""A key-value store as a replicated state machine, with sessions: a command that is sent again is not done again.

Every server applies the same commands in the same order, so all have the same keys and the same sessions. For each
client the store remembers the number of its latest command and what came of it (Ongaro's dissertation, section 6.3);
a client has one command under way at a time and numbers them from 1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from models.node import Message

Value = Any  # what JSON has; None where there is nothing


@dataclass(frozen=True, slots=True)
class Operation:
    """`f` is `read`, `write` or `cas`; the value of a `cas` is the pair of old and new."""

    f: str
    key: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Command:
    """An operation in a client's session. Its text, which travels through the log, is `client.number f key value`."""

    client: str
    number: int
    operation: Operation

    def text(self) -> str:
        op = self.operation
        return f"{self.client}.{self.number} {op.f} {op.key} {json.dumps(op.value)}"

    @staticmethod
    def parse(text: str) -> Command:
        name, f, key, value = text.split(" ", 3)
        client, _, number = name.rpartition(".")
        return Command(client, int(number), Operation(f, key, json.loads(value)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command: `done` is False for a `cas` that found another value."""

    done: bool
    value: Value = None


@dataclass(frozen=True, slots=True)
class ClientRequest(Message):
    command: str


@dataclass(frozen=True, slots=True)
class ClientReply(Message):
    """The answer to the command of that number, or, without an outcome, that this server does not serve it; then
    `leader` is who may."""

    number: int
    outcome: Outcome | None
    leader: str | None = None


class Store:
    """The state machine."""

    def __init__(self) -> None:
        self.data: dict[str, Value] = {}
        self.sessions: dict[str, tuple[int, Outcome]] = {}

    def apply(self, command: Command) -> Outcome | None:
        """Does a command once; None for one that an answered later command of the same client has overtaken."""
        number, outcome = self.sessions.get(command.client, (0, None))
        if command.number < number:
            return None
        if command.number > number or outcome is None:
            outcome = self.perform(command.operation)
            self.sessions[command.client] = (command.number, outcome)
        return outcome

    def perform(self, op: Operation) -> Outcome:
        found = self.data.get(op.key)
        match op.f:
            case "read":
                return Outcome(True, found)
            case "write":
                self.data[op.key] = op.value
                return Outcome(True, op.value)
            case "cas":
                old, new = op.value
                if found != old:
                    return Outcome(False, found)
                self.data[op.key] = new
                return Outcome(True, new)
            case _:
                return Outcome(False)

    def snapshot(self) -> str:
        sessions = {client: (number, o.done, o.value) for client, (number, o) in self.sessions.items()}
        return json.dumps({"data": self.data, "sessions": sessions})

    @staticmethod
    def of(snapshot: str) -> Store:
        store, held = Store(), json.loads(snapshot)
        store.data = held["data"]
        store.sessions = {c: (number, Outcome(done, value)) for c, (number, done, value) in held["sessions"].items()}
        return store
