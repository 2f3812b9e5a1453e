"""The public face for Python: a spec that was read, and what can be asked of it; the answers are verdicts.

The names of `checker` come from here. What is not named there may change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from checker.language import frontend, ir
from checker.source import Diagnostic, Source, SpecError
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.explore.search import Progress

EngineName = Literal["auto", "interpreter", "native"]


def load(path: str | os.PathLike[str]) -> Spec:
    """Reads a spec file; raises SpecError with all diagnostics where it has errors."""
    return _spec(frontend.load(Path(path)))


def loads(text: str, name: str = "text.spec") -> Spec:
    """Reads a spec from text; `name` is what places in it are called. Raises SpecError like `load`."""
    return _spec(frontend.load_source(Source(name, text)))


def as_text(verdict: Verdict, *, full: bool = False, width: int = 100) -> str:
    """A verdict as the command line prints it, without colour; `full`: whole states after each step."""
    from checker.report.look import Look
    from checker.report.story import View
    from checker.report.text import report

    return report(verdict, Look(width), View(full))


def _spec(loaded: frontend.Loaded) -> Spec:
    return Spec(loaded.spec.name, loaded.warnings, loaded.spec)


@dataclass(frozen=True)
class Spec:
    """A spec without errors. `warnings` are what a careful reader would remark on it."""

    name: str
    warnings: tuple[Diagnostic, ...]
    typed: ir.Spec = field(repr=False)

    @property
    def instances(self) -> tuple[str, ...]:
        """The names of its instances, in order."""
        return tuple(decl.name for decl in self.typed.instances)

    @property
    def properties(self) -> tuple[str, ...]:
        """The names of its invariants, lemmas, step properties and `reachable`s, in order."""
        return tuple(p.name for p in self.typed.properties)

    def check(
        self,
        instance: str | None = None,
        *,
        sizes: Mapping[str, object] | None = None,
        engine: EngineName = "auto",
        depth: int | None = None,
        timeout: float | None = None,
        memory: int | None = None,
        threads: int | None = None,
        stop_at_first: bool = True,
        deadlock: bool = True,
        progress: Callable[[Progress], None] | None = None,
    ) -> Verdict:
        """Explores every reachable state of an instance; without a name, of the only one.

        `sizes` sets sizes, constants and limits anew, as `--set` does. `depth` is in steps, `timeout` in seconds,
        `memory` in bytes. An answer that was cut short is a verdict too, and says so. Raises SpecError where there is
        no such instance, or it cannot be explored.
        """
        from checker.explore.check import check
        from checker.explore.engines import engine as by_name
        from checker.explore.problem import Options

        options = Options(
            by_name(engine),
            depth,
            memory,
            timeout,
            stop_at_first=stop_at_first,
            deadlock=deadlock,
            threads=threads,
        )
        return check(self.typed, self._instance(instance, sizes), options, progress)

    def simulate(
        self,
        instance: str | None = None,
        *,
        sizes: Mapping[str, object] | None = None,
        walks: int = 100,
        length: int = 100,
        seed: int | None = None,
        timeout: float | None = None,
    ) -> Verdict:
        """Takes random walks through an instance; the verdict names the seed, which takes the same walks again."""
        from checker.explore.problem import Options
        from checker.explore.simulate import Walks, fresh_seed, simulate

        chosen = Walks(walks, length, fresh_seed() if seed is None else seed)
        return simulate(self.typed, self._instance(instance, sizes), chosen, Options(timeout=timeout))

    def prove(
        self, *, timeout: float = 20.0, total: float | None = None, seed: int = 0, jobs: int | None = None
    ) -> Verdict:
        """Proves the invariants, lemmas and step properties for every size.

        `timeout` is for each obligation, `total` for all of them, in seconds. Raises SpecError for what cannot be put
        as obligations.
        """
        from checker.prove.discharge import Options
        from checker.prove.prove import prove

        return prove(self.typed, Options(timeout, total=total, seed=seed, jobs=jobs or os.cpu_count() or 1))

    def _instance(self, name: str | None, sizes: Mapping[str, object] | None) -> ir.InstanceDecl:
        from checker.explore.instance import default_instance, find_instance
        from checker.explore.overrides import with_overrides

        decls = self.typed.instances
        if name is not None:
            decl = find_instance(self.typed, name)
        elif len(decls) > 1:
            hint = f"its instances are {', '.join(self.instances)}"
            raise SpecError([Diagnostic("Q0501", f"`{self.name}` has several instances: name one", hint=hint)])
        else:
            decl = decls[0] if decls else default_instance(self.typed)
        return with_overrides(self.typed, decl, {key: _text(value) for key, value in (sizes or {}).items()})


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
