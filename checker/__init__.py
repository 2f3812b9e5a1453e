"""Quorate from Python: `checker.load("paxos.spec").check("small")`.

Names are imported when they are first used, so that `import checker` costs nothing. docs/api.md describes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checker.api import Spec, as_text, load, loads
    from checker.source import Diagnostic, SpecError
    from checker.verdict import Assurance, Outcome, PropertyResult, Status, Step, Trace, Verdict

__all__ = [
    "Assurance",
    "Diagnostic",
    "Outcome",
    "PropertyResult",
    "Spec",
    "SpecError",
    "Status",
    "Step",
    "Trace",
    "Verdict",
    "as_text",
    "load",
    "loads",
]

_HOMES = {
    "checker.api": ("Spec", "as_text", "load", "loads"),
    "checker.source": ("Diagnostic", "SpecError"),
    "checker.verdict": ("Assurance", "Outcome", "PropertyResult", "Status", "Step", "Trace", "Verdict"),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
