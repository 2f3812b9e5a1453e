"""What `check` and `simulate` have in common: for each instance of each file one verdict, printed as it comes.

The engine is a function that the verb brings along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from checker.cli.console import Console
from checker.cli.failure import usage
from checker.cli.files import Read, read
from checker.cli.outcome import Exit, of_verdict, worst
from checker.cli.progress import Reporter
from checker.source import Diagnostic, SpecError, did_you_mean

if TYPE_CHECKING:
    from checker.explore.search import Progress
    from checker.language.ir import InstanceDecl, Spec
    from checker.verdict import Verdict

Explore: TypeAlias = "Callable[[Spec, InstanceDecl, Callable[[Progress], None]], Verdict]"

INTERRUPTED = "interrupted"
"""How the reason begins that engines give for a verdict that was cut short from the keyboard."""

_RULE = "-" * 72


@dataclass(frozen=True)
class Run:
    """What was asked for: which instances of which files, with which overrides, and how to report."""

    console: Console
    files: tuple[str, ...]
    instances: tuple[str, ...]
    overrides: dict[str, str]
    deadlock: bool
    json_target: str | None
    html: str | None
    full: bool
    witness: tuple[str, ...]

    def each(self, explore: Explore, *, single: str = "") -> Exit:
        """Explores every instance that was asked for; all files are read, and their errors told, before the first.

        `single` is an option that is about one instance: with it, to ask for several is an error (Q0713).
        """
        found = read(self.files)
        told = [*found.errors, *found.warnings]
        self.console.diagnose(told)
        verdicts: list[Verdict] = []
        codes = [Exit.USAGE] if found.errors else list(self._outcomes(found, explore, single, verdicts, told))
        code = worst(codes)
        if len(verdicts) > 1:
            self._print_recap(verdicts)
        if self.json_target is not None:
            from checker.cli.save import save_document
            from checker.report.json import document

            save_document(document(verdicts, told, exit_code=code), self.json_target, self.console)
        if self.html is not None and verdicts:
            from checker.cli.save import save_page

            save_page(verdicts, self.html)
        return code

    def _outcomes(
        self, found: Read, explore: Explore, single: str, verdicts: list[Verdict], told: list[Diagnostic]
    ) -> Iterator[Exit]:
        """The outcome of each instance; fills `verdicts`, and `told` with what is wrong with instances."""
        try:
            self._check_witnesses(found)
            chosen = list(self._chosen(found))
            if single and len(chosen) != 1:
                names = ", ".join(f"`{decl.name}`" for _, decl in chosen)
                raise usage("Q0713", f"`{single}` is about one instance; here are {names}", "choose it with `-i NAME`")
        except SpecError as error:
            yield self._refuse(error, told)
            return
        for spec, decl in chosen:
            try:
                with Reporter(self.console, f"{spec.name} {decl.name}") as progress:
                    verdict = explore(spec, decl, progress)
            except SpecError as error:
                yield self._refuse(error, told)
                continue
            interrupted = verdict.reason.startswith(INTERRUPTED)
            self._print(verdict, first=not verdicts)
            verdicts.append(verdict)
            yield of_verdict(verdict, interrupted=interrupted)
            if interrupted:
                return

    def _refuse(self, error: SpecError, told: list[Diagnostic]) -> Exit:
        self.console.diagnose(error.diagnostics)
        told += error.diagnostics
        return Exit.USAGE

    def _chosen(self, found: Read) -> Iterator[tuple[Spec, InstanceDecl]]:
        """The instances asked for, or all, or one made of overrides alone where a file has none; raises SpecError."""
        from checker.explore.instance import default_instance, find_instance
        from checker.explore.overrides import with_overrides

        for _, loaded in found.loaded:
            spec = loaded.spec
            if self.instances:
                decls = [find_instance(spec, name) for name in dict.fromkeys(self.instances)]
            else:
                decls = list(spec.instances) or [default_instance(spec)]
            for decl in decls:
                yield spec, with_overrides(spec, decl, self.overrides)

    def _check_witnesses(self, found: Read) -> None:
        """Raises SpecError (Q0716) for a witness wanted of something that is no `reachable` of any of the files."""
        names = [p.name for _, loaded in found.loaded for p in loaded.spec.properties if p.kind == "reachable"]
        for name in self.witness:
            if name not in names:
                told = f"there are {', '.join(f'`{each}`' for each in names)}" if names else "there is none to ask for"
                hint = did_you_mean(name, names) or told
                message = f"`--witness`: there is no `reachable` called `{name}`"
                raise SpecError([Diagnostic("Q0716", message, hint=hint)])

    def _print(self, verdict: Verdict, *, first: bool) -> None:
        from checker.report.story import View
        from checker.report.text import report, verdict_line

        if self.json_target == "-":
            return
        look = self.console.look
        if self.console.quiet:
            self.console.out(f"{verdict.spec} {verdict.instance}: {verdict_line(verdict, look)}")
            return
        text = report(verdict, look, View(self.full), frozenset(self.witness))
        self.console.out(text if first else f"\n{_RULE}\n\n{text}")

    def _print_recap(self, verdicts: list[Verdict]) -> None:
        """One line for each instance, where there are several."""
        from checker.report.text import recap

        if not self.console.quiet and self.json_target != "-":
            self.console.out(f"\n{_RULE}\n\n{recap(verdicts, self.console.look)}")
