"""The objects that histories are of: what an operation does to one, and what it answers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

from checker.history.operations import Operation

State = Hashable


class Object(Protocol):
    """An object with states. `step` gives the state after an operation, None where it cannot have had its result.

    An operation that nobody was answered may have had any result.
    """

    @property
    def operations(self) -> frozenset[str]: ...

    @property
    def initial(self) -> State: ...

    def step(self, state: State, operation: Operation) -> tuple[State] | None: ...


@dataclass(frozen=True)
class Register:
    """Holds one value. `read`, `write`, and `cas` from an old value to a new one."""

    operations: frozenset[str] = frozenset({"read", "write", "cas"})
    initial: State = None

    def step(self, state: State, operation: Operation) -> tuple[State] | None:
        match operation.f:
            case "read":
                return (state,) if not operation.known or operation.result == state else None
            case "write":
                return (operation.value,)
            case _:
                assert isinstance(operation.value, tuple)
                if state == operation.value[0]:
                    return (operation.value[1],)
                return None if operation.known else (state,)


@dataclass(frozen=True)
class GrowingSet:
    """A set: `add` an element, `read` all of them."""

    operations: frozenset[str] = frozenset({"add", "read"})
    initial: State = frozenset()

    def step(self, state: State, operation: Operation) -> tuple[State] | None:
        assert isinstance(state, frozenset)
        if operation.f == "add":
            return (state | {operation.value},)
        if not operation.known:
            return (state,)
        found = operation.result
        return (state,) if isinstance(found, tuple) and frozenset(found) == state else None


@dataclass(frozen=True)
class Queue:
    """First in, first out: `enqueue` a value, `dequeue` the oldest (`null`: there was none)."""

    operations: frozenset[str] = frozenset({"enqueue", "dequeue"})
    initial: State = ()

    def step(self, state: State, operation: Operation) -> tuple[State] | None:
        assert isinstance(state, tuple)
        if operation.f == "enqueue":
            return ((*state, operation.value),)
        first = state[0] if state else None
        return (state[1:],) if not operation.known or operation.result == first else None


REGISTER = Register()

MODELS: Mapping[str, tuple[Object, bool]] = {
    "kv": (REGISTER, True),
    "register": (REGISTER, False),
    "set": (GrowingSet(), False),
    "queue": (Queue(), False),
}
"""The objects by name, and whether there is one for each key."""
