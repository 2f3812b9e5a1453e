"""Hand-made verdicts for the tests of reports: a run of Paxos and small ones for single features."""

from __future__ import annotations

from dataclasses import replace

from checker.verdict import (
    ActionCount,
    Assurance,
    Census,
    Clause,
    Expectation,
    MapValue,
    Place,
    PropertyResult,
    RecordValue,
    SetValue,
    Status,
    Step,
    Trace,
    Value,
    Variable,
    Verdict,
)

ACCEPTORS = ("a0", "a1", "a2")


def place(line: int, text: str = "") -> Place:
    return Place("specs/paxos.spec", line, 5, text)


def vote(ballot: int, value: str) -> RecordValue:
    return RecordValue("Vote", (("ballot", ballot), ("value", value)))


def prepare(ballot: int) -> RecordValue:
    return RecordValue("Prepare", (("ballot", ballot),))


def promise(ballot: int, last: Value, sender: str) -> RecordValue:
    return RecordValue("Promise", (("ballot", ballot), ("last", last), ("from", sender)))


def accept(ballot: int, value: str) -> RecordValue:
    return RecordValue("Accept", (("ballot", ballot), ("value", value)))


def accepted(ballot: int, value: str, sender: str) -> RecordValue:
    return RecordValue("Accepted", (("ballot", ballot), ("value", value), ("from", sender)))


class PaxosRun:
    """Builds a trace of Paxos step by step; each method takes one step."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, Value]] = {name: dict.fromkeys(ACCEPTORS) for name in ("promised", "voted")}
        self.sent: set[RecordValue] = set()
        self.steps: list[Step] = []
        self.states = [self.state()]

    def state(self) -> tuple[Value, ...]:
        maps = tuple(MapValue(tuple(self.fields[name].items())) for name in ("promised", "voted"))
        sent = SetValue(tuple(sorted((m for m in self.sent), key=str)))
        return (*maps, sent, len(self.sent))

    def take(self, step: Step) -> PaxosRun:
        self.sent |= set(step.sent)
        self.steps.append(step)
        self.states.append(self.state())
        return self

    def prepare(self, ballot: int) -> PaxosRun:
        return self.take(Step("prepare", "action", (("b", ballot),), sent=(prepare(ballot),), place=place(36)))

    def propose(self, ballot: int, quorum: tuple[str, ...], value: str) -> PaxosRun:
        arguments: tuple[tuple[str, Value], ...] = (("b", ballot), ("q", SetValue(quorum)), ("v", value))
        return self.take(Step("propose", "action", arguments, sent=(accept(ballot, value),), place=place(39)))

    def promise(self, node: str, ballot: int) -> PaxosRun:
        reply = promise(ballot, self.fields["voted"][node], node)
        self.fields["promised"][node] = ballot
        return self.take(Step("Acceptor.on Prepare", "on", (), node, prepare(ballot), (reply,), place(22)))

    def accept(self, node: str, ballot: int, value: str) -> PaxosRun:
        self.fields["promised"][node] = ballot
        self.fields["voted"][node] = vote(ballot, value)
        reply = accepted(ballot, value, node)
        return self.take(Step("Acceptor.on Accept", "on", (), node, accept(ballot, value), (reply,), place(27)))

    def trace(self) -> Trace:
        variables = (
            Variable("Acceptor.promised", "Acceptor"),
            Variable("Acceptor.voted", "Acceptor"),
            Variable("sent", network=True),
            Variable("count", ghost=True),
        )
        return Trace(variables, tuple(self.states), tuple(self.steps))


def disagreement() -> Trace:
    """Twelve steps to two chosen values, when proposers ignore the votes that they hear of."""
    run = PaxosRun()
    run.prepare(0).promise("a0", 0).promise("a1", 0).propose(0, ("a0", "a1"), "v0")
    run.accept("a0", 0, "v0").accept("a1", 0, "v0")
    run.prepare(1).promise("a1", 1).promise("a2", 1).propose(1, ("a1", "a2"), "v1")
    return run.accept("a1", 1, "v1").accept("a2", 1, "v1").trace()


AGREEMENT = "forall v, w in Value: chosen(v) and chosen(w) => v == w"

SIZES = (("Acceptor", "3"), ("Ballot", "2"), ("Value", "2"))


def failed_agreement() -> PropertyResult:
    because = (
        Clause("chosen(v)", (("b", 0), ("q", SetValue(("a0", "a1"))))),
        Clause("chosen(w)", (("b", 1), ("q", SetValue(("a1", "a2"))))),
    )
    clause = Clause(AGREEMENT, (("v", "v0"), ("w", "v1")), place(52), because)
    return PropertyResult("Agreement", "invariant", Status.VIOLATED, place(51), disagreement(), (clause,))


def witness() -> PropertyResult:
    run = PaxosRun()
    run.prepare(0).promise("a0", 0).promise("a1", 0).propose(0, ("a0", "a1"), "v0")
    run.accept("a0", 0, "v0").accept("a1", 0, "v0")
    clause = Clause("exists v in Value: chosen(v)", (("v", "v0"),), place(55))
    return PropertyResult("SomethingIsChosen", "reachable", Status.REACHED, place(54), run.trace(), (clause,))


def actions(never: bool = False) -> tuple[ActionCount, ...]:
    return (
        ActionCount("prepare", 7842, 1200, place(36)),
        ActionCount("propose", 0 if never else 934, 0 if never else 610, place(39)),
        ActionCount("Acceptor.on Prepare", 5100, 1911, place(22)),
        ActionCount("Acceptor.on Accept", 0 if never else 2100, 0 if never else 200, place(27)),
    )


def violated() -> Verdict:
    other = PropertyResult("SomethingIsChosen", "reachable", Status.REACHED, place(54), witness().trace)
    deadlock = PropertyResult("Deadlock", "deadlock", Status.UNKNOWN)
    census = Census(5120, 11204, 12, 300, actions())
    return Verdict(
        "Paxos", "small", "interpreter", Assurance.VIOLATED, (failed_agreement(), other, deadlock), SIZES, census,
        seconds=1.25,
    )  # fmt: skip


def violated_as_expected() -> Verdict:
    expected = Expectation("violated Agreement after 12 steps", True, "12 steps", place(60), "Agreement")
    return replace(violated(), expectations=(expected,))


def holding() -> Verdict:
    properties = (
        PropertyResult("Agreement", "invariant", Status.HOLDS, place(51)),
        PropertyResult("PromisesGrow", "step", Status.HOLDS, place(58)),
        witness(),
        PropertyResult("Deadlock", "deadlock", Status.HOLDS),
    )
    census = Census(3921, 15976, 17, 0, actions(), (("end of Ballot", 120), ("crashes <= 1", 0)), ())
    expectations = (Expectation("states 3921", True, "3921", place(60)),)
    return Verdict(
        "Paxos", "small", "interpreter", Assurance.EXHAUSTIVE, properties, SIZES, census, expectations, seconds=0.84
    )
