"""The events of a trace in an order that respects the lines of each node and the way of the messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from checker.conform.events import Event, Trace
from checker.conform.mapping import Renaming


def read(trace: Trace, renaming: Renaming) -> Iterator[Event]:
    """All events in the words of the spec: file by file, line by line."""
    for file in trace.files:
        for event in trace.events(file):
            changed = renaming.event(event)
            if changed is not None:
                yield changed


Node = str | int | None

Nth = tuple[Node, int]
"""An event: of a node, and how many of its events are before it."""


def in_order(
    trace: Trace, renaming: Renaming, sent: Collection[str], after: Mapping[Nth, Collection[Nth]]
) -> Iterator[tuple[Event, str]]:
    """All events, each after those that it depends on: `sent` are the ids of all messages whose sending is told, and
    `after` says what else comes before an event (see `Breaks`).

    Files are read side by side, and what must wait is kept. Events that wait for each other come last, with what the
    first one waits for in words.
    """
    if trace.header.ordered:
        yield from ((event, "") for event in read(trace, renaming))
        return
    merge = _Merge(sent, after)
    sources = deque(_Source(trace.events(file)) for file in trace.files)
    while sources:
        # Nothing is read ahead of a node that waits, unless they all do.
        source = next((s for s in sources if not merge.is_waiting(s.node)), sources[0])
        sources.remove(source)
        raw = next(source.events, None)
        if raw is None:
            continue
        sources.append(source)
        event = renaming.event(raw)
        if event is not None:
            source.node = event.node
            yield from ((each, "") for each in merge.take(event))
    yield from merge.rest()


@dataclass(eq=False)
class _Source:
    """A file that is being read, and whose event came last."""

    events: Iterator[Event]
    node: Node = None


class _Merge:
    def __init__(self, sent: Collection[str], after: Mapping[Nth, Collection[Nth]]) -> None:
        self._sent, self._after = sent, after
        self._out: set[str] = set()  # the ids of messages whose sending came already
        self._taken: dict[Node, int] = {}  # how many events of each node came already
        self._awaited = {before for each in after.values() for before in each}
        self._queues: dict[Node, deque[Event]] = {}
        self._waiting: dict[str | Nth, set[Node]] = {}  # nodes by the message or the event that they wait for

    def is_waiting(self, node: Node) -> bool:
        return bool(self._queues.get(node))

    def take(self, event: Event) -> Iterator[Event]:
        queue = self._queues.setdefault(event.node, deque())
        queue.append(event)
        if len(queue) == 1:
            yield from self._advance(event.node)

    def rest(self) -> Iterator[tuple[Event, str]]:
        """What waits for each other in a circle."""
        for queue in self._queues.values():
            yield from ((event, self._awaits(event)) for event in queue)

    def _awaits(self, event: Event) -> str:
        missing = self._missing(event)
        if missing is None or isinstance(missing, str):
            return f"the sending of {missing}" if missing is not None else ""
        return f"event {missing[1] + 1} of {missing[0]}"

    def _missing(self, event: Event) -> str | Nth | None:
        """Something that the event must wait for."""
        for message in event.needs:
            if message in self._sent and message not in self._out:
                return message
        for other in self._after.get((event.node, self._taken.get(event.node, 0)), ()):
            if self._taken.get(other[0], 0) <= other[1]:
                return other
        return None

    def _advance(self, node: Node) -> Iterator[Event]:
        ready = [node]
        while ready:
            node = ready.pop()
            queue = self._queues[node]
            while queue:
                missing = self._missing(queue[0])
                if missing is not None:
                    self._waiting.setdefault(missing, set()).add(node)
                    break
                event = queue.popleft()
                yield event
                number = self._taken[node] = self._taken.get(node, 0) + 1
                if (node, number - 1) in self._awaited:
                    ready.extend(self._waiting.pop((node, number - 1), ()))
                for message in event.sent or ():
                    name = message.get("id")
                    if name is not None and name not in self._out:
                        self._out.add(name)
                        ready.extend(self._waiting.pop(name, ()))


# --- channels that a crash breaks -------------------------------------------------------------------


@dataclass
class _Sent:
    """A message, as far as the breaks of channels go."""

    id: str
    by: Nth
    start: int  # of the sender: how often it had been started again
    to: Node = None


@dataclass
class Breaks:
    """What a restart says of the order, on a network whose channels are queues that a crash breaks.

    A restart empties the queues to and from its node. So it comes after each receipt of what the node had sent before;
    before the sending of what the node receives after it; and after the sending of what was lost with it: what the
    same sender had sent before, and the node never received. With that, any order is as good as another.
    """

    _sent: list[_Sent] = field(default_factory=list)  # those of one sender in order
    _received: dict[str, tuple[Nth, int]] = field(default_factory=dict)  # by id: the event, and the receiver's start
    _counts: dict[Node, int] = field(default_factory=dict)
    _restarts: dict[Node, list[Nth]] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        """Takes note of the next event of a node."""
        node = event.node
        here = (node, self._counts.get(node, 0))
        self._counts[node] = here[1] + 1
        restarts = self._restarts.setdefault(node, [])
        if event.action == "restart":
            restarts.append(here)
        if isinstance(event.received, str):
            self._received[event.received] = (here, len(restarts))
        for message in event.sent or ():
            if message.get("id") is not None:
                self._sent.append(_Sent(message["id"], here, len(restarts), message.get("to")))

    def after(self) -> dict[Nth, set[Nth]]:
        """By event, what has to come before it."""
        found: dict[Nth, set[Nth]] = {}
        channels: dict[tuple[Node, Node], list[_Sent]] = {}
        for message in self._sent:
            to = self._received[message.id][0][0] if message.id in self._received else message.to
            channels.setdefault((message.by[0], to), []).append(message)
        for (sender, to), messages in channels.items():
            for later, earlier in self._in_channel(self._restarts[sender], self._restarts.get(to, []), messages):
                found.setdefault(later, set()).add(earlier)
        return found

    def _in_channel(
        self, sender: list[Nth], receiver: list[Nth], messages: Iterable[_Sent]
    ) -> Iterator[tuple[Nth, Nth]]:
        """Pairs of events of which the second comes before the first; the restarts of both ends are given."""
        start, lost = 0, None  # of the receiver: at its last receipt; and the last message since that it never got
        for message in messages:
            if message.id not in self._received:
                lost = message
                continue
            receipt, now = self._received[message.id]
            if message.start < len(sender) and receipt[0] != message.by[0]:
                yield sender[message.start], receipt
            if now > start:
                yield message.by, receiver[now - 1]
                if lost is not None and lost.start == message.start:
                    yield receiver[now - 1], lost.by
            start, lost = now, None
