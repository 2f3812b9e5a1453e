"""A verdict as text for people: what was asked, the answer with its scope, the counterexamples, the numbers.

It only words what the verdict says; it never says that something holds without saying where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checker.report.changes import brief
from checker.report.look import TIED, Cell, Look, Tone, printable, table, wrap
from checker.report.story import View, state_lines, story
from checker.verdict import Assurance, Clause, Expectation, Place, PropertyResult, Status, Verdict

_ERRORS = {"undefined": "undefined operation", "range": "value out of its range"}
_LIMITS = ("crashes", "timeouts", "partitions", "messages")


def report(verdict: Verdict, look: Look, view: View | None = None, witness: frozenset[str] = frozenset()) -> str:
    """The whole answer: stories of what is violated, the verdict line, tables, and the numbers of the run.

    `witness` names the `reachable`s whose witnesses are told as stories too.
    """
    view = view or View()
    if verdict.graph is not None or verdict.obligations:
        from checker.report import proof

        return proof.report(verdict, look, view)
    told = [p for p in verdict.properties if p in verdict.violations or (p.name in witness and p.trace)]
    blocks = [result_story(p, verdict, look, view) for p in told] or [_title(verdict, look)]
    blocks.append(verdict_line(verdict, look))
    if any(p not in told for p in verdict.properties):  # else the stories say it all
        blocks.append(_properties(verdict, look))
    if verdict.census.actions and verdict.census.states and (view.full or verdict.assurance is not Assurance.VIOLATED):
        blocks.append(_actions(verdict, look))
    blocks.append("\n".join(_remarks(verdict, look)))
    blocks.append(look.paint(_numbers(verdict), "soft"))
    return "\n\n".join(block for block in blocks if block)


def _title(verdict: Verdict, look: Look) -> str:
    return "\n".join(look.paint(line, "strong") for line in wrap(instance(verdict), look.width, indent=2))


def instance(verdict: Verdict) -> str:
    """The spec, the instance and its sizes, for `wrap`."""
    sizes = ", ".join(
        TIED.join((name, "<=", size) if name in _LIMITS else (name, size)) for name, size in verdict.sizes
    )
    return f"{printable(verdict.spec)}, instance {printable(verdict.instance)}" + (f": {sizes}" if sizes else "")


# --- the verdict line -------------------------------------------------------------------------------


def verdict_line(verdict: Verdict, look: Look) -> str:
    """One sentence: the answer and how far it reaches."""
    text, tone = answer(verdict)
    head, _, rest = text.partition(":")
    pieces = wrap(f"{head}:{rest}", look.width, indent=2)
    pieces[0] = look.paint(f"{head}:", tone) + pieces[0][len(head) + 1 :]
    return "\n".join(pieces)


def recap(verdicts: Iterable[Verdict], look: Look) -> str:
    """The answers of several instances, one under the other."""
    rows: list[list[Cell]] = [[(f"{v.spec} {v.instance}", "strong"), answer(v)] for v in verdicts]
    return table(rows, look, indent=0)


def answer(verdict: Verdict) -> Cell:
    """The answer and how far it reaches, on one line, and its tone."""
    if verdict.graph is not None or verdict.obligations:
        from checker.report import proof

        return proof.answer(verdict)
    if verdict.failures:
        return f"violated: {_listed(verdict.failures)}", "bad"
    if unmet := [e for e in verdict.expectations if e.met is False]:
        return f"not as expected: {'; '.join(map(_expectation, unmet))}", "bad"
    if not verdict.properties:
        return f"nothing to check: there is no property; {_states(verdict)}", "warn"
    match verdict.assurance:
        case Assurance.VIOLATED:
            return f"violated as expected: {_listed(verdict.violations)}", "good"
        case Assurance.INCONCLUSIVE:
            return f"inconclusive: {verdict.reason or 'no reason given'}; {_so_far(verdict)}", "warn"
        case Assurance.SAMPLED:
            return f"no violation in the sample: {_count(verdict.census.states, 'state')} seen on random walks", "warn"
        case Assurance.BOUNDED:
            return f"no violation to depth {verdict.depth_bound}: {_to_bound(verdict)}", "warn"
        case Assurance.EXHAUSTIVE:
            scope = f"all {_states(verdict)}, depth {verdict.census.depth:,}; exhaustive for this instance"
            if verdict.violations:
                return f"violated as expected: {_listed(verdict.violations)}; {scope}", "good"
            return f"holds: {scope}", "good"
        case Assurance.INDUCTIVE:
            return "holds: inductive for this instance", "good"
        case Assurance.PROVED:
            return "holds: proved for every size", "good"


def _listed(results: tuple[PropertyResult, ...]) -> str:
    return ", ".join(map(_outcome, results))


def _outcome(result: PropertyResult) -> str:
    if result.kind in _ERRORS:
        return f"{_ERRORS[result.kind]} {_when(result)}"
    if result.status is Status.UNREACHED:
        return f"{result.name} is unreachable"
    return f"{result.name} {_when(result) or 'is violated'}"


def _states(verdict: Verdict, noun: str = "reachable state") -> str:
    """How many states there are, and which of them count as one."""
    *others, last = [printable(sort) for sort in verdict.census.symmetry] or [""]
    sorts = f"{', '.join(others)} and {last}" if others else last
    return _count(verdict.census.states, noun) + (f" up to renaming of {sorts}" if sorts else "")


def _so_far(verdict: Verdict) -> str:
    census = verdict.census
    waiting = f", {_count(census.frontier, 'state')} not yet explored" if census.frontier else ""
    return f"no violation among {_states(verdict, 'state')} to depth {census.depth:,}{waiting}"


def _to_bound(verdict: Verdict) -> str:
    census = verdict.census
    beyond = f", {census.frontier:,} of them not explored further" if census.frontier else ""
    open_ones = [p.name for p in verdict.properties if p.status is Status.UNKNOWN]
    undecided = f"; not decided: {', '.join(open_ones)}" if open_ones else ""
    return f"{_states(verdict, 'state')}{beyond}{undecided}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _when(result: PropertyResult) -> str:
    """`after 12 steps`, `in the initial state`, or nothing without a trace."""
    if result.trace is None:
        return ""
    steps = len(result.trace.steps)
    return f"after {_count(steps, 'step')}" if steps else "in the initial state"


# --- stories ----------------------------------------------------------------------------------------


def result_story(result: PropertyResult, verdict: Verdict, look: Look, view: View | None = None) -> str:
    """What happened to one property: a headline, the run that shows it, and the clauses that failed."""
    view = view or View()
    expected = result in verdict.violations and result not in verdict.failures
    opening = f"{headline(result, verdict)}{', as expected' if expected else ''} ({instance(verdict)})"
    good = expected or result.status is Status.REACHED
    parts = ["\n".join(look.paint(line, "good" if good else "bad") for line in wrap(opening, look.width, indent=2))]
    if result.trace is not None:
        mentioned = " ".join(_texts(result.clauses))
        parts.append(story(result.trace, look, view, mentioned))
        if not view.full and (what := _puzzle(result)):
            last = state_lines(result.trace, len(result.trace.steps), look, view, indent=4)
            parts.append("\n".join([f"  The state in which {what}:", *last]))
    if why := "\n".join(_why(result, look)):
        parts.append(why)
    return "\n\n".join(parts)


def _puzzle(result: PropertyResult) -> str:
    """What only the whole last state can explain, for want of names that would; empty if there is no such thing."""
    if result.kind == "deadlock":
        return "nothing can happen"
    if result.kind in _ERRORS:
        return "this happens"
    told = any(clause.witnesses or clause.because for clause in result.clauses)
    return "it fails" if result.status is Status.VIOLATED and result.clauses and not told else ""


def headline(result: PropertyResult, verdict: Verdict) -> str:
    """What happened to one property, as a sentence without its end."""
    when = _when(result)
    match result.status, result.kind:
        case Status.REACHED, _:
            return f"{result.name} is reached {when}"
        case Status.UNREACHED, _:
            return f"{result.name} is unreachable: none of the {_states(verdict)} is a witness"
        case _, "deadlock":
            return f"Deadlock {when}: no step is possible"
        case _, kind if kind in _ERRORS:
            return f"{_ERRORS[kind].capitalize()} {when}"
        case _, "step" if result.trace is not None:
            return f"{result.name} is violated by step {len(result.trace.steps)}"
        case _:
            return f"{result.name} is violated {when}".rstrip()


def _texts(clauses: tuple[Clause, ...]) -> Iterator[str]:
    for clause in clauses:
        yield clause.text
        yield from _texts(clause.because)


def _why(result: PropertyResult, look: Look) -> Iterator[str]:
    """The clauses that failed with their witnesses; for errors of the spec, the sentence and the place."""
    if result.kind in _ERRORS:
        code = f" [{result.code}]" if result.code else ""
        yield from labelled("error:", result.message + code, result.place, look)
        if result.place and result.place.text:
            yield " " * 11 + look.paint(printable(result.place.text.strip()), "soft")
    elif result.message:
        yield from labelled("note:", result.message, None, look)
    for clause in result.clauses:
        yield from labelled(
            "reached:" if result.status is Status.REACHED else "fails:", clause.text, clause.place, look
        )
        yield from witnesses(clause, look, indent=11)


def labelled(label: str, text: str, place: Place | None, look: Look) -> Iterator[str]:
    """A label, a text in its column, and the place at the right edge or on a line of its own."""
    pieces = wrap(printable(text), look.width - 11, indent=2)
    lines = [f"  {label:<9}" + look.paint(pieces[0], "strong")]
    lines += [" " * 11 + look.paint(piece, "strong") for piece in pieces[1:]]
    where = _at(place)
    if where and len(pieces) == 1 and 11 + len(pieces[0]) + 4 + len(where) <= look.width:
        lines[0] += " " * min(8, look.width - 11 - len(pieces[0]) - len(where)) + look.paint(where, "soft")
    elif where:
        lines.append(" " * 11 + look.paint(f"at {where}", "soft"))
    yield from lines


def _at(place: Place | None) -> str:
    return printable(f"{place.file}:{place.line}") if place else ""


def witnesses(clause: Clause, look: Look, indent: int) -> Iterator[str]:
    def bound(part: Clause) -> str:
        return ", ".join(f"{name} = {brief(value)}" for name, value in part.witnesses)

    if clause.witnesses:
        for line in wrap(f"with {bound(clause)}", look.width - indent, indent=5):
            yield " " * indent + printable(line)
    for part in clause.because:
        text = f"{part.text}: {bound(part)}" if part.witnesses else part.text
        for line in wrap(text, look.width - indent, indent=2):
            yield " " * indent + printable(line)
        yield from witnesses(Clause(part.text, (), None, part.because), look, indent + 2)


# --- tables -----------------------------------------------------------------------------------------


def _properties(verdict: Verdict, look: Look) -> str:
    rows: list[list[Cell]] = []
    for p in verdict.properties:
        if p.kind in _ERRORS:
            continue
        text, tone = standing(p, verdict)
        kind = "" if p.kind == "deadlock" else p.kind
        rows.append([(printable(p.name), "plain"), (kind, "soft"), (text, tone)])
    return table(rows, look)


def standing(result: PropertyResult, verdict: Verdict) -> Cell:
    expected = result in verdict.violations and result not in verdict.failures
    tail, bad = (", as expected", "good") if expected else ("", "bad")
    match result.status:
        case Status.VIOLATED:
            return f"violated {_when(result)}".rstrip() + tail, _tone(bad)
        case Status.UNREACHED:
            return f"no witness in all {_count(verdict.census.states, 'state')}{tail}", _tone(bad)
        case Status.REACHED:
            return f"reached {_when(result)}".rstrip(), "good"
        case Status.UNKNOWN:
            return result.message or "not decided", "warn"
        case Status.HOLDS:
            return _extent(result, verdict), "plain"


def _tone(name: str) -> Tone:
    return "good" if name == "good" else "bad"


def _extent(result: PropertyResult, verdict: Verdict) -> str:
    """Where a property holds, in the words of its kind."""
    census = verdict.census
    match verdict.assurance:
        case Assurance.PROVED:
            return "proved for every size"
        case Assurance.INDUCTIVE:
            return "inductive for this instance"
        case Assurance.BOUNDED:
            return f"not violated to depth {verdict.depth_bound}"
        case Assurance.SAMPLED:
            return "not violated in the runs sampled"
        case Assurance.INCONCLUSIVE:
            return "not violated so far"
        case Assurance.VIOLATED if census.frontier:
            return "not violated so far"
        case Assurance.VIOLATED | Assurance.EXHAUSTIVE if result.kind == "step":
            return f"holds on all {_count(census.transitions, 'step')}"
        case Assurance.VIOLATED | Assurance.EXHAUSTIVE if result.kind == "deadlock":
            return f"none in all {_count(census.states, 'state')}"
        case _:
            return f"holds in all {_count(census.states, 'state')}"


def _actions(verdict: Verdict, look: Look) -> str:
    rows: list[list[Cell]] = [[("action", "soft"), ("taken", "soft"), ("new states", "soft"), ("", "plain")]]
    for a in verdict.census.actions:
        never = "never taken" if verdict.assurance is Assurance.EXHAUSTIVE else "not taken"
        dead: Cell = (never, "warn") if a.taken == 0 else ("", "plain")
        rows.append([(printable(a.name), "plain"), (f"{a.taken:,}", "plain"), (f"{a.discovered:,}", "plain"), dead])
    return table(rows, look, right=frozenset({1, 2}))


def _remarks(verdict: Verdict, look: Look) -> Iterator[str]:
    """Plain sentences on what limits the verdict: bounds met, implications never tested, expectations."""
    stopped = verdict.assurance is Assurance.VIOLATED  # the run shown is real, whatever was cut off
    for name, count in verdict.census.bounds:
        if count and not stopped:
            yield from _remark(_bound(name, count, verdict), look, "warn")
    for clause in verdict.census.vacuous:
        at = f" ({_at(clause.place)})" if clause.place else ""
        yield from _remark(f"never tested: the left side of `{clause.text}` was never true{at}", look, "warn")
    violated = {p.name for p in verdict.violations}
    for expectation in verdict.expectations:
        if expectation.met and expectation.about in violated:  # its story says "as expected"
            continue
        tone: Tone = "plain" if expectation.met else "warn" if expectation.met is None else "bad"
        yield from _remark(_expectation(expectation), look, tone)
    for note in verdict.notes:
        yield from _remark(note, look, "plain")


def _remark(text: str, look: Look, tone: Tone) -> Iterator[str]:
    for line in wrap(printable(text), look.width - 2, indent=2):
        yield "  " + look.paint(line, tone)


def _bound(name: str, count: int, verdict: Verdict) -> str:
    where = f"cut off steps in {_count(count, 'state')}"
    order = name.removeprefix("end of ")
    if order == name:
        return f"the limit {name} {where}; runs with more are not covered"
    size = dict(verdict.sizes).get(order)
    reach = f"; runs that need more than {size} are not covered" if size else ""
    return f"stepping past the end of {order} {where}{reach}"


def _expectation(expectation: Expectation) -> str:
    what = "met" if expectation.met else "cannot be told" if expectation.met is None else "not met"
    found = f" (found: {expectation.found})" if expectation.found and not expectation.met else ""
    return f"expect {expectation.text.removeprefix('expect ')}: {what}{found}"


def _numbers(verdict: Verdict) -> str:
    census, parts = verdict.census, [f"engine {verdict.engine}"]
    if census.states:
        parts.append(_count(census.states, "state"))
        parts.append(_count(census.transitions, "step"))
    if verdict.seed is not None:
        parts.append(f"seed {verdict.seed}")
    parts.append(seconds(verdict.seconds))
    return "  " + printable(", ".join(parts))


def seconds(duration: float) -> str:
    """A duration in words of fitting grain: `0.04 s`, `1.2 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if duration < 0.005:
        return "<0.01 s"
    if duration < 9.95:
        return f"{duration:.2f} s" if duration < 0.995 else f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    if minutes == 0:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
