"""Recorded runs against specs: what is accepted, what is not and why, and what a trace may leave out."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from checker.cli.app import quorate
from checker.cli.outcome import Exit
from checker.conform.follow import Options, conform
from checker.conform.mapping import read_map
from checker.conform.messages import Hypothesis, Messages
from checker.language.frontend import load, load_source
from checker.language.ir import Spec
from checker.source import Source, SpecError
from checker.verdict import Conformance, Conforms, SetValue
from models.plan import Features, planned
from models.protocols import PROTOCOLS
from models.simulator import simulate

ROOT = Path(__file__).parent.parent.parent
TRACES = ROOT / "tests" / "models" / "traces"
RAFT, SNAPSHOTS, PAXOS, MULTI, ZAB = (
    load(ROOT / "specs" / f"{name}.spec").spec
    for name in ("raft", "raft_snapshots", "paxos", "multi_paxos", "zab_election")
)

Json = dict[str, Any]


def lines(name: str) -> list[Json]:
    return [json.loads(line) for line in (TRACES / f"{name}.ndjson").read_text().splitlines()]


@pytest.fixture
def follow(tmp_path: Path) -> Callable[..., Conformance]:
    """Checks events, or several files of them."""

    def check(spec: Spec, *files: Iterable[Json], map_text: str | None = None, **options: Any) -> Conformance:
        paths = []
        for i, events in enumerate(files):
            paths.append(str(tmp_path / f"{i}.ndjson"))
            Path(paths[-1]).write_text("".join(json.dumps(event) + "\n" for event in events))
        renaming = None
        if map_text is not None:
            (tmp_path / "map.toml").write_text(map_text)
            renaming = read_map(str(tmp_path / "map.toml"))
        return conform(spec, paths, renaming, Options(**options))

    return check


# --- what models write ----------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "name"), [(RAFT, "raft"), (PAXOS, "paxos"), (MULTI, "multi-paxos"), (ZAB, "zab")])
def test_the_samples_conform(spec: Spec, name: str) -> None:
    answer = conform(spec, [str(TRACES / f"{name}.ndjson")])
    assert answer.answer is Conforms.YES and answer.accepted == answer.events == len(lines(name)) - 1


def test_the_trace_of_the_documentation_conforms(follow: Callable[..., Conformance]) -> None:
    text = (ROOT / "docs" / "trace-format.md").read_text()
    block = text.split("<!-- trace of: specs/raft.spec -->\n```json\n")[1].split("```")[0]
    answer = follow(RAFT, [json.loads(line) for line in block.splitlines()])
    assert answer.answer is Conforms.YES and answer.accepted == 11


@pytest.mark.parametrize("seed", range(12))
def test_a_wrong_value_is_found_where_it_is(follow: Callable[..., Conformance], seed: int) -> None:
    """A term, a ballot or an index that is changed in some event is the event at fault."""
    rng = random.Random(seed)
    spec, name, fields = rng.choice([(RAFT, "raft", ("term", "last", "commit")), (PAXOS, "paxos", ("promised",))])
    events = lines(name)
    number = rng.choice([i for i, e in enumerate(events) if i and any(f in e.get("set", {}) for f in fields)])
    field = next(f for f in fields if f in events[number]["set"])
    events[number]["set"][field] += 1
    answer = follow(spec, events)
    assert answer.answer is Conforms.NO and answer.fault is not None
    assert answer.fault.line == number + 1 and answer.accepted == number - 1
    said = [d for o in answer.fault.obstacles for d in o.differences]
    assert any(f".{field} " in d or d.startswith(f"{field} ") for d in said), said


def test_a_lost_event_is_missed(follow: Callable[..., Conformance]) -> None:
    events = lines("paxos")
    gone = next(i for i, e in enumerate(events) if e.get("action") == "on Accept")
    answer = follow(PAXOS, events[:gone] + events[gone + 1 :])
    assert answer.answer is Conforms.NO and answer.accepted >= gone - 1


def test_the_guard_that_blocks_is_named_with_its_values(follow: Callable[..., Conformance]) -> None:
    head = {"trace": 1, "nodes": {"Acceptor": ["a0", "a1", "a2"]}, "ordered": True}
    events = [
        head,
        {"action": "prepare", "args": {"b": 1}, "sent": [{"id": "p", "type": "Prepare", "fields": {"ballot": 1}}]},
        {"node": "a0", "action": "on Prepare", "received": "p"},
        {"node": "a0", "action": "on Prepare", "received": "p"},
    ]
    answer = follow(PAXOS, events)
    assert answer.fault is not None and answer.accepted == 2
    (obstacle,) = answer.fault.obstacles
    assert obstacle.kind == "guard" and obstacle.clause is not None
    assert obstacle.clause.text == "promised < m.ballot"
    assert ("promised", 1) in [pair for fact in obstacle.clause.because for pair in fact.witnesses]
    assert obstacle.clause.place is not None and obstacle.clause.place.line == 32


TWO = {"trace": 1, "ordered": True, "nodes": {"Node": ["a", "b"]}}
ROUNDS = {**TWO, "constants": {"rounds": 2, "input": {"a": 0, "b": 0}}}
CUT = {**TWO, "constants": {"home": "a", "consistent": True}}
WRITE = {"node": "a", "action": "write", "sent": [{"id": "w", "type": "Copy"}]}


@pytest.mark.parametrize(
    ("name", "events", "said"),
    [
        ("floodset", [ROUNDS, {"node": "a", "action": "flood"}, {"node": "a", "action": "flood"}], "its turn in this"),
        ("floodset", [ROUNDS, {"node": "a", "action": "flood"}, {"node": "b", "action": "on Flood"}], "not all have"),
        ("floodset", [ROUNDS, {"node": "a", "action": "stop"}, {"node": "a", "action": "flood"}], "it has stopped"),
        ("floodset", [ROUNDS, {"node": "a", "action": "crash"}, {"node": "a", "action": "restart"}], "has no step"),
        ("cap", [CUT, WRITE, {"action": "partition", "args": {"side": ["b"]}},
                 {"node": "b", "action": "on Copy", "received": "w"}], "does not get through"),
        ("cap", [CUT, WRITE, {"node": "b", "action": "on Ask", "received": "w"}], "w is a Copy, which this step"),
    ],
)  # fmt: skip
def test_what_no_text_says_is_told_in_words(
    follow: Callable[..., Conformance], name: str, events: list[Json], said: str
) -> None:
    answer = follow(load(ROOT / "specs" / f"{name}.spec").spec, events)
    assert answer.answer is Conforms.NO and answer.fault is not None and answer.accepted == len(events) - 2
    assert any(said in difference for obstacle in answer.fault.obstacles for difference in obstacle.differences)


def test_actions_are_counted_once_however_many_states_are_open(follow: Callable[..., Conformance]) -> None:
    events = [{"node": n, "action": "flood"} for n in "ab"] + [{"node": "a", "action": "on Flood"}]
    head = {**TWO, "nodes": {"Node": ["a", "b"], "Value": [0, 1]}, "constants": {"rounds": 2}}
    answer = follow(load(ROOT / "specs" / "floodset.spec").spec, [head, *events])
    assert answer.actions == (("Node.flood", 2), ("Node.on Flood", 1)) and answer.steps == 3


def test_a_step_at_top_level_that_nodes_do_not_see_settles_nothing(follow: Callable[..., Conformance]) -> None:
    """What the transaction manager has heard is not what the resource manager received."""
    spec = load(ROOT / "specs" / "two_phase_commit.spec").spec
    votes = [{"node": n, "action": "prepare", "sent": [{"id": n, "type": "Prepared"}]} for n in ("r1", "r2")]
    heard = [{"node": "tm", "action": "hear", "args": {"r": n}, "heard": [n]} for n in ("r1", "r2")]
    commit = {"node": "tm", "action": "decide_commit", "sent": [{"id": "c", "type": "Commit"}]}
    answer = follow(spec, [*votes, *heard, commit, {"node": "r1", "action": "on Abort", "received": "c"}])
    assert answer.answer is Conforms.NO and answer.accepted == 5


# --- what a trace may leave out -------------------------------------------------------------------


def stripped(events: list[Json], *members: str, keep: Callable[[Json], bool] = lambda e: True) -> list[Json]:
    head = {k: v for k, v in events[0].items() if k not in ("complete", "messages")}
    return [head, *({k: v for k, v in e.items() if k not in members} for e in events[1:] if keep(e))]


@pytest.mark.parametrize("members", [("set",), ("args",), ("set", "args"), ("received",), ("time", "heard")])
def test_what_is_not_told_is_filled_in(follow: Callable[..., Conformance], members: tuple[str, ...]) -> None:
    events = lines("paxos")
    kept = stripped(events, *members)
    answer = follow(PAXOS, kept)
    assert answer.answer is Conforms.YES, answer.fault


def test_names_of_actions_may_be_left_out(follow: Callable[..., Conformance]) -> None:
    events = [{k: v for k, v in e.items() if k != "action" or v in ("crash", "restart")} for e in lines("paxos")]
    assert follow(PAXOS, events).answer is Conforms.YES


def test_messages_that_are_told_in_part(follow: Callable[..., Conformance]) -> None:
    events = lines("paxos")
    for event in events[1:]:
        for message in event.get("sent", ()):
            if message["type"] in ("Accept", "Promise"):
                del message["fields"]
    assert follow(PAXOS, events).answer is Conforms.YES
    events[-9]["set"] = {"voted": {"ballot": 2, "value": "another"}}  # of a message whose value nobody told
    assert follow(PAXOS, events).answer is Conforms.NO


def test_events_that_are_missing_are_filled_in_where_numbers_say_so(follow: Callable[..., Conformance]) -> None:
    events = lines("paxos")
    numbers: dict[str, int] = {}
    for event in events[1:]:
        numbers[event["node"]] = event["seq"] = numbers.get(event["node"], 0) + 1
    gone = next(i for i, e in enumerate(events) if e.get("action") == "on Accept")
    events[0].pop("messages")
    later = next(e for e in events[gone + 1 :] if e["node"] == events[gone]["node"])
    assert later["seq"] == events[gone]["seq"] + 1
    fewer = events[:gone] + events[gone + 1 :]
    answer = follow(PAXOS, fewer)
    assert answer.answer is Conforms.YES and "filled in" in answer.notes[0]


def test_hidden_steps(follow: Callable[..., Conformance]) -> None:
    events = [e for e in lines("raft") if e.get("action") != "advance_commit"]
    map_text = 'hidden = ["Server.advance_commit"]\nmost_hidden = 1\nunlogged = ["commit"]\n'
    assert follow(RAFT, events).answer is Conforms.NO
    assert follow(RAFT, events, map_text=map_text).answer is Conforms.YES


def test_logs_of_several_nodes_are_merged(follow: Callable[..., Conformance]) -> None:
    events = lines("raft")
    head = {k: v for k, v in events[0].items() if k != "ordered"}
    nodes = sorted({e["node"] for e in events[1:]}, reverse=True)
    files = [[head, *(e for e in events[1:] if e["node"] == node)] for node in nodes]
    answer = follow(RAFT, *files)
    assert answer.answer is Conforms.YES and answer.accepted == len(events) - 1


def test_a_message_that_is_received_before_it_is_sent(follow: Callable[..., Conformance]) -> None:
    events = lines("paxos")
    sent = next(i for i, e in enumerate(events) if e.get("action") == "on Prepare")
    events[sent - 1], events[sent] = events[sent], events[sent - 1]
    answer = follow(PAXOS, events)
    assert answer.fault is not None and answer.fault.line == sent
    assert "was not sent before" in answer.fault.obstacles[0].differences[0]


def test_an_order_that_was_not_tried_is_no_verdict(follow: Callable[..., Conformance]) -> None:
    events = lines("paxos")
    head = {k: v for k, v in events[0].items() if k not in ("ordered", "complete")}
    events = [head, *({k: v for k, v in e.items() if k != "heard"} for e in events[1:])]
    propose = [e for e in events if e.get("action") == "propose"]
    rest = [e for e in events if e.get("action") != "propose"]
    answer = follow(PAXOS, [events[0], *propose], rest)
    assert answer.answer is Conforms.UNKNOWN and "order" in answer.reason


def test_too_many_open_states_are_no_verdict(follow: Callable[..., Conformance]) -> None:
    head = {"trace": 1, "nodes": {"Acceptor": ["a0", "a1", "a2"]}, "ordered": True}
    values = [{"action": "prepare", "args": {"b": 30}}, *({"action": "prepare"} for _ in range(4))]
    answer = follow(PAXOS, [head, *values], most_states=100)
    assert answer.answer is Conforms.UNKNOWN and "100 states" in answer.reason


def test_orders_grow_as_the_run_needs(follow: Callable[..., Conformance]) -> None:
    """Nothing tells how high the terms are."""
    head = {"trace": 1, "nodes": {"Server": ["s0", "s1", "s2"]}}
    answer = follow(RAFT, [head, *({"node": "s0", "action": "start_election"} for _ in range(40))])
    assert answer.answer is Conforms.YES
    assert int(dict(answer.sizes)["Term"]) > 40


def test_more_is_chosen_than_the_trace_names(follow: Callable[..., Conformance]) -> None:
    """Each `prepare` takes another ballot; none is told, and no end of an order is in the way."""
    head = {"trace": 1, "nodes": {"Acceptor": ["a0", "a1", "a2"]}, "ordered": True}
    answer = follow(PAXOS, [head, *({"action": "prepare"} for _ in range(5))])
    assert answer.answer is Conforms.YES
    answer = follow(PAXOS, [head, {"action": "prepare"}, {"node": "a0", "action": "on Accept"}])
    assert answer.answer is Conforms.NO and "at most 8 elements of Ballot" in answer.notes[-1]


def test_nodes_that_are_an_order_are_those_that_appear(follow: Callable[..., Conformance]) -> None:
    """There is no fourth one whose fork is never there; nor may one appear that the header does not list."""
    spec = load(ROOT / "specs" / "chain_replication.spec").spec
    fails = [{"node": n, "action": "fail"} for n in (1, 2)]
    downs = [{"node": 0, "action": "on Down", "received": {"type": "Down", "from": n}} for n in (1, 2)]
    update = [{"node": 0, "action": "update"}, {"node": 0, "action": "reply"}]
    events = [{"trace": 1, "ordered": True}, *fails, *downs, *update]
    assert follow(spec, events).answer is Conforms.YES
    events[0]["nodes"] = {"Server": [0, 1]}
    with pytest.raises(SpecError, match="`2` is no Server"):
        follow(spec, events)


def test_constants_of_many_elements(follow: Callable[..., Conformance]) -> None:
    """Not all interpretations are gone through when the trace gives the one that holds."""
    spec = load(ROOT / "specs" / "viewstamped_replication.spec").spec
    nodes = ["a", "b", "c"]
    primary = {str(view): nodes[view % 3] for view in range(40)}
    head = {
        "trace": 1,
        "nodes": {"Replica": nodes, "View": list(range(40))},
        "constants": {"primary": primary, "first": "a"},
    }
    events = [head, *({"node": n, "action": "give_up"} for n in nodes)]
    assert follow(spec, events).answer is Conforms.YES


def test_what_a_crash_leaves_is_looked_at(follow: Callable[..., Conformance]) -> None:
    head = {"trace": 1, "nodes": {"Server": ["s0", "s1"]}, "ordered": True}
    begin = {"node": "s0", "action": "start_election", "set": {"term": 1}}
    for fields, answer in (({"term": 1, "mode": "follower"}, Conforms.YES), ({"term": 0}, Conforms.NO)):
        assert follow(RAFT, [head, begin, {"node": "s0", "action": "crash", "set": fields}]).answer is answer


def test_arguments_tell_actions_apart(follow: Callable[..., Conformance]) -> None:
    """An action that has no such parameter, or one of another type, is none that the event may be."""
    head = {"trace": 1, "nodes": {"Server": ["s0", "s1"]}, "ordered": True}
    begin = [{"node": "s0", "action": "start_election"}, {"node": "s1", "action": "on RequestVote"}]
    lead = [{"node": "s0", "action": "on Vote"}, {"node": "s0", "action": "become_leader"}]
    answer = follow(RAFT, [head, *begin, *lead, {"node": "s0", "args": {"v": "x"}, "is": {"last": 1}}])
    assert answer.answer is Conforms.YES and dict(answer.actions)["Server.client_request"] == 1
    answer = follow(RAFT, [head, {"node": "s0", "args": {"v": "x"}, "set": {"term": 1}}])
    assert answer.answer is Conforms.NO


def test_reports_leave_out_messages_from_long_ago(follow: Callable[..., Conformance]) -> None:
    head = {"trace": 1, "nodes": {"Server": ["s0", "s1"]}, "ordered": True}
    many = [{"node": "s0", "action": "start_election"} for _ in range(150)]
    answer = follow(
        RAFT, [head, *many, {"node": "s1", "action": "on RequestVote"}, {"node": "s1", "action": "become_leader"}]
    )
    assert answer.answer is Conforms.NO and answer.trace is not None
    shown = [v for state in answer.trace.states for v in state if isinstance(v, SetValue)]
    assert 1 <= max(len(value.items) for value in shown) <= 9


# --- other networks and steps ---------------------------------------------------------------------

QUEUES = """
spec Queues

sort Node

message Count(number: 0..9) from Node to Node

network {network}

role Node
    durable sent_up_to: 0..9 = 0
    durable heard: Map[Node, 0..9] = [n in Node -> 0]

    action count(n in Node)
        require n != self
        pick by in 1..2 where sent_up_to + by <= 9
        sent_up_to := sent_up_to + by
        send Count(sent_up_to) to n

    on Count(m)
        require m.to == self
        heard[m.from] := m.number
"""


def counting(order: tuple[str, ...], by: int = 1) -> list[Json]:
    head = {"trace": 1, "ordered": True, "complete": ["sent_up_to", "heard"], "messages": True}
    sends = [
        {"node": "a", "action": "count", "args": {"n": "b", "by": by}, "set": {"sent_up_to": by * k},
         "sent": [{"id": f"m{k}", "type": "Count", "to": "b", "fields": {"number": by * k}}]}
        for k in (1, 2, 3)
    ]  # fmt: skip
    number = {f"m{k}": by * k for k in (1, 2, 3)}
    receipts = [{"node": "b", "action": "on Count", "received": m, "set": {"heard[a]": number[m]}} for m in order]
    return [head, *sends, *receipts]


@pytest.mark.parametrize(
    ("network", "order", "accepted"),
    [
        ("fifo", ("m1", "m2", "m3"), 6),
        ("fifo", ("m2",), 3),
        ("reordering", ("m2", "m1", "m3"), 6),
        ("reordering", ("m2", "m2"), 4),
        ("lossy, duplicating, reordering", ("m2", "m2", "m1"), 6),
        ("fifo", ("m1", "m3"), 4),
        ("lossy, fifo", ("m1", "m3"), 5),
        ("lossy, fifo", ("m3",), 4),
        ("lossy, fifo", ("m2", "m1", "m3"), 4),
    ],
)
@pytest.mark.parametrize("by", [1, 2])
def test_networks(
    follow: Callable[..., Conformance], network: str, order: tuple[str, ...], accepted: int, by: int
) -> None:
    spec = load_source(Source("queues.spec", QUEUES.format(network=network))).spec
    answer = follow(spec, counting(order, by))
    assert answer.accepted == accepted, answer.fault


def test_another_pick_is_seen(follow: Callable[..., Conformance]) -> None:
    spec = load_source(Source("queues.spec", QUEUES.format(network="fifo"))).spec
    events = counting(("m1",))
    events[2]["args"]["by"] = 2
    answer = follow(spec, events)
    assert answer.accepted == 1


# --- long runs ------------------------------------------------------------------------------------


LONG = {
    "raft": (RAFT, "raft", Features(), 100),
    "raft with snapshots": (SNAPSHOTS, "raft", Features(snapshots=True), 100),
    "zab": (ZAB, "zab", Features(), 360),
}
"""By name: the spec, and of the run the protocol, its features, and how much each client asks."""


@pytest.mark.parametrize("name", LONG)
def test_ten_thousand_events_take_seconds(
    name: str, follow: Callable[..., Conformance], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is kept of them are the few messages under way, also where they are told in part."""
    spec, protocol, features, operations = LONG[name]
    kept, named = [], []

    def remember(task: Messages, *args: Any) -> list[Hypothesis]:
        here = followed(task, *args)
        kept.extend(len(h.bound) + sum(len(v) for v in h.state if isinstance(v, frozenset)) for h in here)
        named.append(len(task.patterns))
        return here

    followed = Messages.remember
    monkeypatch.setattr(Messages, "remember", remember)
    plan = replace(planned(protocol, 3, 5, features), operations=operations, end=1e6)
    events = simulate(plan, PROTOCOLS[protocol], record=True).trace
    assert len(events) > 10_000
    began = time.process_time()
    answer = follow(spec, events)
    assert answer.answer is Conforms.YES
    assert time.process_time() - began < 10
    assert max(kept) <= 30
    assert max(named) <= 60
    if spec is SNAPSHOTS:
        assert dict(answer.actions)["Server.on InstallSnapshot"] >= 20


# --- constants ------------------------------------------------------------------------------------


def test_a_constant_that_is_told_is_not_sought(follow: Callable[..., Conformance]) -> None:
    """Seven servers could have their ids in 8^7 ways."""
    events = simulate(planned("zab", 1, 7), PROTOCOLS["zab"], record=True).trace
    assert follow(ZAB, events).answer is Conforms.YES
    events[0]["constants"]["id"]["s1"] = 0  # as s0 has
    with pytest.raises(SpecError) as error:
        follow(ZAB, events)
    assert [d.code for d in error.value.diagnostics] == ["Q0509"]
    events[0]["constants"]["id"]["s1"] = "one"
    with pytest.raises(SpecError) as error:
        follow(ZAB, events)
    assert [d.code for d in error.value.diagnostics] == ["Q1003"]


# --- maps -----------------------------------------------------------------------------------------


def test_other_words(follow: Callable[..., Conformance]) -> None:
    head = {"trace": 1, "ordered": True, "nodes": {"Server": ["10.0.0.1", "10.0.0.2"]}, "complete": ["currentTerm"]}
    events = [
        head,
        {"node": "10.0.0.1", "action": "tick"},
        {
            "node": "10.0.0.1",
            "action": "becomeCandidate",
            "set": {"currentTerm": 1, "votedFor": "10.0.0.1", "role": "CANDIDATE", "timer": 7},
            "sent": [{"id": "x", "type": "VoteReq", "fields": {"term": 1, "last_index": 0, "last_term": 0}}],
        },
        {
            "node": "10.0.0.2",
            "action": "handleVoteReq",
            "received": "x",
            "set": {"votedFor": "10.0.0.1", "currentTerm": 1},
        },
        {"node": "10.0.0.2", "action": "noop", "is": {"role": "FOLLOWER"}},
        {"node": "10.0.0.1", "action": "noop", "is": {"commit": -1}},
    ]
    map_text = """
        ignore = ["tick"]
        unlogged = ["timer"]
        actions = { becomeCandidate = "start_election", handleVoteReq = "on RequestVote", noop = "" }
        fields = { currentTerm = "term", votedFor = "voted_for", role = "mode" }
        messages = { VoteReq = "RequestVote" }
        nodes = { "10.0.0.1" = "s0", "10.0.0.2" = "s1" }
        [values]
        role = { CANDIDATE = "candidate", FOLLOWER = "follower" }
        commit = { "-1" = 0 }
        [none]
        votedFor = -1
    """
    answer = follow(RAFT, events, map_text=map_text)
    assert answer.answer is Conforms.YES, answer.fault
    assert answer.events == 4 and answer.steps == 2


@pytest.mark.parametrize(
    "text", ["hiden = []", "ignore = 3", "values = {a = 3}", "fields = {a = 3}", "hidden = ['x']", "[", "none = 1"]
)
def test_maps_that_are_refused(follow: Callable[..., Conformance], text: str) -> None:
    with pytest.raises(SpecError) as error:
        follow(RAFT, [{"trace": 1, "nodes": {"Server": ["s0", "s1"]}}], map_text=text)
    assert error.value.diagnostics[0].code == "Q1004"


def test_a_size_that_is_too_small_is_refused() -> None:
    with pytest.raises(SpecError, match="the trace has"):
        conform(RAFT, [str(TRACES / "raft.ndjson")], None, Options(overrides={"Term": "2"}))


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        ({"node": "s0", "action": "start_elektion"}, "Q1002", "no action `start_elektion`"),
        ({"node": "s0", "action": "client_request", "args": {"value": 3}}, "Q1002", "no parameter `value`"),
        ({"node": "s0", "action": "start_election", "set": {"trem": 1}}, "Q1002", "no field `trem`"),
        ({"node": "s0", "action": "start_election", "set": {"term": "1"}}, "Q1003", "is no Term"),
        ({"node": "s0", "action": "start_election", "set": {"mode": "boss"}}, "Q1003", "is no Mode"),
        ({"node": "s0", "action": "start_election", "set": {"log.x": 1}}, "Q1003", "is no place"),
        ({"node": "s0", "action": "start_election", "sent": [{"type": "Ask"}]}, "Q1002", "no message `Ask`"),
        ({"node": "s9", "action": "start_election"}, "Q1003", "is no Server"),
        ({"node": "s0", "aktion": "start_election"}, "Q1001", "no member `aktion`"),
        ({"node": "s0", "seq": "first"}, "Q1001", "is not an integer"),
        ({"node": "s0", "action": "start_election", "set": {"term": -1}}, "Q1003", "count from 0"),
    ],
)
def test_what_is_refused(follow: Callable[..., Conformance], event: Json, code: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as error:
        follow(RAFT, [{"trace": 1, "nodes": {"Server": ["s0", "s1"]}}, event])
    assert error.value.diagnostics[0].code == code


# --- the command ----------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(quorate, ["conform", *arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.return_value, result.output


def test_exit_codes_and_json(tmp_path: Path) -> None:
    spec, trace = str(ROOT / "specs" / "paxos.spec"), str(TRACES / "paxos.ndjson")
    code, out = run(spec, "--trace", trace)
    assert code is Exit.OK and "conforms: all 24 events" in out
    bad = tmp_path / "bad.ndjson"
    bad.write_text(Path(trace).read_text().replace('"set": {"promised": 2}', '"set": {"promised": 3}', 1))
    code, out = run(spec, "--trace", str(bad), "--html", str(tmp_path / "page.html"))
    assert code is Exit.VIOLATED and "would be 2; the trace has 3" in out
    assert "Conformance" in (tmp_path / "page.html").read_text()
    code, out = run(spec, "--trace", str(bad), "--json")
    told = json.loads(out)
    assert told["answer"] == "no" and told["fault"]["line"] == 11 and told["accepted"] == 9
    (tmp_path / "empty.ndjson").write_text("")
    assert run(spec, "--trace", str(tmp_path / "empty.ndjson"))[0] is Exit.NOTHING
