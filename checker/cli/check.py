"""`quorate check`: explores the instances of specs, prints each verdict, and answers with the worst outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from checker.cli.failure import usage
from checker.cli.formats import output_file
from checker.cli.graphs import Graphs
from checker.cli.options import duration, memory, run_options
from checker.cli.outcome import Exit

if TYPE_CHECKING:
    from checker.cli.runs import Run
    from checker.language.ir import InstanceDecl, Spec
    from checker.verdict import Verdict


def _threads(_: click.Context, __: click.Parameter, value: str) -> int | None:
    if value == "auto":
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= 1024):
        raise click.BadParameter(f"`{value}` is not `auto` or a number from 1 to 1024")
    return int(value)


@run_options("check")
@click.option(
    "--engine",
    type=click.Choice(["auto", "interpreter", "native", "bmc"]),
    default="auto",
    help="Which engine explores; auto: native code for all but small instances; bmc: runs of --depth steps, by solver.",
)
@click.option("--depth", type=click.IntRange(0), metavar="N", help="Explore runs of at most N steps.")
@click.option("--memory", callback=memory, metavar="SIZE", help="Stop at this much memory, such as 2G.")
@click.option("--timeout", callback=duration, metavar="SECONDS", help="Stop each instance after this time: 90, 5m.")
@click.option("--threads", callback=_threads, default="auto", metavar="N", help="How many threads; default all cores.")
@click.option("--symmetry/--no-symmetry", default=True, help="Explore one of all states that differ by names only.")
@click.option(
    "--hash-compact", is_flag=True, help="Keep hashes of states instead of states; the report says what that risks."
)
@click.option("--continue", "go_on", is_flag=True, help="Go on after a violation, and find one of each property.")
@click.option("--dot", callback=output_file, metavar="FILE", help="Write the state graph for Graphviz.")
@click.option("--graph", callback=output_file, metavar="FILE", help="Write the state graph as an HTML page.")
@click.option("--by", metavar="VAR,VAR", help="In the graph, make one of states that are equal on these variables.")
def command(
    run: Run,
    engine: Literal["auto", "interpreter", "native", "bmc"],
    go_on: bool,
    dot: str | None,
    graph: str | None,
    by: str | None,
    **options: Any,
) -> Exit:
    """Explore every reachable state of the instances of each FILE.

    Answers with a verdict for each instance, and the shortest counterexample to what is violated.
    """
    from checker.explore.check import check
    from checker.explore.engines import engine as by_name
    from checker.explore.problem import Options

    if by is not None and not (dot or graph):
        raise usage("Q0713", "`--by` needs `--dot` or `--graph`", "it chooses what the state graph shows")
    wanted = Graphs(dot, graph, by)
    if engine == "bmc":
        from checker.prove.bounded import ENGINE

        # runs of bounded length say nothing of states without steps
        chosen = Options(engine=ENGINE, stop_at_first=not go_on, deadlock=False, **options)
    else:
        chosen = Options(engine=by_name(engine), stop_at_first=not go_on, deadlock=run.deadlock, **options)

    def explore(spec: Spec, decl: InstanceDecl, progress: Any) -> Verdict:
        verdict = check(spec, decl, chosen, progress)
        explored.append((spec, decl, verdict))
        return verdict

    explored: list[tuple[Spec, InstanceDecl, Verdict]] = []
    code = run.each(explore, single=wanted.option)
    if wanted.option and code is not Exit.INTERRUPTED:
        for spec, decl, verdict in explored:
            wanted.write(spec, decl, verdict, options["depth"], run.console)
    return code
