"""From what a job answered to a result: whether it is what the project wants, and if not, in what way.

Nothing but an answer that reaches as far as required, and says what is expected, is a success.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from checker.ci.plan import Job, from_root
from checker.ci.pool import Answer, Crash, Interrupted, Overrun, diagnostic_of
from checker.ci.settings import Settings, matches
from checker.report.findings import findings
from checker.report.results import Report, Result, invalid
from checker.source import Diagnostic, Severity, SpecError
from checker.verdict import Assurance, Outcome, Verdict


def result_of(settings: Settings, job: Job, answer: Answer, *, cached: bool = False) -> Result:
    """The result of a job."""
    plain = Result(
        job.file, job.name, job.kind, Outcome.INTERNAL, place=job.place, cached=cached, digest=job.outline.digest
    )
    match answer:
        case SpecError():
            return replace(invalid(answer.diagnostics, job.file, job.name), kind=job.kind, place=job.place)
        case Crash():
            told = (diagnostic_of(answer, job),)
            return replace(plain, message=answer.message, diagnostics=told)
        case Overrun():
            return replace(plain, outcome=Outcome.BUDGET, message=answer.message)
        case Interrupted():
            return replace(plain, outcome=Outcome.INTERRUPTED, message="interrupted")
        case Verdict():
            return _judged(settings, job, replace(plain, verdict=answer), answer)


def _judged(settings: Settings, job: Job, result: Result, verdict: Verdict) -> Result:
    path = from_root(settings, job.file)
    known = tuple(
        p.name for p in verdict.failures if any(matches(b, path, job.name, p.name) for b in settings.baseline)
    )
    result = replace(result, outcome=verdict.outcome, known=known)
    if result.outcome is Outcome.VIOLATED and _all_known(verdict, known):
        return replace(result, outcome=Outcome.KNOWN)
    bounded = verdict.assurance is Assurance.BOUNDED and job.limits.assurance != "bounded"
    if result.outcome is Outcome.PASSED and bounded:
        message = f"{job.limits.assurance} is required, and this is bounded to depth {verdict.depth_bound}"
        return replace(result, outcome=Outcome.WEAK, message=message)
    return result


def _all_known(verdict: Verdict, known: tuple[str, ...]) -> bool:
    new = [p for p in verdict.failures if p.name not in known]
    return not new and all(e.met is not False for e in verdict.expectations)


def skipped(job: Job) -> Result:
    """The result of a job that the settings leave out."""
    return Result(job.file, job.name, job.kind, Outcome.SKIPPED, message="left out by `skip`", place=job.place)


def not_run(job: Job, why: str) -> Result:
    """The result of a job that was never started, or was stopped without an answer."""
    return Result(job.file, job.name, job.kind, Outcome.NOT_RUN, message=why, place=job.place)


def is_failure(result: Result) -> bool:
    """Whether a result is a reason to stop early."""
    return result.outcome not in (Outcome.PASSED, Outcome.KNOWN, Outcome.SKIPPED)


# --- about the whole --------------------------------------------------------------------------------


def denied(report: Report) -> Iterator[Result]:
    """A result for each file with warnings, for projects that allow none."""
    titles: dict[str, list[str]] = {}
    for finding in findings(report):
        if finding.level == "warning":
            file = finding.place.file if finding.place is not None else finding.file
            titles.setdefault(file, []).append(finding.title)
    for file, found in titles.items():
        yield Result(file, "warnings", "file", Outcome.VIOLATED, message="; ".join(found))


def stale(settings: Settings, jobs: Iterable[Job], results: Iterable[Result], whole: bool) -> Iterator[Diagnostic]:
    """Warnings about settings that speak of nothing: known violations that are none any more, and, where the `whole`
    project was looked at, patterns that match nothing."""
    jobs = list(jobs)
    checked = [(from_root(settings, r.file), r) for r in results if r.verdict is not None]
    for entry in settings.baseline:
        mine = [r for path, r in checked if matches(entry, path, r.name)]
        used = any(matches(entry, path, r.name, name) for path, r in checked for name in r.known)
        if not used and (mine or whole):
            yield _stale(settings, f"`{entry}` in `baseline` is no violation that was found", "take it out")
    if whole:
        places = [(from_root(settings, job.file), job.name) for job in jobs]
        patterns = [("skip", p) for p in settings.skip] + [("override", o.match) for o in settings.overrides]
        for setting, pattern in patterns:
            if not any(matches(pattern, path, name) for path, name in places):
                yield _stale(settings, f"`{pattern}` in `{setting}` matches nothing", "write FILE or FILE:INSTANCE")


def _stale(settings: Settings, message: str, hint: str) -> Diagnostic:
    return Diagnostic("Q0733", f"`{settings.file}`: {message}", hint=hint, severity=Severity.WARNING)
