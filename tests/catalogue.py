"""Specs and their instances, each spec read once in a process, and only when a test is about it.

Every worker collects all tests; what can be told of an instance without reading its spec is its name.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from checker.language.extend import Reader
from checker.language.frontend import Loaded, load, load_source
from checker.language.ir import InstanceDecl, Spec
from checker.language.parser import read_source
from checker.source import Source

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").rglob("*.spec"))


@cache
def loaded(path: Path) -> Loaded:
    return load(path)


def names(text: str) -> list[str]:
    """The names of the instances of a spec, by the form of its lines."""
    return re.findall(r"^instance (\w+)", text, re.MULTILINE)


@cache
def spec_of(source: Source, read: Reader = read_source) -> Spec:
    return load_source(source, read=read).spec


def instance(spec: Spec, name: str) -> InstanceDecl:
    (decl,) = (decl for decl in spec.instances if decl.name == name)
    return decl
