"""Finite structures read back as states of the language: an instance, and values such as the interpreter has.

Symbols of which a structure says nothing are false, or the first element: they do not matter. Nothing is judged here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from checker.explore.domains import Domains
from checker.explore.domains import Value as Concrete
from checker.explore.instance import Instance, World
from checker.explore.interpreter import State
from checker.language import ir
from checker.language import types as ty
from checker.prove import terms as t
from checker.prove.evaluate import Evaluator
from checker.prove.finite import Model
from checker.prove.ground import Grounder
from checker.prove.terms import Term
from checker.prove.values import MapV, OptionV, RecordV, SeqV, SetV, Value


class Structure:
    """The meaning of terms in a model that was found over a grounder's symbols."""

    def __init__(self, model: Model, grounder: Grounder) -> None:
        self.scope = model.scope
        self.true = model.literals
        self.grounder = grounder

    def value(self, x: Term, env: Mapping[str, int]) -> int:
        """The element that a scalar is, or 0 or 1 for a formula; `env` gives bound variables their elements."""
        match x.op:
            case "var":
                return env[x.name] if x.name in env else self.known(x.name, (), x.sort)
            case "int":
                return int(x.name)
            case "app":
                return self.application(x, tuple(self.value(a, env) for a in x.args))
            case "ite":
                return self.value(x.args[1 if self.value(x.args[0], env) else 2], env)
            case "add" | "sub" | "mul":
                a, b = (self.value(y, env) for y in x.args)
                return a + b if x.op == "add" else a - b if x.op == "sub" else a * b
            case _:
                return int(self.truth(x, env))

    def truth(self, f: Term, env: Mapping[str, int]) -> bool:
        match f.op:
            case "true" | "false":
                return f.op == "true"
            case "not":
                return not self.value(f.args[0], env)
            case "and":
                return all(self.value(a, env) for a in f.args)
            case "or":
                return any(self.value(a, env) for a in f.args)
            case "iff" | "eq":
                return self.value(f.args[0], env) == self.value(f.args[1], env)
            case "le":
                return self.value(f.args[0], env) <= self.value(f.args[1], env)
            case "forall":
                return all(self.value(f.args[0], inner) for inner in self.choices(f, env))
            case "exists" | "the":
                return any(all(self.value(a, inner) for a in f.args) for inner in self.choices(f, env))
            case _:
                return bool(self.value(f, env))

    def choices(self, f: Term, env: Mapping[str, int]) -> list[dict[str, int]]:
        names = [v.name for v in f.bound]
        elements = [self.scope.elements(v.sort) for v in f.bound]
        return [{**env, **dict(zip(names, values, strict=True))} for values in itertools.product(*elements)]

    def application(self, x: Term, values: tuple[int, ...]) -> int:
        if x.name == "order zero":
            return 0
        if x.name == "order goes on":
            return int(values[0] < self.scope.sizes[x.args[0].sort] - 1)
        if x.name.startswith("value "):
            return int(x.name.removeprefix("value "))
        if x.name in ("order next", "order previous"):
            shifted = values[0] + (1 if x.name == "order next" else -1)
            return min(self.scope.sizes[x.sort] - 1, max(0, shifted))
        return self.known(x.name, values, x.sort)

    def known(self, name: str, values: tuple[int, ...], sort: str) -> int:
        if sort == t.BOOL:
            return int(self.grounder.truths.get((name, values), 0) in self.true)
        cases = self.grounder.scalars.get((name, values, sort), {})
        first = self.scope.elements(sort)[0]
        return next((value for value, literal in cases.items() if literal == 1 or self.holds(literal)), first)

    def holds(self, literal: int) -> bool:
        return literal in self.true if literal > 0 else -literal not in self.true


@dataclass(frozen=True)
class Decoder:
    """Turns values over terms into values of the interpreter, for one structure."""

    spec: ir.Spec
    evaluator: Evaluator
    structure: Structure

    def instance(self) -> Instance:
        """The sizes, quorums and constants of the structure as an instance with one world."""
        sizes = {d.name: self.structure.scope.sizes[d.name] for d in (*self.spec.sorts, *self.spec.orders)}
        domains = Domains(self.spec, sizes, self.families(), self.bounds)
        constants = {
            c.name: self.decode(domains, c.type, self.evaluator.constants[c.name]) for c in self.spec.constants
        }
        decl = ir.InstanceDecl("counterexample", self.spec.span, tuple(sizes.items()), (), (), (), ())
        return Instance(self.spec, decl, (World(constants, domains),), frozenset(constants))

    def families(self) -> dict[str, tuple[frozenset[int], ...]]:
        found = {}
        for q in self.spec.quorums:
            assert isinstance(q.of, ty.Sort | ty.Order)
            elements = self.structure.scope.elements(q.of.name)
            name = f"in {q.name}"
            found[q.name] = tuple(
                frozenset(a for a in elements if self.structure.known(name, (a, member), t.BOOL))
                for member in self.structure.scope.elements(q.name)
            )
        return found

    def bounds(self, range_: ty.Range) -> tuple[int, int]:
        low, high = self.evaluator.signature.bound(range_.low), self.evaluator.signature.bound(range_.high)
        return self.structure.value(low, {}), self.structure.value(high, {})

    def state(self, instance: Instance, values: Mapping[str, Value]) -> State:
        """The state in which each variable has the value given."""
        domains = instance.worlds[0].domains
        return (*(self.decode(domains, v.type, values[v.name]) for v in self.spec.variables), 0)

    def decode(self, domains: Domains, type_: ty.Type, value: Value, env: Mapping[str, int] | None = None) -> Concrete:
        env = env or {}
        match type_, value:
            case ty.Bool(), Term():
                return bool(self.structure.value(value, env))
            case _, Term():
                return self.structure.value(value, env)
            case ((ty.Record() | ty.Message()), RecordV(fields)):
                layout = self.evaluator.signature.fields(type_)
                return tuple(self.decode(domains, ft, fields[f], env) for f, ft in layout)
            case ty.Option(item), OptionV(some, inside):
                return self.decode(domains, item, inside, env) if self.structure.value(some, env) else None
            case ty.Map(key, item), MapV(at):
                entries = []
                for k in domains.values(key, self.spec.span):
                    term, inner = self.encode(domains, key, k, dict(env))
                    entries.append(self.decode(domains, item, at(term), inner))
                return tuple(entries)
            case ty.Set(item), SetV(contains):
                return frozenset(self.members(domains, item, contains, env))
            case ty.Seq(index, item), SeqV(length, at):
                count = min(self.structure.value(length, env), domains.longest(type_))
                found = []
                for p in range(1, count + 1):
                    position = self.evaluator.signature.fresh(self.evaluator.signature.sort(index))
                    found.append(self.decode(domains, item, at(position), {**env, position.name: p}))
                return tuple(found)
            case _:
                raise TypeError(f"no {ty.show(type_)}: {value}")

    def members(
        self, domains: Domains, item: ty.Type, contains: Callable[[Value], Term], env: Mapping[str, int]
    ) -> Iterator[Concrete]:
        for shape in self.evaluator.signature.shapes(item, bounded=False):
            member = contains(shape.value)
            names = [v.name for v in shape.variables]
            for chosen in itertools.product(*(self.structure.scope.elements(v.sort) for v in shape.variables)):
                inner = {**env, **dict(zip(names, chosen, strict=True))}
                if self.structure.value(member, inner):
                    yield self.decode(domains, item, shape.value, inner)

    def encode(
        self, domains: Domains, type_: ty.Type, value: Concrete, env: dict[str, int]
    ) -> tuple[Value, dict[str, int]]:
        """A concrete value over variables, and what these stand for."""
        match type_:
            case ty.Bool():
                return t.truth(value), env
            case ty.Int() | ty.Range():
                return t.integer(value), env
            case ty.Sort() | ty.Order() | ty.Quorum() | ty.Enum():
                variable = self.evaluator.signature.fresh(self.evaluator.signature.sort(type_))
                return variable, {**env, variable.name: value}
            case ty.Record() | ty.Message():
                fields: dict[str, Value] = {}
                for (name, field_type), part in zip(self.evaluator.signature.fields(type_), value, strict=True):
                    fields[name], env = self.encode(domains, field_type, part, env)
                return RecordV(fields), env
            case ty.Option(item):
                if value is None:
                    return OptionV(t.FALSE, self.evaluator.signature.arbitrary(item)), env
                inside, env = self.encode(domains, item, value, env)
                return OptionV(t.TRUE, inside), env
            case _:
                raise TypeError(f"a key of type {ty.show(type_)}")
