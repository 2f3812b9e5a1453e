"""A report as JUnit XML: a suite for each instance and proof, a case for each property and each thing expected.

There is no standard; this is the subset that pytest, Jenkins and GitLab share.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from checker.report.cases import Case, cases, numbers
from checker.report.results import Report, Result

_FORBIDDEN = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """The whole file, as text."""
    suites = [_suite(report, result) for result in report.results]
    root = ET.Element("testsuites", {"name": "quorate", **_totals(suites)})
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


# --- XML --------------------------------------------------------------------------------------------


def _suite(report: Report, result: Result) -> ET.Element:
    spec = result.verdict.spec if result.verdict is not None else result.file
    path = report.path(result.file)
    suite = ET.Element("testsuite", {"name": _legal(f"{spec} {result.name}".rstrip())})
    if report.started:
        suite.set("timestamp", report.started)
    properties = ET.SubElement(suite, "properties")
    for name, value in numbers(result):
        ET.SubElement(properties, "property", {"name": name, "value": _legal(value)})
    found = cases(result)
    seconds = 0.0 if result.cached else result.seconds
    for i, case in enumerate(found):
        # one exploration answers all cases: its time is told of the first
        suite.append(_element(case, path, _class(path, result), seconds if i == 0 else 0.0))
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", str(len(found)))
    for attribute, answer in counts.items():
        suite.set(attribute, str(sum(case.answer == answer for case in found)))
    suite.set("time", f"{seconds:.3f}")
    return suite


def _element(case: Case, path: str, classname: str, seconds: float) -> ET.Element:
    element = ET.Element(
        "testcase",
        {"classname": classname, "name": _legal(case.name), "file": path, "line": str(case.line)},
    )
    element.set("time", f"{seconds:.3f}")
    if case.answer:
        attributes = {"message": _legal(case.message)}
        if case.answer != "skipped":
            attributes["type"] = case.type
        ET.SubElement(element, case.answer, attributes).text = _legal(case.text or case.message)
    return element


def _class(path: str, result: Result) -> str:
    """The path with dots, then the instance: what GitLab shows as the suite of a case."""
    parts = path.removesuffix(".spec").strip("./").split("/")
    return _legal(".".join([*parts, *([result.name] if result.name else [])]))


def _totals(suites: Iterable[ET.Element]) -> dict[str, str]:
    suites = list(suites)
    names = ("tests", "failures", "errors", "skipped")
    totals = {name: str(sum(int(s.get(name, "0")) for s in suites)) for name in names}
    return {**totals, "time": f"{sum(float(s.get('time', '0')) for s in suites):.3f}"}


def _legal(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold."""
    return _FORBIDDEN.sub("?", text)
