"""A second opinion on proved obligations: their text as SMT-LIB 2, for cvc5 or for whoever wants to look.

It judges nothing: what another solver says is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from checker.prove.discharge import Discharged
from checker.prove.workers import Child


@dataclass(frozen=True)
class Opinion:
    """What cvc5 said of an obligation: `unsat` agrees, `sat` contradicts, anything else is no answer."""

    obligation: str
    answer: str


def files(results: Iterable[Discharged]) -> Iterator[tuple[str, str]]:
    """A file name and an SMT-LIB 2 text for each obligation that a solver proved; each text is unsatisfiable."""
    for number, r in enumerate(results, start=1):
        if r.script is not None:
            name = re.sub(r"[^A-Za-z0-9_.]+", "-", r.obligation.name).strip("-")[:80]
            yield f"{number:03}-{name}.smt2", f"; {r.obligation.name}\n{r.script.text}"


def opinions(results: Iterable[Discharged], seconds: float, jobs: int) -> tuple[Opinion, ...] | None:
    """What cvc5 says of each obligation that a solver proved; None where it is not installed."""
    proved = [r for r in results if r.script is not None]
    with ThreadPoolExecutor(jobs) as threads:
        found = tuple(threads.map(lambda r: _ask(r, seconds), proved))
    return None if any(o.answer == "missing" for o in found) else found


def _ask(r: Discharged, seconds: float) -> Opinion:
    assert r.script is not None
    child = Child()
    try:
        request = {"op": "recheck", "text": r.script.text, "ms": int(seconds * 1000)}
        answer = child.ask(request, seconds + 1.0)
    finally:
        child.close()
    return Opinion(r.obligation.name, str(answer["answer"]))
