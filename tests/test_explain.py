"""Every page of `explain` is run: its first spec yields the page's code alone, the repaired one nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checker.explain import Page, codes, names, page
from checker.explore.check import check
from checker.explore.instance import default_instance
from checker.explore.problem import Options
from checker.language.frontend import load_source
from checker.prove.obligations import plan
from checker.source import Diagnostic, Severity, Source, SpecError

CHECKER = Path(__file__).parent.parent / "checker"
EXPLORED = ("Q05", "Q06")
ON_THE_COMMAND_LINE = ("Q07", "Q0501", "Q0502", "Q0503", "Q0217", "Q0903", "Q10")
"""Codes that come from arguments or files, so that no spec can show them."""

COMMAND_CODES = [code for code in codes() if code.startswith(ON_THE_COMMAND_LINE)]
SPEC_CODES = [code for code in codes() if not code.startswith(ON_THE_COMMAND_LINE)]


def used() -> set[str]:
    """The codes that the sources mention."""
    return {code for path in CHECKER.rglob("*.py") for code in re.findall(r"\bQ\d{4}\b", path.read_text())}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert used() == set(codes())


@pytest.mark.parametrize("name", names())
def test_a_page_has_a_title_an_explanation_and_a_way_out(name: str) -> None:
    found = page(name)
    assert found.text.startswith(f"# {name}: ")
    assert 3 < len(found.title) < 90 and not found.title.endswith(".")
    prose = re.sub(r"```.*?```", "", found.text.split("\n", 1)[1], flags=re.DOTALL)
    assert len(prose.split()) >= 15


@pytest.mark.parametrize("code", COMMAND_CODES)
def test_pages_of_the_command_line_show_a_command(code: str) -> None:
    assert "sh" in [kind for kind, _ in page(code).examples]


def example(found: Page, kind: str) -> str:
    blocks = [text for info, text in found.examples if info == kind]
    assert len(blocks) == 1, f"{found.code}: one block ```{kind}"
    return blocks[0]


def diagnostics(code: str, text: str) -> tuple[Diagnostic, ...]:
    """What a spec yields: errors and warnings of the file, then, as the code asks, of exploring it or of proving it."""
    source = Source("page.spec", text)
    try:
        if code.startswith("Q09"):
            plan(load_source(source, network="set").spec)
            return ()
        loaded = load_source(source)
        if not code.startswith(EXPLORED):
            return loaded.warnings
        decl = loaded.spec.instances[0] if loaded.spec.instances else default_instance(loaded.spec)
        verdict = check(loaded.spec, decl, Options(timeout=10))
    except SpecError as error:
        return error.diagnostics
    return tuple(Diagnostic(p.code, p.message) for p in verdict.violations if p.code)


@pytest.mark.parametrize("code", SPEC_CODES)
def test_the_example_yields_exactly_the_code(code: str) -> None:
    found = diagnostics(code, example(page(code), "spec"))
    assert {d.code for d in found if d.code.startswith("Q08") == code.startswith("Q08")} == {code}


@pytest.mark.parametrize("code", SPEC_CODES)
def test_the_repaired_example_yields_none(code: str) -> None:
    found = diagnostics(code, example(page(code), "spec ok"))
    shown = [d for d in found if d.severity is Severity.ERROR or code.startswith("Q08")]
    assert not shown, [d.message for d in shown]
