"""Is a recorded run a behaviour of a spec? The run is followed step by step, with all states that it may be in.

What the trace leaves open (variables, parameters, messages, events that are missing) is filled in by trying; so one
event may lead to several states, and the run conforms if one of them accepts all that follows.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from checker.conform.compare import Comparison, Sent, consumed
from checker.conform.driver import Blocked, Done, Driver
from checker.conform.events import Header, Trace, open_trace
from checker.conform.explain import explain
from checker.conform.mapping import Renaming
from checker.conform.messages import Hypothesis, Messages
from checker.conform.order import Node, in_order
from checker.conform.steps import Candidate, Meaning, Seen, picks, taken
from checker.conform.survey import Survey, bare, instance, openended, survey
from checker.conform.values import Reader, named
from checker.explore.domains import Value
from checker.explore.faults import CutOff
from checker.explore.interpreter import State
from checker.explore.replay import Teller
from checker.language import ir
from checker.language import types as ty
from checker.language.rounds import NEXT_ROUND
from checker.source import Diagnostic, SpecError, did_you_mean
from checker.verdict import Conformance, Conforms, EventAtFault, Obstacle
from checker.verdict import Trace as Run

_MOST_TRIED = 1000
"""How many attempts that failed are kept, to be explained."""

_MOST_SHOWN = 100
"""How many messages of a kind are shown of a state at most, if most of them are from before."""

_MOST_SLACK = 1 << 12
"""How far an order grows beyond what the trace names, where a step goes past its end."""

_MOST_UNNAMED = 8
"""How many elements there are beyond those that the trace names, where it does not say which one was chosen."""

_Attempt: TypeAlias = tuple[State, Done | Blocked]
"""A step that was tried, from a state."""

_Ends: TypeAlias = tuple[tuple[ty.Type, Value], ...]

Progress = Callable[[int, int], None]
"""Told of how many events are accepted, of how many."""


@dataclass(frozen=True)
class Options:
    """How far to search: states that are held at once, and seconds in all. `overrides` are sizes and constants."""

    most_states: int = 10_000
    timeout: float | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)


def conform(
    spec: ir.Spec,
    files: Sequence[str],
    renaming: Renaming | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Conformance:
    """Whether the events of these files are a behaviour of the spec. Raises SpecError for files that make no sense."""
    began = time.monotonic()
    options = options or Options()
    renaming = renaming or Renaming()
    trace = open_trace(files)
    header = renaming.header(trace.header)
    if header.spec is not None and header.spec != spec.name:
        message = f"the trace is of `{header.spec}`, and the spec is `{spec.name}`"
        raise SpecError([Diagnostic("Q1005", message, hint="name the spec that the trace is of")])
    spec = bare(spec)
    found = survey(spec, trace, header, renaming)
    deadline = None if options.timeout is None else began + options.timeout
    open_sorts = openended(spec, found.names)
    growing = {*open_sorts, *(o.name for o in spec.orders)} - found.names.closed - options.overrides.keys()
    slack = dict.fromkeys(sorted(growing), 0)
    while True:
        driver = Driver(instance(spec, header, found, slack, options.overrides))
        task = _Task(driver, trace, header, renaming, found, options, deadline, progress, frozenset(slack))
        run = task.follow(eager=False)
        if run.fault is not None and run.held_back:
            run = task.follow(eager=True)
        grown = _grown(run, slack)
        if run.fault is None or run.cut or not grown:
            trace.check_unchanged()
            return replace(run.told(), seconds=time.monotonic() - began)
        slack |= grown  # a larger instance may have the step that is missing


def _grown(run: _Run, slack: Mapping[str, int]) -> dict[str, int]:
    """More elements for the sorts and orders that may have been too small for the run."""
    grown = {}
    for name in (run.short | run.free) & slack.keys():
        more = max(1, 2 * slack[name])
        if more <= (_MOST_SLACK if name in run.short else _MOST_UNNAMED):
            grown[name] = more
    return grown


class _GivenUp(Exception):
    """The search goes no further; the message says why."""


@dataclass
class _Run:
    """What came of following a trace, up to `here`.

    `short` names the orders whose end was in the way, `free` the sorts and orders of which something was chosen that
    the trace does not tell. `cut`: not all states were kept. `unsettled`: a step was accepted that might have been
    another one, had the events of different nodes been taken in another order.
    """

    task: _Task
    answer: Conforms = Conforms.YES
    accepted: int = 0
    hidden: int = 0
    reason: str = ""
    fault: EventAtFault | None = None
    here: list[Hypothesis] = field(default_factory=list)
    tried: list[_Attempt] = field(default_factory=list)
    held_back: bool = False
    cut: bool = False
    unsettled: bool = False
    short: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)
    actions: Counter[int] = field(default_factory=Counter)

    def told(self) -> Conformance:
        task, spec = self.task, self.task.driver.spec
        names = [(spec.actions[i].qualified, n) for i, n in sorted(self.actions.items())]
        return Conformance(
            spec.name,
            task.trace.files,
            self.answer,
            task.found.events,
            self.accepted,
            self.here[0].steps,
            task.driver.instance.sizes,
            tuple(names),
            self.fault,
            self._story(),
            self.here[0].steps - len(self.here[0].past),
            tuple(self._notes()),
            self.reason,
        )

    def _story(self) -> Run | None:
        last = self.here[0].past
        if not last or self.answer is Conforms.YES:
            return None
        driver = self.task.driver
        states = [before for before, _ in last]
        teller = Teller(driver, states[0])
        steps = tuple(teller.step(before, done.taken) for before, done in last)
        states.append(last[-1][1].taken.state)
        world = driver.world(states[0])
        constants = tuple((name, teller.constant(name, value)) for name, value in driver.instance.constants(world))
        return Run(teller.variables, tuple(map(teller.state, _without_old(states, last))), steps, constants)

    def _notes(self) -> Iterator[str]:
        if self.hidden:
            yield f"{self.hidden} steps that the trace does not have were filled in"
        if self.answer is Conforms.NO and self.task.hidden:
            names = ", ".join(self.task.driver.spec.actions[i].qualified for i in self.task.hidden)
            most = self.task.renaming.most_hidden
            yield f"with at most {most} hidden step{'s' * (most != 1)} ({names}) before each event"
        if self.answer is Conforms.NO and (free := sorted(self.free & self.task.growing)):
            yield f"with at most {_MOST_UNNAMED} elements of {', '.join(free)} that the trace does not name"


class _Task:
    def __init__(
        self,
        driver: Driver,
        trace: Trace,
        header: Header,
        renaming: Renaming,
        found: Survey,
        options: Options,
        deadline: float | None,
        progress: Progress | None,
        growing: Set[str],
    ) -> None:
        self.driver, self.trace, self.header, self.renaming = driver, trace, header, renaming
        self.found, self.options, self.deadline, self.progress = found, options, deadline, progress
        self.reader = Reader(driver.spec, found.names, driver.instance.worlds[0].domains)
        self.hidden = [self._hidden(name) for name in renaming.hidden]
        self.next_round = next((i for i, a in enumerate(driver.spec.actions) if a.qualified == NEXT_ROUND), None)
        self.growing = growing
        self.choices = [list(self._choices(action)) for action in driver.spec.actions]

    def _hidden(self, name: str) -> int:
        names = [action.qualified for action in self.driver.spec.actions]
        if name not in names:
            hint = did_you_mean(name, names) or f"its actions are {', '.join(names)}"
            raise SpecError(
                [Diagnostic("Q1004", f"`hidden` names `{name}`, which is no action of the spec", hint=hint)]
            )
        return names.index(name)

    def _choices(self, action: ir.ActionDecl) -> Iterator[tuple[int | str, frozenset[str]]]:
        """What the action chooses from all there is, where that may grow: parameters by uid, what it picks by name."""
        chosen: list[tuple[int | str, ir.Binder]] = [(b.uid, b) for b in action.parameters]
        chosen += [(b.name, b) for b in picks(self.driver.spec, action.body)]
        for key, binder in chosen[action.role is not None :]:
            names = named(binder.type) & self.growing
            if binder.domain is None and names:
                yield key, names

    # --- following ----------------------------------------------------------------------------------

    def follow(self, eager: bool) -> _Run:
        """Follows the trace. Unless `eager`, steps that it does not have are tried only where an event needs them."""
        run = _Run(self)
        try:
            return self._follow(run, eager)
        except _GivenUp as end:
            return self._give_up(run, str(end))
        except KeyboardInterrupt:
            return self._give_up(run, "interrupted")

    def _follow(self, run: _Run, eager: bool) -> _Run:
        meaning = Meaning(self.driver.spec, self.header, self.reader)
        states = list(self.driver.initial())
        self.comparison = Comparison(self.driver, meaning, states[0])
        # What the trace does not have may take any message.
        forgets = not self.hidden and not self.found.seq
        self.messages = Messages(self.driver, meaning, self.header, self.found, forgets)
        run.here = [Hypothesis(state) for state in states]
        late: dict[Node, deque[Seen]] = {}  # events that may have come after others that were read later, by node
        for event, awaited in in_order(self.trace, self.renaming, self.found.sent, self.found.after):
            seen = meaning.seen(event)
            if awaited:
                return self._fail(run, seen, (self._circle(seen, awaited),))
            if event.node in late:
                late[event.node].append(seen)
            elif not _waits(seen, late) and self._take(run, seen, eager):
                self._catch_up(run, late, eager)
            elif late or self._may_come_later(run, seen):
                late[event.node] = deque([seen])
            else:
                return self._fail(run, seen, self._why(run, seen))
        if late:
            seen = next(iter(late.values()))[0]
            self._take(run, seen, eager)
            return self._fail(run, seen, self._why(run, seen))
        return run

    def _catch_up(self, run: _Run, late: dict[Node, deque[Seen]], eager: bool) -> None:
        """Takes what was late and can be taken now."""
        waiting = -1
        while waiting != sum(map(len, late.values())):
            waiting = sum(map(len, late.values()))
            for node, queue in list(late.items()):
                while queue and not _waits(queue[0], late) and self._take(run, queue[0], eager):
                    queue.popleft()
                if not queue:
                    del late[node]

    def _take(self, run: _Run, seen: Seen, eager: bool) -> bool:
        """Goes on by an event, if it can."""
        self._in_time()
        if self.progress is not None and run.accepted % 100 == 0:
            self.progress(run.accepted, self.found.events)
        following, run.tried = self._accept(run, seen, eager)
        if not following:
            return False
        if len(following) > self.options.most_states:
            raise _GivenUp(self._too_many())
        before = {id(hypothesis.past[-1]) for hypothesis in run.here if hypothesis.past}
        for step in following[0].past[-1:]:
            run.actions[step[1].taken.action] += id(step) not in before
        run.here = self.messages.remember(seen, following)
        run.accepted += 1
        return True

    def _why(self, run: _Run, seen: Seen) -> tuple[Obstacle, ...]:
        return explain(
            self.comparison, seen, [h.state for h in run.here], run.tried, self.messages.known(run.here, seen)
        )

    def _in_time(self) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise _GivenUp("out of time")

    def _too_many(self) -> str:
        return f"the trace leaves open more than {self.options.most_states:,} states"

    def _give_up(self, run: _Run, reason: str) -> _Run:
        run.answer, run.reason = Conforms.UNKNOWN, f"{reason}, after {run.accepted:,} of {self.found.events:,} events"
        return run

    def _accept(self, run: _Run, seen: Seen, eager: bool) -> tuple[list[Hypothesis], list[_Attempt]]:
        """Where the event may lead, and if that is nowhere, what was tried."""
        may_hide = bool(self.hidden) or seen.missing > 0
        found, tried = ([], []) if may_hide and eager else self._in_round(run, run.here, seen)
        if not may_hide or found:
            run.held_back = run.held_back or may_hide
            return found, tried
        wider = self._closure(run, seen)
        found, more = self._in_round(run, wider, seen)
        run.unsettled |= self.found.open_order
        run.hidden += bool(found) and not eager
        return found, tried or more

    def _in_round(self, run: _Run, here: Sequence[Hypothesis], seen: Seen) -> tuple[list[Hypothesis], list[_Attempt]]:
        """As `_direct`; where all nodes go through rounds together, this round or if need be the next one."""
        if self.next_round is None:
            return self._direct(run, here, seen)
        found: list[Hypothesis] = []
        tried: list[_Attempt] = []
        for hypothesis in here:
            now, failed = self._direct(run, [hypothesis], seen)
            if not now:
                later = list(self._next_round(run, hypothesis, self.next_round))
                now, more = self._direct(run, later, seen)
                failed += more
            found += now
            tried += failed[: _MOST_TRIED - len(tried)]
        return list(dict.fromkeys(found)), tried

    def _next_round(self, run: _Run, hypothesis: Hypothesis, number: int) -> Iterator[Hypothesis]:
        """What follows when the round ends, and with it what may be lost of its messages: nobody writes that down."""
        while lost := next(self._losses(run, hypothesis), None):
            hypothesis, _ = lost
        for step in self._attempt(run, hypothesis.state, Candidate(number, {}), {}):
            if isinstance(step, Done):
                yield hypothesis.after(step, hypothesis.bound)

    def _direct(self, run: _Run, here: Sequence[Hypothesis], seen: Seen) -> tuple[list[Hypothesis], list[_Attempt]]:
        found: list[Hypothesis] = []
        tried: list[_Attempt] = []
        for hypothesis in self._after_losses(run, here, seen):
            if seen.idle and self.comparison.unchanged(seen, hypothesis.state):
                found.append(hypothesis)
            for candidate, given in self.messages.candidates(hypothesis, seen):
                for result in self._attempt(run, hypothesis.state, candidate, given):
                    if isinstance(result, Done):
                        sent = self.comparison.sent(hypothesis.state, result)
                        if self.comparison.fits(seen, hypothesis.state, result, sent):
                            run.unsettled = run.unsettled or self._is_unsettled(seen, hypothesis.state, result, sent)
                            found.append(self.messages.after(hypothesis, seen, result, sent))
                            continue
                    if len(tried) < _MOST_TRIED:
                        tried.append((hypothesis.state, result))
        return found if len(found) < 2 else list(dict.fromkeys(found)), tried

    def _losses(self, run: _Run, hypothesis: Hypothesis) -> Iterator[tuple[Hypothesis, _Ends]]:
        """What follows when the network loses a message, and from whom it was to whom."""
        for number, action in enumerate(self.driver.spec.actions):
            if action.kind == "lose":
                for step in self._attempt(run, hypothesis.state, Candidate(number, {}), {}):
                    if isinstance(step, Done) and (lost := consumed(action, step)) is not None:
                        layout = self.reader.fields(ty.Message(lost[0]))
                        ends = tuple((type_, end) for (_, type_), end in zip(layout[-2:], lost[1][-2:], strict=True))
                        yield hypothesis.after(step, hypothesis.bound), ends

    def _after_losses(self, run: _Run, here: Sequence[Hypothesis], seen: Seen) -> Sequence[Hypothesis]:
        """Besides these, what follows when a queue to the node loses messages that come before another one."""
        network, actions = self.driver.spec.network, self.driver.spec.actions
        if seen.node is None or network is None or not (network.kind == "fifo" and network.lossy):
            return here
        if not any(actions[candidate.action].kind == "on" for candidate in seen.candidates):
            return here
        role, number = seen.node
        receiver = (self.comparison.meaning.roles[role], number)
        found = list(here)
        for hypothesis in here:
            edge = [(lost, ends) for lost, ends in self._losses(run, hypothesis) if ends[-1] == receiver]
            while edge:
                lost, queue = edge.pop()
                found.append(lost)
                edge += [(more, ends) for more, ends in self._losses(run, lost) if ends == queue]
        return found

    def _attempt(
        self, run: _Run, state: State, candidate: Candidate, given: Mapping[int, Value]
    ) -> Iterator[Done | Blocked]:
        for key, names in self.choices[candidate.action]:
            if key not in given and key not in candidate.picks:
                run.free |= names
        for result in self.driver.attempt(state, candidate.action, given):
            self._in_time()
            if isinstance(result, Blocked) and isinstance(result.stop, CutOff):
                run.short.add(result.stop.bound.removeprefix("end of "))
            yield result

    def _is_unsettled(self, seen: Seen, before: State, done: Done, sent: Sent) -> bool:
        """Whether the step might have been another one in another order of the events of different nodes: if it chose
        its message from those there were, or if it is a step at top level, which may look at everything, and did more
        that nodes see than to send what the trace tells anyway."""
        if not self.found.open_order:
            return False
        action, after = self.driver.spec.actions[done.taken.action], done.taken.state
        if taken(action) is not None and not self.messages.are_named(seen):
            return True
        if action.role is not None:
            return False
        told = not sent or (seen.sent is not None and all(pattern.full is not None for _, pattern in seen.sent))
        return not told or action.kind == "lose" or any(
            before[i] != after[i]
            for i, v in enumerate(self.driver.spec.variables)
            if v.role is not None or (v.kind == "network" and not v.name.startswith(("sent ", "flying ")))
        )  # fmt: skip

    # --- steps that the trace does not have -----------------------------------------------------------

    def _closure(self, run: _Run, seen: Seen) -> list[Hypothesis]:
        """The states after at most so many steps that the trace does not have, those before them included."""
        reached = dict.fromkeys(run.here)
        edge = run.here
        most = max(self.renaming.most_hidden if self.hidden else 0, seen.missing)
        for depth in range(most):
            actions = [Candidate(number, given) for number, given in self._unlogged(seen, depth)]
            following: list[Hypothesis] = []
            for hypothesis in edge:
                for candidate in actions:
                    for result in self._attempt(run, hypothesis.state, candidate, candidate.given):
                        if isinstance(result, Blocked):
                            continue
                        new = hypothesis.after(result, hypothesis.bound)
                        if new not in reached:
                            reached[new] = None
                            following.append(new)
                if len(reached) > self.options.most_states:
                    run.cut = True
                    return list(reached)
            if not following:
                break
            edge = following
        return list(reached)

    def _unlogged(self, seen: Seen, depth: int) -> Iterator[tuple[int, Mapping[int, Value]]]:
        """The steps that may have been taken unseen: hidden ones by anyone, and by the node whose events are missing
        any."""
        if depth < self.renaming.most_hidden:
            yield from ((number, {}) for number in self.hidden)
        if depth < seen.missing:
            for number, action in enumerate(self.driver.spec.actions):
                if seen.node is None:
                    if action.role is None:
                        yield number, {}
                elif action.role == seen.node[0]:
                    yield number, {action.parameters[0].uid: seen.node[1]}

    # --- failing ------------------------------------------------------------------------------------

    def _circle(self, seen: Seen, awaited: str) -> Obstacle:
        names = [self.driver.spec.actions[c.action].qualified for c in seen.candidates]
        said = f"it comes after {awaited}, and that after this event"
        return Obstacle(", ".join(names) or seen.event.action or "no step", "message", differences=(said,))

    def _fail(self, run: _Run, seen: Seen, obstacles: tuple[Obstacle, ...]) -> _Run:
        event = seen.event
        node = None if event.node is None else str(event.node)
        run.fault = EventAtFault(event.where.file, event.where.line, event.where.text, node, event.action, obstacles)
        if run.cut:
            return self._give_up(run, self._too_many())
        run.answer = Conforms.NO
        if self._is_open(run, seen):
            run.answer = Conforms.UNKNOWN
            run.reason = "the trace leaves the order of events open, and not all orders were tried"
        return run

    def _may_come_later(self, run: _Run, seen: Seen) -> bool:
        """Whether it may help to take events of other nodes first."""
        return not self.found.after and self._is_open(run, seen)

    def _is_open(self, run: _Run, seen: Seen) -> bool:
        """Whether the event might have been possible in another order."""
        return run.unsettled or self._depends_on_order(seen)

    def _depends_on_order(self, seen: Seen) -> bool:
        """Whether another order of the events of different nodes might have made the event possible.

        A step of a node reads its own fields and a message that was sent before; so order matters only where an action
        at top level looks at more, where a receipt does not name its message, and where rounds tie all nodes together.
        """
        if not self.found.open_order:
            return False
        actions = [self.driver.spec.actions[c.action] for c in seen.candidates]
        if self.driver.spec.network is not None and self.driver.spec.network.synchronous:
            return bool(actions)
        named_ = self.messages.are_named(seen) or (isinstance(seen.received, str) and self.header.messages)
        return any(a.role is None or (a.kind == "on" and not named_) for a in actions)


def _without_old(states: Sequence[State], steps: Iterable[tuple[State, Done]]) -> list[State]:
    """The states of a few steps without messages that none of these sends or takes, where there are many."""
    used = {value for _, done in steps for _, value in done.taken.choices if isinstance(value, tuple)}
    many = [i for i, value in enumerate(states[0]) if isinstance(value, frozenset) and len(value) > _MOST_SHOWN]
    old = {i: states[0][i] - used for i in many}
    return [tuple(value - old[i] if i in old else value for i, value in enumerate(s)) for s in states]


def _waits(seen: Seen, late: Mapping[Node, Iterable[Seen]]) -> bool:
    """Whether the event comes after something that is late."""
    needs = set(seen.event.needs)
    return bool(needs) and any(
        name in needs for queue in late.values() for each in queue for name, _ in each.sent or ()
    )
