"""What a node of the TCP cluster keeps on disk: its durable state, and its trace.

The journal has a line for each change of the durable state and says only what changed; a snapshot of the node, or a
start, writes it anew. The trace of a step is written before its line in the journal, and so a step may be in the trace
that a kill kept out of the journal: nobody has seen it, and at the next start it is taken out of the trace.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from models.codec import decode, encode
from models.log import Log
from models.trace import Json, line


class Journal:
    """`kinds` are the types of the fields. With `sync`, what is written stands a loss of power, not only a kill."""

    def __init__(self, path: Path, kinds: Mapping[str, Any], sync: bool) -> None:
        self.path = path
        self.kinds = kinds
        self.sync = sync
        self.state: dict[str, Any] = {}
        self.traced = 0  # the size of the trace at the last write
        self._file: BinaryIO | None = None

    def read(self) -> dict[str, Any]:
        """The durable state as it was written last; empty at the first start."""
        for record in whole_lines(self.path):
            self.traced = record.pop("traced")
            for place, data in record.items():
                self._restore(place, data)
        return self.state

    def _restore(self, place: str, data: Any) -> None:
        name, _, kept = place.partition(" after ")
        value = decode(self.kinds[name], data)
        if kept:
            value = _appended(self.state[name], int(kept), value)
        self.state[name] = value

    def write(self, durable: Mapping[str, Any], traced: int) -> None:
        """Makes `durable` what `read` gives."""
        record: dict[str, Any] = {"traced": traced}
        for name, value in durable.items():
            old = self.state.get(name)
            if name not in self.state or value is not old:
                record |= _change(name, old, value)
        anew = self._file is None or any(_is_compacted(self.state.get(name), value) for name, value in durable.items())
        self.state = dict(durable)
        if anew:
            self._write_anew(traced)
        else:
            self._append(record)

    def _append(self, record: Json) -> None:
        assert self._file
        self._file.write(line(record).encode() + b"\n")
        self._file.flush()
        if self.sync:
            os.fsync(self._file.fileno())

    def _write_anew(self, traced: int) -> None:
        """As one record, in a file that takes the old one's place in one go."""
        if self._file:
            self._file.close()
        fresh = self.path.with_suffix(".new")
        self._file = fresh.open("wb")
        self._append({"traced": traced, **{name: encode(value) for name, value in self.state.items()}})
        fresh.replace(self.path)
        if self.sync:  # or the old file may be back after a loss of power, without what is written from now on
            directory = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(directory)
            os.close(directory)


def _is_compacted(old: Any, new: Any) -> bool:
    return isinstance(old, Log) and isinstance(new, Log) and old.base != new.base


def _change(name: str, old: Any, new: Any) -> dict[str, Any]:
    """The new value, or for what grows the number of items that stay and what comes after them."""
    match old, new:
        case Log(), Log() if old.base == new.base:
            kept = _common(old.entries, new.entries)
            added = Log(new.entries[kept:], new.base, new.base_term)
            return {f"{name} after {kept}": encode(added)}
        case tuple(), tuple():
            kept = _common(old, new)
            return {f"{name} after {kept}": encode(new[kept:])}
        case dict(), dict() if old.keys() <= new.keys():
            changed = {key: value for key, value in new.items() if key not in old or old[key] is not value}
            return {f"{name} after {len(old)}": encode(changed)}
        case _:
            return {name: encode(new)}


def _appended(old: Any, kept: int, added: Any) -> Any:
    match old, added:
        case Log(), Log():
            return Log((*old.entries[:kept], *added.entries), added.base, added.base_term)
        case tuple(), tuple():
            return (*old[:kept], *added)
        case _:
            return {**old, **added}


def _common(old: tuple[Any, ...], new: tuple[Any, ...]) -> int:
    """How many items both begin with; fast where one only grows."""
    size = min(len(old), len(new))
    if old[:size] == new[:size]:
        return size
    return next(i for i in range(size) if old[i] != new[i])


def whole_lines(path: Path) -> list[Any]:
    """The objects in a file; a last line that was cut off is none."""
    if not path.exists():
        return []
    text = path.read_bytes()
    return [json.loads(part) for part in text[: text.rfind(b"\n") + 1].splitlines()]


class TraceFile:
    """The trace of one node; `durable` are the fields that its journal keeps."""

    def __init__(self, path: Path, header: Json, durable: Iterable[str], traced: int) -> None:
        self.durable = frozenset(durable)
        self.size = self._what_happened(path.read_bytes(), traced) if path.exists() else 0
        self._file = path.open("ab")
        self._file.truncate(self.size)
        if not self.size:
            self.write([header])

    def write(self, events: Iterable[Json]) -> None:
        text = "".join(f"{line(event)}\n" for event in events).encode()
        self._file.write(text)
        self._file.flush()
        self.size += len(text)

    def _what_happened(self, text: bytes, traced: int) -> int:
        """The size without the step that did not reach the journal: after `traced`, no durable field changes."""
        end = text.find(b"\n", 0) + 1 if traced == 0 else traced
        for part in text[end:].splitlines(keepends=True):
            if not part.endswith(b"\n") or self._changes_durable(json.loads(part)):
                break
            end += len(part)
        return end

    def _changes_durable(self, event: Json) -> bool:
        places = event.get("set", {}) if event["action"] != "restart" else {}
        return any(place.partition("[")[0] in self.durable for place in places)
