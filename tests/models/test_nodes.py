"""The small parts of the models: logs, the store, values on the wire and on disk."""

from __future__ import annotations

import json
import os
import random
import stat
from pathlib import Path
from typing import Any

import pytest

from models import multi_paxos
from models.codec import Malformed, decode_envelope, encode_envelope
from models.disk import Journal, TraceFile
from models.log import Entry, Log
from models.node import Envelope, Receive, Start, Timeout
from models.protocols import PROTOCOLS
from models.raft import NOOP, AppendEntries, Mode, RequestVote, Vote
from models.raft_extended import ExtendedServer
from models.replica import Replica
from models.store import ClientReply, ClientRequest, Command, Operation, Outcome, Store

A, B, C = Entry(1, "a"), Entry(1, "b"), Entry(2, "c")


def test_log() -> None:
    log = Log((A, B, C))
    assert [log.last, log.term_at(0), log.term_at(3), log.term_at(4)] == [3, 0, 2, 0]
    assert log[2] == B
    assert log.between(1, 3) == (B, C)
    assert log.with_entries(1, (C,)) == Log((A, C))
    short = log.compacted(2)
    assert [short.base, short.base_term, short.last, short.term_at(2), short[3]] == [2, 1, 3, 1, C]
    with pytest.raises(IndexError):
        short[2]


def test_a_command_is_done_once() -> None:
    store = Store()
    first, second = (Command("c1", n, Operation("write", "x", n)) for n in (1, 2))
    assert store.apply(first) == Outcome(True, 1)
    store.apply(Command("c2", 1, Operation("write", "x", 7)))
    assert store.apply(first) == Outcome(True, 1)
    assert store.data == {"x": 7}
    assert store.apply(second) == Outcome(True, 2)
    assert store.apply(first) is None
    again = Store.of(store.snapshot())
    assert again.data == {"x": 2}
    assert again.apply(second) == Outcome(True, 2)


def test_compare_and_set() -> None:
    store = Store()
    assert store.perform(Operation("cas", "x", (None, 1))) == Outcome(True, 1)
    assert store.perform(Operation("cas", "x", (2, 3))) == Outcome(False, 1)
    assert store.perform(Operation("read", "x")) == Outcome(True, 1)


def test_a_command_is_a_line_of_text() -> None:
    command = Command("c1", 12, Operation("cas", "key", [None, "a b"]))
    assert command.text() == 'c1.12 cas key [null, "a b"]'
    assert Command.parse(command.text()) == command


@pytest.mark.parametrize("protocol", [p for p in PROTOCOLS.values() if p.serves], ids=lambda p: p.name)
def test_messages_travel_unchanged(protocol: Any) -> None:
    """All messages of a little run of three servers and a client."""
    from models.plan import Plan

    plan = Plan(protocol.name, 1)
    machines = {n: protocol.build(n, plan, random.Random(n), 0, False) for n in plan.names}
    command = Command("c1", 1, Operation("write", "x", [1])).text()
    queue = [(name, Start()) for name in plan.names]
    seen, time = set(), 0.0
    timers: list[tuple[float, str, str]] = []
    for number in range(400):
        if number % 10 == 9:
            queue += [(n, Receive(Envelope("", "c1", n, ClientRequest(command)))) for n in plan.names]
        if queue:
            name, event = queue.pop(0)
        else:
            time, name, timer = min(timers)
            timers.remove((time, name, timer))
            event = Timeout(timer)  # type: ignore[assignment]
        effects = machines[name].step(event, time)
        for timer, delay in effects.timers.items():
            timers = [t for t in timers if t[1:] != (name, timer)]
            timers += [(time + delay, name, timer)] if delay is not None else []
        for envelope in effects.sent:
            data = json.loads(json.dumps(encode_envelope(envelope)))
            decoded = decode_envelope(data, protocol.messages)
            assert decoded == envelope
            seen.add(type(envelope.message))
            to = [envelope.to] if envelope.to else machines[name].node.audience(envelope.message)
            queue += [(n, Receive(decoded)) for n in to if n in machines and n != name]  # type: ignore[misc]
    assert ClientReply in seen
    assert len(seen) >= 5


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"id": "x", "from": "s0", "to": None, "type": "Nothing", "fields": {}},
        {"id": "x", "from": "s0", "to": None, "type": "Vote", "fields": {"term": "one", "granted": True}},
        {"id": "x", "from": "s0", "to": None, "type": "Vote", "fields": {"term": 1}},
        {"id": "x", "from": "s0", "to": None, "type": "Vote", "fields": {"term": 1, "granted": True, "more": 1}},
        {"id": "x", "from": 0, "to": None, "type": "Vote", "fields": {"term": 1, "granted": True}},
    ],
)
def test_other_things_are_refused(data: Any) -> None:
    with pytest.raises(Malformed):
        decode_envelope(data, PROTOCOLS["raft"].messages)


def test_journal(tmp_path: Path) -> None:
    path, kinds = tmp_path / "journal", ExtendedServer.DURABLE
    journal = Journal(path, kinds, sync=False)
    assert journal.read() == {}
    state: dict[str, Any] = {"term": 0, "voted_for": None, "log": Log(), "snapshot": None}
    for change in (
        {},
        {"term": 2, "voted_for": "s1"},
        {"log": Log((A, B))},
        {"log": Log((A, C)), "term": 3},
        {"log": Log((A, C, A))},
        {"log": Log((A, C, A)).compacted(2)},
    ):
        state = {**state, **change}
        journal.write(state, 17)
        again = Journal(path, kinds, sync=True)
        assert again.read() == state
        assert again.traced == 17
    with path.open("ab") as file:
        file.write(b'{"traced": 20, "ter')
    assert Journal(path, kinds, sync=False).read() == state


def test_a_journal_that_is_written_anew_is_there_after_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that takes the place of another one is on disk only when its directory is."""
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(stat.S_ISDIR(os.fstat(file).st_mode)))
    journal = Journal(tmp_path / "journal", ExtendedServer.DURABLE, sync=True)
    journal.write({"term": 0, "voted_for": None, "log": Log(), "snapshot": None}, 0)
    assert synced == [False, True]


def test_a_step_that_did_not_reach_the_journal_is_not_in_the_trace(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    trace = TraceFile(path, {"trace": 1}, ("term", "log"), 0)
    trace.write([{"node": "s0", "action": "a", "set": {"term": 1}}])
    journaled = trace.size
    trace.write([{"node": "s0", "action": "b", "set": {"commit": 1}}])
    kept = path.read_text()
    trace.write([{"node": "s0", "action": "c", "set": {"log[1]": 1}}, {"node": "s0", "action": "d"}])
    TraceFile(path, {"trace": 1}, ("term", "log"), journaled)
    assert path.read_text() == kept


def server(name: str = "s0") -> ExtendedServer:
    return ExtendedServer(name, ("s0", "s1", "s2"), random.Random(1), recording=True)


def test_one_event_is_several_steps_of_the_spec() -> None:
    node = server()
    node.step(Start(), 0.0)
    assert [step.action for step in node.step(Timeout("election"), 200.0).steps] == ["start_election"]
    effects = node.step(Receive(Envelope("m1", "s1", "s0", Vote(1, True))), 210.0)
    assert [step.action for step in effects.steps] == [
        "on Vote",
        "become_leader",
        "client_request",
        "send_entries",
        "send_entries",
    ]
    assert effects.steps[0].received == "m1"
    assert effects.write
    assert node.mode is Mode.LEADER


def test_a_leader_of_multi_paxos_fills_the_gaps_that_the_one_before_left() -> None:
    node = multi_paxos.Server("s0", ("s0", "s1", "s2"), random.Random(1), recording=True)
    node.step(Start(), 0.0)
    node.step(Timeout("leader"), 200.0)
    vote = multi_paxos.Vote(1, "c1.2 write x 2")  # for slot 1; nobody has voted for anything in slot 0
    promise = multi_paxos.Promise(node.led(), {1: vote})
    effects = node.step(Receive(Envelope("m1", "s1", "s0", promise)), 210.0)
    proposed = [(step.action, step.args["s"]) for step in effects.steps if "s" in step.args]
    assert proposed == [("fill_gap", 0), ("propose_again", 1)]
    accepts = {e.message.slot: e.message.command for e in effects.sent if isinstance(e.message, multi_paxos.Accept)}
    assert accepts == {0: NOOP, 1: vote.command}


def test_what_does_not_change_the_disk_is_not_written() -> None:
    node = server()
    assert not node.step(Start(), 0.0).write
    asked = node.step(Receive(Envelope("m1", "s1", "s0", RequestVote(1, 0, 0))), 1.0)
    assert asked.write
    again = node.step(Receive(Envelope("m1", "s1", "s0", RequestVote(1, 0, 0))), 2.0)
    assert not again.write
    assert [e.message for e in again.sent] == [Vote(1, True)]


def test_a_server_that_hears_a_leader_does_not_vote() -> None:
    node = server()
    node.step(Receive(Envelope("m1", "s1", "s0", AppendEntries(1, 0, 0, (), 0))), 100.0)
    late = Envelope("m2", "s2", "s0", RequestVote(9, 9, 9))
    assert node.step(Receive(late), 120.0).sent == []
    assert node.term == 1
    assert node.step(Receive(late), 400.0).sent


def test_who_does_not_lead_names_the_leader() -> None:
    replica = Replica(server())
    replica.step(Receive(Envelope("m1", "s1", "s0", AppendEntries(1, 0, 0, (), 0))), 100.0)
    command = Command("c1", 1, Operation("read", "x")).text()
    (reply,) = replica.step(Receive(Envelope("", "c1", "s0", ClientRequest(command))), 101.0).sent
    assert reply.message == ClientReply(1, None, "s1")
