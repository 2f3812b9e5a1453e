"""Which properties an obligation may need, guessed from what they say; a wrong guess costs time and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from checker.prove import terms as t
from checker.prove.normal import negation_normal
from checker.prove.terms import Term
from checker.prove.transitions import Fact

_MUCH = 0.5  # the part of all symbols of two formulas that both must have


class Relevance:
    """What is known of the properties of one plan, each clause being a fact."""

    def __init__(self, clauses: Iterable[Fact]) -> None:
        self.clauses = tuple(clauses)
        self.symbols = {f.name: _symbols(f.formula) for f in self.clauses}
        self.universal = frozenset(f.name for f in self.clauses if not _states_existence(negation_normal(f.formula)))
        """The clauses from which a solver never gets a new element, so that there may be many of them."""
        self.near = cache(self._near)

    def _near(self, source: str) -> frozenset[str]:
        """The clauses that speak of much the same as some clause of a property."""
        own = [self.symbols[f.name] for f in self.clauses if f.source == source]
        return frozenset(
            name
            for name, symbols in self.symbols.items()
            if any(len(symbols & mine) >= _MUCH * len(symbols | mine) for mine in own)
        )


def _symbols(formula: Term) -> frozenset[str]:
    """The functions and relations of the spec in a formula."""
    return frozenset(
        x.name for x in t.subterms(formula) if x.op == "app" and x.args and not x.name.startswith("order ")
    )


def _states_existence(formula: Term) -> bool:
    return any(x.op == "exists" for x in t.subterms(formula))
