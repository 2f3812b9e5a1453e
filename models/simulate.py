"""`python -m models.simulate`: runs a protocol under many plans, and shrinks a run that goes wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import click

from models.plan import Features, Plan, planned
from models.protocols import PROTOCOLS
from models.shrink import shrunk
from models.simulator import Run, simulate
from models.trace import line

CHUNK = 50  # runs that a process makes before it reports


@click.command()
@click.option("--protocol", type=click.Choice(sorted(PROTOCOLS)), required=True)
@click.option(
    "--runs", type=click.IntRange(1), default=1000, show_default=True, help="How many plans, one for each seed."
)
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--nodes", type=click.IntRange(2), help="How many nodes; otherwise each plan chooses.")
@click.option("--snapshots", is_flag=True, help="Servers replace their logs by snapshots (Raft).")
@click.option("--membership", is_flag=True, help="Servers join and leave (Raft).")
@click.option("--local-reads", is_flag=True, help="Servers answer reads from what they have, which may be old.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--trace", "trace_file", type=click.Path(path_type=Path), help="Writes the trace of the last run.")
@click.option("--history", "history_file", type=click.Path(path_type=Path), help="Writes the history of the last run.")
def main(
    protocol: str,
    runs: int,
    seed: int,
    nodes: int | None,
    snapshots: bool,
    membership: bool,
    local_reads: bool,
    jobs: int,
    trace_file: Path | None,
    history_file: Path | None,
) -> None:
    """Runs PROTOCOL in a simulator that breaks everything around it: the network, the disks, the clocks.

    Exits with 1 if a run goes wrong, after telling the shortest run found that goes wrong in the same way.
    """
    if (snapshots or membership) and protocol != "raft":
        raise click.UsageError("--snapshots and --membership are for --protocol raft")
    features = Features(snapshots, membership)
    plans = [replace(planned(protocol, s, nodes, features), local_reads=local_reads) for s in range(seed, seed + runs)]
    began, done, events = time.perf_counter(), 0, 0
    for failed, count, seen in _results(plans, jobs):
        done, events = done + count, events + seen
        click.echo(f"\r{done} of {runs} runs", nl=False, err=True)
        if failed is not None:
            click.echo(err=True)
            _tell(failed, trace_file, history_file)
            raise SystemExit(1)
    click.echo(err=True)
    if trace_file or history_file:
        _save(simulate(plans[-1], PROTOCOLS[protocol], record=True), trace_file, history_file)
    seconds = time.perf_counter() - began
    click.echo(f"{protocol}: {runs} runs, {events} events, none went wrong; {seconds:.1f} s")


def _results(plans: list[Plan], jobs: int) -> Iterator[tuple[Plan | None, int, int]]:
    chunks = [plans[i : i + CHUNK] for i in range(0, len(plans), CHUNK)]
    if jobs == 1:
        yield from map(_run_all, chunks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_run_all, chunks)


def _run_all(plans: list[Plan]) -> tuple[Plan | None, int, int]:
    """The first plan that goes wrong, how many were run, and how many events they had."""
    events = 0
    for count, plan in enumerate(plans, 1):
        run = simulate(plan, PROTOCOLS[plan.protocol])
        events += run.events
        if run.failure:
            return plan, count, events
    return None, len(plans), events


def _tell(plan: Plan, trace_file: Path | None, history_file: Path | None) -> None:
    protocol = PROTOCOLS[plan.protocol]
    first = simulate(plan, protocol)
    click.echo(f"seed {plan.seed}: {first.failure}")
    run = shrunk(first, protocol)
    click.echo(f"shrunk from {first.events} to {run.events} events: {run.failure}\n{run.plan.told()}")
    _save(run, trace_file, history_file)


def _save(run: Run, trace_file: Path | None, history_file: Path | None) -> None:
    for path, lines in ((trace_file, run.trace), (history_file, run.history)):
        if path:
            try:
                path.write_text("".join(f"{line(told)}\n" for told in lines), encoding="utf-8")
            except OSError as error:
                raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None


if __name__ == "__main__":
    main()
