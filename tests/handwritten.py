"""The protocols of `specs/` once more, by hand: each as initial states and a function from a state to its successors.

They share no code with the checker, so that the counts on which both agree are counts of the protocols.
States are tuples of integers, frozensets and tuples; -1 stands for none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, permutations, product
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


def paxos(acceptors: int, ballots: int, values: int, promisers: Sequence[tuple[int, ...]] = ()) -> Model:
    """Message sets as in Lamport's own TLA+ specification: 1a, 1b, 2a and 2b. Majorities promise, if none are named."""
    everyone, majority = range(acceptors), acceptors // 2 + 1
    quorums = promisers or list(combinations(everyone, majority))

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


def ring_election(nodes: int) -> Model:
    """After Chang and Roberts, round each seating of the nodes and with each distribution of the identities."""
    everyone = range(nodes)

    def successors(state: State) -> Iterator[State]:
        seats, ids, leaders, tokens = state
        for n in everyone:
            after = seats.index((seats[n] + 1) % nodes)
            yield (seats, ids, leaders, tokens | {(ids[n], after)})
            for i in everyone:
                if (i, n) in tokens and i == ids[n]:
                    yield (seats, ids, leaders | {n}, tokens)
                if (i, n) in tokens and i > ids[n]:
                    yield (seats, ids, leaders, tokens | {(i, after)})

    nothing: frozenset[Any] = frozenset()
    orders = list(permutations(everyone))
    return [(seats, ids, nothing, nothing) for seats, ids in product(orders, orders)], successors


def election(servers: int, terms: int, crashes: int) -> Model:
    """Sections 5.1 and 5.2 of the Raft paper, without logs."""
    everyone, majority = range(servers), servers // 2 + 1
    nobody: frozenset[int] = frozenset()

    def successors(state: State) -> Iterator[State]:
        term, voted, votes, leading, requests, cast, leads, left = state
        for n in everyone:

            def entered(
                t: int, vote: int, n: int = n, state: State = state
            ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[frozenset[int], ...], tuple[bool, ...]]:
                term, voted, votes, leading = state[:4]
                if t == term[n]:
                    return term, put(voted, n, vote), votes, leading
                return put(term, n, t), put(voted, n, vote), put(votes, n, nobody), put(leading, n, False)

            if (t := term[n] + 1) < terms:
                yield (*entered(t, n), requests | {(t, n)}, cast | {(t, n, n)}, leads, left)
            for t, m in requests:
                if t > term[n] or (t == term[n] and voted[n] in (-1, m)):
                    yield (*entered(t, m), requests, cast | {(t, n, m)}, leads, left)
            for t, m, candidate in cast:
                if candidate == n and t == term[n]:
                    counted = put(votes, n, votes[n] | {m})
                    if len(counted[n]) >= majority:
                        now = put(leading, n, True)
                        yield (term, voted, counted, now, requests, cast, leads | {(t, n)}, left)
                    else:
                        yield (term, voted, counted, leading, requests, cast, leads, left)
            for t, _ in leads:
                if t > term[n]:
                    yield (*entered(t, -1), requests, cast, leads, left)
            if left:
                yield (term, voted, put(votes, n, nobody), put(leading, n, False), requests, cast, leads, left - 1)

    start = ((0,) * servers, (-1,) * servers, (nobody,) * servers, (False,) * servers)
    return [(*start, nobody, nobody, nobody, crashes)], successors


def sharded_store(nodes: int, keys: int, values: int, numbers: int, messages: int) -> Model:
    """After the relational key-value store of mypyvy's benchmarks. Messages on their way are in a sorted tuple, at most
    so many; next to it stands what was ever sent, of which the lemmas speak."""
    everyone = range(nodes)

    def successors(state: State) -> Iterator[State]:
        table, last, unacked, received, written, air = state
        for n, k in product(everyone, range(keys)):
            if (here := table[n][k]) != -1:
                for v in range(values):
                    now = put(table, n, put(table[n], k, v))
                    yield (now, last, unacked, received, put(written, k, v), air)
                for m, i in product(everyone, range(last[n] + 1, numbers)):
                    now = put(table, n, put(table[n], k, -1))
                    kept = unacked | {(n, i, m, k, here)}
                    yield (now, put(last, n, i), kept, received, written, (*air, ("transfer", n, i, m, k, here)))
        for parcel in unacked:
            yield (table, last, unacked, received, written, (*air, ("transfer", *parcel)))
        for at, (kind, n, i, m, *content) in enumerate(air):
            others = (*air[:at], *air[at + 1 :])
            yield (table, last, unacked, received, written, others)
            if kind == "ack":
                kept = frozenset(p for p in unacked if p[:2] != (m, i))
                yield (table, last, kept, received, written, others)
                continue
            k, v = content
            now = table if (m, n, i) in received else put(table, m, put(table[m], k, v))
            yield (now, last, unacked, received | {(m, n, i)}, written, (*others, ("ack", m, i, n)))

    def few(state: State) -> Iterator[State]:
        *visible, sent = state
        for after in successors(tuple(visible)):
            if len(after[-1]) <= messages:
                yield (*after[:-1], tuple(sorted(after[-1])), sent | frozenset(after[-1]))

    starts = []
    nothing: frozenset[Any] = frozenset()
    for home in product(everyone, repeat=keys):
        table = tuple(tuple(0 if home[k] == n else -1 for k in range(keys)) for n in everyone)
        starts.append((table, (0,) * nodes, nothing, nothing, (0,) * keys, (), nothing))
    return starts, few
