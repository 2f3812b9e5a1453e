"""`quorate simulate`: random walks through the instances of specs, repeatable from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from checker.cli.options import duration, run_options
from checker.cli.outcome import Exit

if TYPE_CHECKING:
    from checker.cli.runs import Run
    from checker.verdict import Verdict


@run_options("simulate")
@click.option("--walks", type=click.IntRange(1), default=100, show_default=True, metavar="N", help="How many walks.")
@click.option("--length", type=click.IntRange(1), default=100, show_default=True, metavar="N", help="Steps of each.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="The same seed takes the same walks.")
@click.option("--timeout", callback=duration, metavar="SECONDS", help="Stop each instance after this time: 90, 5m.")
@click.option("--continue", "go_on", is_flag=True, help="Go on after a violation.")
def command(run: Run, walks: int, length: int, seed: int | None, timeout: float | None, go_on: bool) -> Exit:
    """Take random walks through the instances of each FILE, for instances too big to explore.

    What a walk finds is real, though seldom shortest; finding nothing proves nothing.
    """
    from checker.explore.problem import Options
    from checker.explore.simulate import Walks, fresh_seed, simulate

    chosen = Walks(walks, length, fresh_seed() if seed is None else seed)
    options = Options(timeout=timeout, stop_at_first=not go_on, deadlock=run.deadlock)

    def explore(spec: Any, decl: Any, progress: Any) -> Verdict:
        return simulate(spec, decl, chosen, options, progress)

    return run.each(explore)
