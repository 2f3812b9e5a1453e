"""Instances: sizes, quorum families and constants of a spec, made finite; every interpretation of open constants.

It decides what there is to explore and whether that is bearable; it explores nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from checker.explore.display import element, to_value
from checker.explore.domains import MOST_VALUES, Domains, Value, shown_size, too_many
from checker.explore.evaluate import Eval, Evaluator
from checker.explore.faults import CutOff, Fault
from checker.explore.overrides import with_overrides
from checker.language import ir
from checker.language import types as ty
from checker.source import Diagnostic, Span, SpecError, did_you_mean
from checker.verdict import SetValue, show

MOST_ELEMENTS = 10_000
"""Greatest size of a sort or order."""

MOST_QUORUMS = 100_000
"""Greatest number of members of a quorum family."""

_MOST_WORLDS = 100_000


@dataclass(frozen=True, eq=False)
class World:
    """One interpretation of all constants, and the domains under it (shared by worlds whose domains are equal)."""

    constants: Mapping[str, Value]
    domains: Domains


@dataclass(frozen=True, eq=False)
class Instance:
    """A spec with everything finite. `worlds` are the interpretations of the constants that satisfy `assume`, at least
    one, in order; `open` names the constants to which the instance gives no value."""

    spec: ir.Spec
    decl: ir.InstanceDecl
    worlds: tuple[World, ...]
    open: frozenset[str]

    @property
    def sizes(self) -> tuple[tuple[str, str], ...]:
        """Sizes, quorum families, constants and limits as text, in order of declaration."""
        domains, decl = self.worlds[0].domains, self.decl
        sized = sorted((*self.spec.sorts, *self.spec.orders), key=lambda d: (d.span.line, d.span.column))
        found = [(d.name, str(domains.sizes[d.name])) for d in sized]
        families = dict(decl.quorums)
        for quorum in self.spec.quorums:
            if not isinstance(families.get(quorum.name, ir.Majorities()), ir.Majorities):
                found.append((quorum.name, _family_text(domains, quorum, families[quorum.name])))
        for constant in self.spec.constants:
            if constant.name not in self.open:
                value = to_value(domains, constant.type, self.worlds[0].constants[constant.name])
                found.append((constant.name, show(value)))
        return (*found, *((name, str(most)) for name, most in decl.limits))

    def constants(self, world: int) -> tuple[tuple[str, Value], ...]:
        """The open constants of a world with their values."""
        values = self.worlds[world].constants
        return tuple((c.name, values[c.name]) for c in self.spec.constants if c.name in self.open)


def find_instance(spec: ir.Spec, name: str) -> ir.InstanceDecl:
    """The instance of this name. Raises SpecError (Q0501) if the spec has none."""
    for decl in spec.instances:
        if decl.name == name:
            return decl
    names = [decl.name for decl in spec.instances]
    hint = did_you_mean(name, names) or (
        f"its instances are {', '.join(names)}" if names else "it has no instances; give sizes with `--set Name=size`"
    )
    raise SpecError([Diagnostic("Q0501", f"`{spec.name}` has no instance `{name}`", hint=hint)])


def default_instance(spec: ir.Spec) -> ir.InstanceDecl:
    """An instance that sets nothing, for specs without any: sizes come from overrides."""
    return ir.InstanceDecl("default", spec.span, (), (), (), (), ())


Told: TypeAlias = Callable[[Domains], Value]
"""The value of a constant, once it is known how large everything is. It is a value of the constant's type."""


def instantiate(
    spec: ir.Spec,
    decl: ir.InstanceDecl,
    overrides: Mapping[str, str] | None = None,
    told: Mapping[str, Told] | None = None,
) -> Instance:
    """Make the spec finite. Raises SpecError with every problem of the instance that can be found.

    `overrides` are texts by name, as `--set` gives them; `told` are constants that are known otherwise.
    """
    decl = with_overrides(spec, decl, overrides or {})
    sizes = _sizes(spec, decl)
    given = {**(told or {}), **dict(decl.constants)}
    worlds = _Worlds(spec, decl, sizes, given).all()
    return Instance(spec, decl, worlds, frozenset(c.name for c in spec.constants if c.name not in given))


# --- sizes ------------------------------------------------------------------------------------------


def _sizes(spec: ir.Spec, decl: ir.InstanceDecl) -> dict[str, int]:
    given = dict(decl.sizes)
    problems = []
    for each in (*spec.sorts, *spec.orders):
        size = given.get(each.name)
        if size is None or size < 1:
            problems.append(
                Diagnostic(
                    "Q0505",
                    f"the instance `{decl.name}` does not say how many elements `{each.name}` has",
                    each.span,
                    f"add `{each.name} = 3` to it, or give `--set {each.name}=3`",
                )
            )
        elif size > MOST_ELEMENTS:
            problems.append(too_many(f"`{each.name}` would have {size:,} elements", decl.span))
    if problems:
        raise SpecError(problems)
    return given


# --- quorums ----------------------------------------------------------------------------------------


def _families(
    spec: ir.Spec, decl: ir.InstanceDecl, sizes: Mapping[str, int], evaluator: Evaluator
) -> dict[str, tuple[frozenset[int], ...]]:
    choices = dict(decl.quorums)
    families = {}
    for quorum in spec.quorums:
        assert isinstance(quorum.of, ty.Sort | ty.Order)
        size = sizes[quorum.of.name]
        families[quorum.name] = _family(quorum, choices.get(quorum.name, ir.Majorities()), size, decl, evaluator)
    for quorum in spec.quorums:
        for other in quorum.meets:
            _check_meeting(spec, quorum, other, families, sizes, decl)
    return families


def _family(
    quorum: ir.QuorumDecl,
    choice: ir.Majorities | ir.OfSize | ir.Listed,
    size: int,
    decl: ir.InstanceDecl,
    evaluator: Evaluator,
) -> tuple[frozenset[int], ...]:
    of = ty.show(quorum.of)
    match choice:
        case ir.Majorities():
            return _all_of_size(quorum, size // 2 + 1, size, decl.span)
        case ir.OfSize(size=expr):
            members = _constant(evaluator.compile(expr))
            if not 1 <= members <= size:
                message = f"`{quorum.name}` cannot be the sets of {members} of the {size} elements of `{of}`"
                raise SpecError([Diagnostic("Q0511", message, expr.span, f"choose a number from 1 to {size}")])
            return _all_of_size(quorum, members, size, expr.span)
        case ir.Listed(members=listed):
            for position in itertools.chain.from_iterable(listed):
                if position >= size:
                    message = f"`{quorum.name}` lists element {position} of `{of}`, which has only {size}, from 0 on"
                    raise SpecError([Diagnostic("Q0511", message, decl.span, f"list elements 0 to {size - 1}")])
            return tuple(dict.fromkeys(map(frozenset, listed)))
        case _:
            assert_never(choice)


def _all_of_size(quorum: ir.QuorumDecl, members: int, size: int, span: Span) -> tuple[frozenset[int], ...]:
    count = math.comb(size, members)
    if count > MOST_QUORUMS:
        raise SpecError([too_many(f"`{quorum.name}` would have {shown_size(count)} quorums", span)])
    return tuple(map(frozenset, itertools.combinations(range(size), members)))


def _check_meeting(
    spec: ir.Spec,
    quorum: ir.QuorumDecl,
    other: str,
    families: Mapping[str, tuple[frozenset[int], ...]],
    sizes: Mapping[str, int],
    decl: ir.InstanceDecl,
) -> None:
    """Raises SpecError unless each member of the one family shares an element with each of the other."""
    assert isinstance(quorum.of, ty.Sort | ty.Order)
    ours, theirs = families[quorum.name], families[other]
    if min(map(len, ours)) + min(map(len, theirs)) > sizes[quorum.of.name]:
        return
    apart = next(((p, q) for p in ours for q in theirs if not p & q), None)
    if apart is None:
        return
    first, second = ("{" + ", ".join(element(spec, quorum.of, i) for i in sorted(member)) + "}" for member in apart)
    which = "two members" if other == quorum.name else f"a member and one of `{other}`"
    message = f"in `{decl.name}` {which} of `{quorum.name}` do not meet: {first} and {second}"
    note = (f"`{quorum.name}` is declared here: its proofs rest on the shared element", quorum.span)
    hint = "choose larger quorums, such as `majority`"
    raise SpecError([Diagnostic("Q0510", message, decl.span, hint, (note,))])


def _family_text(domains: Domains, quorum: ir.QuorumDecl, family: ir.Majorities | ir.OfSize | ir.Listed) -> str:
    if isinstance(family, ir.OfSize):
        return f"{len(domains.families[quorum.name][0])} of {ty.show(quorum.of)}"
    shown = [to_value(domains, ty.Quorum(quorum.name), i) for i in range(len(domains.families[quorum.name]))]
    return ", ".join(show(member) for member in shown if isinstance(member, SetValue))


# --- constants --------------------------------------------------------------------------------------


class _Worlds:
    """Goes through the interpretations of the constants, giving up on each as soon as an assumption fails."""

    def __init__(
        self, spec: ir.Spec, decl: ir.InstanceDecl, sizes: Mapping[str, int], given: Mapping[str, ir.Expr | Told]
    ) -> None:
        self.spec, self.decl, self.sizes, self.given = spec, decl, sizes, given
        self.definitions = {d.name: d for d in spec.definitions}
        self.names = frozenset(c.name for c in spec.constants)
        # The interpretation in hand; constants come and go while worlds are sought.
        self.values: dict[str, Value] = {}
        self.families: Mapping[str, tuple[frozenset[int], ...]] = {}
        self.order = self._in_order()
        # Constants that have the same value in every world.
        self.fixed: frozenset[str] = frozenset()
        # The other ones that bounds of ranges mention: worlds that agree on them have the same domains.
        self.deciding: list[str] = []
        self.shared: Evaluator | None = None
        self.assumptions = [clause for p in spec.properties if p.kind == "assume" for clause in p.clauses]
        self.judges: dict[int, Eval] = {}
        self.tried = 0

    def all(self) -> tuple[World, ...]:
        """Every world, in order. Raises SpecError if there is none."""
        for constant in self.order:
            value = self.given.get(constant.name)
            if value is not None and self._is_known([constant.type]):
                self.values[constant.name] = self._given_value(constant, value)
        self.fixed = frozenset(self.values)
        if self.fixed < self.names:
            self.deciding = sorted(self._mentions(p for p in _parts(self.spec) if isinstance(p, ty.Range)) - self.fixed)
        self.families = self._families()
        self.shared = None if self.deciding else self._build(self.values)
        found = list(self._extend(0, self._due()))
        if not found:
            span = self.assumptions[0].span if self.assumptions else self.decl.span
            message = f"no interpretation of the constants in `{self.decl.name}` satisfies the assumptions"
            raise SpecError([Diagnostic("Q0509", message, span, "there is nothing to explore: change sizes or values")])
        return self._with_domains(found)

    def _families(self) -> dict[str, tuple[frozenset[int], ...]]:
        for name, family in self.decl.quorums:
            if isinstance(family, ir.OfSize) and not self._is_known([family.size]):
                message = f"the size of `{name}` depends on a constant without a value"
                raise SpecError([Diagnostic("Q0511", message, family.size.span, "give the constant a value")])
        return _families(self.spec, self.decl, self.sizes, self._evaluator())

    def _is_known(self, roots: Iterable[object]) -> bool:
        """Whether something depends only on sizes and on constants that have their value already."""
        roots = list(roots)
        quorums = any(isinstance(part, ty.Quorum) for root in roots for part in _parts(root))
        return not quorums and self._mentions(roots) <= self.values.keys()

    def _in_order(self) -> list[ir.ConstantDecl]:
        """The constants, each after those that its type mentions; none mentions itself in a circle."""
        done: dict[str, ir.ConstantDecl] = {}
        waiting = list(self.spec.constants)
        while waiting:
            ready = [c for c in waiting if self._mentions([c.type]) <= done.keys()]
            assert ready, "the elaborator refuses constants that depend on each other"
            done |= {c.name: c for c in ready}
            waiting = [c for c in waiting if c.name not in done]
        return list(done.values())

    def _mentions(self, roots: Iterable[object]) -> frozenset[str]:
        """The constants on which the value of something may depend, through types and definitions."""
        found: set[str] = set()
        called: set[str] = set()
        todo = list(roots)
        while todo:
            for part in _parts(todo.pop()):
                if isinstance(part, ir.Read) and part.name in self.names:
                    found.add(part.name)
                elif isinstance(part, ir.Call) and part.name not in called:
                    called.add(part.name)
                    todo.append(self.definitions[part.name])
                elif isinstance(part, ty.Record | ty.Message) and f"type {part.name}" not in called:
                    called.add(f"type {part.name}")
                    todo.extend(r.fields for r in self.spec.records if r.name == part.name)
                    todo.extend(m.layout for m in self.spec.messages if m.name == part.name)
        return frozenset(found)

    # --- values -------------------------------------------------------------------------------------

    def _given_value(self, constant: ir.ConstantDecl, expr: ir.Expr | Told) -> Value:
        if not isinstance(expr, ir.Node):
            return expr(self._evaluator().domains)
        value = _constant(self._evaluator().compile(expr))
        if problem := self._unfit(constant.type, value):
            message = f"`{constant.name}` cannot be `{expr.span.text}`: {problem}"
            note = (f"`{constant.name}` is declared here", constant.span)
            raise SpecError([Diagnostic("Q0507", message, expr.span, "choose a value of its type", (note,))])
        return value

    def _unfit(self, type_: ty.Type, value: Value) -> str | None:
        """Why a value that an instance gives does not fit a constant's type."""
        match type_:
            case ty.Option(item):
                return None if value is None else self._unfit(item, value)
            case ty.Sort(name) | ty.Order(name) if not 0 <= value < self.sizes[name]:
                return f"`{name}` has only {self.sizes[name]} elements, from 0 on"
            case _:
                outside = self._evaluator().domains.outside(type_)
                found = outside and outside(value)
                return f"it is outside {found[1]}..{found[2]}" if found else None

    def _extend(self, i: int, due: Sequence[Sequence[ir.Expr]]) -> Iterator[dict[str, Value]]:
        """All ways to give values to the constants from the `i`-th on; `due[i]` can be judged before the `i`-th."""
        if not all(self._true(clause) for clause in due[i]):
            return
        if i == len(self.order):
            yield dict(self.values)
            return
        constant = self.order[i]
        given = self.given.get(constant.name)
        if given is not None:
            if constant.name not in self.fixed:
                self.values[constant.name] = self._given_value(constant, given)
            yield from self._extend(i + 1, due)
            return
        for value in self._choices(constant):
            self.tried += 1
            if self.tried > MOST_VALUES:
                raise SpecError(
                    [too_many("the constants without a value have too many interpretations", constant.span)]
                )
            self.values[constant.name] = value
            yield from self._extend(i + 1, due)
        self.values.pop(constant.name, None)

    def _choices(self, constant: ir.ConstantDecl) -> Sequence[Value]:
        if _has_integers(constant.type):
            name = self.decl.name
            message = f"`{constant.name}` has no value in `{name}`, and its type has infinitely many"
            hint = f"add `{constant.name} = …` to `{name}`, or give `--set {constant.name}=…`"
            raise SpecError([Diagnostic("Q0506", message, constant.span, hint)])
        return self._evaluator().domains.values(constant.type, constant.span)

    def _due(self) -> list[list[ir.Expr]]:
        """The assumptions by how many constants must be known to judge them."""
        due: list[list[ir.Expr]] = [[] for _ in range(len(self.order) + 1)]
        place = {constant.name: i + 1 for i, constant in enumerate(self.order)}
        for clause in self.assumptions:
            due[max((place[name] for name in self._mentions([clause])), default=0)].append(clause)
        return due

    def _true(self, clause: ir.Expr) -> bool:
        judge = self.judges.get(id(clause))
        if judge is None:
            judge = self._evaluator().compile(clause)
            if self.shared is not None:
                self.judges[id(clause)] = judge
        return bool(_constant(judge))

    # --- domains ------------------------------------------------------------------------------------

    def _evaluator(self) -> Evaluator:
        """Evaluates under the interpretation in hand."""
        return self.shared or self._build(self.values)

    def _build(self, values: Mapping[str, Value]) -> Evaluator:
        known: dict[ty.Range, tuple[int, int]] = {}

        def bounds(range_: ty.Range) -> tuple[int, int]:
            if range_ not in known:
                low, high = evaluator.compile(range_.low), evaluator.compile(range_.high)
                known[range_] = (_constant(low), _constant(high))
            return known[range_]

        def read(name: str) -> Eval:
            return lambda s, e: values[name]

        evaluator = Evaluator(
            Domains(self.spec, self.sizes, self.families, bounds), {name: read(name) for name in self.names}
        )
        return evaluator

    def _with_domains(self, found: list[dict[str, Value]]) -> tuple[World, ...]:
        """Worlds with domains of their own, shared by those that agree on what the bounds of ranges mention."""
        if len(found) > _MOST_WORLDS:
            raise SpecError([too_many(f"the constants have {len(found):,} interpretations", self.decl.span)])
        shared: dict[tuple[Value, ...], Domains] = {}
        worlds = []
        for values in found:
            shape = tuple(values[name] for name in self.deciding)
            if shape not in shared:
                shared[shape] = self._build(values).domains
            worlds.append(World(values, shared[shape]))
        return tuple(worlds)


def _constant(value: Eval) -> Any:
    """The value of a constant expression; errors of evaluation are errors of the file."""
    try:
        return value((), {})
    except Fault as fault:
        raise SpecError([fault.diagnostic]) from None
    except CutOff as cut:
        raise SpecError([cut.fault.diagnostic]) from None


def _has_integers(type_: ty.Type) -> bool:
    """Whether the type holds unbounded integers, and so has infinitely many values."""
    match type_:
        case ty.Int():
            return True
        case ty.Option(item) | ty.Set(item) | ty.Seq(_, item) | ty.Map(_, item):
            return _has_integers(item)
        case _:
            return False


def _parts(root: object) -> Iterator[object]:
    """Everything that a value of the typed form is made of, itself included; spans and sources left out."""
    todo = [root]
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):
            todo.extend(part)
        elif dataclasses.is_dataclass(part):
            yield part
            todo.extend(getattr(part, f.name) for f in dataclasses.fields(part) if f.name not in ("span", "source"))
