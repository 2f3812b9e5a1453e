"""From a file to a typed spec in one call; the front door of the language for every command and for Python users."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from checker.language.elaborate import elaborate
from checker.language.ir import Spec
from checker.language.lint import warnings
from checker.language.parser import parse, read_source
from checker.source import Diagnostic, Source, SpecError


@dataclass(frozen=True)
class Loaded:
    """A spec without errors, and what a careful reader would remark on it."""

    spec: Spec
    warnings: tuple[Diagnostic, ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        """All files whose text the spec is made of."""
        return (self.spec.source,)


def load(path: str | Path, network: Literal["declared", "set"] = "declared") -> Loaded:
    """Read and check a spec file; raises SpecError with all diagnostics when there are errors.

    `network="set"` takes its network as the growing set of sent messages, as proofs for every size do.
    """
    return load_source(read_source(path), network)


def load_source(source: Source, network: Literal["declared", "set"] = "declared") -> Loaded:
    """As `load`, for text already in memory."""
    # Expressions and definitions may be nested 1000 deep (`context.MAX_DEPTH`), and this stage and all later ones
    # take up to some 15 calls for each level; Python 3.11 keeps these calls on the heap.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 25_000))
    file, syntax_errors = parse(source)
    spec, errors = elaborate(file, network)
    if spec is None or syntax_errors:
        found = sorted({*syntax_errors, *errors}, key=lambda diagnostic: diagnostic.order)
        raise SpecError(found)
    return Loaded(spec, warnings(spec))
