"""One step at a time: an action with some of its choices given, what comes of it, and what stands in its way.

The interpreter enumerates all steps of a state; this takes those that an event can have been. What a statement means
is the interpreter's business; here it is written down, besides, which condition was false and what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from checker.conform.narrow import NarrowEvaluator
from checker.explore.domains import Domains, Value
from checker.explore.evaluate import OLD, PICKS, Env, Evaluator
from checker.explore.execute import Code, Executor, Straight, Work, ends, preceded
from checker.explore.faults import CutOff, Fault
from checker.explore.instance import Instance
from checker.explore.interpreter import Interpreter, Machine, State, Taken, reads
from checker.language import ir
from checker.language import types as ty
from checker.language.traverse import free

SENT: Final = OLD + 2
"""Where the messages sent so far by a step are kept among its bound names: (variable's position, message)."""

BRANCHES: Final = OLD + 3
"""Where the branches taken so far are kept, as texts like those of control paths."""

_BLOCKS: Final = OLD + 4
"""Where a list that takes the obstacles is kept."""

Messages = tuple[tuple[int, Value], ...]


@dataclass(frozen=True)
class Done:
    """A step that happens: as the interpreter tells it, what it sent (to a network that remembers; see `SENT`), and
    which branches it took."""

    taken: Taken
    sent: Messages
    branches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blocked:
    """A step that does not happen: the action by its number, the names bound so far, and what was false.

    `condition` is a `require`, or the `where` of a `pick`; None where a parameter had no choice (then `binder` is it)
    or where `stop` ended the step.
    """

    action: int
    env: Env
    state: State
    condition: ir.Expr | None = None
    binder: ir.Binder | None = None
    stop: CutOff | Fault | None = None


class Driver(Interpreter):
    """The interpreter of an instance, which also takes single steps."""

    def _compiled(self, domains: Domains) -> Machine:
        evaluator = NarrowEvaluator(domains, reads(self.instance))
        return Machine(self.spec, evaluator, _Recorder(evaluator, self.spec.variables))

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self._early = [_early(action) for action in self.spec.actions]

    def attempt(self, state: State, action: int, given: Mapping[int, Value]) -> Iterator[Done | Blocked]:
        """All steps of one action that agree with the choices given by uid, and those that come to nothing."""
        yield from self._choose(state, action, given, 0, {OLD: state, SENT: (), BRANCHES: ()})

    def _choose(
        self, state: State, action: int, given: Mapping[int, Value], i: int, env: Env
    ) -> Iterator[Done | Blocked]:
        decl = self.spec.actions[action]
        try:
            for guard in self._early[action].get(i, ()):
                if not self.machine(state).clause(guard)(state, env):
                    yield Blocked(action, dict(env), state, condition=guard)
                    return
        except Fault:
            pass  # the body says it in its own order
        if i == len(decl.parameters):
            yield from self._run(state, action, env)
            return
        binder = decl.parameters[i]
        try:
            values: Sequence[Value] = self._values(binder, state, env, given)
        except (CutOff, Fault) as stop:
            yield Blocked(action, dict(env), state, stop=stop)
            return
        if not values:
            shown = {**env, binder.uid: given[binder.uid]} if binder.uid in given else dict(env)
            yield Blocked(action, shown, state, binder=binder)
        for value in values:
            env[binder.uid] = value
            yield from self._choose(state, action, given, i + 1, env)
        env.pop(binder.uid, None)

    def _values(self, binder: ir.Binder, state: State, env: Env, given: Mapping[int, Value]) -> Sequence[Value]:
        machine = self.machine(state)
        if binder.uid not in given:
            values: Sequence[Value] = machine.choices(binder)(state, env)
            return values
        value = given[binder.uid]
        if binder.domain is None:
            return (value,)
        domain = machine.clause(binder.domain)(state, env)
        if isinstance(binder.domain.type, ty.Quorum):
            domain = machine.domains.families[binder.domain.type.name][domain]
        return (value,) if value in domain else ()

    def _run(self, state: State, action: int, env: Env) -> Iterator[Done | Blocked]:
        decl, code = self.spec.actions[action], self.machine(state).bodies[action]
        blocks: list[tuple[ir.Expr, Env, State]] = []
        start = {**env, _BLOCKS: blocks}
        for end in _ends(code, list(state), start):
            if isinstance(end, tuple):
                work, bound = end
                choices = tuple((binder, env[binder.uid]) for binder in decl.parameters) + bound.get(PICKS, ())
                yield Done(Taken(action, choices, tuple(work)), bound[SENT], bound[BRANCHES])
            else:
                yield Blocked(action, dict(env), state, stop=end)
        for condition, bound, at in blocks:
            yield Blocked(action, bound, at, condition=condition)


def _ends(code: Code, work: Work, env: Env) -> Iterator[tuple[Work, Env] | CutOff | Fault]:
    if not isinstance(code, Straight):
        yield from ends(code, work, env)
        return
    try:
        if code.run(work, env):
            yield work, env
    except (CutOff, Fault) as stop:
        yield stop


class _Recorder(Executor):
    """Code that writes down which condition was false, and which messages were sent."""

    def __init__(self, evaluator: Evaluator, variables: Sequence[ir.VariableDecl]) -> None:
        super().__init__(evaluator, variables)
        self._networks = {v.name for v in variables if v.kind == "network" and isinstance(v.type, ty.Set)}

    def _statement(self, statement: ir.Statement) -> Code:
        match statement:
            case ir.Require(condition=condition):
                return self._required(condition)
            case ir.Choice(branches=branches):
                inner = super()._statement(statement)
                return self._branching(inner, [condition for condition, _ in branches])
            case ir.Assign(variable=name, value=ir.Binary(operator="union", right=new)) if name in self._networks:
                return self._sending(self._index[name], new)
            case _:
                return super()._statement(statement)

    def _branching(self, code: Code, conditions: list[ir.Expr]) -> Code:
        """The choice between branches, which writes down which one is taken before it is."""
        tests = [self._evaluator.compile(condition) for condition in conditions]
        texts = [condition.span.text for condition in conditions]
        taken = [(*(f"not ({text})" for text in texts[:i]), *texts[i : i + 1]) for i in range(len(texts) + 1)]

        def note(s: Work, e: Env) -> None:
            if BRANCHES in e:
                number = next((i for i, test in enumerate(tests) if test(s, e)), len(tests))
                e[BRANCHES] = (*e[BRANCHES], *taken[number])

        return preceded(note, code)

    def _required(self, condition: ir.Expr) -> Code:
        holds = self._evaluator.compile(condition)

        def required(s: Work, e: Env) -> bool:
            if holds(s, e):
                return True
            if _BLOCKS in e:
                e[_BLOCKS].append((condition, dict(e), tuple(s)))
            return False

        return Straight(required)

    def _sending(self, index: int, new: ir.Expr) -> Code:
        messages = self._evaluator.compile(new)

        def send(s: Work, e: Env) -> bool:
            found = messages(s, e)
            if SENT in e:
                e[SENT] = (*e[SENT], *((index, message) for message in found))
            s[index] = s[index] | found
            return True

        return Straight(send)


def _early(action: ir.ActionDecl) -> dict[int, list[ir.Expr]]:
    """The conditions with which the body begins, by how many parameters must be known to ask them, if not all."""
    place = {binder.uid: i + 1 for i, binder in enumerate(action.parameters)}
    found: dict[int, list[ir.Expr]] = {}
    for statement in action.body:
        if not isinstance(statement, ir.Require):
            break
        known = max((place.get(uid, len(place)) for uid in free(statement.condition)), default=0)
        if known < len(action.parameters):
            found.setdefault(known, []).append(statement.condition)
    return found
