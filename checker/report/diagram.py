"""A trace as a space-time diagram: a lane for each node, time downwards, arrows from where messages are sent to where
they are received.

The drawing is cut into slices, one for each row of the story, so that a row may be as high as its text needs and the
lanes as narrow as the screen. Across, `x` is in percent of the width; heights are pixels from the top of the slice, or
all of it (`FULL`). No slice knows of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from checker.report.look import printable
from checker.report.story import message
from checker.verdict import BagValue, Clause, MapValue, RecordValue, SeqValue, SetValue, Step, Trace, Value, show

EVENT = 18
"""How far below the top of its row an event is drawn, in pixels."""

FULL = "100%"
"""The height of a slice, whatever it is."""

CROWD = 10
"""With more lanes than this, nodes to which nothing happens have none."""

COLORS = 8
"""How many colours there are for kinds of messages; further kinds use them again."""

NOWHERE = "(no node)"
"""The lane of steps that no node takes, such as those of the environment."""

# In lanes:
_BEND = 0.22  # how far a message to oneself swings out
_STUB = 0.36  # how far the arrow of a message that never arrives reaches

Fate: TypeAlias = Literal["received", "again", "lost", "waiting", "open"]


@dataclass(frozen=True)
class Journey:
    """A message from the row in which it was sent (0: it was there at the start) to that in which it ended.

    `fate`: it was received, received again though it was sent once, lost by a step, waiting for someone to receive it,
    or open: there to be looked at, for no step of the spec receives messages of its kind.
    """

    message: RecordValue
    sent: int
    source: str
    ended: int
    target: str | None
    fate: Fate


@dataclass(frozen=True)
class Lane:
    """One lane: its node's name, the role or parameter that the name belongs to, its place, whether nothing happens."""

    name: str
    role: str
    x: float
    quiet: bool


@dataclass(frozen=True)
class Mark:
    """An event on a lane, by the kind of its step; `note` are names of the failing clause that stand for the node."""

    x: float
    kind: Literal["action", "timeout", "on", "crash", "stop", "lie", "lose", "partition", "heal", "witness"]
    note: str = ""


@dataclass(frozen=True)
class Strand:
    """The part of a message's way that lies in one slice: from one point to another, each an x and a height."""

    x1: float
    y1: str
    x2: float
    y2: str
    color: int
    fate: Fate
    head: bool
    title: str
    journey: int


@dataclass(frozen=True)
class Slice:
    """What is drawn beside one row; `broken` are the lanes (by x) that a crash interrupts."""

    marks: tuple[Mark, ...] = ()
    strands: tuple[Strand, ...] = ()
    broken: frozenset[float] = frozenset()


@dataclass(frozen=True)
class Diagram:
    """The whole: lanes, a slice for each row, the nodes that have no lane, and the colour of each kind of message."""

    lanes: tuple[Lane, ...]
    slices: tuple[Slice, ...]
    undrawn: tuple[str, ...]
    colors: tuple[tuple[str, int], ...]
    fates: tuple[Fate, ...]
    kinds: tuple[str, ...]


def diagram(trace: Trace, clauses: Sequence[Clause] = (), handled: frozenset[str] | None = None) -> Diagram:
    """The diagram of a trace; in its last row the nodes that the witnesses of `clauses` name are marked.

    `handled` are the kinds of messages that some step of the spec receives, where they are known.
    """
    owners = actors(trace)
    ways = journeys(trace, owners, handled)
    witnesses = _witnesses(clauses)
    places, undrawn = _lanes(trace, owners, ways, set(witnesses))
    lanes = tuple(
        Lane(printable(name), printable(role), _percent(i + 0.5, len(places)), name not in _busy(owners, ways, trace))
        for i, (name, role) in enumerate(places)
    )
    colors = {name: i % COLORS for i, name in enumerate(dict.fromkeys(way.message.name for way in ways))}
    slices = _Slices([name for name, _ in places], len(trace.states), colors)
    slices.events(trace, owners)
    for number, way in enumerate(ways):
        slices.journey(number, way)
    slices.witnesses(witnesses)
    return Diagram(
        lanes,
        slices.done(),
        undrawn,
        tuple(colors.items()),
        tuple(dict.fromkeys(way.fate for way in ways)),
        tuple(dict.fromkeys(mark.kind for marks in slices.marks for mark in marks)),
    )


# --- who acts ---------------------------------------------------------------------------------------


def nodes(trace: Trace) -> dict[str, str]:
    """The names of the nodes of all roles, each with its role."""
    found: dict[str, str] = {}
    for i, variable in enumerate(trace.variables):
        value = trace.states[0][i]
        if variable.role is not None and isinstance(value, MapValue):
            found |= {show(key): variable.role for key, _ in value.entries}
    for step in trace.steps:
        if step.node is not None:
            found.setdefault(step.node, step.action.partition(".")[0])
    return found


def actors(trace: Trace) -> tuple[str, ...]:
    """Whose lane each step is on: its node's, else the sender's, else that of a node or process among its arguments."""
    known = set(nodes(trace)) or set(_processes(trace)[1])
    return tuple(_actor(step, known) for step in trace.steps)


def _actor(step: Step, known: set[str]) -> str:
    if step.node is not None:
        return step.node
    if step.kind == "lose":
        return NOWHERE
    senders = {name for sent in step.sent if (name := end(sent, "from")) is not None}
    if len(senders) == 1:
        return senders.pop()
    return next((name for _, value in step.arguments[:1] if (name := show(value)) in known), NOWHERE)


def _processes(trace: Trace) -> tuple[str, tuple[str, ...]]:
    """Of a spec without roles, the parameter and the keys that most steps have for their first argument."""
    best: tuple[int, str, tuple[str, ...]] = (0, "", ())
    for i, variable in enumerate(trace.variables):
        value = trace.states[0][i]
        if variable.network or variable.ghost or not isinstance(value, MapValue):
            continue
        keys = tuple(show(key) for key, _ in value.entries)
        firsts = [step.arguments[0] for step in trace.steps if step.arguments]
        names = [name for name, argument in firsts if show(argument) in keys]
        if len(names) > best[0]:
            best = (len(names), names[0], keys)
    return best[1], best[2]


def end(sent: RecordValue, which: Literal["from", "to"]) -> str | None:
    """The node at one end of a message; None if the message does not say."""
    return next((show(value) for name, value in sent.fields if name == which), None)


def _busy(owners: tuple[str, ...], ways: list[Journey], trace: Trace) -> set[str]:
    """The lanes on which something happens."""
    acts = {owner for owner, step in zip(owners, trace.steps, strict=True) if step.kind != "lose"}
    return acts | {name for way in ways for name in (way.source, way.target) if name is not None}


def _lanes(
    trace: Trace, owners: tuple[str, ...], ways: list[Journey], wanted: set[str]
) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The names of the lanes with their roles, and the names of nodes that have none for want of room."""
    roles = nodes(trace)
    if not roles:
        parameter, keys = _processes(trace)
        roles = dict.fromkeys(keys, parameter)
    busy = _busy(owners, ways, trace)
    roles |= {name: "" for name in sorted(busy) if name not in roles and name != NOWHERE}
    names = ([NOWHERE] if NOWHERE in busy or not roles else []) + list(roles)
    kept = names if len(names) <= CROWD else [name for name in names if name in busy | wanted] or names[:1]
    return [(name, roles.get(name, "")) for name in kept], tuple(printable(n) for n in names if n not in kept)


def _percent(x: float, lanes: int) -> float:
    """A place in lanes as one in percent of the width."""
    return round(100 * x / lanes, 2)


def _witnesses(clauses: Sequence[Clause]) -> dict[str, list[str]]:
    """The values that the outermost names of the clauses stand for, each with these names."""
    found: dict[str, list[str]] = {}
    for clause in clauses:
        for name, value in clause.witnesses:
            if isinstance(value, str | int) and not isinstance(value, bool) and name not in found.get(show(value), ()):
                found.setdefault(show(value), []).append(name)
    return found


# --- where messages go ------------------------------------------------------------------------------


@dataclass
class _Sent:
    """A message that was sent, and who has received it."""

    message: RecordValue
    row: int
    source: str
    receivers: list[str] = field(default_factory=list)
    lost: bool = False


def journeys(trace: Trace, owners: tuple[str, ...], handled: frozenset[str] | None = None) -> list[Journey]:
    """The ways of all messages, in order of their ends; those that nobody received come last.

    A receipt belongs to the first sending of the same message that its node has not received, else to the last one.
    """
    sent = [_Sent(m, 0, end(m, "from") or NOWHERE) for m in _on_the_way(trace)]
    ways: list[Journey] = []
    for row, (step, owner) in enumerate(zip(trace.steps, owners, strict=True), start=1):
        if step.received is not None:
            ways.append(_arrival(step.received, step, owner, row, sent))
        sent += [_Sent(m, row, end(m, "from") or owner) for m in step.sent]
    waiting = [each for each in sent if not each.receivers and not each.lost and each.row]
    return ways + [
        Journey(m.message, m.row, m.source, m.row, end(m.message, "to"), "open" if _is_open(m, handled) else "waiting")
        for m in waiting
    ]


def _is_open(sent: _Sent, handled: frozenset[str] | None) -> bool:
    return handled is not None and sent.message.name not in handled


def _arrival(received: RecordValue, step: Step, owner: str, row: int, sent: list[_Sent]) -> Journey:
    alike = [each for each in sent if each.message == received and not each.lost]
    addressed = end(received, "to") is not None
    fresh = [e for e in alike if not (e.receivers if addressed else owner in e.receivers)]
    if not alike:  # nothing in the trace says where it came from
        alike = [_Sent(received, 0, end(received, "from") or NOWHERE)]
        sent += alike
        fresh = alike
    origin = fresh[0] if fresh else alike[-1]
    if step.kind == "lose":
        origin.lost = not origin.receivers
        return Journey(received, origin.row, origin.source, row, end(received, "to"), "lost")
    origin.receivers.append(owner)
    return Journey(received, origin.row, origin.source, row, owner, "received" if fresh else "again")


def _on_the_way(trace: Trace) -> Iterator[RecordValue]:
    """The messages that are in the network at the start, as in a step from an arbitrary state."""
    for variable, value in zip(trace.variables, trace.states[0], strict=True):
        if variable.network:
            yield from messages(value)


def messages(network: Value) -> Iterator[RecordValue]:
    """The messages that the value of a network holds."""
    match network:
        case RecordValue():
            yield network
        case SetValue(items) | SeqValue(items):
            for item in items:
                yield from messages(item)
        case BagValue(counts):
            for item, count in counts:
                for _ in range(count):
                    yield from messages(item)
        case MapValue(entries):
            for _, value in entries:
                yield from messages(value)
        case _:
            pass


# --- drawing ----------------------------------------------------------------------------------------


class _Slices:
    """The slices while they are drawn. Places are counted in lanes until they are handed out."""

    def __init__(self, lanes: list[str], rows: int, colors: dict[str, int]) -> None:
        self.at, self.colors = {name: i + 0.5 for i, name in enumerate(lanes)}, colors
        self.marks: list[list[Mark]] = [[] for _ in range(rows)]
        self.strands: list[list[Strand]] = [[] for _ in range(rows)]
        self.broken: list[set[float]] = [set() for _ in range(rows)]

    def done(self) -> tuple[Slice, ...]:
        parts = zip(self.marks, self.strands, self.broken, strict=True)
        return tuple(Slice(tuple(m), tuple(s), frozenset(b)) for m, s, b in parts)

    def events(self, trace: Trace, owners: tuple[str, ...]) -> None:
        for row, (step, owner) in enumerate(zip(trace.steps, owners, strict=True), start=1):
            if step.kind == "lose":  # the arrow that ends in a cross says it
                continue
            x = self._percent(self.at[owner])
            self.marks[row].append(Mark(x, step.kind))
            if step.kind in ("crash", "stop"):
                self.broken[row].add(x)

    def witnesses(self, names: dict[str, list[str]]) -> None:
        for node, called in names.items():
            if node in self.at:
                self.marks[-1].append(Mark(self._percent(self.at[node]), "witness", printable(", ".join(called))))

    def journey(self, number: int, way: Journey) -> None:
        x = self.at.get(way.source)
        if x is None:
            return
        if way.fate in ("waiting", "open"):
            self._add(number, way, way.sent, (x, f"{EVENT}", x + self._reach(x, way.target), f"{EVENT + 14}"), True)
            return
        to = x + self._reach(x, way.target) if way.fate == "lost" else self.at[way.target or NOWHERE]
        rows = way.ended - way.sent
        if rows == 0:
            return
        bend = _BEND if to == x else 0.0
        for k in range(rows + 1):
            enters = x + (to - x) * (k - 0.4) / rows + bend if k else x
            leaves = x + (to - x) * (k + 0.6) / rows + bend if k < rows else to
            top, bottom = f"{EVENT}" if k == 0 else "0", f"{EVENT}" if k == rows else FULL
            self._add(number, way, way.sent + k, (enters, top, leaves, bottom), k == rows)

    def _percent(self, x: float) -> float:
        return _percent(x, len(self.at))

    def _reach(self, x: float, target: str | None) -> float:
        """How far, and to which side, the arrow goes of a message that does not arrive."""
        to = self.at.get(target) if target is not None else None
        if to is None or to == x:
            return _STUB if x < len(self.at) - 0.5 else -_STUB
        return _STUB if to > x else -_STUB

    def _add(self, number: int, way: Journey, row: int, line: tuple[float, str, float, str], head: bool) -> None:
        x1, y1, x2, y2 = line
        strand = Strand(
            self._percent(x1),
            y1,
            self._percent(x2),
            y2,
            self.colors[way.message.name],
            way.fate,
            head,
            _title(way),
            number,
        )
        self.strands[row].append(strand)


def _title(way: Journey) -> str:
    """A journey in words."""
    begun = f"sent in step {way.sent}" if way.sent else "there from the start"
    match way.fate:
        case "received":
            ended = f"received by {way.target} in step {way.ended}"
        case "again":
            ended = f"received once more, by {way.target} in step {way.ended}"
        case "lost":
            ended = f"lost in step {way.ended}"
        case "open":
            ended = "there to be looked at"
        case "waiting":
            ended = "not received in this run"
    return printable(f"{message(way.message)}: {begun}, {ended}")
