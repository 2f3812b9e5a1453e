"""A client of the store: one operation at a time, sent again until it is answered or given up."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from models.node import Effects, Envelope, Event, Propose, Receive, Start, Timeout
from models.store import ClientReply, ClientRequest, Command, Operation, Outcome, Value


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of a history; `docs/trace-format.md` tells its meaning."""

    process: int
    type: str
    f: str
    key: str
    value: Value

    def shown(self, index: int, time: float) -> dict[str, object]:
        """`time` is in milliseconds; histories have nanoseconds."""
        return {
            "index": index,
            "process": self.process,
            "type": self.type,
            "f": self.f,
            "value": [self.key, self.value],
            "time": round(time * 1e6),
        }


class Client:
    """Asks the operations one after the other, of whichever server leads as far as it knows.

    An operation that is not answered within `patience` is given up: nobody knows whether it was done. The client then
    goes on in a new session, under a new process number (`stride` higher), for a session has one command under way.
    """

    def __init__(
        self,
        process: int,
        stride: int,
        servers: Sequence[str],
        operations: Iterator[Operation],
        rng: random.Random,
        tell: Callable[[Happening], None],
        retry: float = 250.0,
        patience: float = 2500.0,
        pause: float = 20.0,
    ) -> None:
        self.name = f"c{process}"  # its address; sessions are named after the process
        self.process, self.stride = process, stride
        self.servers = list(servers)
        self.operations = operations
        self.rng = rng
        self.tell = tell
        self.retry, self.patience, self.pause = retry, patience, pause
        self.server = rng.choice(self.servers)
        self.number = 0
        self.asking: Operation | None = None
        self.done = False
        self.answers: list[tuple[Command, Outcome]] = []

    @property
    def acknowledged(self) -> list[Command]:
        """What the client was told is done."""
        return [command for command, outcome in self.answers if outcome.done]

    def step(self, event: Event, now: float) -> Effects:
        effects = Effects()
        match event:
            case Start() | Timeout("next"):
                self.ask(effects)
            case Timeout("retry") if self.asking:
                self.server = self.rng.choice(self.servers)
                self.request(effects)
            case Timeout("patience") if self.asking:
                self.finish("info", self.asking.value, effects)
                self.process += self.stride
            case Receive(Envelope(message=ClientReply() as reply)) if self.asking and reply.number == self.number:
                self.hear(reply, effects)
            case Start() | Receive() | Timeout() | Propose():
                pass
        return effects

    def ask(self, effects: Effects) -> None:
        self.asking = next(self.operations, None)
        if self.asking is None:
            self.done = True
            return
        self.number += 1
        value = None if self.asking.f == "read" else self.asking.value
        self.tell(Happening(self.process, "invoke", self.asking.f, self.asking.key, value))
        effects.timers["patience"] = self.patience
        self.request(effects)

    def command(self) -> Command:
        assert self.asking
        return Command(f"c{self.process}", self.number, self.asking)

    def request(self, effects: Effects) -> None:
        effects.sent.append(Envelope("", self.name, self.server, ClientRequest(self.command().text())))
        effects.timers["retry"] = self.retry

    def hear(self, reply: ClientReply, effects: Effects) -> None:
        if reply.outcome is not None:
            self.answered(reply.outcome, effects)
        elif reply.leader is not None and reply.leader != self.server:
            self.server = reply.leader
            self.request(effects)
        else:  # nobody leads, it seems: let them elect someone
            effects.timers["retry"] = self.retry / 4

    def answered(self, outcome: Outcome, effects: Effects) -> None:
        command = self.command()
        self.answers.append((command, outcome))
        op = command.operation
        value = outcome.value if op.f == "read" else op.value
        self.finish("ok" if outcome.done else "fail", value, effects)

    def finish(self, kind: str, value: Value, effects: Effects) -> None:
        assert self.asking
        self.tell(Happening(self.process, kind, self.asking.f, self.asking.key, value))
        self.asking = None
        effects.timers |= {"patience": None, "retry": None, "next": self.rng.uniform(0, 2 * self.pause)}
