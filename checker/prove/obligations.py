"""What has to be shown for a proof for every size, as a list; no solver is asked.

An obligation is a goal and the facts that may be used for it, all over one symbolic state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from checker.language import ir
from checker.language import types as ty
from checker.language.paths import Path, paths
from checker.prove import terms as t
from checker.prove.defined import defined
from checker.prove.evaluate import Environment, Evaluator
from checker.prove.smtlib import Vocabulary
from checker.prove.terms import Term
from checker.prove.transitions import (
    DEFINEDNESS,
    Fact,
    Kind,
    Transition,
    outside_formulas,
    placed,
    transition,
)
from checker.prove.values import Value, has_range
from checker.source import Diagnostic, Span, SpecError


@dataclass(frozen=True)
class Obligation:
    """`goal` follows from `facts`. Decided without a solver where `decided` says how.

    `name` is unique in the spec. `property` may also be `DEFINEDNESS`, or `range of x` for the range of x.
    `hypotheses` are the facts that come from properties; the others (axioms, guards, ranges) are `givens`. `named`: a
    `proof` names the properties that are enough.
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
    named: bool = False


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
    """The obligations of a spec, its network as proofs take it (`prove.growing`).

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
            with placed(v.span):
                self.state[v.name] = self.e.signature.symbol(v.type, v.name)
        for kind in whole_kinds(spec):
            self.e.signature.sort(kind)
        self.here = Environment({}, self.state.__getitem__)
        self.found: list[Obligation] = []
        self.names: dict[str, int] = {}

    def plan(self) -> Plan:
        objects = tuple(Fact(f"equal {name}", formula) for name, formula in self.e.signature.extensionality())
        self.axioms = (*self.quorum_axioms(), *self.assumptions(), *objects)
        self.ranges = tuple(self.range_facts())
        self.invariants = tuple(self.clauses(stated(self.spec), self.here))
        transitions = tuple(
            transition(self.e, path, self.state) for action in self.spec.actions for path in paths(self.spec, action)
        )
        self.initial_obligations()
        for step in transitions:
            self.step_obligations(step)
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
            with placed(c.span):
                formula = self.e.signature.well_typed(c.type, self.e.constants[c.name])
            if formula.op != "true":
                yield Fact(f"range of {c.name}", formula)
        yield from (
            Fact(f.name, f.formula) for f in self.clauses([p for p in self.spec.properties if p.kind == "assume"], env)
        )

    def clauses(self, properties: Iterable[ir.Property], env: Environment) -> Iterable[Fact]:
        for p in properties:
            for i, clause in enumerate(p.clauses):
                with placed(clause.span):
                    yield Fact(clause_name(p, i), self.e.truth(clause, env), p.name)

    def range_facts(self) -> Iterable[Fact]:
        for v in self.spec.variables:
            formula = self.e.signature.well_typed(v.type, self.state[v.name])
            if formula.op != "true":
                yield Fact(f"range of {v.name}", formula, f"range of {v.name}")

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
        named: bool = False,
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
                named,
            )
        )

    def initial_obligations(self) -> None:
        start = self.start = dict[str, Value]()
        facts: list[Fact] = []
        nowhere = Environment({}, self.here.state)
        for v in self.spec.variables:
            with placed(v.span):
                if v.initial is None:
                    start[v.name] = self.state[v.name]
                    facts.append(Fact(f"range of {v.name}", self.e.signature.well_typed(v.type, start[v.name])))
                    continue
                condition = defined(v.initial, nowhere, self.e)
                start[v.name], witnesses = outside_formulas(self.e, v.initial, nowhere)
                facts += [Fact("witness", w.definition, DEFINEDNESS) for w in witnesses]
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
                with placed(clause.span):
                    goal = self.e.truth(clause, env)
                label = f"{clause_name(p, i)} initially"
                self.add("initially", label, clause.span, goal, self.initial, about=p, clause=i)

    def step_obligations(self, step: Transition) -> None:
        path = step.path
        where = path.action + (f" [{path.label}]" if path.label else "")
        givens = (*self.ranges, *step.guards)
        for c in step.checks:
            label = f"{where}: {c.text}"
            facts = (*self.ranges, *c.facts)
            self.add(c.kind, label, c.span, c.formula, facts, self.invariants, owner=c.owner, path=path)
        # a step happens only where all this holds, and that it does is proved above
        givens += tuple(Fact(f"condition {i}", c.formula, c.owner) for i, c in enumerate(step.checks, start=1))
        derived = {p.name for p in self.spec.proofs}
        named = {p.name: p.premises for p in self.spec.step_proofs if p.action == path.action}
        for p in self.spec.properties:
            if p.kind not in ("invariant", "lemma", "step") or p.name in derived:
                continue
            for i, clause in enumerate(p.clauses):
                with placed(clause.span):
                    untouched = p.kind != "step" and path.writes.isdisjoint(self.e.forms.reads(clause))
                    env = Environment({}, step.after.state, self.here.state if p.kind == "step" else None)
                    goal = t.TRUE if untouched else self.e.truth(clause, env)
                    if p.kind == "step":
                        self.step_definedness(p, i, clause, env, step, where)
                kind: Kind = "step" if p.kind == "step" else "kept"
                label = f"{clause_name(p, i)} by {where}"
                known = [f for f in self.invariants if p.name not in named or f.source in named[p.name]]
                self.add(
                    kind, label, clause.span, goal, givens, known, about=p, clause=i, path=path,
                    frame=untouched, named=p.name in named,
                )  # fmt: skip

    def step_definedness(
        self, p: ir.Property, i: int, clause: ir.Expr, env: Environment, step: Transition, where: str
    ) -> None:
        condition = defined(clause, env, self.e)
        if condition.op != "true":
            label = f"{clause_name(p, i)} is defined after {where}"
            givens = (*self.ranges, *step.guards)
            self.add(
                "defined", label, clause.span, condition, givens, self.invariants, about=p, clause=i,
                path=step.path,
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
                self.add("derived", label, proof.span, goal, self.ranges, premises, about=p, clause=i, named=True)

    def clause_definedness(self) -> None:
        """A clause must be defined in every state in which the properties hold.

        Clauses that speak of greatest or least elements may be used for later ones only: they say that there are some.
        """
        known = [f for f in self.invariants if not any(x.op == "the" for x in t.subterms(f.formula))]
        for p in stated(self.spec):
            for i, clause in enumerate(p.clauses):
                if not self.e.forms.total(clause):
                    condition = defined(clause, self.here, self.e)
                    label = f"{clause_name(p, i)} is defined"
                    self.add("defined", label, clause.span, condition, self.ranges, known, about=p, clause=i)
                known += [f for f in self.invariants if f.name == clause_name(p, i) and f not in known]


def whole_kinds(spec: ir.Spec) -> Iterable[ty.Type]:
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


def clause_name(p: ir.Property, i: int) -> str:
    """`Name`, or `Name.2` for the second of several clauses."""
    return p.name if len(p.clauses) == 1 else f"{p.name}.{i + 1}"
