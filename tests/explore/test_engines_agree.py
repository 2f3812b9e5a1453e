"""Compiled code says exactly what the interpreter says: on every spec of the project, and on little awkward ones.

Where an instance is too large for the interpreter, the two are compared up to some depth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from agreeing import both, question_of, said, verdict, verdicts
from catalogue import SPECS, instance, names, spec_of
from pages import BLOCKS, read

from checker.explore.native.build import find_compiler
from checker.explore.native.engine import explore
from checker.explore.problem import Options
from checker.explore.problem import explore as interpreted
from checker.explore.search import End
from checker.language.ir import Spec
from checker.language.parser import read_source
from checker.source import Source

LITTLE = sorted((Path(__file__).parent / "little").glob("*.spec"))
BEARABLE = 20_000
"""Steps that the interpreter takes in a few seconds."""
ENDLESS = {"sets"}
"""Little specs with millions of states, which are explored for a while only."""

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")


def instances(sources: Iterable[Source]) -> list[object]:
    """The instances of specs by name, to be read when they are tested."""
    return [
        pytest.param(source, name, id=f"{Path(source.name).stem}-{name}")
        for source in sources
        for name in names(source.text)
    ]


def agree(spec: Spec, name: str, **options: object) -> None:
    """Both engines say the same, and compiled code the same with symmetry and without."""
    plain = replace(instance(spec, name), expected=())
    trial = Options(symmetry=False, timeout=2.0, **options)  # type: ignore[arg-type]
    question = question_of(spec, plain, trial)
    answer = explore(question, trial)
    done = answer.end is not End.TIME
    if done and answer.transitions <= BEARABLE:
        assert said(question, answer) == said(question, interpreted(question, replace(trial, timeout=None)))
    else:
        reference, native = both(spec, plain, **{"depth": 4, **options})
        assert native == reference
    if done:
        reduced = Options(**options)  # type: ignore[arg-type]
        asked = question_of(spec, plain, reduced)
        assert verdict(asked, explore(asked, reduced)) == verdict(question, answer)
    else:
        reduced_to, whole = verdicts(spec, plain, **{"depth": 6, **options})
        assert reduced_to == whole


@pytest.mark.parametrize(("source", "name"), instances(read_source(path) for path in LITTLE))
def test_little_specs(source: Source, name: str) -> None:
    agree(spec_of(source), name, stop_at_first=False)
    agree(spec_of(source), name, depth=3)


@pytest.mark.parametrize(("source", "name"), instances(read_source(path) for path in SPECS))
def test_specs(source: Source, name: str) -> None:
    agree(spec_of(source), name)


@pytest.mark.parametrize(("source", "name"), instances(block.source for block in BLOCKS if block.kind == "good"))
def test_examples_of_the_documentation(source: Source, name: str) -> None:
    agree(spec_of(source, read), name)


@pytest.mark.parametrize(("source", "name"), instances(read_source(p) for p in LITTLE if p.stem not in ENDLESS)[::3])
@pytest.mark.parametrize("symmetry", [True, False])
def test_threads_change_nothing(source: Source, name: str, symmetry: bool) -> None:
    """Not even which of several shortest counterexamples is shown."""
    spec = spec_of(source)
    decl = instance(spec, name)
    answers = []
    for threads in (1, 2, 3):
        options = Options(symmetry=symmetry, threads=threads)
        answer = explore(question_of(spec, replace(decl, expected=()), options), options)
        answers.append(replace(answer, seconds=0.0))
    assert answers[0] == answers[1] == answers[2]
