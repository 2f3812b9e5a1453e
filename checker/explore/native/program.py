"""What one generated program knows as a whole: its layout, constants, tables, and the bounds it may be cut off by.

It collects the tables that functions ask for; the functions themselves are written elsewhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from checker.explore.domains import Domains, Value
from checker.explore.instance import Instance
from checker.explore.native.emit_value import of_code
from checker.explore.native.layout import Layout, encode, lay_out
from checker.explore.native.shapes import (
    Collection,
    Finite,
    Integer,
    Nothing,
    Optional,
    Shape,
    Shapes,
    Unsupported,
    bits,
    is_wide,
    words,
)
from checker.explore.native.shapes import Mapping as MapShape
from checker.explore.native.shapes import Sequence as SequenceShape
from checker.explore.native.writer import Code, Names, Wide, as_constant, literal
from checker.explore.native.writer import Value as CValue
from checker.language import ir
from checker.language import types as ty
from checker.language.forms import Forms

WORLD = "world"
"""The field that tells which interpretation of the constants a state belongs to; no variable is called so."""


@dataclass
class Program:
    """The instance being compiled, and what its functions share. `bounds` grows as they are written."""

    instance: Instance
    domains: Domains
    shapes: Shapes
    layout: Layout
    forms: Forms
    names: Names = field(default_factory=Names)
    tables: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    bounds: list[str] = field(default_factory=list)
    uids: itertools.count[int] = field(default_factory=lambda: itertools.count(-(1 << 40), -1))
    constants: dict[str, CValue] = field(default_factory=dict)

    # --- tables -------------------------------------------------------------------------------------

    def table(self, wish: str, values: Sequence[str], ctype: str = "uint64_t") -> str:
        """The name of a constant array with these values."""
        key = (ctype, tuple(values))
        if key not in self.tables:
            self.tables[key] = self.names.fresh(wish)
        return self.tables[key]

    def bound(self, name: str) -> int:
        """The number of a bound of the instance."""
        if name not in self.bounds:
            if len(self.bounds) == 64:
                raise Unsupported("there are more than 64 bounds")
            self.bounds.append(name)
        return self.bounds.index(name)

    # --- quorums ------------------------------------------------------------------------------------

    def element_shape(self, quorum: str) -> Finite:
        """The shape of the elements of which quorums are made."""
        of = next(q.of for q in self.instance.spec.quorums if q.name == quorum)
        shape = self.shapes.of(of)
        assert isinstance(shape, Finite)
        return shape

    def members(self, quorum: Code) -> CValue:
        """The members of a quorum as a set."""
        assert isinstance(quorum.shape, Finite) and isinstance(quorum.shape.type, ty.Quorum)
        name = quorum.shape.type.name
        shape = Collection(self.element_shape(name), None)
        family = [encode(shape, member) for member in self.domains.families[name]]
        fixed = as_constant(quorum.text)
        if not is_wide(shape):
            if fixed is not None:
                return Code(shape, literal(family[fixed]))
            return Code(shape, f"{self.table(f'{name} members', [literal(m) for m in family])}[{quorum.text}]")
        row = words(shape)
        table = self.table(f"{name} members", [text for member in family for text in _words(member, row)])
        return Wide(shape, f"({table} + {row} * ({quorum.text}))", 0)

    def has_quorum(self, quorum: str, elements: int, mask: str) -> str:
        """Whether a mask of elements contains a quorum, by a table of all masks."""
        family = [sum(1 << e for e in member) for member in self.domains.families[quorum]]
        answers = [any(mask & member == member for member in family) for mask in range(1 << elements)]
        if elements <= 6:
            table = sum(answer << i for i, answer in enumerate(answers))
            return f"({literal(table)} >> {mask} & 1)"
        name = self.table(f"has {quorum}", [str(int(answer)) for answer in answers], "uint8_t")
        return f"{name}[{mask}]"

    def quorum_index(self, quorum: str) -> str:
        """A table from masks of elements to the number of the quorum that they are."""
        family = {sum(1 << e for e in member): i for i, member in enumerate(self.domains.families[quorum])}
        size = self.element_shape(quorum).size
        return self.table(f"{quorum} index", [str(family.get(mask, 0)) for mask in range(1 << size)], "uint32_t")

    # --- what is read -------------------------------------------------------------------------------

    def read(self, name: str, state: str) -> CValue:
        """The value of a variable or constant in a state."""
        found = self.layout.by_name.get(name)
        if found is None:
            return self.constant(name, state)
        if is_wide(found.shape):
            return Wide(found.shape, f"{state}->w", found.at)
        width = bits(found.shape)
        return of_code(found.shape, f"load({state}->w, {found.at}, {width})" if width else "0")

    def constant(self, name: str, state: str) -> CValue:
        """The value of a constant: one for all worlds, or a table of them."""
        decl = next(c for c in self.instance.spec.constants if c.name == name)
        values = [world.constants[name] for world in self.instance.worlds]
        shape = self.fitting(decl.type, values)
        numbers = [encode(shape, value) for value in values]
        same = len(set(numbers)) == 1
        world = self.layout.by_name.get(WORLD)
        at = "0" if same or world is None else f"load({state}->w, {world.at}, {bits(world.shape)})"
        numbers = numbers[:1] if same else numbers
        if is_wide(shape):
            row = words(shape)
            table = self.table(name, [text for n in numbers for text in _words(n, row)])
            return Wide(shape, table if same else f"({table} + {row} * {at})", 0)
        if same:
            return of_code(shape, literal(numbers[0]))
        return of_code(shape, f"{self.table(name, [literal(n) for n in numbers])}[{at}]")

    def fitting(self, type_: ty.Type, values: Sequence[Value]) -> Shape:
        """The shape of a type that has room for some values, where the type holds unbounded integers."""
        match type_:
            case ty.Int():
                return Integer(min(values), max(values)) if values else Nothing()
            case ty.Option(item):
                return Optional(self.fitting(item, [v for v in values if v is not None]))
            case ty.Map(key, value):
                return MapShape(self.shapes.of(key), self.fitting(value, [x for v in values for x in v]))
            case ty.Set(item):
                inside = self.fitting(item, [x for v in values for x in v])
                return self.shapes.set_of(inside, max([1, *map(len, values)]))
            case ty.Seq(index, item):
                inside = self.fitting(item, [x for v in values for x in v])
                return SequenceShape(self.shapes.of(index), inside, self.domains.longest(type_))
            case _:
                return self.shapes.of(type_)

    def shape_of_binder(self, binder: ir.Binder) -> Shape | None:
        """The shape of what a binder ranges over, as far as its type tells."""
        try:
            return self.shapes.of(binder.type)
        except Unsupported:
            return None


def _words(number: int, count: int) -> list[str]:
    """A row as its words."""
    return [literal(number >> 64 * i & ((1 << 64) - 1)) for i in range(count)]


def make_program(instance: Instance, room: int, rooms: dict[str, int]) -> Program:
    """The program of an instance. `room` is how many items a list may hold, `rooms` says so of single variables.

    Raises Unsupported where constants left open change the ranges of integers.
    """
    domains = instance.worlds[0].domains
    if any(world.domains is not domains for world in instance.worlds):
        raise Unsupported("the ranges of integers depend on a constant that the instance leaves open")
    shapes = Shapes(domains, room)
    placed = [(v.name, shapes.of(v.type, rooms.get(v.name))) for v in instance.spec.variables]
    if len(instance.worlds) > 1:
        placed.append((WORLD, Integer(0, len(instance.worlds) - 1)))
    return Program(instance, domains, shapes, lay_out(placed), Forms(instance.spec))
