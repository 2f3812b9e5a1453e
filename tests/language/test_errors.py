"""Files with errors, each followed by what is said of it.

Below a line with errors stand comments: carets under the place, with code and message, then hint and notes.
`--update-golden` writes them anew; read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from typed import diagnostics

from checker.source import Diagnostic

FILES = sorted((Path(__file__).parent / "errors").glob("*.spec"))


def remark(diagnostic: Diagnostic) -> list[str]:
    """The comments for a diagnostic. Notes show the line that they point at; a caret at column 1 is the `#`."""
    span = diagnostic.span
    assert span is not None
    line = span.source.line(span.line)
    width = (span.end_column if span.end_line == span.line else len(line) + 1) - span.column
    carets = "#" + (" " * (span.column - 2) + "^" * width if span.column > 1 else "^" * (width - 1))
    found = [f"{carets} {diagnostic.code}: {diagnostic.message}"]
    if diagnostic.hint:
        found.append(f"#   help: {diagnostic.hint}")
    for text, place in diagnostic.notes:
        found.append(f"#   note: {text} | {place.source.line(place.line).strip()}")
    return found


def is_remark(line: str) -> bool:
    return line.startswith(("#   help: ", "#   note: ")) or (
        line.startswith("#") and line[1:].lstrip().startswith("^") and ": " in line
    )


def annotated(text: str) -> str:
    """The text with the remarks on all its errors, in place of those that it has."""
    plain = "\n".join(line for line in text.split("\n") if not is_remark(line))
    for _ in range(3):  # hints may name lines, which remarks move
        lines = text.split("\n")
        places = {d.span.line: [] for d in diagnostics(text) if d.span is not None}
        for d in diagnostics(text):
            assert d.span is not None
            places[d.span.line] += remark(d)
        found: list[str] = []
        for number, line in enumerate(lines, 1):
            if not is_remark(line):
                found += [line, *places.get(number, [])]
        if "\n".join(found) == text:
            return text
        text = "\n".join(found)
    raise AssertionError(f"no rest is found for\n{plain}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_error_is_reported_at_its_place(path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text(encoding="utf-8")
    assert diagnostics(text)
    if request.config.getoption("--update-golden"):
        path.write_text(annotated(text), encoding="utf-8")
    else:
        assert annotated(text) == text
