"""One step of a spec as facts and closures: what a control path takes, and the state after it.

The state after a step is never named: its variables are closures over the state before, so that what a path does not
write needs no axiom. Obligations and unrolled runs are both made of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from checker.language import ir
from checker.language.paths import Bound, Check, Choose, Define, Guard, Item, Path, Update
from checker.prove import terms as t
from checker.prove.defined import defined, inside
from checker.prove.evaluate import Environment, Evaluator, Witness
from checker.prove.terms import Term
from checker.prove.values import Unsupported, Value, has_range
from checker.source import Diagnostic, Span, SpecError

DEFINEDNESS = "definedness"
"""Stands for a property's name where what is to be shown is that steps and initial values are defined."""

Kind = Literal["initially", "kept", "derived", "step", "defined", "range"]


@dataclass(frozen=True)
class Fact:
    """Something that may be assumed; `source` names the property it is a clause of, empty for axioms and guards.

    A name holds no line number: it is part of what solvers are told, which shall be the same after an edit elsewhere.
    """

    name: str
    formula: Term
    source: str = ""


@dataclass(frozen=True)
class Condition:
    """Something that a path depends on: that an expression is defined, or that a value is in range (of `owner`)."""

    span: Span
    facts: tuple[Fact, ...]
    formula: Term
    kind: Kind
    owner: str

    @property
    def text(self) -> str:
        return f"line {self.span.line} {'is defined' if self.kind == 'defined' else 'is in range'}"


@dataclass(frozen=True)
class Transition:
    """One path with its parameters made constants: what it takes, and the state after it.

    A step past the end of an order does not happen, so that this too is among the guards.
    """

    path: Path
    guards: tuple[Fact, ...]
    after: Environment
    checks: tuple[Condition, ...]


class placed:
    """Turns what proofs do not reach into a diagnostic at the innermost place known."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Unsupported):
            hint = "the instances of the spec are still explored by `check`"
            raise SpecError([Diagnostic("Q0902", str(error), self.span, hint)]) from error


def transition(e: Evaluator, path: Path, state: Mapping[str, Value], tag: str = "step") -> Transition:
    """The step that takes a path in a state; its parameters and choices are constants named after `tag`."""
    taking = _Taking(e, tag, Environment({}, state.__getitem__))
    for binder in path.parameters:
        taking.parameter(binder)
    for item in path.items:
        with placed(item.span):
            taking.item(item)
    written: dict[str, Value] = {}
    for update in path.updates:
        with placed(update.span):
            written[update.variable] = taking.written(update)
    after = Environment({}, {**state, **written}.__getitem__, state.__getitem__)
    return Transition(path, tuple(taking.facts), after, tuple(taking.checks))


@dataclass
class _Taking:
    """A path being taken: the names bound so far and what was found out."""

    e: Evaluator
    tag: str
    env: Environment
    facts: list[Fact] = field(default_factory=list)
    checks: list[Condition] = field(default_factory=list)
    named: Counter[str] = field(default_factory=Counter)

    def item(self, item: Item) -> None:
        match item:
            case Guard(condition, span) | Bound(condition, _, span):
                self.must_be_defined(condition, span)
                self.guard(condition)
            case Define(binder, value, span):
                self.must_be_defined(value, span)
                self.env = self.env.bind(binder.uid, self.local(value))
            case Choose(binder, where, span):
                self.parameter(binder)
                if where is not None:
                    self.must_be_defined(where, span)
                    self.guard(where)
            case Check():
                pass

    def guard(self, condition: ir.Expr) -> None:
        self.fact("guard", self.e.truth(condition, self.env))

    def fact(self, name: str, formula: Term) -> None:
        """What rests on there being a greatest or least element rests on the proof that there is one."""
        self.named[name] += 1
        rests = any(x.op == "the" for x in t.subterms(formula))
        self.facts.append(Fact(f"{name} {self.named[name]}", formula, DEFINEDNESS if rests else ""))

    def must_be_defined(self, expr: ir.Expr, span: Span) -> None:
        edge = inside(expr, self.env, self.e)
        if edge.op != "true":
            self.fact("edge", edge)
        self.check(span, defined(expr, self.env, self.e), "defined", DEFINEDNESS)

    def check(self, span: Span, condition: Term, kind: Kind, owner: str) -> None:
        if condition.op != "true":
            self.checks.append(Condition(span, tuple(self.facts), condition, kind, owner))

    def written(self, update: Update) -> Value:
        self.must_be_defined(update.value, update.span)
        value = self.local(update.value)
        type_ = next(v.type for v in self.e.spec.variables if v.name == update.variable)
        if has_range(type_, self.e.signature):
            inside_range = self.e.signature.well_typed(type_, value)
            self.check(update.span, inside_range, "range", f"range of {update.variable}")
        return value

    def parameter(self, binder: ir.Binder) -> None:
        value = self.e.signature.symbol(binder.type, f"{self.tag} {binder.name}")
        self.facts.append(Fact(f"domain of {binder.name}", self.e.signature.well_typed(binder.type, value)))
        self.facts.append(Fact(f"domain of {binder.name}", self.e.member(binder, value, self.env)))
        self.env = self.env.bind(binder.uid, value)

    def local(self, value: ir.Expr) -> Value:
        result, witnesses = outside_formulas(self.e, value, self.env)
        self.facts += [Fact("witness", w.definition, DEFINEDNESS) for w in witnesses]
        return result


def outside_formulas(e: Evaluator, value: ir.Expr, env: Environment) -> tuple[Value, list[Witness]]:
    """A value that stands in no formula: its witnesses are constants, whose definitions the caller must assume."""
    outer, e.witnesses = e.witnesses, []
    try:
        return e.value(value, env), e.witnesses
    finally:
        e.witnesses = outer
