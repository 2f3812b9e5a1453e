"""`quorate ci`: checks all instances and proofs of a project at once, and writes what pipelines read."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from checker.cli.console import Console
from checker.cli.formats import Formats, JsonCommand, format_options, now, report_of
from checker.cli.options import color_option, duration, memory, quiet_option
from checker.cli.outcome import Exit, of_outcome, worst

if TYPE_CHECKING:
    from checker.ci.cache import Cache
    from checker.ci.plan import Job, Plan
    from checker.ci.pool import Pool
    from checker.ci.settings import Settings
    from checker.report.results import Report, Result
    from checker.source import Diagnostic


@click.command("ci", cls=JsonCommand)
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
@click.option("--config", type=click.Path(), metavar="FILE", help="Settings; else pyproject.toml or quorate.toml.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="How many at a time; all cores if not given.")
@click.option("--timeout", callback=duration, metavar="SECONDS", help="Time for each instance and each proof: 90, 5m.")
@click.option("--memory", callback=memory, metavar="SIZE", help="Memory for each instance, such as 2G.")
@click.option(
    "--assurance",
    type=click.Choice(["bounded", "exhaustive", "proved"]),
    help="How far each verdict must reach; `proved` asks for a proof of each spec.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first result that is not as it should be.")
@click.option("--changed", metavar="REV", help="Only specs that differ from where the branch left REV, as git says.")
@click.option("--cache/--no-cache", default=True, help="Take what was found before of the same specs.")
@click.option("--github/--no-github", default=None, help="Annotations and summary; detected in GitHub Actions.")
@format_options
@color_option
@quiet_option
def command(
    paths: tuple[str, ...],
    config: str | None,
    jobs: int | None,
    fail_fast: bool,
    changed: str | None,
    cache: bool,
    github: bool | None,
    formats: Formats,
    color: Literal["auto", "always", "never"],
    quiet: bool,
    **limits: Any,
) -> Exit:
    """Check every instance, and prove every proof, of all specs in each PATH.

    Without PATH those that the settings name, else all below the working directory. Specs that did not change since
    they were last checked are not checked again. `quorate explain ci` tells the settings.
    """
    from checker.ci.cache import Cache
    from checker.ci.plan import find_specs

    console, started = Console(color, quiet), now()
    here = os.environ.get("GITHUB_ACTIONS") == "true" if github is None else github
    settings = _settings(config, limits)
    store = Cache.default() if cache else Cache(None)
    session = Session(settings, store, console, jobs or os.cpu_count() or 1, fail_fast)
    results, warnings = session.run(find_specs(settings, paths), _changed(settings, changed), whole=not paths)
    if not results and changed is not None:
        console.note(f"no spec differs from {changed}")
    store.tidy()
    report = _finished(settings, report_of(results, warnings, started=started), nothing_is_fine=changed is not None)
    if not formats.fill_stdout:
        with _plain_text(console) if here else nullcontext():
            _print(console, report)
    formats.write(console, report)
    if here:
        _tell_github(report, formats)
    return Exit(report.exit_code)


def _settings(config: str | None, limits: dict[str, Any]) -> Settings:
    """The settings of the project, with what the command line says instead for all of it."""
    from checker.ci.settings import Override, find_settings

    settings = find_settings(Path.cwd(), None if config is None else Path(config))
    given = {name: value for name, value in limits.items() if value is not None}
    return replace(settings, overrides=(*settings.overrides, Override("*", given))) if given else settings


def _changed(settings: Settings, revision: str | None) -> frozenset[Path] | None:
    """The files that differ from a revision; None: all count, as they do where the settings differ."""
    from checker.ci.changed import changed_since

    if revision is None:
        return None
    differing = changed_since(revision, Path.cwd())
    return None if settings.file is not None and settings.file.resolve() in differing else differing


def _finished(settings: Settings, report: Report, *, nothing_is_fine: bool) -> Report:
    """The report with its exit code; where no warning is allowed, each file that has some is a failure."""
    from checker.ci.judge import denied
    from checker.verdict import Outcome

    if settings.deny_warnings:
        report = replace(report, results=(*report.results, *denied(report)))
    codes = [of_outcome(r.outcome) for r in report.results if r.outcome is not Outcome.SKIPPED]
    code = Exit.OK if not report.results and nothing_is_fine else worst(codes)
    return replace(report, exit_code=int(code))


# --- the work ---------------------------------------------------------------------------------------


@dataclass
class Session:
    """One run over a set of files: what is known from before, what is done now, and in which order it is told."""

    settings: Settings
    cache: Cache
    console: Console
    slots: int
    fail_fast: bool

    def run(
        self, files: Iterable[str], changed: frozenset[Path] | None, *, whole: bool
    ) -> tuple[list[Result], list[Diagnostic]]:
        """The results in order of files and instances, and all warnings; `whole`: the files are all of the project."""
        from checker.ci.judge import skipped, stale
        from checker.ci.plan import plan
        from checker.report.results import invalid

        planned = plan(self.settings, files, self.cache, changed)
        refused = [invalid(diagnostics, file) for file, diagnostics in planned.refused]
        self.console.diagnose([*(d for r in refused for d in r.diagnostics), *planned.warnings])
        found = {job: skipped(job) for job in planned.jobs if job.skipped}
        found |= self._remembered(planned)
        rest = [job for job in planned.jobs if job not in found]
        found |= self._done(rest, stopped=self.fail_fast and (bool(refused) or self._has_failure(found.values())))
        results = [*refused, *(found[job] for job in planned.jobs)]
        told = list(stale(self.settings, planned.jobs, results, whole and changed is None))
        self.console.diagnose(told)
        return results, [*planned.warnings, *told]

    def _has_failure(self, results: Iterable[Result]) -> bool:
        from checker.ci.judge import is_failure

        return any(map(is_failure, results))

    def _remembered(self, planned: Plan) -> dict[Job, Result]:
        from checker.ci.judge import result_of

        known = {job: self.cache.verdict(job.key) for job in planned.jobs if not job.skipped}
        return {job: result_of(self.settings, job, v, cached=True) for job, v in known.items() if v is not None}

    def _done(self, jobs: list[Job], *, stopped: bool) -> dict[Job, Result]:
        """The results of jobs that are done now; after the first failure the rest is not run, if that is asked for."""
        from checker.ci.judge import not_run, result_of
        from checker.ci.pool import Interrupted, Pool

        found: dict[Job, Result] = {}
        if jobs and not stopped:
            pool = Pool(jobs, min(self.slots, len(jobs)))
            with _interrupts(pool):
                for result in self._results(pool, len(jobs)):
                    found[result[0]] = result[1]
                    stopped = self.fail_fast and self._has_failure([result[1]])
                    if stopped:
                        pool.stop()
            if pool.interrupted:
                return {job: found.get(job) or result_of(self.settings, job, Interrupted()) for job in jobs}
        if not stopped:
            return found
        why = "`--fail-fast`, after another result was not as it should be"
        return {job: found.get(job) or not_run(job, why) for job in jobs}

    def _results(self, pool: Pool, number: int) -> Iterator[tuple[Job, Result]]:
        """Each result as it comes, kept and told on the way."""
        from checker.ci.judge import result_of
        from checker.ci.pool import Finished
        from checker.cli.board import Board
        from checker.verdict import Verdict

        with Board(self.console, number) as board:
            for event in pool.events():
                if not isinstance(event, Finished):
                    board.show(event)
                    continue
                if isinstance(event.answer, Verdict) and event.current:
                    self.cache.keep_verdict(event.job.key, event.answer)
                result = result_of(self.settings, event.job, event.answer)
                self.console.diagnose(result.diagnostics)
                board.done(event.job, result)
                yield event.job, result


@contextmanager
def _interrupts(pool: Pool) -> Iterator[None]:
    """While the pool works, an interrupt (and the wish of a CI system to end) lets it stop with what it has; a second
    one ends the command."""

    def stop(number: int, _: Any) -> None:
        if pool.interrupted:
            pool.stop()
            raise KeyboardInterrupt
        pool.interrupt()

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


# --- what is told -----------------------------------------------------------------------------------


def _print(console: Console, report: Report) -> None:
    """The stories of what is wrong, a table of all results, and one line that sums them up."""
    from checker.report.findings import remarks
    from checker.report.overview import overview, stories, tally

    look = console.look
    if not console.quiet:
        blocks = [*stories(report, look), overview(report, look)]
        blocks += ["\n".join(f"warning: {f.title} ({f.file}:{f.line})" for f in remarks(report.results))]
        if told := "\n\n".join(block for block in blocks if block):
            console.out(told + "\n")
    console.out(tally(report, look))


@contextmanager
def _plain_text(console: Console) -> Iterator[None]:
    """What is printed meanwhile holds no commands for the runner of GitHub Actions, whatever names files have."""
    import secrets

    token = secrets.token_hex(16)
    console.out(f"::stop-commands::{token}")
    try:
        yield
    finally:
        console.out(f"::{token}::")


def _tell_github(report: Report, formats: Formats) -> None:
    """Annotations on the output of the step, the summary and the outcome in the files that the runner names.

    Where stdout is taken by a format they go to stderr, which the runner reads as well.
    """
    from checker.report.github import summary, workflow_commands

    stream = sys.stderr if formats.fill_stdout else sys.stdout
    for line in workflow_commands(report):
        stream.write(line + "\n")
    stream.flush()
    _append("GITHUB_STEP_SUMMARY", summary(report))
    _append("GITHUB_OUTPUT", f"exit-code={report.exit_code}\noutcome={Exit(report.exit_code).name.lower()}\n")


def _append(variable: str, text: str) -> None:
    """Adds to the file that a variable of the runner names; raises SpecError (Q0715) where that cannot be done."""
    from checker.cli.failure import usage

    if not (path := os.environ.get(variable)):
        return
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise usage("Q0715", f"`{path}` cannot be written: {error.strerror}", f"see `{variable}`") from None
