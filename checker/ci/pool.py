"""Jobs in parallel, each in a process of its own: what crashes or hangs takes nothing else with it.

Events come as they happen. A job that was interrupted still answers with what it saw; one that does not stop at the end
of its time is killed, and that is said.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, TypeAlias

from checker.ci.plan import Job
from checker.source import Diagnostic, SpecError
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.explore.search import Progress

_GRACE = 15.0
"""Seconds beyond its time, or after an interrupt, that a job may take to stop."""

_TICK = 0.2


@dataclass(frozen=True)
class Crash:
    """A job that ended without an answer: why, in one sentence, and the traceback if there is one."""

    message: str
    details: str = ""


@dataclass(frozen=True)
class Overrun:
    """A job that was killed because it did not stop at the end of its time."""

    message: str


@dataclass(frozen=True)
class Interrupted:
    """A job that was interrupted before it could answer anything."""


Answer: TypeAlias = "Verdict | SpecError | Crash | Overrun | Interrupted"


@dataclass(frozen=True)
class Started:
    job: Job


@dataclass(frozen=True)
class Advanced:
    job: Job
    progress: Progress


@dataclass(frozen=True)
class Finished:
    """`current`: the spec is still what it was when the job was made."""

    job: Job
    answer: Answer
    current: bool = True


Event: TypeAlias = "Started | Advanced | Finished"


@dataclass
class _Running:
    job: Job
    process: BaseProcess
    pipe: Connection
    end: float


class Pool:
    """Runs jobs in the order given, so many at a time."""

    def __init__(self, jobs: Sequence[Job], slots: int) -> None:
        self.waiting = list(jobs)
        self.slots = max(1, slots)
        self.running: list[_Running] = []
        self.interrupted = False
        # A server that forks clean processes costs one start for all of them; elsewhere each starts anew.
        methods = multiprocessing.get_all_start_methods()
        self.context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if "forkserver" in methods:
            self.context.set_forkserver_preload(["checker.ci.child"])

    def events(self) -> Iterator[Event]:
        """What happens, until all is done, or interrupted or stopped."""
        try:
            while self.running or (self.waiting and not self.interrupted):
                while self.waiting and len(self.running) < self.slots and not self.interrupted:
                    yield Started(self._start(self.waiting.pop(0)))
                for ready in wait([r.pipe for r in self.running], _TICK):
                    running = next((r for r in self.running if r.pipe is ready), None)
                    if running is not None:  # else it was stopped in the meantime
                        yield self._hear(running)
                yield from self._overdue()
        finally:
            self.stop()

    def interrupt(self) -> None:
        """Asks all running jobs to stop with what they have; no other is started."""
        self.interrupted = True
        for running in self.running:
            running.end = min(running.end, time.monotonic() + _GRACE)
            with suppress(OSError):
                os.kill(running.process.pid or 0, signal.SIGINT)

    def stop(self) -> None:
        """Ends all running jobs at once; they answer nothing."""
        self.waiting.clear()
        for running in self.running:
            _kill(running.process)
        self.running.clear()

    def _start(self, job: Job) -> Job:
        from checker.ci.child import main

        ours, theirs = self.context.Pipe(duplex=False)
        # What is left over when few jobs are left, goes to those.
        shares = min(self.slots, len(self.running) + 1 + len(self.waiting))
        threads = max(1, (os.cpu_count() or 1) // shares)
        process = self.context.Process(target=main, args=(theirs, job, threads), daemon=True)
        process.start()
        theirs.close()
        self.running.append(_Running(job, process, ours, time.monotonic() + job.limits.timeout + _GRACE))
        return job

    def _hear(self, running: _Running) -> Event:
        try:
            message = running.pipe.recv()
        except EOFError:
            running.process.join(_GRACE)
            message = Finished(running.job, self._without_answer(running.process.exitcode))
        except Exception as error:  # half a message, from a process that died in the middle of it
            message = Finished(running.job, Crash(f"its answer cannot be read: {error}"))
        if isinstance(message, Finished):
            self._remove(running)
        assert isinstance(message, Advanced | Finished)
        return replace(message, job=running.job)  # the very job, not the copy that was sent there and back

    def _without_answer(self, code: int | None) -> Crash | Interrupted:
        if self.interrupted:
            return Interrupted()
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            killed = ", as happens when memory runs out" if name == "SIGKILL" else ""
            return Crash(f"its process was ended by {name}{killed}")
        return Crash(f"its process ended with code {code} and no answer")

    def _overdue(self) -> Iterator[Event]:
        for running in [r for r in self.running if time.monotonic() > r.end]:
            _kill(running.process)
            self._remove(running)
            if self.interrupted:
                yield Finished(running.job, Interrupted())
            else:
                limit = f"{running.job.limits.timeout:g} s"
                yield Finished(
                    running.job, Overrun(f"out of time: it did not stop by itself after {limit} and was killed")
                )

    def _remove(self, running: _Running) -> None:
        self.running.remove(running)
        running.pipe.close()


def _kill(process: BaseProcess) -> None:
    """Ends a process and those that it started in its group."""
    killer: Callable[[int, int], None] | None = getattr(os, "killpg", None)
    if killer is not None and process.pid is not None:
        with suppress(OSError):
            killer(process.pid, signal.SIGKILL)
    process.kill()
    process.join(_GRACE)


def crash_of(error: BaseException) -> Crash:
    """An exception that nobody expected, as an answer."""
    import traceback

    what = f"{type(error).__name__}: {error}".rstrip(": ").split("\n")[0]
    return Crash(what, "".join(traceback.format_exception(error, limit=200)))


def diagnostic_of(crash: Crash, job: Job) -> Diagnostic:
    """A crash as users are told of it."""
    hint = "please report it, with the spec; `quorate check --debug` or `prove --debug` shows where"
    return Diagnostic("Q0720", f"an error inside Quorate in {job.file} {job.name} ({crash.message})", hint=hint)
