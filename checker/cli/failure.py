"""What a command does with an exception: diagnostics for what the user can mend, a saved file for what is our fault.

A Python traceback is never shown unless `--debug` asks for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from checker.cli.app import VERBS, tool_version
from checker.cli.console import Console
from checker.cli.outcome import Exit
from checker.source import Diagnostic, SpecError, did_you_mean


def is_expected(error: Exception) -> bool:
    """Whether the error is the user's to mend, or no error at all."""
    return isinstance(error, SpecError | click.ClickException | click.exceptions.Exit | click.Abort)


def explain(error: Exception, arguments: Sequence[str]) -> Exit:
    """Says what went wrong on stderr and returns the exit code for it."""
    console = Console()
    match error:
        case click.exceptions.Exit():
            return Exit(error.exit_code)
        case click.Abort():
            return Exit.INTERRUPTED
        case SpecError():
            console.diagnose(error.diagnostics)
            return Exit.USAGE
        case click.ClickException():
            console.diagnose([usage_diagnostic(error)])
            return Exit.USAGE
        case _:
            console.diagnose([_internal(error, arguments)])
            return Exit.INTERNAL


def usage(code: str, message: str, hint: str | None = None) -> SpecError:
    """A complaint about the command line, to be raised."""
    return SpecError([Diagnostic(code, message, hint=hint)])


def usage_diagnostic(error: click.ClickException) -> Diagnostic:
    """What click complains about, with our codes and sentences."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    help_hint = f"`{context.command_path if context else 'quorate COMMAND'} --help` lists what it takes"
    match error:
        case click.NoSuchOption():
            options = [name for p in context.command.params for name in p.opts] if context else []
            hint = did_you_mean(error.option_name, [*options, "--help"]) or help_hint
            where = f" of `{context.command_path}`" if context else ""
            return Diagnostic("Q0712", f"no option `{error.option_name}`{where}", hint=hint)
        case click.MissingParameter():
            what = error.param.human_readable_name if error.param else "an argument"
            return Diagnostic("Q0713", f"`{what}` is missing", hint=help_hint)
        case click.BadOptionUsage():
            return Diagnostic("Q0713", _sentence(error.message), hint=help_hint)
        case click.BadParameter():
            name = error.param.opts[-1] if error.param else "an argument"
            return Diagnostic("Q0714", f"`{name}`: {_sentence(error.message)}", hint=help_hint)
        case click.FileError():
            return Diagnostic("Q0705", f"`{error.ui_filename}` cannot be read: {error.message}")
        case click.UsageError() if error.message.startswith("No such command"):
            name = error.message.split("'")[1]
            return Diagnostic("Q0711", f"there is no command `{name}`", hint=_command_hint(name))
        case _:
            return Diagnostic("Q0713", _sentence(error.message), hint=help_hint)


def _command_hint(name: str) -> str:
    if name.endswith(".spec"):
        return f"did you mean `quorate check {name}`?"
    return did_you_mean(name, VERBS) or "`quorate --help` lists the commands"


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".").replace("'", "`")
    return text[:1].lower() + text[1:]


def _internal(error: Exception, arguments: Sequence[str]) -> Diagnostic:
    saved = _save_reproducer(error, arguments)
    what = f"{type(error).__name__}: {error}".rstrip(": ").split("\n")[0]
    where = f"with the file {saved}" if saved else "with the output of `--debug`"
    return Diagnostic("Q0720", f"an error inside Quorate ({what})", hint=f"please report it, {where}")


def _save_reproducer(error: Exception, arguments: Sequence[str]) -> str | None:
    """The command line, the files that it names and the traceback in one new file; None if none can be made."""
    import tempfile
    import traceback

    parts = [
        f"quorate {tool_version()}, Python {sys.version.split()[0]}, {sys.platform}",
        f"command line: {list(arguments)!r}",
        "".join(traceback.format_exception(error, limit=200)),
    ]
    for argument in arguments:
        path = Path(argument)
        try:
            if path.is_file():
                parts.append(f"--- {argument}\n{path.read_bytes()[:1_000_000].decode('utf-8', 'replace')}")
        except (OSError, ValueError):
            continue
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="quorate-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write("\n\n".join(parts))
            return file.name
    except OSError:
        return None
