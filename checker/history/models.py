"""The objects that histories are of: what an operation does to one, what it answers, and what it spoils for others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from checker.history.operations import Operation

State = Hashable


class Outlook(Protocol):
    """What the operations that are still to do need. It only cuts a search short: all it says has to be certain.

    An operation is `taken` when it is done, and `put_back` when the search goes back.
    """

    @property
    def is_hopeless(self) -> bool:
        """Whether an answer cannot have come about, whatever is done when. Asked before anything is done."""
        ...

    def is_free(self, operation: Operation, state: State) -> bool:
        """Whether an operation that can be done now, in this state, need not be done later: whatever order there is, it
        may as well begin with this one."""
        ...

    def spoils(self, operation: Operation, state: State) -> bool:
        """Whether another operation can never be done if this one is done now, in this state."""
        ...

    def is_wanted(self, operation: Operation) -> bool:
        """Whether something still to do may need this operation, which nobody was answered."""
        ...

    def taken(self, operation: Operation) -> None: ...

    def put_back(self, operation: Operation) -> None: ...


class Object(Protocol):
    """An object with states. `step` gives the state after an operation, None where it cannot have had its result.

    An operation that nobody was answered may have had any result.
    """

    @property
    def operations(self) -> frozenset[str]: ...

    @property
    def initial(self) -> State: ...

    def problem(self, operation: Operation) -> str | None:
        """What is wrong with the value or the result of one of its operations, as a sentence."""
        ...

    def step(self, state: State, operation: Operation) -> tuple[State] | None: ...

    def outlook(self, operations: Sequence[Operation]) -> Outlook: ...

    def made(self, operation: Operation) -> Hashable | None:
        """The value that an operation brings in; None where it brings none."""
        ...

    def seen(self, operation: Operation) -> Hashable | None:
        """The value that another operation must have brought in for this one to have its answer, if there is one."""
        ...

    def limited(self, operation: Operation, made: Container[Hashable]) -> Operation:
        """As much of an operation as can be where only these values are brought in."""
        ...

    def invents(self, operation: Operation, made: Container[Hashable]) -> bool:
        """Whether the answer has a value that is none of these, though all there are were brought in."""
        ...


@dataclass(frozen=True)
class Register:
    """Holds one value. `read`, `write`, and `cas` from an old value to a new one."""

    operations: frozenset[str] = frozenset({"read", "write", "cas"})
    initial: State = None

    def problem(self, operation: Operation) -> str | None:
        pair = isinstance(operation.value, tuple) and len(operation.value) == 2
        return "the value of a `cas` is a pair of old and new" if operation.f == "cas" and not pair else None

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

    def outlook(self, operations: Sequence[Operation]) -> Outlook:
        return _Values(operations)

    def made(self, operation: Operation) -> Hashable | None:
        return place_made(operation)

    def seen(self, operation: Operation) -> Hashable | None:
        found = place_needed(operation) if operation.known else None
        return found if found is not None and found.value is not None else None

    def limited(self, operation: Operation, made: Container[Hashable]) -> Operation:
        return operation

    def invents(self, operation: Operation, made: Container[Hashable]) -> bool:
        seen = self.seen(operation)
        return seen is not None and seen not in made


class Place(NamedTuple):
    """A value in the register of a key."""

    key: Hashable
    value: Hashable


class _Values:
    """Who still needs which value of which register, and who can still make it.

    A write of a value that nobody needs is free where nobody needs the present value: then what comes after it is a
    write as well, and it can be done before that one as well as later.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.certain = self._certain(operations)
        self.needed: Counter[Place] = Counter()  # by operations that must be done
        self.useful: Counter[Place] = Counter()  # to those that may have been done
        self.makers: Counter[Place] = Counter()
        for operation in operations:
            self.put_back(operation)
        self.consumed = Counter(  # by each cas that takes a value away
            Place(o.key, o.value[0])
            for o in operations
            if id(o) in self.certain and o.f == "cas" and isinstance(o.value, tuple) and o.value[0] != o.value[1]
        )

    @staticmethod
    def _certain(operations: Sequence[Operation]) -> frozenset[int]:
        """The operations that were done: those that were answered, and those that alone made what these needed."""
        makers: dict[Place | None, list[Operation]] = {}
        for operation in operations:
            makers.setdefault(place_made(operation), []).append(operation)
        todo = [o for o in operations if o.known]
        found = {id(o) for o in todo}
        while todo:
            place = place_needed(todo.pop())
            match makers.get(place, ()) if place is not None and place.value is not None else ():
                case [maker] if id(maker) not in found:
                    found.add(id(maker))
                    todo.append(maker)
        return frozenset(found)

    @property
    def is_hopeless(self) -> bool:
        return any(count > self.makers[place] + (place.value is None) for place, count in self.consumed.items()) or any(
            not self.makers[place] and place.value is not None for place in self.needed
        )

    def is_free(self, operation: Operation, state: State) -> bool:
        if operation.f == "read":
            return True
        return operation.f == "write" and not any(
            self.needed[place] or self.useful[place]
            for place in (Place(operation.key, state), Place(operation.key, operation.value))
        )

    def spoils(self, operation: Operation, state: State) -> bool:
        present = Place(operation.key, state)
        others = self.needed[present] - (operation.f == "cas" and id(operation) in self.certain)
        return others > 0 and not self.makers[present]

    def is_wanted(self, operation: Operation) -> bool:
        made = place_made(operation)
        return made is not None and (self.needed[made] > 0 or self.useful[made] > 0)

    def taken(self, operation: Operation) -> None:
        self._count(operation, -1)

    def put_back(self, operation: Operation) -> None:
        self._count(operation, 1)

    def _count(self, operation: Operation, by: int) -> None:
        if (made := place_made(operation)) is not None:
            self.makers[made] += by
        if (needed := place_needed(operation)) is not None:
            (self.needed if id(operation) in self.certain else self.useful)[needed] += by


def place_made(operation: Operation) -> Place | None:
    """What a write or a cas leaves in a register."""
    match operation.f, operation.value:
        case "write", value:
            return Place(operation.key, value)
        case "cas", (_, new):
            return Place(operation.key, new)
        case _:
            return None


def place_needed(operation: Operation) -> Place | None:
    """What a read or a cas must find in a register."""
    match operation.f, operation.value:
        case "read", _ if operation.known:
            return Place(operation.key, operation.result)
        case "cas", (old, _):
            return Place(operation.key, old)
        case _:
            return None


@dataclass(frozen=True)
class GrowingSet:
    """A set: `add` an element, `read` all of them."""

    operations: frozenset[str] = frozenset({"add", "read"})
    initial: State = frozenset()

    def problem(self, operation: Operation) -> str | None:
        wrong = operation.f == "read" and operation.known and _elements(operation) is None
        return "what a `read` of a set gives is an array" if wrong else None

    def step(self, state: State, operation: Operation) -> tuple[State] | None:
        assert isinstance(state, frozenset)
        if operation.f == "add":
            return (state | {operation.value},)
        return (state,) if not operation.known or _elements(operation) == state else None

    def outlook(self, operations: Sequence[Operation]) -> Outlook:
        return _Elements(operations)

    def made(self, operation: Operation) -> Hashable | None:
        return operation.value if operation.f == "add" else None

    def seen(self, operation: Operation) -> Hashable | None:
        return None  # it may see many; so it is limited

    def limited(self, operation: Operation, made: Container[Hashable]) -> Operation:
        found = _elements(operation) if operation.f == "read" and operation.known else None
        return operation if found is None else replace(operation, result=frozenset(e for e in found if e in made))

    def invents(self, operation: Operation, made: Container[Hashable]) -> bool:
        found = _elements(operation) if operation.f == "read" and operation.known else None
        return found is not None and any(e not in made for e in found)


def _elements(read: Operation) -> frozenset[Hashable] | None:
    return frozenset(read.result) if isinstance(read.result, tuple | frozenset) else None


class _Elements:
    """Which reads are still to come, and of which elements: what is added stays."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.reads = 0
        self.seen: Counter[Hashable] = Counter()  # by so many of them
        self.added = frozenset(o.value for o in operations if o.f == "add")
        for operation in operations:
            self.put_back(operation)

    @property
    def is_hopeless(self) -> bool:
        return not self.added.issuperset(self.seen)

    def is_free(self, operation: Operation, state: State) -> bool:
        return operation.f == "read" or not self.spoils(operation, state)

    def spoils(self, operation: Operation, state: State) -> bool:
        return operation.f == "add" and self.seen[operation.value] < self.reads

    def is_wanted(self, operation: Operation) -> bool:
        return operation.f == "add" and self.seen[operation.value] > 0

    def taken(self, operation: Operation) -> None:
        self._count(operation, -1)

    def put_back(self, operation: Operation) -> None:
        self._count(operation, 1)

    def _count(self, operation: Operation, by: int) -> None:
        if operation.f == "read" and operation.known:
            self.reads += by
            for element in _elements(operation) or ():
                self.seen[element] += by


@dataclass(frozen=True)
class Queue:
    """First in, first out: `enqueue` a value, `dequeue` the oldest (`null`: there was none)."""

    operations: frozenset[str] = frozenset({"enqueue", "dequeue"})
    initial: State = ()

    def problem(self, operation: Operation) -> str | None:
        return None

    def step(self, state: State, operation: Operation) -> tuple[State] | None:
        assert isinstance(state, tuple)
        if operation.f == "enqueue":
            return ((*state, operation.value),)
        first = state[0] if state else None
        return (state[1:],) if not operation.known or operation.result == first else None

    def outlook(self, operations: Sequence[Operation]) -> Outlook:
        return _Items(operations)

    def made(self, operation: Operation) -> Hashable | None:
        return operation.value if operation.f == "enqueue" else None

    def seen(self, operation: Operation) -> Hashable | None:
        return operation.result if operation.f == "dequeue" and operation.known else None

    def limited(self, operation: Operation, made: Container[Hashable]) -> Operation:
        return operation

    def invents(self, operation: Operation, made: Container[Hashable]) -> bool:
        seen = self.seen(operation)
        return seen is not None and seen not in made


class _Items:
    """What must come out of a queue; here little can be told beforehand."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        entered = Counter(o.value for o in operations if o.f == "enqueue")
        left = Counter(o.result for o in operations if o.f == "dequeue" and o.known and o.result is not None)
        self.is_hopeless = not left <= entered

    def is_free(self, operation: Operation, state: State) -> bool:
        return operation.f == "dequeue" and not state

    def spoils(self, operation: Operation, state: State) -> bool:
        return False

    def is_wanted(self, operation: Operation) -> bool:
        return True

    def taken(self, operation: Operation) -> None:
        pass

    def put_back(self, operation: Operation) -> None:
        pass


REGISTER = Register()

MODELS: Mapping[str, tuple[Object, bool]] = {
    "kv": (REGISTER, True),
    "register": (REGISTER, False),
    "set": (GrowingSet(), False),
    "queue": (Queue(), False),
}
"""The objects by name, and whether there is one for each key."""
