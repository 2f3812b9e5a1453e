"""How text is laid out and coloured: a width, a character set, and wrapping that keeps columns straight.

Nothing here knows what is being reported, and nothing here asks the terminal: the caller says what it can do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Tone: TypeAlias = Literal["plain", "strong", "good", "bad", "warn", "soft", "name"]

Cell: TypeAlias = tuple[str, Tone]

_ESCAPES: dict[Tone, str] = {"strong": "1", "good": "32;1", "bad": "31;1", "warn": "33", "soft": "2", "name": "36"}


@dataclass(frozen=True)
class Look:
    """What the output can show: `width` in characters, colour by escape sequences, characters beyond ASCII."""

    width: int = 100
    color: bool = False
    unicode: bool = True

    @property
    def arrow(self) -> str:
        return "→" if self.unicode else "->"

    @property
    def dots(self) -> str:
        return "…" if self.unicode else "..."

    def paint(self, text: str, tone: Tone) -> str:
        """The text in a tone; the text itself when there is no colour."""
        escape = _ESCAPES.get(tone)
        return f"\x1b[{escape}m{text}\x1b[0m" if self.color and escape and text else text


def printable(text: str) -> str:
    """The text without control characters, which could otherwise rewrite the reader's screen."""
    return "".join(c if c.isprintable() else "?" for c in text)


def flow(items: Sequence[str], width: int) -> list[str]:
    """Lines of at most `width` that hold the items one after another, `; ` between them.

    An item is broken only when it alone is wider; its further lines are then indented by two.
    """
    lines: list[str] = []
    for i, item in enumerate(items):
        piece = item if i == len(items) - 1 else f"{item};"
        if lines and len(lines[-1]) + 1 + len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines.extend(wrap(piece, width, indent=2))
    return lines


TIED = "\u00a0"
"""A blank at which no line is broken; `wrap` turns it into a plain one."""


def wrap(text: str, width: int, indent: int = 0) -> list[str]:
    """The text in lines of at most `width`, broken at blanks (or anywhere if there are none)."""
    width = max(width, indent + 8)
    lines: list[str] = []
    while len(text) > (room := width - (indent if lines else 0)):
        cut = text.rfind(" ", 1, room + 1)
        cut = cut if cut > room // 3 else room
        lines.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    lines.append(text)
    return [(line if i == 0 else " " * indent + line).replace(TIED, " ") for i, line in enumerate(lines)]


def table(rows: Iterable[Sequence[Cell]], look: Look, *, indent: int = 2, right: frozenset[int] = frozenset()) -> str:
    """Rows of cells in aligned columns two blanks apart; columns whose number is in `right` are flush right.

    The last cell of a row is wrapped to the look's width under its own column.
    """
    cells = [list(row) for row in rows]
    count = max((len(row) for row in cells), default=0)
    widths = [max((len(row[i][0]) for row in cells if i < len(row) - 1), default=0) for i in range(count)]
    lines = []
    for row in cells:
        lead, plain = [" " * indent], indent
        for i, (text, tone) in enumerate(row[:-1]):
            pad = " " * (widths[i] - len(text))
            lead.append((pad + look.paint(text, tone) if i in right else look.paint(text, tone) + pad) + "  ")
            plain += widths[i] + 2
        text, tone = row[-1]
        if len(row) - 1 in right:
            text = text.rjust(max(len(r[-1][0]) for r in cells if len(r) == len(row)))
        pieces = wrap(text, max(20, look.width - plain))
        lines.append("".join(lead) + look.paint(pieces[0], tone))
        lines.extend(" " * plain + look.paint(piece, tone) for piece in pieces[1:])
    return "\n".join(line.rstrip() for line in lines)
