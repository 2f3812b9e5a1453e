"""The protocols of `specs/` once more, by hand: each as initial states and a function from a state to its successors.

They share no code with the checker, so that the counts on which both agree are counts of the protocols.
States are tuples of integers, frozensets and tuples; -1 stands for none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, product
from typing import Any

State = tuple[Any, ...]
Model = tuple[list[State], Callable[[State], Iterable[State]]]


def count(model: Model) -> int:
    """How many states are reachable."""
    initial, successors = model
    seen = set(initial)
    todo = list(initial)
    while todo:
        for state in successors(todo.pop()):
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return len(seen)


def put(row: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*row[:place], value, *row[place + 1 :])


def paxos(acceptors: int, ballots: int, values: int) -> Model:
    """Message sets as in Lamport's own TLA+ specification: 1a, 1b, 2a and 2b."""
    everyone, majority = range(acceptors), acceptors // 2 + 1
    quorums = list(combinations(everyone, majority))

    def safe(promises: frozenset[Any], b: int, v: int) -> bool:
        for quorum in quorums:
            heard = {(a, last) for a, ballot, last in promises if ballot == b and a in quorum}
            if {a for a, _ in heard} == set(quorum):
                votes = [last for _, last in heard if last != -1]
                if not votes or max(votes)[1] == v:
                    return True
        return False

    def successors(state: State) -> Iterator[State]:
        promised, voted, prepares, promises, accepts, accepteds = state
        for b in range(ballots):
            yield (promised, voted, prepares | {b}, promises, accepts, accepteds)
            if all(ballot != b for ballot, _ in accepts):
                for v in range(values):
                    if safe(promises, b, v):
                        yield (promised, voted, prepares, promises, accepts | {(b, v)}, accepteds)
        for a, b in product(everyone, prepares):
            if promised[a] < b:
                yield (put(promised, a, b), voted, prepares, promises | {(a, b, voted[a])}, accepts, accepteds)
        for a, (b, v) in product(everyone, accepts):
            if promised[a] <= b:
                votes = accepteds | {(a, b, v)}
                yield (put(promised, a, b), put(voted, a, (b, v)), prepares, promises, accepts, votes)

    nothing: frozenset[Any] = frozenset()
    return [((-1,) * acceptors, (-1,) * acceptors, nothing, nothing, nothing, nothing)], successors


def two_phase_commit(managers: int) -> Model:
    """After the TLA+ module TwoPhase of Gray and Lamport's paper."""
    working, prepared, committed, aborted = range(4)
    everyone = frozenset(range(managers))

    def successors(state: State) -> Iterator[State]:
        phase, decision, heard, messages = state
        if decision == "init":
            if heard == everyone:
                yield (phase, "committed", heard, messages | {"Commit"})
            yield (phase, "aborted", heard, messages | {"Abort"})
        for r in everyone:
            if decision == "init" and r in messages:
                yield (phase, decision, heard | {r}, messages)
            if phase[r] == working:
                yield (put(phase, r, prepared), decision, heard, messages | {r})
                yield (put(phase, r, aborted), decision, heard, messages)
            if "Commit" in messages:
                yield (put(phase, r, committed), decision, heard, messages)
            if "Abort" in messages:
                yield (put(phase, r, aborted), decision, heard, messages)

    return [((working,) * managers, "init", frozenset(), frozenset())], successors


def peterson(processes: int) -> Model:
    """The loop of Peterson's paper with a program counter; processes are numbered from 0."""
    everyone = range(processes)

    def successors(state: State) -> Iterator[State]:
        counter, level, last, seen = state
        for p in everyone:
            here = level[p]
            match counter[p]:
                case "climb":
                    yield (put(counter, p, "announce"), put(level, p, here + 1), last, seen)
                case "announce":
                    yield (put(counter, p, "wait"), level, put(last, here, p), seen)
                case "wait":
                    for q in everyone:
                        if q != p and level[q] < here:
                            yield (counter, level, last, put(seen, p, seen[p] | {q}))
                    if last[here] != p or len(seen[p]) == processes - 1:
                        then = "critical" if here == processes - 1 else "climb"
                        yield (put(counter, p, then), level, last, put(seen, p, frozenset()))
                case "critical":
                    yield (put(counter, p, "climb"), put(level, p, 0), last, seen)

    nobody: frozenset[int] = frozenset()
    idle = (("climb",) * processes, (0,) * processes)
    starts = product(everyone, repeat=processes - 1)
    return [(*idle, (-1, *last), (nobody,) * processes) for last in starts], successors


def lock_epochs(nodes: int, epochs: int, first: int | None = None) -> Model:
    """After the relational lock server of Ivy's examples; each node is first, if none is named."""
    everyone = range(nodes)

    def successors(state: State) -> Iterator[State]:
        chosen, epoch, holds, transfers, locked = state
        for n, m, e in product(everyone, everyone, range(epochs)):
            if holds[n] and e > epoch[n]:
                yield (chosen, epoch, put(holds, n, False), transfers | {(n, m, e)}, locked)
        for _, n, e in transfers:
            if e > epoch[n]:
                yield (chosen, put(epoch, n, e), put(holds, n, True), transfers, locked | {(n, e)})

    nothing: frozenset[Any] = frozenset()
    candidates = everyone if first is None else [first]
    starts = [(c, (0,) * nodes, tuple(n == c for n in everyone), nothing, nothing) for c in candidates]
    return starts, successors
