"""Exit codes: what each means, which one a verdict earns, and which one wins when there are several.

The words for users are the page `explain exit-codes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from checker.verdict import Assurance, Status, Verdict


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


def worst(codes: Iterable[Exit]) -> Exit:
    """The code of a command that had several outcomes; none at all is nothing to check."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), Exit.NOTHING)


def of_verdict(verdict: Verdict, *, interrupted: bool = False) -> Exit:
    """The code that one verdict earns; a bound or a sample is as good as asked for, so it is no reason for doubt."""
    if verdict.failures or any(e.met is False for e in verdict.expectations):
        return Exit.VIOLATED
    if interrupted:
        return Exit.INTERRUPTED
    if not verdict.properties:
        return Exit.NOTHING
    if verdict.assurance is Assurance.INCONCLUSIVE or any(e.met is None for e in verdict.expectations):
        return Exit.INCONCLUSIVE
    undecided = any(p.status is Status.UNKNOWN for p in verdict.properties)
    # A violation that the instance asked for ends the search, and a sample never sees everything.
    settled = verdict.assurance in (Assurance.VIOLATED, Assurance.SAMPLED)
    return Exit.INCONCLUSIVE if undecided and not settled else Exit.OK
