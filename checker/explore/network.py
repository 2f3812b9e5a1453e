"""Messages on their way: bags, and queues for each pair of nodes, as plain tuples.

A bag is a tuple of (message, count) in the order of messages; a queue is a tuple of (kind, message), its head first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from checker.explore.domains import Value
from checker.language import types as ty

State: TypeAlias = Sequence[Value]
Env: TypeAlias = dict[int, Any]
Eval: TypeAlias = Callable[[State, Env], Any]
Bag: TypeAlias = tuple[tuple[Value, int], ...]


def _with(bag: Bag, messages: Iterable[Value], key: Callable[[Value], Any]) -> Bag:
    counts = dict(bag)
    for message in messages:
        counts[message] = counts.get(message, 0) + 1
    return tuple(sorted(counts.items(), key=lambda pair: key(pair[0])))


def bag_with(bag: Eval, message: Eval, key: Callable[[Value], Any]) -> Eval:
    """A bag with a message once more."""
    return lambda s, e: _with(bag(s, e), (message(s, e),), key)


def bag_with_all(bag: Eval, messages: Eval, key: Callable[[Value], Any]) -> Eval:
    """A bag with each message of a set once more."""
    return lambda s, e: _with(bag(s, e), messages(s, e), key)


def without(bag: Bag, message: Value) -> Bag:
    """A bag with a message once less, if it has it."""
    return tuple((m, n - (m == message)) for m, n in bag if m != message or n > 1)


def bag_without(bag: Eval, message: Eval) -> Eval:
    return lambda s, e: without(bag(s, e), message(s, e))


def heads(channels: Eval, kind: str, receiver: Eval, position: Callable[[Value], int | None]) -> Eval:
    """The messages of one kind that are first in the queues to `receiver`."""

    def first(s: State, e: Env) -> frozenset[Value]:
        rows, to = channels(s, e), position(receiver(s, e))
        return frozenset([row[to][0][1] for row in rows if row[to] and row[to][0][0] == kind])

    return first


def enqueue(queue: Eval, message: Eval, type_: ty.Type) -> Eval:
    """A queue with a message at its end."""
    assert isinstance(type_, ty.Message)
    kind = type_.name
    return lambda s, e: (*queue(s, e), (kind, message(s, e)))


def length(operand: Eval, type_: ty.Type) -> Eval:
    """How many messages a queue, a bag, or a map of queues holds."""
    count = _counter(type_)
    return lambda s, e: count(operand(s, e))


def _counter(type_: ty.Type) -> Callable[[Value], int]:
    match type_:
        case ty.Queue():
            return len
        case ty.Bag():
            return lambda bag: sum(n for _, n in bag)
        case ty.Map(_, value):
            inner = _counter(value)
            return lambda entries: sum(map(inner, entries))
        case _:
            raise TypeError(f"{ty.show(type_)} holds no messages")
