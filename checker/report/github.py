"""A report for GitHub Actions: annotations beside the lines, and a Markdown summary for the page of the run.

Annotations are lines in a syntax of their own on the output of the step; no more are shown than ten of a level, so the
first finding of each property is enough.
"""

from __future__ import annotations

from collections.abc import Iterable

from checker.report.findings import Finding, findings
from checker.report.mermaid import MOST_STEPS, sequence_diagram
from checker.report.results import Report, Result
from checker.report.text import answer, seconds
from checker.verdict import Outcome

MOST_SHOWN = 10
"""How many annotations of one level are shown of a step."""

_MOST_BYTES = 900_000  # GitHub takes a summary of 1 MiB
_MARKS = {
    Outcome.PASSED: ":white_check_mark:",
    Outcome.KNOWN: ":ballot_box_with_check:",
    Outcome.SKIPPED: ":heavy_minus_sign:",
}


# --- annotations ------------------------------------------------------------------------------------


def workflow_commands(report: Report) -> list[str]:
    """The lines to print: the first findings of each level, and one that says how many are left out."""
    found = findings(report)
    lines = []
    for level in ("error", "warning"):
        mine = [f for f in found if f.level == level]
        shown = mine if len(mine) <= MOST_SHOWN else mine[: MOST_SHOWN - 1]
        lines += [_annotation(report, f) for f in shown]
        if left := len(mine) - len(shown):
            lines.append(f"::{level} title=Quorate::{left} more: the summary of this run has all of them")
    return lines


def _annotation(report: Report, finding: Finding) -> str:
    place = finding.place
    properties = {"file": report.path(place.file if place is not None else finding.file), "line": str(finding.line)}
    if place is not None:
        properties["col"] = str(place.column)
    if finding.end is not None:
        properties |= {"endLine": str(finding.end[0]), "endColumn": str(finding.end[1])}
    properties["title"] = f"Quorate: {finding.rule}"
    told = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    text = finding.title if finding.trace is None else f"{finding.title}\n\n{finding.text}"
    return f"::{finding.level} {told}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    for character in ("%", "\r", "\n", *more):
        text = text.replace(character, f"%{ord(character):02X}")
    return text


# --- the summary ------------------------------------------------------------------------------------


def summary(report: Report) -> str:
    """Markdown: a table of all results, then each finding with its diagram and its story."""
    errors = [f for f in findings(report) if f.level != "note"]
    blocks = [f"## Quorate: {_verdict(report)}", _table(report.results)]
    size = len("".join(blocks).encode())
    for i, finding in enumerate(errors):
        block = _block(report, finding)
        size += len(block.encode()) + 2
        if size > _MOST_BYTES:
            left = len(errors) - i
            blocks.append(f"**{left} more findings do not fit here;** the output of the step has all of them.")
            break
        blocks.append(block)
    return "\n\n".join(blocks) + "\n"


def _verdict(report: Report) -> str:
    bad = [r for r in report.results if r.outcome not in _MARKS]
    if not report.results:
        return "nothing was checked"
    if not bad:
        return f"all {len(report.results)} as they should be" if report.exit_code == 0 else "not as it should be"
    return f"{len(bad)} of {len(report.results)} not as they should be"


def _table(results: Iterable[Result]) -> str:
    rows = ["| | spec | what | answer | time |", "|---|---|---|---|---|"]
    for r in results:
        said = answer(r.verdict)[0] if r.verdict is not None else f"{r.outcome.value}: {r.message}"
        if r.outcome is Outcome.WEAK:
            said = f"{r.outcome.value}: {r.message}"
        time = "cached" if r.cached else seconds(r.seconds) if r.verdict is not None else ""
        mark = _MARKS.get(r.outcome, ":x:")
        rows.append(f"| {mark} | {_cell(r.file)} | {_cell(r.name)} | {_cell(said)} | {time} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return "".join({"|": "\\|", "\n": " ", "<": "&lt;", "`": "\\`", "*": "\\*", "_": "\\_"}.get(c, c) for c in text)


def _block(report: Report, finding: Finding) -> str:
    where = report.path(finding.place.file if finding.place is not None else finding.file)
    parts = [f"### {_cell(finding.title)}", f"`{finding.rule}`, {_cell(where)}:{finding.line}"]
    if finding.trace is not None and finding.trace.steps:
        parts.append(_fenced(sequence_diagram(finding.trace), "mermaid"))
        if len(finding.trace.steps) > MOST_STEPS:
            parts.append(f"The run has {len(finding.trace.steps)} steps; the last {MOST_STEPS} are drawn.")
    if finding.text != finding.title:
        parts.append(f"<details><summary>The whole story</summary>\n\n{_fenced(finding.text, 'text')}\n\n</details>")
    return "\n\n".join(parts)


def _fenced(text: str, kind: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}"
