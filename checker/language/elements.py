"""The names of elements in instances and traces: `a0`, `a1`, … for a sort `Acceptor`."""

from __future__ import annotations

from collections.abc import Iterable


def prefixes(sorts: Iterable[str]) -> dict[str, str]:
    """For each sort the shortest lower-case beginning of its name, with which no other sort's name begins.

    Names that differ in case only stay as they are, and what ends in a digit or in `_` gets another `_`, so that no two
    elements of an instance have one name.
    """
    names = list(sorts)
    return {name: _prefix(name, [other for other in names if other != name]) for name in names}


def _prefix(name: str, others: list[str]) -> str:
    lower, lower_others = name.lower(), [other.lower() for other in others]
    if lower in lower_others:
        found = name
    else:
        alone = (k for k in range(1, len(lower)) if not any(o.startswith(lower[:k]) for o in lower_others))
        found = lower[: next(alone, len(lower))]
    return f"{found}_" if found[-1].isdigit() or found[-1] == "_" else found


def position(element: str, prefix: str) -> int | None:
    """The position of the element that the name stands for, None if it is no element of the sort."""
    digits = element[len(prefix) :]
    if not element.startswith(prefix) or not digits.isdecimal() or len(digits) > 9:
        return None
    return int(digits) if digits == str(int(digits)) else None


def is_element(name: str, sorts: Iterable[str]) -> bool:
    """Whether the name is one that an instance gives to an element of one of the sorts."""
    return any(position(name, prefix) is not None for prefix in prefixes(sorts).values())
