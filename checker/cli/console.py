"""The two streams: results on stdout, diagnostics and progress on stderr, and what each terminal can show.

The only place that prints. A reader who goes away (a broken pipe) is no error.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TextIO

from checker.report.look import Look, Tone
from checker.source import Diagnostic, Severity, SpecError

PIPED_WIDTH = 120
"""The width of text that does not go to a terminal."""


@dataclass(frozen=True)
class Console:
    """Writes to the streams of the process as they are at the time of writing."""

    color: Literal["auto", "always", "never"] = "auto"
    quiet: bool = False

    @property
    def look(self) -> Look:
        """What stdout can show."""
        return self._look(sys.stdout)

    @property
    def on_terminal(self) -> bool:
        """Whether stderr is a terminal, so that a line can renew itself."""
        return _is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"

    def out(self, text: str) -> None:
        """A result."""
        _write(sys.stdout, text + "\n")

    def note(self, text: str, tone: Tone = "plain") -> None:
        """A remark beside the result; none when quiet."""
        if not self.quiet:
            _write(sys.stderr, self._look(sys.stderr).paint(text, tone) + "\n")

    def diagnose(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Diagnostics, each with its excerpt; warnings are left out when quiet."""
        look = self._look(sys.stderr)
        for diagnostic in diagnostics:
            if self.quiet and diagnostic.severity is Severity.WARNING:
                continue
            head, _, rest = diagnostic.render().partition("\n")
            tone: Tone = "bad" if diagnostic.severity is Severity.ERROR else "warn"
            label, colon, sentence = head.partition(": ")
            painted = look.paint(label, tone) + colon + look.paint(sentence, "strong")
            _write(sys.stderr, "\n".join(part for part in (painted, rest) if part) + "\n")

    def _look(self, stream: TextIO) -> Look:
        terminal = _is_terminal(stream)
        width = shutil.get_terminal_size((PIPED_WIDTH, 24)).columns if terminal or "COLUMNS" in os.environ else 0
        return Look(max(40, width or PIPED_WIDTH), self._colors(terminal), _is_unicode(stream))

    def _colors(self, terminal: bool) -> bool:
        """`--color`, then NO_COLOR (https://no-color.org), then FORCE_COLOR, then whether it is a terminal."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
            return True
        return terminal and os.environ.get("TERM") != "dumb"


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _is_unicode(stream: TextIO) -> bool:
    try:
        "→…".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _write(stream: TextIO, text: str) -> None:
    """Raises SpecError (Q0715) where the stream takes nothing, as on a full disk."""
    encoding = stream.encoding or "ascii"
    try:
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        silence(stream)
    except OSError as error:
        silence(stream)
        hint = "is there room where the output goes?"
        raise SpecError([Diagnostic("Q0715", f"the output cannot be written: {error.strerror}", hint=hint)]) from None


def silence(stream: TextIO) -> None:
    """Send what is still to be written nowhere, so that closing the stream at exit does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
