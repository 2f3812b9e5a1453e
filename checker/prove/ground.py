"""Formulas over finite sorts as clauses: every quantifier expanded, every scalar a choice among concrete elements.

Hash-consing and a memo for each subformula keep the expansion small. This module solves nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from checker.prove import terms as t
from checker.prove.terms import Term

YES = 1  # the literal that is always true; literals are DIMACS integers
NO = -1


@dataclass
class Circuit:
    """And-nodes over literals, each made once, and clauses that always hold."""

    count: int = 1
    nodes: dict[tuple[int, ...], int] = field(default_factory=dict)
    clauses: list[tuple[int, ...]] = field(default_factory=lambda: [(YES,)])

    def fresh(self) -> int:
        self.count += 1
        return self.count

    def all_of(self, literals: Sequence[int]) -> int:
        """The literal for a conjunction."""
        parts = set(literals)
        parts.discard(YES)
        if NO in parts:
            return NO
        if len(parts) < 2:
            return parts.pop() if parts else YES
        for x in parts:
            if -x in parts:
                return NO
        key = tuple(sorted(parts))
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = self.fresh()
            self.clauses += [(-node, x) for x in key]
            self.clauses.append((node, *(-x for x in key)))
        return node

    def any_of(self, literals: Sequence[int]) -> int:
        return -self.all_of([-x for x in literals])

    def same(self, a: int, b: int) -> int:
        return self.all_of([self.any_of([-a, b]), self.any_of([a, -b])])

    def one_of(self, count: int) -> list[int]:
        """Literals of which exactly one is true."""
        if count == 1:
            return [YES]
        if count == 2:
            x = self.fresh()
            return [x, -x]
        found = [self.fresh() for _ in range(count)]
        self.clauses.append(tuple(found))
        self.clauses += [(-a, -b) for a, b in itertools.combinations(found, 2)]
        return found


Cases = dict[int, int]  # element → the literal that says the scalar is this element


@dataclass(frozen=True)
class Scope:
    """How many elements each sort has; integers that symbols stand for are in `integers`."""

    sizes: Mapping[str, int]
    integers: range

    def elements(self, sort: str) -> range:
        return self.integers if sort == t.INT else range(self.sizes[sort])


class Grounder:
    """Expands formulas over one scope; symbols mean the same in all formulas given to it."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.circuit = Circuit()
        self.truths: dict[tuple[str, tuple[int, ...]], int] = {}
        self.scalars: dict[tuple[str, tuple[int, ...], str], Cases] = {}
        self.sorts: dict[str, tuple[str, ...]] = {}  # of the arguments of each symbol
        self.memo: dict[Term, dict[tuple[int, ...], int | Cases]] = {}
        self.order: dict[Term, tuple[str, ...]] = {}

    def literal(self, formula: Term) -> int:
        """The literal that is equivalent to a formula; its free variables are unknown constants."""
        value = self.formula(formula, {})
        return value

    # --- formulas

    def formula(self, f: Term, env: dict[str, int]) -> int:
        match f.op:
            case "true":
                return YES
            case "false":
                return NO
            case "not":
                return -self.formula(f.args[0], env)
        names = self.order.get(f)
        if names is None:
            names = self.order[f] = tuple(sorted(f.free))
            self.memo[f] = {}
        key = tuple([env.get(n, -1) for n in names])
        table = self.memo[f]
        found = table.get(key)
        if found is None:
            found = table[key] = self._formula(f, env)
        assert isinstance(found, int)
        return found

    def _formula(self, f: Term, env: dict[str, int]) -> int:
        c = self.circuit
        match f.op:
            case "and":
                return self._junction(f.args, env, 1)
            case "or":
                return -self._junction(f.args, env, -1)
            case "iff":
                return c.same(self.formula(f.args[0], env), self.formula(f.args[1], env))
            case "eq":
                return self._compare(f, env, equal=True)
            case "le":
                return self._compare(f, env, equal=False)
            case "app":
                return self._relation(f, env)
            case "var":
                return self._free_truth(f)
            case "forall":
                return self._expand(f.bound, f.args, env, 1)
            case "exists" | "the":
                return -self._expand(f.bound, f.args, env, -1)
            case _:
                raise TypeError(f"no formula: {f.op}")

    def _junction(self, args: tuple[Term, ...], env: dict[str, int], sign: int) -> int:
        """The conjunction of `sign` times each argument; stops at the first that is false."""
        found = []
        for a in args:
            x = sign * self.formula(a, env)
            if x == NO:
                return NO
            if x != YES:
                found.append(x)
        return self.circuit.all_of(found)

    def _expand(self, bound: tuple[Term, ...], args: tuple[Term, ...], env: dict[str, int], sign: int) -> int:
        """The conjunction over all values of the variables of `sign` times the conjunction of the arguments."""
        found = []
        inner = dict(env)
        names = [v.name for v in bound]
        for values in itertools.product(*(self.scope.elements(v.sort) for v in bound)):
            inner.update(zip(names, values, strict=True))
            x = self.formula(args[0], inner) if len(args) == 1 else self._junction(args, inner, 1)
            x *= sign
            if x == NO:
                return NO
            if x != YES:
                found.append(x)
        return self.circuit.all_of(found)

    def _compare(self, f: Term, env: dict[str, int], equal: bool) -> int:
        left, right = self.scalar(f.args[0], env), self.scalar(f.args[1], env)
        found = []
        for a, x in left.items():
            for b, y in right.items():
                if (a == b) if equal else (a <= b):
                    found.append(self.circuit.all_of([x, y]))
        return self.circuit.any_of(found)

    def _relation(self, f: Term, env: dict[str, int]) -> int:
        found = []
        if f.name == "order goes on":
            last = self.scope.sizes[f.args[0].sort] - 1
            return self.circuit.any_of([y for v, y in self.scalar(f.args[0], env).items() if v < last])
        self.sorts[f.name] = tuple([a.sort for a in f.args])
        for values, guard in self.arguments(f.args, env):
            key = (f.name, values)
            x = self.truths.get(key)
            if x is None:
                x = self.truths[key] = self.circuit.fresh()
            found.append(self.circuit.all_of([guard, x]))
        return self.circuit.any_of(found)

    def _free_truth(self, f: Term) -> int:
        key = (f.name, ())
        if key not in self.truths:
            self.truths[key] = self.circuit.fresh()
        return self.truths[key]

    # --- scalars

    def scalar(self, x: Term, env: dict[str, int]) -> Cases:
        if x.op == "var":
            value = env.get(x.name)
            return {value: YES} if value is not None else self.unknown(x.name, (), x.sort)
        if x.op == "int":
            return {int(x.name): YES}
        if x.sort == t.BOOL:
            truth = self.formula(x, env)
            return {1: truth, 0: -truth} if truth not in (YES, NO) else {int(truth == YES): YES}
        names = self.order.get(x)
        if names is None:
            names = self.order[x] = tuple(sorted(x.free))
            self.memo[x] = {}
        key = tuple([env.get(n, -1) for n in names])
        found = self.memo[x].get(key)
        if found is None:
            found = self.memo[x][key] = self._scalar(x, env)
        assert isinstance(found, dict)
        return found

    def _scalar(self, x: Term, env: dict[str, int]) -> Cases:
        if x.op == "ite":
            condition = self.formula(x.args[0], env)
            if condition in (YES, NO):
                return self.scalar(x.args[1 if condition == YES else 2], env)
            weighted = [(condition, self.scalar(x.args[1], env)), (-condition, self.scalar(x.args[2], env))]
            return self._merged((v, [c, y]) for c, cases in weighted for v, y in cases.items())
        if x.op in ("add", "sub", "mul"):
            left, right = self.scalar(x.args[0], env), self.scalar(x.args[1], env)
            return self._merged((_computed(x.op, a, b), [p, q]) for a, p in left.items() for b, q in right.items())
        if x.op != "app":
            raise TypeError(f"no scalar: {x.op}")
        if x.name == "order zero":
            return {0: YES}
        if x.name.startswith("value "):
            return {int(x.name.removeprefix("value ")): YES}
        if x.name in ("order next", "order previous"):
            last = self.scope.sizes[x.sort] - 1
            shift = 1 if x.name == "order next" else -1
            return self._merged((min(last, max(0, v + shift)), [y]) for v, y in self.scalar(x.args[0], env).items())
        self.sorts[x.name] = tuple([a.sort for a in x.args])
        return self._merged(
            (v, [guard, y])
            for values, guard in self.arguments(x.args, env)
            for v, y in self.unknown(x.name, values, x.sort).items()
        )

    def _merged(self, pairs: Iterator[tuple[int, list[int]]]) -> Cases:
        found: dict[int, list[int]] = {}
        for value, literals in pairs:
            x = self.circuit.all_of(literals)
            if x != NO:
                found.setdefault(value, []).append(x)
        merged = {value: self.circuit.any_of(xs) for value, xs in found.items()}
        certain = [value for value, x in merged.items() if x == YES]
        return {certain[0]: YES} if certain else merged

    def arguments(self, args: tuple[Term, ...], env: dict[str, int]) -> Iterator[tuple[tuple[int, ...], int]]:
        """All values that the arguments may have, with the condition for each."""
        cases = [self.scalar(a, env) for a in args]
        if all(len(c) == 1 for c in cases):
            yield tuple([next(iter(c)) for c in cases]), self.circuit.all_of([x for c in cases for x in c.values()])
            return
        for combination in itertools.product(*(c.items() for c in cases)):
            guard = self.circuit.all_of([x for _, x in combination])
            if guard != NO:
                yield tuple([v for v, _ in combination]), guard

    def unknown(self, name: str, values: tuple[int, ...], sort: str) -> Cases:
        """A symbol of the spec at concrete arguments: one unknown element."""
        key = (name, values, sort)
        if key not in self.scalars:
            elements = self.scope.elements(sort)
            self.scalars[key] = dict(zip(elements, self.circuit.one_of(len(elements)), strict=True))
        return self.scalars[key]


def _computed(op: str, a: int, b: int) -> int:
    return a + b if op == "add" else a - b if op == "sub" else a * b
