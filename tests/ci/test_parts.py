"""The parts of `quorate ci` alone: which files are specs, what patterns speak of, what is kept, and what is judged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mutants import is_proved
from projects import BROKEN, good

from checker.ci.cache import Cache, digest, is_answer
from checker.ci.judge import result_of
from checker.ci.plan import Job, find_specs, looks_like_spec, plan
from checker.ci.pool import Crash, Finished, Interrupted, Overrun, Pool
from checker.ci.settings import Settings, find_settings, matches
from checker.ci.work import perform
from checker.units import bytes_of, seconds_of
from checker.verdict import Assurance, Outcome, Verdict

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def jobs(here: Path, text: str, cache: Cache | None = None, settings: Settings | None = None) -> tuple[Job, ...]:
    (here / "a.spec").write_text(text)
    return plan(settings or Settings(here), ["a.spec"], cache or Cache(None)).jobs


@pytest.mark.parametrize(
    ("text", "is_spec"),
    [
        ("spec A\n", True),
        ("# a comment\n\n  # another\nspec A\n", True),
        ("\ufeffspec A\n", True),
        ("Name: tool\nVersion: 1\n", False),
        ("# -*- mode: python -*-\na = Analysis(['x.py'])\n", False),
        ("specification\n", False),
        ("", False),
    ],
)
def test_a_spec_is_told_from_files_of_packagers(tmp_path: Path, text: str, is_spec: bool) -> None:
    path = tmp_path / "a.spec"
    path.write_text(text, encoding="utf-8")
    assert looks_like_spec(path) is is_spec


def test_specs_are_found_but_not_in_hidden_or_foreign_directories(here: Path) -> None:
    for name in ("b/a.spec", "a.spec", ".hidden/a.spec", "node_modules/a.spec", "env/a.spec", "b/c/d.spec"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text("spec A\n")
    (here / "env/pyvenv.cfg").write_text("")
    (here / "named.spec").write_text("nothing of the kind")
    assert find_specs(Settings(here), ()) == ("a.spec", "b/a.spec", "b/c/d.spec")
    assert find_specs(Settings(here), ("named.spec", "b", "b/a.spec")) == ("named.spec", "b/a.spec", "b/c/d.spec")


def test_patterns_speak_of_files_instances_and_violations() -> None:
    assert matches("specs/*", "specs/a/b.spec", "small")
    assert matches("specs/a.spec", "specs/a.spec", "proof", "Safe")
    assert matches("specs/a.spec:small", "specs/a.spec", "small", "Safe")
    assert not matches("specs/a.spec:small", "specs/a.spec", "smaller")
    assert not matches("specs/a.spec:small:Safe", "specs/a.spec", "small", "Other")
    assert not matches("a:b:c:d", "a", "b", "c")


def test_units() -> None:
    assert (bytes_of("1.5G"), bytes_of("512 MiB")) == (3 << 29, 512 << 20)
    assert (seconds_of("90"), seconds_of("5m"), seconds_of("1.5h")) == (90, 300, 5400)


def test_what_a_spec_has_to_be_checked_is_remembered_for_its_text(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(here / "cache")
    first = jobs(here, good(3), cache)
    import checker.language.frontend as frontend

    monkeypatch.setattr(frontend, "load", lambda _: pytest.fail("it is known"))
    assert jobs(here, good(3), cache) == first
    with pytest.raises(pytest.fail.Exception):
        jobs(here, good(4), cache)


def test_a_key_depends_on_the_text_the_options_and_the_program(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(here / "cache")
    (first,) = jobs(here, good(3), cache)
    (other,) = jobs(here, good(3) + "# more\n", cache)
    limits = replace(Settings(here).limits, depth=3)
    (bounded,) = jobs(here, good(3), cache, replace(Settings(here), limits=limits))
    changed = Cache(here / "cache")
    changed.__dict__["_program"] = "another"
    (elsewhere,) = jobs(here, good(3), changed)
    assert len({first.key, other.key, bounded.key, elsewhere.key}) == 4
    longer = replace(Settings(here).limits, timeout=1.0)
    (same,) = jobs(here, good(3), cache, replace(Settings(here), limits=longer))
    assert same.key == first.key, "a budget does not change an answer"
    assert digest("ab", "c") != digest("a", "bc")


def test_only_answers_are_kept(here: Path) -> None:
    cache = Cache(here / "cache")
    (job,) = jobs(here, good(3), cache)
    verdict = perform(job)
    assert is_answer(verdict) and verdict.outcome is Outcome.PASSED
    for other in (
        replace(verdict, assurance=Assurance.INCONCLUSIVE),
        replace(verdict, cut="time", assurance=Assurance.INCONCLUSIVE),
        replace(verdict, assurance=Assurance.SAMPLED),
        replace(verdict, properties=()),
    ):
        assert not is_answer(other)
        cache.keep_verdict("k", other)
        assert cache.verdict("k") is None
    cache.keep_verdict("k", verdict)
    assert cache.verdict("k") == verdict


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"assurance": "proved"}', "[" * 100_000])
def test_a_damaged_cache_is_no_cache(here: Path, damage: str) -> None:
    cache = Cache(here / "cache")
    (job,) = jobs(here, good(3), cache)
    cache.keep_verdict(job.key, perform(job))
    for path in (here / "cache").glob("*.json"):
        path.write_text(damage)
    assert cache.verdict(job.key) is None
    assert jobs(here, good(3), cache) == (job,)


def test_a_cache_that_cannot_be_written_is_no_error(here: Path) -> None:
    (here / "cache").write_text("a file")
    cache = Cache(here / "cache")
    (job,) = jobs(here, good(3), cache)
    cache.keep_verdict(job.key, perform(job))
    assert cache.verdict(job.key) is None


def test_the_cache_forgets_what_was_not_used_for_longest(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    import checker.ci.cache as module

    monkeypatch.setattr(module, "_MOST", 2)
    cache = Cache(here / "cache")
    verdict = perform(jobs(here, good(3))[0])
    for age, key in enumerate(("new", "old", "oldest")):
        cache.keep_verdict(key, verdict)
        os.utime(here / "cache" / f"{key}.json", (1000 - age, 1000 - age))
    cache.tidy()
    assert [cache.verdict(key) is not None for key in ("new", "old", "oldest")] == [True, True, False]


# --- judging ----------------------------------------------------------------------------------------


def test_each_answer_has_its_outcome(here: Path) -> None:
    (job,) = jobs(here, BROKEN)
    settings = Settings(here)
    verdict = perform(job)
    told = {
        Outcome.VIOLATED: verdict,
        Outcome.INTERNAL: Crash("KeyError: 3"),
        Outcome.BUDGET: Overrun("out of time"),
        Outcome.INTERRUPTED: Interrupted(),
    }
    assert {outcome: result_of(settings, job, answer).outcome for outcome, answer in told.items()} == {
        outcome: outcome for outcome in told
    }
    known = replace(settings, baseline=("a.spec:two:Alone",))
    assert result_of(known, job, verdict).outcome is Outcome.KNOWN
    other = replace(settings, baseline=("a.spec:two:SomethingElse",))
    assert result_of(other, job, verdict).outcome is Outcome.VIOLATED


def test_a_known_violation_excuses_no_expectation(here: Path) -> None:
    (job,) = jobs(here, BROKEN + "    expect violated Alone after 3 steps\n")
    known = replace(Settings(here), baseline=("a.spec:two:Alone",))
    assert result_of(known, job, perform(job)).outcome is Outcome.VIOLATED


def test_a_job_that_does_not_stop_is_killed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import checker.ci.pool as module

    monkeypatch.setattr(module, "_GRACE", -1.5)
    text = good(9).replace("0..9", "0..99999").replace("expect states 10", "")
    (job,) = jobs(here, text.replace("x <= 9", "forall i in 0..3000, j in 0..3000: i + j <= 9000"))
    slow = replace(job, limits=replace(job.limits, timeout=2.0))
    events = [event for event in Pool([slow], 1).events() if isinstance(event, Finished)]
    assert isinstance(events[-1].answer, Overrun)


# --- this repository --------------------------------------------------------------------------------


def test_all_specs_of_this_repository_are_checked_by_its_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """The instances and proofs under `specs/` are not explored by the tests again: `.ci/run` does that once."""
    monkeypatch.chdir(ROOT)
    settings = find_settings(ROOT)
    assert settings.file == ROOT / "pyproject.toml" and settings.deny_warnings and settings.baseline == ()
    assert settings.limits.assurance == "exhaustive"
    files = find_specs(settings, ())
    assert set(files) == {path.relative_to(ROOT).as_posix() for path in ROOT.glob("specs/**/*.spec")}
    found = plan(settings, files, Cache(None))
    assert not any(job.skipped for job in found.jobs)
    assert not found.refused
    assert "quorate ci && pytest" in (ROOT / ".ci" / "run").read_text()
    proofs = {job.file for job in found.jobs if job.kind == "proof"}
    assert (
        proofs == {file for file in files if is_proved(ROOT / file)} >= {"specs/raft_pre_vote.spec", "specs/zab.spec"}
    )


def test_documents_of_a_project_are_read_by_show(here: Path) -> None:
    from checker.report.json import document, read_results
    from checker.report.results import Report

    (job,) = jobs(here, BROKEN)
    verdict = perform(job)
    assert isinstance(verdict, Verdict)
    data = json.loads(json.dumps(document(Report((result_of(Settings(here), job, verdict),)))))
    assert [(r.file, r.verdict) for r in read_results(data)] == [("a.spec", verdict)]
