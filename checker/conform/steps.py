"""What an event says of the step that it was, in terms of the spec: which actions, with what, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from checker.conform.events import Event, Header
from checker.conform.values import Reader, Unfit, parts, whole
from checker.explore.domains import Value
from checker.language import ir
from checker.language import types as ty
from checker.source import did_you_mean

Json = Any


@dataclass(frozen=True)
class At:
    """A part of a value: a place of a map or record, or a position of a sequence."""

    kind: Literal["place", "position"]
    number: int


@dataclass(frozen=True)
class Change:
    """A place of the state, by variable and path, and the value that it has after the step."""

    text: str
    variable: int
    path: tuple[At, ...]
    type: ty.Type
    value: Value


@dataclass(frozen=True)
class Pattern:
    """A message as far as it is told. `full` is the message where everything is."""

    kind: str
    places: tuple[tuple[int, Value], ...]
    full: Value | None = None

    def fits(self, message: Value) -> bool:
        return all(message[i] == value for i, value in self.places)


@dataclass(frozen=True)
class Candidate:
    """An action that the event may be, by number, with the parameters by uid and the picks by name that are told."""

    action: int
    given: Mapping[int, Value]
    picks: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """An event in the terms of the spec.

    `node` is the node by role and number, if it is one of the spec's. `idle`: the event may be no step of the spec.
    `received`: the id of a message, or the message as far as it is told. `restored`: the event is a restart, and the
    values of the durable fields that it tells of are in `set`. `missing`: how many events of the node before this one
    are not there.
    """

    event: Event
    node: tuple[str, int] | None
    candidates: tuple[Candidate, ...]
    idle: bool = False
    restored: bool = False
    received: str | Pattern | None = None
    set: tuple[Change, ...] = ()
    present: tuple[Change, ...] = ()
    sent: tuple[tuple[str | None, Pattern], ...] | None = None
    missing: int = 0


def put(value: Value, path: tuple[At, ...], new: Value) -> Value:
    """The value with another part. Raises LookupError where it has no such part."""
    if not path:
        return new
    at, rest = path[0], path[1:]
    if value is None:
        raise LookupError
    if at.kind == "place":
        return (*value[: at.number], put(value[at.number], rest, new), *value[at.number + 1 :])
    i = at.number - 1
    if new is None and not rest:
        return value[:i]  # a sequence that ends before this position
    if i == len(value) and not rest:
        return (*value, new)
    if not 0 <= i < len(value):
        raise LookupError
    return (*value[:i], put(value[i], rest, new), *value[i + 1 :])


def get(value: Value, path: tuple[At, ...]) -> Value:
    """A part of a value; None where there is no such part."""
    for at in path:
        i = at.number - (at.kind == "position")
        if value is None or not 0 <= i < len(value):
            return None
        value = value[i]
    return value


class Meaning:
    """Reads events of one trace as steps of one spec. Raises SpecError (Q1002, Q1003) for what the spec does not have.

    Which node of a role is meant is told by the header, or by the first action of its role that the node takes.
    """

    def __init__(self, spec: ir.Spec, header: Header, reader: Reader) -> None:
        self.spec, self.header, self.reader = spec, header, reader
        self.variables = {v.name: i for i, v in enumerate(spec.variables)}
        self.roles = {role.name: role.type for role in spec.roles}
        self.labels = [a.qualified.removeprefix(f"{a.role}.") if a.role else a.qualified for a in spec.actions]
        self.messages = [m.name for m in spec.messages]
        self.down: set[tuple[str, int]] = set()
        self._last: dict[str | int, int] = {}  # the number of each node's last event
        self._numbers: dict[tuple[str | None, str | None, bool], list[int]] = {}
        self._choices: dict[int, tuple[dict[str, ir.Binder], dict[str, ir.Binder]]] = {}

    @cached_property
    def complete(self) -> frozenset[int]:
        """The variables of which each change is logged."""
        known = {name: [i] for name, i in self.variables.items()}
        for name, i in self.variables.items():
            role, dot, field_ = name.partition(".")
            if dot and role in self.roles:
                known.setdefault(field_, []).append(i)
        for name in self.header.complete:
            if name not in known:
                hint = did_you_mean(name, known) or "fields that the spec does not have cannot be complete"
                raise self.header.where.error("Q1002", f"the spec has no field `{name}`", hint)
        return frozenset(i for name in self.header.complete for i in known[name])

    def seen(self, event: Event) -> Seen:
        """The event as a step, after all events of its node before it."""
        try:
            return self._seen(event)
        except Unfit as unfit:
            raise event.where.error("Q1003", str(unfit), unfit.hint) from None

    def _seen(self, event: Event) -> Seen:
        node = self._node(event)
        missing = self._missing(event)
        if event.action in ("crash", "restart") and not self._named(event.action, node):
            return self._crash(event, node, missing)
        if node is not None:
            self.down.discard(node)
        numbers = self._actions(event, node)
        received = self._received(event)
        changes = tuple(self._change(event, node, place, raw) for place, raw in event.set.items())
        present = tuple(self._change(event, node, place, raw) for place, raw in event.present.items())
        sent = self._sent(event, node)
        return Seen(
            event,
            node,
            tuple(c for c in (self._candidate(event, node, n) for n in numbers) if c is not None),
            event.action is None and not changes and not sent,
            False,
            received,
            changes,
            present,
            sent,
            missing,
        )

    # --- nodes --------------------------------------------------------------------------------------

    def _node(self, event: Event) -> tuple[str, int] | None:
        if event.node is None:
            return None
        for role, type_ in self.roles.items():
            if isinstance(type_, ty.Order):
                if (number := whole(event.node)) is not None:
                    return role, self.reader.value(type_, number)
            elif event.node in self.reader.names.elements.get(role, {}):
                return role, self.reader.names.element(role, event.node)
        owners = {a.role for a, label in zip(self.spec.actions, self.labels, strict=True) if a.role
                  and event.action in (label, a.qualified)}  # fmt: skip
        top = any(a.role is None and a.qualified == event.action for a in self.spec.actions)
        if len(owners) != 1 or top:
            return None
        (role,) = owners
        assert role is not None
        return role, self.reader.value(self.roles[role], event.node)

    def _missing(self, event: Event) -> int:
        if event.seq is None or event.node is None:
            return 0
        before = self._last.get(event.node, 0)
        self._last[event.node] = event.seq
        if event.seq <= before:
            hint = "the lines of a node are in order, and its first number is 1"
            raise event.where.error("Q1001", f"`seq` is {event.seq}, after {before} of the same node", hint)
        return event.seq - before - 1

    def _crash(self, event: Event, node: tuple[str, int] | None, missing: int) -> Seen:
        """A crash or a restart, of which one is the step: the restart if no crash is told, and where a crash breaks
        channels: what is sent to the node while it is down is lost with it."""
        if node is None:
            return Seen(event, None, (), idle=True, missing=missing)
        crashes = [i for i, a in enumerate(self.spec.actions) if a.kind == "crash" and a.role == node[0]]
        stops = [i for i, a in enumerate(self.spec.actions) if a.kind == "stop" and a.role == node[0]]
        already = node in self.down
        restart = event.action == "restart"
        (self.down.discard if restart else self.down.add)(node)
        breaks = self.spec.network is not None and self.spec.network.breaking
        if not crashes and stops:
            step, possible = True, () if restart else stops  # who has stopped does not start again
        else:
            step, possible = bool(crashes) and (restart if breaks else not (restart and already)), crashes
        candidates = tuple(Candidate(i, {self.spec.actions[i].parameters[0].uid: node[1]}) for i in possible if step)
        told = tuple(self._change(event, node, place, raw) for place, raw in {**event.set, **event.present}.items())
        changes, present = (told, ()) if restart else ((), told if step else ())
        return Seen(event, node, candidates, not step, restart, None, changes, present, missing=missing)

    # --- actions ------------------------------------------------------------------------------------

    def _named(self, name: str, node: tuple[str, int] | None) -> bool:
        """Whether the spec has an ordinary action called so."""
        return any(
            name == label
            and a.kind not in ("crash", "stop")
            and (a.role is None or (node is not None and a.role == node[0]))
            for a, label in zip(self.spec.actions, self.labels, strict=True)
        )

    def _actions(self, event: Event, node: tuple[str, int] | None) -> list[int]:
        """The numbers of the actions that the event may be. Raises SpecError (Q1002) if there is none of its name."""
        role = node[0] if node else None
        key = (event.action, role, event.received is not None)
        if key not in self._numbers:
            self._numbers[key] = self._of_name(event, role)
        return self._numbers[key]

    def _of_name(self, event: Event, role: str | None) -> list[int]:
        every = list(enumerate(zip(self.spec.actions, self.labels, strict=True)))
        if event.action is None:
            steps = [(i, a) for i, (a, _) in every if a.kind in ("action", "timeout", "on") and a.role in (role, None)]
            return [i for i, a in steps if event.received is None or taken(a) is not None]
        found = [i for i, (a, label) in every if a.role == role and event.action in (label, a.qualified)]
        found = found or [i for i, (a, _) in every if a.role is None and event.action == a.qualified]
        if not found:
            names = [label for _, (a, label) in every if a.role in (role, None)]
            who = f"a {role}" if role else "this node" if event.node is not None else "nobody in particular"
            owners = [a.role for _, (a, label) in every if label == event.action]
            hint = f"it is an action of {owners[0]}: the event must have such a `node`" if owners else (
                did_you_mean(event.action, names) or "rename it in a map file, or put it under `ignore` there"
            )  # fmt: skip
            raise event.where.error("Q1002", f"{who} has no action `{event.action}` in the spec", hint)
        return found

    def _candidate(self, event: Event, node: tuple[str, int] | None, number: int) -> Candidate | None:
        """The action as the step that the event was; None if it is not named and its parameters are others."""
        action = self.spec.actions[number]
        given: dict[int, Value] = {}
        if action.role is not None:
            assert node is not None
            given[action.parameters[0].uid] = node[1]
        if event.received is not None and taken(action) is None and event.action is not None:
            hint = "if the step only comes after the message was sent, name it in `heard`"
            raise event.where.error("Q1002", f"`{action.qualified}` receives no message", hint)
        binders, choices = self._named_choices(number)
        picks: dict[str, Value] = {}
        for name, raw in event.args.items():
            binder = binders.get(name) or choices.get(name)
            if binder is None and event.action is not None:
                hint = did_you_mean(name, (*binders, *choices)) or (
                    f"it has {', '.join((*binders, *choices))}" if binders or choices else "it has none"
                )
                raise event.where.error("Q1002", f"`{action.qualified}` has no parameter `{name}`", hint)
            if binder is None:
                return None
            try:
                value = self.reader.value(binder.type, raw)
            except Unfit:
                if event.action is None:
                    return None
                raise
            if name in binders:
                given[binder.uid] = value
            else:
                picks[name] = value
        return Candidate(number, given, picks)

    def _named_choices(self, number: int) -> tuple[dict[str, ir.Binder], dict[str, ir.Binder]]:
        """The parameters of an action that an event may tell, and what its body picks, by name."""
        known = self._choices.get(number)
        if known is None:
            action = self.spec.actions[number]
            message = taken(action)
            told = [b for b in action.parameters[action.role is not None :] if b is not message]
            found = picks(self.spec, action.body)
            known = self._choices[number] = {b.name: b for b in told}, {b.name: b for b in found}
        return known

    # --- messages -----------------------------------------------------------------------------------

    def _received(self, event: Event) -> str | Pattern | None:
        if not isinstance(event.received, Mapping):
            return event.received
        return self.pattern(event, event.received, None)

    def _sent(self, event: Event, node: tuple[str, int] | None) -> tuple[tuple[str | None, Pattern], ...] | None:
        if event.sent is None:
            return () if self.header.messages else None
        return tuple((message.get("id"), self.pattern(event, message, node)) for message in event.sent)

    def pattern(self, event: Event, message: Mapping[str, Json], sender: tuple[str, int] | None) -> Pattern:
        """A message of the trace; if it does not say who sent it, `sender` did."""
        kind = message["type"]
        if kind not in self.messages:
            hint = did_you_mean(kind, self.messages) or "rename it in a map file"
            raise event.where.error("Q1002", f"the spec has no message `{kind}`", hint)
        fields = message.get("fields") or {}
        given = {name: fields[name] for name in fields}
        for end in ("from", "to"):
            if message.get(end) is not None:
                given[end] = message[end]
        layout = dict(self.reader.fields(ty.Message(kind)))
        places = {}
        for i, (name, type_) in enumerate(layout.items()):
            if name in given:
                raw = given.pop(name)
                if name in ("from", "to") and isinstance(type_, ty.Order) and whole(raw) is not None:
                    raw = whole(raw)
                places[i] = self.reader.value(type_, raw)
            elif name == "from" and sender is not None and self.roles.get(sender[0]) == type_:
                places[i] = sender[1]
        for name in given.keys() - {"from", "to"}:
            hint = did_you_mean(name, layout) or f"it has {', '.join(layout)}"
            raise event.where.error("Q1002", f"`{kind}` has no field `{name}`", hint)
        return _pattern(kind, places, len(layout))

    def addressed(self, pattern: Pattern, node: tuple[str, int]) -> Pattern:
        """The pattern of a message that the node receives."""
        layout = self.reader.fields(ty.Message(pattern.kind))
        if pattern.full is not None or not layout or layout[-1][0] != "to" or layout[-1][1] != self.roles[node[0]]:
            return pattern
        return _pattern(pattern.kind, {len(layout) - 1: node[1], **dict(pattern.places)}, len(layout))

    # --- places -------------------------------------------------------------------------------------

    def _change(self, event: Event, node: tuple[str, int] | None, place: str, raw: Json) -> Change:
        variable, path, type_, names = self._root(event, node, place)
        for name in names:
            type_ = type_.item if isinstance(type_, ty.Option) else type_
            at, type_ = self._part(place, type_, name)
            path = (*path, at)
        last_of_sequence = bool(path) and path[-1].kind == "position" and raw is None
        value = None if last_of_sequence else self.reader.value(type_, raw)
        return Change(place, variable, path, type_, value)

    def _root(
        self, event: Event, node: tuple[str, int] | None, place: str
    ) -> tuple[int, tuple[At, ...], ty.Type, list[str]]:
        """The field or variable that a place begins with, and the parts that follow."""
        first, *rest = parts(place)
        if node is not None and (found := self._field(node, first)):
            return *found, rest
        if first in self.variables and "." not in first:
            i = self.variables[first]
            return i, (), self.spec.variables[i].type, rest
        for owner, field_ in self._of_others(place):
            first, *rest = parts(field_)
            if found := self._field(owner, first):
                return *found, rest
        own = [n.removeprefix(f"{node[0]}.") for n in self.variables if n.startswith(f"{node[0]}.")] if node else []
        hint = did_you_mean(first, own) or "rename it in a map file, or put it under `unlogged` there"
        raise event.where.error("Q1002", f"the spec has no field `{first}` for this node", hint)

    def _of_others(self, place: str) -> Iterator[tuple[tuple[str, int], str]]:
        """A place such as `s1.term` as the field of a node; the name of the node may have dots in it, too."""
        dots = [i for i, character in enumerate(place) if character == "."]
        for i in dots:
            name, field_ = place[:i], place[i + 1 :]
            for role, type_ in self.roles.items():
                known = self.reader.names.elements.get(role, {})
                number = whole(name) if isinstance(type_, ty.Order) else known.get(name)
                if number is not None:
                    yield (role, number), field_

    def _field(self, node: tuple[str, int], name: str) -> tuple[int, tuple[At, ...], ty.Type] | None:
        i = self.variables.get(f"{node[0]}.{name}")
        if i is None:
            return None
        type_ = self.spec.variables[i].type
        assert isinstance(type_, ty.Map)
        return i, (At("place", node[1]),), type_.value

    def _part(self, place: str, type_: ty.Type, name: str) -> tuple[At, ty.Type]:
        key = name[1:-1] if name.startswith("[") else None
        match type_:
            case ty.Map(key_type, item) if key is not None:
                return At("place", self.reader.place_of(key_type, self.reader.key(key_type, key))), item
            case ty.Seq(index, item) if key is not None and (position := whole(key)) is not None:
                if isinstance(index, ty.Order):
                    self.reader.names.see(index.name, position)
                return At("position", position), item
            case ty.Record() if key is None:
                fields = self.reader.fields(type_)
                for i, (field_, item) in enumerate(fields):
                    if field_ == name.removeprefix("."):
                        return At("place", i), item
        raise Unfit(f"`{place}` is no place: {ty.show(type_)} has no part `{name}`")


def _pattern(kind: str, places: dict[int, Value], size: int) -> Pattern:
    full = tuple(places[i] for i in range(size)) if len(places) == size else None
    return Pattern(kind, tuple(sorted(places.items())), full)


def taken(action: ir.ActionDecl) -> ir.Binder | None:
    """The parameter that is the message which the action takes: a handler or a loss, or an action at top level that
    looks at one message."""
    messages = [binder for binder in action.parameters if isinstance(binder.type, ty.Message)]
    return messages[0] if len(messages) == 1 else None


def picks(spec: ir.Spec, body: Iterable[ir.Statement]) -> Iterator[ir.Binder]:
    """The choices that a body makes."""
    for statement in body:
        match statement:
            case ir.Pick(binder, _):
                yield binder
            case ir.Choice(branches, otherwise):
                for _, inner in branches:
                    yield from picks(spec, inner)
                yield from picks(spec, otherwise)
            case ir.Invoke(name, _):
                yield from picks(spec, next(p.body for p in spec.procedures if p.name == name))
            case _:
                pass
