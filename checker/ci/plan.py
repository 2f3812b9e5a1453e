"""From paths to jobs: which files are specs, and what there is to check in each of them.

Reading a spec takes longer than checking a small one, so what a spec has to be checked is remembered for its very text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from checker.ci.cache import Cache, digest, digest_of
from checker.ci.settings import Limits, Settings, matches
from checker.source import Diagnostic, SpecError
from checker.verdict import Place

PROOF = "proof"
"""The name of a proof where other jobs have that of their instance."""

_HEAD = re.compile(rb"\s*(#[^\n]*\s*)*spec[ \t]+[A-Za-z]")
_SKIPPED = ("node_modules", "__pycache__", "venv")


@dataclass(frozen=True)
class Outline:
    """What a spec has to be checked: its sources with their digests, its instances with their places, and whether
    it sets out to prove something."""

    sources: tuple[tuple[str, str], ...]
    instances: tuple[tuple[str, Place], ...]
    proves: bool
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """That of all sources."""
        return digest(*(part for source in self.sources for part in source))

    @property
    def is_current(self) -> bool:
        """Whether the sources are still what they were."""
        return all(digest_of(name) == value for name, value in self.sources)


@dataclass(frozen=True)
class Job:
    """One thing to do: explore an instance of a file, or prove the file. `key` is that of its verdict in the cache."""

    file: str
    name: str
    kind: Literal["instance", "proof"]
    limits: Limits
    outline: Outline
    key: str
    place: Place | None = None
    skipped: bool = False


@dataclass(frozen=True)
class Plan:
    """The jobs of all files, in order, the errors of files that have none, and the warnings of the others."""

    jobs: tuple[Job, ...]
    refused: tuple[tuple[str, tuple[Diagnostic, ...]], ...]
    warnings: tuple[Diagnostic, ...]


# --- files ------------------------------------------------------------------------------------------


def find_specs(settings: Settings, paths: Iterable[str]) -> tuple[str, ...]:
    """The specs that paths name or hold, each once, as paths from the working directory.

    A file that is named counts as a spec whatever it holds, so that its errors are told; one that is found must begin
    like a spec, since others use the suffix as well. Raises SpecError (Q0701) for a path that is not there.
    """
    found: dict[str, None] = {}
    given = [Path(path) for path in paths] or [settings.root / path for path in settings.paths]
    for path in given:
        if path.is_dir():
            found |= dict.fromkeys(map(_shown, _specs_in(path)))
        elif path.exists():
            found[_shown(path)] = None
        else:
            raise SpecError([Diagnostic("Q0701", f"there is no file `{_shown(path)}`", hint="check the path")])
    return tuple(found)


def _specs_in(directory: Path) -> Iterator[Path]:
    for here, directories, files in os.walk(directory):
        place = Path(here)
        directories[:] = sorted(
            d
            for d in directories
            if not d.startswith(".") and d not in _SKIPPED and not (place / d / "pyvenv.cfg").exists()
        )
        yield from (place / name for name in sorted(files) if name.endswith(".spec") and looks_like_spec(place / name))


def looks_like_spec(path: Path) -> bool:
    """Whether a file begins with `spec NAME`, after comments; files of packagers have the same suffix."""
    try:
        with path.open("rb") as file:
            return _HEAD.match(file.read(1 << 16).removeprefix(b"\xef\xbb\xbf")) is not None
    except OSError:
        return False


def _shown(path: Path) -> str:
    """The path from the working directory if it lies below, else as it is."""
    absolute = Path(os.path.abspath(path))
    here = Path.cwd()
    return absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else path.as_posix()


def from_root(settings: Settings, file: str) -> str:
    """A file's path as patterns of the settings see it."""
    return Path(os.path.relpath(file, settings.root)).as_posix()


# --- jobs -------------------------------------------------------------------------------------------


def plan(settings: Settings, files: Iterable[str], cache: Cache, changed: frozenset[Path] | None = None) -> Plan:
    """All jobs of the files; a spec is proved if it has lemmas or proofs, or if a proof is required of it.

    `changed`: only of specs of which some source is among these full paths.
    """
    jobs: list[Job] = []
    refused: list[tuple[str, tuple[Diagnostic, ...]]] = []
    warnings: list[Diagnostic] = []
    for file in files:
        try:
            outline = outline_of(file, cache)
        except SpecError as error:  # which other files it is made of is not known
            if changed is None or any(path.suffix == ".spec" for path in changed):
                refused.append((file, error.diagnostics))
            continue
        if changed is not None and not any(Path(name).resolve() in changed for name, _ in outline.sources):
            continue
        warnings += outline.warnings
        jobs += _jobs(settings, file, outline, cache)
    return Plan(tuple(jobs), tuple(refused), tuple(warnings))


def _jobs(settings: Settings, file: str, outline: Outline, cache: Cache) -> Iterator[Job]:
    path = from_root(settings, file)

    def job(name: str, kind: Literal["instance", "proof"], place: Place | None = None) -> Job:
        limits = settings.limits_of(path, name)
        key = cache.key("verdict", file, kind, name, limits.depth, outline.digest)
        skipped = any(matches(pattern, path, name) for pattern in settings.skip)
        return Job(file, name, kind, limits, outline, key, place, skipped)

    yield from (job(name, "instance", place) for name, place in outline.instances)
    if outline.proves or settings.limits_of(path, PROOF).assurance == "proved":
        yield job(PROOF, "proof")


def outline_of(file: str, cache: Cache) -> Outline:
    """What a spec has to be checked; raises SpecError with all its errors."""
    key = cache.key("outline", file)
    known = cache.outline(key)
    if known is not None and known.is_current:
        return known
    from checker.language.frontend import load

    loaded = load(file)
    spec = loaded.spec
    outline = Outline(
        tuple((source.name, digest_of(source.name)) for source in loaded.sources),
        tuple(
            (d.name, Place(file, d.span.line, d.span.column, d.span.source.line(d.span.line))) for d in spec.instances
        ),
        bool(spec.proofs) or any(p.kind == "lemma" for p in spec.properties),
        loaded.warnings,
    )
    if not outline.warnings:  # these are told each time, with the lines that they are about
        cache.keep_outline(key, outline)
    return outline
