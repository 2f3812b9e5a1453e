"""Random damage to texts, for tests that feed programs what no author meant; the same seed gives the same damage."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

TOKEN = re.compile(r"\w+|[^\w\s]+|\n *| +")

Damage = Callable[[list[str], random.Random], None]


def _delete(tokens: list[str], rng: random.Random) -> None:
    del tokens[rng.randrange(len(tokens))]


def _duplicate(tokens: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(tokens))
    tokens.insert(at, tokens[at])


def _swap(tokens: list[str], rng: random.Random) -> None:
    i, j = rng.randrange(len(tokens)), rng.randrange(len(tokens))
    tokens[i], tokens[j] = tokens[j], tokens[i]


def _copy(tokens: list[str], rng: random.Random) -> None:
    """Put another token of the text in place of one: most often still a word where a word belongs."""
    i = rng.randrange(len(tokens))
    alike = [t for t in tokens if t[0].isalnum() == tokens[i][0].isalnum() and t.isspace() == tokens[i].isspace()]
    tokens[i] = rng.choice(alike)


WORDS = (
    "none", "zero", "true", "self", "0", "7", "-1", "99999999999999999999", "old", "sent", "the", "max", "forall",
    "exists", "in", "not", "and", "if", "then", "else", "x", "Int", "Bool", "Set", "Map", "Seq", ":=", "==", "=", "=>",
    "..", "[..", "(", ")", "[", "]", "{", "}", "|", "?", ".next", ".prev", ".value", "union", "minus", "size", "\t",
    "\r\n", "\x00", "é", "“", "# ", "_", "$",
)  # fmt: skip


def _insert(tokens: list[str], rng: random.Random) -> None:
    tokens.insert(rng.randrange(len(tokens)), " " + rng.choice(WORDS) + " ")


def _replace(tokens: list[str], rng: random.Random) -> None:
    tokens[rng.randrange(len(tokens))] = rng.choice(WORDS)


def _indent(tokens: list[str], rng: random.Random) -> None:
    lines = [i for i, token in enumerate(tokens) if token.startswith("\n")]
    if lines:
        at = rng.choice(lines)
        tokens[at] = "\n" + " " * rng.choice((0, 1, 3, 4, 8, 12))


def _cut(tokens: list[str], rng: random.Random) -> None:
    start = rng.randrange(len(tokens))
    del tokens[start : start + rng.randrange(2, 40)]


def _move(tokens: list[str], rng: random.Random) -> None:
    start = rng.randrange(len(tokens))
    block = tokens[start : start + rng.randrange(2, 30)]
    del tokens[start : start + len(block)]
    at = rng.randrange(len(tokens) + 1)
    tokens[at:at] = block


SMALL: Sequence[Damage] = (_delete, _duplicate, _swap, _copy, _copy, _copy, _insert, _replace, _indent)
ALL: Sequence[Damage] = (*SMALL, _cut, _move)


def mutated(text: str, rng: random.Random, damages: Sequence[Damage] = ALL, most: int = 3) -> str:
    """The text with one to `most` damages."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.randint(1, most)):
        if tokens:
            rng.choice(damages)(tokens, rng)
    return "".join(tokens)
