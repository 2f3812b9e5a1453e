"""What `import checker` offers: as docs/api.md shows it, typed, and cheap to import."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import checker

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "api.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_of_the_page_run(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(example, str(PAGE), "exec"), {})


def test_the_page_shows_something_and_names_everything() -> None:
    assert len(EXAMPLES) >= 3
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in checker.__all__ if f"`{name}" not in text and f"checker.{name}" not in text] == []


def test_examples_are_typed(tmp_path: Path) -> None:
    for i, example in enumerate(EXAMPLES):
        (tmp_path / f"example{i}.py").write_text(example)
    files = [str(path) for path in tmp_path.glob("*.py")]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--scripts-are-modules", "--config-file=", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout


def test_importing_it_imports_nothing_else() -> None:
    program = "import checker, sys; print([m for m in sys.modules if m.startswith('checker.') or m in ('lark', 'z3')])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"
    assert set(dir(checker)) == set(checker.__all__)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        checker.lod  # noqa: B018


def test_a_spec_from_text_has_names_and_answers() -> None:
    spec = checker.loads("spec A\nconstant N: Int\nstate x: 0..N = 0\naction up\n    x := x\ninvariant I\n    x == 0\n")
    assert (spec.name, spec.instances, spec.properties) == ("A", (), ("I",))
    assert [w.code for w in spec.warnings] == ["Q0803", "Q0804"]
    verdict = spec.check(sizes={"N": 3})
    assert (verdict.outcome, verdict.census.states) == (checker.Outcome.PASSED, 1)
    assert checker.as_text(verdict).startswith("A, instance default: N 3\n\nholds: all 1 reachable state")
    walk = spec.simulate(sizes={"N": 3}, walks=2, length=2, seed=7)
    assert (walk.assurance, walk.seed) == (checker.Assurance.SAMPLED, 7)


def test_mistakes_raise_what_the_command_would_say() -> None:
    with pytest.raises(checker.SpecError) as raised:
        checker.load("missing.spec")
    assert [d.code for d in raised.value.diagnostics] == ["Q0701"]
    several = checker.load(ROOT / "specs" / "peterson.spec")
    with pytest.raises(checker.SpecError, match="several instances: name one"):
        several.check()
    with pytest.raises(checker.SpecError):
        several.check("two", sizes={"Nothing": True})
