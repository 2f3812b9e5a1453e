"""The process of one job: it does the job, sends its progress now and then, and at last its answer.

It is in a process group of its own, so that an interrupt at the keyboard reaches it once, through its parent.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from checker.ci.plan import Job
from checker.ci.pool import Advanced, Answer, Finished, Interrupted, crash_of
from checker.ci.work import perform
from checker.explore.search import Progress
from checker.source import SpecError

_EVERY = 0.5  # seconds between two messages about progress


def main(pipe: Connection, job: Job, threads: int) -> None:
    """Does the job and answers through the pipe."""
    with suppress(AttributeError, OSError):
        os.setpgid(0, 0)
    sys.setrecursionlimit(25_000)  # answers may be nested as deep as specs are
    answer = _answer(pipe, job, threads)
    with suppress(OSError):
        pipe.send(Finished(job, answer, job.outline.is_current))


def _answer(pipe: Connection, job: Job, threads: int) -> Answer:
    parent, last = os.getppid(), [time.monotonic()]

    def progress(found: Progress) -> None:
        if os.getppid() != parent:  # nobody is left to tell
            raise KeyboardInterrupt
        if time.monotonic() - last[0] >= _EVERY:
            last[0] = time.monotonic()
            pipe.send(Advanced(job, found))

    try:
        return perform(job, threads, progress)
    except SpecError as error:
        return error
    except KeyboardInterrupt:
        return Interrupted()
    except BaseException as error:
        return crash_of(error)
