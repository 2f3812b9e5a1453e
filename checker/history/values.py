"""The values of histories: what JSON and EDN have, so that equal ones are equal and others are not, and as text.

Python takes `True` for 1, and does not hash its own collections.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Any

_DEEPEST = 100
_WIDEST = 60


class Truth(Enum):
    FALSE = "false"
    TRUE = "true"


@dataclass(frozen=True)
class Dictionary:
    items: frozenset[tuple[Hashable, Hashable]]


def frozen(value: Any, depth: int = 0) -> Hashable:
    """The value, hashable. Raises ValueError if it is nested too deeply."""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    match value:
        case bool():
            return Truth.TRUE if value else Truth.FALSE
        case list() | tuple():
            return tuple(frozen(item, depth + 1) for item in value)
        case set() | frozenset():
            return frozenset(frozen(item, depth + 1) for item in value)
        case dict():
            return Dictionary(frozenset((frozen(k, depth + 1), frozen(v, depth + 1)) for k, v in value.items()))
        case _:
            assert isinstance(value, Hashable)
            return value


def shown(value: Hashable) -> str:
    """The value as text; texts stand without quotes where they cannot be taken for anything else."""
    text = _text(value)
    if value is None:
        text = "nothing"
    elif isinstance(value, str) and value != "nothing" and not _is_json(value):
        text = value
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def _text(value: Hashable) -> str:
    match value:
        case Truth():
            return value.value
        case tuple():
            return f"[{', '.join(map(_text, value))}]"
        case frozenset():
            return f"{{{', '.join(_text(item) for item in _sorted(value))}}}"
        case Dictionary(items):
            return f"{{{', '.join(f'{_text(k)}: {_text(v)}' for k, v in _sorted(items))}}}"
        case None | str() | int() | float():
            return json.dumps(value)
        case _:
            return str(value)


def _sorted(items: frozenset[Any]) -> list[Any]:
    """Numbers by size, and everything else as text."""
    return sorted(items, key=lambda v: (0, v, "") if isinstance(v, int | float) else (1, 0, _text(v)))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
