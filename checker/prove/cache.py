"""What succeeded before: for an obligation the strategy, seed and hypotheses that proved it, and the text proved.

An entry stands for a proof only where the very text that would go to the solver is the one that was proved, by the same
solver and the same prover. Else it is a hint of where to begin, and what it names is run again.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

_MOST = 20_000  # entries kept; the oldest go first


@dataclass(frozen=True)
class Hint:
    """`hypotheses` are the facts that were given, `used` those of the core; `proved` is the seal of the text proved."""

    strategy: str
    seed: int
    hypotheses: tuple[str, ...]
    used: tuple[str, ...] = ()
    proved: str = ""


def directory() -> Path:
    """The user's cache directory of this program."""
    if "QUORATE_CACHE" in os.environ:
        return Path(os.environ["QUORATE_CACHE"])
    if "XDG_CACHE_HOME" in os.environ:
        return Path(os.environ["XDG_CACHE_HOME"]) / "quorate"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "quorate"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "quorate"
    return Path.home() / ".cache" / "quorate"


def digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


@cache
def program() -> str:
    """The digest of what a proof depends on besides its text: the solver's version, and the prover itself."""
    package = Path(__file__).parent.parent
    sources = sorted(path for folder in ("language", "prove") for path in (package / folder).rglob("*.py"))
    found = blake2b(version("z3-solver").encode(), digest_size=16)
    for path in sources:
        found.update(digest(path.read_text(encoding="utf-8")).encode())
    return found.hexdigest()


def seal(text: str) -> str:
    """The digest of a text and of the program that proves it."""
    return digest(program() + text)


class Cache:
    """Hints in one file; a damaged or unwritable file is the same as none."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.hints: dict[str, Hint] = {}
        self.changed = False
        if path is None:
            return
        try:
            stored = json.loads(path.read_text())
            self.hints = {
                key: Hint(str(name), int(seed), tuple(map(str, given)), tuple(map(str, used)), str(proved))
                for key, (name, seed, given, used, proved) in stored.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            self.hints = {}

    def get(self, key: str) -> Hint | None:
        return self.hints.get(key)

    def put(self, key: str, hint: Hint) -> None:
        if self.hints.get(key) != hint:
            self.hints.pop(key, None)
            self.hints[key] = hint
            self.changed = True

    def save(self) -> None:
        """Writes the hints, whole or not at all."""
        if self.path is None or not self.changed:
            return
        kept = list(self.hints.items())[-_MOST:]
        text = json.dumps({key: [h.strategy, h.seed, list(h.hypotheses), list(h.used), h.proved] for key, h in kept})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            scratch = self.path.with_suffix(f".{os.getpid()}")
            scratch.write_text(text)
            scratch.replace(self.path)
        except OSError:
            return
