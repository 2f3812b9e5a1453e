"""Sequential consistency: whether there is one order of all operations that each process could have seen.

After Lamport, "How to Make a Multiprocessor Computer That Correctly Executes Multiprocess Programs" (1979). It is not
local, so all keys are searched together. A read that is right now is taken at once: it takes nothing from others.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping, Sequence

from checker.history.linear import OutOfTime
from checker.history.models import Object, State
from checker.history.operations import Operation

_States = Mapping[Hashable, State]
_Place = tuple[tuple[int, ...], tuple[tuple[Hashable, State], ...]]


def is_sequential(operations: Sequence[Operation], of: Object, deadline: float | None = None) -> bool:
    """Whether the operations are sequentially consistent. Raises OutOfTime."""
    search = _Search(operations, of)
    start: tuple[tuple[int, ...], dict[Hashable, State]] = ((0,) * len(search.processes), {})
    seen: set[_Place] = set()
    todo = [start]
    while todo:
        at, states = search.eager(*todo.pop())
        if search.is_over(at):
            return True
        place = (at, tuple(sorted(states.items(), key=lambda item: repr(item[0]))))
        if place in seen:
            continue
        seen.add(place)
        if deadline is not None and len(seen) % 256 == 0 and time.monotonic() > deadline:
            raise OutOfTime
        todo.extend(reversed(list(search.following(at, states))))
    return False


class _Search:
    def __init__(self, operations: Sequence[Operation], of: Object) -> None:
        by_process: dict[int, list[Operation]] = {}
        for operation in operations:
            by_process.setdefault(operation.process, []).append(operation)
        self.processes = list(by_process.values())
        self.of = of

    def is_over(self, at: tuple[int, ...]) -> bool:
        """Whether all operations that were answered are done."""
        return all(not any(o.known for o in ops[i:]) for i, ops in zip(at, self.processes, strict=True))

    def eager(
        self, at: tuple[int, ...], states: dict[Hashable, State]
    ) -> tuple[tuple[int, ...], dict[Hashable, State]]:
        """After all reads that are right now."""
        places, moved = list(at), True
        while moved:
            moved = False
            for p, operations in enumerate(self.processes):
                while places[p] < len(operations):
                    operation = operations[places[p]]
                    state = states.get(operation.key, self.of.initial)
                    if operation.f != "read" or self.of.step(state, operation) is None:
                        break
                    places[p] += 1
                    moved = True
        return tuple(places), states

    def following(
        self, at: tuple[int, ...], states: dict[Hashable, State]
    ) -> Iterator[tuple[tuple[int, ...], dict[Hashable, State]]]:
        for p, operations in enumerate(self.processes):
            if at[p] == len(operations):
                continue
            operation = operations[at[p]]
            next_at = (*at[:p], at[p] + 1, *at[p + 1 :])
            found = self.of.step(states.get(operation.key, self.of.initial), operation)
            if found is not None:
                yield next_at, {**states, operation.key: found[0]}
            if not operation.known:
                yield next_at, states  # perhaps it was never done
