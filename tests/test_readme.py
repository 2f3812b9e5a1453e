"""The README is true: the outputs that it shows are those of the commands, and CI runs the command that it tells."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from checker.cli import run

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SHOWN = re.compile(r"<!-- (beginning of output|output) of: quorate ([^\n]*) -->\n```text\n(.*?)```\n", re.DOTALL)
END_OF_BEGINNING = "\n  What rests on what:"


def _commands() -> list[str]:
    return [match.group(2) for match in SHOWN.finditer(README.read_text(encoding="utf-8"))]


def _lasting(text: str) -> str:
    """The text without the line that tells the engine and the time that it took."""
    return re.sub(r"^  engine .*\n", "", text, flags=re.MULTILINE).strip()


@pytest.mark.parametrize("command", _commands())
def test_output_is_what_the_command_prints(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "110")
    assert run(shlex.split(command)) == 0
    printed = capsys.readouterr().out
    text = README.read_text(encoding="utf-8")
    (how, shown) = next((m.group(1), m.group(3)) for m in SHOWN.finditer(text) if m.group(2) == command)
    if how.startswith("beginning"):
        assert END_OF_BEGINNING in printed
        printed = printed.partition(END_OF_BEGINNING)[0]
    if request.config.getoption("--update-golden"):
        README.write_text(text.replace(_block(how, command, shown), _block(how, command, printed)), encoding="utf-8")
        shown = printed
    assert _lasting(printed) == _lasting(shown), "--update-golden writes the README anew"


def _block(how: str, command: str, printed: str) -> str:
    return f"<!-- {how} of: quorate {command} -->\n```text\n{printed}```\n"


def test_readme_shows_outputs() -> None:
    assert len(_commands()) >= 3


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
