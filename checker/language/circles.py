"""Things that lean on one another: in which order they stand, and which lean on themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

MOST = 20  # circles reported in one run


def ordered(needs: Mapping[str, Collection[str]]) -> tuple[list[str], list[list[str]]]:
    """The names, each after those that it needs, without those on the circles; and the circles.

    A circle lists names of which each needs the next, and the last the first. After `MOST` circles the rest is left.
    """
    rest = {name: [other for other in others if other in needs] for name, others in needs.items()}
    places = {name: place for place, name in enumerate(needs)}
    circles: list[list[str]] = []
    while len(circles) < MOST:
        try:
            return [*TopologicalSorter(rest).static_order()], circles
        except CycleError as error:
            found: list[str] = error.args[1]
            circle = found[:0:-1]  # each needs the next; the first is there again at the end
            start = circle.index(min(circle, key=places.__getitem__))
            circles.append(circle[start:] + circle[:start])
            rest = {n: [o for o in others if o not in circle] for n, others in rest.items() if n not in circle}
    return [], circles


def around(circle: list[str], verb: str) -> str:
    """A circle in words, for a message: which way it goes back to its first name."""
    return f" {verb} ".join(f"`{name}`" for name in [*circle, circle[0]])
