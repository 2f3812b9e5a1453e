"""The native search as Python sees it: the structures and functions of runtime.h, by ctypes.

It passes numbers and bytes across and knows no spec. Whatever is declared here mirrors runtime.h.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

CONTRACT = 2


class Outcome(IntEnum):
    """Why a search ended; see runtime.h."""

    COMPLETE = 0
    FOUND = 1
    DEPTH = 2
    STATES = 3
    TIME = 4
    MEMORY = 5
    INTERRUPTED = 6
    CAPACITY = 7


class _Options(ctypes.Structure):
    _fields_ = (
        ("threads", ctypes.c_uint32),
        ("max_depth", ctypes.c_uint32),
        ("max_states", ctypes.c_uint64),
        ("max_bytes", ctypes.c_uint64),
        ("max_seconds", ctypes.c_double),
        ("initial_slots", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("stop_on", ctypes.POINTER(ctypes.c_uint8)),
    )


class _Progress(ctypes.Structure):
    _fields_ = (
        ("states", ctypes.c_uint64),
        ("transitions", ctypes.c_uint64),
        ("expanded", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("depth", ctypes.c_uint32),
        ("running", ctypes.c_uint32),
        ("seconds", ctypes.c_double),
    )


class _Finding(ctypes.Structure):
    _fields_ = (
        ("found", ctypes.c_uint32),
        ("depth", ctypes.c_uint32),
        ("action", ctypes.c_uint32),
        ("is_step", ctypes.c_uint32),
    )


class _Shape(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in ("contract", "state_bytes", "actions", "findings", "bounds", "marks", "sorts", "hash_compact")
    )


@dataclass(frozen=True)
class Settings:
    """How far to search: see `Options` in runtime.h. `stop_on`: whether each finding ends the search."""

    threads: int
    stop_on: Sequence[bool]
    depth: int | None = None
    memory: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Counts:
    """How far a search is, or was at its end."""

    states: int
    transitions: int
    expanded: int
    depth: int
    seconds: float
    bytes: int


class OutOfMemory(Exception):
    """The system refuses the memory that a search begins with."""


class Library:
    """A compiled program."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._c = library
        library.model_shape.restype = _Shape
        library.search_new.restype = ctypes.c_void_p
        library.model_code.restype = ctypes.c_void_p
        library.search_adopt.restype = ctypes.c_bool
        library.search_expected_loss.restype = ctypes.c_double
        self.shape: _Shape = library.model_shape()
        if self.shape.contract != CONTRACT:
            raise RuntimeError(f"the native search speaks contract {self.shape.contract}, not {CONTRACT}")

    @property
    def code(self) -> ctypes.c_void_p:
        """What `Search.adopt` takes."""
        return ctypes.c_void_p(self._c.model_code())

    def canonical(self, packed: bytes) -> bytes:
        """The least of all packed states that differ from one by names only; of programs with symmetry."""
        words = (len(packed) + 7) // 8
        state, least = (ctypes.c_uint64 * words)(), (ctypes.c_uint64 * words)()
        ctypes.memmove(state, packed, len(packed))
        self._c.model_canonical(state, least)
        return bytes(least)[: len(packed)]

    def search(self, settings: Settings) -> Search:
        """A search that has not begun. Raises OutOfMemory."""
        return Search(self._c, self.shape, settings)


class Search:
    """One search; call `close` when its results have been read."""

    def __init__(self, library: ctypes.CDLL, shape: _Shape, settings: Settings) -> None:
        self._c, self._shape = library, shape
        stop_on = (ctypes.c_uint8 * shape.findings)(*map(int, settings.stop_on))
        options = _Options(
            threads=settings.threads,
            max_depth=0xFFFFFFFF if settings.depth is None else min(settings.depth, 0xFFFFFFFF),
            max_bytes=settings.memory or 0,
            max_seconds=settings.seconds or 0.0,
            stop_on=ctypes.cast(stop_on, ctypes.POINTER(ctypes.c_uint8)),
        )
        self._kept = (stop_on, options)  # the search reads them while it runs
        self._search = ctypes.c_void_p(library.search_new(ctypes.byref(options)))
        if not self._search:
            raise OutOfMemory

    def run(self, watch: Callable[[], None], every: float) -> Outcome:
        """Searches to the end, calling back every so many seconds. A keyboard interruption ends the search."""
        outcome: list[int] = []
        done = threading.Event()  # a thread whose `join` is interrupted counts as ended in Python 3.11, though it runs

        def search() -> None:
            outcome.append(self._c.search_run(self._search))
            done.set()

        threading.Thread(target=search, daemon=True).start()
        while not done.is_set():
            try:
                if not done.wait(every):
                    watch()
            except KeyboardInterrupt:
                self._c.search_stop(self._search)
        return Outcome(outcome[0])

    def counts(self) -> Counts:
        """May be asked at any time."""
        p = _Progress()
        self._c.search_progress(self._search, ctypes.byref(p))
        return Counts(p.states, p.transitions, p.expanded, p.depth, p.seconds, p.bytes)

    def adopt(self, other: Library) -> bool:
        """Goes on with better code for the same program; says whether it was that."""
        return bool(self._c.search_adopt(self._search, other.code))

    def by_action(self) -> tuple[list[int], list[int], list[int]]:
        """Steps taken and states discovered by each action; states in which each bound cut a step off."""
        taken = (ctypes.c_uint64 * self._shape.actions)()
        discovered = (ctypes.c_uint64 * self._shape.actions)()
        bounds = (ctypes.c_uint64 * max(1, self._shape.bounds))()
        marks = (ctypes.c_uint8 * max(1, self._shape.marks))()
        self._c.search_counts(self._search, taken, discovered, bounds, marks)
        return list(taken), list(discovered), list(bounds)[: self._shape.bounds]

    def finding(self, number: int) -> tuple[int, bool] | None:
        """The depth at which something was found, and whether in a step; None if it was not."""
        finding = _Finding()
        self._c.search_finding(self._search, number, ctypes.byref(finding))
        return (finding.depth, bool(finding.is_step)) if finding.found else None

    def run_to(self, number: int, room: int) -> list[bytes]:
        """The packed states of the run to a finding, which are at most `room`."""
        size = self._shape.state_bytes
        buffer = (ctypes.c_uint8 * (room * size))()
        count = self._c.search_trace(self._search, number, buffer, room)
        packed = bytes(buffer)
        return [packed[i * size : (i + 1) * size] for i in range(count)]

    @property
    def expected_loss(self) -> float:
        """The expected number of states lost because others had the same hash."""
        loss: float = self._c.search_expected_loss(self._search)
        return loss

    def close(self) -> None:
        """Frees what the search holds."""
        self._c.search_free(self._search)
        self._search = ctypes.c_void_p()
