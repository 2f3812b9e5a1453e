"""A report as SARIF 2.1.0, for code scanning: a result for each finding, a code flow for each counterexample.

A code flow has a thread flow for each node, and one for the steps that no node takes; `executionOrder` tells how they
interleave. What kept the command from its answer is a result, a notification, and a run that was not successful.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from checker.explain import codes, page
from checker.report.findings import RULES, Finding, findings
from checker.report.results import PLAIN, Report
from checker.report.story import effects, event
from checker.verdict import Outcome, Place, Trace

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
NOBODY = "environment"
"""The thread flow of steps that no node takes."""

_MOST_RESULTS = 5_000
_MOST_STEPS = 1_000

Json = dict[str, Any]

_UNSUCCESSFUL = (
    Outcome.INTERRUPTED,
    Outcome.BUDGET,
    Outcome.UNKNOWN,
    Outcome.NOT_RUN,
    Outcome.INVALID,
    Outcome.INTERNAL,
)
"""Outcomes that mean that the analysis was not done, whatever it found."""


def sarif(report: Report) -> str:
    """The whole file, as text."""
    found = findings(report)
    rules = list(dict.fromkeys(f.rule for f in found))
    driver: Json = {
        "name": "Quorate",
        "semanticVersion": report.version,
        "rules": [_rule(name) for name in rules],
    }
    if report.version == "unknown":
        del driver["semanticVersion"]
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": "quorate/"},
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(report, len(found) - _MOST_RESULTS)],
        "results": [_result(report, f, rules.index(f.rule)) for f in found[:_MOST_RESULTS]],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(name: str) -> Json:
    known = name in codes()
    sentence = page(name).title if known else RULES[name].sentence if name in RULES else name
    text = page(name).text if known else sentence
    camel = "".join(part.capitalize() for part in name.split("-"))
    return {
        "id": name,
        "name": camel,
        "shortDescription": {"text": sentence},
        "fullDescription": {"text": sentence},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["protocol", "model-checking"]},
    }


def _invocation(report: Report, left_out: int) -> Json:
    invocation: Json = {
        "executionSuccessful": not any(r.outcome in _UNSUCCESSFUL for r in report.results),
        "exitCode": report.exit_code,
    }
    if report.started:
        invocation["startTimeUtc"] = report.started
    notes: list[Json] = [
        {
            "level": "error",
            "message": {"text": f"{r.title}: {r.outcome.value}" + (f": {r.message}" if r.message else "")},
            "locations": [_location(report, Place(r.file, 1, 1))],
        }
        for r in report.results
        if r.outcome in _UNSUCCESSFUL and r.file
    ]
    if left_out > 0:
        notes.append({"level": "warning", "message": {"text": f"{left_out:,} more findings are not in this file"}})
    if notes:
        invocation["toolExecutionNotifications"] = notes
    return invocation


def _result(report: Report, finding: Finding, index: int) -> Json:
    place = finding.place or Place(finding.file, 1, 1)
    result: Json = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": finding.title if finding.trace is None else f"{finding.title}\n\n{finding.text}"},
        "locations": [_location(report, place, finding.end)],
        # the name that GitHub goes by, though no hash of a line
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint(report.path(place.file))}:1"},
    }
    if finding.trace is not None and finding.trace.steps:
        result["codeFlows"] = [_code_flow(report, finding, finding.trace)]
    if finding.known:
        result["suppressions"] = [{"kind": "external", "justification": "listed as known in the configuration"}]
    return result


def _location(report: Report, place: Place, end: tuple[int, int] | None = None) -> Json:
    region: Json = {"startLine": max(1, place.line), "startColumn": max(1, place.column)}
    if end is not None:
        region |= {"endLine": end[0], "endColumn": end[1]}
    if place.text:
        region["snippet"] = {"text": place.text}
    path = report.path(place.file or ".")
    absolute = path.startswith("/")
    artifact: Json = {"uri": ("file://" if absolute else "") + quote(path)}
    if not absolute:
        artifact["uriBaseId"] = "%SRCROOT%"
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _code_flow(report: Report, finding: Finding, trace: Trace) -> Json:
    """The run, split by who takes each step; the last thousand steps of a longer one."""
    first = max(0, len(trace.steps) - _MOST_STEPS)
    flows: dict[str, list[Json]] = {}
    for n, step in enumerate(trace.steps[first:], first + 1):
        who = step.node or NOBODY
        told = "; ".join([event(step), *effects(trace, n, PLAIN)])
        place = step.place or Place(finding.file, 1, 1)
        location = {**_location(report, place), "message": {"text": f"{n}. {told}"}}
        flows.setdefault(who, []).append({"location": location, "executionOrder": n, "importance": "essential"})
    text = finding.title if first == 0 else f"{finding.title} (its last {_MOST_STEPS:,} steps)"
    return {
        "message": {"text": text},
        "threadFlows": [{"id": who, "message": {"text": who}, "locations": flow} for who, flow in flows.items()],
    }
