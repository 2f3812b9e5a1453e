"""Is a history consistent, and if not, which few of its operations show it?"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from checker.history.linear import is_linearizable
from checker.history.models import MODELS, REGISTER, Object
from checker.history.operations import Operation, read_history
from checker.history.search import OutOfTime
from checker.history.sequential import is_sequential
from checker.history.sessions import SESSIONS, Broken, NotDecidable, by_key, eventual_convergence
from checker.history.values import shown
from checker.source import Diagnostic, SpecError, did_you_mean
from checker.verdict import Answered, Consistency

LEVELS = ("linearizable", "sequential", *SESSIONS, "eventual")

_SHRINKING = 30.0
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
        if (problem := of.problem(operation)) is not None:
            raise SpecError([Diagnostic("Q1006", problem)])
    if level not in ("linearizable", "sequential") and of is not REGISTER:
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

    if not operations:
        return told("inconclusive", reason="it has no operation that may have been done")
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
    if level == "eventual":
        return eventual_convergence(operations)
    keys = [*by_key(operations).values()]
    everything = [list(operations)]
    match level:
        case "linearizable":
            message = "no order of these in time explains what was read"
            return _first_broken(keys, of, lambda part, until: is_linearizable(part, of, until), message, deadline)
        case "sequential":  # it is not local, but what one key shows is shown best by that key
            message = "no one order of these explains what all clients saw"
            parts = keys + everything if len(keys) > 1 else keys
            return _first_broken(parts, of, lambda part, until: is_sequential(part, of, until), message, deadline)
        case _:
            holds = SESSIONS[level]
            return _first_broken(everything, of, lambda part, _: holds(part), _BROKEN[level], deadline)


_BROKEN = {
    "read-your-writes": "a client does not read what it wrote",
    "monotonic-reads": "a client reads something older than before",
    "monotonic-writes": "writes of one client are seen in another order",
    "writes-follow-reads": "a write is seen before what its writer had read",
}


def _first_broken(
    parts: Iterable[list[Operation]], of: Object, judge: Judge, message: str, deadline: float | None
) -> Broken | None:
    """What is wrong with the first part that fails. Raises OutOfTime if none is known to fail, and one may."""
    late: OutOfTime | None = None
    for part in parts:
        try:
            if not judge(part, deadline):
                return smallest(part, of, judge, message)
        except OutOfTime as error:
            late = error
    if late is not None:
        raise late
    return None


# --- the part that shows it -----------------------------------------------------------------------


def smallest(operations: Sequence[Operation], of: Object, judge: Judge, message: str) -> Broken:
    """Few of the operations that are inconsistent as well; the last one is that whose answer made them so."""
    part = list(operations)
    try:
        for smaller in _smaller(operations, of, judge, time.monotonic() + _SHRINKING):
            part = smaller
    except OutOfTime:
        message += " (there was no time to leave out more operations)"
    last = max((o for o in part if o.end is not None), key=lambda o: o.end or 0)
    if of.invents(last, {of.made(o) for o in part}):
        message = "nobody had written what was read"
    return Broken(message, (*(o for o in part if o is not last), last))


def _smaller(whole: Sequence[Operation], of: Object, judge: Judge, until: float) -> Iterator[list[Operation]]:
    """Ever smaller parts that are inconsistent as well. Raises OutOfTime.

    First beginnings: what was not answered by then may be answered at any later time. The last answer of the shortest
    one is at fault. Then operations are left out, many at once and in the end one by one, each with those that saw what
    it wrote.
    """
    ends = sorted(o.end for o in whole if o.end is not None)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if _fails(beginning := _beginning(whole, ends[middle]), judge, until):
            high = middle
            yield beginning
        else:
            low = middle + 1
    yield (part := _beginning(whole, ends[high]))
    last = next(o for o in part if o.end == ends[high])
    if of.invents(last, {of.made(o) for o in part}):
        yield [last]
        return
    fault = last.begin
    for some in _recent(part, of):
        if _fails(some, judge, until):
            yield (part := some)
            break
    size = max(1, len(part) // 2)
    while size:
        i = 0
        while i < len(part):
            fewer = _limited([o for j, o in enumerate(part) if not i <= j < i + size or o.begin == fault], of)
            if len(fewer) < len(part) and any(o.begin == fault for o in fewer) and _fails(fewer, judge, until):
                yield (part := fewer)
            else:
                i += size
        size //= 2


def _recent(part: Sequence[Operation], of: Object) -> Iterator[list[Operation]]:
    """More and more of the operations that were answered last, with those that made what they saw."""
    makers: dict[Hashable, list[Operation]] = {}
    for operation in part:
        makers.setdefault(of.made(operation), []).append(operation)
    answered = sorted((o for o in part if o.end is not None), key=lambda o: o.end or 0, reverse=True)
    size = 4
    while size < len(part):
        todo, chosen = answered[:size], set[int]()
        while todo:
            operation = todo.pop()
            if operation.begin not in chosen:
                chosen.add(operation.begin)
                seen = of.seen(operation)
                todo += makers.get(seen, ()) if seen is not None else ()
        yield _limited([o for o in part if o.begin in chosen], of)
        size *= 4


def _beginning(operations: Sequence[Operation], end: int) -> list[Operation]:
    """The operations that began by then, as they were known at that time."""
    return [
        o if o.end is None or o.end <= end else Operation(o.process, o.f, o.key, o.value, o.value, o.begin, None)
        for o in operations
        if o.begin < end
    ]


def _limited(operations: Sequence[Operation], of: Object) -> list[Operation]:
    """Without those that saw what nobody here has made, which would be wrong by themselves."""
    rest = list(operations)
    while True:
        made = {of.made(o) for o in rest}
        fewer = [o for o in rest if (seen := of.seen(o)) is None or seen in made]
        if len(fewer) == len(rest):
            return [of.limited(o, made) for o in rest]
        rest = fewer


def _fails(part: Sequence[Operation], judge: Judge, until: float) -> bool:
    if time.monotonic() > until:
        raise OutOfTime
    return not judge(part, until)


# --- words ----------------------------------------------------------------------------------------


def _in_order(broken: Broken) -> list[Operation]:
    return sorted(broken.operations, key=lambda o: o.begin)


def _shown(operation: Operation, at_fault: bool) -> Answered:
    key = "" if operation.key is None else f" {operation.key}"
    match operation.f, operation.value:
        case "cas", (old, new):
            text = f"cas{key} {shown(old)} to {shown(new)}"
        case ("read" | "dequeue") as f, _:
            text = f"{f}{key}" + (f" gives {shown(operation.result)}" if operation.known else "")
        case f, value:
            text = f"{f}{key} {shown(value)}"
    return Answered(operation.process, text, operation.begin, operation.end, at_fault)
