"""A trace as a story: who did what in each step, who received and sent what, and only what changed.

It draws one trace; which property the trace belongs to, and why it fails, is told by `text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checker.report.changes import brief, changes
from checker.report.look import Look, flow, printable, wrap
from checker.verdict import MapValue, RecordValue, SetValue, Step, Trace, Value, Variable, show


@dataclass(frozen=True)
class View:
    """What of a trace is shown: whole states or changes only, and which variables (by short or full name)."""

    full: bool = False
    only: frozenset[str] = frozenset()
    hide: frozenset[str] = frozenset()

    def shows(self, variable: Variable, mentioned: str = "") -> bool:
        """Whether a variable is shown; networks and ghosts only when asked for, or when `mentioned` has their name."""
        names = {variable.short_name, variable.full_name}
        if names & self.hide:
            return False
        if self.only:
            return bool(names & self.only)
        if self.full or not (variable.network or variable.ghost):
            return True
        return variable.ghost and re.search(rf"\b{re.escape(variable.short_name)}\b", mentioned) is not None


@dataclass(frozen=True)
class _Row:
    """One line of a story before layout: number or range, event, what it changed and sent, and the state after it."""

    number: str
    event: str
    changed: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    state: tuple[tuple[str, str, bool], ...] = ()


def story(trace: Trace, look: Look, view: View | None = None, mentioned: str = "") -> str:
    """The trace, one event a line with its effects beside it; `mentioned` is text whose ghosts are worth showing."""
    view = view or View()
    shown = tuple(i for i, v in enumerate(trace.variables) if view.shows(v, mentioned))
    rows = list(_rows(trace, shown, look, view))
    return "\n".join(_layout(rows if view.full else list(_collapse(rows)), look))


# --- one step ---------------------------------------------------------------------------------------


def _rows(trace: Trace, shown: tuple[int, ...], look: Look, view: View) -> Iterator[_Row]:
    full = view.full
    opening = [(name, value) for name, value in trace.constants]
    opening += [(v.full_name, trace.states[0][i]) for i in shown if (v := trace.variables[i]).arbitrary]
    start = tuple(printable(f"{name} = {brief(value)}") for name, value in opening)
    yield _Row("0", "start", start, (), _whole_state(trace, 0, shown) if full else ())
    for n, step in enumerate(trace.steps, start=1):
        at = (("at", f"{step.place.file}:{step.place.line}", False),) if full and step.place else ()
        state = (*at, *_whole_state(trace, n, shown)) if full else ()
        yield _Row(
            str(n),
            event(step),
            tuple(_changed(trace, n, shown, look, view)),
            tuple(text for _, text in sends(step)),
            state,
        )


def event(step: Step) -> str:
    """What happened, as a phrase: `a0 on Prepare(ballot: 0)`, `propose(b: 0, v: v1)`, `n2 crashes and restarts`."""
    who = f"{step.node} " if step.node is not None else ""
    name = step.action.rsplit(".", 1)[-1]
    match step.kind:
        case "on":
            what = message(step.received, receiver=step.node) if step.received else name.removeprefix("on ")
            return printable(f"{who}on {what}{_choices(step)}")
        case "lose":
            return printable(f"{message(step.received) if step.received else name.removeprefix('lose ')} is lost")
        case "crash":
            return printable(f"{who}crashes and restarts")
        case "stop":
            return printable(f"{who}stops")
        case "lie":
            return printable(f"{who}lies")
        case "partition" | "heal":
            return printable(_parting(step))
        case "timeout":
            return printable(f"{who}timeout {name}{_arguments(step.arguments)}")
        case "action":
            return printable(f"{who}{name}{_arguments(step.arguments)}")


def _parting(step: Step) -> str:
    """Who is cut off from whom, or is no more: of a partition both sides, of a link its ends."""
    if step.node is not None:
        other = show(step.arguments[0][1])
        return f"{step.node} {'no longer reaches' if step.kind == 'partition' else 'reaches'} {other}" + (
            " again" if step.kind == "heal" else ""
        )
    if step.kind == "heal":
        return "the partition heals"
    far = [show(node) for _, side in step.arguments if isinstance(side, SetValue) for node in side.items]
    return f"partition: {', '.join(far)} | all others"


def message(value: RecordValue, sender: str | None = None, receiver: str | None = None) -> str:
    """A message with its fields named, and its ends unless they are the `sender` or `receiver` known already."""
    fields = [(name, v) for name, v in value.fields if name not in ("from", "to")]
    ends = {name: show(v) for name, v in value.fields if name in ("from", "to")}
    known = {"from": sender, "to": receiver}
    ways = "".join(f" {name} {node}" for name, node in ends.items() if node != known[name])
    return f"{value.name}{_arguments(tuple(fields))}{ways}"


def _arguments(pairs: tuple[tuple[str, Value], ...]) -> str:
    return f"({', '.join(f'{name}: {brief(value)}' for name, value in pairs)})" if pairs else ""


def _choices(step: Step) -> str:
    """What a handler picked beside its message."""
    picked = [(name, v) for name, v in step.arguments if v != step.received and show(v) != step.node]
    return f" with {', '.join(f'{name} = {brief(v)}' for name, v in picked)}" if picked else ""


def sends(step: Step) -> Iterator[tuple[str, str]]:
    """The messages sent, each as its type's name and a phrase; copies to several nodes are one."""
    groups: dict[tuple[str, str], list[str]] = {}
    for sent in step.sent:
        to = [show(v) for name, v in sent.fields if name == "to"]
        receiver = to[0] if to else None
        groups.setdefault((sent.name, message(sent, step.node, receiver)), []).extend(to)
    for (name, text), receivers in groups.items():
        yield name, printable(f"sends {text}" + (f" to {', '.join(receivers)}" if receivers else ""))


def effects(trace: Trace, n: int, look: Look, view: View | None = None) -> list[str]:
    """What step `n` (from 1 on) changed and sent, a phrase for each."""
    view = view or View()
    shown = tuple(i for i, v in enumerate(trace.variables) if view.shows(v))
    return [*_changed(trace, n, shown, look, view), *(text for _, text in sends(trace.steps[n - 1]))]


def _changed(trace: Trace, n: int, shown: tuple[int, ...], look: Look, view: View) -> Iterator[str]:
    for i in shown:
        if view.only or not trace.variables[i].network:  # networks are told as what is sent
            yield from changed(trace, n, i, look.arrow)


def changed(trace: Trace, n: int, i: int, arrow: str = "→") -> Iterator[str]:
    """What step `n` of a trace did to variable `i`, as phrases (`votes: {} → {s0}`)."""
    variable, before, after = trace.variables[i], trace.states[n - 1][i], trace.states[n][i]
    if before == after:
        return
    if variable.role is None or not (isinstance(before, MapValue) and isinstance(after, MapValue)):
        found = [(f"{variable.full_name}{c.path}", c.text) for c in changes(before, after, arrow)]
    else:
        found = list(_fields_changed(variable, before, after, trace.steps[n - 1].node, arrow))
    for name, text in found:
        yield printable(f"{name}: {text}")


def _fields_changed(
    variable: Variable, before: MapValue, after: MapValue, node: str | None, arrow: str
) -> Iterator[tuple[str, str]]:
    """Changes of a role's field: the acting node's without its name, those of other nodes with theirs."""
    name = variable.short_name
    alike: dict[tuple[str, str], list[str]] = {}
    for (key, old), (_, new) in zip(before.entries, after.entries, strict=True):
        for change in changes(old, new, arrow):
            if show(key) == node:
                yield f"{name}{change.path}", change.text
            else:
                alike.setdefault((change.path, change.text), []).append(show(key))
    for (path, text), nodes in alike.items():
        yield (f"{nodes[0]}.{name}{path}" if len(nodes) == 1 else f"{name}{path} of {', '.join(nodes)}"), text


def _whole_state(trace: Trace, n: int, shown: tuple[int, ...]) -> tuple[tuple[str, str, bool], ...]:
    """Each variable with its value, and whether the step before changed it."""
    return tuple(
        (
            trace.variables[i].full_name,
            printable(brief(trace.states[n][i])),
            n > 0 and trace.states[n][i] != trace.states[n - 1][i],
        )
        for i in shown
    )


# --- the whole --------------------------------------------------------------------------------------


def _collapse(rows: list[_Row]) -> Iterator[_Row]:
    """Three or more steps in a row that show no effect become one line that counts them."""
    run: list[_Row] = []
    for row in [*rows, None]:
        if row is not None and not (row.changed or row.sent) and row.number != "0":
            run.append(row)
            continue
        if len(run) > 2:
            counts: dict[str, int] = {}
            for quiet in run:
                counts[quiet.event] = counts.get(quiet.event, 0) + 1
            what = ", ".join(name + (f" x{n}" if n > 1 else "") for name, n in counts.items())
            yield _Row(f"{run[0].number}..{run[-1].number}", f"{len(run)} steps without visible effect: {what}")
        else:
            yield from run
        run = []
        if row is not None:
            yield row


def state_lines(trace: Trace, n: int, look: Look, view: View | None = None, indent: int = 2) -> list[str]:
    """The whole state `n` of a trace, one variable a line."""
    view = view or View()
    shown = tuple(i for i, v in enumerate(trace.variables) if view.shows(v))
    return _state(_whole_state(trace, n, shown), look, indent)


def _state(state: tuple[tuple[str, str, bool], ...], look: Look, indent: int) -> list[str]:
    column = indent + max((len(name) for name, _, _ in state), default=0) + 2
    lines = []
    for name, text, changed in state:
        pieces = wrap(text, max(24, look.width - column))
        head = " " * indent + name.ljust(column - indent)
        lines.append((head + look.paint(pieces[0], "strong" if changed else "plain")).rstrip())
        lines.extend(" " * column + look.paint(piece, "strong" if changed else "plain") for piece in pieces[1:])
    return lines


def _layout(rows: list[_Row], look: Look) -> list[str]:
    """Numbers flush right, then events, changes and sends: side by side where all fit, else sends below changes."""
    numbers = max((len(row.number) for row in rows), default=1)
    left = 2 + numbers + 2
    events = _widest([[row.event] for row in rows if row.changed or row.sent])
    changed = left + min(events, max(24, (look.width - left) * 45 // 100)) + 3
    sent = changed + _widest([row.changed for row in rows]) + 3
    three = sent + _widest([row.sent for row in rows]) <= look.width
    lines: list[str] = []
    for row in rows:
        head = "  " + look.paint(row.number.rjust(numbers), "soft") + "  "
        # An event without effects has the whole line; one that is longer than its column has its effects below.
        event_lines = wrap(row.event, look.width - left, indent=2)
        beside = len(event_lines) == 1 and len(row.event) + 2 <= changed - left
        effects = _beside(row, look, changed, sent if three else None)
        lines.append(head + look.paint(event_lines[0], "strong"))
        if beside and effects:
            lines[-1] += " " * (changed - left - len(row.event)) + effects.pop(0)
        lines.extend(" " * left + look.paint(part, "strong") for part in event_lines[1:])
        lines.extend(" " * changed + line for line in effects)
        lines.extend(_state(row.state, look, left + 2))
    return lines


def _widest(rows: Sequence[Sequence[str]]) -> int:
    return max((len("; ".join(items)) for items in rows), default=0)


def _beside(row: _Row, look: Look, changed: int, sent: int | None) -> list[str]:
    """The lines beside an event; `sent` is the column of what it sent, None when that stands below the changes."""
    if sent is not None:
        gap = sent - changed - len("; ".join(row.changed)) if row.sent else 0
        line = "; ".join(row.changed) + " " * gap + look.paint("; ".join(row.sent), "name")
        return [line] if line else []
    width = max(24, look.width - changed)
    return flow(row.changed, width) + [look.paint(line, "name") for line in flow(row.sent, width)]
