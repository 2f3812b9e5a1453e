"""The state graphs that `check` writes: how many states may be drawn, and what is said when there are more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.cli.console import Console
from checker.cli.failure import usage
from checker.source import SpecError, did_you_mean

if TYPE_CHECKING:
    from checker.language.ir import InstanceDecl, Spec
    from checker.verdict import StateGraph, Verdict

DRAWN = 4_000
"""More nodes than this no drawing is readable with, and no browser quick."""

VISITED = 20_000
"""So many states may be merged into fewer nodes."""


@dataclass(frozen=True)
class Graphs:
    """Which graphs were asked for: files for DOT and for the page, and the variables to merge states by."""

    dot: str | None
    page: str | None
    by: str | None

    @property
    def option(self) -> str:
        """The option that asked for them; empty if none did."""
        return "--dot" if self.dot else "--graph" if self.page else ""

    def write(self, spec: Spec, decl: InstanceDecl, verdict: Verdict, depth: int | None, console: Console) -> None:
        """Draws the instance. Raises SpecError: too many states (Q0721), or a variable of `--by` unknown (Q0719)."""
        from checker.cli.progress import Reporter
        from checker.cli.save import save_text
        from checker.explore.graph import TooManyStates, state_graph
        from checker.explore.problem import Options
        from checker.report.graph import dot, draw, graph_page

        most = VISITED if self.by else DRAWN
        counted = _counted(verdict)
        if counted is not None and counted > most:
            raise self._too_many(decl.name, f"{counted:,} states", most)
        try:
            with Reporter(console, f"graph of {decl.name}") as progress:
                graph = state_graph(spec, decl, most, Options(depth=depth), progress)
        except TooManyStates as many:
            raise self._too_many(decl.name, f"more than {many.seen:,} states", most) from None
        drawing = draw(graph, self._names(graph))
        if len(drawing.nodes) > DRAWN:
            raise self._too_many(decl.name, f"{len(drawing.nodes):,} nodes by {', '.join(drawing.names)}", DRAWN)
        if self.dot is not None:
            save_text(dot(drawing), self.dot)
        if self.page is not None:
            save_text(graph_page(drawing), self.page)

    def _names(self, graph: StateGraph) -> list[str] | None:
        if self.by is None:
            return None
        known = {name for v in graph.variables for name in (v.short_name, v.full_name)}
        names = [name.strip() for name in self.by.split(",") if name.strip()]
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"
                raise usage("Q0719", f"`--by`: there is no variable `{name}`", hint)
        return names

    def _too_many(self, instance: str, found: str, most: int) -> SpecError:
        ways = "`--depth N` draws the first N steps, `--set` makes the instance smaller"
        ways += "" if self.by else ", `--by VARIABLE` draws one node for all states that are equal on it"
        return usage("Q0721", f"`{instance}` has {found}; at most {most:,} can be drawn", ways)


def _counted(verdict: Verdict) -> int | None:
    """How many states there are, if the verdict counted them all one by one."""
    from checker.verdict import Assurance

    if verdict.assurance is Assurance.EXHAUSTIVE and not verdict.census.symmetry:
        return verdict.census.states
    return None
