"""Runs as traces: the interpreter takes every step again, so that no engine can show a run that the spec does not have.

Whatever found the run, the trace says what the interpreter says; what does not replay raises `NotARun`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from checker.explore.display import to_value
from checker.explore.domains import Domains, Value
from checker.explore.interpreter import Interpreter, State, Taken
from checker.explore.network import without
from checker.language import types as ty
from checker.source import Span
from checker.verdict import Place, RecordValue, Step, Trace, Variable, show
from checker.verdict import Value as Shown


class NotARun(Exception):
    """A sequence of states that the spec cannot go through: an engine is wrong, not the spec."""


def states_from_labels(
    interpreter: Interpreter, initial: State, labels: Sequence[tuple[int, tuple[Value, ...]]]
) -> tuple[State, ...]:
    """The states of the run that takes these steps: for each the action's number and its choices, in order.

    Raises NotARun where there is no such step.
    """
    states = [initial]
    for n, (action, choices) in enumerate(labels, start=1):
        for taken in interpreter.steps(states[-1]):
            if isinstance(taken, Taken) and taken.action == action and _values(taken) == choices:
                states.append(taken.state)
                break
        else:
            name = interpreter.spec.actions[action].qualified
            raise NotARun(f"step {n}: {name} cannot be taken with the choices {choices}")
    return tuple(states)


def _values(taken: Taken) -> tuple[Value, ...]:
    return tuple(value for _, value in taken.choices)


def trace_from_states(interpreter: Interpreter, states: Sequence[State], *, from_anywhere: bool = False) -> Trace:
    """The trace of a run given by its states. Of several steps between two states it shows the first.

    Raises NotARun if no step leads from one state to the next, or the first state is not initial and need be.
    """
    if not from_anywhere and not interpreter.is_initial(states[0]):
        raise NotARun("the first state is no initial state")
    teller = Teller(interpreter, states[0])
    steps = []
    for n, (before, after) in enumerate(pairwise(states), start=1):
        taken = (t for t in interpreter.steps(before) if isinstance(t, Taken) and t.state == after)
        first = next(taken, None)
        if first is None:
            raise NotARun(f"no step leads from state {n - 1} to state {n}")
        steps.append(teller.step(before, first))
    world = interpreter.world(states[0])
    shown = tuple(map(teller.state, states))
    constants = tuple((name, teller.constant(name, value)) for name, value in interpreter.instance.constants(world))
    return Trace(teller.variables, shown, tuple(steps), constants)


def text(span: Span) -> str:
    """The user's own text, without brackets around all of it."""
    found = span.text
    while found.startswith("(") and found.endswith(")") and _is_pair(found):
        found = found[1:-1].strip()
    return found


def _is_pair(text: str) -> bool:
    """Whether the first bracket is closed by the last character."""
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return i == len(text) - 1
    return False


def place(span: Span) -> Place:
    """A span as verdicts give places."""
    return Place(span.source.name, span.line, span.column, span.source.line(span.line))


class Teller:
    """Puts states and steps of one world into the words of reports. Counters of limits are not shown."""

    def __init__(self, interpreter: Interpreter, state: State) -> None:
        self.spec = interpreter.spec
        self.domains: Domains = interpreter.domains(state)
        self.shown = [(i, v) for i, v in enumerate(self.spec.variables) if v.kind != "limit"]
        self.variables = tuple(
            Variable(v.name, v.role, v.kind == "network", v.kind == "ghost", v.initial is None) for _, v in self.shown
        )

    def state(self, state: State) -> tuple[Shown, ...]:
        return tuple(to_value(self.domains, variable.type, state[i]) for i, variable in self.shown)

    def constant(self, name: str, value: Value) -> Shown:
        return to_value(self.domains, next(c.type for c in self.spec.constants if c.name == name), value)

    def step(self, before: State, taken: Taken) -> Step:
        action = self.spec.actions[taken.action]
        node, consumed, received, rest = None, None, None, list(taken.choices)
        if action.role is not None:
            binder, value = rest.pop(0)
            node = show(to_value(self.domains, binder.type, value))
        if action.kind in ("on", "lose"):
            at = len(action.parameters) - 1 - (action.role is not None)
            binder, value = rest.pop(at)
            assert isinstance(binder.type, ty.Message)
            consumed, received = (binder.type.name, value), self.message(binder.type.name, value)
        return Step(
            action.qualified,
            action.kind,
            tuple((binder.name, to_value(self.domains, binder.type, value)) for binder, value in rest),
            node,
            received,
            tuple(self.message(kind, m) for kind, m in self.sent(before, taken.state, consumed)),
            place(action.span),
        )

    # --- messages -----------------------------------------------------------------------------------

    def sent(self, before: State, after: State, consumed: tuple[str, Value] | None) -> Iterator[tuple[str, Value]]:
        """What the step put on the network that was not there, by kind; `consumed` is what it took off, if anything."""
        network = self.spec.network
        for i, variable in enumerate(self.spec.variables):
            if variable.kind != "network":
                continue
            match variable.type:
                case ty.Set(ty.Message() as item) if network is not None and variable.name.startswith(
                    {"set": "sent ", "round": "flying "}.get(network.kind, " ")
                ):
                    new = sorted(after[i] - before[i], key=self.domains.key(item))
                    yield from ((item.name, m) for m in new)
                case ty.Bag(ty.Message() as item):
                    left = before[i]
                    if consumed is not None and consumed[0] == item.name:
                        left = without(left, consumed[1])
                    counts = Counter(dict(after[i])) - Counter(dict(left))
                    yield from ((item.name, m) for m, _ in after[i] for _ in range(counts[m]))
                case ty.Map(_, ty.Map(_, ty.Queue())):
                    yield from self._queued(before[i], after[i], consumed)
                case _:
                    pass

    def _queued(
        self,
        before: tuple[tuple[Value, ...], ...],
        after: tuple[tuple[Value, ...], ...],
        consumed: tuple[str, Value] | None,
    ) -> Iterator[tuple[str, Value]]:
        """Messages lie in the queue between their own ends, which are the last two values of each."""
        for sender, (old_row, new_row) in enumerate(zip(before, after, strict=True)):
            for receiver, (old, new) in enumerate(zip(old_row, new_row, strict=True)):
                off = consumed is not None and consumed[1][-2:] == (sender, receiver) and old[:1] == (consumed,)
                yield from new[len(old) - off :]

    def message(self, kind: str, message: Value) -> RecordValue:
        """A message as reports show it."""
        shown = to_value(self.domains, ty.Message(kind), message)
        assert isinstance(shown, RecordValue)
        return shown
