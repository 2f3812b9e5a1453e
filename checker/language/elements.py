"""The names of elements in instances and traces: `a0`, `a1`, … for a sort `Acceptor`."""

from __future__ import annotations

from collections.abc import Iterable


def prefixes(sorts: Iterable[str]) -> dict[str, str]:
    """For each sort the shortest lower-case beginning of its name, with which no other sort's name begins."""
    names = list(sorts)
    result: dict[str, str] = {}
    for name in names:
        others = [n.lower() for n in names if n != name]
        lower = name.lower()
        length = next((k for k in range(1, len(lower)) if not any(o.startswith(lower[:k]) for o in others)), len(lower))
        result[name] = lower[:length]
    return result


def position(element: str, prefix: str) -> int | None:
    """The position of the element that the name stands for, None if it is no element of the sort."""
    digits = element[len(prefix) :]
    return int(digits) if element.startswith(prefix) and digits.isdecimal() and len(digits) < 10 else None


def is_element(name: str, sorts: Iterable[str]) -> bool:
    """Whether the name is one that an instance gives to an element of one of the sorts."""
    return any(position(name, prefix) is not None for prefix in prefixes(sorts).values())
