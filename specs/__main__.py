"""The gallery of these specs, made of what stands in their files: `python -m specs > specs/README.md`.

Nothing is explored or proved here: the numbers are those that the instances expect, and CI checks that they are met.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from checker.explore.instance import instantiate
from checker.language import ir
from checker.language.frontend import load

SPECS = Path(__file__).parent
MUTANTS = SPECS.parent / "tests" / "mutants"

HEAD = """\
# The gallery

<!-- written by: python -m specs > specs/README.md -->

Each protocol with its paper, what holds of it, which instances are explored, what is proved for every size, and the
broken copies that are known to be caught: one line of the protocol changed, and a run that goes wrong. Each number
stands in a file as an expectation that CI checks; a property is proved for every size by `quorate prove`.

`python -m specs` makes this page from the files. To see a violation as a story: `quorate check specs/FILE -i INSTANCE`.
"""


def gallery() -> str:
    """The whole page, as Markdown."""
    files = [*sorted(SPECS.glob("*.spec")), *sorted((SPECS / "naive").glob("*.spec"))]
    specs = [(path, load(path).spec) for path in files]
    table = ["| protocol | explored | proved for every size | mutants |", "|---|---|---|---|"]
    table += [_row(path, spec) for path, spec in specs]
    sections = ["\n".join(_section(path, spec)) for path, spec in specs]
    return "\n".join([HEAD, *table, "", *sections])


def _row(path: Path, spec: ir.Spec) -> str:
    counts = [e.count for i in spec.instances for e in i.expected if isinstance(e, ir.ExpectStates)]
    broken = sum(isinstance(e, ir.ExpectViolated) for i in spec.instances for e in i.expected)
    explored = [f"{max(counts):,} states"] if counts else []
    explored += [f"{broken} counterexample{'s' if broken > 1 else ''}"] if broken else []
    link = f"[{_name(path)}](#{_name(path).replace('/', '')})"
    proved = "yes" if _is_proved(path, spec) else ""
    return f"| {link} | {', '.join(explored)} | {proved} | {len(_mutants(path)) or ''} |"


def _section(path: Path, spec: ir.Spec) -> Iterator[str]:
    name = _name(path)
    yield f"## {name}\n"
    yield "\n\n".join(_comment(path.read_text(encoding="ascii"))[:2])
    yield f"\nThe file: [`{name}.spec`]({name}.spec)\n"
    for kinds, title in (
        (("invariant", "step"), "What is to hold"),
        (("reachable",), "What is possible"),
    ):
        if found := [f"`{p.name}`" for p in spec.properties if p.kind in kinds]:
            yield f"* {title}: {', '.join(found)}"
    if _is_proved(path, spec):
        lemmas = sum(p.kind == "lemma" for p in spec.properties)
        by = f", with {lemmas} lemma{'s' if lemmas > 1 else ''}" if lemmas else ""
        yield f"* Proved for every size: all that is to hold{by}"
    yield "\n| instance | sizes | outcome |\n|---|---|---|"
    yield from (f"| `{i.name}` | {_sizes(spec, i)} | {_outcome(i)} |" for i in spec.instances)
    if mutants := _mutants(path):
        yield f"\n<details><summary>{len(mutants)} mutants</summary>\n"
        yield from mutants
        yield "\n</details>"
    yield ""


def _name(path: Path) -> str:
    return path.relative_to(SPECS).with_suffix("").as_posix()


def _comment(text: str) -> list[str]:
    """The paragraphs of the comment at the beginning: what it is, and after whom."""
    lines = re.match(r"(?:#.*\n)*", text)
    assert lines is not None
    return [part.strip() for part in re.sub(r"^# ?", "", lines[0], flags=re.MULTILINE).split("\n\n")]


def _is_proved(path: Path, spec: ir.Spec) -> bool:
    """Whether `quorate ci` proves it; what the project tells it to skip, it does not."""
    project = tomllib.loads((SPECS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    if f"specs/{_name(path)}.spec:proof" in project["tool"]["quorate"].get("skip", ()):
        return False
    return bool(spec.proofs) or any(p.kind == "lemma" for p in spec.properties)


def _sizes(spec: ir.Spec, instance: ir.InstanceDecl) -> str:
    limits = dict(instance.limits)
    return ", ".join(
        f"{name} ≤ {size}" if name in limits else f"{name} {size}" for name, size in instantiate(spec, instance).sizes
    )


def _outcome(instance: ir.InstanceDecl) -> str:
    return "; ".join(_expected(e) for e in instance.expected)


def _expected(expected: ir.Expected) -> str:
    match expected:
        case ir.ExpectStates(count):
            return f"{count:,} states"
        case ir.ExpectViolated(name, steps):
            return f"**`{name}` is violated** after {steps} steps"
        case ir.ExpectUnreachable(name):
            return f"`{name}` is not reached"


def _mutants(path: Path) -> list[str]:
    """An item for each mutant of the spec: what it changes, and what that violates."""
    found = []
    for mutant in sorted(MUTANTS.glob("*.mutant")):
        text = mutant.read_text(encoding="ascii")
        if f"\nbase {path.name}\n" in text and path.parent == SPECS:
            what = " ".join(_comment(text)[0].split())
            violated = ", ".join(re.findall(r"expect violated (.*)", text))
            found.append(f"* `{mutant.stem}`: {what} *Violated: {violated}.*")
    return found


if __name__ == "__main__":
    print(gallery(), end="")
