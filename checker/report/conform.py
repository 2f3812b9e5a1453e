"""A recorded run as text: whether it is a behaviour of the spec, and if not, which event is at fault and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checker.report.json import encode
from checker.report.look import TIED, Look, Tone, printable, table, wrap
from checker.report.story import View, story
from checker.report.text import labelled, seconds, witnesses
from checker.verdict import (
    Assurance,
    Census,
    Conformance,
    Conforms,
    Cut,
    EventAtFault,
    Obstacle,
    PropertyResult,
    Status,
    Verdict,
    show,
)

_TONES: dict[Conforms, Tone] = {Conforms.YES: "good", Conforms.NO: "bad", Conforms.UNKNOWN: "warn"}
_LONGEST = 240  # characters of an event that is quoted


def report(found: Conformance, look: Look, view: View | None = None) -> str:
    """The whole answer: the sentence, the steps before the event at fault, what stood in its way, the numbers."""
    blocks = [_title(found, look), "\n".join(_answer(found, look))]
    if found.trace is not None:
        earlier = f"after {found.earlier:,} step{'s' * (found.earlier > 1)}, " if found.earlier else ""
        last = f"  {earlier}the last that were accepted:"
        blocks.append(look.paint(last, "soft") + "\n\n" + story(found.trace, look, view))
    if found.fault is not None:
        blocks.append("\n".join(_fault(found.fault, look)))
    if found.actions and found.answer is Conforms.YES:
        rows = [[(name, "plain"), (f"{count:,}", "plain")] for name, count in found.actions]
        blocks.append(table([[("action", "soft"), ("taken", "soft")], *rows], look, right=frozenset({1})))  # type: ignore[list-item]
    blocks.append("\n".join(line for note in found.notes for line in wrap(f"  {note}", look.width, indent=4)))
    blocks.append(look.paint(f"  {found.events:,} events, {found.steps:,} steps, {seconds(found.seconds)}", "soft"))
    return "\n\n".join(block for block in blocks if block)


def _title(found: Conformance, look: Look) -> str:
    sizes = ", ".join(TIED.join(map(printable, pair)) for pair in found.sizes)
    files = printable(", ".join(found.files))
    text = f"{printable(found.spec)}, trace {files}" + (f": {sizes}" if sizes else "")
    return "\n".join(look.paint(line, "strong") for line in wrap(text, look.width, indent=2))


def sentence(found: Conformance) -> str:
    """The answer with its scope."""
    match found.answer:
        case Conforms.YES if found.events == 0:
            return "nothing to check: the trace has no events"
        case Conforms.YES:
            return f"conforms: all {found.events:,} events are steps of the spec"
        case Conforms.NO if found.fault is not None:
            first = f"the first {found.accepted:,} of {found.events:,} events are accepted"
            return f"does not conform: {first}, line {found.fault.line} of {found.fault.file} is not"
        case _:
            return f"inconclusive: {found.reason}"


def _answer(found: Conformance, look: Look) -> Iterator[str]:
    head, colon, rest = sentence(found).partition(":")
    lines = wrap(printable(head + colon + rest), look.width, indent=2)
    yield look.paint(head, _TONES[found.answer]) + lines[0][len(head) :]
    yield from lines[1:]


# --- the event at fault -----------------------------------------------------------------------------


def _fault(fault: EventAtFault, look: Look) -> Iterator[str]:
    what = " ".join(part for part in (fault.node, fault.action) if part) or "an event"
    yield look.paint(printable(f"  line {fault.line}: {what}"), "strong")
    text = fault.text if len(fault.text) <= _LONGEST else fault.text[: _LONGEST - 1] + look.dots
    for line in wrap(printable(text), look.width - 4):
        yield "    " + look.paint(line, "soft")
    for obstacle in fault.obstacles:
        yield ""
        yield from _obstacle(obstacle, look)


def _obstacle(obstacle: Obstacle, look: Look) -> Iterator[str]:
    arguments = ", ".join(f"{name}: {_short(show(value))}" for name, value in obstacle.arguments)
    who = f"{obstacle.action}({arguments})" if arguments else obstacle.action
    head = {
        "guard": "is blocked",
        "message": "cannot be taken",
        "effect": "would do otherwise",
        "undefined": "has no meaning here",
    }[obstacle.kind]
    more = f" (and for {obstacle.others:,} other choice{'s' * (obstacle.others > 1)})" if obstacle.others else ""
    for i, line in enumerate(wrap(printable(f"{who} {head}{more}"), look.width - 4, indent=2)):
        yield "  " + (look.paint(line, "strong") if i == 0 else line)
    for difference in obstacle.differences:
        yield from (f"    {line}" for line in wrap(printable(difference), look.width - 4, indent=2))
    if obstacle.clause is not None:
        yield from (f"  {line}" for line in labelled("fails:", obstacle.clause.text, obstacle.clause.place, look))
        yield from witnesses(obstacle.clause, look, 11)
    elif obstacle.place is not None:
        yield f"    at {obstacle.place.file}:{obstacle.place.line}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


# --- for programs and pages -------------------------------------------------------------------------


def to_json(found: Conformance) -> dict[str, Any]:
    """The answer as JSON."""
    told: dict[str, Any] = {"format": "quorate-conformance", "version": 1, **encode(found)}
    return told


def as_verdict(found: Conformance) -> Verdict:
    """The answer in the form of other verdicts, for pages: one property, which the event at fault violates."""
    status = {Conforms.YES: Status.HOLDS, Conforms.NO: Status.VIOLATED, Conforms.UNKNOWN: Status.UNKNOWN}[found.answer]
    scope = {
        Conforms.YES: Assurance.SAMPLED,
        Conforms.NO: Assurance.VIOLATED,
        Conforms.UNKNOWN: Assurance.INCONCLUSIVE,
    }[found.answer]
    obstacles = found.fault.obstacles if found.fault else ()
    message = sentence(found)
    if found.fault is not None:
        said = [d for o in obstacles for d in o.differences]
        message += f" ({found.fault.node or ''} {found.fault.action or ''}".rstrip() + (
            f": {said[0]})" if said else ")"
        )
    result = PropertyResult(
        "Conformance",
        "step",
        status,
        obstacles[0].place if obstacles else None,
        found.trace,
        tuple(o.clause for o in obstacles if o.clause is not None),
        message,
    )
    census = Census(states=found.steps + 1, transitions=found.steps, depth=found.steps)
    return Verdict(
        found.spec, "trace", "interpreter", scope, (result,), found.sizes, census, reason=found.reason,
        seconds=found.seconds, notes=found.notes, cut=_cut(found.reason),
    )  # fmt: skip


def _cut(reason: str) -> Cut:
    """What stopped the search, by how its reason begins."""
    return "interrupted" if reason.startswith("interrupted") else "time" if reason.startswith("out of time") else ""
