"""Clauses that would exclude a counterexample to induction, made from the facts that matter in it.

A suggestion holds in all states seen of the spec's finite instances, and no more is known of it: it is for the user to
judge, and for a proof to use.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from checker.explore.faults import Fault
from checker.explore.instance import instantiate
from checker.explore.interpreter import Interpreter, State
from checker.language import ir
from checker.language.frontend import reload
from checker.prove.ground import Scope
from checker.prove.words import Words
from checker.source import SpecError

_MOST_STATES = 5_000  # of each instance


def suggestions(spec: ir.Spec, scope: Scope, facts: Sequence[str], seconds: float) -> tuple[str, ...]:
    """A clause that says that the facts do not hold together, as strong as the states seen allow; or nothing."""
    end = time.monotonic() + seconds
    search = _Search(spec, scope, end)
    kept = [*_differences(spec, search.names(facts)), *facts]
    if not facts or not search.holds(kept):
        return ()
    for item in sorted(kept, key=lambda fact: (not fact.startswith("not "), fact not in facts)):
        fewer = [other for other in kept if other != item]
        if any(other in facts for other in fewer) and search.holds(fewer):
            kept = fewer
    return (search.clause(kept),)


def _differences(spec: ir.Spec, names: Mapping[str, list[str]]) -> Iterator[str]:
    """That the elements named are different, and how those of an order lie."""
    orders = {d.name for d in spec.orders}
    for sort, used in names.items():
        if sort in orders:
            yield from (f"{a} < {b}" for a, b in pairwise(used))
        else:
            yield from (f"{a} != {b}" for i, a in enumerate(used) for b in used[i + 1 :])


@dataclass
class _Search:
    """Candidates are read by the language's own front end, and judged on the states of all instances."""

    spec: ir.Spec
    scope: Scope
    end: float

    def __post_init__(self) -> None:
        self.seen = [(interpreter, list(self._states(interpreter))) for interpreter in self._instances()]

    def _instances(self) -> Iterator[Interpreter]:
        for decl in self.spec.instances:
            try:
                yield Interpreter(instantiate(self.spec, decl))
            except SpecError:
                continue

    def _states(self, interpreter: Interpreter) -> Iterator[State]:
        """Reachable states, those after few steps first."""
        seen: dict[State, None] = {}
        todo: list[State] = []
        for state in interpreter.initial():
            seen.setdefault(state)
        todo = list(seen)
        while todo and len(seen) < _MOST_STATES and time.monotonic() < self.end:
            state = todo.pop(0)
            yield state
            for _, after in interpreter.expand(state).steps:
                if after not in seen:
                    seen[after] = None
                    todo.append(after)
        yield from todo

    def names(self, facts: Sequence[str]) -> dict[str, list[str]]:
        """The elements of each sort that the facts name."""
        words, text = Words(self.spec, self.scope, general=True), " ".join(facts)
        found = {}
        for d in (*self.spec.sorts, *self.spec.orders):
            names = [words.variable(d.name, i) for i in range(self.scope.sizes[d.name])]
            found[d.name] = [name for name in names if re.search(rf"\b{name}\b", text)]
        return found

    def needed(self, facts: Sequence[str]) -> dict[str, int]:
        return {sort: len(names) for sort, names in self.names(facts).items()}

    def clause(self, facts: Sequence[str]) -> str:
        """`forall …: not (…)` over the names in the facts."""
        bound = {s: [n for n in names if n != "zero"] for s, names in self.names(facts).items()}
        groups = [f"{', '.join(names)} in {sort}" for sort, names in bound.items() if names]
        head = f"forall {', '.join(groups)}: " if groups else ""
        return f"{head}not ({' and '.join(facts)})"

    def holds(self, facts: Sequence[str]) -> bool:
        """Whether the clause means something and is true in every state seen, in the time there is.

        Instances with fewer elements than the clause names say nothing of it.
        """
        needed = self.needed(facts)
        fit = [(i, states) for i, states in self.seen if all(_sizes(i)[s] >= n for s, n in needed.items())]
        if not any(states for _, states in fit):
            return False
        text = f"{self.spec.source.text}\nlemma Suggested_\n    {self.clause(facts)}\n"
        try:
            read = reload(self.spec, "declared", text)
        except SpecError:
            return False
        clauses = next(p.clauses for p in read.properties if p.name == "Suggested_")
        try:
            for interpreter, states in fit:
                for state in states:
                    if time.monotonic() > self.end or not interpreter.holds(clauses, state):
                        return False
        except Fault:
            return False
        return True


def _sizes(interpreter: Interpreter) -> Mapping[str, int]:
    return interpreter.instance.worlds[0].domains.sizes
