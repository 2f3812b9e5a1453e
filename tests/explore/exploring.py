"""Small specs as text, and what the reference explorer says of them; shared by the tests of this directory."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from checker.explore.check import check
from checker.explore.instance import default_instance, instantiate
from checker.explore.interpreter import Interpreter
from checker.explore.problem import Options
from checker.language.finite import for_instance
from checker.language.frontend import load_source
from checker.language.ir import InstanceDecl, Spec
from checker.source import Source, SpecError
from checker.verdict import PropertyResult, Verdict


def spec_of(text: str) -> Spec:
    """The typed form of a spec, which may be indented; `spec T` is put before it."""
    return load_source(Source("t.spec", "spec T\n" + dedent(text))).spec


def first(spec: Spec) -> InstanceDecl:
    return spec.instances[0] if spec.instances else default_instance(spec)


def interpreter_of(text: str) -> Interpreter:
    """The first instance of a spec, ready to be asked."""
    spec = spec_of(text)
    return Interpreter(instantiate(for_instance(spec, first(spec)), first(spec)))


def verdict_of(text: str, **options: Any) -> Verdict:
    """The verdict on the first instance of a spec."""
    spec = spec_of(text)
    return check(spec, first(spec), Options(**options))


def codes_of(text: str) -> list[str]:
    """The codes of the diagnostics that exploring a spec raises."""
    try:
        verdict_of(text)
    except SpecError as error:
        return [diagnostic.code for diagnostic in error.diagnostics]
    return []


def result(verdict: Verdict, name: str) -> PropertyResult:
    return next(p for p in verdict.properties if p.name == name)
