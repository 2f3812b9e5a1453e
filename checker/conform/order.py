"""The events of a trace in an order that respects the lines of each node and the way of the messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from checker.conform.events import Event, Trace
from checker.conform.mapping import Renaming


def read(trace: Trace, renaming: Renaming) -> Iterator[Event]:
    """All events in the words of the spec: file by file, line by line."""
    for file in trace.files:
        for event in trace.events(file):
            changed = renaming.event(event)
            if changed is not None:
                yield changed


def in_order(trace: Trace, renaming: Renaming, sent: Collection[str]) -> Iterator[Event]:
    """All events, each after those that it depends on; `sent` are the ids of all messages whose sending is told.

    Files are read side by side, and what must wait is kept. What waits in vain comes last.
    """
    if trace.header.ordered:
        yield from read(trace, renaming)
        return
    merge = _Merge(sent)
    sources = deque(trace.events(file) for file in trace.files)
    while sources:
        source = sources.popleft()
        raw = next(source, None)
        if raw is None:
            continue
        sources.append(source)
        event = renaming.event(raw)
        if event is not None:
            yield from merge.take(event)
    yield from merge.rest()


class _Merge:
    def __init__(self, sent: Collection[str]) -> None:
        self._sent = sent
        self._out: set[str] = set()  # the ids of messages whose sending came already
        self._queues: dict[str | int | None, deque[Event]] = {}
        self._waiting: dict[str, set[str | int | None]] = {}  # nodes by the message that they wait for

    def take(self, event: Event) -> Iterator[Event]:
        queue = self._queues.setdefault(event.node, deque())
        queue.append(event)
        if len(queue) == 1:
            yield from self._advance(event.node)

    def rest(self) -> Iterator[Event]:
        """What waits for each other in a circle, or for what never comes."""
        for queue in self._queues.values():
            yield from queue

    def _advance(self, node: str | int | None) -> Iterator[Event]:
        ready = [node]
        while ready:
            node = ready.pop()
            queue = self._queues[node]
            while queue:
                missing = next((m for m in queue[0].needs if m in self._sent and m not in self._out), None)
                if missing is not None:
                    self._waiting.setdefault(missing, set()).add(node)
                    break
                event = queue.popleft()
                yield event
                for message in event.sent or ():
                    name = message.get("id")
                    if name is not None and name not in self._out:
                        self._out.add(name)
                        ready.extend(self._waiting.pop(name, ()))
