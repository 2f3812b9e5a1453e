"""EDN, the notation of Jepsen's histories, as far as these use it.

After the description at https://github.com/edn-format/edn. Keywords become strings without their colon, vectors and
lists tuples, maps dicts; tags (`#jepsen.history.Op{…}`) are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(r'[\s,]+|;[^\n]*|(#_|#\{|[\[\](){}]|"(?:[^"\\]|\\.)*"|\\(?:[a-z]+|\S)|#?[^\s,;\[\](){}"]+)')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_CLOSERS = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_DEEPEST = 100


def values(text: str) -> Iterator[Any]:
    """All values of a text, one after another. Raises ValueError where it is no EDN."""
    tokens = _tokens(text)
    for token in tokens:
        if token == "#_":
            _value(next(tokens, None), tokens, 0)
        else:
            yield _value(token, tokens, 0)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"no EDN at {text[at : at + 20]!r}")
        at = found.end()
        if found[1] is not None:
            yield found[1]


def _value(token: str | None, tokens: Iterator[str], depth: int) -> Any:
    if token is None or depth > _DEEPEST:
        raise ValueError("it ends too early" if token is None else "it is nested too deeply")
    if token in _CLOSERS:
        return _collection(token, tokens, depth)
    if token in ("]", ")", "}"):
        raise ValueError(f"a `{token}` closes nothing")
    if token.startswith("#"):  # a tag says how its value is meant, which does not matter here
        return _value(next(tokens, None), tokens, depth + 1)
    return _atom(token)


def _collection(opener: str, tokens: Iterator[str], depth: int) -> Any:
    items = []
    for token in tokens:
        if token == _CLOSERS[opener]:
            break
        if token == "#_":
            _value(next(tokens, None), tokens, depth + 1)
        else:
            items.append(_value(token, tokens, depth + 1))
    else:
        raise ValueError(f"a `{opener}` is not closed")
    if opener == "{":
        if len(items) % 2:
            raise ValueError("a map has a key without a value")
        return dict(zip(map(_key, items[::2]), items[1::2], strict=True))
    return tuple(items)


def _atom(token: str) -> Any:
    match token:
        case "nil":
            return None
        case "true" | "false":
            return token == "true"
    if token.startswith('"'):
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), token[1:-1])
    if re.fullmatch(r"[+-]?\d+N?", token):
        return int(token.rstrip("N"))
    if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?", token):
        return float(token.rstrip("M"))
    return token[1:] if token.startswith((":", "\\")) else token


def _key(value: Any) -> str | int:
    return value if isinstance(value, str | int) else str(value)
