"""The ways in which an unbounded query is put to the solver, in the order in which they are tried.

No single way decides all obligations, and none can make a false one true: marks, hypothesis lists and case splits
only weaken or instantiate what is assumed. Nothing here runs a solver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, get_args

from checker.prove.effort import steps
from checker.prove.smtlib import Style

Selection = Literal["own", "universal", "core", "wide", "scope", "siblings", "kin", "all"]
"""Which properties are assumed: `own`, only the one in question, which is among the others too; `universal`, those that
state no existence; `core`, those that a finite scope needs or that speak of much the same; `wide`, both; `scope`, what
a finite scope needs and nothing else, so that of guards and axioms too only those are given; `siblings`, what the same
property needed on other paths; `kin`, these and those that speak of much the same; `all`.
"""


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
    """One query: at most `steps` of work."""

    strategy: Strategy
    seed: int
    steps: int = field(compare=False)


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


STRATEGIES = {s.name: s for selection in get_args(Selection) for s in _family(selection)}


def quick(seed: int, few: bool) -> Iterator[Attempt]:
    """What settles most obligations in milliseconds, before anything is asked at a finite scope.

    Where the premises are named they are few, so that more may be tried at each, and models may guide where marks do
    not; otherwise a step may need any of many properties, but often none but the one in question.
    """
    if few:
        yield Attempt(STRATEGIES["marks, all"], seed, steps(0.1))
        yield Attempt(STRATEGIES["marks, integers, eager, all"], seed, steps(0.2))
        yield Attempt(STRATEGIES["plain, all"], seed, steps(0.5))
        yield Attempt(STRATEGIES["marks, integers, eager, all"], seed + 1, steps(1.0))
        return
    yield Attempt(STRATEGIES["marks, own"], seed, steps(0.05))
    yield Attempt(STRATEGIES["marks, all"], seed, steps(0.15))
    yield Attempt(STRATEGIES["marks, integers, own"], seed, steps(0.05))
    yield Attempt(STRATEGIES["marks, integers, universal"], seed, steps(0.15))


def narrow(seed: int) -> Iterator[Attempt]:
    """What to try with the hypotheses that one scope needs, before the next scope is looked at."""
    for name in ("marks, core", "marks, integers, core", "marks, integers, wide", "plain, core", "marks, wide"):
        yield Attempt(STRATEGIES[name], seed, steps(0.15))


def narrowest(seed: int) -> Iterator[Attempt]:
    """What to try with the fewest facts that a scope needs: it succeeds at once, or ends without an answer."""
    for strategy in _family("scope")[:4]:
        yield Attempt(strategy, seed, steps(0.15))


def alike(seed: int) -> Iterator[Attempt]:
    """What to try with the hypotheses that the same property needed on other paths."""
    for name in ("marks, siblings", "marks, kin", "marks, integers, kin", "marks everywhere, siblings"):
        yield Attempt(STRATEGIES[name], seed, steps(0.2))


def schedule(seed: int) -> Iterator[Attempt]:
    """Endless attempts: little work first, then more with other seeds; the caller ends it.

    Case splits are several queries each, so they wait for the second round.
    """
    for round_, seconds in enumerate(_caps()):
        for strategy in chain.from_iterable(zip(_family("scope"), _family("core"), _family("all"), strict=True)):
            if round_ > 0 or not strategy.split:
                yield Attempt(strategy, seed + round_, steps(seconds))


def _caps() -> Iterator[float]:
    yield from (0.15, 0.5, 1.0, 2.0)
    while True:
        yield 4.0
