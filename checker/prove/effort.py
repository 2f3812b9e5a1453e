"""How much work a solver may do, counted in its own steps, so that a busy machine changes no answer."""

from __future__ import annotations

PER_SECOND = 5_000_000
"""Steps that Z3 takes in about a second of an idle core: five to eight million are usual."""

_MOST = 4_000_000_000  # what fits into the solver's counter


def steps(seconds: float) -> int:
    """The work of so many seconds."""
    return max(1, min(_MOST, int(seconds * PER_SECOND)))


def patience(count: int) -> float:
    """Wall seconds after which a process that was given so many steps is taken to hang, on a busy machine too."""
    return 30.0 + 10.0 * count / PER_SECOND
