"""EDN, the notation of Jepsen's histories, as far as these use it.

After the description at https://github.com/edn-format/edn. Keywords become strings without their colon, vectors and
lists tuples, sets frozensets, maps dicts; tags (`#jepsen.history.Op{…}`) and metadata are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import Any

from checker.history.values import frozen

_TOKEN = re.compile(
    r"[\s,]+|;[^\n]*|("
    r'#_|#\{|[\[\](){}]|"(?:[^"\\]|\\.)*"|\\(?:u[0-9a-fA-F]{4}|[a-zA-Z]+|\S)|\^(?=[{"])|#?[^\s,;\[\](){}"]+)',
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CHARACTERS = {"newline": "\n", "tab": "\t", "return": "\r", "space": " ", "backspace": "\b", "formfeed": "\f"}
_CLOSERS = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_DEEPEST = 100


class NoEdn(ValueError):
    """A text is no EDN; `line` is where, from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def values(text: str) -> Iterator[tuple[Any, int]]:
    """All values of a text, or, if that is one vector or list, the values in it; each with the line it begins on.

    Raises NoEdn.
    """
    return _Reader(text).run()


class _End:
    """What is read in place of a value where a collection ends."""


_END = _End()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0  # behind the last token
        self.begun = 1  # the line of the last value at top level
        self.token = 0  # where the last token begins
        self.line, self.counted = 1, 0  # the line of the place `counted`

    def run(self) -> Iterator[tuple[Any, int]]:
        start = self.at
        first = self.next_token()
        while first is not None and first[0] == "#" and first not in ("#_", "#{"):
            first = self.next_token()
        if first in ("[", "("):
            yield from self.items(_CLOSERS[first])
            if self.next_token() is not None:
                raise self.error("there is more after the vector")
        else:
            self.at = start
            yield from self.items(None)

    def items(self, closer: str | None) -> Iterator[tuple[Any, int]]:
        while True:
            value = self.value(0, closer, closer is None)
            if value is _END:
                return
            yield value, self.begun

    def value(self, depth: int, closer: str | None = None, may_end: bool = False) -> Any:
        """The next value; `_END` at `closer`, and at the end of the text if that may be here."""
        if depth > _DEEPEST:
            raise self.error("it is nested too deeply")
        token = self.next_token()
        while token == "#_" or (token is not None and token[0] == "^"):
            if token in ("#_", "^"):
                self.value(depth + 1)
            token = self.next_token()
        if depth == 0:
            self.begun = self.line_of(self.token)
        if token is None:
            if may_end:
                return _END
            raise self.error(f"it ends before a `{closer}`" if closer else "it ends too early")
        if token == closer:
            return _END
        if token in _CLOSERS:
            return self.collection(token, depth)
        if token in ("]", ")", "}"):
            raise self.error(f"a `{token}` closes nothing")
        if token[0] == "#" and token[:2] != "##":  # a tag says how its value is meant, which does not matter here
            return self.value(depth + 1)
        return _atom(token)

    def collection(self, opener: str, depth: int) -> Any:
        items = []
        while (value := self.value(depth + 1, _CLOSERS[opener])) is not _END:
            items.append(value)
        if opener == "#{":
            return frozenset(map(_hashable, items))
        if opener == "{":
            if len(items) % 2:
                raise self.error("a map has a key without a value")
            return dict(zip(map(_hashable, items[::2]), items[1::2], strict=True))
        return tuple(items)

    def next_token(self) -> str | None:
        while self.at < len(self.text):
            found = _TOKEN.match(self.text, self.at)
            if found is None:
                self.token = self.at
                raise self.error(f"no EDN at {self.text[self.at : self.at + 20]!r}")
            self.at = found.end()
            if found[1] is not None:
                self.token = found.start()
                return found[1]
        self.token = self.at
        return None

    def line_of(self, place: int) -> int:
        if place < self.counted:
            return self.text.count("\n", 0, place) + 1
        self.line += self.text.count("\n", self.counted, place)
        self.counted = place
        return self.line

    def error(self, message: str) -> NoEdn:
        return NoEdn(message, self.line_of(self.token))


def _atom(token: str) -> Any:
    match token:
        case "nil":
            return None
        case "true" | "false":
            return token == "true"
    if token[0] == ":":
        return token[1:]
    if token[0] == '"':
        return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", lambda m: _escaped(m[1]), token[1:-1], flags=re.DOTALL)
    if token[0] == "\\":
        return _CHARACTERS.get(token[1:]) or (_escaped(token[1:]) if len(token) == 6 else token[1:])
    if re.fullmatch(r"[+-]?\d+N?", token):
        return int(token.rstrip("N"))
    if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?", token):
        return float(token.rstrip("M"))
    return token


def _escaped(text: str) -> str:
    return chr(int(text[1:], 16)) if len(text) == 5 else _ESCAPES.get(text, text)


def _hashable(value: Any) -> Hashable:
    """What stands in sets, and the keys of maps: those of events are strings."""
    return value if isinstance(value, str) else frozen(value)
