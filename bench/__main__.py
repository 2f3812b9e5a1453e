"""`python -m bench`: measures this engine and its peers on the same state graphs, and prints one table a case.

Rates are distinct states for each second of CPU; ratios are to SPIN, or to the first row where it is missing.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from bench import cases, tools
from bench.measure import Failed, Sample, medians

Row = tuple[str, Sample | str]
COLUMNS = ("states", 12), ("transitions", 14), ("CPU s", 9), ("wall s", 9), ("states/CPU s", 14), ("bytes/state", 13)
HEAD = " " * 35 + "".join(f"{name:>{width}}" for name, width in (*COLUMNS, ("compile s", 11), ("ratio", 8)))


def rows(case: cases.Case, runs: int, rumur: bool, scratch: Path) -> Iterator[Row]:
    """Each tool in each way of running it; the runs of all are interleaved, so that a noisy moment is shared."""
    threads = os.cpu_count() or 1
    spin = {"SPIN, exact, depth first": lambda place: tools.spin(case, place)} if case.peers is not None else {}
    rest = "Quorate, 1 thread, all properties"
    every = {rest: lambda place: tools.quorate(case, 1, False, True, place)} if case.properties is not None else {}
    ways: dict[str, Callable[[Path], Iterator[Sample]]] = {
        **spin,
        "Quorate, 1 thread": lambda place: tools.quorate(case, 1, False, False, place),
        f"Quorate, {threads} threads": lambda place: tools.quorate(case, threads, False, False, place),
        **every,
        "Quorate, 1 thread, symmetry": lambda place: tools.quorate(case, 1, True, False, place),
    }
    found: dict[str, list[Sample] | str] = {name: [] for name in ways}
    started = {name: way(_folder(scratch, name)) for name, way in ways.items()}
    for _ in range(runs):
        for name, samples in started.items():
            _add(found, name, samples)
    if rumur and case.peers is not None:
        name = "Rumur, 1 thread, one run"
        found[name] = []
        _add(found, name, tools.rumur(case, 1, _folder(scratch, name)))
    for name, samples_or_failure in found.items():
        yield name, samples_or_failure if isinstance(samples_or_failure, str) else medians(samples_or_failure)


def _folder(scratch: Path, name: str) -> Path:
    folder = scratch / "".join(c if c.isalnum() else "_" for c in name)
    folder.mkdir(parents=True)
    return folder


def _add(found: dict[str, list[Sample] | str], name: str, samples: Iterator[Sample]) -> None:
    known = found[name]
    if isinstance(known, str):
        return
    try:
        known += islice(samples, 1)
    except Failed as reason:
        found[name] = str(reason)


def table(case: cases.Case, measured: list[Row]) -> Iterator[str]:
    yield f"{case.name}"
    yield HEAD
    rates = [s.states / s.cpu for _, s in measured if isinstance(s, Sample)]
    for name, sample in measured:
        if isinstance(sample, str):
            yield f"  {name:33}  {sample}"
            continue
        rate = sample.states / max(sample.cpu, 1e-6)
        yield (
            f"  {name:33}{sample.states:>12,}{sample.transitions:>14,}{sample.cpu:>9.3f}{sample.wall:>9.3f}"
            f"{rate:>14,.0f}{sample.memory / sample.states:>13,.1f}{sample.compile:>11.2f}{rate / rates[0]:>7.2f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--small", action="store_true", help="only cases that take a second")
    parser.add_argument("--rumur", action="store_true", help="also Rumur, once a case; takes minutes")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are shown (default: 3)")
    parser.add_argument("--case", action="append", help="only cases whose name contains this; repeatable")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, medians of {asked.runs}\n")
    for case in cases.SMALL if asked.small else cases.FULL:
        if asked.case and not any(part.lower() in case.name.lower() for part in asked.case):
            continue
        with tempfile.TemporaryDirectory(prefix="quorate-bench-") as scratch:
            measured = list(rows(case, asked.runs, asked.rumur, Path(scratch)))
        print(*table(case, measured), "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
