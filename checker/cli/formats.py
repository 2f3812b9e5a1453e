"""The files that a command writes beside what it prints: each format is an option, and all are made from one `Report`.

A format is added here, in one line, for every command that reports.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from checker.cli.console import Console
from checker.cli.failure import usage
from checker.cli.outcome import Exit

if TYPE_CHECKING:
    from checker.report.results import Report, Result
    from checker.source import Diagnostic
    from checker.verdict import Trace

Json: TypeAlias = "dict[str, Any]"

STDOUT = "-"

_TEXTS = {
    "junit": "checker.report.junit",
    "sarif": "checker.report.sarif",
    "gitlab": "checker.report.gitlab",
    "html": "checker.report.html",
}
"""Formats of one text for the whole report: the option's name, and the module with a function of that name."""

_ANY_FILE = ("itf",)
"""Options that may name a directory."""


@dataclass(frozen=True)
class Formats:
    """Where each format that was asked for goes: `-` for stdout, else a file; `itf` may be a directory.

    `witnesses` names the `reachable`s whose witnesses are written as traces too.
    """

    targets: tuple[tuple[str, str], ...] = ()
    witnesses: frozenset[str] = frozenset()

    @property
    def fill_stdout(self) -> bool:
        """Whether stdout is taken, so that nothing else may be printed there."""
        return any(target == STDOUT for _, target in self.targets)

    def write(self, console: Console, report: Report, document: Json | None = None) -> None:
        """Writes all files; raises SpecError (Q0715) when one cannot be made.

        `document` is the JSON of commands whose answer is more than a verdict.
        """
        for name, target in self.targets:
            if name == "itf":
                self._write_traces(console, report, Path(target))
            elif name == "json":
                _put(_json(report) if document is None else _dumped(document), target, console)
            else:
                _put(_text(name, report), target, console)

    def write_trace(self, console: Console, trace: Trace) -> None:
        """Writes the page of a trace that stands alone; raises SpecError (Q0717) for formats that tell of verdicts."""
        from checker.report.html import page

        for name, target in self.targets:
            if name != "html":
                hint = "only a whole verdict can be written in this format"
                raise usage("Q0717", f"`--{name}`: the file holds a trace alone", hint)
            _put(page(trace), target, console)

    def _write_traces(self, console: Console, report: Report, target: Path) -> None:
        """A file for the first trace, or a directory for all."""
        from checker.cli.save import save_text
        from checker.report.itf import itf, traces

        found = traces(report, self.witnesses)
        if not found:
            console.note(f"no counterexample, so nothing is written to {target}", "soft")
            return
        if target.suffix == ".json":
            save_text(itf(found[0], report), str(target))
            if len(found) > 1:
                console.note(f"{target} has the first of {len(found)} traces; `--itf DIRECTORY` writes all", "soft")
            return
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise usage("Q0715", f"`{target}` cannot be written: {error.strerror}") from None
        for shown in found:
            save_text(itf(shown, report), str(target / shown.file_name))


def _json(report: Report) -> str:
    from checker.report.json import document

    return _dumped(document(report))


def _dumped(document: Json) -> str:
    import json

    return json.dumps(document, ensure_ascii=True, indent=1) + "\n"


def _text(name: str, report: Report) -> str:
    text: str = getattr(import_module(_TEXTS[name]), name)(report)
    return text


def _put(text: str, target: str, console: Console) -> None:
    from checker.cli.save import save_text

    if target == STDOUT:
        console.out(text.removesuffix("\n"))
    else:
        save_text(text, target)


def report_of(
    results: Iterable[Result], warnings: Iterable[Diagnostic] = (), exit_code: int = 0, started: str = ""
) -> Report:
    """The report of a command of this program, run where it runs."""
    from checker.cli.app import tool_version
    from checker.report.results import Report

    root = repository()
    base = Path.cwd().relative_to(root).as_posix()
    return Report(tuple(results), tuple(warnings), exit_code, tool_version(), root.as_posix(), base, started or now())


def now() -> str:
    """The time in ISO 8601, as reports have it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def repository() -> Path:
    """The root of the repository around the working directory; that directory itself where there is none."""
    here = Path.cwd()
    return next((place for place in (here, *here.parents) if (place / ".git").exists()), here)


# --- options ----------------------------------------------------------------------------------------


def target(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """`-` for stdout, or a file as `output_file` takes it."""
    return value if value == STDOUT else output_file(context, parameter, value)


def output_file(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A file that can be written and is no spec."""
    if value is None:
        return value
    if value.endswith(".spec"):
        raise click.BadParameter(f"`{value}` is a spec; results would overwrite it")
    path = Path(value)
    if parameter.name in _ANY_FILE and path.suffix != ".json":
        return value
    writable = path.is_file() and os.access(path, os.W_OK) if path.exists() else os.access(path.parent, os.W_OK)
    if not writable:
        raise usage("Q0715", f"`{value}` cannot be written", "is its directory there, and may you write to it?")
    return value


class JsonCommand(click.Command):
    """A command whose `--json` may stand alone (stdout) or with a file: `--json=FILE`, or `--json NAME.json`.

    Alone it never takes the next argument for its value, for that is likely to be a spec.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        joined: list[str] = []
        rest = iter(args)
        for argument in rest:
            if argument == "--":
                joined += [argument, *rest]
            elif argument != "--json":
                joined.append(argument)
            else:
                following = next(rest, None)
                if following is not None and following.endswith(".json"):
                    joined.append(f"--json={following}")
                else:
                    joined += ["--json=-", *([] if following is None else [following])]
        return super().parse_args(ctx, joined)


json_option = click.option(
    "--json", "json_target", callback=target, metavar="[=FILE]", help="Print JSON, or write it to a file."
)

_OPTIONS = (
    json_option,
    click.option("--junit", callback=target, metavar="FILE", help="Write JUnit XML, a test case for each property."),
    click.option("--sarif", callback=target, metavar="FILE", help="Write SARIF 2.1.0 for code scanning."),
    click.option("--gitlab", callback=target, metavar="FILE", help="Write GitLab's code-quality JSON."),
    click.option("--html", callback=target, metavar="FILE", help="Write the runs that are told as one HTML page."),
    click.option(
        "--itf",
        callback=target,
        metavar="PATH",
        help="Write counterexamples in the ITF format: FILE.json, or a directory.",
    ),
)


def format_options(body: Callable[..., Exit]) -> Callable[..., Exit]:
    """The options of all formats; they arrive as one `formats`. The command must be a `JsonCommand`."""

    @functools.wraps(body)
    def command(**given: Any) -> Exit:
        where = {"json": given.pop("json_target"), **{name: given.pop(name) for name in (*_TEXTS, *_ANY_FILE)}}
        asked = tuple((name, target) for name, target in where.items() if target is not None)
        if sum(target == STDOUT for _, target in asked) > 1:
            raise usage("Q0714", "only one format can go to stdout", "name a file for each of the others")
        formats = Formats(asked)
        if given.get("witness"):
            formats = replace(formats, witnesses=frozenset(given["witness"]))
        return body(formats=formats, **given)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command
