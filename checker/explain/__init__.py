"""The pages behind the codes of diagnostics, and the few topics beside them, as `quorate explain` prints them.

A page is a Markdown file of this folder; whoever introduces a code writes it, and a test runs its examples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Page:
    """One page: its code (or the name of a topic), its title, and its whole text in Markdown."""

    code: str
    title: str
    text: str

    @property
    def examples(self) -> tuple[tuple[str, str], ...]:
        """The fenced blocks in order: what stands after the fence (`spec`, `spec ok`, `sh`), and their text."""
        found = re.findall(r"^```([^\n]*)\n(.*?)^```\s*$", self.text, re.MULTILINE | re.DOTALL)
        return tuple((info.strip(), body) for info, body in found)


def names() -> tuple[str, ...]:
    """All codes in order, then the topics."""
    found = sorted(entry.name.removesuffix(".md") for entry in files(__name__).iterdir() if entry.name.endswith(".md"))
    return tuple(sorted(found, key=lambda name: (re.fullmatch(r"Q\d{4}", name) is None, name)))


def codes() -> tuple[str, ...]:
    """All codes that have a page, in order."""
    return tuple(name for name in names() if re.fullmatch(r"Q\d{4}", name))


def page(name: str) -> Page:
    """The page of a code or topic, in capitals or not; raises KeyError when there is none."""
    exact = {known.lower(): known for known in names()}[name.lower()]
    text = files(__name__).joinpath(f"{exact}.md").read_text(encoding="utf-8")
    head = text.split("\n", 1)[0]
    return Page(exact, head.removeprefix("#").strip().removeprefix(f"{exact}:").strip(), text)
