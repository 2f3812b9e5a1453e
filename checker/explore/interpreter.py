"""The reference explorer's view of a spec: its initial states, steps and properties, on plain Python values.

This is what a spec means on a finite instance; all other engines are measured against it. It never searches.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from checker.explore.domains import Domains, Value
from checker.explore.evaluate import OLD, PICKS, Env, Eval, Evaluator
from checker.explore.execute import Code, Executor, Straight, ends, range_fault
from checker.explore.faults import CutOff, Fault
from checker.explore.instance import Instance
from checker.explore.search import Expansion
from checker.language import ir
from checker.language.forms import Forms
from checker.source import SpecError

# The values of `spec.variables`, in order, then the number of the world: which of the instance's interpretations of
# the constants holds.
State: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True)
class Taken:
    """One step: the action by its number, its choices (parameters, then picks in order of choosing), where it leads."""

    action: int
    choices: tuple[tuple[ir.Binder, Value], ...]
    state: State


@dataclass(frozen=True)
class Failed:
    """A step that has no meaning: the action by its number, the parameters chosen so far, and what was undefined."""

    action: int
    choices: tuple[tuple[ir.Binder, Value], ...]
    fault: Fault


# How a step ends: the new state, or what stopped it.
_Out: TypeAlias = list[Value] | CutOff | Fault

# Told of each way in which an action, by its number, ends, with the names bound on the way.
_Emit: TypeAlias = Callable[[int, _Out, Env], None]

# How many answers about a clause are kept for reuse.
_REMEMBERED = 1 << 14

# Runs an action from a state for each choice of its parameters.
_Enter: TypeAlias = Callable[[State, Env, _Emit], None]


class Interpreter:
    """The spec of an instance as a model of `search`. `spec` is what `finite.for_instance` made of the file's."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.spec = instance.spec
        self._world = len(self.spec.variables)
        self._forms = Forms(self.spec)
        machines: dict[int, Machine] = {}
        for world in instance.worlds:
            if id(world.domains) not in machines:
                machines[id(world.domains)] = self._compiled(world.domains)
        self._machines = [machines[id(world.domains)] for world in instance.worlds]

    def _compiled(self, domains: Domains) -> Machine:
        """The spec compiled for these domains."""
        evaluator = Evaluator(domains, reads(self.instance))
        return Machine(self.spec, evaluator, Executor(evaluator, self.spec.variables))

    # --- the model ----------------------------------------------------------------------------------

    def initial(self) -> Iterator[State]:
        """All initial states, those of each world in turn. Raises SpecError where an initial value has no meaning."""
        for world, machine in enumerate(self._machines):
            yield from machine.initial(world)

    def expand(self, state: State) -> Expansion:
        """All steps from a state, in order of the actions and of their choices."""
        return self.machine(state).expand(state)

    def may_stop(self, state: State) -> bool:
        """Whether some `terminal` property holds. Raises Fault."""
        terminal = [p for p in self.spec.properties if p.kind == "terminal"]
        return any(self.holds(p.clauses, state) for p in terminal)

    # --- single questions ---------------------------------------------------------------------------

    def steps(self, state: State) -> Iterator[Taken | CutOff | Failed]:
        """As `expand`, with the choices of each step, and with what stopped a step in its place."""
        return self.machine(state).labelled(state)

    def evaluate(self, expr: ir.Expr, state: State, names: Env | None = None, old: State | None = None) -> Any:
        """The value of an expression in a state, for these bound names. Raises Fault."""
        return self.machine(state).clause(expr)(state, {**(names or {}), OLD: old})

    def choices(self, binder: ir.Binder, state: State, names: Env, old: State | None = None) -> Sequence[Value]:
        """What a binder ranges over in a state. Raises Fault."""
        values: Sequence[Value] = self.machine(state).choices(binder)(state, {**names, OLD: old})
        return values

    def holds(self, clauses: Sequence[ir.Expr], state: State, old: State | None = None) -> bool:
        """Whether all clauses are true in a state, of the step from `old` for step properties. Raises Fault."""
        machine, env = self.machine(state), {OLD: old}
        return all(machine.clause(clause)(state, env) for clause in clauses)

    def predicate(self, clauses: Sequence[ir.Expr]) -> Callable[[State], bool]:
        """The conjunction of the clauses as a fast function of the state: what `holds` says, remembered."""
        conjunction = self._conjunction(clauses)
        return lambda state: conjunction(None, state)

    def step_predicate(self, clauses: Sequence[ir.Expr]) -> Callable[[State, State], bool]:
        """The conjunction of the clauses of a `step` property, of a step from one state to another."""
        return self._conjunction(clauses)

    def _conjunction(self, clauses: Sequence[ir.Expr]) -> Callable[[State | None, State], bool]:
        reads = [self._read(clause) for clause in clauses]
        of_machine = {
            id(m): [remembered(m.clause(clause), read) for clause, read in zip(clauses, reads, strict=True)]
            for m in self._machines
        }
        of_world = [of_machine[id(m)] for m in self._machines]

        def all_hold(before: State | None, after: State) -> bool:
            for clause in of_world[after[-1]]:  # noqa: SIM110 (half the time of `all`)
                if not clause(before, after):
                    return False
            return True

        return all_hold

    def _read(self, clause: ir.Expr) -> Callable[[State], Any]:
        """The part of a state that a clause may depend on."""
        names = self._forms.reads(clause)
        places = [i for i, variable in enumerate(self.spec.variables) if variable.name in names]
        return operator.itemgetter(*places, self._world)

    def is_initial(self, state: State) -> bool:
        """Whether a run may begin with the state."""
        return self.machine(state).is_initial(state)

    def world(self, state: State) -> int:
        """The number of the state's world."""
        world: int = state[self._world]
        return world

    def domains(self, state: State) -> Domains:
        """The domains of the state's world."""
        return self.machine(state).domains

    def machine(self, state: State) -> Machine:
        """The spec compiled for the state's world."""
        return self._machines[state[self._world]]


class Machine:
    """The spec compiled for the worlds that share their domains."""

    def __init__(self, spec: ir.Spec, evaluator: Evaluator, executor: Executor) -> None:
        self.spec, self.domains, self.evaluator = spec, evaluator.domains, evaluator
        self.bodies = [executor.block(decl.body) for decl in self.spec.actions]
        self._actions = [self._enter(decl, self.bodies[i], i) for i, decl in enumerate(self.spec.actions)]
        self._clauses: dict[int, tuple[ir.Expr, Eval]] = {}
        self._choices: dict[int, tuple[ir.Binder, Eval]] = {}

    def clause(self, expr: ir.Expr) -> Eval:
        """The closure of a clause of a property, made once."""
        known = self._clauses.get(id(expr))
        if known is None:
            known = self._clauses[id(expr)] = (expr, defined(self.evaluator.compile(expr)))
        return known[1]

    def choices(self, binder: ir.Binder) -> Eval:
        """The closure of what a binder ranges over, made once."""
        known = self._choices.get(id(binder))
        if known is None:
            known = self._choices[id(binder)] = (binder, defined(self.evaluator.choices(binder)))
        return known[1]

    def is_initial(self, state: State) -> bool:
        empty = (*[None] * len(self.spec.variables), state[-1])
        return all(state[i] in self._initial_values(v, empty) for i, v in enumerate(self.spec.variables))

    def initial(self, world: int) -> Iterator[State]:
        empty = (*[None] * len(self.spec.variables), world)
        pools = [self._initial_values(variable, empty) for variable in self.spec.variables]
        for values in itertools.product(*pools):
            yield (*values, world)

    def _initial_values(self, variable: ir.VariableDecl, empty: State) -> Sequence[Value]:
        if variable.initial is None:
            return self.domains.values(variable.type, variable.span)
        try:
            value = defined(self.evaluator.compile(variable.initial))(empty, {})
            outside = self.domains.outside(variable.type)
            if found := outside and outside(value):
                raise range_fault(variable.name, found, variable)
        except Fault as fault:
            raise SpecError([fault.diagnostic]) from None
        return (value,)

    # --- steps --------------------------------------------------------------------------------------

    def expand(self, state: State) -> Expansion:
        steps: list[tuple[int, State]] = []
        stops: list[CutOff | Fault] = []

        def emit(action: int, out: _Out, env: Env) -> None:
            if isinstance(out, list):
                steps.append((action, tuple(out)))
            else:
                stops.append(out)

        for enter in self._actions:
            enter(state, {OLD: state}, emit)
        if not stops:
            return Expansion(steps)
        cut = frozenset(stop.bound for stop in stops if isinstance(stop, CutOff))
        return Expansion(steps, cut, any(isinstance(stop, Fault) for stop in stops))

    def labelled(self, state: State) -> Iterator[Taken | CutOff | Failed]:
        found: list[Taken | CutOff | Failed] = []

        def emit(action: int, out: _Out, env: Env) -> None:
            bound = [binder for binder in self.spec.actions[action].parameters if binder.uid in env]
            choices = tuple((binder, env[binder.uid]) for binder in bound)
            match out:
                case list():
                    found.append(Taken(action, choices + env.get(PICKS, ()), tuple(out)))
                case CutOff():
                    found.append(out)
                case Fault():
                    found.append(Failed(action, choices, out))

        for enter in self._actions:
            enter(state, {OLD: state}, emit)
        return iter(found)

    def _enter(self, decl: ir.ActionDecl, body: Code, number: int) -> _Enter:
        self.evaluator.bearable(decl.parameters, decl.span)
        enter = _run(body, number)
        for binder in reversed(decl.parameters):
            enter = _for_each(binder.uid, self.evaluator.choices(binder), enter, number)
        return enter


def _for_each(uid: int, choices: Eval, inner: _Enter, number: int) -> _Enter:
    def enter(state: State, env: Env, emit: _Emit) -> None:
        try:
            values = choices(state, env)
        except (CutOff, Fault) as stop:
            emit(number, stop, env)
            return
        for value in values:
            env[uid] = value
            inner(state, env, emit)
        env.pop(uid, None)

    return enter


def _run(body: Code, number: int) -> _Enter:
    """Runs the body for one choice of the parameters and hands on how it ends."""
    if isinstance(body, Straight):
        straight = body.run

        def once(state: State, env: Env, emit: _Emit) -> None:
            work = list(state)
            try:
                if straight(work, env):
                    emit(number, work, env)
            except (CutOff, Fault) as stop:
                emit(number, stop, env)

        return once

    def each(state: State, env: Env, emit: _Emit) -> None:
        for end in ends(body, list(state), env):
            if isinstance(end, tuple):
                emit(number, *end)
            else:
                emit(number, end, env)

    return each


def defined(expr: Eval) -> Eval:
    """The expression where no step is taken: going past the end of an order is a fault there."""

    def value(state: Any, env: Env) -> Any:
        try:
            return expr(state, env)
        except CutOff as cut:
            raise cut.fault from None

    return value


def remembered(clause: Eval, read: Callable[[State], Any]) -> Callable[[State | None, State], bool]:
    """The value of a clause in a state, or of a step; asked only once of what `read` takes from the states.

    Most steps change little of what most clauses read. What is kept is bounded.
    """
    known: dict[Any, bool] = {}

    def value(before: State | None, after: State) -> bool:
        what = read(after) if before is None else (read(before), read(after))
        answer = known.get(what)
        if answer is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            answer = known[what] = clause(after, {OLD: before})
        return answer

    return value


def reads(instance: Instance) -> Mapping[str, Eval]:
    """How each variable and constant is read from a state."""
    world, worlds = len(instance.spec.variables), [w.constants for w in instance.worlds]
    found: dict[str, Eval] = {}
    for i, variable in enumerate(instance.spec.variables):
        found[variable.name] = lambda s, e, i=i: s[i]  # type: ignore[misc]
    for constant in instance.spec.constants:
        found[constant.name] = lambda s, e, name=constant.name: worlds[s[world]][name]  # type: ignore[misc]
    return found
