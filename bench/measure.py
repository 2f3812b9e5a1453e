"""Runs of programs, timed: CPU and wall seconds and peak memory of a child process, and medians over several runs.

It knows no tool; a sample says what a tool found and what that took.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


class Failed(Exception):
    """A tool is missing or did not do what was expected; one clause."""


@dataclass(frozen=True)
class Finished:
    """A child process that ended well: its output, CPU seconds of user and system, wall seconds, and peak bytes."""

    output: str
    cpu: float
    wall: float
    memory: int


@dataclass(frozen=True)
class Sample:
    """What one exhaustive run of a tool found and took. `memory`: bytes for all states; `compile`: wall seconds."""

    states: int
    transitions: int
    cpu: float
    wall: float
    memory: int
    compile: float


def run(command: Sequence[str], cwd: Path | None = None) -> Finished:
    """Runs a program to its end. Raises Failed if it cannot be run or ends with an error."""
    start = time.perf_counter()
    try:
        child = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise Failed(f"`{command[0]}` cannot be run: {error.strerror}") from None
    assert child.stdout is not None
    with child.stdout:
        output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if child.returncode != 0:
        raise Failed(f"`{command[0]}` ended with code {child.returncode}: {output.strip()[-200:]}")
    return Finished(output, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024)


def medians(samples: Sequence[Sample]) -> Sample:
    """The median of each quantity that varies; the counts are those of any, for all are the same."""

    def middle(quantity: Callable[[Sample], float]) -> float:
        return median(map(quantity, samples))

    first = samples[0]
    assert all((s.states, s.transitions) == (first.states, first.transitions) for s in samples)
    return Sample(
        first.states,
        first.transitions,
        middle(lambda s: s.cpu),
        middle(lambda s: s.wall),
        int(middle(lambda s: s.memory)),
        middle(lambda s: s.compile),
    )
