"""Runs the obligations of a plan: finite scope first, then the unbounded query in every way that the schedule has.

An obligation is proved only by an unbounded query that was answered "unsat" in this run. It draws no verdict about
the spec as a whole.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from checker.prove.alternation import cycle
from checker.prove.cache import Cache, Hint, digest
from checker.prove.counterexample import Budget, failure
from checker.prove.finite import Core, FiniteCheck, Model, scope
from checker.prove.obligations import Obligation, Plan
from checker.prove.smtlib import Script, Style, script
from checker.prove.strategies import STRATEGIES, Attempt, schedule
from checker.prove.transitions import Fact
from checker.prove.workers import Child
from checker.verdict import InductionFailure

_MOST_SPLITS = 6
_DOUBTFUL = 5.0  # seconds for what fails at a finite scope, if only in structures that are no states


@dataclass(frozen=True)
class Options:
    """How long and how: `timeout` is for each obligation, `explore` for the instances before; in seconds.

    `smt2`: the directory for the text of what is proved; `recheck`: ask cvc5 as well.
    """

    timeout: float = 20.0
    explore: float = 1.5
    seed: int = 0
    jobs: int = 2
    cache: bool = True
    smt2: Path | None = None
    recheck: bool = False
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class Discharged:
    """What became of one obligation.

    `used` names the facts of the successful query's core; `failure` is a state that breaks the obligation.
    """

    obligation: Obligation
    status: Literal["proved", "refuted", "unknown"]
    how: str = ""
    used: tuple[str, ...] = ()
    seconds: float = 0.0
    tried: tuple[str, ...] = ()
    failure: InductionFailure | None = None
    reason: str = ""
    recalled: bool = False
    script: Script | None = field(default=None, repr=False)


class Discharger:
    """Holds the processes and finite checks of one run."""

    def __init__(self, plan: Plan, options: Options, cache: Cache) -> None:
        self.plan = plan
        self.options = options
        self.cache = cache
        self.checks = [FiniteCheck(scope(plan, n), min(10.0, options.timeout)) for n in (2, 3)]
        self.stopped = threading.Event()
        self.local = threading.local()
        self.children: list[Child] = []
        self.lock = threading.Lock()
        self.keys: dict[str, str] = {}

    def run(
        self, obligations: Iterable[Obligation], report: Callable[[Discharged], None] = lambda _: None
    ) -> tuple[Discharged, ...]:
        """All results in the order of the obligations; an interrupt leaves the rest unknown."""
        ordered = list(obligations)
        results: dict[str, Discharged] = {}
        pool = ThreadPoolExecutor(self.options.jobs)
        waiting: set[Future[Discharged]] = set()
        try:
            for o in ordered:
                if o.decided:
                    results[o.name] = Discharged(o, "proved", how=o.decided)
                    report(results[o.name])
                else:
                    waiting.add(pool.submit(self.discharge, o))
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    results[result.obligation.name] = result
                    report(result)
        except KeyboardInterrupt:
            self.stopped.set()
        finally:
            self.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            self.close()
        return tuple(results.get(o.name, Discharged(o, "unknown", reason="interrupted")) for o in ordered)

    def close(self) -> None:
        for check in self.checks:
            check.close()
        with self.lock:
            for child in self.children:
                child.close()

    def child(self) -> Child:
        """The solver process of this thread."""
        if not hasattr(self.local, "child"):
            self.local.child = Child()
            with self.lock:
                self.children.append(self.local.child)
        child: Child = self.local.child
        return child

    # --- one obligation

    def all_known(self) -> bool:
        """Whether the cache has a hint for every obligation."""
        return all(o.decided or self.cache.get(self.key(o)) is not None for o in self.plan.obligations)

    def key(self, o: Obligation) -> str:
        """The digest of the obligation's text, whatever the strategy."""
        if o.name not in self.keys:
            facts = [(f.name, f.formula) for f in (*o.givens, *o.hypotheses)]
            self.keys[o.name] = digest(script(self.plan.vocabulary, facts, o.goal, Style()).text)
        return self.keys[o.name]

    def discharge(self, o: Obligation) -> Discharged:
        start = time.monotonic()
        facts = (*o.givens, *o.hypotheses)
        key = self.key(o)
        recalled = self.recall(o, facts, key, start)
        if recalled is not None:
            return recalled
        selected: set[int] | None = None
        tried: list[str] = []
        end = start + self.options.timeout
        for check in self.checks:
            outcome = check.decide(facts, o.goal)
            if isinstance(outcome, Model):
                broken = failure(self.plan, o, outcome, check, self.options.budget)
                if broken is None:  # a structure that is no state of the language says little
                    end = min(end, start + _DOUBTFUL)
                    continue
                seconds = time.monotonic() - start
                return Discharged(o, "refuted", seconds=seconds, failure=broken, tried=tuple(tried))
            if isinstance(outcome, Core):
                selected = (selected or set()) | set(outcome.facts)
                cap = 2 if check is self.checks[0] else None
                found = self.attempts(o, facts, selected, key, (start, end), tried, cap)
                if found is not None:
                    return found
        found = self.attempts(o, facts, selected, key, (start, end), tried, None)
        if found is not None:
            return found
        return Discharged(
            o,
            "unknown",
            seconds=time.monotonic() - start,
            tried=tuple(dict.fromkeys(tried)),
            reason="interrupted" if self.stopped.is_set() else self.advice(o, end - start, selected is not None),
        )

    def advice(self, o: Obligation, seconds: float, holds_finitely: bool) -> str:
        """Why an obligation may have stayed open, and what can be done about it."""
        parts = [f"no strategy decided it within {seconds:g} s"]
        if holds_finitely:
            parts.append("it holds for a few elements of each sort, so it may well be true")
        round_ = cycle([(f.name, f.formula) for f in (*o.givens, *o.hypotheses)], o.goal)
        if round_:
            parts.append(f"its quantifiers go round: {round_}; a ghost in place of an `exists` would break the cycle")
        parts.append("state what it needs as a lemma of its own, derive it with `proof`, or give it more --timeout")
        return ". ".join(part[0].upper() + part[1:] for part in parts)

    def recall(self, o: Obligation, facts: tuple[Fact, ...], key: str, start: float) -> Discharged | None:
        """What succeeded for the same text before, run again."""
        hint = self.cache.get(key)
        if hint is None or hint.strategy not in STRATEGIES:
            return None
        chosen = [f for f in facts if f.name in hint.hypotheses]
        attempt = Attempt(STRATEGIES[hint.strategy], hint.seed, 4000)
        proof = self.ask(o, chosen, attempt)
        if proof is None:
            return None
        return Discharged(
            o, "proved", attempt.strategy.name, proof[0], time.monotonic() - start, recalled=True, script=proof[1]
        )

    def attempts(
        self,
        o: Obligation,
        facts: tuple[Fact, ...],
        selected: set[int] | None,
        key: str,
        span: tuple[float, float],
        tried: list[str],
        most: int | None,
    ) -> Discharged | None:
        """Tries the schedule until success, `most` attempts, or the end of the time."""
        for i, attempt in enumerate(schedule(self.options.seed)):
            if self.stopped.is_set() or time.monotonic() >= span[1] or (most is not None and i >= most):
                return None
            if attempt.strategy.hypotheses == "core" and selected is None:
                continue
            narrow = attempt.strategy.hypotheses == "core"
            chosen = [f for j, f in enumerate(facts) if not narrow or j in (selected or ())]
            tried.append(attempt.strategy.name)
            proof = self.ask(o, chosen, attempt)
            if proof is None:
                continue
            hypotheses = tuple(dict.fromkeys(f.name for f in chosen))
            with self.lock:
                self.cache.put(key, Hint(attempt.strategy.name, attempt.seed, hypotheses))
            return Discharged(
                o,
                "proved",
                attempt.strategy.name,
                proof[0],
                time.monotonic() - span[0],
                tuple(dict.fromkeys(tried)),
                script=proof[1],
            )
        return None

    def ask(self, o: Obligation, facts: list[Fact], attempt: Attempt) -> tuple[tuple[str, ...], Script] | None:
        """The names of the facts used and the text that was proved, or None."""
        strategy = attempt.strategy
        text = script(self.plan.vocabulary, [(f.name, f.formula) for f in facts], o.goal, strategy.style)
        if not strategy.split:
            used = self.query(text, attempt, attempt.milliseconds)
            return None if used is None else (used, text)
        for cases in text.splits[:_MOST_SPLITS]:
            used = ()
            for case in cases:
                part = Script(text.declarations, (*text.assertions, ("case", case)))
                more = self.query(part, attempt, attempt.milliseconds)
                if more is None:
                    break
                used = tuple(dict.fromkeys((*used, *more)))
            else:
                return used, text
        return None

    def query(self, text: Script, attempt: Attempt, milliseconds: int) -> tuple[str, ...] | None:
        request: dict[str, Any] = {
            "op": "prove",
            "declarations": text.declarations,
            "assertions": text.assertions,
            "options": attempt.strategy.options(attempt.seed),
            "simple": attempt.strategy.simple,
            "core": True,
            "ms": milliseconds,
        }
        answer = self.child().ask(request, milliseconds / 1000)
        if answer["answer"] == "error":
            raise RuntimeError(f"the solver rejected an obligation: {answer['reason']}")
        return tuple(answer["core"]) if answer["answer"] == "unsat" else None
