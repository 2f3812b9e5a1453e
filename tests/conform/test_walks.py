"""Random runs of every spec, written as traces: they conform, whatever a trace leaves out, and do not when they are
damaged. How far a trace is accepted is known from a search that goes through all behaviours."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from walks import NAMELESS, Told, told, walk, ways

from checker.conform.driver import Done
from checker.conform.follow import Options, conform
from checker.conform.mapping import Renaming
from checker.explore.interpreter import State
from checker.language import types as ty
from checker.language.rounds import NEXT_ROUND
from checker.verdict import Conformance, Conforms

Json = dict[str, Any]

ROOT = Path(__file__).parent.parent.parent
SPECS = sorted((ROOT / "specs").glob("*.spec"))
every_spec = pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)


@pytest.fixture
def follow(tmp_path: Path) -> Callable[..., Conformance]:
    """Checks events, or several files of them, of an instance."""

    def check(told: Told, *files: Iterable[Json], renaming: Renaming | None = None) -> Conformance:
        paths = []
        for i, events in enumerate(files):
            paths.append(str(tmp_path / f"{i}.ndjson"))
            Path(paths[-1]).write_text("".join(json.dumps(event) + "\n" for event in events))
        return conform(told.whole, paths, renaming, Options(overrides=told.overrides()))

    return check


@every_spec
def test_runs_conform(path: Path, follow: Callable[..., Conformance]) -> None:
    spec = told(path)
    for seed in range(2):
        events = walk(spec, random.Random(seed), 25).events()
        answer = follow(spec, events)
        assert answer.answer is Conforms.YES and answer.accepted == len(events) - 1, answer.fault


@every_spec
def test_a_changed_field_is_at_fault(path: Path, follow: Callable[..., Conformance]) -> None:
    """Of a trace that says everything."""
    spec = told(path)
    for seed in range(10, 12):
        rng = random.Random(seed)
        events = walk(spec, rng, 20).events()
        changed = [(i, place) for i, e in enumerate(events) for place in e.get("set", {})]
        if not changed:
            continue
        line, place = rng.choice(changed)
        others = [e["set"][place] for e in events[1:] if place in e.get("set", {})]
        other = next((v for v in others if v != events[line]["set"][place]), None)
        if other is None:
            del events[line]["set"][place]
        else:
            events[line]["set"][place] = other
        answer = follow(spec, events)
        assert answer.answer is Conforms.NO and answer.fault is not None
        assert answer.fault.line == line + 1 and answer.accepted == line - 1
        assert any(place.split(".")[-1] in d for o in answer.fault.obstacles for d in o.differences)


@every_spec
def test_a_cause_is_missed(path: Path, follow: Callable[..., Conformance]) -> None:
    """A message is not received before it is sent, and not without being sent, though there are others like it."""
    spec = told(path)
    for seed in range(20, 22):
        rng = random.Random(seed)
        events = walk(spec, rng, 20).events()
        at = {m["id"]: i for i, e in enumerate(events) for m in e.get("sent", ())}
        receipts = [(i, at[e["received"]]) for i, e in enumerate(events) if isinstance(e.get("received"), str)]
        if not receipts:
            continue
        receipt, cause = rng.choice(receipts)
        late = [*events[:cause], *events[cause + 1 : receipt + 1], events[cause], *events[receipt + 1 :]]
        never = [*events[:cause], *events[cause + 1 :]]
        for damaged in (late, never):
            answer = follow(spec, damaged)
            assert answer.answer is Conforms.NO and answer.fault is not None
            assert answer.fault.line <= receipt


@every_spec
def test_a_log_for_each_node(path: Path, follow: Callable[..., Conformance]) -> None:
    """Where only messages tell the order, a run conforms; what looks at more may need another order."""
    spec = told(path)
    for seed in range(30, 32):
        rng = random.Random(seed)
        events = walk(spec, rng, 25).events()
        head = {**events[0], "ordered": False}
        names = list(dict.fromkeys(e.get("node") for e in events[1:]))
        rng.shuffle(names)
        answer = follow(spec, *([head, *(e for e in events[1:] if e.get("node") == name)] for name in names))
        assert answer.answer is not Conforms.NO, answer.fault
        network = spec.spec.network
        if None not in names and network is not None and network.kind == "set":
            assert answer.answer is Conforms.YES, answer.reason


@pytest.mark.parametrize("name", ["floodset", "byzantine_generals"])
def test_rounds_pass_without_a_line(name: str, follow: Callable[..., Conformance]) -> None:
    """Nobody writes down that a round is over, or that a message was lost; and each node has a log of its own."""
    spec = told(ROOT / "specs" / f"{name}.spec")
    for seed in range(4):
        rng = random.Random(seed)
        events = [e for e in walk(spec, rng, 40).events() if e.get("action") != "next round"]
        events = [e for e in events if not e.get("action", "").startswith("lose ")]
        assert follow(spec, events).answer is Conforms.YES
        head = {**events[0], "ordered": False}
        names = list(dict.fromkeys(e["node"] for e in events[1:]))
        rng.shuffle(names)
        logs = [[head, *(e for e in events[1:] if e["node"] == name)] for name in names]
        answer = follow(spec, *logs)
        assert answer.answer is Conforms.YES or "stop" in str(events), answer.reason


@every_spec
def test_other_words(path: Path, follow: Callable[..., Conformance]) -> None:
    """The system has names of its own for everything."""
    spec = told(path)
    events = walk(spec, random.Random(40), 15).events()
    nodes = {f"10.0.0.{i}:7": n for i, n in enumerate(n for s in events[0]["nodes"].values() for n in s)}
    fields = {f"my{f.title()}": f for f in events[0]["complete"]}
    renaming = Renaming(
        actions={f"do {a.name}": a.qualified.removeprefix(f"{a.role}.") for a in spec.spec.actions},
        fields=fields,
        messages={f"{m.name}Request": m.name for m in spec.spec.messages},
        nodes={name: node for name, node in nodes.items() if isinstance(node, str)},
    )
    back = {node: name for name, node in renaming.nodes.items()}
    words = {v: k for table in (renaming.fields, renaming.messages) for k, v in table.items()}
    acts = {v: k for k, v in renaming.actions.items()}

    def place(text: str) -> str:
        owner, dot, field = text.rpartition(".")
        return f"{back.get(owner, owner)}{dot}{words.get(field, field)}"

    def value(raw: Any) -> Any:
        if isinstance(raw, dict):
            return {back.get(k, k): value(v) for k, v in raw.items()}
        return [value(v) for v in raw] if isinstance(raw, list) else back.get(raw, raw)

    def message(raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        fields = {words.get(k, k): value(v) for k, v in raw["fields"].items()}
        return {
            **raw,
            **{e: value(raw[e]) for e in ("from", "to") if e in raw},
            "type": words[raw["type"]],
            "fields": fields,
        }

    head = {**events[0], "complete": [words[f] for f in events[0]["complete"]]}
    head["nodes"] = {s: [back.get(n, n) for n in names] for s, names in events[0]["nodes"].items()}
    head["constants"] = {name: value(raw) for name, raw in events[0]["constants"].items()}
    told_ = [
        {
            **e,
            **({"node": back.get(e["node"], e["node"])} if "node" in e else {}),
            **({"received": message(e["received"])} if "received" in e else {}),
            "action": acts.get(e["action"], e["action"]),
            "args": {words.get(k, k): value(v) for k, v in e.get("args", {}).items()},
            "set": {place(k): value(v) for k, v in e.get("set", {}).items()},
            "sent": [message(m) for m in e.get("sent", ())],
        }
        for e in events[1:]
    ]
    answer = follow(spec, [head, *told_], renaming=renaming)
    assert answer.answer is Conforms.YES, answer.fault


# --- partial observation, against a search through everything --------------------------------------

MOST_STATES = 150
"""The search gives up where a trace leaves more open."""


def observed(events: list[Json], rng: random.Random) -> list[Json]:
    """What somebody saw of a run: members of events, fields and arguments are left out. Messages have no names, so that
    all that is known of a message is what it says."""
    found = [{k: v for k, v in events[0].items() if k not in ("complete", "messages")}]
    share = rng.choice((0.3, 0.6, 0.9))
    for event in events[1:]:
        kept = {k: v for k, v in event.items() if k in ("node", "action") or rng.random() < share}
        if event["action"].split()[0] in NAMELESS and rng.random() > share:
            del kept["action"]
        for member in ("set", "args"):
            if member in kept and event["action"] != "restart":
                kept[member] = {k: v for k, v in kept[member].items() if rng.random() < share}
        found.append(kept)
    return found


def damaged(events: list[Json], rng: random.Random) -> list[Json]:
    """The events, of which one is gone, or is another one's place, or tells of another one's fields."""
    a, b = sorted(rng.sample(range(1, len(events)), 2))
    match rng.randrange(3):
        case 0:
            return [*events[:a], *events[a + 1 :]]
        case 1:
            return [*events[:a], events[b], *events[a + 1 : b], events[a], *events[b + 1 :]]
        case _:
            fields = events[b].get("set", {})
            if events[a].get("node") != events[b].get("node") or "restart" in (
                events[a].get("action"),
                events[b].get("action"),
            ):
                fields = {}
            return [*events[:a], {**events[a], "set": {**events[a].get("set", {}), **fields}}, *events[a + 1 :]]


def accepted(spec: Told, events: list[Json]) -> int | None:
    """How many of the events some behaviour has; None if it takes too long to tell."""
    here = [s for s in spec.driver.initial() if spec.header(s)["constants"] == events[0]["constants"]]
    for number, (event, idle) in enumerate(zip(events[1:], idles(spec, events[1:]), strict=True)):
        here = list(dict.fromkeys(s for state in here for s in following(spec, state, event, idle)))
        if not here:
            return number
        if len(here) > MOST_STATES:
            return None
    return len(events) - 1


def some_order(spec: Told, events: list[Json]) -> bool:
    """Whether some behaviour has the events in some order that keeps to the order of each node, and of messages."""
    logs = [[e for e in events[1:] if e.get("node") == n] for n in dict.fromkeys(e.get("node") for e in events[1:])]
    nothing = [idles(spec, log) for log in logs]
    at = {m["id"]: (i, k) for i, log in enumerate(logs) for k, e in enumerate(log) for m in e.get("sent", ())}
    said = {m["id"]: {k: v for k, v in m.items() if k != "id"} for e in events[1:] for m in e.get("sent", ())}
    start = (0,) * len(logs)
    todo = [(start, s) for s in spec.driver.initial() if spec.header(s)["constants"] == events[0]["constants"]]
    seen = set(todo)
    while todo:
        done, state = todo.pop()
        if all(k == len(log) for k, log in zip(done, logs, strict=True)):
            return True
        for i, log in enumerate(logs):
            if done[i] == len(log):
                continue
            event = log[done[i]]
            cause = event.get("received")
            if isinstance(cause, str) and cause in at and done[at[cause][0]] <= at[cause][1]:
                continue
            plain = {**event, "received": said.get(cause, cause)} if isinstance(cause, str) else event
            now = (*done[:i], done[i] + 1, *done[i + 1 :])
            new = {(now, s) for s in following(spec, state, plain, nothing[i][done[i]])}
            todo += new - seen
            seen |= new
    return False


def crashes(spec: Told, event: Json) -> bool:
    """Whether the event is a crash or a restart, of which one is the spec's step `crash`."""
    names = [a.qualified for a in spec.spec.actions]
    return event.get("action") in ("crash", "restart") and event["action"] not in names


def idles(spec: Told, events: list[Json]) -> list[bool]:
    """Of each event, whether it is the one of a crash and its restart that is no step."""
    last: dict[Any, str | None] = {}
    found = []
    for event in events:
        name, node = event.get("action"), event.get("node")
        if spec.spec.network is not None and spec.spec.network.breaking:
            idle = name == "crash"
        else:
            idle = name == "restart" and last.get(node) == "crash"
        found.append(idle and crashes(spec, event))
        last[node] = name
    return found


def following(spec: Told, state: State, event: Json, nothing: bool) -> Iterable[State]:
    """Where the event may lead; it may be `nothing`. Where there are rounds, it may be in the next one."""
    now = list(directly(spec, state, event, nothing))
    return now or [s for after in next_round(spec, state) for s in directly(spec, after, event, nothing)]


def next_round(spec: Told, state: State) -> Iterable[State]:
    """The states with which another round begins, without what may be lost at the end of this one."""
    numbers = {a.qualified: i for i, a in enumerate(spec.spec.actions)}
    if NEXT_ROUND not in numbers:
        return []
    losses = [numbers[a.qualified] for a in spec.spec.actions if a.kind == "lose"]
    while lost := next((done for n in losses for done in ways(spec.driver, state, n)), None):
        state = lost.taken.state
    return [done.taken.state for done in ways(spec.driver, state, numbers[NEXT_ROUND])]


def directly(spec: Told, state: State, event: Json, nothing: bool) -> Iterable[State]:
    name = "crash" if crashes(spec, event) else event.get("action")
    told = event.get("set", {})
    if nothing or (name is None and not told and not event.get("sent")):
        if event.get("action") == "crash" or agrees(spec.fields(state, event.get("node"), role(spec, event)), told):
            yield state
        if nothing:
            return
    for number, action in enumerate(spec.spec.actions):
        if action.role is not None and action.role != role(spec, event):
            continue
        label = action.qualified.removeprefix(f"{action.role}.")
        if label != name if name is not None else action.kind not in NAMELESS:
            continue
        for done in ways(spec.driver, state, number):
            if is_told(spec, state, done, event):
                yield done.taken.state


def is_told(spec: Told, before: State, done: Done, event: Json) -> bool:
    told, fields = spec.step(before, done), event.get("set", {})
    return (
        ("node" not in told or told["node"] == event.get("node"))
        and agrees(told["args"], event.get("args", {}))
        and ("received" not in event or received(event["received"], told.get("received")))
        and ("sent" not in event or texts(event["sent"]) == texts(told["sent"]))
        and (not fields or agrees(spec.fields(done.taken.state, event.get("node"), role(spec, event)), fields))
    )


def received(told: Json | str, known: Json | None) -> bool:
    """Whether the message that was received is that one; of a message that is only a name anything may be true."""
    return known is not None and (isinstance(told, str) or told == known)


def agrees(known: Json, told: Json) -> bool:
    return all(name in known and known[name] == value for name, value in told.items())


def texts(messages: Iterable[Json]) -> set[str]:
    return {json.dumps({k: v for k, v in m.items() if k != "id"}, sort_keys=True) for m in messages}


def role(spec: Told, event: Json) -> str | None:
    """Whose step it is; no two roles of a spec here have nodes of one name."""
    return next((r.name for r in spec.spec.roles if event.get("node") in nodes(spec)[ty.show(r.type)]), None)


@cache
def nodes(spec: Told) -> dict[str, list[Any]]:
    return dict(spec.header(next(iter(spec.driver.initial())))["nodes"])


@every_spec
def test_what_is_left_out_is_filled_in_exactly(path: Path, follow: Callable[..., Conformance]) -> None:
    spec, compared = told(path), 0
    for seed in range(50, 56):
        rng = random.Random(seed)
        run = walk(spec, rng, 7)
        events = observed(run.events(plain=True), rng)
        if seed % 2:
            events = damaged(events, rng)
        expected = accepted(spec, events)
        if expected is None:
            continue
        answer = follow(spec, events)
        assert answer.accepted == expected
        assert answer.answer is (Conforms.YES if expected == len(events) - 1 else Conforms.NO)
        compared += 1
    assert compared >= 2


@every_spec
def test_an_order_is_found_or_left_open(path: Path, follow: Callable[..., Conformance]) -> None:
    """Of logs whose order is not known, it is never said that they conform, or that they do not, if it is not so."""
    spec = told(path)
    if spec.spec.network is not None and spec.spec.network.breaking:
        return  # `test_order.py` has these
    for seed in range(70, 74):
        rng = random.Random(seed)
        events = walk(spec, rng, 6).events()
        events = [
            events[0],
            *({k: v for k, v in e.items() if k != rng.choice(("set", "args", "x"))} for e in events[1:]),
        ]
        del events[0]["complete"]
        if seed % 2 and len(events) > 2:
            events = damaged(events, rng)
        answer = follow(spec, [{**events[0], "ordered": False, "messages": False}, *events[1:]])
        if answer.answer is not Conforms.UNKNOWN:
            assert some_order(spec, events) is (answer.answer is Conforms.YES), answer.fault
