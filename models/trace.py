"""Steps and histories as text, in the format of `docs/trace-format.md`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from models.log import Numbered
from models.node import Envelope, State, Step

Json = Any


def line(value: Json) -> str:
    """One line of a file, without its end."""
    return json.dumps(value, separators=(", ", ": "))


def header(
    spec: str,
    nodes: Mapping[str, Sequence[str]],
    complete: Iterable[str],
    ordered: bool,
    features: Sequence[str],
    constants: Mapping[str, Json],
) -> Json:
    told: dict[str, Json] = {"trace": 1, "spec": spec, "nodes": nodes, "complete": list(complete), "messages": True}
    if ordered:
        told["ordered"] = True
    if features:
        told["features"] = list(features)
    if constants:
        told["constants"] = dict(constants)
    return told


def event(step: Step) -> Json:
    told: dict[str, Json] = {"node": step.node, "action": step.action, "time": round(step.time, 3)}
    if step.args:
        told["args"] = {name: shown(value) for name, value in step.args.items()}
    if step.received is not None:
        told["received"] = step.received
    if step.heard:
        told["heard"] = list(step.heard)
    if changed := changes(step.before, step.after):
        told["set"] = changed
    if step.sent:
        told["sent"] = [_sent(envelope) for envelope in step.sent]
    return told


def _sent(envelope: Envelope) -> Json:
    told: dict[str, Json] = {"id": envelope.id, "type": type(envelope.message).__name__}
    if (to := envelope.message.shown_to(envelope.to)) is not None:
        told["to"] = to
    told["fields"] = {name: shown(value) for name, value in envelope.message.shown().items()}
    return told


def crash(node: str, time: float) -> Json:
    return {"node": node, "action": "crash", "time": round(time, 3)}


def restart(node: str, time: float, fresh: State, restored: State) -> Json:
    told: dict[str, Json] = {"node": node, "action": "restart", "time": round(time, 3)}
    if changed := changes(fresh, restored):
        told["set"] = changed
    return told


def changes(before: State, after: State) -> dict[str, Json]:
    """What is different, by place: whole fields, but single keys of maps and single entries of logs."""
    found: dict[str, Json] = {}
    for name, new in after.items():
        old = before[name]
        if new is old or new == old:
            continue
        match old, new:
            case Numbered(), Numbered():
                found |= _numbered_changes(name, old, new)
            case dict(), dict() if old.keys() <= new.keys():
                found |= {f"{name}[{key}]": shown(new[key]) for key in new if key not in old or new[key] != old[key]}
            case _:
                found[name] = shown(new)
    return found


def _numbered_changes(name: str, old: Numbered, new: Numbered) -> dict[str, Json]:
    first = min(old.base, new.base) + 1
    if old.base == new.base and new.entries[: len(old.entries)] == old.entries:
        first = old.last + 1  # appended only
    found: dict[str, Json] = {}
    for i in range(first, max(old.last, new.last) + 1):
        was, now = (log[i] if log.base < i <= log.last else None for log in (old, new))
        if was != now:
            found[f"{name}[{i}]"] = shown(now)
    return found


def shown(value: object) -> Json:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Enum():
            return value.value
        case frozenset() | set():
            return sorted(shown(item) for item in value)
        case tuple() | list():
            return [shown(item) for item in value]
        case dict():
            return {str(key): shown(item) for key, item in value.items()}
        case _ if hasattr(value, "shown"):
            return {name: shown(item) for name, item in value.shown().items()}
        case _ if is_dataclass(value):
            return {f.name: shown(getattr(value, f.name)) for f in fields(value)}
        case _:
            raise TypeError(f"a trace cannot show {value!r}")
