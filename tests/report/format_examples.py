"""What the tests of formats share: readers and schemas of others, and a report for each outcome."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
from report_examples import holding, violated

from checker.report.cases import whole
from checker.report.results import Report, Result, of_verdict
from checker.source import Diagnostic
from checker.verdict import Assurance, Outcome, PropertyResult, Status, Verdict

HERE = Path(__file__).parent
SARIF = jsonschema.Draft4Validator(json.loads((HERE / "sarif-schema-2.1.0.json").read_text()))
"""The schema of the standard itself (OASIS, SARIF 2.1.0 with errata 01)."""

VERDICTS = jsonschema.Draft202012Validator(json.loads((HERE.parents[1] / "docs" / "verdict.schema.json").read_text()))

GITLAB = jsonschema.Draft202012Validator(
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "description": {"type": "string", "minLength": 1},
                "check_name": {"type": "string", "minLength": 1},
                "fingerprint": {"type": "string", "minLength": 1},
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": {"type": "string", "pattern": "^(?!\\./).+"},
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": {"begin": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
            },
        },
    }
)
"""What GitLab's documentation of code quality says of an issue."""

SUCCESS = (Outcome.PASSED,)
HARMLESS = (Outcome.PASSED, Outcome.KNOWN, Outcome.SKIPPED)
"""Outcomes that are no failure."""


def cut_short(cut: Any, reason: str) -> Verdict:
    """A verdict of a search that was stopped."""
    properties = (PropertyResult("Agreement", "invariant", Status.UNKNOWN, message="not violated so far"),)
    return replace(
        holding(), assurance=Assurance.INCONCLUSIVE, properties=properties, cut=cut, reason=reason, expectations=()
    )


def result(outcome: Outcome) -> Result:
    """A result as `quorate ci` makes it for each outcome."""
    plain = Result("specs/paxos.spec", "small", "instance", outcome)
    match outcome:
        case Outcome.PASSED:
            made = of_verdict(holding(), "specs/paxos.spec")
        case Outcome.VIOLATED:
            made = of_verdict(violated(), "specs/paxos.spec")
        case Outcome.KNOWN:
            made = replace(of_verdict(violated(), "specs/paxos.spec"), outcome=outcome, known=("Agreement",))
        case Outcome.WEAK:
            bounded = replace(holding(), assurance=Assurance.BOUNDED, depth_bound=3, expectations=())
            made = replace(of_verdict(bounded), outcome=outcome, message="exhaustive is required")
        case Outcome.BUDGET:
            made = of_verdict(cut_short("time", "out of time after 3.0 s"), "specs/paxos.spec")
        case Outcome.INTERRUPTED:
            made = of_verdict(cut_short("interrupted", "interrupted"), "specs/paxos.spec")
        case Outcome.UNKNOWN:
            made = of_verdict(cut_short("", "2 obligations were not decided"), "specs/paxos.spec")
        case Outcome.NOTHING:
            made = of_verdict(replace(holding(), properties=(), expectations=()), "specs/paxos.spec")
        case Outcome.INVALID:
            made = replace(plain, message="no", diagnostics=(Diagnostic("Q0201", "no such name"),))
        case Outcome.INTERNAL:
            made = replace(plain, message="KeyError: 3", diagnostics=(Diagnostic("Q0720", "an error inside Quorate"),))
        case Outcome.NOT_RUN | Outcome.SKIPPED:
            made = replace(plain, message="left out")
    assert made.outcome is outcome and whole(made)
    return made


def report(*outcomes: Outcome, exit_code: int = 0) -> Report:
    results = tuple(map(result, outcomes))
    return Report(results, (), exit_code, "1.2.3", "/home/me/repo", "", "2026-01-02T03:04:05Z")
