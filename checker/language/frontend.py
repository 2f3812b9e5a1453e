"""From a file to a typed spec in one call; the front door of the language for every command and for Python users."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from checker.language.elaborate import elaborate
from checker.language.extend import Reader, compose
from checker.language.ir import Spec
from checker.language.lint import warnings
from checker.language.parser import read_source
from checker.language.syntax import File
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

    `network="set"` takes its network as the growing set of sent messages, and rounds with a set of those under way, as
    proofs for every size do.
    """
    return load_source(read_source(path), network)


def load_source(source: Source, network: Literal["declared", "set"] = "declared", read: Reader = read_source) -> Loaded:
    """As `load`, for text already in memory; `read` gives the texts of the files that it extends."""
    # Expressions and definitions may be nested 1000 deep (`context.MAX_DEPTH`), and this stage and all later ones
    # take up to some 15 calls for each level; Python 3.11 keeps these calls on the heap.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 25_000))
    file, syntax_errors = compose(source, read)
    spec, errors = elaborate(file, network)
    if spec is None or syntax_errors:
        found = sorted({*syntax_errors, *errors}, key=lambda diagnostic: diagnostic.order)
        raise SpecError(_with_extension(diagnostic, file) for diagnostic in found)
    return Loaded(spec, tuple(warning for warning in warnings(spec) if _is_in(warning, source)))


def reload(spec: Spec, network: Literal["declared", "set"], text: str | None = None) -> Spec:
    """The spec once more from the texts it was made of, with the network taken otherwise; or with another text."""
    texts = {source.name: source for source in spec.bases}
    source = spec.source if text is None else Source(spec.source.name, text)
    return load_source(source, network, texts.__getitem__).spec


def _is_in(diagnostic: Diagnostic, source: Source) -> bool:
    return diagnostic.span is None or diagnostic.span.source is source


def _with_extension(diagnostic: Diagnostic, file: File) -> Diagnostic:
    """What is wrong in a file that is extended may be wrong only there: in that extension."""
    if _is_in(diagnostic, file.source) or file.head is None:
        return diagnostic
    note = ("the file is extended here", file.head.span)
    return replace(diagnostic, notes=(*diagnostic.notes, note))
