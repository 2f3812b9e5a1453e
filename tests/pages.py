"""The specs that the documentation shows; to the others, `spec NarrowBridge` is the file `narrow_bridge.spec`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from checker.language.parser import read_source
from checker.source import Source

ROOT = Path(__file__).parent.parent
PAGES = (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md")


@dataclass(frozen=True)
class Block:
    """A fenced block whose first word after the fence is `spec`.

    `kind`: it is a spec without errors, or it has the error `code`, or exploring it meets the fault `code`.
    """

    page: str
    line: int
    kind: str
    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def source(self) -> Source:
        return Source(str(self), self.text)

    @property
    def file(self) -> str:
        """The name under which another spec extends it."""
        name = self.text.split()[1]
        return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() + ".spec"


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"^```spec(?: (error|fault) (Q\d{4}))?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, match.start()) + 2
            kind, code, body = match.groups()
            found.append(Block(page.name, line, kind or "good", code or "", body))
    return found


BLOCKS = blocks()


def read(name: str) -> Source:
    """The text that a text in memory extends, whatever directory it says it is in: a block of a page, or a spec."""
    shown = (block.source for block in BLOCKS if block.file == Path(name).name)
    return next(shown, None) or read_source(ROOT / "specs" / Path(name).name)
