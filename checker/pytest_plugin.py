"""The pytest plugin: `*.spec` files are collected, with a test for each property of each instance and of each proof.

One exploration answers all tests of an instance; with xdist, that of the worker which came first. A violation fails its
test, with the story of the run; what keeps an answer from being known is an error.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from checker.api import Spec
    from checker.ci.cache import Cache
    from checker.ci.plan import Job
    from checker.ci.settings import Settings
    from checker.language import ir
    from checker.report.cases import Case
    from checker.report.results import Result

WHOLE = "verdict"
"""The test that stands for an instance, or a proof, as a whole."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("quorate", "specs of protocols (Quorate)")
    group.addoption(
        "--spec-timeout", metavar="TIME", type=_seconds, help="time for each instance and each proof: 90, 5m"
    )
    group.addoption("--no-spec-cache", action="store_true", help="check specs that did not change, too")
    parser.addini("spec_paths", "where specs are collected; without it, wherever tests are", type="paths")
    parser.addini("spec_cache", "take what was found before of the same specs", type="bool", default=True)


def _seconds(text: str) -> float:
    from argparse import ArgumentTypeError

    from checker.units import seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker runs, with --dist loadgroup")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFile | None:
    if file_path.suffix != ".spec":
        return None
    from checker.ci.plan import looks_like_spec

    places = parent.config.getini("spec_paths")
    wanted = any(file_path.is_relative_to(place) for place in places) if places else looks_like_spec(file_path)
    if wanted or parent.session.isinitpath(file_path):
        return SpecFile.from_parent(parent, path=file_path)
    return None


@pytest.fixture(scope="session")
def load_spec(pytestconfig: pytest.Config) -> Callable[[str | os.PathLike[str]], Spec]:
    """Reads a spec, by its path from the root of the project: `load_spec("specs/paxos.spec").check("small")`."""
    from checker.api import load

    return lambda path: load(pytestconfig.rootpath / path)


# --- one session ------------------------------------------------------------------------------------


class Session:
    """What all tests of this process share: the settings of the project, and the results so far."""

    def __init__(self, config: pytest.Config) -> None:
        from checker.ci.cache import Cache
        from checker.ci.settings import find_settings

        self.settings = _with_timeout(find_settings(config.rootpath), config.getoption("--spec-timeout"))
        self.shared = _shared_place(config)
        keep = config.getini("spec_cache") and not config.getoption("--no-spec-cache")
        self.cache: Cache = Cache.default() if keep else Cache(self.shared)
        self.results: dict[str, Result] = {}
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        self.threads = max(1, (os.cpu_count() or 1) // workers)

    def result(self, job: Job) -> Result:
        """The result of a job, which is done when it is first asked for. An interrupt goes on to pytest."""
        from checker.ci.judge import result_of
        from checker.ci.work import perform
        from checker.source import SpecError
        from checker.verdict import Outcome

        if job.key in self.results:
            return self.results[job.key]
        with _locked(self.cache.place, job.key):
            known = self.cache.verdict(job.key)
            try:
                answer = perform(job, self.threads) if known is None else known
            except SpecError as error:
                result = result_of(self.settings, job, error)
            else:
                self.cache.keep_verdict(job.key, answer)
                result = result_of(self.settings, job, answer, cached=known is not None)
        if result.outcome is Outcome.INTERRUPTED:
            raise KeyboardInterrupt
        self.results[job.key] = result
        return result


_SESSION = pytest.StashKey[Session]()


def _session(config: pytest.Config) -> Session:
    if _SESSION not in config.stash:
        config.stash[_SESSION] = Session(config)
    return config.stash[_SESSION]


def _with_timeout(settings: Settings, timeout: float | None) -> Settings:
    from dataclasses import replace

    from checker.ci.settings import Override

    if timeout is None:
        return settings
    return replace(settings, overrides=(*settings.overrides, Override("*", {"timeout": timeout})))


def _shared_place(config: pytest.Config) -> Path | None:
    """A directory that the workers of this run share; None where there is only this process."""
    run = getattr(config, "workerinput", {}).get("testrunuid")
    return Path(tempfile.gettempdir()) / f"quorate-{run}" if run else None


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SESSION in config.stash and (place := config.stash[_SESSION].shared) is not None:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _locked(place: Path | None, key: str) -> Iterator[None]:
    """While one process looks for a verdict, others that want the same wait for it; where there are locks."""
    try:
        import fcntl
    except ImportError:
        fcntl = None  # type: ignore[assignment]
    if place is None or fcntl is None:
        yield
        return
    try:
        place.mkdir(parents=True, exist_ok=True)
        path = place / f".{key}.lock"
        lock = open(path, "w")  # noqa: SIM115
    except OSError:
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
        path.unlink(missing_ok=True)


# --- collection -------------------------------------------------------------------------------------


class SpecFile(pytest.File):
    """A spec: an `Instance` for each of its instances, and one for its proof."""

    def collect(self) -> Iterable[Instance]:
        from checker.ci.plan import plan
        from checker.language.frontend import load
        from checker.source import SpecError

        session = _session(self.config)
        path = os.path.relpath(self.path, Path.cwd())
        try:
            spec = load(path).spec
        except SpecError as error:
            raise self.CollectError("\n".join(d.render() for d in error.diagnostics)) from None
        for job in plan(session.settings, [path], session.cache).jobs:
            yield Instance.from_parent(self, name=job.name, job=job, cases=_names(spec, job))


def _names(spec: ir.Spec, job: Job) -> dict[str, int]:
    """The names of the tests of a job, each with the line that it is about."""
    from checker.explore.expect import expectations
    from checker.explore.instance import find_instance

    checked = ("invariant", "lemma", "step")
    if job.kind == "proof":
        return {p.name: p.span.line for p in spec.properties if p.kind in checked} | {WHOLE: spec.span.line}
    decl = find_instance(spec, job.name)
    lines = {p.name: p.span.line for p in spec.properties if decl.only is None or p.name in decl.only}
    if not decl.allow_deadlock and (decl.only is None or "Deadlock" in decl.only):
        lines["Deadlock"] = decl.span.line
    for each in expectations(decl, (), 0, False):
        lines[f"expect {each.text}"] = each.place.line if each.place is not None else decl.span.line
    return {**lines, WHOLE: decl.span.line}


class Instance(pytest.Collector):
    """An instance, or the proof: a test for each of its cases."""

    def __init__(self, *, job: Job, cases: dict[str, int], **given: Any) -> None:
        super().__init__(**given)
        self.job, self.cases = job, cases

    def collect(self) -> Iterable[Property]:
        for name, line in self.cases.items():
            item = Property.from_parent(self, name=name, line=line)
            item.add_marker(pytest.mark.xdist_group(self.nodeid))
            yield item

    def answers(self, name: str) -> list[Case]:
        """What was found of one test. The one for the whole fails whenever the result is no success."""
        from checker.report.cases import Case, cases, whole

        result = _session(self.config).result(self.job)
        mine = [c for c in cases(result) if (c.name if c.name in self.cases else WHOLE) == name]
        if name == WHOLE:
            return [*mine, whole(result)]
        return mine or [Case(name, "error", "unknown", "the verdict says nothing of it")]


class Property(pytest.Item):
    """One case. What keeps it from being decided is told in `setup`, so that it counts as an error."""

    parent: Instance

    def __init__(self, *, line: int, **given: Any) -> None:
        super().__init__(**given)
        self.line = line

    def setup(self) -> None:
        from checker.report.cases import numbers

        if self.parent.job.skipped:
            pytest.skip("left out by `skip` in the settings of Quorate")
        self.user_properties.extend(numbers(_session(self.config).result(self.parent.job)))
        for case in self.parent.answers(self.name):
            if case.answer == "error":
                pytest.fail(f"{case.type}: {case.text or case.message}", pytrace=False)

    def runtest(self) -> None:
        for case in self.parent.answers(self.name):
            if case.answer == "failure":
                pytest.fail(case.text or case.message, pytrace=False)
            if case.answer == "skipped":
                pytest.skip(case.message)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line - 1, f"{self.parent.name} {self.name}"
