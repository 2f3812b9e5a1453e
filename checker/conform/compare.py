"""Whether a step of the spec is what an event tells: the fields after it, and the messages that it sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checker.conform.driver import Done, Driver
from checker.conform.steps import Change, Meaning, Pattern, Seen, get, put
from checker.explore.display import to_value
from checker.explore.domains import Domains, Value
from checker.explore.interpreter import State
from checker.explore.replay import Teller
from checker.language import ir
from checker.language import types as ty
from checker.verdict import show

_LONGEST = 120  # characters of a value in a sentence

Sent = tuple[tuple[str, Value], ...]

_Wrong = tuple[str, Value, Value, ty.Type]
"""A place by name, what a step gives it, what the event says, and its type."""


@dataclass(frozen=True)
class Comparison:
    """Compares steps with events of one trace."""

    driver: Driver
    meaning: Meaning
    initial: State

    def fits(self, seen: Seen, before: State, done: Done, sent: Sent) -> bool:
        """Whether the step can have been the event."""
        after = done.taken.state
        return (
            not any(True for _ in self._wrong_fields(seen, before, after))
            and _are_sent(seen.sent, sent)
            and all(self._picked(done, name) == value for name, value in self._picks(seen, done).items())
        )

    def sent(self, before: State, done: Done) -> Sent:
        """The messages that the step sent, by kind, in order where the network tells."""
        network = self.driver.spec.network
        if network is None:
            return ()
        if network.kind == "set":
            return tuple((self.kind(i), message) for i, message in done.sent)
        action = self.driver.spec.actions[done.taken.action]
        return tuple(Teller(self.driver, before).sent(before, done.taken.state, consumed(action, done)))

    def kind(self, variable: int) -> str:
        type_ = self.driver.spec.variables[variable].type
        assert isinstance(type_, ty.Set) and isinstance(type_.item, ty.Message)
        return type_.item.name

    # --- fields -------------------------------------------------------------------------------------

    def unchanged(self, seen: Seen, state: State) -> bool:
        """Whether the event may have been no step at all: what it tells is so already."""
        return not any(True for _ in self._wrong_fields(seen, state, state))

    def _wrong_fields(self, seen: Seen, before: State, after: State) -> Iterator[_Wrong]:
        """Each place that is not as the event tells it.

        A field of which something is told is known whole, one that is complete is as before if nothing is told of it.
        """
        told: dict[int, list[Change]] = {}
        for change in seen.set:
            told.setdefault(change.variable, []).append(change)
        crash = seen.event.action in ("crash", "restart") and not any(
            self.driver.spec.actions[c.action].kind not in ("crash", "stop") for c in seen.candidates
        )
        for i in {*told, *self.meaning.complete}:
            if crash and not self._restored(seen, i):
                continue
            expected = self._start(seen, i, before)
            for change in told.get(i, ()):
                try:
                    expected = put(expected, change.path, change.value)
                except LookupError:
                    yield change.text, get(after[i], change.path), change.value, change.type
                    break
            else:
                if expected != after[i]:
                    yield from self._differing(i, expected, after[i])
        for change in seen.present:
            found = get(after[change.variable], change.path)
            if found != change.value:
                yield change.text, found, change.value, change.type

    def _restored(self, seen: Seen, i: int) -> bool:
        variable = self.driver.spec.variables[i]
        return seen.restored and variable.kind == "durable" and seen.node is not None and variable.role == seen.node[0]

    def _start(self, seen: Seen, i: int, before: State) -> Value:
        """What a variable is if the event tells nothing of it."""
        if self._restored(seen, i):
            assert seen.node is not None
            number = seen.node[1]
            return (*before[i][:number], self.initial[i][number], *before[i][number + 1 :])
        return before[i]

    def _differing(self, i: int, expected: Value, found: Value) -> Iterator[_Wrong]:
        """The smallest named parts of a variable that differ."""
        variable, domains = self.driver.spec.variables[i], self.driver.domains(self.initial)
        if variable.role is None or not isinstance(variable.type, ty.Map):
            yield variable.name, found, expected, variable.type
            return
        field = variable.name.removeprefix(f"{variable.role}.")
        keys = domains.values(variable.type.key, variable.span)
        for key, new, old in zip(keys, found, expected, strict=True):
            if new != old:
                name = f"{show(to_value(domains, variable.type.key, key))}.{field}"
                yield from _parts(domains, name, variable.type.value, new, old)

    def _shown(self, type_: ty.Type, value: Value) -> str:
        text = show(to_value(self.driver.domains(self.initial), type_, value))
        return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."

    # --- picks --------------------------------------------------------------------------------------

    def _picks(self, seen: Seen, done: Done) -> dict[str, Value]:
        return next((dict(c.picks) for c in seen.candidates if c.action == done.taken.action), {})

    def _picked(self, done: Done, name: str) -> Value:
        return next((value for binder, value in reversed(done.taken.choices) if binder.name == name), None)

    # --- words --------------------------------------------------------------------------------------

    def differences(self, seen: Seen, before: State, done: Done, sent: Sent) -> tuple[str, ...]:
        """What the step does otherwise than the event tells, in sentences."""
        found = [
            f"{place} would be {self._shown(type_, new)}; the trace has {self._shown(type_, told)}"
            for place, new, told, type_ in self._wrong_fields(seen, before, done.taken.state)
        ]
        if seen.sent is not None:
            patterns = [pattern for _, pattern in seen.sent]
            found += [
                f"it would send {self.told(Pattern(kind, tuple(enumerate(m))))}, which the trace does not have"
                for kind, m in sent
                if not any(p.kind == kind and p.fits(m) for p in patterns)
            ]
            found += [
                f"the trace has it send {self.told(p)}, which the spec does not"
                for p in patterns
                if not any(p.kind == kind and p.fits(m) for kind, m in sent)
            ]
        for name, value in self._picks(seen, done).items():
            if self._picked(done, name) != value:
                found.append(f"it would pick another `{name}`")
        return tuple(found)

    def otherwise(self, seen: Seen, state: State) -> tuple[str, ...]:
        """What is not so in the state, though the event tells it without a step that could make it so."""
        return tuple(
            f"{place} was {self._shown(type_, was)}; the trace has {self._shown(type_, told)}"
            for place, was, told, type_ in self._wrong_fields(seen, state, state)
        )

    def told(self, pattern: Pattern) -> str:
        """A message as far as it is told."""
        layout = self.meaning.reader.fields(ty.Message(pattern.kind))
        given = [(layout[i][0], self._shown(layout[i][1], value)) for i, value in pattern.places]
        inside = ", ".join(f"{name}: {value}" for name, value in given if name not in ("from", "to"))
        to = "".join(f" to {value}" for name, value in given if name == "to")
        return pattern.kind + (f"({inside})" if inside else "") + to


def consumed(action: ir.ActionDecl, done: Done) -> tuple[str, Value] | None:
    """The message that the step took off the network, with its kind."""
    if action.kind not in ("on", "lose") or action.message is None:
        return None
    return action.message, done.taken.choices[len(action.parameters) - 1][1]


def _are_sent(told: Sequence[tuple[str | None, Pattern]] | None, sent: Sent) -> bool:
    """Whether the messages of the event and those of the step are the same ones."""
    if told is None:
        return True
    if len(told) == 1 and len(sent) == 1:
        kind, message = sent[0]
        pattern = told[0][1]
        return pattern.kind == kind and (pattern.full == message if pattern.full is not None else pattern.fits(message))
    return all(any(p.kind == kind and p.fits(m) for _, p in told) for kind, m in sent) and all(
        any(p.kind == kind and p.fits(m) for kind, m in sent) for _, p in told
    )


def _parts(domains: Domains, name: str, type_: ty.Type, new: Value, old: Value) -> Iterator[_Wrong]:
    """The places of a value that differ, with maps taken apart."""
    if not isinstance(type_, ty.Map):
        yield name, new, old, type_
        return
    for key, a, b in zip(domains.values(type_.key, domains.spec.span), new, old, strict=True):
        if a != b:
            yield f"{name}[{show(to_value(domains, type_.key, key))}]", a, b, type_.value
