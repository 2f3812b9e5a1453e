"""The tools as they are measured: each takes a case and gives a sample for each run.

Compiling is timed apart from searching. A tool that is not installed, or does not find the states there are, fails.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from bench.cases import ROOT, Case
from bench.measure import Failed, Sample, run

SPIN_FLAGS = ("-O2", "-march=native", "-DSAFETY", "-DNOREDUCE")
"""Exact depth-first search; partial-order reduction would do nothing for a single process."""

SPIN_TABLE = 24
"""The logarithm of the number of slots of SPIN's hash table; smaller ones make it slower on the larger cases."""


def quorate(case: Case, threads: int, symmetry: bool, everything: bool, scratch: Path) -> Iterator[Sample]:
    """This project's native engine, by its Python interface; `everything` checks all properties of the spec."""
    options = {
        "spec": str(case.spec),
        "instance": case.instance,
        "sizes": {name: str(size) for name, size in case.sizes.items()},
        "properties": None if everything or case.properties is None else list(case.properties),
        "threads": threads,
        "symmetry": symmetry,
    }
    while True:
        options["cache"] = mkdtemp(dir=scratch)
        finished = run([sys.executable, "-m", "bench.ours", json.dumps(options)], ROOT)
        sample = Sample(**json.loads(finished.output))
        if not symmetry and sample.states != case.states:
            raise Failed(f"found {sample.states:,} states instead of {case.states:,}")
        yield sample


def spin(case: Case, scratch: Path) -> Iterator[Sample]:
    """SPIN's exact depth-first search."""
    assert case.peers is not None
    (scratch / "model.pml").write_text(case.peers.promela())
    start = time.perf_counter()
    run(["spin", "-a", "model.pml"], scratch)
    run(["gcc", *SPIN_FLAGS, "-o", "pan", "pan.c"], scratch)
    compile_seconds = time.perf_counter() - start
    while True:
        finished = run(["./pan", "-E", f"-w{SPIN_TABLE}", "-m1000000"], scratch)
        states = _number(r"([\d.e+]+) states, stored", finished.output)
        transitions = _number(r"([\d.e+]+) transitions", finished.output)
        if states != case.states or "errors: 0" not in finished.output:
            raise Failed(f"found {states:,} states instead of {case.states:,}")
        yield Sample(states, transitions, finished.cpu, finished.wall, finished.memory, compile_seconds)


def rumur(case: Case, threads: int, scratch: Path) -> Iterator[Sample]:
    """Rumur without symmetry reduction."""
    (scratch / "model.m").write_text(case.murphi_text)
    off = ("--deadlock-detection", "off", "--symmetry-reduction", "off", "--threads", str(threads))
    start = time.perf_counter()
    run(["rumur", *off, "model.m", "--output", "model.c"], scratch)
    run(["gcc", "-O3", "-march=native", "-pthread", "-mcx16", "model.c", "-o", "checker"], scratch)
    compile_seconds = time.perf_counter() - start
    while True:
        finished = run(["./checker"], scratch)
        states, rules = (_number(rf"(\d+) {what}", finished.output) for what in ("states", "rules fired"))
        if states != case.states:
            raise Failed(f"found {states:,} states instead of {case.states:,}")
        yield Sample(states, rules, finished.cpu, finished.wall, finished.memory, compile_seconds)


def _number(pattern: str, output: str) -> int:
    """The last of such numbers, for earlier ones may tell of progress."""
    numbers = re.findall(pattern, output)
    if not numbers:
        raise Failed(f"said nothing like `{pattern}`")
    return int(float(numbers[-1]))
