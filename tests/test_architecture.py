"""The directions of imports and who may print: read from the sources with `ast`, nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHECKER = ROOT / "checker"

# Each room with the rooms of `checker` that it may import besides itself.
MAY_IMPORT = {
    "source": set(),
    "units": set(),
    "verdict": set(),
    "language": {"source"},
    "explore": {"source", "verdict", "language"},
    "prove": {"source", "verdict", "language", "explore"},
    "conform": {"source", "verdict", "language", "explore", "prove"},
    "explain": set(),
    "history": {"source", "verdict"},
    "report": {"source", "verdict", "explain"},
    "api": {"source", "verdict", "language", "explore", "prove", "report"},
    "ci": {"source", "units", "verdict", "language", "explore", "prove", "report"},
    "cli": {
        *("source", "units", "verdict", "language", "explore", "prove", "conform", "history", "report", "explain", "ci")
    },
    "pytest_plugin": {"source", "units", "verdict", "language", "explore", "report", "api", "ci"},
}
OUTSIDE = {
    "lark": {"language"},
    "z3": {"prove"},
    "cvc5": {"prove"},
    "click": {"cli"},
    "rich": {"cli"},
    "jinja2": {"report"},
    "pytest": {"pytest_plugin"},
}
MODULES = sorted(CHECKER.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(CHECKER).parts[0].removesuffix(".py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[str]:
    """The full names of all modules that a module imports, at its top or within functions."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, names, level):
                assert level == 0, f"{path}: a relative import hides its direction"
                yield from (f"{module}.{alias.name}" for alias in names)


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_room_has_its_rule() -> None:
    assert {room(path) for path in MODULES} - {"__init__", "__main__"} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_imports_point_one_way(path: Path) -> None:
    here = room(path)
    for name in imported(path):
        top, *rest = name.split(".")
        if top == "checker" and rest and here not in ("__init__", "__main__"):
            assert rest[0] in MAY_IMPORT[here] | {here}, f"{label(path)} imports {name}"
        if top in OUTSIDE:
            assert here in OUTSIDE[top], f"{label(path)} imports {name}"
        assert top not in ("tests", "models"), f"{label(path)} imports {name}"


def test_the_search_knows_nothing_of_the_language() -> None:
    names = list(imported(CHECKER / "explore" / "search.py"))
    assert names
    assert not [name for name in names if name.startswith("checker.language")]


def test_the_reference_does_not_share_the_lowering_that_it_checks() -> None:
    native_only = ("checker.language.paths", "checker.explore.native")
    for path in sorted((CHECKER / "explore").glob("*.py")):
        if path.name != "engines.py":  # chooses between them
            assert not [name for name in imported(path) if name.startswith(native_only)], label(path)


def _speaks(node: ast.AST) -> bool:
    """Whether a node prints, reads the command line, or ends the process."""
    match node:
        case ast.Call(ast.Name("print" | "input" | "exit" | "quit")):
            return True
        case ast.Attribute(ast.Name("sys"), "argv" | "exit" | "stdout" | "stderr" | "stdin"):
            return True
        case ast.Name("SystemExit"):
            return True
        case _:
            return False


SPEAKERS = (
    "cli",
    "__main__",
    "prove/worker.py",  # a process of its own, which answers through its stdout
)


def may_speak(path: Path) -> bool:
    return room(path) in SPEAKERS or path.relative_to(CHECKER).as_posix() in SPEAKERS


@pytest.mark.parametrize("path", [p for p in MODULES if not may_speak(p)], ids=label)
def test_nothing_below_the_command_prints_or_exits(path: Path) -> None:
    for node in ast.walk(tree(path)):
        assert not _speaks(node), f"{label(path)}:{getattr(node, 'lineno', '?')}"


def test_the_rule_about_printing_can_fail() -> None:
    source = "import sys\nsys.exit(1)\nprint(2)\nraise SystemExit\n"
    assert sum(_speaks(node) for node in ast.walk(ast.parse(source))) == 3


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_every_module_says_what_it_owns(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(tree(path)), f"{label(path)} has no docstring"


@pytest.mark.parametrize("path", sorted((ROOT / "models").rglob("*.py")), ids=label)
def test_models_know_nothing_of_the_checker(path: Path) -> None:
    assert not [name for name in imported(path) if name.split(".")[0] in ("checker", "tests", "lark", "z3")]
    assert ast.get_docstring(tree(path)), f"{label(path)} has no docstring"
