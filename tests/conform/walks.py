"""Random runs of a spec, written as the traces of systems that do just that; by the text of `docs/trace-format.md`."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from checker.conform.compare import consumed
from checker.conform.driver import Done, Driver
from checker.conform.scenarios import written
from checker.explore.domains import Value
from checker.explore.instance import instantiate
from checker.explore.interpreter import State
from checker.explore.replay import Teller
from checker.language import ir
from checker.language import types as ty
from checker.language.finite import for_instance
from checker.language.frontend import load

Json = dict[str, Any]

NAMELESS = ("action", "timeout", "on")
"""The kinds of steps that a trace need not name."""


@dataclass(frozen=True)
class Walk:
    """A run: its steps with the states before them."""

    told: Told
    steps: tuple[tuple[State, Done], ...]

    def events(self, plain: bool = False) -> list[Json]:
        """The trace, with everything in it; or `plain`, without ids, so that receipts tell what they receive."""
        names: dict[tuple[str, Value], list[str]] = {}
        network = self.told.spec.network
        once = network is not None and network.kind != "set"
        found: list[Json] = [self.told.header(self.steps[0][0])]
        for before, done in self.steps:
            found.append(event := self.told.event(before, done))
            received = None if plain else self.told.received(done)
            if received is not None and not event["action"].startswith("lose "):
                alike = names[received]
                event["received"] = alike.pop(0) if once else alike[-1]
            messages = zip(event["sent"], self.told.sent(before, done), strict=True)
            for number, (message, sent) in enumerate(messages):
                if not plain:
                    message["id"] = f"{event.get('node', '')}.{len(found)}.{number}"
                    names.setdefault(sent, []).append(message["id"])
            if event["action"] == "crash":
                if network is not None and network.breaking:  # what is under way from the node or to it is lost
                    lost = done.taken.choices[0][1]
                    names = {sent: alike for sent, alike in names.items() if lost not in sent[1][-2:]}
                found.append(self.told.restart(event["node"], done))
        return found


class Told:
    """Writes steps of an instance, without its limits, as events."""

    def __init__(self, whole: ir.Spec, decl: ir.InstanceDecl) -> None:
        self.whole, self.decl = whole, replace(decl, limits=())
        self.driver = Driver(instantiate(for_instance(whole, self.decl), self.decl))
        self.spec = self.driver.spec
        self.visible = [(i, v) for i, v in enumerate(self.spec.variables) if v.kind in ("state", "durable", "volatile")]

    def overrides(self) -> dict[str, str]:
        """What the trace cannot tell."""
        return {n: family.size.span.text for n, family in self.decl.quorums if isinstance(family, ir.OfSize)}

    def header(self, state: State) -> Json:
        domains = self.driver.domains(state)
        constants = self.driver.instance.worlds[self.driver.world(state)].constants
        sets = [*(ty.Sort(s.name) for s in self.spec.sorts), *(ty.Order(o.name) for o in self.spec.orders)]
        return {
            "trace": 1,
            "spec": self.spec.name,
            "nodes": {t.name: [written(domains, t, i) for i in range(domains.size(t))] for t in sets},
            "complete": sorted({self.field(v) for _, v in self.visible}),
            "messages": True,
            "ordered": True,
            "constants": {c.name: written(domains, c.type, constants[c.name]) for c in self.spec.constants},
        }

    def event(self, before: State, done: Done) -> Json:
        event, role = self.step(before, done), self.spec.actions[done.taken.action].role
        old = self.fields(before, event.get("node"), role)
        new = self.fields(done.taken.state, event.get("node"), role)
        event["set"] = {place: value for place, value in new.items() if old[place] != value}
        return event

    def step(self, before: State, done: Done) -> Json:
        """The event without the fields."""
        action, domains = self.spec.actions[done.taken.action], self.driver.domains(before)
        event: Json = {"action": action.qualified.removeprefix(f"{action.role}.")}
        choices = list(done.taken.choices)
        if action.role is not None:
            binder, node = choices.pop(0)
            event["node"] = written(domains, binder.type, node)
        if (received := self.received(done)) is not None:
            event["received"] = self.message(*received, domains)
        plain = [(b, value) for b, value in choices if not isinstance(b.type, ty.Message)]
        event["args"] = {b.name: written(domains, b.type, value) for b, value in plain}
        event["sent"] = [self.message(*sent, domains) for sent in self.sent(before, done)]
        return event

    def restart(self, node: Any, done: Done) -> Json:
        """The node comes up again: with what is durable, and not as it was at first."""
        role = self.spec.actions[done.taken.action].role
        domains, first = self.driver.domains(done.taken.state), next(iter(self.driver.initial()))
        told = {}
        for i, v in self.visible:
            if v.role == role and v.kind == "durable" and isinstance(v.type, ty.Map):
                number = done.taken.choices[0][1]
                value = done.taken.state[i][number]
                if value != first[i][number]:
                    told[self.field(v)] = written(domains, v.type.value, value)
        return {"node": node, "action": "restart", "set": told}

    def fields(self, state: State, node: Any, role: str | None) -> Json:
        """All places of the state, as the node names them."""
        domains, found = self.driver.domains(state), {}
        for i, v in self.visible:
            if v.role is None or not isinstance(v.type, ty.Map):
                found[v.name] = written(domains, v.type, state[i])
                continue
            for key, value in zip(domains.values(v.type.key, v.span), state[i], strict=True):
                name = written(domains, v.type.key, key)
                own = v.role == role and name == node
                found[self.field(v) if own else f"{name}.{self.field(v)}"] = written(domains, v.type.value, value)
        return found

    def field(self, variable: ir.VariableDecl) -> str:
        return variable.name if variable.role is None else variable.name.removeprefix(f"{variable.role}.")

    def received(self, done: Done) -> tuple[str, Value] | None:
        taken = [(b.type.name, value) for b, value in done.taken.choices if isinstance(b.type, ty.Message)]
        return taken[0] if taken else None

    def sent(self, before: State, done: Done) -> Sequence[tuple[str, Value]]:
        action = self.spec.actions[done.taken.action]
        if self.spec.network is None:
            return ()
        if self.spec.network.kind != "set":
            return list(Teller(self.driver, before).sent(before, done.taken.state, consumed(action, done)))
        return [(self.spec.variables[i].name.removeprefix("sent "), message) for i, message in done.sent]

    def message(self, kind: str, message: Value, domains: Any) -> Json:
        layout = domains.fields(ty.Message(kind))
        fields = {n: written(domains, t, value) for (n, t), value in zip(layout, message, strict=True)}
        ends = {end: fields.pop(end) for end in ("from", "to") if end in fields}
        return {"type": kind, **ends, "fields": fields}


@cache
def told(path: Path) -> Told:
    """The first instance of a spec whose quorums can be told on the command line."""
    spec = load(path).spec
    decl = next(d for d in spec.instances if not any(isinstance(f, ir.Listed) for _, f in d.quorums))
    return Told(spec, decl)


def walk(told: Told, rng: random.Random, length: int) -> Walk:
    """A random run: in each state some action that can be taken, with some choices."""
    state, steps = rng.choice(list(told.driver.initial())), []
    for _ in range(length):
        numbers = list(range(len(told.spec.actions)))
        rng.shuffle(numbers)
        done = next((rng.choice(found) for n in numbers if (found := list(ways(told.driver, state, n)))), None)
        if done is None:
            break
        steps.append((state, done))
        state = done.taken.state
    return Walk(told, tuple(steps))


def ways(driver: Driver, state: State, action: int) -> Iterator[Done]:
    return (result for result in driver.attempt(state, action, {}) if isinstance(result, Done))
