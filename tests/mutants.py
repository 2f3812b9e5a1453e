"""Broken copies of specs: a mutant names a spec, what to replace in it, and the instance that shows it broken.

A `.mutant` file has comment lines (`#`), one line `base FILE` (a file under `specs/`), hunks of `- ` lines to be
replaced by the `+ ` lines that follow them, and an `instance mutant` block with its expectation. The old lines must
occur exactly once in the base. The mutant's text is the base without its instances, with the hunks applied and the
block at its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from checker.source import Source

SPECS = Path(__file__).parent.parent / "specs"
MUTANTS = tuple(sorted((Path(__file__).parent / "mutants").glob("*.mutant")))


@dataclass(frozen=True)
class Mutant:
    """`source` is a whole spec, whose only instance is called `mutant` and expects the violation.

    It is named as if it were a file beside its base, so that it extends what its base extends.
    """

    name: str
    base: Path
    source: Source


def load_mutant(path: Path) -> Mutant:
    """The mutant that the file describes; raises ValueError when it does not fit its base."""
    text = path.read_text(encoding="ascii")
    head, instance = _split_at_instance(text, path)
    bases = re.findall(r"^base (\S+)$", head, re.MULTILINE)
    if len(bases) != 1:
        raise ValueError(f"{path.name}: one line `base FILE` is needed")
    base = SPECS / bases[0]
    mutated = base.read_text(encoding="ascii")
    hunks = _hunks(head)
    if not hunks:
        raise ValueError(f"{path.name}: nothing is replaced")
    for old, new in hunks:
        if (count := mutated.count(old)) != 1:
            raise ValueError(f"{path.name}: the old lines occur {count} times in {base.name}:\n{old}")
        mutated = mutated.replace(old, new)
    source = Source(str(base.with_name(path.name)), _without_instances(mutated) + instance)
    return Mutant(path.stem, base, source)


def is_proved(base: Path) -> bool:
    """Whether a spec has lemmas or proofs of its own, or takes over those of the spec that it extends."""
    text = base.read_text(encoding="ascii")
    if re.search(r"^(lemma|proof) ", text, re.MULTILINE):
        return True
    extends = re.search(r"^spec \w+ extends ([\w, ]+?)$", text, re.MULTILINE)
    bases = re.findall(r"\w+", extends[1]) if extends and "without proof" not in extends[1] else []
    return any(is_proved(base.with_name(f"{name}.spec")) for name in bases)


def _split_at_instance(text: str, path: Path) -> tuple[str, str]:
    head, mark, rest = text.partition("\ninstance mutant\n")
    if not mark:
        raise ValueError(f"{path.name}: an `instance mutant` is needed")
    return head, mark[1:] + rest


def _hunks(head: str) -> list[tuple[str, str]]:
    """Pairs of old and new text, each of whole lines."""
    found: list[tuple[str, str]] = []
    for match in re.finditer(r"^((?:- .*\n?)+)((?:\+ .*\n?)*)", head, re.MULTILINE):
        old, new = ("".join(f"{line[2:]}\n" for line in part.splitlines()) for part in match.groups())
        found.append(("\n" + old, "\n" + new))
    return found


def _without_instances(text: str) -> str:
    return re.sub(r"^instance \S+\n(?:(?: .*)?\n)*", "", text, flags=re.MULTILINE)
