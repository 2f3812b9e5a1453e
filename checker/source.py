"""Text with places: sources, spans, and the diagnostics that point into them.

Every later stage keeps a `Span` so that it can show the user's own line.
This module knows nothing of the language: a diagnostic is a code, a place, a sentence and a way out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, eq=False)
class Source:
    """A file's text under the name shown to the user; `name` is not opened again."""

    name: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.text.split("\n"))

    def line(self, number: int) -> str:
        """The 1-based line, or an empty string past the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source: 1-based lines and columns, the end column exclusive."""

    source: Source = field(repr=False)
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def place(self) -> str:
        """`file:line:column`, as editors understand it."""
        return f"{self.source.name}:{self.line}:{self.column}"

    @property
    def text(self) -> str:
        """The text covered, with line breaks and runs of blanks folded to one blank."""
        lines = list(self.source.lines[self.line - 1 : self.end_line])
        if not lines:
            return ""
        lines[-1] = lines[-1][: self.end_column - 1]
        lines[0] = lines[0][self.column - 1 :]
        return " ".join(" ".join(lines).split())

    def to(self, end: Span) -> Span:
        """The span from the start of this one to the end of `end`."""
        return Span(self.source, self.line, self.column, end.end_line, end.end_column)


@dataclass(frozen=True)
class Diagnostic:
    """One problem: what (`message`, one sentence), where (`span`), and what to do about it (`hint`).

    `span` is None for problems of the command line, which have no text to point at.
    `notes` point at other places that matter, such as a first declaration.
    """

    code: str
    message: str
    span: Span | None = None
    hint: str | None = None
    notes: tuple[tuple[str, Span], ...] = ()
    severity: Severity = Severity.ERROR

    @property
    def order(self) -> tuple[str, int, int, int, int, str, str]:
        """What diagnostics are sorted by: their place, then their text, so that the order is always the same."""
        span = self.span
        place = (span.line, span.column, span.end_line, span.end_column) if span is not None else (0, 0, 0, 0)
        return (span.source.name if span is not None else "", *place, self.code, self.message)

    def render(self) -> str:
        """The diagnostic as plain text, with the user's line and carets under the place."""
        head = f"{self.severity.value}[{self.code}]: {self.message}"
        parts = [head]
        if self.span is not None:
            parts.append(_excerpt(self.span))
        for text, span in self.notes:
            parts.append(f"note: {text}\n{_excerpt(span)}")
        if self.hint:
            parts.append(f"help: {self.hint}")
        return "\n".join(parts)


class SpecError(Exception):
    """Raised by a stage that cannot go on; carries all diagnostics that it found, in order of place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(d.message for d in self.diagnostics))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Diagnostic, ...]]]:
        return SpecError, (self.diagnostics,)  # as it was made, when it goes from one process to another


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """A hint naming the closest candidate, or None when nothing is close."""
    close = difflib.get_close_matches(name, sorted(set(candidates)), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


_MAX_SHOWN = 160


def _excerpt(span: Span) -> str:
    text = span.source.line(span.line).expandtabs(1)
    last = span.end_column if span.end_line == span.line else len(text) + 1
    start = span.column - 1
    if len(text) > _MAX_SHOWN:
        left = max(0, start - _MAX_SHOWN // 2)
        text, start, last = text[left : left + _MAX_SHOWN], start - left, last - left
    width = max(1, min(last - 1, len(text)) - start)
    gutter = " " * len(str(span.line))
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return f"{gutter}--> {span.place}\n{gutter} |\n{span.line} | {printable}\n{gutter} | {' ' * start}{'^' * width}"
