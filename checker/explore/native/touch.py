"""Which properties a step may change: those that read a variable that it writes, told by form.

A state is stored after a step from one whose properties were judged before, and a goal that was reached at an earlier
level is no longer looked for. So what the step does not touch need not be judged again, and nothing is skipped that
could come out differently. Here are words of bits, one for each property; what is done with them is up to the kernel.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence, Set

from checker.explore.problem import Goal
from checker.language import ir
from checker.language import types as ty
from checker.language.forms import Forms
from checker.language.paths import Path
from checker.language.traverse import bottom_up

_LAST = 63  # the bit that all further goals share


class Touch:
    """What steps may change of the goals of a search.

    `still`: the step properties that may fail even in a step that changes nothing they read.
    """

    def __init__(self, forms: Forms, goals: Sequence[Goal]) -> None:
        self._reads = [frozenset[str]().union(*map(forms.reads, goal.clauses)) for goal in goals]
        self.still = sum(
            {self.bit(i) for i, goal in enumerate(goals) if goal.kind == "step" and not _stays(forms, goal)}
        )

    def bit(self, goal: int) -> int:
        """The bit of a goal, by its number."""
        return 1 << min(goal, _LAST)

    def by(self, path: Path) -> int:
        """The goals that a step along the path may change, and those of `still`."""
        touched = {self.bit(i) for i, reads in enumerate(self._reads) if reads & path.writes}
        return sum(touched) | self.still


def _stays(forms: Forms, goal: Goal) -> bool:
    """Whether a step property certainly holds where everything that it reads stays as it was."""
    for clause in goal.clauses:
        if not forms.total(clause):
            return False
        still = bottom_up(forms.inlined(clause, itertools.count(-(1 << 41), -1)), _without_old)
        if not _evident(still, frozenset()):
            return False
    return True


def _without_old(expr: ir.Expr) -> ir.Expr:
    return expr.operand if isinstance(expr, ir.Old) else expr


def _evident(expr: ir.Expr, given: Set[ir.Expr]) -> bool:
    """Whether a condition that is defined everywhere is true by form where those given are."""
    if expr in given:
        return True
    match expr:
        case ir.Const(value=value):
            return value is True
        case ir.And(items=items):
            return all(_evident(item, given) for item in items)
        case ir.Or(items=items):
            return any(_evident(item, given) for item in items)
        case ir.Binary(operator="=>", left=left, right=right):
            return _evident(right, {*given, *(left.items if isinstance(left, ir.And) else (left,))})
        case ir.Binary(operator="<=" | ">=", left=left, right=right):
            return left == right and not isinstance(left.type, ty.Option)
        case ir.Binary(operator="==" | "<=>" | "subset", left=left, right=right):
            return left == right
        case ir.Quantified(kind="forall", where=where, body=body):
            return _evident(body, given if where is None else {*given, where})
        case _:
            return False
