"""`quorate prove`: proves specs for every size, prints each verdict, and answers with the worst outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

from checker.cli.console import Console
from checker.cli.failure import usage
from checker.cli.formats import Formats, JsonCommand, format_options, output_file, report_of
from checker.cli.options import color_option, duration, quiet_option
from checker.cli.outcome import Exit, of_outcome, worst

if TYPE_CHECKING:
    from checker.cli.files import Read
    from checker.language.frontend import Loaded
    from checker.prove.discharge import Options
    from checker.report.results import Result
    from checker.verdict import ObligationResult, Verdict


@click.command("prove", cls=JsonCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-i", "--instance", metavar="NAME", help="Induction over this instance only, all of it finite.")
@click.option("--k", type=click.IntRange(1, 100), default=1, metavar="K", help="Let induction look back K states.")
@click.option("--list", "listing", is_flag=True, help="Print the obligations; ask no solver.")
@click.option("--timeout", callback=duration, metavar="SECONDS", help="Work for each obligation, in seconds (20).")
@click.option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Seed of the solver.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Solver processes; all cores if not given.")
@click.option("--cache/--no-cache", default=True, help="Begin with what succeeded before.")
@click.option("--dot", callback=output_file, metavar="FILE", help="Write the proof graph for Graphviz.")
@click.option("--smt2", metavar="DIR", help="Write each proved obligation as SMT-LIB 2.")
@click.option("--recheck", is_flag=True, help="Ask cvc5, where installed, about each proved obligation.")
@click.option("--suggest", is_flag=True, help="Propose clauses that exclude a counterexample to induction.")
@click.option("--full", is_flag=True, help="All counterexamples to induction, with whole states.")
@format_options
@color_option
@quiet_option
def command(
    files: tuple[str, ...],
    instance: str | None,
    k: int,
    listing: bool,
    timeout: float | None,
    seed: int,
    jobs: int | None,
    cache: bool,
    dot: str | None,
    smt2: str | None,
    recheck: bool,
    suggest: bool,
    full: bool,
    formats: Formats,
    color: Literal["auto", "always", "never"],
    quiet: bool,
) -> Exit:
    """Prove the invariants, lemmas and step properties of each FILE for every size.

    Every network but rounds counts as the growing set of messages sent. What cannot be proved is answered with a
    small state from which a step breaks it, and with whether a run leads there.
    """
    import os
    from pathlib import Path

    from checker.cli.files import read
    from checker.prove.counterexample import Budget
    from checker.prove.discharge import Options

    console = Console(color, quiet)
    found = read(files)
    console.diagnose((*found.errors, *found.warnings))
    if found.errors:
        formats.write(console, report_of(found.results, found.warnings, Exit.USAGE))
        return Exit.USAGE
    if listing:
        for _, loaded in found.loaded:
            _list(loaded, console)
        return Exit.OK
    if k > 1 and instance is None:
        raise usage("Q0713", "`--k` needs `--instance`", "for every size, induction looks back one state")
    options = Options(
        timeout or 20.0,
        seed=seed,
        jobs=jobs or os.cpu_count() or 1,
        cache=cache,
        smt2=Path(smt2) if smt2 else None,
        recheck=recheck,
        budget=Budget(suggest=10.0 if suggest else 0.0),
    )
    asked = Asked(options, instance, k, full, not formats.fill_stdout)
    results = list(_results(found, asked, console))
    code = worst(of_outcome(result.outcome) for result in results)
    if dot is not None:
        _draw(results, dot)
    formats.write(console, report_of(results, found.warnings, code))
    return code


def _results(found: Read, asked: Asked, console: Console) -> Iterator[Result]:
    """The result of each file, up to an interrupt."""
    from checker.report.results import interrupted, of_verdict
    from checker.verdict import Outcome

    for path, loaded in found.loaded:
        try:
            result = of_verdict(_prove(loaded, asked, console), path)
        except KeyboardInterrupt:
            result = interrupted(path, asked.instance or "proof", "proof")
        yield result
        if result.outcome is Outcome.INTERRUPTED:
            return


@dataclass(frozen=True)
class Asked:
    """What is to be proved of each file, and how it is told."""

    options: Options
    instance: str | None
    k: int
    full: bool
    printed: bool


def _prove(loaded: Loaded, asked: Asked, console: Console) -> Verdict:
    from checker.explore.instance import find_instance
    from checker.prove.instance import prove_instance
    from checker.prove.prove import growing, prove
    from checker.report.proof import report, verdict_line
    from checker.report.story import View

    def progress(o: ObligationResult) -> None:
        if o.how not in ("frame", "form"):
            how = o.how or o.message or "counterexample to induction"
            console.note(f"{o.status.value:<9} {o.seconds:6.2f} s  {o.name} ({how})", "soft")

    if asked.instance is None:
        verdict = prove(loaded.spec, asked.options, progress)
    else:
        decl = find_instance(loaded.spec, asked.instance)
        verdict = prove_instance(growing(loaded.spec), decl, asked.k, asked.options.timeout, progress)
    if asked.printed and console.quiet:
        console.out(f"{verdict.spec}: {verdict_line(verdict, console.look)}")
    elif asked.printed:
        console.out(report(verdict, console.look, View(asked.full)))
    return verdict


def _list(loaded: Loaded, console: Console) -> None:
    """The obligations, one a line, with how those are decided that need no solver."""
    from checker.prove.obligations import plan
    from checker.prove.prove import growing

    for o in plan(growing(loaded.spec)).obligations:
        console.out(f"{o.kind:<9} {o.name}{f' ({o.decided})' if o.decided else ''}")


def _draw(results: Iterable[Result], target: str) -> None:
    """The proof graphs of all files, for Graphviz."""
    from checker.cli.save import save_text
    from checker.report.proof import dot

    verdicts = [result.verdict for result in results if result.verdict is not None]
    save_text("".join(dot(v.graph, v.spec) for v in verdicts if v.graph is not None), target)
