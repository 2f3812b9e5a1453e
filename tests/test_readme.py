"""The README is true: the outputs that it shows are those of the commands, and CI runs the command that it tells."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from checker.cli import run

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SHOWN = re.compile(r"<!-- output of: quorate ([^\n]*) -->\n```text\n(.*?)```\n", re.DOTALL)


def _commands() -> list[str]:
    return [match.group(1) for match in SHOWN.finditer(README.read_text(encoding="utf-8"))]


def _lasting(text: str) -> str:
    """The text without the line that tells the engine and the time that it took."""
    return re.sub(r"^  engine .*\n", "", text, flags=re.MULTILINE).strip()


def _block(command: str, printed: str) -> str:
    return f"<!-- output of: quorate {command} -->\n```text\n{printed}```\n"


@pytest.mark.parametrize("command", _commands())
def test_output_is_what_the_command_prints(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "110")
    assert run(shlex.split(command)) == 0
    printed = capsys.readouterr().out
    text = README.read_text(encoding="utf-8")
    if request.config.getoption("--update-golden"):
        text = SHOWN.sub(lambda m: _block(command, printed) if m.group(1) == command else m.group(0), text)
        README.write_text(text, encoding="utf-8")
    shown = {match.group(1): match.group(2) for match in SHOWN.finditer(text)}[command]
    assert _lasting(printed) == _lasting(shown), "--update-golden writes the README anew"


def test_readme_shows_outputs() -> None:
    assert len(_commands()) >= 2


def test_excerpts_are_parts_of_their_files() -> None:
    text = README.read_text(encoding="utf-8")
    excerpts = re.findall(r"<!-- from: (\S+) -->\n```text\n(.*?)```\n", text, re.DOTALL)
    assert len(excerpts) >= 3
    for path, excerpt in excerpts:
        assert excerpt in (ROOT / path).read_text(encoding="utf-8")


def test_ci_runs_the_second_command() -> None:
    _, second = re.findall(r"^```sh\n(python3 -m venv .*)\n```$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert second in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_exit_codes_are_those_of_the_page() -> None:
    page = (ROOT / "checker" / "explain" / "exit-codes.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert re.findall(r"^\| (\d+) \|", README.read_text(encoding="utf-8"), re.MULTILINE) == codes


def test_links_lead_somewhere() -> None:
    for page in (README, *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
