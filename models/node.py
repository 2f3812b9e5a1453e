"""What the nodes of all protocols have in common: an event in, effects out, and a record of each step.

A node does no I/O and reads no clock. Whoever runs it, simulator or TCP cluster, gives it an event and the time, and
has to do what the effects say in this order: write the durable state if it changed, send the messages, set the timers.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

State = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages; a protocol's messages carry the names that its spec gives them."""

    def shown(self) -> dict[str, object]:
        """The fields as the spec sees them, for traces."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def shown_to(self, to: str | None) -> str | int | None:
        """The receiver as the spec sees it."""
        return to


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message under way. `to` is None for one that goes to all other nodes; its copies share the id."""

    id: str
    sender: str
    to: str | None
    message: Message


# --- events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """The node comes up, for the first time or after a crash."""


@dataclass(frozen=True, slots=True)
class Receive:
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Timeout:
    """A timer that the node set has run out."""

    timer: str


@dataclass(frozen=True, slots=True)
class Propose:
    """A client's command is to be agreed on; the node takes it if it leads. With `change`, it is one of the membership:
    the server is added, or removed if it is a member."""

    value: str
    change: str | None = None


Event = Start | Receive | Timeout | Propose


# --- effects --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the spec that a node took: what traces are made of.

    `before` and `after` are the fields that the node shows; all values in them are immutable.
    """

    node: str | int
    action: str
    args: Mapping[str, object]
    received: str | None
    heard: tuple[str, ...]
    before: State
    after: State
    sent: tuple[Envelope, ...]
    time: float


@dataclass(slots=True)
class Effects:
    """What is to be done after a step. Times are in milliseconds by the node's own clock."""

    write: bool = False  # the durable state has changed: it must be on disk before anything else happens
    sent: list[Envelope] = field(default_factory=list)
    timers: dict[str, float | None] = field(default_factory=dict)  # None: the timer is stopped
    delivered: list[tuple[int, str]] = field(default_factory=list)  # agreed values with their indices, in order
    restored: str | None = None  # a snapshot that replaces what was delivered so far; comes before `delivered`
    steps: list[Step] = field(default_factory=list)  # empty unless the node records


# --- nodes ----------------------------------------------------------------------------------------

N = TypeVar("N", bound="Node")
M = TypeVar("M", bound=Message)
P = ParamSpec("P")


def action(method: Callable[Concatenate[N, P], None]) -> Callable[Concatenate[N, P], None]:
    """Marks a method as a step that the spec has under the same name; it is recorded for the trace, with its parameters
    but for those that begin with `_`, which the spec does not have."""
    name = method.__name__
    parameters = method.__code__.co_varnames[1 : method.__code__.co_argcount]

    @wraps(method)
    def recorded(self: N, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if self.recording:
            told = {p: value for p, value in zip(parameters, args, strict=False) if not p.startswith("_")}
            self.record(name, told, None, lambda: method(self, *args, **kwargs))
        else:
            method(self, *args, **kwargs)

    return recorded


def handler(method: Callable[[N, M, str], None]) -> Callable[[N, M, str], None]:
    """Marks a method `on_…(message, sender)` as the spec's handler `on …` of its message."""

    @wraps(method)
    def recorded(self: N, message: M, sender: str, /) -> None:
        if self.recording:
            self.record(f"on {type(message).__name__}", {}, self.receiving, lambda: method(self, message, sender))
        else:
            method(self, message, sender)

    return recorded


class Node(ABC):
    """A protocol's state machine.

    Attributes hold immutable values, so that keeping a state is keeping references. Methods marked `action` and
    `handler` are the steps of the spec, named as there; `started`, `received` and `timed_out` decide which of them to
    take, and when.

    `boot` counts the node's starts and makes the ids of its messages unique.
    """

    DURABLE: ClassVar[dict[str, Any]] = {}  # attributes that survive a crash, with their types
    SHOWN: ClassVar[tuple[str, ...]] = ()  # attributes that the trace shows
    OF_FEATURES: ClassVar[Mapping[str, frozenset[str]]] = {}  # those that the spec has only with these features
    COUNTED: ClassVar[tuple[type[Message], ...]] = ()  # messages of the spec that it has no handler for

    def __init__(self, name: str, rng: random.Random, boot: int = 0, recording: bool = False) -> None:
        self.name = name
        self.rng = rng
        self.boot = boot
        self.recording = recording
        self.now = 0.0
        self.leader: str | None = None
        self.effects = Effects()
        self.receiving: str | None = None
        self._heard: list[str] = []
        self._sent = 0
        self._deep = False

    @property
    def primary(self) -> str | None:
        """Who takes proposals, as far as this node knows; it takes them itself if that is its own name."""
        return self.leader

    @property
    def node(self) -> Node:
        """A node can be run as it is, or with a store on top; this is the node of either."""
        return self

    # What a protocol defines.

    @abstractmethod
    def started(self) -> None: ...

    @abstractmethod
    def received(self, message: Message, sender: str) -> None: ...

    @abstractmethod
    def timed_out(self, timer: str) -> None: ...

    def proposed(self, value: str, change: str | None) -> None:
        raise NotImplementedError(f"{type(self).__name__} takes no proposals")

    def disconnected(self, peer: str) -> None:
        """A crash of the peer has broken the connection with it; matters to who needs channels that keep the order."""
        return

    def audience(self, message: Message) -> Sequence[str]:
        """Who gets a message that goes to all."""
        raise NotImplementedError(f"{type(self).__name__} sends nothing to all")

    # What runs it.

    def step(self, event: Event, now: float) -> Effects:
        """Takes one event at time `now` of the node's clock; the effects are to be done before the next event."""
        self.now = now
        self.effects = effects = Effects()
        held = [getattr(self, name) for name in self.DURABLE]
        match event:
            case Start():
                self.started()
            case Receive(envelope):
                self.receive(envelope)
            case Timeout(timer):
                self.timed_out(timer)
            case Propose(value, change):
                self.proposed(value, change)
        effects.write = any(getattr(self, name) is not old for name, old in zip(self.DURABLE, held, strict=True))
        return effects

    def receive(self, envelope: Envelope) -> None:
        self.receiving = envelope.id
        if self.recording and isinstance(envelope.message, self.COUNTED):
            self._heard.append(envelope.id)
        self.received(envelope.message, envelope.sender)
        self.receiving = None

    def durable(self) -> dict[str, Any]:
        """What must be on disk."""
        return {name: getattr(self, name) for name in self.DURABLE}

    def restore(self, durable: Mapping[str, Any]) -> None:
        """Takes over what the disk held, before `Start`."""
        for name, value in durable.items():
            setattr(self, name, value)

    def state(self) -> dict[str, object]:
        """What the trace shows, by the spec's names."""
        return {name: getattr(self, name) for name in self.SHOWN}

    def actor(self, step: str) -> str | int:
        """Who takes the step, by the spec's names."""
        return self.name

    # What protocols use.

    def send(self, message: Message, to: str | None = None) -> Envelope:
        self._sent += 1
        envelope = Envelope(f"{self.name}.{self.boot}.{self._sent}", self.name, to, message)
        self.effects.sent.append(envelope)
        return envelope

    def set_timer(self, timer: str, delay: float | None) -> None:
        """Lets `timer` run out after `delay` milliseconds; None stops it. A timer of the same name is replaced."""
        self.effects.timers[timer] = delay

    def record(self, name: str, args: Mapping[str, object], received: str | None, take: Callable[[], None]) -> None:
        if self._deep:  # a step that is made of another one is one step
            take()
            return
        before, first = self.state(), len(self.effects.sent)
        self._deep = True
        try:
            take()
        finally:
            self._deep = False
        sent, heard = tuple(self.effects.sent[first:]), tuple(self._heard)
        self._heard.clear()
        self.effects.steps.append(
            Step(self.actor(name), name, args, received, heard, before, self.state(), sent, self.now)
        )
