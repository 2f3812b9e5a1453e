"""Exit codes: what each means, which one an outcome earns, and which one wins when there are several.

The words for users are the page `explain exit-codes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from checker.verdict import Outcome


class Exit(IntEnum):
    OK = 0
    VIOLATED = 1
    USAGE = 2
    INTERNAL = 3
    INCONCLUSIVE = 4
    NOTHING = 5
    INTERRUPTED = 130


_WORST_FIRST = (
    Exit.INTERNAL,
    Exit.USAGE,
    Exit.VIOLATED,
    Exit.INTERRUPTED,
    Exit.INCONCLUSIVE,
    Exit.NOTHING,
    Exit.OK,
)

_EARNED = {
    Outcome.PASSED: Exit.OK,
    Outcome.KNOWN: Exit.OK,
    Outcome.VIOLATED: Exit.VIOLATED,
    Outcome.WEAK: Exit.INCONCLUSIVE,
    Outcome.BUDGET: Exit.INCONCLUSIVE,
    Outcome.UNKNOWN: Exit.INCONCLUSIVE,
    Outcome.NOTHING: Exit.NOTHING,
    Outcome.INTERRUPTED: Exit.INTERRUPTED,
    Outcome.INVALID: Exit.USAGE,
    Outcome.INTERNAL: Exit.INTERNAL,
    Outcome.NOT_RUN: Exit.INCONCLUSIVE,
    Outcome.SKIPPED: Exit.NOTHING,
}


def worst(codes: Iterable[Exit]) -> Exit:
    """The code of a command that had several outcomes; none at all is nothing to check."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), Exit.NOTHING)


def of_outcome(outcome: Outcome) -> Exit:
    """The code that one outcome earns."""
    return _EARNED[outcome]
