"""The settings of a project: the table `[tool.quorate]` of `pyproject.toml`, or the whole of `quorate.toml`.

Every setting is checked when it is read; one that nobody knows is an error, not a hint that is lost.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, get_args

from checker.source import Diagnostic, SpecError, did_you_mean
from checker.units import bytes_of, seconds_of

Required = Literal["bounded", "exhaustive", "proved"]

FILES = ("quorate.toml", "pyproject.toml")


@dataclass(frozen=True)
class Limits:
    """What one instance or proof may take and has to reach.

    `timeout` in seconds and `memory` in bytes are budgets; `depth` in steps is a bound, so what it gives is a bounded
    verdict. `assurance` is what an instance must have; `proved` asks for a proof of the spec besides.
    """

    timeout: float = 600.0
    memory: int | None = None
    depth: int | None = None
    assurance: Required = "exhaustive"


@dataclass(frozen=True)
class Override:
    """Other limits for what matches a pattern, `FILE` or `FILE:INSTANCE`."""

    match: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """What a project wants checked, and how strictly. Paths and patterns are relative to `root`.

    `skip` holds patterns `FILE` or `FILE:INSTANCE`, `baseline` violations that are known: `FILE:INSTANCE:PROPERTY`. The
    instance of a proof is `proof`.
    """

    root: Path = field(default_factory=Path.cwd)
    file: Path | None = None
    paths: tuple[str, ...] = (".",)
    skip: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    deny_warnings: bool = False
    limits: Limits = Limits()
    overrides: tuple[Override, ...] = ()

    def limits_of(self, path: str, name: str) -> Limits:
        """The limits of an instance of the file at a path relative to the root; later overrides win."""
        limits = self.limits
        for override in self.overrides:
            if matches(override.match, path, name):
                limits = replace(limits, **override.values)
        return limits


def matches(pattern: str, path: str, name: str, violation: str = "*") -> bool:
    """Whether a pattern speaks of an instance of a file, and of a violation in it; a shorter pattern speaks of all."""
    wanted = pattern.split(":")
    return len(wanted) <= 3 and all(
        fnmatchcase(what, each) for what, each in zip((path, name, violation), wanted, strict=False)
    )


# --- reading ----------------------------------------------------------------------------------------


def find_settings(start: Path, named: Path | None = None) -> Settings:
    """The settings of the project around a directory, or those of a file; the usual ones where there are none.

    Raises SpecError (Q0731) for a file that cannot be read or understood.
    """
    if named is not None:
        return read_settings(named, _table(named) or {})
    for directory in (start, *start.parents):
        for name in FILES:
            path = directory / name
            if path.is_file() and (table := _table(path)) is not None:
                return read_settings(path, table)
        if (directory / ".git").exists():
            break
    return Settings(root=start)


def _table(path: Path) -> dict[str, Any] | None:
    """The settings as they stand in a file; None where the file has none."""
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"is no TOML: {error}") from None
    if path.name != "pyproject.toml":
        return content
    table = content.get("tool", {}).get("quorate")
    if table is not None and not isinstance(table, dict):
        raise _wrong(path, "`tool.quorate` is no table")
    return table


def read_settings(path: Path, table: Mapping[str, Any]) -> Settings:
    """The settings that a table of a file gives; raises SpecError with all that is wrong with it (Q0731)."""
    problems: list[Diagnostic] = []
    known = {"paths": _texts, "skip": _texts, "baseline": _texts, "deny-warnings": _flag, "override": _tables}
    values = _read(path, table, {**known, **_LIMITS}, problems)
    overrides = []
    for each in values.pop("override", ()):
        given = _read(path, each, {"match": _text, **_LIMITS}, problems)
        if "match" not in given:
            problems.append(_problem(path, 'each `override` needs `match`, such as `match = "specs/raft.spec"`'))
        else:
            overrides.append(Override(given.pop("match"), given))
    if problems:
        raise SpecError(problems)
    limits = Limits(**{name: values.pop(name) for name in _LIMITS if name in values})
    return Settings(path.resolve().parent, path, limits=limits, overrides=tuple(overrides), **values)


def _read(
    path: Path, table: Mapping[str, Any], known: Mapping[str, Callable[[Any], Any]], problems: list[Diagnostic]
) -> dict[str, Any]:
    found = {}
    for name, value in table.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(f'`{each}`' for each in known)}"
            problems.append(_problem(path, f"there is no setting `{name}`", hint))
            continue
        try:
            found[name.replace("-", "_")] = known[name](value)
        except ValueError as error:
            problems.append(_problem(path, f"`{name}`: {error}"))
    return found


def _problem(path: Path, message: str, hint: str | None = None) -> Diagnostic:
    return Diagnostic("Q0731", f"`{path}`: {message}", hint=hint)


def _wrong(path: Path, what: str) -> SpecError:
    return SpecError([Diagnostic("Q0731", f"`{path}` {what}", hint="`quorate explain Q0731` shows the settings")])


# --- values -----------------------------------------------------------------------------------------


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list of texts")
    return tuple(map(_text, value))


def _tables(value: object) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("write each as a table `[[tool.quorate.override]]`")
    return tuple(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither `true` nor `false`")
    return value


def _timeout(value: object) -> float:
    return seconds_of(str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _text(value))


def _depth(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a number of steps")
    return value


def _assurance(value: object) -> str:
    if value not in get_args(Required):
        raise ValueError(f"{value!r} is none of {', '.join(get_args(Required))}")
    return str(value)


_LIMITS: dict[str, Callable[[Any], Any]] = {
    "timeout": _timeout,
    "memory": lambda value: bytes_of(_text(value)),
    "depth": _depth,
    "assurance": _assurance,
}
assert set(_LIMITS) == {f.name for f in fields(Limits)}
