"""What a step changed, as few words as will do: the difference of two values, taken as deep as it is short.

Works on the plain values of a trace; what they mean, and which variables are shown, is the caller's business.
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.verdict import BagValue, MapValue, RecordValue, SeqValue, SetValue, Value, show

SHORT = 28
"""A value of up to this many characters is shown whole rather than as a difference."""


@dataclass(frozen=True)
class Change:
    """One place that changed: its path from the variable on (`[n2]`, `.term`), and how (`[] → [(1, x)]`)."""

    path: str
    text: str


def changes(before: Value, after: Value, arrow: str = "→") -> list[Change]:
    """The places in which two values differ; empty when they are equal."""
    if before == after and type(before) is type(after):
        return []
    match before, after:
        case MapValue(old), MapValue(new) if [k for k, _ in old] == [k for k, _ in new]:
            return _entries(old, new, arrow)
        case RecordValue(), RecordValue() if _is_long(before, after) and before.name == after.name:
            pairs = zip(before.fields, after.fields, strict=True)
            return [
                Change(f".{name}{change.path}", change.text)
                for (name, old_field), (_, new_field) in pairs
                for change in changes(old_field, new_field, arrow)
            ]
        case SetValue(old_items), SetValue(new_items) if _is_long(before, after):
            return _members([(x, 1) for x in old_items], [(x, 1) for x in new_items])
        case BagValue(old_counts), BagValue(new_counts):
            return _members(old_counts, new_counts)
        case SeqValue(), SeqValue() if _is_long(before, after):
            return _elements(before, after, arrow)
        case _:
            return [Change("", f"{brief(before)} {arrow} {brief(after)}")]


def brief(value: Value) -> str:
    """A value on one line; records and messages of more than two fields name them."""
    match value:
        case RecordValue(name, fields) if len(fields) > 2:
            return f"{name}({', '.join(f'{k}: {brief(v)}' for k, v in fields)})"
        case RecordValue(name, fields):
            return f"{name}({', '.join(brief(v) for _, v in fields)})" if fields else name
        case SetValue(items):
            return "{" + ", ".join(map(brief, items)) + "}"
        case BagValue(items):
            return "{" + ", ".join(brief(v) + (f" x{n}" if n > 1 else "") for v, n in items) + "}"
        case SeqValue(items):
            return "[" + ", ".join(map(brief, items)) + "]"
        case MapValue(entries):
            return _brief_map(entries)
        case _:
            return show(value)


def _brief_map(entries: tuple[tuple[Value, Value], ...]) -> str:
    """Keys with equal values are written once: `[a0, a1: none; a2: 3]`, `[all: none]`, or `[9: 3; others: none]`."""
    groups: dict[str, list[str]] = {}
    for key, value in entries:
        groups.setdefault(brief(value), []).append(brief(key))
    if len(groups) == 1 and len(entries) > 2:
        return f"[all: {next(iter(groups))}]"
    most = max(groups, key=lambda text: len(groups[text]), default="")
    if len(groups.get(most, ())) > _MOST_KEYS:
        del groups[most]
        return "[" + "".join(f"{', '.join(keys)}: {text}; " for text, keys in groups.items()) + f"others: {most}]"
    separator = "; " if any(len(keys) > 1 for keys in groups.values()) else ", "
    return "[" + separator.join(f"{', '.join(keys)}: {text}" for text, keys in groups.items()) + "]"


_MOST_KEYS = 8
"""Keys with one value that are written one by one, at most."""


def _is_long(before: Value, after: Value) -> bool:
    return max(len(brief(before)), len(brief(after))) > SHORT


def _entries(old: tuple[tuple[Value, Value], ...], new: tuple[tuple[Value, Value], ...], arrow: str) -> list[Change]:
    """Changes of a map's values; keys that changed alike share one line."""
    alike: dict[tuple[Change, ...], list[str]] = {}
    for (key, before), (_, after) in zip(old, new, strict=True):
        if found := tuple(changes(before, after, arrow)):
            alike.setdefault(found, []).append(brief(key))
    return [
        Change(f"[{', '.join(keys)}]{change.path}", change.text) for found, keys in alike.items() for change in found
    ]


def _members(
    old: tuple[tuple[Value, int], ...] | list[tuple[Value, int]],
    new: tuple[tuple[Value, int], ...] | list[tuple[Value, int]],
) -> list[Change]:
    """Elements added and removed, with how often where that is more than once."""
    before, after = dict(old), dict(new)
    marks = []
    for item in [*after, *(x for x in before if x not in after)]:
        more = after.get(item, 0) - before.get(item, 0)
        if more:
            times = f" x{abs(more)}" if abs(more) > 1 else ""
            marks.append(f"{'+' if more > 0 else '-'} {brief(item)}{times}")
    return [Change("", ", ".join(marks))]


def _elements(before: SeqValue, after: SeqValue, arrow: str) -> list[Change]:
    """A sequence that grew at its end, was cut, or changed at some positions."""
    old, new, first = before.items, after.items, after.first
    common = min(len(old), len(new))
    if old[:common] != new[:common] and len(old) != len(new):
        return [Change("", f"{brief(before)} {arrow} {brief(after)}")]
    if len(new) > len(old):
        return [Change(f"[{first + i}]", f"+ {brief(new[i])}") for i in range(common, len(new))]
    if len(new) < len(old):
        return [Change(f"[{first + i}]", f"- {brief(old[i])}") for i in range(common, len(old))]
    return [
        Change(f"[{first + i}]{change.path}", change.text)
        for i in range(common)
        for change in changes(old[i], new[i], arrow)
    ]
