"""A replicated log: entries at indices from 1 on, of which a snapshot may have replaced the first ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


class Numbered:
    """Things at indices after `base`, up to `last`."""

    __slots__ = ()
    entries: tuple[Any, ...]

    @property
    def base(self) -> int:
        return 0

    @property
    def last(self) -> int:
        return self.base + len(self.entries)

    def __getitem__(self, index: int) -> Any:
        if not self.base < index <= self.last:
            raise IndexError(f"there is nothing at {index}")
        return self.entries[index - self.base - 1]


@dataclass(frozen=True, slots=True)
class Entry:
    """A command for the state machine, or a new membership (`members`), of which `value` is the text."""

    term: int
    value: str
    members: tuple[str, ...] | None = None

    def shown(self) -> dict[str, object]:
        if self.members is not None:
            return {"term": self.term, "members": set(self.members)}
        return {"term": self.term, "value": self.value}


@dataclass(frozen=True, slots=True)
class Log(Numbered):
    """Immutable; `base` is the index of the last entry that is in the snapshot only, and `base_term` its term."""

    entries: tuple[Entry, ...] = ()
    base: int = 0
    base_term: int = 0

    def term_at(self, index: int) -> int:
        """The term of the entry at `index`; 0 where there is none."""
        if self.base < index <= self.last:
            return self.entries[index - self.base - 1].term
        return self.base_term if index == self.base else 0

    def between(self, after: int, upto: int) -> tuple[Entry, ...]:
        """The entries after `after`, up to `upto`."""
        return self.entries[after - self.base : upto - self.base]

    def with_entries(self, after: int, entries: tuple[Entry, ...]) -> Log:
        """The log up to `after`, then these entries and nothing else."""
        return replace(self, entries=(*self.entries[: after - self.base], *entries))

    def compacted(self, upto: int) -> Log:
        """Without the entries up to `upto`, which a snapshot holds."""
        return Log(self.entries[upto - self.base :], upto, self.term_at(upto))
