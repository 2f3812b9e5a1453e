"""From text to logical lines: lexemes, the joining of lines that go on, and the tree that indentation draws.

Whatever is wrong at this level is reported here and mended, so that one slip is reported once.
Which words are keywords is none of its business, except for the few that decide where a line ends.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, cast

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
    """A logical line with the lines indented below it.

    `column` takes a tab as the way to the next multiple of four; `reported` says that an error in it has been told.
    """

    column: int
    lexemes: list[Lexeme] = field(default_factory=list)
    reported: bool = False
    children: list[Line] = field(default_factory=list)

    @property
    def last(self) -> Line:
        """The last line of its block, or the line itself."""
        line = self
        while line.children:
            line = line.children[-1]
        return line

    def walk(self) -> Iterator[Line]:
        """This line and all below it; blocks are at most `MAX_NESTING` deep."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_lines(source: Source) -> tuple[tuple[Line, ...], tuple[Diagnostic, ...]]:
    """The top-level lines of a source, each with its block, and what is wrong with lexemes, brackets and layout."""
    diagnostics: list[Diagnostic] = []
    every = [_row(source, number, diagnostics) for number in range(1, len(source.lines) + 1)]
    rows = [row for row in every if row.lexemes]
    tabs = _tabs(rows)
    lines = _tree(_logical_lines(rows, diagnostics), diagnostics if tabs is None else [])
    return tuple(lines), (*diagnostics, *([] if tabs is None else [tabs]))


def read_head(source: Source) -> Line | None:
    """The first of the top-level lines, with the first line of its block if it has one; reads no further."""
    rows = (row for number in range(1, len(source.lines) + 1) if (row := _row(source, number, [])).lexemes)
    lines = _tree(islice(_logical_lines(rows, []), 2), [])
    return lines[0] if lines else None


# --- lexemes ----------------------------------------------------------------------------------------

_MARK = "\ufeff"  # some editors begin a file with it
_LEXEME = re.compile(
    r"""(?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9][A-Za-z0-9_]*)
      | (?P<alias>===|!==|=<(?!=)|<>|/=|\|\|)
      | (?P<symbol><=>|=>|==|!=|<=|>=|:=|->|\.\.|[-+*<>=:,.?|(){}\[\]])
      | (?P<blank>[ \t\r\f\v]+|\A\ufeff)
      | (?P<comment>\#.*)
      | (?P<alien>"[^"]*"?|(?<=[A-Za-z0-9_])'|'[^']*'?|&&?|/\\|\\/|[^\x00-\x7f]+|[\x00-\x1f\x7f]+|.)""",
    re.VERBOSE | re.DOTALL,
)

# What people write out of habit from other languages, and how it is written here.
_HABITS = {
    "&&": "and", "&": "and", "/\\": "and", "\u2227": "and", "\\/": "or", "\u2228": "or", "!": "not", "~": "not",
    "¬": "not", "∈": "in", "∉": "not in", "\u222a": "union", "∩": "intersect", "⊆": "subset", "∀": "forall",
    "∃": "exists", "≤": "<=", "≥": ">=", "≠": "!=", "⇒": "=>", "→": "->", "⇔": "<=>", "\u00d7": "*", "\u2212": "-",
    "===": "==", "!==": "!=", "=<": "<=", "<>": "!=", "/=": "!=", "||": "or",
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
    """The lexemes of one line of text; `column` is that of the first, with tabs widened."""

    column: int = 1
    lexemes: list[Lexeme] = field(default_factory=list)
    reported: bool = False


def _row(source: Source, number: int, diagnostics: list[Diagnostic]) -> _Row:
    """The lexemes of a line. What is no lexeme of the language stays in as what was meant, so that the line goes on."""
    row = _Row()
    text = source.line(number)
    told: set[str] = set()  # the same slip is reported once a line
    for match in islice(_LEXEME.finditer(text), 3 * MAX_LEXEMES):  # enough to see that it is too long
        kind = match.lastgroup
        if kind == "blank" or kind == "comment":
            continue
        found, start = match.group(), match.start()
        span = Span(source, number, start + 1, number, start + 1 + len(found))
        if not row.lexemes:
            row.column = len(text[:start].lstrip(_MARK).expandtabs(4)) + 1
        if kind == "word" or kind == "symbol":
            row.lexemes.append(Lexeme(cast(Kind, kind), found, span))
            continue
        problem = _problem(kind, found, span)
        if problem is not None:
            row.reported = True
            diagnostics.extend([problem] if found not in told else [])
            told.add(found)
        row.lexemes.append(Lexeme("number" if kind == "number" else "symbol", _HABITS.get(found, found), span))
    return row


def _tabs(rows: list[_Row]) -> Diagnostic | None:
    """One complaint about all tabs in indentation."""
    firsts = [row.lexemes[0].span for row in rows]
    tabs = [span for span in firsts if "\t" in span.source.line(span.line)[: span.column - 1]]
    if not tabs:
        return None
    also = {1: "", 2: " (and another line of this file)"}.get(len(tabs), f" (and {len(tabs) - 1} others of this file)")
    column = tabs[0].source.line(tabs[0].line).index("\t") + 1
    span = Span(tabs[0].source, tabs[0].line, column, tabs[0].line, column + 1)
    return Diagnostic("Q0102", f"a tab indents this line{also}", span, "indent with spaces only, four for each level")


def _problem(kind: str | None, text: str, span: Span) -> Diagnostic | None:
    match kind:
        case "number" if not re.fullmatch(r"[0-9]+(_[0-9]+)*", text):
            return Diagnostic(
                "Q0103", f"`{_shown(text)}` is neither a number nor a name", span, "a name begins with a letter"
            )
        case "number" if len(text.replace("_", "").lstrip("0")) > MAX_DIGITS:
            return Diagnostic("Q0108", f"this number has more than {MAX_DIGITS} digits", span, "use a smaller number")
        case "alien" | "alias":
            return _alien(text, span)
        case _:
            return None


def _alien(text: str, span: Span) -> Diagnostic:
    if text[0] in "\"'":
        if text == "'":
            return Diagnostic(
                "Q0103", "there are no primes", span, "`:=` assigns; a `step` reads the old state with `old(e)`"
            )
        return Diagnostic("Q0103", "there are no strings", span, "declare an `enum`, and use its values")
    if text in _HABITS:
        return Diagnostic("Q0103", f"`{text}` is not a symbol of the language", span, f"write `{_HABITS[text]}`")
    if text.isprintable():
        return Diagnostic("Q0103", f"`{_shown(text)}` is not a symbol of the language", span, _HINTS.get(text, _ASCII))
    odd = next(character for character in text if not character.isprintable())
    name = unicodedata.name(odd, f"control character {ord(odd)}").lower()
    return Diagnostic("Q0103", f"there is an invisible character here ({name})", span, "delete it, or put a space")


_ASCII = "outside comments, a spec consists of ASCII letters, digits and operators"


def _shown(text: str) -> str:
    return text if len(text) <= 30 else text[:30] + "…"


# --- logical lines ----------------------------------------------------------------------------------

_PAIRS = {"(": ")", "[": "]", "{": "}"}


def words(text: str) -> frozenset[str]:
    """The words and symbols of a text that stands for a set of them."""
    return frozenset(text.split())


# A line goes on after these, and before those; `-` and `else` take some thought, see `_continues`.
_GOES_ON_AFTER = words(
    "<=> => == != < <= > >= := = -> .. + - * , | : and or not union intersect minus in subset where then"
)
_GOES_ON_BEFORE = words(
    "<=> => == != < <= > >= := = -> .. + * , | : ) ] } and or union intersect minus in subset where"
)
_CLAUSE_HEADS = words("invariant lemma step reachable terminal assume")
_HEADS = _CLAUSE_HEADS | words("role on action timeout procedure after proof instance if elif else")
# Words that begin a declaration or statement and are followed by a word: such a line is not the inside of a bracket.
_BEGINNINGS = words(
    """spec sort order quorum enum record message network constant assume state ghost durable volatile fault role
    on action timeout procedure define after invariant lemma step reachable terminal proof instance require let pick
    send"""
)


@dataclass(slots=True)
class _Open:
    """The logical line being put together, its brackets that are still open, and its count of words."""

    line: Line
    brackets: list[Lexeme] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)


def _logical_lines(rows: Iterable[_Row], diagnostics: list[Diagnostic]) -> Iterator[Line]:
    now = _Open(Line(1))
    for row in rows:
        if not _continues(now, row):
            yield from _finished(now, diagnostics)
            now = _Open(Line(row.column))
        now.line.reported |= row.reported
        for lexeme in row.lexemes:
            _append(now, lexeme, diagnostics)
        _drop_colon(now, diagnostics)
    yield from _finished(now, diagnostics)


def _continues(now: _Open, row: _Row) -> bool:
    """Whether the row goes on with the logical line before it."""
    line, lexemes = now.line.lexemes, row.lexemes
    if not line:
        return False
    head, last, first = line[0].text, line[-1].text, lexemes[0].text
    following = lexemes[1] if len(lexemes) > 1 else None
    deeper = row.column > now.line.column
    if now.brackets:
        return deeper or following is None or following.kind != "word" or first not in _BEGINNINGS
    if last in _GOES_ON_AFTER and not (len(line) > 1 and line[-2].text == "."):
        return True
    if last == "else" and len(line) > 1:
        return True
    match first:
        case "-":
            return deeper and head not in _CLAUSE_HEADS
        case "not":
            return following is not None and following.text == "in"
        case "then":
            return now.count["if"] > now.count["then"]
        case "else":
            return now.count["then"] > now.count["else"]
        case _:
            return first in _GOES_ON_BEFORE


def _append(now: _Open, lexeme: Lexeme, diagnostics: list[Diagnostic]) -> None:
    """Adds a lexeme to the line; a closing bracket without a partner is reported and left out."""
    if lexeme.text in _PAIRS:
        now.brackets.append(lexeme)
        if len(now.brackets) == MAX_NESTING + 1:
            message = f"brackets are nested more than {MAX_NESTING} deep"
            _report(now, Diagnostic("Q0105", message, lexeme.span, _NAME_A_PART), diagnostics)
    elif lexeme.text in _PAIRS.values():
        opened = now.brackets.pop() if now.brackets else None
        if opened is None:
            hint = "delete it, or open its partner"
            _report(now, Diagnostic("Q0109", f"`{lexeme.text}` closes nothing", lexeme.span, hint), diagnostics)
            return
        if _PAIRS[opened.text] != lexeme.text:
            message = f"`{lexeme.text}` closes what `{opened.text}` opened"
            notes = ((f"`{opened.text}` is opened here", opened.span),)
            hint = f"close it with `{_PAIRS[opened.text]}`"
            _report(now, Diagnostic("Q0109", message, lexeme.span, hint, notes), diagnostics)
    if len(now.line.lexemes) == MAX_LEXEMES:
        message = f"this line, with those that it goes on to, has more than {MAX_LEXEMES} symbols"
        _report(now, Diagnostic("Q0105", message, lexeme.span, _NAME_A_PART), diagnostics)
    now.line.lexemes.append(lexeme)
    if lexeme.text in ("if", "then", "else"):
        now.count[lexeme.text] += 1


def _report(now: _Open, diagnostic: Diagnostic, diagnostics: list[Diagnostic]) -> None:
    """Reports what is wrong with the line, unless something in it has been reported before."""
    if not now.line.reported:
        diagnostics.append(diagnostic)
    now.line.reported = True


_NAME_A_PART = "name a part of it with `define` or `let`"


def _drop_colon(now: _Open, diagnostics: list[Diagnostic]) -> None:
    """Reports and drops a colon at the end of a block's head, so that the block is still seen as one."""
    line = now.line.lexemes
    if now.brackets or not line or line[-1].text != ":" or line[0].text not in _HEADS:
        return
    if not any(lexeme.text in ("forall", "exists") for lexeme in line):
        message = f"the head of a block takes no colon: `{line[0].text}` is followed by indented lines alone"
        diagnostics.append(Diagnostic("Q0110", message, line[-1].span, "delete the colon"))
        line.pop()


def _finished(now: _Open, diagnostics: list[Diagnostic]) -> Iterator[Line]:
    """The line, if anything is left of it."""
    if now.brackets:
        opened = now.brackets[-1]
        hint = f"put the missing `{_PAIRS[opened.text]}`"
        _report(now, Diagnostic("Q0109", f"`{opened.text}` is never closed", opened.span, hint), diagnostics)
    if now.line.lexemes:
        yield now.line


# --- blocks -----------------------------------------------------------------------------------------


def _tree(lines: Iterable[Line], diagnostics: list[Diagnostic]) -> list[Line]:
    """Hangs each line below the nearest line before it that is indented less; returns those that hang below none."""
    top: list[Line] = []
    path: list[Line] = []
    for line in lines:
        while path and path[-1].column >= line.column:
            path.pop()
        siblings = path[-1].children if path else top
        problem = _misplaced(line, path, siblings)
        diagnostics.extend([] if problem is None else [problem])
        line.reported |= problem is not None or len(path) == MAX_NESTING
        siblings.append(line)
        if len(path) < MAX_NESTING:
            path.append(line)
    return top


def _misplaced(line: Line, path: list[Line], siblings: list[Line]) -> Diagnostic | None:
    span = line.lexemes[0].span
    if len(path) == MAX_NESTING:
        if siblings and siblings[-1].reported:
            return None
        message = f"blocks are nested more than {MAX_NESTING} deep"
        return Diagnostic("Q0105", message, span, "move a part into a `procedure`")
    if not path and line.column > 1:
        hint = "declarations begin at the left margin"
        return Diagnostic("Q0102", "this line is indented, but belongs to no block", span, hint)
    if siblings and siblings[0].column != line.column:
        message = f"this line begins at column {line.column}, the other lines of its block at {siblings[0].column}"
        return Diagnostic("Q0102", message, span, "give all lines of a block the same indentation")
    return None
