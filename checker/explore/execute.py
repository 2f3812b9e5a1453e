"""The meaning of statements: a body runs from top to bottom on a copy of the state, as one atomic step.

It knows one step at a time: which bodies there are and what becomes of their ends is the interpreter's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from checker.explore.domains import Value
from checker.explore.evaluate import PICKS, Env, Eval, Evaluator, State
from checker.explore.faults import CutOff, Fault
from checker.language import ir

# The state while a body runs; a step begins with a copy and changes it in place.
Work: TypeAlias = list[Value]

# One way a body may end: the new state with the names bound on the way, or what stopped it.
End: TypeAlias = tuple[Work, Env] | CutOff | Fault


@dataclass(frozen=True)
class Straight:
    """A statement that goes on in one way: returns False if the step does not happen; raises CutOff and Fault."""

    run: Callable[[Work, Env], bool]


@dataclass(frozen=True)
class Branching:
    """A statement that may go on in several ways, because there is a `pick` in it; raises nothing."""

    run: Callable[[Work, Env], Iterator[End]]


Code: TypeAlias = Straight | Branching


class Executor:
    """Makes code from the statements of one spec."""

    def __init__(self, evaluator: Evaluator, variables: Sequence[ir.VariableDecl]) -> None:
        self._evaluator = evaluator
        self._index = {variable.name: i for i, variable in enumerate(variables)}
        self._types = {variable.name: variable.type for variable in variables}
        self._procedures = {p.name: p for p in evaluator.spec.procedures}
        self._bodies: dict[str, Code] = {}

    def block(self, statements: Sequence[ir.Statement]) -> Code:
        """The code that runs the statements one after the other."""
        codes = [self._statement(statement) for statement in statements]
        straight = [code.run for code in codes if isinstance(code, Straight)]
        if len(straight) < len(codes):
            return Branching(lambda s, e: _walk(codes, 0, s, e))

        def run(s: Work, e: Env) -> bool:
            for each in straight:  # noqa: SIM110
                if not each(s, e):
                    return False
            return True

        return Straight(run)

    def _statement(self, statement: ir.Statement) -> Code:
        compiled = self._evaluator.compile
        match statement:
            case ir.Require(condition=condition):
                return Straight(compiled(condition))
            case ir.Within(condition=condition, bound=bound):
                return _within(compiled(condition), CutOff(bound, statement.span))
            case ir.Let(binder=binder, value=value):
                return _let(binder.uid, compiled(value))
            case ir.Pick():
                return self._pick(statement)
            case ir.Assign():
                return self._assign(statement)
            case ir.Choice(branches=branches, otherwise=otherwise):
                return _choice([(compiled(test), self.block(body)) for test, body in branches], self.block(otherwise))
            case ir.Invoke(procedure=name, arguments=arguments):
                return self._invoke(name, [compiled(argument) for argument in arguments])
            case _:
                assert_never(statement)

    def _assign(self, statement: ir.Assign) -> Code:
        index, value = self._index[statement.variable], self._evaluator.compile(statement.value)
        outside = self._evaluator.domains.outside(self._types[statement.variable])

        def assign(s: Work, e: Env) -> bool:
            s[index] = value(s, e)
            return True

        def assign_inside(s: Work, e: Env) -> bool:
            new = value(s, e)
            if found := outside and outside(new):
                raise range_fault(statement.variable, found, statement)
            s[index] = new
            return True

        return Straight(assign_inside if outside else assign)

    def _pick(self, statement: ir.Pick) -> Code:
        binder = statement.binder
        choices = self._evaluator.choices(binder)
        where = None if statement.where is None else self._evaluator.compile(statement.where)

        def pick(s: Work, e: Env) -> Iterator[End]:
            try:
                values = choices(s, e)
            except (CutOff, Fault) as stop:
                yield stop
                return
            for value in values:
                # Each choice goes on with names of its own, for a procedure run later may bind the same ones again.
                mine = {**e, binder.uid: value, PICKS: (*e.get(PICKS, ()), (binder, value))}
                try:
                    if where is None or where(s, mine):
                        yield list(s), mine
                except (CutOff, Fault) as stop:
                    yield stop

        return Branching(pick)

    def _invoke(self, name: str, arguments: list[Eval]) -> Code:
        uids = [parameter.uid for parameter in self._procedures[name].parameters]
        body = self._bodies.get(name)
        if body is None:
            body = self._bodies[name] = self.block(self._procedures[name].body)

        def bind(s: Work, e: Env) -> None:
            given = [argument(s, e) for argument in arguments]
            for uid, value in zip(uids, given, strict=True):
                e[uid] = value

        return preceded(bind, body)


def preceded(first: Callable[[Work, Env], None], code: Code) -> Code:
    """The code, with something that is done at its beginning and may be cut off or faulty."""
    if isinstance(code, Straight):
        straight = code.run

        def run(s: Work, e: Env) -> bool:
            first(s, e)
            return straight(s, e)

        return Straight(run)
    branching = code.run

    def branches(s: Work, e: Env) -> Iterator[End]:
        try:
            first(s, e)
        except (CutOff, Fault) as stop:
            yield stop
            return
        yield from branching(s, e)

    return Branching(branches)


def ends(code: Code, s: Work, e: Env) -> Iterator[End]:
    """All ways in which the code may end, starting with this state and these names."""
    return _walk([code], 0, s, e)


def _walk(codes: Sequence[Code], i: int, s: Work, e: Env) -> Iterator[End]:
    while i < len(codes):
        code, i = codes[i], i + 1
        if isinstance(code, Branching):
            for end in code.run(s, e):
                if isinstance(end, tuple):
                    yield from _walk(codes, i, *end)
                else:
                    yield end
            return
        try:
            if not code.run(s, e):
                return
        except (CutOff, Fault) as stop:
            yield stop
            return
    yield s, e


def _within(condition: Callable[[State, Env], bool], cut: CutOff) -> Code:
    def within(s: Work, e: Env) -> bool:
        if not condition(s, e):
            raise CutOff(cut.bound, cut.span)
        return True

    return Straight(within)


def _let(uid: int, value: Eval) -> Code:
    def let(s: Work, e: Env) -> bool:
        e[uid] = value(s, e)
        return True

    return Straight(let)


def _choice(branches: list[tuple[Eval, Code]], otherwise: Code) -> Code:
    def chosen(s: Work, e: Env) -> Code:
        return next((body for test, body in branches if test(s, e)), otherwise)

    if isinstance(otherwise, Straight) and all(isinstance(body, Straight) for _, body in branches):

        def run(s: Work, e: Env) -> bool:
            body = chosen(s, e)
            assert isinstance(body, Straight)
            return body.run(s, e)

        return Straight(run)

    def branch(s: Work, e: Env) -> Iterator[End]:
        try:
            body = chosen(s, e)
        except (CutOff, Fault) as stop:
            yield stop
            return
        yield from ends(body, s, e)

    return Branching(branch)


def range_fault(name: str, found: tuple[int, int, int], at: ir.Assign | ir.VariableDecl | ir.ConstantDecl) -> Fault:
    """The fault of a value that holds an integer outside its range."""
    value, low, high = found
    what = "range " + (f"{low}..{high}" if low <= high else f"{low}..{high}, which is empty")
    return Fault("Q0609", f"`{name}` would get {value}, which is outside its {what}", at.span, "range")
