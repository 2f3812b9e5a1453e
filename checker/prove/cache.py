"""What succeeded before: for the digest of an obligation's text the strategy, seed and hypotheses that proved it.

An entry is a hint of where to begin, never a verdict: whatever it names is run again.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

_MOST = 20_000  # entries kept; the oldest go first


@dataclass(frozen=True)
class Hint:
    strategy: str
    seed: int
    hypotheses: tuple[str, ...]


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
                key: Hint(str(name), int(seed), tuple(map(str, used))) for key, (name, seed, used) in stored.items()
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
        text = json.dumps({key: [h.strategy, h.seed, list(h.hypotheses)] for key, h in kept})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            scratch = self.path.with_suffix(f".{os.getpid()}")
            scratch.write_text(text)
            scratch.replace(self.path)
        except OSError:
            return
