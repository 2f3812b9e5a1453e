"""Which order of several logs a restart asks for, on channels that a crash breaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checker.conform.follow import conform
from checker.language.frontend import load_source
from checker.source import Source
from checker.verdict import Conforms

SPEC = """
spec Numbers

sort Sender
sort Receiver

message Number(n: 1..9) from Sender to Receiver

network fifo, breaking

role Sender
    volatile next: 1..9 = 1

    action say(r in Receiver)
        send Number(next) to r
        next := next + 1

role Receiver
    volatile last: 0..9 = 0

    on Number(m)
        last := m.n
"""


def told(node: str, *events: object) -> list[object]:
    return [{"node": node, **event} for event in events if isinstance(event, dict)]


def say(n: int, start: int = 0) -> object:
    sent = [{"id": f"{start}.{n}", "type": "Number", "to": "r", "fields": {"n": n}}]
    return {"action": "say", "args": {"r": "r"}, "sent": sent}


def hear(n: int, start: int = 0) -> object:
    return {"action": "on Number", "received": f"{start}.{n}", "set": {"last": n}}


RESTART = {"action": "restart"}


@pytest.mark.parametrize(
    ("sender", "receiver", "answer"),
    [
        ([say(1), say(2)], [hear(1), hear(2)], Conforms.YES),
        ([say(1), say(2)], [hear(2), hear(1)], Conforms.NO),
        # The first one is gone, and nobody has crashed.
        ([say(1), say(2)], [hear(2)], Conforms.NO),
        # It was lost with the receiver.
        ([say(1), say(2)], [RESTART, hear(2)], Conforms.YES),
        ([say(1), say(2), say(3), say(4)], [hear(1), RESTART, hear(3), RESTART, hear(4)], Conforms.YES),
        # Two of them, by one crash, and one in vain.
        ([say(1), say(2), say(3), say(4)], [hear(1), RESTART, RESTART, hear(4)], Conforms.YES),
        # It was received before the sender crashed; what came after was lost.
        ([say(1), say(2), RESTART, say(1, 1)], [hear(1), hear(1, 1)], Conforms.YES),
        # A message of the first start comes after one of the second.
        ([say(1), RESTART, say(1, 1)], [hear(1, 1), hear(1)], Conforms.NO),
        # The restart explains a gap before it, not one after it.
        ([say(1), say(2), say(3)], [RESTART, hear(1), hear(3)], Conforms.NO),
        ([say(1), RESTART, say(1, 1), say(2, 1)], [hear(1), hear(2, 1)], Conforms.NO),
    ],
)
@pytest.mark.parametrize("first", ["sender", "receiver"])
def test_restarts_stand_where_they_can(
    sender: list[object], receiver: list[object], answer: Conforms, first: str, tmp_path: Path
) -> None:
    logs = {"sender": told("s", *sender), "receiver": told("r", *receiver)}
    names = sorted(logs, key=lambda name: name != first)
    for name in names:
        header = {"trace": 1, "nodes": {"Sender": ["s"], "Receiver": ["r"]}, "complete": ["last"], "messages": True}
        lines = [header, *logs[name]]
        (tmp_path / name).write_text("".join(json.dumps(each) + "\n" for each in lines))
    spec = load_source(Source("numbers.spec", SPEC)).spec
    found = conform(spec, [str(tmp_path / name) for name in names])
    assert found.answer is answer, found.fault or found.reason
