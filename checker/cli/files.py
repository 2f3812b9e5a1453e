"""Reading the specs that a command names: all errors of all files before anything is explored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from checker.source import Diagnostic, SpecError

if TYPE_CHECKING:
    from checker.language.frontend import Loaded
    from checker.report.results import Result


@dataclass(frozen=True)
class Read:
    """What the files gave: each file's spec, or its errors instead, in the order of the command line."""

    loaded: tuple[tuple[str, Loaded], ...]
    refused: tuple[tuple[str, tuple[Diagnostic, ...]], ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for _, diagnostics in self.refused for d in diagnostics)

    @property
    def results(self) -> list[Result]:
        """What reports say of the files that have errors."""
        from checker.report.results import invalid

        return [invalid(diagnostics, path) for path, diagnostics in self.refused]

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(w for _, loaded in self.loaded for w in loaded.warnings)


def read(paths: Iterable[str], network: Literal["declared", "set"] = "declared") -> Read:
    """Loads each file once, however often it is named; `network` as for `load`."""
    from checker.language.frontend import load

    loaded: list[tuple[str, Loaded]] = []
    refused: list[tuple[str, tuple[Diagnostic, ...]]] = []
    for path in dict.fromkeys(paths):
        try:
            loaded.append((path, load(path, network)))
        except SpecError as error:
            refused.append((path, error.diagnostics))
    return Read(tuple(loaded), tuple(refused))
