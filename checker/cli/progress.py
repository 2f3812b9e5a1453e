"""How far a running search is, on stderr: one line that renews itself on a terminal, else a plain line now and then.

Short runs show nothing, and import nothing for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

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


class Reporter:
    """The callback of a search. Use it as a context: on leaving, the live line is taken away."""

    def __init__(self, console: Console, label: str) -> None:
        self.console, self.label = console, label
        self.live = not console.quiet and console.on_terminal
        self.status: Any = None
        self.next = FIRST_LIVE if self.live else FIRST_PLAIN

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is not None:
            self.status.stop()

    def __call__(self, progress: Progress) -> None:
        if self.console.quiet or progress.seconds < self.next:
            return
        from checker.explore.search import memory_used

        line = f"{self.label}: {sentence(progress, memory_used())}"
        if self.live:
            self._renew(line)
        else:
            self.next = progress.seconds + EVERY_PLAIN
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
