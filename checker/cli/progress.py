"""How far a running search is, on stderr: one line that renews itself on a terminal, else a plain line now and then.

Short runs show nothing, and import nothing for it.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from checker.report.text import seconds

if TYPE_CHECKING:
    from checker.cli.console import Console
    from checker.explore.search import Progress

FIRST_PLAIN, EVERY_PLAIN = 2.0, 5.0
"""Seconds before the first plain line, and between two."""

FIRST_LIVE = 0.7
"""Seconds before the live line appears."""


def sentence(progress: Progress, memory: int) -> str:
    """The numbers of a running search in one line; `memory` in bytes, 0 when unknown."""
    rate = progress.states / progress.seconds if progress.seconds > 0 else 0.0
    parts = [
        seconds(progress.seconds),
        f"{progress.states:,} states",
        f"{progress.frontier:,} in the frontier",
        f"depth {progress.depth:,}",
        f"{rate:,.0f} states/s",
    ]
    return ", ".join(parts + ([f"{memory / (1 << 20):,.0f} MiB"] if memory else []))


class Line:
    """The line of one task. Use it as a context: on leaving, a live line is taken away."""

    def __init__(self, console: Console, label: str) -> None:
        self.console, self.label = console, label
        self.live = not console.quiet and console.on_terminal
        self.status: Any = None
        self.next = FIRST_LIVE if self.live else FIRST_PLAIN

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is not None:
            self.status.stop()

    def due(self, elapsed: float) -> bool:
        """Whether it is time to say something, so many seconds after the beginning."""
        return not self.console.quiet and elapsed >= self.next

    def tell(self, text: str, elapsed: float) -> None:
        line = f"{self.label}: {text}"
        if self.live:
            self._renew(line)
        else:
            self.next = elapsed + EVERY_PLAIN
            self.console.note(line, "soft")

    def _renew(self, line: str) -> None:
        if self.status is None:
            from rich.console import Console as RichConsole
            from rich.markup import escape
            from rich.status import Status

            self.escape = escape
            self.status = Status(escape(line), console=RichConsole(file=sys.stderr))
            self.status.start()
        else:
            self.status.update(self.escape(line))


class Reporter(Line):
    """The callback of a search."""

    def __call__(self, progress: Progress) -> None:
        if self.due(progress.seconds):
            from checker.explore.search import memory_used

            self.tell(sentence(progress, memory_used()), progress.seconds)


class Counting(Line):
    """The callback of what goes through things of which the number is known; `label` is their name."""

    def __init__(self, console: Console, label: str, began: float) -> None:
        super().__init__(console, label)
        self.began = began

    def __call__(self, done: int, of: int) -> None:
        elapsed = time.monotonic() - self.began
        if self.due(elapsed):
            self.tell(f"{done:,} of {of:,}, {seconds(elapsed)}", elapsed)
