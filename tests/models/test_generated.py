"""The models go through scenarios generated from their specs, and are in the state of the spec after each step."""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from checker.conform.generate import generate_all
from checker.conform.scenarios import to_json
from checker.language.frontend import load
from models import multi_paxos, paxos, raft
from models.log import Entry, Log
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


def acceptor(name: str, names: Iterable[str], boot: int) -> Node:
    return paxos.Acceptor(name, paxos.Roles((), tuple(names), ()), random.Random(boot), boot)


def plain(value: object) -> Json:
    """A value as scenarios have it: without what a key that is left out has anyway."""
    if isinstance(value, Log):
        return {str(i): shown(value[i]) for i in range(value.base + 1, value.last + 1)}
    told = shown(value)
    if isinstance(told, dict) and isinstance(value, dict):
        return {key: item for key, item in told.items() if item not in (None, False, 0, [], {})}
    return told


def plain_message(told: Mapping[str, Json]) -> Json:
    """A message with keys that are left out, which the models show as null."""
    fields = {k: {i: x for i, x in v.items() if x is not None} if isinstance(v, dict) else v for k, v in told.items()}
    return fields


class Driver:
    """Nodes of one model, which take the steps of a scenario."""

    def __init__(
        self, names: Iterable[Any], build: Callable[[Any, Iterable[Any], int], Node], read: Callable[[Json], Message]
    ) -> None:
        self.names, self.build, self.read = tuple(names), build, read
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
            method = getattr(node, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", action.replace("on ", "on_")).lower())
            method(self.read(step["received"]), step["received"].get("from", ""))
        else:
            method = getattr(node, action)
            wanted = inspect.signature(method).parameters
            method(**{key: value for key, value in step.get("args", {}).items() if key in wanted})
        return node

    def compare(self, node: Node, step: Json) -> None:
        state = node.state()
        assert {name: plain(state[name]) for name in step["after"]} == step["after"]
        sent = [
            (type(e.message).__name__, e.message.shown_to(e.to), plain_message(dict(shown_message(e.message))))
            for e in node.effects.sent
        ]
        wanted = [(m["type"], m.get("to"), plain_message(m["fields"])) for m in step["sent"]]
        assert sent == wanted


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


CASES = {
    "paxos": ("small", 20_000, acceptor, paxos_message, ("a0", "a1", "a2")),
    "raft": ("two_servers", 3_000, raft_server, raft_message, ("s0", "s1")),
    "multi_paxos": ("small", 8_000, multi_paxos_server, multi_paxos_message, ("a0", "a1", "a2", 0, 1)),
}


@pytest.mark.parametrize("spec", CASES)
def test_the_model_follows_the_spec(spec: str) -> None:
    instance, states, build, read, names = CASES[spec]
    suite = scenarios(spec, instance, states)
    steps = 0
    for scenario in suite["instances"][0]["scenarios"]:
        driver = Driver(names, build, read)
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
