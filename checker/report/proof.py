"""A proof as text for people: what is proved and how far, the proof graph, and what stands in the way if it is not.

It only words what the verdict says, as `text` does for explorations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from checker.report.changes import brief
from checker.report.look import Cell, Look, printable, table, wrap
from checker.report.story import View, story
from checker.report.text import result_story, seconds
from checker.verdict import (
    Assurance,
    InductionFailure,
    ObligationResult,
    Place,
    ProofGraph,
    PropertyResult,
    Status,
    Verdict,
)

_SLOW = 0.5  # seconds from which an obligation is worth naming
_MOST_TOLD = 3  # counterexamples told in full


def report(verdict: Verdict, look: Look, view: View | None = None) -> str:
    """The whole answer: counterexamples to induction, the verdict line, properties, proof graph, and numbers."""
    view = view or View()
    broken = [o for o in verdict.obligations if o.failure is not None]
    told = broken if view.full else broken[:_MOST_TOLD]
    blocks = [failure_story(o, look, view) for o in told]
    if not broken and not verdict.violations:
        blocks.append(look.paint(printable(f"{verdict.spec}, {verdict.instance}"), "strong"))
    if len(told) < len(broken):
        blocks.append("  " + look.paint(f"and {len(broken) - len(told)} more; --full tells all of them", "warn"))
    blocks += [result_story(p, verdict, look, view) for p in verdict.violations if not verdict.obligations]
    blocks.append("\n".join(_undecided(verdict, look)))
    blocks.append(verdict_line(verdict, look))
    blocks.append(_properties(verdict, look))
    blocks.append(_graph(verdict, look))
    blocks.append("\n".join(_remarks(verdict, look)))
    blocks.append(look.paint(_numbers(verdict), "soft"))
    return "\n\n".join(block for block in blocks if block)


def verdict_line(verdict: Verdict, look: Look) -> str:
    """One sentence: the answer and how far it reaches."""
    text, tone = answer(verdict)
    head = text[: text.index(":") + 1]
    first, *more = wrap(text, look.width, indent=2)
    return "\n".join([look.paint(head, tone) + first[len(head) :], *more])


def answer(verdict: Verdict) -> Cell:
    """The answer and how far it reaches, on one line, and its tone."""
    match verdict.assurance:
        case Assurance.PROVED:
            return "holds: proved for every size", "good"
        case Assurance.INDUCTIVE:
            return "holds: inductive for this instance", "good"
        case Assurance.VIOLATED:
            names = ", ".join(p.name for p in verdict.violations)
            return printable(f"violated: {names}, in a run from an initial state"), "bad"
        case _:
            return printable(f"not proved: {verdict.reason}"), "warn"


# --- what stands in the way -------------------------------------------------------------------------


def failure_story(o: ObligationResult, look: Look, view: View | None = None) -> str:
    """A counterexample to induction: the state, the step, what fails after it, and whether a run leads there."""
    failure, view = o.failure, view or View()
    assert failure is not None
    sizes = ", ".join(f"{name} {size}" for name, size in failure.sizes)
    opening = headline(o) + (f" ({sizes})" if sizes else "")
    parts = ["\n".join(look.paint(line, "bad") for line in wrap(printable(opening), look.width, indent=2))]
    if failure.relevant:
        parts.append("\n".join(["  In a state in which all that is assumed holds, and", *_facts(failure, look)]))
    if failure.trace.steps:
        parts.append(story(failure.trace, look, View(view.full, view.only, view.hide)))
    parts.append("\n".join(_why(o, failure, look)))
    if failure.run is not None and failure.run.steps:
        parts.append("  A run from an initial state in which it fails:\n\n" + story(failure.run, look, view))
    return "\n\n".join(parts)


def headline(o: ObligationResult) -> str:
    """What is not so, as a sentence without its end."""
    match o.kind:
        case "kept":
            return f"{o.property} is not kept by {o.action}"
        case "invariant" | "lemma":
            return f"{o.property} is not inductive for this instance"
        case "step":
            return f"{o.property} does not hold for {o.action or 'every step'}"
        case "initially":
            return f"{o.property} does not hold initially"
        case "derived":
            return f"{o.property} does not follow: {o.name}"
        case _:
            return f"{o.name}: not so"


def _facts(failure: InductionFailure, look: Look) -> Iterator[str]:
    for fact in failure.relevant:
        for line in wrap(printable(fact), look.width - 7, indent=2):
            yield "       " + look.paint(line, "strong")


def _why(o: ObligationResult, failure: InductionFailure, look: Look) -> Iterator[str]:
    clause = failure.clause
    if clause is not None:
        yield from _labelled("fails:", clause.text, clause.place, look)
        if clause.witnesses:
            names = ", ".join(f"{name} = {brief(value)}" for name, value in clause.witnesses)
            yield from (" " * 11 + line for line in wrap(printable(f"with {names}"), look.width - 11, indent=5))
    if o.action_place is not None:
        yield from _labelled("step:", o.action, o.action_place, look)
    yield from _labelled("means:", meaning(o, failure), None, look)
    for suggestion in failure.suggestions:
        yield from _labelled("try:", suggestion, None, look)


def meaning(o: ObligationResult, failure: InductionFailure) -> str:
    if failure.reachable:
        return "a run leads to this: the protocol, or the property, is wrong"
    if o.kind == "derived":
        return "the properties named do not imply it: name more of them, or add a lemma"
    if failure.reachable is False:
        return "no run of this size breaks the property: the lemmas are too weak to exclude the state above"
    return "whether a run leads here was not found out: the lemmas are too weak, or the protocol is wrong"


def _undecided(verdict: Verdict, look: Look) -> Iterator[str]:
    for o in verdict.obligations:
        if o.status is Status.UNKNOWN:
            yield from _labelled("unknown:", o.name, o.place, look)
            yield from (" " * 11 + line for line in wrap(printable(o.message), look.width - 11))
            if o.tried:
                tried = f"tried: {'; '.join(o.tried)}"
                yield from (" " * 11 + look.paint(line, "soft") for line in wrap(tried, look.width - 11, indent=2))


def _labelled(label: str, text: str, place: Place | None, look: Look) -> Iterator[str]:
    pieces = wrap(printable(text), look.width - 11, indent=2)
    yield f"  {label:<9}" + look.paint(pieces[0], "strong")
    yield from (" " * 11 + look.paint(piece, "strong") for piece in pieces[1:])
    if place is not None:
        yield " " * 11 + look.paint(f"at {printable(place.file)}:{place.line}", "soft")


# --- what is proved ---------------------------------------------------------------------------------


def _properties(verdict: Verdict, look: Look) -> str:
    rows: list[list[Cell]] = []
    for p in verdict.properties:
        text, tone = standing(p, verdict)
        rows.append([(printable(p.name), "plain"), (p.kind, "soft"), (printable(text), tone)])
    return table(rows, look)


def standing(p: PropertyResult, verdict: Verdict) -> Cell:
    match p.status:
        case Status.HOLDS if verdict.assurance is Assurance.INDUCTIVE:
            return "inductive for this instance", "good"
        case Status.HOLDS:
            return "proved for every size", "good"
        case Status.VIOLATED:
            return "violated", "bad"
        case _:
            return f"not proved: {p.message}" if p.message else "not proved", "warn"


def _graph(verdict: Verdict, look: Look) -> str:
    """A tree for each invariant and step property that is not in the tree of another."""
    if verdict.graph is None or not any(below for _, below in verdict.graph.needs):
        return ""
    kinds = {p.name: p.kind for p in verdict.properties}
    lines = ["  What rests on what:"]
    shown: set[str] = set()
    for name, _ in verdict.graph.needs:
        if kinds.get(name) in ("invariant", "step") and name not in shown:
            lines += ["    " + line for line in tree(verdict.graph, name, shown)]
    return "\n".join(lines)


def tree(graph: ProofGraph, root: str, seen: set[str]) -> list[str]:
    """The graph below one property, a line each; what is in `seen` is not unfolded again."""
    edges = dict(graph.needs)
    lines: list[str] = []

    def walk(name: str, first: str, rest: str) -> None:
        again = name in seen and bool(edges.get(name))
        lines.append(printable(f"{first}{name}{' (see above)' if again else ''}"))
        if again:
            return
        seen.add(name)
        below = edges.get(name, ())
        for i, child in enumerate(below):
            last = i == len(below) - 1
            walk(child, rest + ("`- " if last else "|- "), rest + ("   " if last else "|  "))

    walk(root, "", "")
    return lines


def dot(graph: ProofGraph, name: str) -> str:
    """The graph in Graphviz' language; an arrow points from a property to what it rests on."""
    lines = [f'digraph "{name}" {{', "  rankdir=TB; node [shape=box, fontname=Helvetica];"]
    lines += [f'  "{n}"{" [style=dashed]" if n in graph.unused else ""};' for n, _ in graph.needs]
    lines += [f'  "{a}" -> "{b}";' for a, below in graph.needs for b in below]
    return "\n".join([*lines, "}", ""])


def _remarks(verdict: Verdict, look: Look) -> Iterator[str]:
    for name in verdict.graph.unused if verdict.graph else ():
        yield "  " + look.paint(printable(f"unused: no property rests on the lemma {name}"), "warn")
    for note in verdict.notes:
        yield from ("  " + look.paint(line, "warn") for line in wrap(printable(note), look.width - 2, indent=2))


def _numbers(verdict: Verdict) -> str:
    if not verdict.obligations:
        return "  " + seconds(verdict.seconds)
    if verdict.graph is None:
        return f"  {verdict.engine}, {seconds(verdict.seconds)}"
    how = Counter("solver" if o.how not in ("frame", "form") else o.how for o in verdict.obligations)
    parts = [
        f"{len(verdict.obligations)} obligations: {how['frame']} about nothing that the step writes, "
        f"{how['form']} true by form, {how['solver']} for the solver",
    ]
    slow = max(verdict.obligations, key=lambda o: o.seconds, default=None)
    if slow is not None and slow.seconds >= _SLOW:
        parts.append(f"slowest {slow.name} ({seconds(slow.seconds)})")
    if verdict.seed is not None:
        parts.append(f"seed {verdict.seed}")
    parts.append(seconds(verdict.seconds))
    return "  " + printable(", ".join(parts))
