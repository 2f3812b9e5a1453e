"""`python -m bench.runs`: simulated runs of a model, each held against its spec, and its history against the store.

For each seed a run is made with faults of all kinds; its trace has to conform to the spec of the protocol, and what the
clients were answered has to be linearizable. This is what `tests/models` does for some seeds; here it is done for many.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import click

from checker.conform.follow import conform
from checker.history.check import check_history
from checker.language import ir
from checker.language.frontend import load
from checker.verdict import Conforms
from models.plan import Features, planned
from models.protocols import PROTOCOLS
from models.simulator import Run, simulate
from models.trace import Json, line

SPECS = Path(__file__).parent.parent / "specs"
CHUNK = 20  # runs that a process checks before it reports


@dataclass
class Tally:
    """What came of some runs. `events` are those of the traces; `failures` are by seed."""

    runs: int = 0
    events: int = 0
    operations: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.runs += other.runs
        self.events += other.events
        self.operations += other.operations
        self.failures += other.failures


@cache
def specs() -> dict[str, Path]:
    """The specs by name, as the headers of traces have it."""
    found = {}
    for path in sorted(SPECS.glob("*.spec")):
        words = (text.split() for text in path.read_text(encoding="utf-8").splitlines())
        found[next(w[1] for w in words if w[:1] == ["spec"])] = path
    return found


@cache
def spec(name: str) -> ir.Spec:
    return load(specs()[name]).spec


def written(lines: Iterable[Json], path: Path) -> str:
    path.write_text("".join(f"{line(told)}\n" for told in lines), encoding="utf-8")
    return str(path)


def fault(run: Run, directory: Path) -> str | None:
    """What is wrong with a run, in a sentence; None if nothing is."""
    if run.failure:
        return run.failure
    answer = conform(spec(run.trace[0]["spec"]), [written(run.trace, directory / "trace.ndjson")])
    if answer.answer is Conforms.NO and answer.fault:
        return f"the trace does not conform: line {answer.fault.line}, {answer.fault.node} {answer.fault.action}"
    if answer.answer is not Conforms.YES:
        return f"whether the trace conforms is open: {answer.reason}"
    if run.history:
        found = check_history(written(run.history, directory / "history.ndjson"), "kv", "linearizable", timeout=60)
        if found.answer != "consistent":
            return f"the history is {found.answer}"
    return None


def checked(protocol: str, features: Features, seeds: range) -> Tally:
    tally = Tally()
    with tempfile.TemporaryDirectory() as directory:
        for seed in seeds:
            run = simulate(planned(protocol, seed, features=features), PROTOCOLS[protocol], record=True)
            tally.runs += 1
            tally.events += len(run.trace) - 1
            tally.operations += sum(told["type"] == "ok" for told in run.history)
            if what := fault(run, Path(directory)):
                tally.failures.append((seed, what))
    return tally


def results(protocol: str, features: Features, seeds: range, jobs: int) -> Iterator[Tally]:
    chunks = [seeds[i : i + CHUNK] for i in range(0, len(seeds), CHUNK)]
    check = partial(checked, protocol, features)
    if jobs == 1:
        yield from map(check, chunks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(check, chunks)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@click.command()
@click.option("--protocol", type=click.Choice(sorted(PROTOCOLS)), required=True)
@click.option("--runs", default=1000, show_default=True, help="How many, one for each seed.")
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--snapshots", is_flag=True, help="Servers replace their logs by snapshots (Raft).")
@click.option("--membership", is_flag=True, help="Servers join and leave (Raft).")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
def main(protocol: str, runs: int, seed: int, snapshots: bool, membership: bool, jobs: int) -> None:
    """Makes RUNS simulated runs with faults, and checks each trace and each history.

    Exits with 0 if all is well, with 1 if a run is not, with 130 if it was interrupted; then it says how far it came.
    """
    features = Features(snapshots, membership)
    if features != Features() and protocol != "raft":
        raise click.UsageError("--snapshots and --membership are for --protocol raft")
    began, tally, interrupted = time.monotonic(), Tally(), False
    try:
        for part in results(protocol, features, range(seed, seed + runs), jobs):
            tally.add(part)
            for number, why in part.failures:
                click.echo(f"seed {number}: {why}\n  {again(protocol, number, features)}")
            click.echo(f"\r{tally.runs} of {runs} runs, {len(tally.failures)} failed", nl=False, err=True)
    except KeyboardInterrupt:
        interrupted = True
    click.echo(err=True)
    done = "all conform, all histories are linearizable" if not tally.failures else f"{len(tally.failures)} failed"
    what = " ".join((protocol, *features.names))
    of = f"of {runs} runs, interrupted after seed {seed + tally.runs - 1}" if interrupted else "runs"
    click.echo(
        f"{what}, seeds from {seed}: {tally.runs} {of}: {done}; {tally.events} events, "
        f"{tally.operations} operations done, {time.monotonic() - began:.0f} s"
    )
    sys.exit(1 if tally.failures else 130 if interrupted else 0)


def again(protocol: str, seed: int, features: Features) -> str:
    """How to come by the trace and the history of a run."""
    options = "".join(f" --{name}" for name in features.names)
    return (
        f"python -m models.simulate --protocol {protocol}{options} --seed {seed} --runs 1 "
        "--trace trace.ndjson --history history.ndjson"
    )


if __name__ == "__main__":
    main()
