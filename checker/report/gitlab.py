"""A report as GitLab's code-quality JSON: one issue for each finding, shown beside the lines of a merge request.

It is the subset of the Code Climate format that GitLab reads.
"""

from __future__ import annotations

import json
from typing import Any

from checker.report.findings import Finding, findings
from checker.report.results import Report

_SEVERITY = {"error": "critical", "warning": "minor", "note": "info"}


def gitlab(report: Report) -> str:
    """The whole file, as text. GitLab shows one of several issues of the same fingerprint, so there are no others."""
    issues = {issue["fingerprint"]: issue for issue in (_issue(report, f) for f in reversed(findings(report)))}
    return json.dumps(list(reversed(issues.values())), indent=1) + "\n"


def _issue(report: Report, finding: Finding) -> dict[str, Any]:
    path = report.path(finding.place.file if finding.place is not None else finding.file or ".")
    known = " (listed as known)" if finding.known else ""
    return {
        "description": f"{finding.title}{known}",
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint(path),
        "severity": _SEVERITY[finding.level],
        "location": {"path": path, "lines": {"begin": finding.line}},
    }
