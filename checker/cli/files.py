"""Reading the specs that a command names: all errors of all files before anything is explored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from checker.source import Diagnostic, SpecError

if TYPE_CHECKING:
    from checker.language.frontend import Loaded


@dataclass(frozen=True)
class Read:
    """What the files gave: each file's spec, or its errors instead, in the order of the command line."""

    loaded: tuple[tuple[str, Loaded], ...]
    errors: tuple[Diagnostic, ...]

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(w for _, loaded in self.loaded for w in loaded.warnings)


def read(paths: Iterable[str], network: Literal["declared", "set"] = "declared") -> Read:
    """Loads each file once, however often it is named; `network` as for `load`."""
    from checker.language.frontend import load

    loaded: list[tuple[str, Loaded]] = []
    errors: list[Diagnostic] = []
    for path in dict.fromkeys(paths):
        try:
            loaded.append((path, load(path, network)))
        except SpecError as error:
            errors.extend(error.diagnostics)
    return Read(tuple(loaded), tuple(errors))
