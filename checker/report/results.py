"""What a command found, in the one form that all report formats are made from: a result for each thing it looked at.

A result is a verdict and where it belongs, or the reason why there is none. Nothing here draws a verdict.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from checker.report.look import Look
from checker.source import Diagnostic
from checker.verdict import Outcome, Place, PropertyResult, Verdict

PLAIN = Look(100)
"""How stories look in files: no colour."""


@dataclass(frozen=True)
class Result:
    """One instance that was explored, one proof, or one file that could not be read.

    `file` is the spec's path as the user gave it, `name` that of the instance (`proof` of a proof, empty of a file),
    `place` where the instance stands. `message` says why where there is no verdict, or why less than was required.
    `known` are the violations that are listed as known, `cached`: it was found earlier, `digest` is the spec's.
    """

    file: str
    name: str
    kind: Literal["instance", "proof", "file"]
    outcome: Outcome
    verdict: Verdict | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    message: str = ""
    place: Place | None = None
    cached: bool = False
    known: tuple[str, ...] = ()
    digest: str = ""

    @property
    def title(self) -> str:
        """The name in a list: `specs/paxos.spec small`."""
        return f"{self.file} {self.name}".rstrip()

    @property
    def seconds(self) -> float:
        """How long it took, when it was found."""
        return self.verdict.seconds if self.verdict is not None else 0.0

    def is_new(self, violation: PropertyResult) -> bool:
        """Whether a violation is one that nobody listed as known."""
        return violation.name not in self.known


@dataclass(frozen=True)
class Report:
    """All results of one command, in order, and warnings about the files.

    `root` is the repository, and `base` leads from there to where relative paths start; empty: paths are as given.
    `started` is a time in ISO 8601.
    """

    results: tuple[Result, ...]
    warnings: tuple[Diagnostic, ...] = ()
    exit_code: int = 0
    version: str = "unknown"
    root: str = ""
    base: str = ""
    started: str = ""

    def path(self, file: str) -> str:
        """A path as seen from the root of the repository, with `/` between its parts; as it is if it lies elsewhere."""
        path = posixpath.normpath(posixpath.join(self.base, file.replace("\\", "/")))
        return path.removeprefix(f"{self.root}/") if self.root else path


def of_verdict(verdict: Verdict, file: str = "") -> Result:
    """The result of a command that looked at one thing; without a file it is the one that the verdict's places name."""
    kind: Literal["instance", "proof"] = "proof" if verdict.graph is not None else "instance"
    name = "proof" if kind == "proof" else verdict.instance
    return Result(file or _file(verdict), name, kind, verdict.outcome, verdict)


def _file(verdict: Verdict) -> str:
    places = [p.place for p in verdict.properties] + [a.place for a in verdict.census.actions]
    return next((place.file for place in places if place is not None), f"{verdict.spec}.spec")


def interrupted(file: str, name: str, kind: Literal["instance", "proof"]) -> Result:
    """The result of something that was interrupted before there was a verdict."""
    return Result(file, name, kind, Outcome.INTERRUPTED, message="interrupted before anything was known")


def invalid(diagnostics: Iterable[Diagnostic], file: str = "", name: str = "") -> Result:
    """The result for a file, or an instance of it, that has errors."""
    found = tuple(diagnostics)
    named = next((d.span.source.name for d in found if d.span is not None), "")
    kind: Literal["instance", "file"] = "instance" if name else "file"
    message = found[0].message if found else "it has errors"
    return Result(file or named, name, kind, Outcome.INVALID, None, found, message)
