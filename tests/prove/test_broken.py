"""No broken copy of a spec is proved: of each the prover finds a state from which a step breaks a property."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutants import MUTANTS, is_proved, load_mutant
from proving import changed

from checker.language.frontend import load_source
from checker.prove.cache import Cache
from checker.prove.counterexample import Budget
from checker.prove.discharge import Discharged, Discharger, Options
from checker.prove.finite import FiniteCheck, Model
from checker.prove.obligations import Obligation, plan
from checker.source import SpecError

BEYOND_PROOFS = {"raft_half_elects"}
"""Broken copies that speak of the size of a set, for which there are no obligations at all."""


BROKEN = [path for path in MUTANTS if path.stem not in BEYOND_PROOFS and is_proved(load_mutant(path).base)]


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_copy_is_never_proved(path: Path) -> None:
    """Only what the fault changes is asked for; of the rest it is known that it is proved, and it breaks nothing."""
    mutant = load_mutant(path)
    obligations = plan(load_source(mutant.source, "set").spec)

    def until_refuted(result: Discharged) -> None:
        if result.status == "refuted":
            raise KeyboardInterrupt

    options = Options(timeout=10.0, jobs=1, budget=Budget(shrink=0.0, explore=0.0))
    discharger = Discharger(obligations, options, Cache(None))
    asked = doubtful_first(changed(obligations, mutant.base), discharger.checks[0])
    results = discharger.run(asked, until_refuted)
    failures = [r.failure for r in results if r.status == "refuted"]
    assert failures and None not in failures, "it should have a counterexample to induction"


def doubtful_first(obligations: list[Obligation], check: FiniteCheck) -> list[Obligation]:
    """The obligations, with one first that fails in a small structure, if any does: that is soon found out."""

    def fails(o: Obligation) -> bool:
        return isinstance(check.decide((*o.givens, *o.hypotheses), o.goal, smallest=False), Model)

    first = next(filter(fails, obligations), None)
    return obligations if first is None else [first, *(o for o in obligations if o is not first)]


@pytest.mark.parametrize("name", sorted(BEYOND_PROOFS))
def test_of_what_is_beyond_proofs_there_are_no_obligations(name: str) -> None:
    (path,) = (path for path in MUTANTS if path.stem == name)
    with pytest.raises(SpecError) as error:
        plan(load_source(load_mutant(path).source, "set").spec)
    assert [d.code for d in error.value.diagnostics] == ["Q0902"]
