"""Two engines on one problem: what each says, in a form in which they must be equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from checker.explore.instance import instantiate
from checker.explore.interpreter import Interpreter
from checker.explore.native.engine import explore as compiled
from checker.explore.problem import Options, Problem, problem
from checker.explore.problem import explore as interpreted
from checker.explore.search import FAULT, Answer, End
from checker.language.finite import for_instance
from checker.language.ir import InstanceDecl, Spec


@dataclass(frozen=True)
class Said:
    """What an answer says that does not depend on which of several shortest runs was chosen."""

    end: End
    states: int
    transitions: int
    depth: int
    frontier: int
    taken: tuple[int, ...]
    discovered: tuple[int, ...]
    bounds: tuple[tuple[str, int], ...]
    runs: tuple[tuple[int, int], ...]
    probes: frozenset[int]


def said(question: Problem, answer: Answer) -> Said:
    probes = {i for i, goal in enumerate(question.goals) if goal.kind == "probe"}
    found = [each for each in answer.found if each.subject not in probes]
    earliest = min((len(each.run) for each in found if each.subject >= 0), default=None)
    # The interpreter stops judging a property that it has found violated, so it may miss a fault at the same depth.
    found = [f for f in found if f.subject != FAULT or earliest is None or len(f.run) < earliest]
    return Said(
        answer.end,
        answer.states,
        answer.transitions,
        answer.depth,
        answer.frontier,
        answer.taken,
        answer.discovered,
        answer.bounds,
        tuple(sorted((each.subject, len(each.run)) for each in found)),
        frozenset(each.subject for each in answer.found) & probes,
    )


def question_of(spec: Spec, decl: InstanceDecl, options: Options) -> Problem:
    return problem(Interpreter(instantiate(for_instance(spec, decl), decl)), options)


def both(spec: Spec, decl: InstanceDecl, **options: Any) -> tuple[Said, Said]:
    """What the interpreter says, and what compiled code says without symmetry."""
    chosen = Options(symmetry=False, **options)
    question = question_of(spec, decl, chosen)
    return said(question, interpreted(question, chosen)), said(question, compiled(question, chosen))


def verdicts(spec: Spec, decl: InstanceDecl, **options: Any) -> Iterator[tuple[End, int, Any]]:
    """What compiled code says with symmetry and without that must be equal."""
    for symmetry in (True, False):
        chosen = Options(symmetry=symmetry, **options)
        question = question_of(spec, decl, chosen)
        yield verdict(question, compiled(question, chosen))


def verdict(question: Problem, answer: Answer) -> tuple[End, int, Any]:
    """What an answer says whatever states were taken for the same: the end, the depth, and what was found."""
    summary = said(question, answer)
    return answer.end, answer.depth, (summary.runs, summary.probes)
