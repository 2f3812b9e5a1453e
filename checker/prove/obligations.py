"""What has to be shown for a proof for every size, as a list; no solver is asked.

An obligation is a goal and the facts that may be used for it, all over one symbolic state. The state after a step is
never named: a property after the step is evaluated in a state whose variables are closures over the state before, so
that what a path does not write needs no frame axiom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

from checker.language import ir
from checker.language import types as ty
from checker.language.paths import Bound, Check, Choose, Define, Guard, Path, Update, paths
from checker.prove import terms as t
from checker.prove.defined import defined
from checker.prove.evaluate import Environment, Evaluator, Witness
from checker.prove.smtlib import Vocabulary
from checker.prove.terms import Term
from checker.prove.values import Unsupported, Value, has_range
from checker.source import Diagnostic, Span, SpecError

DEFINEDNESS = "definedness"
"""Stands for a property's name where what is to be shown is that steps and initial values are defined."""

Kind = Literal["initially", "kept", "derived", "step", "defined", "range"]


@dataclass(frozen=True)
class Fact:
    """Something that may be assumed; `source` names the property it is a clause of, empty for axioms and guards."""

    name: str
    formula: Term
    source: str = ""


@dataclass(frozen=True)
class Obligation:
    """`goal` follows from `facts`. Decided without a solver where `decided` says how.

    `name` is unique in the spec. `property` may also be `DEFINEDNESS`, or `range of x` for the range of x.
    `hypotheses` are the facts that come from properties; the others (axioms, guards, ranges) are `givens`.
    """

    name: str
    kind: Kind
    property: str
    clause: int
    action: str
    path: Path | None
    place: Span = field(repr=False)
    goal: Term = field(repr=False)
    givens: tuple[Fact, ...] = field(repr=False)
    hypotheses: tuple[Fact, ...] = field(repr=False)
    decided: Literal["", "frame", "form"] = ""


@dataclass(frozen=True)
class Condition:
    """Something that a path depends on: that an expression is defined, or that a value is in range (of `owner`)."""

    span: Span
    facts: tuple[Fact, ...]
    formula: Term
    kind: Kind
    owner: str


@dataclass(frozen=True)
class Transition:
    """One path with its parameters made constants: what it takes, and the state after it."""

    path: Path
    guards: tuple[Fact, ...]
    after: Environment
    checks: tuple[Condition, ...]


@dataclass(frozen=True)
class Plan:
    """All obligations of a spec, with its vocabulary and the notes that belong beside any verdict."""

    spec: ir.Spec
    vocabulary: Vocabulary
    axioms: tuple[Fact, ...]
    obligations: tuple[Obligation, ...]
    transitions: tuple[Transition, ...]
    initial: tuple[Fact, ...]
    invariants: tuple[Fact, ...]
    ranges: tuple[Fact, ...]
    evaluator: Evaluator = field(repr=False)
    state: Mapping[str, Value] = field(repr=False)
    start: Mapping[str, Value] = field(repr=False)

    @cached_property
    def inductive(self) -> tuple[str, ...]:
        """The properties that are proved by induction."""
        derived = {p.name for p in self.spec.proofs}
        return tuple(p.name for p in stated(self.spec) if p.name not in derived)


def stated(spec: ir.Spec) -> tuple[ir.Property, ...]:
    """The properties of single states that a proof is about."""
    return tuple(p for p in spec.properties if p.kind in ("invariant", "lemma"))


def plan(spec: ir.Spec) -> Plan:
    """The obligations of a spec, every network the growing set of sent messages.

    Raises SpecError with Q0901 (nothing to prove) or Q0902 (a construct out of reach).
    """
    if not stated(spec) and not any(p.kind == "step" for p in spec.properties):
        hint = "state an `invariant`, a `lemma` or a `step` property"
        raise SpecError([Diagnostic("Q0901", "the spec states nothing to prove", spec.span, hint)])
    return _Planner(spec).plan()


class _Planner:
    def __init__(self, spec: ir.Spec) -> None:
        self.spec = spec
        self.e = Evaluator(spec)
        self.state: dict[str, Value] = {}
        for v in spec.variables:
            with self.placed(v.span):
                self.state[v.name] = self.e.signature.symbol(v.type, v.name)
        for kind in _whole_kinds(spec):
            self.e.signature.sort(kind)
        self.here = Environment({}, self.state.__getitem__)
        self.found: list[Obligation] = []
        self.names: dict[str, int] = {}

    def placed(self, span: Span) -> _Placed:
        return _Placed(span)

    def plan(self) -> Plan:
        objects = tuple(Fact(f"equal {name}", formula) for name, formula in self.e.signature.extensionality())
        self.axioms = (*self.quorum_axioms(), *self.assumptions(), *objects)
        self.ranges = tuple(self.range_facts())
        self.invariants = tuple(self.clauses(stated(self.spec), self.here))
        transitions = tuple(self.transition(path) for action in self.spec.actions for path in paths(self.spec, action))
        self.initial_obligations()
        for transition in transitions:
            self.step_obligations(transition)
        self.derivations()
        self.clause_definedness()
        return Plan(
            self.spec,
            self.vocabulary(),
            self.axioms,
            tuple(self.found),
            transitions,
            self.initial,
            self.invariants,
            self.ranges,
            self.e,
            self.state,
            self.start,
        )

    def vocabulary(self) -> Vocabulary:
        orders = {o.name: o.from_zero for o in self.spec.orders}
        return Vocabulary(orders, {e.name: len(e.values) for e in self.spec.enums}, self.e.stepped)

    # --- facts

    def quorum_axioms(self) -> Iterable[Fact]:
        for family in self.spec.quorums:
            for other in family.meets:
                p, q = self.e.signature.fresh(family.name), self.e.signature.fresh(other)
                a = self.e.signature.fresh(self.e.signature.sort(family.of))
                both = t.and_(t.app(f"in {family.name}", (a, p), t.BOOL), t.app(f"in {other}", (a, q), t.BOOL))
                yield Fact(f"{family.name} meets {other}", t.forall((p, q), t.exists((a,), both)))

    def assumptions(self) -> Iterable[Fact]:
        env = Environment({}, self.here.state)
        for c in self.spec.constants:
            with self.placed(c.span):
                formula = self.e.signature.well_typed(c.type, self.e.constants[c.name])
            if formula.op != "true":
                yield Fact(f"range of {c.name}", formula)
        yield from (
            Fact(f.name, f.formula) for f in self.clauses([p for p in self.spec.properties if p.kind == "assume"], env)
        )

    def clauses(self, properties: Iterable[ir.Property], env: Environment) -> Iterable[Fact]:
        for p in properties:
            for i, clause in enumerate(p.clauses):
                with self.placed(clause.span):
                    yield Fact(clause_name(p, i), self.e.truth(clause, env), p.name)

    def range_facts(self) -> Iterable[Fact]:
        for v in self.spec.variables:
            formula = self.e.signature.well_typed(v.type, self.state[v.name])
            if formula.op != "true":
                yield Fact(f"range of {v.name}", formula, f"range of {v.name}")

    # --- steps

    def transition(self, path: Path) -> Transition:
        env, facts, checks = self.here, list[Fact](), list[Condition]()

        def check(span: Span, condition: Term, kind: Kind, owner: str = DEFINEDNESS) -> None:
            if condition.op != "true":
                checks.append(Condition(span, tuple(facts), condition, kind, owner))

        for binder in path.parameters:
            env = self.parameter(binder, env, facts)
        for item in path.items:
            with self.placed(item.span):
                match item:
                    case Guard(condition) | Bound(condition):
                        check(item.span, defined(condition, env, self.e), "defined")
                        facts.append(Fact(f"guard {item.span.line}", self.e.truth(condition, env)))
                    case Define(binder, value):
                        check(item.span, defined(value, env, self.e), "defined")
                        env = env.bind(binder.uid, self.local(value, env, facts))
                    case Choose(binder, where):
                        env = self.parameter(binder, env, facts)
                        if where is not None:
                            check(item.span, defined(where, env, self.e), "defined")
                            facts.append(Fact(f"guard {item.span.line}", self.e.truth(where, env)))
                    case Check():
                        pass
        written: dict[str, Value] = {}
        for update in path.updates:
            with self.placed(update.span):
                self.written(update, env, facts, written, check)
        state = {**self.state, **written}
        after = Environment({}, state.__getitem__, self.here.state)
        return Transition(path, tuple(facts), after, tuple(checks))

    def written(
        self, update: Update, env: Environment, facts: list[Fact], written: dict[str, Value], check: _Checker
    ) -> None:
        check(update.span, defined(update.value, env, self.e), "defined")
        value = written[update.variable] = self.local(update.value, env, facts)
        type_ = next(v.type for v in self.spec.variables if v.name == update.variable)
        if has_range(type_, self.e.signature):
            check(update.span, self.e.signature.well_typed(type_, value), "range", f"range of {update.variable}")

    def parameter(self, binder: ir.Binder, env: Environment, facts: list[Fact]) -> Environment:
        value = self.e.signature.symbol(binder.type, f"step {binder.name}")
        facts.append(Fact(f"domain of {binder.name}", self.e.signature.well_typed(binder.type, value)))
        facts.append(Fact(f"domain of {binder.name}", self.e.member(binder, value, env)))
        return env.bind(binder.uid, value)

    def local(self, value: ir.Expr, env: Environment, facts: list[Fact]) -> Value:
        """A value outside formulas: its witnesses are constants of the step."""
        outer, self.e.witnesses = self.e.witnesses, list[Witness]()
        try:
            result = self.e.value(value, env)
            facts += [Fact("witness", w.definition) for w in self.e.witnesses]
        finally:
            self.e.witnesses = outer
        return result

    # --- obligations

    def add(
        self,
        kind: Kind,
        label: str,
        place: Span,
        goal: Term,
        givens: Iterable[Fact],
        hypotheses: Iterable[Fact] = (),
        *,
        about: ir.Property | None = None,
        owner: str = DEFINEDNESS,
        clause: int = 0,
        path: Path | None = None,
        frame: bool = False,
    ) -> None:
        count = self.names[label] = self.names.get(label, 0) + 1
        name = label if count == 1 else f"{label} #{count}"
        decided: Literal["", "frame", "form"] = "frame" if frame else "form" if goal.op == "true" else ""
        known = tuple(f for f in givens if f.formula.op != "true")
        self.found.append(
            Obligation(
                name,
                kind,
                about.name if about else owner,
                clause,
                path.action if path else "",
                path,
                place,
                goal,
                (*self.axioms, *known),
                tuple(hypotheses),
                decided,
            )
        )

    def initial_obligations(self) -> None:
        start = self.start = dict[str, Value]()
        facts: list[Fact] = []
        nowhere = Environment({}, self.here.state)
        for v in self.spec.variables:
            with self.placed(v.span):
                if v.initial is None:
                    start[v.name] = self.state[v.name]
                    facts.append(Fact(f"range of {v.name}", self.e.signature.well_typed(v.type, start[v.name])))
                    continue
                condition = defined(v.initial, nowhere, self.e)
                start[v.name] = self.local(v.initial, nowhere, facts)
            if condition.op != "true":
                self.add("defined", f"{v.name} initially defined", v.span, condition, ())
            if has_range(v.type, self.e.signature):
                inside = self.e.signature.well_typed(v.type, start[v.name])
                owner = f"range of {v.name}"
                self.add("range", f"{v.name} initially in range", v.span, inside, (), owner=owner)
        self.initial = tuple(f for f in facts if f.formula.op != "true")
        env = Environment({}, start.__getitem__)
        derived = {p.name for p in self.spec.proofs}
        for p in stated(self.spec):
            if p.name in derived:
                continue
            for i, clause in enumerate(p.clauses):
                with self.placed(clause.span):
                    goal = self.e.truth(clause, env)
                label = f"{clause_name(p, i)} initially"
                self.add("initially", label, clause.span, goal, self.initial, about=p, clause=i)

    def step_obligations(self, transition: Transition) -> None:
        path = transition.path
        where = path.action + (f" [{path.label}]" if path.label else "")
        givens = (*self.ranges, *transition.guards)
        for c in transition.checks:
            label = f"{where}: line {c.span.line} {_condition(c)}"
            facts = (*self.ranges, *c.facts)
            self.add(c.kind, label, c.span, c.formula, facts, self.invariants, owner=c.owner, path=path)
        # a step happens only where all this holds, and that it does is proved above
        givens += tuple(Fact(f"line {c.span.line} {_condition(c)}", c.formula, c.owner) for c in transition.checks)
        derived = {p.name for p in self.spec.proofs}
        for p in self.spec.properties:
            if p.kind not in ("invariant", "lemma", "step") or p.name in derived:
                continue
            for i, clause in enumerate(p.clauses):
                with self.placed(clause.span):
                    untouched = p.kind != "step" and path.writes.isdisjoint(self.e.forms.reads(clause))
                    env = Environment({}, transition.after.state, self.here.state if p.kind == "step" else None)
                    goal = t.TRUE if untouched else self.e.truth(clause, env)
                    if p.kind == "step":
                        self.step_definedness(p, i, clause, env, transition, where)
                kind: Kind = "step" if p.kind == "step" else "kept"
                label = f"{clause_name(p, i)} by {where}"
                self.add(
                    kind, label, clause.span, goal, givens, self.invariants, about=p, clause=i, path=path,
                    frame=untouched,
                )  # fmt: skip

    def step_definedness(
        self, p: ir.Property, i: int, clause: ir.Expr, env: Environment, transition: Transition, where: str
    ) -> None:
        condition = defined(clause, env, self.e)
        if condition.op != "true":
            label = f"{clause_name(p, i)} is defined after {where}"
            givens = (*self.ranges, *transition.guards)
            self.add(
                "defined", label, clause.span, condition, givens, self.invariants, about=p, clause=i,
                path=transition.path,
            )  # fmt: skip

    def derivations(self) -> None:
        by_name = {p.name: p for p in stated(self.spec)}
        for proof in self.spec.proofs:
            p = by_name.get(proof.name)
            if p is None:
                continue
            premises = [f for f in self.invariants if f.source in proof.premises]
            for i in range(len(p.clauses)):
                goal = next(f.formula for f in self.invariants if f.name == clause_name(p, i))
                label = f"{clause_name(p, i)} from {', '.join(proof.premises)}"
                self.add("derived", label, proof.span, goal, self.ranges, premises, about=p, clause=i)

    def clause_definedness(self) -> None:
        """A clause must be defined in every state in which all properties hold."""
        for p in stated(self.spec):
            for i, clause in enumerate(p.clauses):
                if self.e.forms.total(clause):
                    continue
                condition = defined(clause, self.here, self.e)
                label = f"{clause_name(p, i)} is defined"
                self.add("defined", label, clause.span, condition, self.ranges, self.invariants, about=p, clause=i)


def _whole_kinds(spec: ir.Spec) -> Iterable[ty.Type]:
    """The sets, maps and sequences that are parts of messages or elements of sets: objects in proofs."""
    fields = [t_ for m in spec.messages for _, t_ in m.layout]
    fields += [v.type.item for v in spec.variables if isinstance(v.type, ty.Set)]
    records = {r.name: [t_ for _, t_ in r.fields] for r in spec.records}
    while fields:
        match fields.pop():
            case ty.Record(name):
                fields += records[name]
            case ty.Option(item):
                fields.append(item)
            case ty.Set() | ty.Map() | ty.Seq() as whole:
                yield whole


class _Placed:
    """Turns what proofs do not reach into a diagnostic at the innermost place known."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Unsupported):
            hint = "the instances of the spec are still explored by `check`"
            raise SpecError([Diagnostic("Q0902", str(error), self.span, hint)]) from error


class _Checker(Protocol):
    """The type of a callback that records a condition a path depends on."""

    def __call__(self, span: Span, condition: Term, kind: Kind, owner: str = DEFINEDNESS) -> None: ...


def _condition(c: Condition) -> str:
    return "is defined" if c.kind == "defined" else "is in range"


def clause_name(p: ir.Property, i: int) -> str:
    """`Name`, or `Name.2` for the second of several clauses."""
    return p.name if len(p.clauses) == 1 else f"{p.name}.{i + 1}"


def premises_of(spec: ir.Spec) -> Mapping[str, tuple[str, ...]]:
    """What each derived property follows from."""
    return {p.name: p.premises for p in spec.proofs}
