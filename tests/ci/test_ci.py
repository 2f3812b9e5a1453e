"""`quorate ci` on a repository of ten specs, one of them broken: codes, files, cache, interrupts, and GitHub."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import itf_py
import jsonschema
import pytest
from junitparser import JUnitXml
from projects import BROKEN, PROVED, Project, Ran, good, ten_specs

ROOT = Path(__file__).parents[2]
SARIF = jsonschema.Draft4Validator(json.loads((ROOT / "tests/report/sarif-schema-2.1.0.json").read_text()))
VERDICTS = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/verdict.schema.json").read_text()))

ENDLESS = """\
spec Endless
state x: Map[0..15, 0..9] = [i in 0..15 -> 0]
action step(i in 0..15)
    require x[i] < 9
    x[i] := x[i] + 1
invariant Small
    forall i in 0..15: x[i] <= 9
reachable Started
    x[0] == 1
terminal
    true
instance huge
"""


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Ran]:
    """The repository, checked once with all formats."""
    project = ten_specs(tmp_path_factory.mktemp("ten"))
    formats = ["--junit=o.xml", "--sarif=o.sarif", "--gitlab=o.gitlab.json", "--json=o.json", "--itf=traces"]
    return project, project.quorate("ci", *formats)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# --- ten specs --------------------------------------------------------------------------------------


def test_one_broken_spec_makes_the_code_1_and_its_story_is_told(ten: tuple[Project, Ran]) -> None:
    _, ran = ten
    assert ran.code == 1
    assert ran.out.startswith("Alone is violated after 2 steps (Broken, instance two: Process 2)\n")
    assert ran.out.endswith("\n10 specs, 10 instances, 1 proof: 10 passed, 1 violated\n")
    rows = [line.split() for line in ran.out.splitlines() if line.startswith("specs/")]
    assert len(rows) == 11
    assert rows[0][:2] == ["specs/broken.spec", "two"] and "violated:" in rows[0]
    assert len(ran.err.splitlines()) == 11 and "\n11/11 specs/" in ran.err
    assert "packaging" not in ran.out


def test_all_files_are_right(ten: tuple[Project, Ran]) -> None:
    root = ten[0].root
    suites = JUnitXml.fromroot(ET.parse(root / "o.xml").getroot())
    assert (len(list(suites)), suites.failures, suites.errors) == (11, 1, 0)
    sarif = json.loads((root / "o.sarif").read_text())
    SARIF.validate(sarif)
    (error,) = [r for r in sarif["runs"][0]["results"] if r["level"] == "error"]
    assert {t["id"] for t in error["codeFlows"][0]["threadFlows"]} == {"p0", "p1"}
    document = json.loads((root / "o.json").read_text())
    VERDICTS.validate(document)
    assert sorted({r["outcome"] for r in document["results"]}) == ["passed", "violated"]
    assert len(document["verdicts"]) == 11 and document["exit_code"] == 1
    issues = json.loads((root / "o.gitlab.json").read_text())
    assert [i["location"]["path"] for i in issues if i["severity"] == "critical"] == ["specs/broken.spec"]
    (trace,) = (root / "traces").iterdir()
    read = itf_py.trace_from_json(json.loads(trace.read_text()))
    assert trace.name == "Broken-two-Alone.itf.json" and len(read.states) == 3 and len(read.meta["digest"]) == 32


def test_the_second_run_takes_all_from_the_cache_in_less_than_a_second(ten: tuple[Project, Ran]) -> None:
    """In time of the processor: that is the time on the clock, too, where nothing else is running."""
    project, first = ten
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = project.quorate("ci")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert ran.code == 1
    assert ran.out.endswith("violated; 11 of them unchanged and taken from the cache\n")
    assert ran.out.partition("\n\n")[0] == first.out.partition("\n\n")[0]


def test_a_spec_that_changed_is_checked_again_and_no_other(ten: tuple[Project, Ran]) -> None:
    project, _ = ten
    text = (project.root / "specs/good3.spec").read_text()
    project.write("specs/good3.spec", text.replace("invariant Small", "# a comment\ninvariant Small"))
    ran = project.quorate("ci")
    assert ran.err.splitlines() == ["1/1 specs/good3.spec only: " + ran.err.partition(": ")[2].strip()]
    assert "10 of them unchanged" in ran.out
    assert "taken from the cache" not in project.quorate("ci", "--no-cache", "specs/good1.spec").out


def test_only_what_changed_in_git(tmp_path: Path) -> None:
    project = ten_specs(tmp_path)
    project.git("init", "-q", "-b", "main")
    project.git("add", ".")
    project.git("commit", "-q", "-m", "all")
    ran = project.quorate("ci", "--changed", "main")
    assert (ran.code, ran.err) == (0, "no spec differs from main\n")
    assert ran.out == "no specs, no instances, no proofs: nothing to check\n"
    project.write("specs/good1.spec", good(9))
    project.write("specs/new.spec", good(7))
    ran = project.quorate("ci", "--changed", "main")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines() if line.startswith("specs/")] == [
        "specs/good1.spec",
        "specs/new.spec",
    ]
    ran = project.quorate("ci", "--changed", "nowhere")
    assert ran.code == 2 and "error[Q0732]: what changed cannot be told: `nowhere` is no revision here" in ran.err


def test_fail_fast_leaves_the_rest_and_says_so(tmp_path: Path) -> None:
    project = ten_specs(tmp_path)
    ran = project.quorate("ci", "--fail-fast", "--jobs", "1", "--junit", "o.xml")
    assert ran.code == 1
    assert ran.out.endswith("10 specs, 10 instances, 1 proof: 1 violated, 10 not run\n")
    assert "not run: `--fail-fast`, after another result" in ran.out
    suites = JUnitXml.fromroot(ET.parse(tmp_path / "o.xml").getroot())
    assert (suites.failures, suites.errors) == (1, 10)


# --- settings ---------------------------------------------------------------------------------------


def test_a_known_violation_is_told_and_no_failure(project: Project) -> None:
    project.write("a.spec", BROKEN)
    project.write("quorate.toml", 'baseline = ["a.spec:two:Alone"]\n')
    ran = project.quorate("ci", "--junit", "o.xml")
    assert ran.code == 0
    assert "a.spec  two  " in ran.out and "known violation: violated: Alone after 2 steps" in ran.out
    assert "1 spec, 1 instance, no proofs: 1 known violation" in ran.out
    project.write("a.spec", BROKEN.replace("p.inside and q.inside => p == q", "p.inside => p.inside"))
    ran = project.quorate("ci")
    assert ran.code == 0
    assert (
        "warning[Q0733]: `" in ran.err and "`a.spec:two:Alone` in `baseline` is no violation that was found" in ran.err
    )


def test_what_is_required_must_be_reached(project: Project) -> None:
    project.write("a.spec", good(5).replace("expect states 6", ""))
    project.write("quorate.toml", "depth = 6\n")
    ran = project.quorate("ci", "--no-cache")
    assert ran.code == 0, "nothing was left, so the bound did not matter"
    project.write("quorate.toml", "depth = 2\n")
    assert project.quorate("ci").code == 4
    text = good(5).replace("expect states 6", "").replace("x == 5", "x == 1")
    project.write("a.spec", text)
    ran = project.quorate("ci", "--sarif", "o.sarif")
    assert ran.code == 4
    assert "weaker than required: exhaustive is required, and this is bounded to depth 2" in ran.out
    assert "weaker-than-required" in (project.root / "o.sarif").read_text()
    project.write("quorate.toml", 'depth = 2\n[[override]]\nmatch = "a.spec:only"\nassurance = "bounded"\n')
    assert project.quorate("ci").code == 0


def test_a_proof_may_be_required_of_specs_without_lemmas(project: Project) -> None:
    project.write("a.spec", PROVED.replace("lemma SameHolder", "invariant SameHolder"))
    assert "no proofs" in project.quorate("ci").out
    assert "1 proof" in project.quorate("ci", "--assurance", "proved").out
    project.write("quorate.toml", 'assurance = "proved"\n')
    ran = project.quorate("ci")
    assert ran.code == 0 and "proof" in ran.out and "holds: proved for every size" in ran.out
    project.write("a.spec", good(2))
    ran = project.quorate("ci")
    assert ran.code == 0 and "1 proof" in ran.out


def test_a_proof_that_fails_is_no_success(project: Project) -> None:
    more = "\nstate seen: Set[Node] = {}\naction see(n in Node)\n    require n in seen\n    token := n\n"
    project.write("a.spec", PROVED + more + "lemma Unseen\n    forall n in Node: n in seen => n != token\n")
    ran = project.quorate("ci", "--json", "o.json")
    outcomes = {r["name"]: r["outcome"] for r in json.loads((project.root / "o.json").read_text())["results"]}
    assert ran.code == 4 and outcomes["proof"] == "unknown" and "not proved:" in ran.out
    assert "Unseen is not kept by see" in ran.out
    project.write("a.spec", PROVED.replace("token == n\n\nlemma", "size({m in Node | m == n}) < 2\n\nlemma"))
    ran = project.quorate("ci", "--json", "o.json")
    outcomes = {r["name"]: r["outcome"] for r in json.loads((project.root / "o.json").read_text())["results"]}
    assert ran.code == 2 and outcomes == {"small": "passed", "proof": "invalid"} and "error[Q0902]" in ran.err


def test_warnings_may_be_failures(project: Project) -> None:
    project.write("a.spec", PROVED)
    project.write("quorate.toml", "deny-warnings = true\n")
    ran = project.quorate("ci", "--junit", "o.xml")
    assert ran.code == 1
    assert "no property rests on the lemma SameHolder" in ran.out
    assert JUnitXml.fromroot(ET.parse(project.root / "o.xml").getroot()).failures == 1


def test_skipped_is_no_success_of_its_own(project: Project) -> None:
    project.write("a.spec", good(2))
    project.write("b.spec", good(3))
    project.write("quorate.toml", 'skip = ["b.*"]\n')
    ran = project.quorate("ci")
    assert ran.code == 0 and ran.out.endswith("1 passed, 1 skipped\n")
    assert project.quorate("ci", "b.spec").code == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timeot = '5m'\n", "there is no setting `timeot`"),
        ("timeout = 'soon'\n", "`timeout`: `soon` is not a time"),
        ("memory = 7\n", "`memory`: 7 is not a text"),
        ("assurance = 'some'\n", "`assurance`: 'some' is none of bounded, exhaustive, proved"),
        ("paths = 'specs'\n", "`paths`: 'specs' is not a list of texts"),
        ("deny-warnings = 1\n", "`deny-warnings`: 1 is neither `true` nor `false`"),
        ("[[override]]\ntimeout = 3\n", "each `override` needs `match`"),
        ("depth = true\n", "`depth`: True is not a number of steps"),
        ("paths = [\n", "is no TOML"),
    ],
)
def test_settings_that_cannot_be_understood_are_errors(project: Project, text: str, message: str) -> None:
    project.write("quorate.toml", text)
    ran = project.quorate("ci")
    assert ran.code == 2 and ran.out == ""
    assert "error[Q0731]: `" in ran.err and message in ran.err and "Traceback" not in ran.err


def test_settings_of_the_nearest_project_count(project: Project) -> None:
    project.write("pyproject.toml", "[tool.quorate]\npaths = ['sub']\n")
    project.write("sub/a.spec", good(2))
    project.write("other/b.spec", good(3))
    project.write("other/pyproject.toml", "[project]\nname = 'x'\n")
    ran = subprocess.run(
        project.command("ci"), cwd=project.root / "other", env=project.environment, capture_output=True, text=True
    )
    assert ran.returncode == 0 and "sub/a.spec" in ran.stdout and "b.spec" not in ran.stdout


# --- what keeps an answer from being known ----------------------------------------------------------


def test_nothing_to_check(project: Project) -> None:
    ran = project.quorate("ci")
    assert (ran.code, ran.out.splitlines()[-1]) == (5, "no specs, no instances, no proofs: nothing to check")
    assert project.quorate("ci", "missing").code == 2


def test_a_spec_with_errors_does_not_hide_the_others(project: Project) -> None:
    project.write("a.spec", "spec A\nstate x: Boool = false\n")
    project.write("b.spec", good(2))
    ran = project.quorate("ci", "--sarif", "o.sarif")
    assert ran.code == 2 and "error in the spec" in ran.out and "holds: all 3 reachable states" in ran.out
    results = json.loads((project.root / "o.sarif").read_text())["runs"][0]["results"]
    assert [(r["ruleId"], r["locations"][0]["physicalLocation"]["region"]["startLine"]) for r in results] == [
        ("Q0205", 2)
    ]


def test_out_of_time_is_no_success_and_is_tried_again(project: Project) -> None:
    project.write("a.spec", ENDLESS)
    for _ in range(2):
        ran = project.quorate("ci", "--timeout", "1", "--junit", "o.xml", "--json", "o.json")
        assert ran.code == 4 and "cached" not in ran.out
        assert "inconclusive: out of time" in ran.out and "1 out of budget" in ran.out
    suites = JUnitXml.fromroot(ET.parse(project.root / "o.xml").getroot())
    assert suites.errors >= 1 and suites.failures == 0
    (result,) = json.loads((project.root / "o.json").read_text())["results"]
    assert result["outcome"] == "budget"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_runs_keep_what_they_have(project: Project, number: signal.Signals) -> None:
    project.write("a.spec", good(2))
    project.write("b.spec", ENDLESS)
    project.write("c.spec", ENDLESS.replace("Endless", "Other"))
    command = project.command("ci", "--jobs", "1", "--json", "o.json", "--timeout", "60")
    with subprocess.Popen(
        command, cwd=project.root, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        assert child.stderr.readline().startswith("1/3 a.spec only: holds")
        time.sleep(2)
        child.send_signal(number)
        try:
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == 130 and "Traceback" not in err
    assert out.splitlines()[-1] == "3 specs, 3 instances, no proofs: 1 passed, 2 interrupted"
    found = json.loads((project.root / "o.json").read_text())
    assert [r["outcome"] for r in found["results"]] == ["passed", "interrupted", "interrupted"]


def test_a_process_that_dies_is_an_internal_error_of_its_own(project: Project) -> None:
    """A job is killed from outside, as by a system that is out of memory."""
    project.write("a.spec", ENDLESS)
    project.write("b.spec", good(2))
    command = project.command("ci", "--jobs", "1", "--json", "o.json", "--timeout", "60")
    with subprocess.Popen(
        command, cwd=project.root, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        time.sleep(1)
        victim = _leader_of_a_group(child.pid)
        os.kill(victim, signal.SIGKILL)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 3
    assert "internal error: its process was ended by SIGKILL, as happens when memory runs out" in out
    assert "holds: all 3 reachable states" in out
    assert err.count("error[Q0720]: an error inside Quorate in a.spec huge") == 1


def _leader_of_a_group(ancestor: int) -> int:
    """The process below another one that leads a group of its own: that of a job, not of a compiler below it."""
    for _ in range(300):
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                parents[int(entry.name)] = (int(fields[1]), int(fields[2]))
        leaders = {}
        for pid, (parent, group) in parents.items():
            chain = [parent]
            while chain[-1] in parents:
                chain.append(parents[chain[-1]][0])
            if group == pid and pid != ancestor and ancestor in chain:
                leaders[chain.index(ancestor)] = pid
        if leaders:
            return leaders[min(leaders)]
        time.sleep(0.1)
    raise AssertionError("no job was started")


# --- GitHub -----------------------------------------------------------------------------------------


def test_github_actions_is_recognised(project: Project) -> None:
    project.write("a.spec", BROKEN)
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(project.root / "summary.md"),
        "GITHUB_OUTPUT": str(project.root / "output"),
    }
    ran = project.quorate("ci", **variables)
    (line,) = [line for line in ran.out.splitlines() if line.startswith("::error")]
    assert line.startswith("::error file=a.spec,line=21,col=11,title=Quorate%3A violated-invariant::Alone is violated")
    first, last = (
        ran.out.splitlines().index(line) for line in ran.out.splitlines() if re.match("::(stop|[0-9a-f]{32}::)", line)
    )
    assert first == 0 and ran.out.splitlines()[last - 1].startswith("1 spec, 1 instance"), "stories hold no commands"
    summary = (project.root / "summary.md").read_text()
    assert "```mermaid\nsequenceDiagram\n    participant n0 as p0\n    participant n1 as p1\n" in summary
    assert (project.root / "output").read_text() == "exit-code=1\noutcome=violated\n"
    ran = project.quorate("ci", "--json", **variables)
    assert json.loads(ran.out)["exit_code"] == 1 and "::error file=a.spec" in ran.err
    assert "::error" not in project.quorate("ci", "--no-github", **variables).out
    assert "::error" in project.quorate("ci", "--github").out


def test_only_one_format_can_have_stdout(project: Project) -> None:
    ran = project.quorate("ci", "--json", "--sarif", "-")
    assert ran.code == 2 and "only one format can go to stdout" in ran.err
