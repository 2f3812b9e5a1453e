"""How far a run over many jobs is, on stderr: a line that renews itself on a terminal, else one for each result."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from checker.report.overview import result_line

if TYPE_CHECKING:
    from checker.ci.plan import Job
    from checker.ci.pool import Event
    from checker.cli.console import Console
    from checker.report.results import Result

_MOST_SHOWN = 3


class Board:
    """Use it as a context: on leaving, the live line is taken away."""

    def __init__(self, console: Console, number: int) -> None:
        self.console, self.number, self.finished = console, number, 0
        self.running: dict[Job, str] = {}
        self.status: Any = None

    def __enter__(self) -> Board:
        if self.console.on_terminal and not self.console.quiet:
            from rich.console import Console as RichConsole
            from rich.status import Status

            self.status = Status(self._line(), console=RichConsole(file=sys.stderr))
            self.status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is not None:
            self.status.stop()

    def show(self, event: Event) -> None:
        """A job has started, or tells how far it is."""
        from checker.ci.pool import Advanced

        states = f" {event.progress.states:,} states" if isinstance(event, Advanced) else ""
        self.running[event.job] = states
        self._renew()

    def done(self, job: Job, result: Result) -> None:
        """A job has ended."""
        self.running.pop(job, None)
        self.finished += 1
        if self.status is None:
            line = result_line(result, self.console.look)
            self.console.note(f"{self.finished}/{self.number} {line}", "soft")
        self._renew()

    def _renew(self) -> None:
        if self.status is not None:
            self.status.update(self._line())

    def _line(self) -> str:
        from rich.markup import escape

        told = [f"{job.file} {job.name}{states}" for job, states in self.running.items()]
        more = f" and {len(told) - _MOST_SHOWN} more" if len(told) > _MOST_SHOWN else ""
        return escape(f"{self.finished}/{self.number} done; {', '.join(told[:_MOST_SHOWN])}{more}")
