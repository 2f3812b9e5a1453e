"""The ways in which an unbounded query is put to the solver, in the order in which they are tried.

No single way decides all obligations, and none can make a false one true: marks, hypothesis lists and case splits
only weaken or instantiate what is assumed. Nothing here runs a solver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from checker.prove.smtlib import Style

Selection = Literal["core", "all"]


@dataclass(frozen=True)
class Strategy:
    """One way: how formulas are written, which hypotheses are given, and the solver's settings."""

    name: str
    style: Style
    hypotheses: Selection
    relevancy: int = 2
    mbqi: bool = False
    simple: bool = True
    split: bool = False

    def options(self, seed: int) -> dict[str, Any]:
        return {
            "auto_config": self.mbqi,
            "mbqi": self.mbqi,
            "relevancy": self.relevancy,
            "random_seed": seed,
        }


@dataclass(frozen=True)
class Attempt:
    strategy: Strategy
    seed: int
    milliseconds: int = field(compare=False)


_FREE = Style("free")
_INT = Style("int")
_SPARE = Style("free", witnesses=False)
_GENEROUS = Style("free", generous=True)
_PLAIN = Style("free", marks=False, witnesses=False)


def _family(hypotheses: Selection) -> tuple[Strategy, ...]:
    return (
        Strategy(f"marks, {hypotheses}", _FREE, hypotheses),
        Strategy(f"marks, integers, {hypotheses}", _INT, hypotheses),
        Strategy(f"marks everywhere, {hypotheses}", _GENEROUS, hypotheses),
        Strategy(f"plain, {hypotheses}", _PLAIN, hypotheses, mbqi=True),
        Strategy(f"marks, eager, {hypotheses}", _FREE, hypotheses, relevancy=0),
        Strategy(f"marks, integers, eager, {hypotheses}", _INT, hypotheses, relevancy=0),
        Strategy(f"few marks, eager, {hypotheses}", _SPARE, hypotheses, relevancy=0),
        Strategy(f"default solver, {hypotheses}", _PLAIN, hypotheses, mbqi=True, simple=False),
        Strategy(f"case splits, {hypotheses}", _FREE, hypotheses, relevancy=0, split=True),
    )


STRATEGIES = {s.name: s for selection in ("core", "all") for s in _family(selection)}


def schedule(seed: int) -> Iterator[Attempt]:
    """Endless attempts: short caps first, then longer ones with other seeds; the caller ends it.

    Case splits are several queries each, so they wait for the second round.
    """
    for round_, milliseconds in enumerate(_caps()):
        for strategy in chain.from_iterable(zip(_family("core"), _family("all"), strict=True)):
            if round_ > 0 or not strategy.split:
                yield Attempt(strategy, seed + round_, milliseconds)


def _caps() -> Iterator[int]:
    yield from (150, 500, 1000, 2000)
    while True:
        yield 4000
