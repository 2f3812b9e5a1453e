"""Verdicts found before, by everything that they depend on: the text of the spec, the options, and this program itself.

Only answers are kept, so that what ran out of time or memory is tried again. A damaged or unwritable cache is the same
as none.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.prove.cache import directory
from checker.verdict import Assurance, Outcome, Place, Verdict

if TYPE_CHECKING:
    from checker.ci.plan import Outline

_MOST = 5_000  # entries kept; those not used for longest go first
_PACKAGE = Path(__file__).parent.parent


def digest(*parts: str) -> str:
    """A digest of texts; which text a character belongs to matters."""
    found = blake2b(digest_size=16)
    for part in parts:
        content = part.encode()
        found.update(len(content).to_bytes(8, "big") + content)
    return found.hexdigest()


def digest_of(path: str | Path) -> str:
    """The digest of a file's bytes, empty where it cannot be read."""
    try:
        return blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""


def is_answer(verdict: Verdict) -> bool:
    """Whether to look again would find the same: nothing was cut short, and nothing was left open."""
    settled = verdict.assurance not in (Assurance.INCONCLUSIVE, Assurance.SAMPLED)
    return settled and not verdict.cut and verdict.outcome in (Outcome.PASSED, Outcome.VIOLATED)


class Cache:
    """A directory of JSON files; None: nothing is kept."""

    def __init__(self, place: Path | None) -> None:
        self.place = place

    @staticmethod
    def default() -> Cache:
        """The cache in the user's cache directory (`QUORATE_CACHE`, else where the system keeps caches)."""
        return Cache(directory() / "verdicts")

    def key(self, *parts: object) -> str:
        """The name of what depends on the parts, and on this program."""
        return digest(self._program, *(repr(part) for part in parts))

    @cached_property
    def _program(self) -> str:
        """The digest of this program and of the solver's version.

        The version alone would not do: whoever changes the program keeps its version.
        """
        sources = sorted(p for p in _PACKAGE.rglob("*") if p.suffix in (".py", ".lark", ".c", ".h"))
        return digest(_version("quorate"), _version("z3-solver"), *(digest_of(path) for path in sources))

    def verdict(self, key: str) -> Verdict | None:
        """The verdict kept under a key, if there is one."""
        from checker.report.json import NotAVerdict, verdict_from_json

        data = self._read(key)
        try:
            return None if data is None else verdict_from_json(data)
        except NotAVerdict:
            return None

    def keep_verdict(self, key: str, verdict: Verdict) -> None:
        """Keeps a verdict, if it is an answer."""
        from checker.report.json import verdict_to_json

        if is_answer(verdict):
            self._write(key, verdict_to_json(verdict))

    def outline(self, key: str) -> Outline | None:
        """The outline kept under a key, if there is one."""
        from checker.ci.plan import Outline

        match self._read(key):
            case {"sources": list(sources), "instances": list(instances), "proves": bool(proves)}:
                with suppress(TypeError, ValueError):
                    return Outline(
                        tuple((str(name), str(value)) for name, value in sources),
                        tuple((str(name), Place(**place)) for name, place in instances),
                        proves,
                    )
        return None

    def keep_outline(self, key: str, outline: Outline) -> None:
        instances = [[name, asdict(place)] for name, place in outline.instances]
        self._write(key, {"sources": outline.sources, "instances": instances, "proves": outline.proves})

    def _read(self, key: str) -> Any:
        if self.place is None:
            return None
        path = self.place / f"{key}.json"
        try:
            data = json.loads(path.read_bytes())
            os.utime(path)  # used now, so it is not the one that goes first
        except (OSError, ValueError, RecursionError):
            return None
        return data

    def _write(self, key: str, data: Any) -> None:
        """Writes an entry, whole or not at all."""
        if self.place is None:
            return
        with suppress(OSError):
            self.place.mkdir(parents=True, exist_ok=True)
            draft = self.place / f".{key}.{os.getpid()}"
            draft.write_text(json.dumps(data), encoding="utf-8")
            draft.replace(self.place / f"{key}.json")

    def tidy(self) -> None:
        """Drops the entries that were not used for longest, if there are too many."""
        if self.place is None:
            return
        with suppress(OSError):
            entries = sorted(self.place.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in entries[:-_MOST]:
                path.unlink(missing_ok=True)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
