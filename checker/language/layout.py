"""From text to logical lines: lexemes, the joining of lines that go on, and the tree that indentation draws.

Whatever is wrong at this level is reported here and mended, so that one slip is reported once.
Which words are keywords is none of its business, except for the few that decide where a line ends.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from checker.source import Diagnostic, Source, Span

MAX_NESTING = 100  # brackets within brackets, and blocks within blocks
MAX_DIGITS = 18  # a number fits 64 bits
MAX_LEXEMES = 20_000  # in one logical line

Kind = Literal["word", "number", "symbol"]


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word, number or symbol as it stands in the text."""

    kind: Kind
    text: str
    span: Span


@dataclass(slots=True)
class Line:
    """A logical line with the lines indented below it. `reported`: something in it is wrong and has been said."""

    lexemes: list[Lexeme]
    reported: bool = False
    children: list[Line] = field(default_factory=list)

    @property
    def column(self) -> int:
        return self.lexemes[0].span.column

    def walk(self) -> Iterator[Line]:
        """This line and all below it; blocks are at most `MAX_NESTING` deep."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_lines(source: Source) -> tuple[tuple[Line, ...], tuple[Diagnostic, ...]]:
    """The top-level lines of a source, each with its block, and what is wrong with lexemes, brackets and layout."""
    diagnostics: list[Diagnostic] = []
    rows = _rows(source, diagnostics)
    lines = list(_logical_lines(rows, diagnostics))
    return tuple(_tree(lines, diagnostics)), tuple(diagnostics)


# --- lexemes ----------------------------------------------------------------------------------------

_LEXEME = re.compile(
    r"""(?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9][A-Za-z0-9_]*)
      | (?P<symbol><=>|=>|==|!=|<=|>=|:=|->|\.\.|[-+*<>=:,.?|(){}\[\]])
      | (?P<blank>[ \t\r\f\v]+|\A\ufeff)
      | (?P<comment>\#.*)
      | (?P<alien>"[^"]*"?|'[^']*'?|&&?|/\\|\\/|[^\x00-\x7f]+|[\x00-\x1f\x7f]+|.)""",
    re.VERBOSE | re.DOTALL,
)

# What people write out of habit from other languages, and how it is written here.
_HABITS = {
    "&&": "and", "&": "and", "/\\": "and", "∧": "and", "\\/": "or", "∨": "or", "!": "not", "~": "not",
    "¬": "not", "∈": "in", "∉": "not in", "∪": "union", "∩": "intersect", "⊆": "subset", "∀": "forall",
    "∃": "exists", "≤": "<=", "≥": ">=", "≠": "!=", "⇒": "=>", "→": "->", "⇔": "<=>", "×": "*", "−": "-",
}  # fmt: skip
_HINTS = {
    "/": "there is no division; multiply the other side instead",
    "%": "there is no remainder; count with a range such as `0..N - 1`",
    "^": "there are no powers",
    ";": "a statement ends with its line",
    "@": "names consist of letters, digits and `_`",
    "$": "names consist of letters, digits and `_`",
    "\\": "the difference of sets is written `minus`; a line goes on when it ends in an operator",
}


@dataclass(slots=True)
class _Row:
    """The lexemes of one line of text, at least one."""

    lexemes: list[Lexeme]
    reported: bool = False


def _rows(source: Source, diagnostics: list[Diagnostic]) -> list[_Row]:
    rows: list[_Row] = []
    tabs: list[Span] = []
    for number, text in enumerate(source.lines, 1):
        row = _Row([])
        for match in _LEXEME.finditer(text):
            kind = match.lastgroup
            if kind == "blank" or kind == "comment":
                continue
            span = Span(source, number, match.start() + 1, number, match.end() + 1)
            problem = _problem(str(kind), match.group(), span)
            if problem is not None:
                diagnostics.append(problem)
                row.reported = True
            if kind == "word" or kind == "number" or kind == "symbol":
                row.lexemes.append(Lexeme(kind, match.group(), span))
        if row.lexemes:
            rows.append(row)
            blanks = text[: row.lexemes[0].span.column - 1]
            if "\t" in blanks:
                tab = blanks.index("\t") + 1
                tabs.append(Span(source, number, tab, number, tab + 1))
    if tabs:
        also = f" (and {len(tabs) - 1} more of this file's lines)" if len(tabs) > 1 else ""
        diagnostics.append(
            Diagnostic("Q0102", f"a tab indents this line{also}", tabs[0], "indent with spaces only, four for each level")
        )
    return rows


def _problem(kind: str, text: str, span: Span) -> Diagnostic | None:
    match kind:
        case "number" if not re.fullmatch(r"[0-9]+(_[0-9]+)*", text):
            return Diagnostic("Q0103", f"`{_shown(text)}` is neither a number nor a name", span, "a name begins with a letter")
        case "number" if len(text.replace("_", "").lstrip("0")) > MAX_DIGITS:
            return Diagnostic("Q0108", f"this number has more than {MAX_DIGITS} digits", span, "use a smaller number")
        case "alien":
            return _alien(text, span)
        case _:
            return None


def _alien(text: str, span: Span) -> Diagnostic:
    if text[0] in "\"'":
        hint = "there are no strings; declare an `enum`" if text[0] == '"' else "there are no primes; `:=` assigns"
        return Diagnostic("Q0103", f"the language has no `{text[0]}`", span, hint)
    if text in _HABITS:
        return Diagnostic("Q0103", f"`{text}` is not a symbol of the language", span, f"write `{_HABITS[text]}`")
    if text.isprintable():
        return Diagnostic("Q0103", f"`{_shown(text)}` is not a symbol of the language", span, _HINTS.get(text, _ASCII))
    name = unicodedata.name(text[0], f"control character {ord(text[0])}").lower()
    return Diagnostic("Q0103", f"there is an invisible character here ({name})", span, "delete it, or put a space")


_ASCII = "outside comments, a spec consists of ASCII letters, digits and operators"


def _shown(text: str) -> str:
    return text if len(text) <= 30 else text[:30] + "…"


# --- logical lines ----------------------------------------------------------------------------------

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_GOES_ON_AFTER = frozenset(
    ["<=>", "=>", "==", "!=", "<", "<=", ">", ">=", ":=", "=", "->", "..", "+", "-", "*", ",", "|", ":", "and", "or", "not", "union", "intersect", "minus", "in", "subset", "where", "then"]
)
_GOES_ON_BEFORE = frozenset(
    ["<=>", "=>", "==", "!=", "<", "<=", ">", ">=", ":=", "=", "->", "..", "+", "*", ",", "|", ":", ")", "]", "}", "and", "or", "union", "intersect", "minus", "in", "subset", "where"]
)
_CLAUSE_HEADS = frozenset(["invariant", "lemma", "step", "reachable", "terminal", "assume"])
_HEADS = _CLAUSE_HEADS | frozenset(["role", "on", "action", "timeout", "procedure", "after", "proof", "instance", "if", "elif", "else"])
# Words that begin a declaration or statement and are followed by a word: such a line is not the inside of a bracket.
_BEGINNINGS = frozenset(
    ["spec", "sort", "order", "quorum", "enum", "record", "message", "network", "constant", "assume", "state", "ghost", "durable", "volatile", "role", "on", "action", "timeout", "procedure", "define", "after", "invariant", "lemma", "step", "reachable", "terminal", "proof", "instance", "require", "let", "pick", "send"]
)


@dataclass(slots=True)
class _Open:
    """The logical line being put together, and its brackets that are still open."""

    line: Line
    brackets: list[Lexeme] = field(default_factory=list)


def _logical_lines(rows: list[_Row], diagnostics: list[Diagnostic]) -> Iterator[Line]:
    now: _Open | None = None
    for row in rows:
        if now is None or not _continues(now, row.lexemes):
            if now is not None:
                yield _finished(now, diagnostics)
            now = _Open(Line([]))
        now.line.reported |= row.reported
        for lexeme in row.lexemes:
            _append(now, lexeme, diagnostics)
        _drop_colon(now, diagnostics)
    if now is not None:
        yield _finished(now, diagnostics)


def _continues(now: _Open, row: list[Lexeme]) -> bool:
    """Whether the row goes on with the logical line before it."""
    line, first = now.line.lexemes, row[0].text
    if not line:
        return False
    deeper = row[0].span.column > line[0].span.column
    if now.brackets:
        return deeper or len(row) < 2 or row[1].kind != "word" or first not in _BEGINNINGS
    last = line[-1].text
    if last in _GOES_ON_AFTER and not (len(line) > 1 and line[-2].text == "."):
        return True
    if last == "else" and len(line) > 1:
        return True
    if first == "-":
        return deeper and line[0].text not in _CLAUSE_HEADS
    if first == "not":
        return len(row) > 1 and row[1].text == "in"
    if first in ("then", "else"):
        return _pending(line, first)
    return first in _GOES_ON_BEFORE


def _pending(line: list[Lexeme], word: str) -> bool:
    """Whether an `if` of the line awaits its `then`, or a `then` its `else`."""
    texts = [lexeme.text for lexeme in line]
    before = "if" if word == "then" else "then"
    return texts.count(before) > texts.count(word)


def _append(now: _Open, lexeme: Lexeme, diagnostics: list[Diagnostic]) -> None:
    """Adds a lexeme; a closing bracket without a partner is reported and left out."""
    if lexeme.text in _PAIRS:
        now.brackets.append(lexeme)
        if len(now.brackets) == MAX_NESTING + 1:
            message = f"brackets are nested more than {MAX_NESTING} deep"
            diagnostics.append(Diagnostic("Q0105", message, lexeme.span, "name a part of it with `define` or `let`"))
            now.line.reported = True
    elif lexeme.text in _PAIRS.values():
        if not now.brackets:
            diagnostics.append(
                Diagnostic("Q0109", f"`{lexeme.text}` closes nothing", lexeme.span, "delete it, or open its partner")
            )
            now.line.reported = True
            return
        opened = now.brackets.pop()
        if _PAIRS[opened.text] != lexeme.text:
            message = f"`{lexeme.text}` closes what `{opened.text}` opened"
            notes = ((f"`{opened.text}` is opened here", opened.span),)
            hint = f"close it with `{_PAIRS[opened.text]}`"
            diagnostics.append(Diagnostic("Q0109", message, lexeme.span, hint, notes))
            now.line.reported = True
    if len(now.line.lexemes) == MAX_LEXEMES and not now.line.reported:
        message = f"this line, with those that it goes on to, has more than {MAX_LEXEMES:_} symbols".replace("_", " ")
        diagnostics.append(Diagnostic("Q0105", message, lexeme.span, "split it with `define`, `let` or more clauses"))
        now.line.reported = True
    now.line.lexemes.append(lexeme)


def _drop_colon(now: _Open, diagnostics: list[Diagnostic]) -> None:
    """Reports and drops a colon at the end of a block's head, so that the block is still seen as one."""
    line = now.line.lexemes
    if now.brackets or not line or line[-1].text != ":" or line[0].text not in _HEADS:
        return
    if not any(lexeme.text in ("forall", "exists") for lexeme in line):
        message = f"the head of a block takes no colon: `{line[0].text}` is followed by indented lines alone"
        diagnostics.append(Diagnostic("Q0110", message, line[-1].span, "delete the colon"))
        line.pop()


def _finished(now: _Open, diagnostics: list[Diagnostic]) -> Line:
    if now.brackets:
        opened = now.brackets[-1]
        message = f"`{opened.text}` is never closed"
        diagnostics.append(Diagnostic("Q0109", message, opened.span, f"put the missing `{_PAIRS[opened.text]}`"))
        now.line.reported = True
    return now.line


# --- blocks -----------------------------------------------------------------------------------------


def _tree(lines: list[Line], diagnostics: list[Diagnostic]) -> list[Line]:
    """Hangs each line below the nearest line before it that is indented less."""
    top: list[Line] = []
    path: list[Line] = []
    for line in lines:
        if not line.lexemes:  # nothing was left of it
            continue
        while path and path[-1].column >= line.column:
            path.pop()
        siblings = path[-1].children if path else top
        expected = siblings[0].column if siblings else 1 if not path else line.column
        if line.column != expected:
            diagnostics.append(_misplaced(line, expected))
            line.reported = True
        if len(path) == MAX_NESTING:
            message = f"blocks are nested more than {MAX_NESTING} deep"
            diagnostics.append(Diagnostic("Q0105", message, line.lexemes[0].span, "move a part into a `procedure`"))
            line.reported = True
        siblings.append(line)
        if len(path) < MAX_NESTING:
            path.append(line)
    return top


def _misplaced(line: Line, expected: int) -> Diagnostic:
    if expected == 1:
        message = "this line is indented, but belongs to no block"
        hint = "declarations begin at the left margin"
    else:
        message = f"this line begins at column {line.column}, the other lines of its block at column {expected}"
        hint = "give all lines of a block the same indentation"
    return Diagnostic("Q0102", message, line.lexemes[0].span, hint)
