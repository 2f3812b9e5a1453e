"""Scenarios as JSON: runs as traces write them, with the whole state of whoever took a step after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from checker.conform.compare import consumed
from checker.conform.driver import Done, Driver
from checker.conform.generate import Labels, Scenario, Scenarios, Suite
from checker.conform.steps import taken
from checker.conform.values import Unfit, blank
from checker.explore.display import element
from checker.explore.domains import Domains, Value
from checker.explore.interpreter import State
from checker.explore.replay import Teller
from checker.language import ir
from checker.language import types as ty

Json = Any


def to_json(found: Scenarios) -> Json:
    """The scenarios of a spec as one JSON value; `docs/conformance.md` describes it."""
    return {
        "format": "quorate-scenarios",
        "version": 1,
        "spec": found.spec.name,
        "missed": [str(goal) for goal in found.missed],
        "impossible": [str(goal) for goal in found.impossible],
        "unreachable": [str(goal) for goal in found.excluded] if found.proved else [],
        "instances": [_suite_to_json(suite) for suite in found.suites],
    }


def _suite_to_json(suite: Suite) -> Json:
    writer = _Writer(suite.driver, suite.labels)
    return {
        "instance": suite.instance,
        "sizes": dict(suite.driver.instance.sizes),
        "nodes": writer.nodes(),
        "states": suite.states,
        "exhausted": suite.exhausted,
        "scenarios": [writer.scenario(i, scenario) for i, scenario in enumerate(suite.scenarios, start=1)],
    }


class _Writer:
    """Writes runs as traces write events, with the whole state of whoever took a step after it."""

    def __init__(self, driver: Driver, labels: Labels) -> None:
        self.driver, self.spec, self.labels = driver, driver.spec, labels

    def nodes(self) -> Json:
        """The elements of each sort and order, as the header of a trace lists them."""
        domains = self.driver.instance.worlds[0].domains
        types: list[ty.Sort | ty.Order] = [ty.Sort(s.name) for s in self.spec.sorts]
        types += [ty.Order(o.name) for o in self.spec.orders]
        return {t.name: [written(domains, t, x) for x in domains.values(t, self.spec.span)] for t in types}

    def scenario(self, number: int, scenario: Scenario) -> Json:
        first = scenario.states[0]
        domains = self.driver.domains(first)
        constants = self.driver.instance.worlds[self.driver.world(first)].constants
        return {
            "name": f"scenario {number}",
            "covers": [str(goal) for goal in scenario.covers],
            "constants": {c.name: written(domains, c.type, constants[c.name]) for c in self.spec.constants},
            "initial": self._state(first),
            "steps": [
                self._step(before, done) for before, done in zip(scenario.states[:-1], scenario.steps, strict=True)
            ],
        }

    def _state(self, state: State) -> Json:
        """Variables by name; the fields of a role by node."""
        domains, found = self.driver.domains(state), {}
        for i, variable in enumerate(self.spec.variables):
            if variable.kind in ("state", "durable", "volatile"):
                found[variable.name] = written(domains, variable.type, state[i])
        return found

    def _step(self, before: State, done: Done) -> Json:
        domains, action = self.driver.domains(before), self.spec.actions[done.taken.action]
        choices = list(done.taken.choices)
        told: dict[str, Json] = {"action": action.qualified.removeprefix(f"{action.role}.")}
        node: int | None = None
        if action.role is not None:
            binder, node = choices.pop(0)
            told = {"node": written(domains, binder.type, node), **told}
        message = taken(action)
        if message is not None and isinstance(message.type, ty.Message):
            binder, value = choices.pop(next(i for i, (binder, _) in enumerate(choices) if binder is message))
            told["received"] = self._message(domains, message.type.name, value)
        if choices:
            told["args"] = {binder.name: written(domains, binder.type, value) for binder, value in choices}
        if path := self.labels.label(action.qualified, done.branches):
            told["path"] = path
        told["sent"] = [self._message(domains, kind, m) for kind, m in self._sent(before, done, action)]
        told["after"] = self._after(before, done.taken.state, action.role, node)
        return told

    def _sent(self, before: State, done: Done, action: ir.ActionDecl) -> Sequence[tuple[str, Value]]:
        network = self.spec.network
        if network is not None and network.kind == "set":
            types = [self.spec.variables[i].type for i, _ in done.sent]
            return [(t.item.name, m) for t, (_, m) in zip(types, done.sent, strict=True) if isinstance(t, ty.Set)
                    and isinstance(t.item, ty.Message)]  # fmt: skip
        return list(Teller(self.driver, before).sent(before, done.taken.state, consumed(action, done)))

    def _after(self, before: State, after: State, role: str | None, node: int | None) -> Json:
        """All fields of the node, and what else changed."""
        domains, found = self.driver.domains(after), {}
        for i, variable in enumerate(self.spec.variables):
            if variable.kind not in ("state", "durable", "volatile"):
                continue
            if variable.role is None or not isinstance(variable.type, ty.Map):
                if before[i] != after[i]:
                    found[variable.name] = written(domains, variable.type, after[i])
                continue
            field = variable.name.removeprefix(f"{variable.role}.")
            for key, (old, new) in enumerate(zip(before[i], after[i], strict=True)):
                if variable.role == role and key == node:
                    found[field] = written(domains, variable.type.value, new)
                elif old != new:
                    found[f"{written(domains, variable.type.key, key)}.{field}"] = written(
                        domains, variable.type.value, new
                    )
        return found

    def _message(self, domains: Domains, kind: str, message: Value) -> Json:
        layout = domains.fields(ty.Message(kind))
        values = {name: written(domains, type_, v) for (name, type_), v in zip(layout, message, strict=True)}
        ends = {end: values.pop(end) for end in ("from", "to") if end in values}
        return {"type": kind, **ends, "fields": values}


def written(domains: Domains, type_: ty.Type, value: Value) -> Json:
    """A value as traces write it; keys of maps that have what a key that is left out has are left out."""
    match type_:
        case ty.Bool() | ty.Int() | ty.Range() | ty.Order():
            return value
        case ty.Sort():
            return element(domains.spec, type_, value)
        case ty.Enum(name):
            return domains.enumerators(name)[value]
        case ty.Option(item):
            return None if value is None else written(domains, item, value)
        case ty.Quorum(name):
            of = next(q.of for q in domains.spec.quorums if q.name == name)
            return [written(domains, of, x) for x in domains.members(name)[value]]
        case ty.Record() | ty.Message():
            fields = zip(domains.fields(type_), value, strict=True)
            return {name: written(domains, t, x) for (name, t), x in fields}
        case ty.Set(item):
            return [written(domains, item, x) for x in sorted(value, key=domains.key(item))]
        case ty.Seq(_, item):
            return [written(domains, item, x) for x in value]
        case ty.Map(key, item):
            keys = domains.values(key, domains.spec.span)
            told = [(k, x) for k, x in zip(keys, value, strict=True) if not _is_blank(domains, item, x)]
            return {_key(written(domains, key, k)): written(domains, item, x) for k, x in told}
        case ty.Bag() | ty.Queue():
            raise ValueError(f"{ty.show(type_)} is not written")
        case _:
            assert_never(type_)


def _is_blank(domains: Domains, type_: ty.Type, value: Value) -> bool:
    try:
        return bool(value == blank(domains, type_))
    except Unfit:
        return False


def _key(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
