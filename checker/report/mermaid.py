"""A run as a sequence diagram in Mermaid, which GitHub and GitLab draw where Markdown is shown.

A lane for each node that takes part, one for the environment where it acts; an arrow at each receipt, with a cross
where a message is lost; notes for what changed. Messages that are still under way at the end are told in notes only.
"""

from __future__ import annotations

from collections.abc import Iterator

from checker.report.look import Look, printable
from checker.report.story import effects, event, message
from checker.verdict import RecordValue, Step, Trace, show

MOST_STEPS = 60
"""Of longer runs the last steps are drawn, and it is said that others come before."""

_MOST_CHARACTERS = 90
_ENVIRONMENT = "environment"
_LOOK = Look(200)
_ESCAPES = {"#": "#35;", ";": "#59;", "<": "#lt;", ">": "#gt;"}


def sequence_diagram(trace: Trace) -> str:
    """The text of the diagram, without a fence around it."""
    first = max(0, len(trace.steps) - MOST_STEPS)
    steps = list(enumerate(trace.steps, 1))[first:]
    lanes = {name: f"n{i}" for i, name in enumerate(_participants([step for _, step in steps]))}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {lane} as {_text(name)}" for name, lane in lanes.items()]
    if first:
        lines.append(f"    Note over {next(iter(lanes.values()))}: {first} steps before are not drawn")
    for n, step in steps:
        lines += [f"    {line}" for line in _step(trace, n, step, lanes)]
    return "\n".join(lines) + "\n"


def _participants(steps: list[Step]) -> list[str]:
    """Nodes in the order of their names, the environment first where it is needed."""
    nodes: set[str] = set()
    needs = False
    for step in steps:
        if step.node is not None:
            nodes.add(step.node)
        if step.received is not None:
            sender, receiver = _ends(step)
            nodes |= {sender, receiver} - {_ENVIRONMENT}
            needs = needs or _ENVIRONMENT in (sender, receiver)
        elif step.node is None:
            needs = True
    return [*([_ENVIRONMENT] if needs or not nodes else []), *sorted(nodes, key=_by_number)]


def _by_number(name: str) -> tuple[str, int]:
    """So that `s10` comes after `s9`."""
    letters = name.rstrip("0123456789")
    digits = name[len(letters) :]
    return letters, int(digits) if digits else -1


def _ends(step: Step) -> tuple[str, str]:
    """Who sent what the step received or lost, and for whom it was; the environment where that is nobody's."""
    assert step.received is not None
    return (
        _field(step.received, "from") or _ENVIRONMENT,
        step.node or _field(step.received, "to") or _ENVIRONMENT,
    )


def _field(value: RecordValue, name: str) -> str | None:
    return next((show(v) for field, v in value.fields if field == name), None)


def _step(trace: Trace, n: int, step: Step, lanes: dict[str, str]) -> Iterator[str]:
    own = lanes[step.node if step.node is not None else _ENVIRONMENT] if _has_lane(step) else ""
    if step.received is not None:
        sender, receiver = _ends(step)
        arrow = "-x" if step.kind == "lose" else "->>"
        text = message(step.received, sender, receiver)
        yield f"{lanes[sender]}{arrow}{lanes[receiver]}: {n}. {_text(text)}{' is lost' if step.kind == 'lose' else ''}"
        told = effects(trace, n, _LOOK)
        own = own or lanes[receiver]
    else:
        told = [f"{n}. {event(step).removeprefix(f'{step.node} ')}", *effects(trace, n, _LOOK)]
    if told:
        yield f"Note over {own}: {'<br/>'.join(map(_text, told))}"


def _has_lane(step: Step) -> bool:
    return step.node is not None or step.received is None


def _text(text: str) -> str:
    """Text as Mermaid takes it: no character that ends a statement or starts markup."""
    short = text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
    return "".join(_ESCAPES.get(c, c) for c in printable(short))
