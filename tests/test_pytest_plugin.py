"""The pytest plugin as its users run it: in a project of its own, alone and with xdist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from junitparser import JUnitXml

ROOT = Path(__file__).parent.parent

LIGHT = """\
# Comments may come first.
spec Light

enum Colour = red, green
state left: Colour = red
state right: Colour = red

action turn_left
    left := if left == red then green else red

action turn_right
    require right == green or left == red
    right := if right == red then green else red

invariant NotBothGreen
    left == red or right == red

reachable LeftIsGreen
    left == green

reachable RightIsGreen
    right == green

instance broken

instance expected
    expect violated NotBothGreen after 2 steps

instance only_reachables
    check LeftIsGreen, RightIsGreen
    expect states 4
"""

TOKEN = """\
spec Token
sort Node
state token: Node = any
action pass_on(n in Node)
    token := n
invariant Held
    exists n in Node: token == n
lemma Single
    forall n, m in Node: token == n and token == m => n == m
reachable Somewhere
    exists n in Node: token == n
"""

PYTHON = """\
import checker

def test_from_python(load_spec):
    spec = load_spec("light.spec")
    assert spec.instances == ("broken", "expected", "only_reachables")
    verdict = spec.check("broken")
    assert verdict.outcome is checker.Outcome.VIOLATED
    assert [len(p.trace.steps) for p in verdict.failures] == [2]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "light.spec").write_text(LIGHT)
    (tmp_path / "tool.spec").write_text("Name: tool\nVersion: 1\n")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest in a project, without the plugin of Hypothesis, which takes most of a second to import."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments],
        cwd=project,
        env={**mine, "QUORATE_CACHE": str(project / ".cache"), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=120,
    )


ITEMS = [
    "light.spec::broken::NotBothGreen",
    "light.spec::broken::LeftIsGreen",
    "light.spec::broken::RightIsGreen",
    "light.spec::broken::Deadlock",
    "light.spec::broken::verdict",
    "light.spec::expected::NotBothGreen",
    "light.spec::expected::LeftIsGreen",
    "light.spec::expected::RightIsGreen",
    "light.spec::expected::Deadlock",
    "light.spec::expected::expect violated NotBothGreen after 2 steps",
    "light.spec::expected::verdict",
    "light.spec::only_reachables::LeftIsGreen",
    "light.spec::only_reachables::RightIsGreen",
    "light.spec::only_reachables::expect states 4",
    "light.spec::only_reachables::verdict",
]


def test_each_property_of_each_instance_is_a_test(project: Path) -> None:
    ran = run(project, "--collect-only", "-q")
    assert [line for line in ran.stdout.splitlines() if "::" in line] == ITEMS
    assert not (project / ".cache" / "verdicts").is_dir() or not list((project / ".cache" / "verdicts").glob("*.lock"))


def test_a_violation_shows_the_story_and_no_traceback(project: Path) -> None:
    ran = run(project, "-q", "--junitxml=o.xml")
    assert ran.returncode == 1
    assert "2 failed" in ran.stdout and "error" not in ran.stdout.splitlines()[-1]
    assert (
        "  1  turn_left    left: red → green\n" in ran.stdout or "  1  turn_right   right: red → green\n" in ran.stdout
    )
    assert "  fails:   left == red or right == red" in ran.stdout
    assert "pytest_plugin.py" not in ran.stdout and "Traceback" not in ran.stdout
    assert "FAILED light.spec::broken::NotBothGreen - Failed: NotBothGreen is violated after 2 steps" in ran.stdout
    (suite,) = JUnitXml.fromroot(ET.parse(project / "o.xml").getroot())
    assert (suite.tests, suite.failures, suite.errors) == (15, 2, 0)
    (case,) = [c for c in suite if c.name == "expect states 4"]
    assert case.classname == "light.spec.only_reachables"
    told = {p.get("name"): p.get("value") for p in ET.parse(project / "o.xml").iter("property")}
    assert {"states", "assurance", "outcome"} <= told.keys() and told["cached"] == "false"


def test_tests_can_be_chosen_and_the_first_failure_ends_the_run(project: Path) -> None:
    assert run(project, "-q", "-k", "only_reachables").stdout.splitlines()[-1].startswith("4 passed, 11 deselected")
    assert run(project, "-q", ITEMS[9]).stdout.splitlines()[-1].startswith("1 passed")
    assert re.search(r"^1 failed(, \d passed)? in", run(project, "-q", "-x").stdout, re.MULTILINE)


def test_one_exploration_answers_all_tests_of_an_instance_whatever_worker_runs_them(project: Path) -> None:
    (project / "conftest.py").write_text(
        "import checker.ci.work as work\n"
        "perform = work.perform\n"
        "def counted(job, *rest):\n"
        "    with open('explored', 'a') as file:\n"
        "        file.write(f'{job.name}\\n')\n"
        "    return perform(job, *rest)\n"
        "work.perform = counted\n"
    )
    for arguments in (("-n", "2"), ("-n", "2", "--no-spec-cache"), ("--no-spec-cache",)):
        ran = run(project, "-q", *arguments)
        assert "2 failed, " in ran.stdout.splitlines()[-1], ran.stdout + ran.stderr
        assert sorted((project / "explored").read_text().split()) == ["broken", "expected", "only_reachables"]
        (project / "explored").unlink()
    assert "2 failed" in run(project, "-q").stdout
    assert not (project / "explored").exists(), "the verdicts of the first run were kept"


def test_a_proof_has_a_test_for_each_property(project: Path) -> None:
    (project / "token.spec").write_text(TOKEN)
    ran = run(project, "-q", "-rA", "token.spec")
    assert ran.returncode == 0
    names = re.findall(r"^PASSED token.spec::(\S+)$", ran.stdout, re.MULTILINE)
    assert names == ["proof::Held", "proof::Single", "proof::verdict"]


@pytest.mark.parametrize("arguments", [(), ("-k", "verdict"), ("-k", "NotBothGreen")])
def test_what_is_not_known_is_an_error_and_never_a_success(project: Path, arguments: tuple[str, ...]) -> None:
    text = LIGHT.partition("instance")[0].replace("left == red or right == red", "true or left == red")
    (project / "light.spec").write_text(text + "instance slow\n")
    (project / "conftest.py").write_text(
        "import checker.ci.work as work\n"
        "from dataclasses import replace\n"
        "perform = work.perform\n"
        "def cut(job, *rest):\n"
        "    job = replace(job, limits=replace(job.limits, timeout=1e-9))\n"
        "    return perform(job, *rest)\n"
        "work.perform = cut\n"
    )
    ran = run(project, "-q", *arguments)
    assert ran.returncode == 1 and "out of budget: " in ran.stdout
    last = ran.stdout.splitlines()[-1]
    assert "error" in last and "failed" not in last
    assert "light.spec::slow::verdict" in ran.stdout or arguments == ("-k", "NotBothGreen")


def test_errors_of_a_spec_are_told_with_their_places(project: Path) -> None:
    (project / "light.spec").write_text(LIGHT.replace("left == green", "left == gren"))
    ran = run(project, "-q")
    assert ran.returncode == 2 and re.search(r"--> light.spec:\d+:\d+", ran.stdout) and "error[Q" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_settings_of_the_project_count(project: Path) -> None:
    (project / "quorate.toml").write_text('baseline = ["light.spec:broken:NotBothGreen"]\nskip = ["*:expected"]\n')
    ran = run(project, "-q", "-rs")
    assert ran.returncode == 0 and "known violation: NotBothGreen is violated after 2 steps" in ran.stdout
    assert "left out by `skip` in the settings of Quorate" in ran.stdout
    assert run(project, "--spec-timeout", "soon").returncode == 4


def test_specs_are_collected_only_where_they_are_wanted(project: Path) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "a.spec").write_text(LIGHT)
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\nspec_paths = ["sub"]\n')
    out = run(project, "--collect-only", "-q").stdout
    assert "sub/a.spec::broken::verdict" in out and "\nlight.spec" not in out
    assert "light.spec::broken::verdict" in run(project, "--collect-only", "-q", "light.spec").stdout


def test_python_tests_have_a_fixture(project: Path) -> None:
    (project / "test_light.py").write_text(PYTHON)
    assert run(project, "-q", "test_light.py").returncode == 0
