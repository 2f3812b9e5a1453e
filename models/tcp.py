"""Runs a machine for real: asyncio, TCP on loopback, JSON lines.

Nodes find each other through files: whoever listens writes its port into `NAME.port` in the cluster's directory. So a
node that is started again may listen elsewhere, and there can be more of them at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from models.codec import Malformed, decode_envelope, encode_envelope
from models.node import Effects, Envelope, Event, Message, Receive, Start, Timeout
from models.trace import line

HOST = "127.0.0.1"
RETRY = 0.05  # seconds until a link is tried again
PENDING = 1000  # messages that wait for a link; older ones are lost
LIMIT = 2**24  # bytes in a line, and bytes that wait in a connection


class Stepping(Protocol):
    """A machine, or a client."""

    def step(self, event: Event, now: float) -> Effects: ...


class TcpHost:
    """Gives a machine its events, and carries out their effects.

    `keep` is called with the effects of each step before any message leaves: it writes trace and journal.
    """

    def __init__(
        self,
        name: str,
        machine: Stepping,
        directory: Path,
        messages: Mapping[str, type[Message]],
        audience: Callable[[Message], Iterable[str]],
        keep: Callable[[Effects], None],
    ) -> None:
        self.name = name
        self.machine = machine
        self.directory = directory
        self.messages = messages
        self.audience = audience
        self.keep = keep
        self.links: dict[str, Link] = {}
        self.timers: dict[str, asyncio.TimerHandle] = {}
        self.connections: set[asyncio.StreamWriter] = set()
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._listen, HOST, 0, limit=LIMIT)
        port = self.server.sockets[0].getsockname()[1]
        written = self.directory / f"{self.name}.port.new"
        written.write_text(str(port), encoding="ascii")
        written.replace(self.directory / f"{self.name}.port")
        self.give(Start())

    async def stop(self) -> None:
        for timer in self.timers.values():
            timer.cancel()
        for link in self.links.values():
            link.close()
        for writer in self.connections:
            writer.close()
        if self.server:
            self.server.close()
        await asyncio.sleep(0)

    def now(self) -> float:
        """Milliseconds."""
        return asyncio.get_running_loop().time() * 1000

    def give(self, event: Event) -> None:
        effects = self.machine.step(event, self.now())
        self.keep(effects)
        for envelope in effects.sent:
            self.post(envelope)
        for timer, delay in effects.timers.items():
            self.set_timer(timer, delay)

    def set_timer(self, timer: str, delay: float | None) -> None:
        if old := self.timers.pop(timer, None):
            old.cancel()
        if delay is not None:
            loop = asyncio.get_running_loop()
            self.timers[timer] = loop.call_later(delay / 1000, self.give, Timeout(timer))

    def post(self, envelope: Envelope) -> None:
        text = f"{line(encode_envelope(envelope))}\n".encode()
        names = [envelope.to] if envelope.to is not None else self.audience(envelope.message)
        for name in names:
            if name != self.name:
                if name not in self.links:
                    self.links[name] = Link(self.directory / f"{name}.port")
                self.links[name].send(text)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes messages until the other side closes, or sends what is none."""
        self.connections.add(writer)
        with contextlib.suppress(ConnectionError, Malformed, ValueError, asyncio.CancelledError):
            while text := await reader.readline():
                self.give(Receive(decode_envelope(json.loads(text), self.messages)))
        self.connections.discard(writer)
        writer.close()


class Link:
    """The way to one other host. What cannot be delivered is lost, as networks lose messages; but what is sent before
    the other one listens for the first time waits for it, so that only a crash loses something."""

    def __init__(self, port_file: Path) -> None:
        self.port_file = port_file
        self.writer: asyncio.StreamWriter | None = None
        self.pending: deque[bytes] = deque(maxlen=PENDING)  # until there is a connection
        self.task = asyncio.create_task(self._keep_connected())

    def send(self, text: bytes) -> None:
        if self.writer is None:
            self.pending.append(text)
        elif self.writer.transport.get_write_buffer_size() < LIMIT:
            self.writer.write(text)

    def close(self) -> None:
        self.task.cancel()

    async def _keep_connected(self) -> None:
        connected = False
        while True:
            with contextlib.suppress(OSError, ValueError):
                port = int(self.port_file.read_text(encoding="ascii"))
                reader, self.writer = await asyncio.open_connection(HOST, port)
                connected = True
                self.writer.writelines(self.pending)
                try:
                    await reader.read(1)  # the other side never writes here: what can be read is its end
                finally:
                    self.writer.close()
                    self.writer = None
            if connected:
                self.pending.clear()
            await asyncio.sleep(RETRY)
