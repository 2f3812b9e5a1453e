"""The cases in Promela, written for speed: one process, one `d_step` for each instance of an action, sets as bit masks.

A `d_step` at the top of the loop is one transition, so SPIN stores exactly the reachable states of the protocol. What
the properties forbid is one more option, which fails an assertion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations


def model(declarations: str, steps: Iterable[str], violations: Iterable[str]) -> str:
    """A whole model; each step is `guard -> effects`, each violation a condition."""
    options = [f"({' || '.join(violations)}) -> assert(false)", *steps]
    body = "\n".join(f"  :: d_step {{ {option} }}" for option in options)
    return f"{declarations}\nactive proctype main() {{\nend:\n  do\n{body}\n  od\n}}\n"


def two_phase_commit(managers: int) -> str:
    """Phases: 0 working, 1 prepared, 2 committed, 3 aborted."""
    everyone = (1 << managers) - 1

    def steps() -> Iterator[str]:
        yield f"(!decided && heard == {everyone}) -> decided = 1; commits = 1"
        yield "(!decided) -> decided = 1; aborts = 1"
        for r in range(managers):
            yield f"(!decided && (prepared & {1 << r})) -> heard = heard | {1 << r}"
            yield f"(phase[{r}] == 0) -> phase[{r}] = 1; prepared = prepared | {1 << r}"
            yield f"(phase[{r}] == 0) -> phase[{r}] = 3"
            yield f"(commits) -> phase[{r}] = 2"
            yield f"(aborts) -> phase[{r}] = 3"

    def some(phase: int) -> str:
        return "(" + " || ".join(f"phase[{r}] == {phase}" for r in range(managers)) + ")"

    declarations = f"byte phase[{managers}]; bool decided, commits, aborts; short heard, prepared;"
    return model(declarations, steps(), [f"({some(2)} && {some(3)})"])


def paxos(acceptors: int, ballots: int, values: int) -> str:
    """Ballots and values count from 1, with 0 for none; bit 0 of a promise says that there was no vote before it,
    and bit 1 + k * values + v that the latest one was for value v in ballot k."""
    steps = [
        *_prepares(ballots),
        *_promises(acceptors, ballots, values),
        *_proposals(acceptors, ballots, values),
        *_votes(acceptors, ballots, values),
    ]
    declarations = (
        f"byte promised[{acceptors}]; byte vote_ballot[{acceptors}]; byte vote_value[{acceptors}]; byte prepare;\n"
        f"short promise[{acceptors * ballots}]; byte accept[{ballots}]; byte accepted[{acceptors * ballots}];"
    )
    return model(declarations, steps, _disagreements(acceptors, ballots, values))


def _prepares(ballots: int) -> Iterator[str]:
    for b in range(ballots):
        yield f"(!(prepare & {1 << b})) -> prepare = prepare | {1 << b}"


def _promises(acceptors: int, ballots: int, values: int) -> Iterator[str]:
    for a in range(acceptors):
        latest = f"(vote_ballot[{a}] - 1) * {values} + vote_value[{a}] - 1"
        for b in range(ballots):
            cell = f"promise[{a * ballots + b}]"
            tell = f"if :: vote_ballot[{a}] == 0 -> {cell} = 1 :: else -> {cell} = {cell} | (2 << ({latest})) fi"
            yield f"((prepare & {1 << b}) && promised[{a}] < {b + 1}) -> promised[{a}] = {b + 1}; {tell}"


def _proposals(acceptors: int, ballots: int, values: int) -> Iterator[str]:
    majority = acceptors // 2 + 1
    for b in range(ballots):
        cells = [f"promise[{a * ballots + b}]" for a in range(acceptors)]
        for v in range(values):
            safe = []
            for k in range(b + 1):  # the latest vote that a majority reports is of ballot k, or there is none
                known = (1 << (1 + k * values)) - 1
                enough = " + ".join(f"(({cell} & {known}) != 0)" for cell in cells) + f" >= {majority}"
                report = " || ".join(f"({cell} & {2 << ((k - 1) * values + v)})" for cell in cells) if k else "true"
                safe.append(f"(({report}) && {enough})")
            yield f"(accept[{b}] == 0 && ({' || '.join(safe)})) -> accept[{b}] = {1 << v}"


def _votes(acceptors: int, ballots: int, values: int) -> Iterator[str]:
    for a in range(acceptors):
        for b in range(ballots):
            cell = f"accepted[{a * ballots + b}]"
            for v in range(values):
                guard = f"(accept[{b}] & {1 << v}) && promised[{a}] <= {b + 1} && !({cell} & {1 << v})"
                vote = f"promised[{a}] = {b + 1}; vote_ballot[{a}] = {b + 1}; vote_value[{a}] = {v + 1}"
                yield f"({guard}) -> {vote}; {cell} = {cell} | {1 << v}"


def _disagreements(acceptors: int, ballots: int, values: int) -> Iterator[str]:
    for b in range(ballots):
        yield f"(accept[{b}] & (accept[{b}] - 1))"
    majorities = list(combinations(range(acceptors), acceptors // 2 + 1))

    def chosen(v: int) -> str:
        votes = (
            " & ".join(f"accepted[{a * ballots + b}]" for a in quorum) + f" & {1 << v}"
            for b in range(ballots)
            for quorum in majorities
        )
        return "(" + " || ".join(f"({vote})" for vote in votes) + ")"

    for v, w in combinations(range(values), 2):
        yield f"({chosen(v)} && {chosen(w)})"
