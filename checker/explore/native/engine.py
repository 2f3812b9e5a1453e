"""The native engine: generates a program for a problem, has it compiled, searches, and gives back Python values.

It shows no run that it did not get from the search, and claims nothing of states that did not fit: a program whose
lists are too short is generated again with longer ones.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from checker.explore.interpreter import State
from checker.explore.native.build import BuildError, Compilation, Work, build, kept
from checker.explore.native.emit import Generated, generate
from checker.explore.native.library import Library, Outcome, OutOfMemory, Search, Settings
from checker.explore.native.shapes import Unsupported
from checker.explore.native.unfold import unfold
from checker.explore.problem import Options, Problem
from checker.explore.search import DEADLOCK, FAULT, Answer, End, Found, Progress, memory_used

FIRST_ROOM, MOST_ROOM = 16, 4096
"""How many items lists may hold at first, and at most."""

QUICK, THOROUGH = "-Og", "-O3"
"""How hard the compiler tries before a search begins, and while one runs. With `-Og` it takes two thirds of the time
that it takes with `-O1`, and the code is a quarter slower."""

PATIENCE = 1.5e-5
"""Seconds of searching, for each character of the program, after which better code is worth compiling: as long as the
compiler takes for it, so that what is tried in vain never costs more than the search has."""

_EVERY = 0.1  # seconds between looks at a running search

_ENDS = {
    Outcome.COMPLETE: End.COMPLETE,
    Outcome.FOUND: End.FOUND,
    Outcome.DEPTH: End.DEPTH,
    Outcome.TIME: End.TIME,
    Outcome.MEMORY: End.MEMORY,
    Outcome.INTERRUPTED: End.INTERRUPTED,
}


class Unavailable(Exception):
    """The native engine cannot answer, for a reason given in one clause."""


def explore(problem: Problem, options: Options, progress: Callable[[Progress], None] | None = None) -> Answer:
    """Answers a problem with compiled code on all cores.

    Raises Unavailable where there is no compiler or something is beyond this engine, and SpecError where an initial
    value has no meaning.
    """
    start = time.monotonic()
    room = FIRST_ROOM
    while room <= MOST_ROOM:
        try:
            program = generate(problem, room, {}, options.symmetry and not problem.exact)
            work = Work(program.text, ("HASH_COMPACT",) if options.hash_compact else (), THOROUGH)
            library, better = _libraries(work)
        except (Unsupported, BuildError) as reason:
            raise Unavailable(str(reason)) from None
        except KeyboardInterrupt:
            return _nothing(problem, End.INTERRUPTED)
        answer = _search(problem, options, program, library, _Watch(progress, start, better))
        if answer is not None:
            return replace(answer, seconds=time.monotonic() - start)
        room *= 2
    raise Unavailable(f"a collection may have more than {MOST_ROOM} items")


def _libraries(work: Work) -> tuple[Library, Work | None]:
    """The best code that is there at once or soon, and what to do for better code, if there can be any."""
    found = kept(work)
    if found is not None:
        return Library(found), None
    return Library(build(replace(work, level=QUICK))), work


@dataclass
class _Watch:
    """What is done now and then while a search runs: progress is passed on, and a search that takes its time goes on
    with better code, which is compiled meanwhile. `start`: when the engine began."""

    progress: Callable[[Progress], None] | None
    start: float
    better: Work | None
    compilation: Compilation | None = None

    def look(self, search: Search) -> None:
        counts = search.counts()
        if self.progress is not None:
            waiting, seconds = counts.states - counts.expanded, time.monotonic() - self.start
            self.progress(Progress(counts.states, counts.transitions, counts.depth, waiting, seconds))
        if self.better is not None and counts.seconds > PATIENCE * len(self.better.source):
            with suppress(BuildError):  # the code in hand is as right, and only slower
                self.compilation = Compilation(self.better)
            self.better = None
        if self.compilation is not None and self.compilation.done:
            made = self.compilation.library()
            if made is not None:
                search.adopt(Library(made))
            self.close()

    def close(self) -> None:
        if self.compilation is not None:
            self.compilation.close()
        self.compilation = None


def _search(problem: Problem, options: Options, program: Generated, library: Library, watch: _Watch) -> Answer | None:
    """One search with one program; None if its lists are too short."""
    try:
        search = library.search(_settings(problem, options, watch.start))
    except OutOfMemory:
        return _nothing(problem, End.MEMORY)
    try:
        outcome = search.run(lambda: watch.look(search), _EVERY)
        return None if outcome is Outcome.CAPACITY else _answer(problem, program, library, search, outcome)
    finally:
        watch.close()
        search.close()


def _settings(problem: Problem, options: Options, start: float) -> Settings:
    stop_on = [DEADLOCK in problem.stop_on, FAULT in problem.stop_on]
    stop_on += [i in problem.stop_on for i in range(len(problem.goals))]
    memory = None if options.memory is None else max(1, options.memory - memory_used())
    seconds = None if options.timeout is None else max(1e-3, options.timeout - (time.monotonic() - start))
    return Settings(options.threads or os.cpu_count() or 1, stop_on, options.depth, memory, seconds)


def _nothing(problem: Problem, end: End) -> Answer:
    """The answer of a search that ended before it began."""
    none = (0,) * len(problem.interpreter.spec.actions)
    return Answer(end, 0, 0, 0, 0, none, none, (), ())


def _answer(problem: Problem, program: Generated, library: Library, search: Search, outcome: Outcome) -> Answer:
    counts = search.counts()
    taken, discovered, bounds = search.by_action()
    actions = len(problem.interpreter.spec.actions)
    named = zip(program.bounds, bounds, strict=True)
    return Answer(
        _ENDS[outcome],
        counts.states,
        counts.transitions,
        counts.depth,
        counts.states - counts.expanded,
        tuple(taken[:actions]),
        tuple(discovered[:actions]),
        tuple(sorted((name, count) for name, count in named if count)),
        _found(problem, program, library, search),
        notes=tuple(_notes(search)),
        symmetry=tuple(sort.name for sort in program.sorts),
    )


def _notes(search: Search) -> Iterator[str]:
    """What a reader of the counts has to know."""
    if (loss := search.expected_loss) > 0:
        yield f"states were told apart by 64-bit hashes: {loss:.1g} of them are lost, as far as can be expected"


def _found(problem: Problem, program: Generated, library: Library, search: Search) -> tuple[Found, ...]:
    """Everything found, with its run in Python values; a probe needs none."""
    subjects = [DEADLOCK, FAULT, *range(len(problem.goals))]
    found = []
    for number, subject in enumerate(subjects):
        finding = search.finding(number)
        if finding is None or (subject == DEADLOCK and not problem.deadlock):
            continue
        if subject >= 0 and problem.goals[subject].kind == "probe":
            found.append(Found(subject, ()))
            continue
        depth, is_step = finding
        packed = search.run_to(number, depth + 1 + is_step)
        if program.sorts:
            # The state after a step that breaks a step property is told as it was met, and is not canonical yet.
            forms = [library.canonical(state) for state in packed]
            run = unfold(problem, subject, is_step, forms, lambda state: _canonical(program, library, state))
        else:
            run = tuple(_state(program, state) for state in packed)
        found.append(Found(subject, run))
    return tuple(sorted(found, key=lambda each: (len(each.run), each.subject)))


def _state(program: Generated, packed: bytes) -> State:
    """A packed state as the interpreter has it: the variables, then the number of the world."""
    values = program.layout.decode(packed)
    return values if program.has_world else (*values, 0)


def _canonical(program: Generated, library: Library, state: State) -> bytes | None:
    try:
        packed = program.layout.encode(state if program.has_world else state[:-1])
    except ValueError:  # a list has no room for it, so the search did not come here
        return None
    return library.canonical(packed)
