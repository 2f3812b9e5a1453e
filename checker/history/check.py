"""Is a history consistent, and if not, which few of its operations show it?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Hashable, Sequence

from checker.history.linear import OutOfTime, is_linearizable
from checker.history.models import MODELS, REGISTER, Object
from checker.history.operations import Operation, read_history
from checker.history.sequential import is_sequential
from checker.history.sessions import GUARANTEES, Broken, NotDecidable, by_key
from checker.source import Diagnostic, SpecError, did_you_mean
from checker.verdict import Answered, Consistency

LEVELS = ("linearizable", "sequential", *GUARANTEES)

_SHRINKING = 5.0
"""Seconds that a failing history is made smaller for, at most."""

Judge = Callable[[Sequence[Operation], float | None], bool]


def check_history(path: str, model: str, level: str, timeout: float | None = None) -> Consistency:
    """Whether the history in a file is consistent. Raises SpecError for a file that makes no sense."""
    of, keyed = MODELS[model]
    operations = read_history(path, keyed)
    for operation in operations:
        if operation.f not in of.operations:
            hint = did_you_mean(operation.f, of.operations) or f"it has {', '.join(sorted(of.operations))}"
            raise SpecError([Diagnostic("Q1006", f"the model `{model}` has no operation `{operation.f}`", hint=hint)])
        if operation.f == "cas" and not (isinstance(operation.value, tuple) and len(operation.value) == 2):
            raise SpecError([Diagnostic("Q1006", "the value of a `cas` is a pair of old and new", hint=None)])
    if level in GUARANTEES and of is not REGISTER:
        hint = f"`{level}` speaks of reads and writes; use `--model kv` or `--model register`"
        raise SpecError([Diagnostic("Q1006", f"`{level}` cannot be told of a {model}", hint=hint)])
    return check(operations, model, level, timeout, path)


def check(
    operations: Sequence[Operation], model: str, level: str, timeout: float | None = None, file: str = ""
) -> Consistency:
    """As `check_history`, of operations at hand."""
    began = time.monotonic()
    deadline = None if timeout is None else began + timeout
    of, _ = MODELS[model]

    def told(answer: str, broken: Broken | None = None, reason: str = "") -> Consistency:
        part = () if broken is None else tuple(_shown(o, o is broken.operations[-1]) for o in _in_order(broken))
        key = None if broken is None or broken.operations[-1].key is None else str(broken.operations[-1].key)
        return Consistency(
            file,
            model,
            level,
            answer,  # type: ignore[arg-type]
            len(operations),
            len(by_key(operations)),
            part,
            key,
            "" if broken is None else broken.message,
            reason,
            time.monotonic() - began,
        )

    try:
        broken = _judge(operations, of, level, deadline)
    except OutOfTime:
        return told("inconclusive", reason="out of time")
    except NotDecidable as reason:
        return told("inconclusive", reason=str(reason))
    except KeyboardInterrupt:
        return told("inconclusive", reason="interrupted")
    return told("consistent") if broken is None else told("inconsistent", broken)


def _judge(operations: Sequence[Operation], of: Object, level: str, deadline: float | None) -> Broken | None:
    if level in GUARANTEES:
        return GUARANTEES[level](operations)
    if level == "sequential":

        def sequential(part: Sequence[Operation], until: float | None) -> bool:
            return is_sequential(part, of, until)

        if sequential(operations, deadline):
            return None
        return smallest(operations, sequential, "no one order of these explains what all clients saw")

    def linearizable(part: Sequence[Operation], until: float | None) -> bool:
        return is_linearizable(part, of, until)

    late: OutOfTime | None = None
    for part in by_key(operations).values():
        try:
            if not linearizable(part, deadline):
                return smallest(part, linearizable, "no order of these in time explains what was read")
        except OutOfTime as error:  # another key may be plainly wrong
            late = error
    if late is not None:
        raise late
    return None


# --- the part that shows it -----------------------------------------------------------------------


def smallest(operations: Sequence[Operation], judge: Judge, message: str) -> Broken:
    """Few of the operations that are inconsistent as well; the last one is that whose answer made them so.

    First the shortest beginning: what was not answered by then may be answered at any later time. Then operations are
    left out one by one, but never the one that wrote a value that another saw.
    """
    until = time.monotonic() + _SHRINKING
    ends = sorted(o.end for o in operations if o.end is not None)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if _fails(_beginning(operations, ends[middle]), judge, until):
            high = middle
        else:
            low = middle + 1
    part = _beginning(operations, ends[high])
    if not _fails(part, judge, until):
        part = list(operations)
    fault = max((o for o in part if o.end is not None), key=lambda o: o.end or 0)
    size = max(1, len(part) // 2)
    while size:
        i = 0
        while i < len(part):
            gone = part[i : i + size]
            fewer = part[:i] + part[i + size :]
            if fault not in gone and not _needed(gone, fewer) and _fails(fewer, judge, until):
                part = fewer
            else:
                i += size
        size //= 2
    return Broken(message, (*(o for o in part if o is not fault), fault))


def _beginning(operations: Sequence[Operation], end: int) -> list[Operation]:
    """The operations that began by then, as they were known at that time."""
    return [
        o if o.end is None or o.end <= end else Operation(o.process, o.f, o.key, o.value, o.value, o.begin, None)
        for o in operations
        if o.begin < end
    ]


def _needed(gone: Sequence[Operation], rest: Sequence[Operation]) -> bool:
    """Whether one of the operations made a value that another saw, which would be wrong by itself without it."""
    made = {(o.key, value) for o in gone for value in _made(o)}
    return any((o.key, value) in made for o in rest if o.known for value in _saw(o))


def _made(operation: Operation) -> tuple[Hashable, ...]:
    match operation.f, operation.value:
        case "cas", (_, new):
            return (new,)
        case (("write" | "add" | "enqueue"), value):
            return (value,)
        case _:
            return ()


def _saw(operation: Operation) -> tuple[Hashable, ...]:
    match operation.f, operation.value, operation.result:
        case "cas", (old, _), _:
            return (old,)
        case "read", _, tuple() as found:
            return found
        case (("read" | "dequeue"), _, found):
            return (found,)
        case _:
            return ()


def _fails(part: Sequence[Operation], judge: Judge, until: float) -> bool:
    try:
        return time.monotonic() < until and not judge(part, until)
    except OutOfTime:
        return False


# --- words ----------------------------------------------------------------------------------------


def _in_order(broken: Broken) -> list[Operation]:
    return sorted(broken.operations, key=lambda o: o.begin)


def _shown(operation: Operation, at_fault: bool) -> Answered:
    key = "" if operation.key is None else f" {operation.key}"
    match operation.f, operation.value:
        case "cas", (old, new):
            text = f"cas{key} {_value(old)} to {_value(new)}"
        case ("read" | "dequeue") as f, _:
            text = f"{f}{key}" + (f" gives {_value(operation.result)}" if operation.known else "")
        case f, value:
            text = f"{f}{key} {_value(value)}"
    return Answered(operation.process, text, operation.begin, operation.end, at_fault)


def _value(value: Hashable) -> str:
    text = "nothing" if value is None else json.dumps(value) if not isinstance(value, str) else value
    return text if len(text) <= 60 else text[:57] + "..."
