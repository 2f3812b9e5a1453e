"""Runs the obligations of a plan: finite scope first, then the unbounded query in every way that the schedule has.

An obligation is proved only by an unbounded query that was answered "unsat" in this run. It draws no verdict about
the spec as a whole.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, assert_never

from checker.language.parser import parse_head
from checker.prove.alternation import cycle
from checker.prove.cache import Cache, Hint, digest, seal
from checker.prove.counterexample import Budget, failure
from checker.prove.effort import patience, steps
from checker.prove.finite import Core, FiniteCheck, Model, scope
from checker.prove.obligations import Obligation, Plan
from checker.prove.relevance import Relevance
from checker.prove.smtlib import Script, Style, Writer
from checker.prove.strategies import STRATEGIES, Attempt, Selection, alike, narrow, narrowest, quick, schedule
from checker.prove.transitions import Fact
from checker.prove.workers import Child
from checker.verdict import Cut, InductionFailure

_MOST_SPLITS = 6
_DOUBTFUL = 5.0  # seconds for what fails at a finite scope, if only in structures that are no states


@dataclass(frozen=True)
class Options:
    """How long and how: `timeout` is for each obligation, in seconds of work (see `effort`), whatever else the machine
    does; `explore` for the instances before, and `total` for all obligations together, in seconds.

    `smt2`: the directory for the text of what is proved; `recheck`: ask cvc5 as well.
    """

    timeout: float = 20.0
    explore: float = 1.5
    total: float | None = None
    seed: int = 0
    jobs: int = 2
    cache: bool = True
    smt2: Path | None = None
    recheck: bool = False
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class Discharged:
    """What became of one obligation.

    `used` names the facts of the successful query's core; `failure` is a state that breaks the obligation. `seconds`
    are those that solvers worked, without what it waited for them.
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


class _OutOfTime(Exception):
    """The time for all obligations together is over."""


class _Turns:
    """Lets obligations pass a point in their order, so that what is learned there never depends on who came first."""

    def __init__(self) -> None:
        self.next = 0
        self.gone: set[int] = set()
        self.moved = threading.Condition()

    def wait(self, number: int) -> None:
        """Until all that come before have passed."""
        with self.moved:
            self.moved.wait_for(lambda: self.next >= number)

    def passed(self, number: int) -> None:
        with self.moved:
            self.gone.add(number)
            while self.next in self.gone:
                self.next += 1
            self.moved.notify_all()


@dataclass
class _Work:
    """One obligation being worked on: `left` is what the solver may still do, `seconds` how long solvers have worked,
    `selected` the facts that finite scopes made use of, by name, and `few` a smallest choice of these, by position.
    """

    obligation: Obligation
    number: int
    facts: tuple[Fact, ...]
    key: str
    left: int
    seconds: float = 0.0
    selected: frozenset[str] = frozenset()
    few: AbstractSet[int] = frozenset()
    holds_finitely: bool = False
    tried: list[str] = field(default_factory=list)


class Discharger:
    """Holds the processes and finite checks of one run."""

    def __init__(self, plan: Plan, options: Options, cache: Cache) -> None:
        self.plan = plan
        self.options = options
        self.cache = cache
        self.checks = [FiniteCheck(scope(plan, n), min(10.0, options.timeout)) for n in (2, 3)]
        self.turns = [_Turns() for _ in self.checks]
        self.relevance = Relevance(plan.invariants)
        heads = [head for base in plan.spec.bases if (head := parse_head(base)) is not None]
        self.names = (plan.spec.name, *(head.name.text for head in heads))  # whose proofs may serve as they are
        self.needed: dict[str, set[str]] = {}  # by property: what its obligations used, as far as they are proved
        self.stopped = threading.Event()
        self.cut: Cut = ""
        self.local = threading.local()
        self.children: list[Child] = []
        self.lock = threading.Lock()
        self.keys: dict[str, str] = {}
        self.writers: dict[Style, Writer] = {}

    def run(
        self, obligations: Iterable[Obligation], report: Callable[[Discharged], None] = lambda _: None
    ) -> tuple[Discharged, ...]:
        """All results in the order of the obligations; an interrupt, or the end of the time, leaves the rest unknown.

        What happened to the rest is then in `cut`. What is easy comes first; what is left when all that is known may
        use what others of the same property needed.
        """
        ordered = list(obligations)
        total = self.options.total
        end = None if total is None else time.monotonic() + total
        results: dict[str, Discharged] = {}
        pool = ThreadPoolExecutor(self.options.jobs)

        def all_of(work: Callable[[_Work], Discharged | None], items: list[_Work]) -> list[_Work]:
            """Works on the items in parallel; answers with those that came to no result."""
            waiting = {pool.submit(work, item): item for item in items}
            left = []
            while waiting:
                for future in wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED).done:
                    item, result = waiting.pop(future), future.result()
                    if result is None:
                        left.append(item)
                    else:
                        results[item.obligation.name] = result
                        report(result)
                if waiting and end is not None and time.monotonic() >= end:
                    raise _OutOfTime
            return sorted(left, key=lambda item: item.number)

        try:
            for o in ordered:
                if o.decided:
                    results[o.name] = Discharged(o, "proved", how=o.decided)
                    report(results[o.name])
            hard = all_of(self.easily, [self.work(i, o) for i, o in enumerate(o for o in ordered if not o.decided)])
            tried = len(hard) + 1
            while 0 < len(hard) < tried:
                tried = len(hard)
                for result in results.values():
                    self.needed.setdefault(result.obligation.property, set()).update(result.used)
                hard = all_of(lambda item: self.attempts(item, alike(self.options.seed)), hard)
            all_of(self.patiently, [replace(item, number=i) for i, item in enumerate(hard)])
        except _OutOfTime:
            self.cut = "time"
        except KeyboardInterrupt:
            self.cut = "interrupted"
        finally:
            self.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            self.close()
        rest = "out of time for the whole proof" if self.cut == "time" else "interrupted"
        return tuple(results.get(o.name, Discharged(o, "unknown", reason=rest)) for o in ordered)

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
            self.keys[o.name] = digest(self.script((*o.givens, *o.hypotheses), o, Style()).text)
        return self.keys[o.name]

    def script(self, facts: Iterable[Fact], o: Obligation, style: Style, splits: bool = False) -> Script:
        writer = self.writers.setdefault(style, Writer(self.plan.vocabulary, style))
        return writer.script([(f.name, f.formula) for f in facts], o.goal, splits)

    def work(self, number: int, o: Obligation) -> _Work:
        """An obligation to be worked on; `number` is its place among those that need a solver."""
        return _Work(o, number, (*o.givens, *o.hypotheses), self.key(o), steps(self.options.timeout))

    def easily(self, work: _Work) -> Discharged | None:
        """What needs little work, up to the first finite scope."""
        try:
            seed = self.options.seed
            found = self.recall(work) or self.attempts(work, quick(seed, work.obligation.named))
            return found or self.finitely(work, 0) or self.attempts(work, narrow(seed))
        finally:
            self.turns[0].passed(work.number)

    def patiently(self, work: _Work) -> Discharged:
        """Whatever else there is, up to the end of the work that may be done."""
        try:
            seed = self.options.seed
            found = self.finitely(work, 1) or self.attempts(work, narrowest(seed)) or self.attempts(work, narrow(seed))
            found = found or self.attempts(work, chain(alike(seed + 1), alike(seed + 2)))
            return found or self.attempts(work, schedule(seed)) or self.open(work)
        finally:
            self.turns[1].passed(work.number)

    def finitely(self, work: _Work, which: int) -> Discharged | None:
        """Looks at a finite scope: either the obligation is broken there, or it is known better what it needs."""
        if self.stopped.is_set():
            return None
        o, check, turns = work.obligation, self.checks[which], self.turns[which]
        turns.wait(work.number)
        outcome = check.decide(work.facts, o.goal, smallest=which > 0)
        turns.passed(work.number)
        work.seconds += outcome.seconds
        if isinstance(outcome, Core):
            work.holds_finitely = True
            work.selected |= {work.facts[i].name for i in outcome.facts}
            work.few = frozenset(outcome.few)
        if not isinstance(outcome, Model):
            return None
        broken = failure(self.plan, o, outcome, check, self.options.budget)
        if broken is None:  # a structure that is no state of the language says little
            work.left = min(work.left, steps(_DOUBTFUL))
            return None
        return Discharged(o, "refuted", seconds=work.seconds, failure=broken, tried=tuple(dict.fromkeys(work.tried)))

    def chosen(self, work: _Work, selection: Selection) -> list[Fact]:
        """The facts for a strategy: what is given, as a rule, and the hypotheses selected."""
        if selection == "all":
            return list(work.facts)
        if selection == "scope":
            own = work.obligation.property
            return [f for i, f in enumerate(work.facts) if i in work.few or f.source == own]
        o = work.obligation
        core = work.selected | self.relevance.near(o.property)
        names: AbstractSet[str] = frozenset()
        match selection:
            case "own":
                pass
            case "universal":
                names = self.relevance.universal
            case "core":
                names = core
            case "wide":
                names = core | self.relevance.universal
            case "siblings":
                names = self.needed.get(o.property, frozenset())
            case "kin":
                names = self.needed.get(o.property, frozenset()) | self.relevance.near(o.property)
            case _:
                assert_never(selection)
        return [*o.givens, *(f for f in o.hypotheses if f.name in names or f.source == o.property)]

    def open(self, work: _Work) -> Discharged:
        """What is said of an obligation that nothing decided."""
        reason = "interrupted" if self.stopped.is_set() else self.advice(work)
        tried = tuple(dict.fromkeys(work.tried))
        return Discharged(work.obligation, "unknown", seconds=work.seconds, tried=tried, reason=reason)

    def advice(self, work: _Work) -> str:
        """Why an obligation may have stayed open, and what can be done about it."""
        parts = [f"no strategy decided it within the work of {self.options.timeout:g} s"]
        if work.holds_finitely:
            parts.append("it holds for a few elements of each sort, so it may well be true")
        round_ = cycle([(f.name, f.formula) for f in work.facts], work.obligation.goal)
        if round_:
            parts.append(f"its quantifiers go round: {round_}; a ghost in place of an `exists` would break the cycle")
        parts.append("state what it needs as a lemma of its own, derive it with `proof`, or give it more --timeout")
        return ". ".join(part[0].upper() + part[1:] for part in parts)

    def recall(self, work: _Work) -> Discharged | None:
        """What was proved before, if the same text would be asked again; else what succeeded before, run again.

        Most of what a spec inherits says the same as in its base, and its proof there is as good.
        """
        o = work.obligation
        keys = (work.key, *(place(name, o) for name in self.names))
        hint = next((hint for key in keys if (hint := self.cache.get(key)) is not None), None)
        if hint is None or hint.strategy not in STRATEGIES:
            return None
        strategy = STRATEGIES[hint.strategy]
        chosen, text, stands = self.recalled(o, hint)
        if stands:
            self.remember(work, hint)
            return Discharged(o, "proved", strategy.name, hint.used, work.seconds, recalled=True, script=text)
        attempt = Attempt(strategy, hint.seed, steps(1.0))
        proof = self.ask(work, chosen, attempt)
        if proof is None:
            return None
        self.remember(work, self.hint(attempt, chosen, proof))
        return Discharged(
            work.obligation, "proved", attempt.strategy.name, proof[0], work.seconds, recalled=True, script=proof[1]
        )

    def recalled(self, o: Obligation, hint: Hint) -> tuple[list[Fact], Script, bool]:
        """The facts and the text that a hint speaks of, and whether this very text was proved."""
        strategy = STRATEGIES[hint.strategy]
        chosen = [f for f in (*o.givens, *o.hypotheses) if f.name in hint.hypotheses]
        text = self.script(chosen, o, strategy.style, strategy.split)
        return chosen, text, hint.proved == seal(strategy.name + text.text)

    def is_proved(self, o: Obligation) -> bool:
        """Whether the cache has a proof of the obligation as it reads; nothing is asked."""
        hint = self.cache.get(self.key(o))
        return hint is not None and hint.strategy in STRATEGIES and self.recalled(o, hint)[2]

    def hint(self, attempt: Attempt, chosen: list[Fact], proof: tuple[tuple[str, ...], Script]) -> Hint:
        used, text = proof
        name = attempt.strategy.name
        hypotheses = tuple(dict.fromkeys(f.name for f in chosen))
        return Hint(name, attempt.seed, hypotheses, used, seal(name + text.text))

    def remember(self, work: _Work, hint: Hint) -> None:
        """For the obligation as it reads, and for what it will be when the spec has been edited."""
        with self.lock:
            self.cache.put(work.key, hint)
            self.cache.put(place(self.plan.spec.name, work.obligation), hint)

    def attempts(self, work: _Work, attempts: Iterable[Attempt]) -> Discharged | None:
        """Tries one after the other until success, their end, or the end of the work that may be done."""
        for attempt in attempts:
            if self.stopped.is_set() or work.left <= 0:
                return None
            strategy = attempt.strategy
            chosen = self.chosen(work, strategy.hypotheses)
            work.tried.append(strategy.name)
            proof = self.ask(work, chosen, attempt)
            if proof is None:
                continue
            used = [f for f in chosen if f.name in proof[0]]
            if len(used) < len(chosen):  # with fewer hypotheses fewer still are used, as a rule
                again = self.ask(work, used, attempt)
                chosen, proof = (chosen, proof) if again is None else (used, again)
            self.remember(work, self.hint(attempt, chosen, proof))
            return Discharged(work.obligation, "proved", strategy.name, proof[0], work.seconds, script=proof[1])
        return None

    def ask(self, work: _Work, facts: list[Fact], attempt: Attempt) -> tuple[tuple[str, ...], Script] | None:
        """The names of the facts used and the text that was proved, or None."""
        strategy = attempt.strategy
        text = self.script(facts, work.obligation, strategy.style, strategy.split)
        if not strategy.split:
            used = self.query(work, text, attempt)
            return None if used is None else (used, text)
        for cases in text.splits[:_MOST_SPLITS]:
            used = ()
            for case in cases:
                part = Script(text.declarations, (*text.assertions, ("case", case)))
                more = self.query(work, part, attempt)
                if more is None:
                    break
                used = tuple(dict.fromkeys((*used, *more)))
            else:
                return used, text
        return None

    def query(self, work: _Work, text: Script, attempt: Attempt) -> tuple[str, ...] | None:
        limit = max(1, min(attempt.steps, work.left))
        request: dict[str, Any] = {
            "op": "prove",
            "declarations": text.declarations,
            "assertions": text.assertions,
            "options": attempt.strategy.options(attempt.seed),
            "simple": attempt.strategy.simple,
            "core": True,
            "steps": limit,
        }
        answer = self.child().ask(request, patience(limit))
        work.left -= answer.get("steps", limit)
        work.seconds += answer["seconds"]
        if answer["answer"] == "error":
            raise RuntimeError(f"the solver rejected an obligation: {answer['reason']}")
        return tuple(answer["core"]) if answer["answer"] == "unsat" else None


def place(spec: str, o: Obligation) -> str:
    """Where in which spec an obligation stands, whatever it says."""
    return digest(f"{spec}: {o.name}")
