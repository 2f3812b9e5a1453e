"""The recipes of docs/ci.md do what they say: each is checked by the schema of its system, and its commands are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from checker.ci.settings import read_settings

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^<!-- file: (\S+) -->\n```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))

HOLDS = "spec A\nstate x: Bool = false\naction flip\n    x := not x\ninvariant I\n    x or not x\ninstance one\n"
FAILS = HOLDS.replace("x or not x", "not x")


def loaded(name: str) -> Any:
    return YAML(typ="safe").load(FILES[name])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.spec").write_text(HOLDS)
    return tmp_path


def tool(name: str) -> str:
    """A command that is installed beside this Python."""
    return str(Path(sys.executable).parent / name)


def ran(project: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "GIT_"))}
    env = {**mine, "PATH": path, "QUORATE_CACHE": str(project / ".quorate-cache"), **variables}
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("name", "schema"),
    [(".github/workflows/specs.yml", "vendor.github-workflows"), (".gitlab-ci.yml", "vendor.gitlab-ci")],
)
def test_a_recipe_fits_the_schema_of_its_system(project: Path, name: str, schema: str) -> None:
    path = project / "recipe.yml"
    path.write_text(FILES[name])
    checked = ran(project, tool("check-jsonschema"), "--builtin-schema", schema, str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_github_workflow_writes_what_it_uploads(project: Path) -> None:
    steps = loaded(".github/workflows/specs.yml")["jobs"]["quorate"]["steps"]
    (command,) = [step["run"] for step in steps if step.get("run", "").startswith("quorate")]
    summary, output = project / "summary", project / "output"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    assert ran(project, "sh", "-c", command, **github).returncode == 0
    (project / "specs" / "a.spec").write_text(FAILS)
    checked = ran(project, "sh", "-c", command, **github)
    assert checked.returncode == 1 and "::error file=specs/a.spec,line=5" in checked.stdout
    assert output.read_text() == "exit-code=0\noutcome=ok\nexit-code=1\noutcome=violated\n"
    (uploaded,) = [step["with"]["sarif_file"] for step in steps if "upload-sarif" in step.get("uses", "")]
    (kept,) = [step["with"]["path"].split() for step in steps if "upload-artifact" in step.get("uses", "")]
    assert all((project / name).exists() for name in (uploaded, *kept))
    assert "```mermaid" in summary.read_text()


def test_the_gitlab_job_writes_the_reports_that_it_names(project: Path) -> None:
    job = loaded(".gitlab-ci.yml")["quorate"]
    (command,) = [line for line in job["script"] if line.startswith("quorate")]
    (project / "specs" / "a.spec").write_text(FAILS)
    assert ran(project, "sh", "-c", command).returncode == 1
    assert all((project / name).exists() for name in job["artifacts"]["reports"].values())
    assert (project / ".quorate-cache").is_dir()


def test_the_pre_commit_hook_keeps_a_broken_spec_out(project: Path) -> None:
    (project / ".pre-commit-config.yaml").write_text(FILES[".pre-commit-config.yaml"])
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    home = {"PRE_COMMIT_HOME": str(project / ".pre-commit")}
    assert ran(project, tool("pre-commit"), "validate-config").returncode == 0
    ran(project, "git", "init", "-q")
    (project / ".gitignore").write_text(".pre-commit\n.quorate-cache\n")
    assert ran(project, tool("pre-commit"), "install", **home).returncode == 0
    ran(project, "git", "add", ".")
    committed = ran(project, "git", *identity, "commit", "-q", "-m", "one", **home)
    assert committed.returncode == 0, committed.stdout + committed.stderr
    (project / "specs" / "a.spec").write_text(FAILS)
    ran(project, "git", "add", ".")
    refused = ran(project, "git", *identity, "commit", "-q", "-m", "two", **home)
    assert refused.returncode == 1 and "I is violated after 1 step" in refused.stdout + refused.stderr


def test_this_repository_is_a_hook_repository(project: Path) -> None:
    manifest = ROOT / ".pre-commit-hooks.yaml"
    assert ran(project, tool("pre-commit"), "validate-manifest", str(manifest)).returncode == 0
    (hook,) = YAML(typ="safe").load(manifest.read_text())
    (local,) = loaded(".pre-commit-config.yaml")["repos"][0]["hooks"]
    assert {key: hook[key] for key in ("entry", "files")} == {key: local[key] for key in ("entry", "files")}


@pytest.mark.parametrize("page", ["docs/ci.md", "checker/explain/ci.md", "checker/explain/Q0731.md"])
def test_settings_that_are_shown_are_understood(page: str) -> None:
    import tomllib

    text = (ROOT / page).read_text(encoding="utf-8")
    examples = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        settings = read_settings(ROOT / "pyproject.toml", tomllib.loads(example)["tool"]["quorate"])
        assert settings.paths == ("specs",)


def test_the_page_has_the_codes_of_the_program() -> None:
    from checker.cli.outcome import Exit

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)} == {int(code) for code in Exit}


def test_the_page_has_all_formats() -> None:
    from checker.cli.formats import _ANY_FILE, _TEXTS

    shown = set(re.findall(r"^\| `--(\w+)", TEXT, re.MULTILINE))
    assert shown == {"json", "github", *_TEXTS, *_ANY_FILE}
