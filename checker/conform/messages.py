"""Which messages an event can have received, what is known of each by its name, and which may be forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from checker.conform.compare import Sent
from checker.conform.driver import Done, Driver
from checker.conform.events import Header
from checker.conform.steps import Candidate, Meaning, Pattern, Seen, taken
from checker.conform.survey import Survey
from checker.explore.domains import Value
from checker.explore.interpreter import State
from checker.language import ir
from checker.language import types as ty
from checker.language.forms import Forms

KEPT = 8
"""How many steps on the way to a state are kept, to be shown."""


@dataclass(frozen=True)
class Hypothesis:
    """A state in which the run may be. `bound`: what messages that are told in part are, by id; `past`: the last steps
    on the way to it, of `steps`."""

    state: State
    bound: tuple[tuple[str, Sent], ...] = ()
    past: tuple[tuple[State, Done], ...] = field(default=(), compare=False)
    steps: int = field(default=0, compare=False)

    def messages(self, name: str) -> Sent | None:
        return next((sent for known, sent in self.bound if known == name), None)

    def after(self, done: Done, bound: tuple[tuple[str, Sent], ...]) -> Hypothesis:
        """What becomes of it by a step."""
        past = (*self.past[1 - KEPT :], (self.state, done))
        return Hypothesis(done.taken.state, bound, past, self.steps + 1)


class Messages:
    """The messages of one trace, while it is followed.

    `forgets`: those that nothing looks for any more are taken out of the states.
    """

    def __init__(self, driver: Driver, meaning: Meaning, header: Header, found: Survey, forgets: bool) -> None:
        self.driver, self.meaning, self.header, self.found = driver, meaning, header, found
        self.patterns: dict[str, Pattern] = {}
        self.receipts = Counter(found.receipts)
        self.owners: Counter[tuple[str, Value]] = Counter()
        self.forgetful = self._forgetful() if forgets else frozenset()

    def known(self, here: Iterable[Hypothesis], seen: Seen) -> str:
        """What is known of a message that the event receives by name."""
        name = seen.received
        if not isinstance(name, str):
            return ""
        if name not in self.found.sent:
            return f"no event sends the message {name}"
        known = [kind for hypothesis in here for kind, _ in hypothesis.messages(name) or ()]
        known += [self.patterns[name].kind] if name in self.patterns else []
        if not known:
            return f"the message {name} was not sent before"
        return f"{name} is a {known[0]}, which this step does not receive"

    def are_named(self, seen: Seen) -> bool:
        """Whether the event says which message it received, and that one is told."""
        return isinstance(seen.received, str) and seen.received in self.found.sent

    def candidates(self, hypothesis: Hypothesis, seen: Seen) -> Iterator[tuple[Candidate, Mapping[int, Value]]]:
        """The actions that the event may be, with what each is known to receive."""
        for candidate in seen.candidates:
            binder = taken(self.driver.spec.actions[candidate.action])
            if binder is None or seen.received is None:
                yield candidate, candidate.given
                continue
            for message in self._received(hypothesis, seen, candidate, binder):
                yield candidate, {**candidate.given, binder.uid: message}

    def _received(self, hypothesis: Hypothesis, seen: Seen, candidate: Candidate, binder: ir.Binder) -> Iterable[Value]:
        assert isinstance(binder.type, ty.Message) and binder.domain is not None
        kind = binder.type.name
        name, pattern = (seen.received, None) if isinstance(seen.received, str) else (None, seen.received)
        if isinstance(name, str):
            known = hypothesis.messages(name)
            if known is not None:
                fits = self._addressed(seen, candidate, Pattern(kind, ()))
                return [m for sent, m in known if sent == kind and fits.fits(m)]
            pattern = self.patterns.get(name)
            if pattern is None and (name in self.found.sent or self._is_foreign(kind)):
                return ()
        pattern = Pattern(kind, ()) if pattern is None else pattern
        if pattern.kind != kind:
            return ()
        pattern = self._addressed(seen, candidate, pattern)
        if pattern.full is not None:
            return (pattern.full,)
        try:
            there = self.driver.evaluate(binder.domain, hypothesis.state, dict(candidate.given))
        except KeyError:  # the domain depends on another choice, which will look itself
            return ()
        return [message for message in there if pattern.fits(message)]

    def _is_foreign(self, kind: str) -> bool:
        """Whether a message of the kind has been sent by nobody, if its id is not one that was sent."""
        return self.header.messages and kind not in self.found.anonymous

    def _addressed(self, seen: Seen, candidate: Candidate, pattern: Pattern) -> Pattern:
        if seen.node is None or self.driver.spec.actions[candidate.action].role is None:
            return pattern
        return self.meaning.addressed(pattern, seen.node)

    def after(self, hypothesis: Hypothesis, seen: Seen, done: Done, sent: Sent) -> Hypothesis:
        """The state after the step, and what it tells of messages that the trace tells in part."""
        bound = dict(hypothesis.bound)
        for name, pattern in seen.sent or ():
            if name is not None and pattern.full is None:
                bound[name] = tuple((kind, m) for kind, m in sent if kind == pattern.kind and pattern.fits(m))
        if isinstance(seen.received, str) and seen.received not in bound and seen.received not in self.patterns:
            binder = taken(self.driver.spec.actions[done.taken.action])
            if binder is not None and isinstance(binder.type, ty.Message):
                message = next(value for chosen, value in done.taken.choices if chosen is binder)
                bound[seen.received] = ((binder.type.name, message),)
        return hypothesis.after(done, tuple(bound.items()))

    def remember(self, seen: Seen, here: list[Hypothesis]) -> list[Hypothesis]:
        """Takes note of the messages of an event that was accepted, and forgets those that are not needed any more."""
        for name, pattern in seen.sent or ():
            if name is not None and pattern.full is not None and self.receipts[name]:
                if name not in self.patterns and pattern.kind in self.forgetful:
                    self.owners[pattern.kind, pattern.full] += 1
                self.patterns[name] = pattern
        gone = [p for name, p in seen.sent or () if p.full is not None and p.kind in self.forgetful
                and (name is None or not self.receipts[name])]  # fmt: skip
        if isinstance(seen.received, str):
            gone += self._received_last(seen.received)
        gone = [p for p in gone if not self.owners[p.kind, p.full]]
        named = {name for name, _ in seen.sent or ()} | {seen.received}
        past = {name for name in named if isinstance(name, str) and not self.receipts[name]}
        if gone:
            here = [replace(h, state=self._without(h.state, gone)) for h in here]
        return [self._unbound(h, past) for h in here]

    def _unbound(self, hypothesis: Hypothesis, past: Collection[str]) -> Hypothesis:
        """Without the messages, told in part, that will not be received by these names again."""
        if not any(name in past for name, _ in hypothesis.bound):
            return hypothesis
        bound = tuple((name, sent) for name, sent in hypothesis.bound if name not in past)
        awaited = {message for _, sent in bound for message in sent}
        gone = {
            (kind, message)
            for name, sent in hypothesis.bound
            if name in past and name in self.found.sent
            for kind, message in sent
            if kind in self.forgetful and (kind, message) not in awaited and not self.owners[kind, message]
        }
        left = self._without(hypothesis.state, [Pattern(kind, (), m) for kind, m in gone])
        return replace(hypothesis, state=left, bound=bound)

    def _received_last(self, name: str) -> list[Pattern]:
        self.receipts[name] -= 1
        pattern = self.patterns.get(name)
        if self.receipts[name] > 0 or pattern is None:
            return []
        del self.receipts[name], self.patterns[name]
        if pattern.kind not in self.forgetful:
            return []
        self.owners[pattern.kind, pattern.full] -= 1
        if self.owners[pattern.kind, pattern.full] > 0:
            return []
        del self.owners[pattern.kind, pattern.full]
        return [pattern]

    def _without(self, state: State, gone: Iterable[Pattern]) -> State:
        work = list(state)
        for pattern in gone:
            i = self.meaning.variables[f"sent {pattern.kind}"]
            work[i] = work[i] - {pattern.full}
        return tuple(work)

    def _forgetful(self) -> frozenset[str]:
        """The kinds of messages that may be forgotten when their last receipt is past: nothing else looks for them.

        Only what handlers receive is looked for by name; so no step of the spec may read them otherwise, nor may an
        unnamed receipt take them.
        """
        spec, forms = self.driver.spec, Forms(self.driver.spec)
        if spec.network is None or spec.network.kind != "set":
            return frozenset()
        read = set(forms.reads(ir.And(type=ty.Bool(), span=spec.span, items=tuple(_conditions(spec)))))
        kinds = {m.name for m in spec.messages}
        return frozenset(kind for kind in kinds - self.found.unnamed if f"sent {kind}" not in read)


def _conditions(spec: ir.Spec) -> Iterator[ir.Expr]:
    """All that steps look at, but what handlers choose their message from and what is sent."""
    for action in spec.actions:
        yield from (b.domain for b in action.parameters if b.domain is not None and action.kind not in ("on", "lose"))
        yield from _of_body(action.body)
    for procedure in spec.procedures:
        yield from _of_body(procedure.body)


def _of_body(body: Iterable[ir.Statement]) -> Iterator[ir.Expr]:
    for statement in body:
        match statement:
            case ir.Require(condition) | ir.Within(condition, _):
                yield condition
            case ir.Let(_, value):
                yield value
            case ir.Pick(binder, where):
                yield from (e for e in (binder.domain, where) if e is not None)
            case ir.Assign(name, ir.Binary(operator="union", right=new)) if name.startswith("sent "):
                yield new
            case ir.Assign(_, value):
                yield value
            case ir.Choice(branches, otherwise):
                for condition, inner in branches:
                    yield condition
                    yield from _of_body(inner)
                yield from _of_body(otherwise)
            case ir.Invoke(_, arguments):
                yield from arguments
