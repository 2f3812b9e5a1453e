"""`quorate generate`: scenarios from a spec, as JSON, to drive an implementation with."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import click

from checker.cli.console import Console
from checker.cli.options import color_option, duration, quiet_option, settings
from checker.cli.outcome import Exit

if TYPE_CHECKING:
    from checker.conform.generate import Goal, Scenarios
    from checker.language.ir import InstanceDecl, Spec


@click.command("generate")
@click.argument("spec", type=click.Path(), metavar="SPEC")
@click.option("-i", "--instance", "instances", multiple=True, metavar="NAME", help="Only this instance; repeatable.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    callback=settings,
    metavar="NAME=VALUE",
    help="Another size, constant or limit for all instances; repeatable.",
)
@click.option(
    "--states",
    type=click.IntRange(1),
    default=50_000,
    show_default=True,
    metavar="N",
    help="Look at so many states of each instance at most.",
)
@click.option("--timeout", callback=duration, metavar="SECONDS", help="Stop looking after this time: 90, 5m.")
@click.option("-o", "--out", type=click.Path(), metavar="FILE", help="Where the JSON goes; stdout if not given.")
@color_option
@quiet_option
def command(
    spec: str,
    instances: tuple[str, ...],
    overrides: dict[str, str],
    states: int,
    timeout: float | None,
    out: str | None,
    color: Literal["auto", "always", "never"],
    quiet: bool,
) -> Exit:
    """Write scenarios of SPEC as JSON: shortest runs that together take every action and every path through it, reach
    every `reachable`, and come to every border of the instances.

    A path that no run can take is told apart from one that was not found. Exits with 4 if something was not found and
    more states might have it.
    """
    from checker.cli.files import read
    from checker.cli.progress import Counting
    from checker.cli.save import save_document
    from checker.conform.generate import generate_all
    from checker.conform.scenarios import to_json

    console = Console(color, quiet)
    found = read([spec])
    console.diagnose([*found.errors, *found.warnings])
    if found.errors:
        return Exit.USAGE
    loaded = found.loaded[0][1].spec
    with Counting(console, "states", time.monotonic()) as progress:
        scenarios = generate_all(loaded, list(_instances(loaded, instances, overrides)), states, timeout, progress)
    save_document(to_json(scenarios), out or "-", console)
    return _tell(scenarios, console)


def _instances(spec: Spec, names: Iterable[str], overrides: dict[str, str]) -> Iterable[InstanceDecl]:
    from checker.explore.instance import default_instance, find_instance
    from checker.explore.overrides import with_overrides

    chosen = [find_instance(spec, name) for name in names] or list(spec.instances) or [default_instance(spec)]
    return [with_overrides(spec, decl, overrides) for decl in chosen]


def _tell(found: Scenarios, console: Console) -> Exit:
    count = sum(len(suite.scenarios) for suite in found.suites)
    steps = sum(len(scenario.steps) for suite in found.suites for scenario in suite.scenarios)
    console.note(f"{count} scenarios of {steps} steps")
    for goal in found.impossible:
        console.note(f"impossible: {goal}: its conditions contradict each other")
    if found.proved:
        for goal in found.excluded:
            console.note(f"unreachable: {goal}: the proved invariants exclude it")
    for goal in found.missed:
        console.note(f"not covered: {goal}, {_why(found, goal)}", "warn")
    return Exit.OK if found.exhausted or not found.missed else Exit.INCONCLUSIVE


def _why(found: Scenarios, goal: Goal) -> str:
    """What is known of a goal without a run."""
    if goal in found.excluded:
        return "which the invariants exclude; `quorate prove` tells whether they hold"
    if found.exhausted:
        return "which no run of these instances reaches"
    return "which was not found within the bound; more `--states` or another instance may reach it"
