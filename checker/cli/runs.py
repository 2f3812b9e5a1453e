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
from checker.cli.formats import Formats, report_of
from checker.cli.outcome import Exit, of_outcome, worst
from checker.cli.progress import Reporter
from checker.source import Diagnostic, SpecError, did_you_mean

if TYPE_CHECKING:
    from checker.explore.search import Progress
    from checker.language.ir import InstanceDecl, Spec
    from checker.report.results import Result
    from checker.verdict import Verdict

Explore: TypeAlias = "Callable[[Spec, InstanceDecl, Callable[[Progress], None]], Verdict]"

_RULE = "-" * 72


@dataclass(frozen=True)
class Run:
    """What was asked for: which instances of which files, with which overrides, and how to report."""

    console: Console
    files: tuple[str, ...]
    instances: tuple[str, ...]
    overrides: dict[str, str]
    deadlock: bool
    formats: Formats
    full: bool
    witness: tuple[str, ...]

    def each(self, explore: Explore, *, single: str = "") -> Exit:
        """Explores every instance that was asked for; all files are read, and their errors told, before the first.

        `single` is an option that is about one instance: with it, to ask for several is an error (Q0713).
        """
        found = read(self.files)
        self.console.diagnose([*found.errors, *found.warnings])
        results = found.results
        if not results:
            results += self._results(found, explore, single)
        code = worst(of_outcome(result.outcome) for result in results)
        verdicts = [result.verdict for result in results if result.verdict is not None]
        if len(verdicts) > 1:
            self._print_recap(verdicts)
        self.formats.write(self.console, report_of(results, found.warnings, code))
        return code

    def _results(self, found: Read, explore: Explore, single: str) -> Iterator[Result]:
        """The result of each instance, up to an interrupt; refusals are told as they come."""
        from checker.report.results import interrupted, of_verdict
        from checker.verdict import Outcome

        try:
            self._check_witnesses(found)
            chosen = list(self._chosen(found))
            if single and len(chosen) != 1:
                names = ", ".join(f"`{decl.name}`" for _, _, decl in chosen)
                raise usage("Q0713", f"`{single}` is about one instance; here are {names}", "choose it with `-i NAME`")
        except SpecError as error:
            yield self._refuse(error)
            return
        first = True
        for path, spec, decl in chosen:
            try:
                with Reporter(self.console, f"{spec.name} {decl.name}") as progress:
                    verdict = explore(spec, decl, progress)
            except SpecError as error:
                yield self._refuse(error, path, decl.name)
                continue
            except KeyboardInterrupt:
                yield interrupted(path, decl.name, "instance")
                return
            self._print(verdict, first=first)
            first = False
            result = of_verdict(verdict, path)
            yield result
            if result.outcome is Outcome.INTERRUPTED:
                return

    def _refuse(self, error: SpecError, path: str = "", name: str = "") -> Result:
        from checker.report.results import invalid

        self.console.diagnose(error.diagnostics)
        return invalid(error.diagnostics, path, name)

    def _chosen(self, found: Read) -> Iterator[tuple[str, Spec, InstanceDecl]]:
        """The instances asked for, or all, or one made of overrides alone where a file has none; raises SpecError."""
        from checker.explore.instance import default_instance, find_instance
        from checker.explore.overrides import with_overrides

        for path, loaded in found.loaded:
            spec = loaded.spec
            if self.instances:
                decls = [find_instance(spec, name) for name in dict.fromkeys(self.instances)]
            else:
                decls = list(spec.instances) or [default_instance(spec)]
            for decl in decls:
                yield path, spec, with_overrides(spec, decl, self.overrides)

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

        if self.formats.fill_stdout:
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

        if not (self.console.quiet or self.formats.fill_stdout):
            self.console.out(f"\n{_RULE}\n\n{recap(verdicts, self.console.look)}")
