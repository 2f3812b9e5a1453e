"""Where the nodes of a layered graph are put: a layer for each depth, in it each node near those that lead to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_ACROSS = 56  # pixels between neighbours
_DOWN = 74  # pixels between layers
_WITHIN = 44  # pixels between the rows of one layer
_SWEEPS = 4


@dataclass(frozen=True)
class Point:
    """A place in pixels from the upper left corner."""

    x: float
    y: float


def layout(depths: Sequence[int], arcs: Sequence[tuple[int, int]]) -> list[Point]:
    """A place for each node, given by its depth; the same for the same graph. A wide layer has several rows."""
    layers = _layers(depths)
    near: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})
    for source, target in arcs:
        if depths[source] < depths[target]:
            near[0].setdefault(target, []).append(source)
            near[1].setdefault(source, []).append(target)
    for sweep in range(_SWEEPS):
        _order(layers if sweep % 2 == 0 else layers[::-1], near[sweep % 2])
    return _places(layers, len(depths))


def _layers(depths: Sequence[int]) -> list[list[int]]:
    layers: dict[int, list[int]] = {}
    for node, depth in enumerate(depths):
        layers.setdefault(depth, []).append(node)
    return [layers[depth] for depth in sorted(layers)]


def _order(layers: list[list[int]], near: dict[int, list[int]]) -> None:
    """Sorts each layer by the mean place of the neighbours that are placed already; ties stay as they are."""
    place: dict[int, float] = {}
    for layer in layers:
        middle = {node: (i + 0.5) / len(layer) for i, node in enumerate(layer)}
        for node in layer:
            if known := [place[n] for n in near.get(node, ()) if n in place]:
                middle[node] = sum(known) / len(known)
        layer.sort(key=middle.__getitem__)
        place |= {node: (i + 0.5) / len(layer) for i, node in enumerate(layer)}


def _places(layers: list[list[int]], count: int) -> list[Point]:
    most = max(14, math.ceil(1.5 * math.sqrt(count)))
    width = min(most, max(map(len, layers), default=0)) * _ACROSS
    places = [Point(0.0, 0.0)] * count
    y = 44.0
    for layer in layers:
        rows = math.ceil(len(layer) / most)
        for i, node in enumerate(layer):
            row, column = i % rows, i // rows
            wide = (len(layer) - row + rows - 1) // rows
            x = 40 + (width - wide * _ACROSS) / 2 + (column + 0.5) * _ACROSS
            places[node] = Point(round(x, 1), round(y + row * _WITHIN, 1))
        y += (rows - 1) * _WITHIN + _DOWN
    return places
