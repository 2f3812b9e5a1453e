"""A history as text: whether it is consistent, and if not, the few operations that show it as a timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from checker.report.json import encode
from checker.report.look import Look, Tone, printable, wrap
from checker.report.text import seconds
from checker.verdict import Answered, Consistency

_TONES: dict[str, Tone] = {"consistent": "good", "inconsistent": "bad", "inconclusive": "warn"}

_WIDEST = 6
"""Columns for each event of a timeline, at most."""

_LEAST = 16
"""Columns for all events, at least; longer values are cut short for them where there is room for both."""

_MOST = 24
"""Operations that are shown."""


def report(found: Consistency, look: Look) -> str:
    """The whole answer: the sentence, and the timeline of what is wrong."""
    head, rest = sentence(found)
    lines = wrap(printable(f"{head}: {rest}"), look.width, indent=2)
    blocks = ["\n".join([look.paint(head, _TONES[found.answer]) + lines[0][len(head) :], *lines[1:]])]
    if found.part:
        blocks.append("\n".join(timeline(found.part, look)))
    keys = f" on {found.keys:,} key{'s' * (found.keys != 1)}" if found.model == "kv" else ""
    blocks.append(
        look.paint(
            f"  {found.operations:,} operation{'s' * (found.operations != 1)}{keys}, {seconds(found.seconds)}", "soft"
        )
    )
    return "\n\n".join(blocks)


def sentence(found: Consistency) -> tuple[str, str]:
    """The answer in a word or two, and what it says."""
    level = found.level if found.level in ("linearizable", "sequential") else found.level.replace("-", " ")
    match found.answer:
        case "consistent":
            return "holds", f"{found.file} is {_adjective(level)} (as a {found.model})"
        case "inconsistent":
            where = f" of key {found.key}" if found.key is not None else ""
            return "violated", f"{found.file} is not {_adjective(level)}: {found.message}{where}"
        case _:
            return "inconclusive", f"{found.reason}; nothing is known of {found.file}"


def _adjective(level: str) -> str:
    match level:
        case "linearizable":
            return level
        case "sequential":
            return "sequentially consistent"
        case "eventual":
            return "eventually convergent"
        case _:
            return f"true to {level}"


def timeline(part: tuple[Answered, ...], look: Look) -> Iterator[str]:
    """One line for each operation: who, what, and when it was under way; time runs from left to right.

    Of many operations the last ones are shown.
    """
    if len(part) > _MOST:
        yield look.paint(f"  ({len(part) - _MOST:,} operations that began before these are not shown)", "soft")
        part = part[-_MOST:]
    moments = sorted({m for o in part for m in (o.begin, o.end) if m is not None})
    names = [f"process {o.process}" for o in part]
    width = max(map(len, names))
    widths = width, min(60, max(len(o.text) for o in part), max(_LEAST, look.width - width - _LEAST - 12))
    room = max(_LEAST, look.width - sum(widths) - 12)
    each = max(1, min(_WIDEST, room // (len(moments) + 1)))
    scale = min(1.0, room / (len(moments) * each))
    place = {moment: int(i * each * scale) for i, moment in enumerate(moments)}
    over = int(len(moments) * each * scale)
    line = "─" if look.unicode else "-"
    for name, o in zip(names, part, strict=True):
        begin, end = place[o.begin], place[o.end] if o.end is not None else over
        bar = " " * begin + "|" + line * max(0, end - begin - 1) + ("|" if o.end is not None else line * 2 + "?")
        text = o.text if len(o.text) <= widths[1] else o.text[: widths[1] - 1] + look.dots[:1]
        told = printable(f"  {name:<{widths[0]}}  {text:<{widths[1]}}  ")
        yield (look.paint(told, "bad" if o.at_fault else "plain") + bar + ("  <" if o.at_fault else "")).rstrip()


def to_json(found: Sequence[Consistency]) -> dict[str, Any]:
    """Answers as JSON."""
    return {"format": "quorate-history", "version": 1, "answers": [encode(answer) for answer in found]}
