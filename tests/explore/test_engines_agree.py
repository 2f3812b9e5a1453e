"""Compiled code says exactly what the interpreter says: on every spec of the project, and on little awkward ones.

Where an instance is too large for the interpreter, the two are compared up to some depth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from agreeing import both, question_of, verdicts
from pages import BLOCKS, read

from checker.explore.native.build import find_compiler
from checker.explore.native.engine import explore
from checker.explore.problem import Options
from checker.explore.search import End
from checker.language.extend import Reader
from checker.language.frontend import load_source
from checker.language.ir import InstanceDecl, Spec
from checker.language.parser import read_source
from checker.source import Source

ROOT = Path(__file__).parents[2]
LITTLE = sorted((Path(__file__).parent / "little").glob("*.spec"))
SPECS = sorted((ROOT / "specs").rglob("*.spec"))
BEARABLE = 20_000
"""Steps that the interpreter takes in a few seconds."""
ENDLESS = {"sets"}
"""Little specs with millions of states, which are explored for a while only."""

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")


def instances(sources: Iterable[Source], reader: Reader = read_source) -> list[object]:
    return [
        pytest.param(spec, decl, id=f"{Path(source.name).stem}-{decl.name}")
        for source in sources
        for spec in [load_source(source, read=reader).spec]
        for decl in spec.instances
    ]


def agree(spec: Spec, decl: InstanceDecl, **options: object) -> None:
    """Both engines say the same, and compiled code the same with symmetry and without."""
    plain = replace(decl, expected=())
    trial = Options(symmetry=False, timeout=2.0, **options)  # type: ignore[arg-type]
    answer = explore(question_of(spec, plain, trial), trial)
    bearable = answer.end is not End.TIME and answer.transitions <= BEARABLE
    reference, native = both(spec, plain, **{"depth": 4, **options} if not bearable else options)
    assert native == reference
    reduced, whole = verdicts(spec, plain, **{"depth": 6, **options} if answer.end is End.TIME else options)
    assert reduced == whole


@pytest.mark.parametrize(("spec", "decl"), instances([read_source(path) for path in LITTLE]))
def test_little_specs(spec: Spec, decl: InstanceDecl) -> None:
    agree(spec, decl, stop_at_first=False)
    agree(spec, decl, depth=3)


@pytest.mark.parametrize(("spec", "decl"), instances([read_source(path) for path in SPECS]))
def test_specs(spec: Spec, decl: InstanceDecl) -> None:
    agree(spec, decl)


@pytest.mark.parametrize(("spec", "decl"), instances((block.source for block in BLOCKS if block.kind == "good"), read))
def test_examples_of_the_documentation(spec: Spec, decl: InstanceDecl) -> None:
    agree(spec, decl)


@pytest.mark.parametrize(("spec", "decl"), instances(read_source(p) for p in LITTLE if p.stem not in ENDLESS)[::3])
@pytest.mark.parametrize("symmetry", [True, False])
def test_threads_change_nothing(spec: Spec, decl: InstanceDecl, symmetry: bool) -> None:
    """Not even which of several shortest counterexamples is shown."""
    answers = []
    for threads in (1, 2, 3):
        options = Options(symmetry=symmetry, threads=threads)
        answer = explore(question_of(spec, replace(decl, expected=()), options), options)
        answers.append(replace(answer, seconds=0.0))
    assert answers[0] == answers[1] == answers[2]
