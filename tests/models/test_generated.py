"""The models go through scenarios generated from their specs, and are in the state of the spec after each step."""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from checker.conform.generate import generate_all
from checker.conform.scenarios import to_json
from checker.language.frontend import load
from models import multi_paxos, paxos, raft, zab
from models.log import Entry, Numbered
from models.node import Effects, Message, Node
from models.raft_extended import ExtendedServer
from models.trace import shown

ROOT = Path(__file__).parent.parent.parent
Json = Any

# No run takes this path: a vote of a later term makes a follower of the server that counts it.
NEVER = "path Server.on Vote: t > term; m.granted and m.term == term and mode == candidate"

# Two servers are too few, or the bound is too low, for a leader that has what a server of an earlier term has not.
LATER = "path Server.on AppendEntries: not (m.term < term); t > term"


@cache
def scenarios(spec: str, instance: str, states: int) -> Json:
    loaded = load(ROOT / "specs" / f"{spec}.spec").spec
    decl = next(d for d in loaded.instances if d.name == instance)
    return to_json(generate_all(loaded, [decl], states))


# --- how each model is driven ---------------------------------------------------------------------


def raft_message(told: Json) -> Message:
    fields = dict(told["fields"])
    if told["type"] == "AppendEntries":
        entries = {int(i): Entry(**entry) for i, entry in fields.pop("entries").items()}
        fields.pop("last_index")
        fields["entries"] = tuple(entries[i] for i in sorted(entries))
    kind: type[Message] = getattr(raft, told["type"])
    return kind(**fields)


def paxos_message(told: Json) -> Message:
    fields = dict(told["fields"])
    if fields.get("last") is not None:
        fields["last"] = paxos.Vote(**fields["last"])
    kind: type[Message] = getattr(paxos, told["type"])
    return kind(**fields)


def raft_server(name: str, names: Iterable[str], boot: int) -> Node:
    return ExtendedServer(name, tuple(names), random.Random(boot), boot)


def multi_paxos_message(told: Json) -> Message:
    fields = dict(told["fields"])
    if "votes" in fields:
        fields["votes"] = {int(s): multi_paxos.Vote(**vote) for s, vote in fields["votes"].items()}
    kind: type[Message] = getattr(multi_paxos, told["type"])
    return kind(told["from"] if "to" not in told else told["to"], **fields)


def multi_paxos_server(name: str | int, names: Iterable[str | int], boot: int) -> Node:
    """Of the nodes of the spec, those with numbers are the leaders of these ballots."""
    node = multi_paxos.Server(str(name), [n for n in names if isinstance(n, str)], random.Random(boot), boot)
    node.ballot = name if isinstance(name, int) else None
    return node


def zab_message(told: Json) -> Message:
    fields = dict(told["fields"])
    if "history" in fields:
        fields["history"] = tuple(zab.Txn(**fields["history"][str(i + 1)]) for i in range(fields.pop("last")))
    if told["type"] == "Notification":
        fields |= {"standing": zab.Standing(fields["standing"]), "vote": zab.Vote(**fields["vote"])}
    kind: type[Message] = getattr(zab, told["type"])
    return kind(**fields)


def zab_server(name: str, names: Iterable[str], boot: int) -> Node:
    return zab.Server(name, names, random.Random(boot), boot)


def acceptor(name: str, names: Iterable[str], boot: int) -> Node:
    return paxos.Acceptor(name, paxos.Roles((), tuple(names), ()), random.Random(boot), boot)


BLANK = (None, False, 0, [], {})


def plain(value: object, blank: Collection[Json] = BLANK) -> Json:
    """A value as scenarios have it: without what a key that is left out has anyway."""
    if isinstance(value, Numbered):
        return {str(i): shown(value[i]) for i in range(value.base + 1, value.last + 1)}
    told = shown(value)
    if isinstance(told, dict) and isinstance(value, dict):
        return {key: item for key, item in told.items() if item not in blank}
    return told


def plain_message(told: Mapping[str, Json]) -> Json:
    """A message with keys that are left out, which the models show as null."""
    fields = {k: {i: x for i, x in v.items() if x is not None} if isinstance(v, dict) else v for k, v in told.items()}
    return fields


WORDS = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"  # where a word of a name begins: Request|Vote, C|Epoch
Build = Callable[[Any, Iterable[Any], int], Node]
Read = Callable[[Json], Message]


class Driver:
    """Nodes of one model, which take the steps of a scenario. `blank` is what keys that are left out may have."""

    def __init__(self, names: Iterable[Any], build: Build, read: Read, blank: Collection[Json] = BLANK) -> None:
        self.names, self.build, self.read, self.blank = tuple(names), build, read, blank
        self.nodes = {name: build(name, self.names, 0) for name in self.names}

    def take(self, step: Json) -> Node | None:
        """Takes the step; None for steps of nobody in the model."""
        if step.get("node") is None:
            return None
        name, action = step["node"], step["action"]
        node = self.nodes[name]
        if action == "crash":
            held = node.durable()
            node = self.nodes[name] = self.build(name, self.names, node.boot + 1)
            node.restore(held)
            return node
        node.effects = Effects()
        if "received" in step:
            method = getattr(node, re.sub(WORDS, "_", action.replace("on ", "on_")).lower())
            method(self.read(step["received"]), step["received"].get("from", ""))
        else:
            method = getattr(node, action)
            wanted = inspect.signature(method).parameters
            method(**{key: value for key, value in step.get("args", {}).items() if key in wanted})
        return node

    def compare(self, node: Node, step: Json) -> None:
        state = node.state()
        assert {name: plain(state[name], self.blank) for name in step["after"]} == step["after"]
        sent = [
            (type(e.message).__name__, e.message.shown_to(e.to), plain_message(dict(shown_message(e.message))))
            for e in node.effects.sent
        ]
        wanted = [(m["type"], m.get("to"), plain_message(m["fields"])) for m in step["sent"]]
        assert sorted(sent, key=receiver) == sorted(wanted, key=receiver)


def receiver(sent: tuple[str, str | int | None, Json]) -> str:
    """Only what goes to the same node has an order."""
    return str(sent[1])


def shown_message(message: Message) -> Iterable[tuple[str, Json]]:
    return ((name, shown(value)) for name, value in message.shown().items())


def in_words_of_the_model(told: Json, words: Mapping[str, str]) -> Json:
    match told:
        case str():
            return words.get(told, told)
        case dict():
            return {key: in_words_of_the_model(item, words) for key, item in told.items()}
        case list():
            return [in_words_of_the_model(item, words) for item in told]
        case _:
            return told


@dataclass(frozen=True)
class Case:
    """A model, and so many states of an instance of its spec, which has these nodes."""

    spec: str
    instance: str
    states: int
    build: Build
    read: Read
    names: tuple[str | int, ...]
    blank: Collection[Json] = BLANK

    def driver(self, constants: Mapping[str, Json]) -> Driver:
        """For a scenario under these constants; a server of Zab has its place among all as its id."""
        ids = constants.get("id", {})
        names = sorted(self.names, key=lambda name: ids.get(name, 0))
        return Driver(names, self.build, self.read, self.blank)


CASES = (
    Case("paxos", "small", 20_000, acceptor, paxos_message, ("a0", "a1", "a2")),
    Case("raft", "two_servers", 3_000, raft_server, raft_message, ("s0", "s1")),
    Case("multi_paxos", "small", 8_000, multi_paxos_server, multi_paxos_message, ("a0", "a1", "a2", 0, 1)),
    Case("zab_election", "two_servers", 4_000, zab_server, zab_message, ("s0", "s1"), (None,)),
    Case("zab_election", "three_servers", 6_000, zab_server, zab_message, ("s0", "s1", "s2"), (None,)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.spec}-{case.instance}")
def test_the_model_follows_the_spec(case: Case) -> None:
    suite = scenarios(case.spec, case.instance, case.states)
    steps = 0
    for scenario in suite["instances"][0]["scenarios"]:
        driver = case.driver(scenario["constants"])
        noop = scenario["constants"].get("noop")
        for step in in_words_of_the_model(scenario["steps"], {} if noop is None else {noop: raft.NOOP}):
            node = driver.take(step)
            if node is not None:
                driver.compare(node, step)
                steps += 1
    assert steps > 15


def test_a_model_that_does_otherwise_is_found_out() -> None:
    class Forgetful(paxos.Acceptor):
        def on_accept(self, m: paxos.Accept, sender: str) -> None:
            self.promised = m.ballot
            self.send(paxos.Accepted(m.ballot, m.value))

    def build(name: str, names: Iterable[str], boot: int) -> Node:
        return Forgetful(name, paxos.Roles((), tuple(names), ()), random.Random(boot), boot)

    def go() -> None:
        for scenario in scenarios("paxos", "small", 20_000)["instances"][0]["scenarios"]:
            driver = Driver(("a0", "a1", "a2"), build, paxos_message)
            for step in scenario["steps"]:
                node = driver.take(step)
                if node is not None:
                    driver.compare(node, step)

    with pytest.raises(AssertionError):
        go()


def test_what_the_scenarios_of_paxos_cover() -> None:
    suite = scenarios("paxos", "small", 20_000)
    covered = {goal for scenario in suite["instances"][0]["scenarios"] for goal in scenario["covers"]}
    assert suite["missed"] == []
    assert {"action propose", "reachable TwoBallotsChoose", "path Acceptor.on Accept"} <= covered


def test_what_the_scenarios_of_raft_cover() -> None:
    suite = scenarios("raft", "two_servers", 3_000)
    covered = {goal for scenario in suite["instances"][0]["scenarios"] for goal in scenario["covers"]}
    assert suite["impossible"] == [NEVER]
    assert NEVER not in suite["missed"]
    assert all(goal.startswith(LATER) for goal in suite["missed"] if goal.startswith("path "))
    assert {"action Server.crash", "border end of Index", "reachable LeaderStepsDown"} <= covered
    assert sum(goal.startswith("path ") for goal in covered) >= 18


def test_what_the_scenarios_of_zab_cover() -> None:
    suites = [scenarios(case.spec, case.instance, case.states) for case in CASES if case.spec == "zab_election"]
    covered = {goal for suite in suites for s in suite["instances"][0]["scenarios"] for goal in s["covers"]}
    steps = ("look", "tell_again", "on Notification", "elect", "join", "give_up", "establish", "advance_commit")
    assert {f"action Server.{step}" for step in steps} | {"reachable SplitVoteEnds"} <= covered
    assert sum(goal.startswith("path Server.on Notification") for goal in covered) >= 7
