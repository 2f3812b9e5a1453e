"""Runs of a finite instance as formulas over one symbolic state for each point of time, ground at once.

Everything is as the instance says: sizes, quorums, constants, ends of orders and limits. It asks nothing; bounded model
checking and induction over the instance are made of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from checker.explore.domains import Domains
from checker.explore.domains import Value as Concrete
from checker.explore.interpreter import Interpreter, State
from checker.language import ir
from checker.language import types as ty
from checker.language.paths import Path, paths
from checker.prove import terms as t
from checker.prove.evaluate import Environment, Evaluator
from checker.prove.finite import FiniteCheck, Model
from checker.prove.ground import NO, YES, Grounder, Scope
from checker.prove.obligations import whole_kinds
from checker.prove.structure import Decoder, Structure
from checker.prove.terms import Term
from checker.prove.transitions import Transition, outside_formulas, placed, transition
from checker.prove.values import Unsupported, Value


class Unrolling:
    """States numbered from 0 on, and the steps between them. Raises SpecError (Q0902) for what it does not reach."""

    def __init__(self, interpreter: Interpreter, world: int, seconds: float) -> None:
        self.interpreter, self.world = interpreter, world
        self.spec = interpreter.spec
        self.domains = interpreter.instance.worlds[world].domains
        self.e = Evaluator(self.spec)
        self.paths = [path for action in self.spec.actions for path in paths(self.spec, action)]
        self.check = FiniteCheck(Scope(self.sizes(), self.window()), seconds)
        self.states: list[dict[str, Value]] = []
        self.taken: list[list[Transition]] = []
        with placed(self.spec.span):
            if any(True for _ in whole_kinds(self.spec)):
                raise Unsupported("messages that hold whole sets, maps or sequences are beyond bounded model checking")
        self.seed()

    def sizes(self) -> dict[str, int]:
        sizes = {d.name: self.domains.sizes[d.name] for d in (*self.spec.sorts, *self.spec.orders)}
        sizes |= {q.name: len(self.domains.families[q.name]) for q in self.spec.quorums}
        return sizes | {e.name: len(e.values) for e in self.spec.enums}

    def window(self) -> range:
        """The integers that values may be: those of all ranges, and what one sum or difference makes of two."""
        ends = [end for range_ in set(_ranges(self.spec)) for end in self.domains.bounds(range_)]
        constants = self.interpreter.instance.worlds[self.world].constants
        ends += [v for c in self.spec.constants if isinstance(v := constants[c.name], int)]
        low, high = min([0, *ends]), max([0, *ends])
        return range(2 * low - high - 1, 2 * high - low + 2) if ends else range(1)

    # --- what the instance fixes

    def seed(self) -> None:
        grounder = self.check.grounder
        for q in self.spec.quorums:
            assert isinstance(q.of, ty.Sort | ty.Order)
            for member, elements in enumerate(self.domains.families[q.name]):
                for a in range(self.domains.sizes[q.of.name]):
                    grounder.truths[(f"in {q.name}", (a, member))] = YES if a in elements else NO
        for s in (*self.spec.sorts, *self.spec.orders):
            size = self.domains.sizes[s.name]
            grounder.scalars[(f"size {s.name}", (), t.INT)] = {size: YES}
        for e in self.spec.enums:
            grounder.scalars[(f"size {e.name}", (), t.INT)] = {len(e.values): YES}
        values = self.interpreter.instance.worlds[self.world].constants
        for c in self.spec.constants:
            Seeding(self.e, self.domains, grounder).fix(c.type, c.name, (), values[c.name])

    # --- states and steps

    def extend(self) -> None:
        """One more state, and the steps into it from the one before."""
        number = len(self.states)
        with placed(self.spec.span):
            state = {v.name: self.e.signature.symbol(v.type, f"{number} {v.name}") for v in self.spec.variables}
        self.states.append(state)
        if number:
            before = self.states[-2]
            self.taken.append([self.transition(path, before, number) for path in self.paths])

    def transition(self, path: Path, before: dict[str, Value], number: int) -> Transition:
        return transition(self.e, path, before, f"{number} step")

    def initial(self) -> Term:
        """That state 0 is an initial one."""
        env = Environment({}, self.states[0].__getitem__)
        parts: list[Term] = []
        for v in self.spec.variables:
            symbol = self.states[0][v.name]
            if v.initial is None:
                parts.append(self.e.signature.well_typed(v.type, symbol))
                continue
            value, witnesses = outside_formulas(self.e, v.initial, env)
            parts += [w.definition for w in witnesses]
            parts.append(self.e.signature.equal(v.type, symbol, value))
        return t.and_(*parts)

    def well_typed(self, number: int) -> Term:
        """That all integers of a state are within their ranges."""
        parts = (self.e.signature.well_typed(v.type, self.states[number][v.name]) for v in self.spec.variables)
        return t.and_(*parts)

    def step(self, number: int) -> Term:
        """That some step leads to a state from the one before."""
        return t.or_(*(self.leads(way, number) for way in self.taken[number - 1]))

    def leads(self, way: Transition, number: int) -> Term:
        parts = [f.formula for f in way.guards] + [c.formula for c in way.checks]
        for v in self.spec.variables:
            parts.append(self.e.signature.equal(v.type, self.states[number][v.name], way.after.state(v.name)))
        return t.and_(*parts)

    def faulty(self, number: int) -> Term:
        """That in the state before this one some step has no meaning."""
        return t.or_(
            *(
                t.and_(*(f.formula for f in c.facts), t.not_(c.formula))
                for way in self.taken[number - 1]
                for c in way.checks
            )
        )

    def holds(self, clause: ir.Expr, number: int) -> Term:
        """A clause in a state; of a step property, for the step into it."""
        before = self.states[number - 1].__getitem__ if number else None
        return self.e.truth(clause, Environment({}, self.states[number].__getitem__, before))

    # --- back to states of the interpreter

    def run(self, model: Model, last: int) -> tuple[State, ...]:
        """The states up to `last` in a structure."""
        decoder = Decoder(self.spec, self.e, Structure(model, self.check.grounder))
        found = []
        for values in self.states[: last + 1]:
            parts = (decoder.decode(self.domains, v.type, values[v.name]) for v in self.spec.variables)
            found.append((*parts, self.world))
        return tuple(found)

    def close(self) -> None:
        self.check.close()


class Seeding:
    """Writes the value of a constant into a grounder's symbols, the way `Signature.symbol` names them."""

    def __init__(self, e: Evaluator, domains: Domains, grounder: Grounder) -> None:
        self.e, self.domains, self.grounder = e, domains, grounder

    def fix(self, type_: ty.Type, name: str, args: tuple[int, ...], value: Concrete) -> None:
        match type_:
            case ty.Bool():
                self.grounder.truths[(name, args)] = YES if value else NO
            case ty.Record() | ty.Message():
                for (field, field_type), part in zip(self.e.signature.fields(type_), value, strict=True):
                    self.fix(field_type, f"{name}.{field}", args, part)
            case ty.Option(item):
                self.grounder.truths[(f"{name}?", args)] = YES if value is not None else NO
                if value is not None:
                    self.fix(item, name, args, value)
            case ty.Map(key, item):
                for k, part in zip(self.domains.values(key, self.e.spec.span), value, strict=True):
                    suffix, more = self.flat(key, k)
                    self.fix(item, name + suffix, args + more, part)
            case ty.Set(item):
                for x in self.domains.values(item, self.e.spec.span):
                    suffix, more = self.flat(item, x)
                    self.grounder.truths[(name + suffix, args + more)] = YES if x in value else NO
            case ty.Seq(index, item):
                sort = self.e.signature.sort(index)
                self.grounder.scalars[(f"{name}.length", args, sort)] = {len(value): YES}
                for position, part in enumerate(value, start=1):
                    self.fix(item, f"{name}.at", (*args, position), part)
            case _:
                self.grounder.scalars[(name, args, self.e.signature.sort(type_))] = {value: YES}

    def flat(self, type_: ty.Type, value: Concrete) -> tuple[str, tuple[int, ...]]:
        """The pattern of options and the scalars of a value, as `Signature.split` orders them."""
        match type_:
            case ty.Record() | ty.Message():
                parts = [
                    self.flat(field_type, part)
                    for (_, field_type), part in zip(self.e.signature.fields(type_), value, strict=True)
                ]
                return "".join(s for s, _ in parts), tuple(itertools.chain.from_iterable(a for _, a in parts))
            case ty.Option(item):
                if value is None:
                    return "-", ()
                suffix, args = self.flat(item, value)
                return f"+{suffix}", args
            case _:
                return "", (int(value),)


def _ranges(spec: ir.Spec) -> Iterator[ty.Range]:
    """The integer ranges in which something can be stored or chosen."""
    types = [v.type for v in spec.variables] + [c.type for c in spec.constants]
    types += [ft for r in spec.records for _, ft in r.fields] + [ft for m in spec.messages for _, ft in m.layout]
    types += [b.type for a in spec.actions for b in a.parameters]
    while types:
        match types.pop():
            case ty.Range() as found:
                yield found
            case ty.Option(item) | ty.Set(item):
                types.append(item)
            case ty.Map(first, second) | ty.Seq(first, second):
                types += [first, second]
