"""What can go wrong while a spec is explored: partial operations outside their domain, and steps that a bound cuts off.

Both are exceptions that the explorer turns into results; neither ever reaches the user as an exception.
"""

from __future__ import annotations

from typing import Literal

from checker.source import Diagnostic, Span


class Fault(Exception):
    """A partial operation outside its domain, or a value outside its range: an error of the spec, at `span`."""

    def __init__(self, code: str, message: str, span: Span, kind: Literal["undefined", "range"] = "undefined") -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.kind = code, message, span, kind

    @property
    def diagnostic(self) -> Diagnostic:
        """The fault as an error of the file, for places where no run leads to it (initial values, assumptions)."""
        return Diagnostic(self.code, self.message, self.span)


class CutOff(Exception):
    """A bound of the instance cuts the step off: the end of an order (`end of Ballot`), or a limit (`crashes`)."""

    def __init__(self, bound: str, span: Span) -> None:
        super().__init__(bound)
        self.bound, self.span = bound, span

    @property
    def fault(self) -> Fault:
        """What the same passing of a bound is where there is no step to cut off, as in a property."""
        message = f"`{self.span.text}` goes past the {self.bound}, which the instance makes finite"
        return Fault("Q0607", message, self.span)
