"""Symmetry: which sorts an instance leaves interchangeable, and the C functions that rename their elements.

Nothing is asserted by the user: no literal of the language names an element, so only what an instance lists by name can
tell elements apart, and those sorts keep just the permutations that leave the lists as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from checker.explore.domains import Value
from checker.explore.native.emit_expr import Escape, Translator
from checker.explore.native.emit_loop import open_values
from checker.explore.native.emit_value import (
    add_item,
    code_of,
    construct,
    content,
    field_of,
    is_some,
    item_at,
    length_of,
    new_row,
    position,
    read_part,
    some,
    write,
)
from checker.explore.native.program import Program
from checker.explore.native.shapes import (
    Collection,
    Finite,
    Integer,
    Line,
    Mapping,
    Multiset,
    Nothing,
    Optional,
    Sequence,
    Shape,
    Tagged,
    Tuple,
    bits,
    parts,
)
from checker.explore.native.writer import Block, Code, Names, Wide
from checker.explore.native.writer import Value as CValue
from checker.language import ir
from checker.language import types as ty

MOST_SORTS, MOST_ELEMENTS, MOST_LISTED = 8, 16, 7
"""Limits of runtime.h; and the size of a sort up to which its permutations are listed, where not all of them count."""


@dataclass(frozen=True)
class Permuted:
    """A sort whose elements may be renamed; `rows`: by which permutations, None for all."""

    name: str
    size: int
    rows: tuple[tuple[int, ...], ...] | None


def permuted_sorts(program: Program) -> tuple[Permuted, ...]:
    """The sorts by which states can be reduced, in order of declaration."""
    found = []
    for decl in program.forms.spec.sorts:
        size = program.domains.sizes[decl.name]
        if not 2 <= size <= MOST_ELEMENTS or not _is_mentioned(program, decl.name):
            continue
        if _is_untouched(program, decl.name):
            found.append(Permuted(decl.name, size, None))
        elif size <= MOST_LISTED:
            rows = tuple(row for row in itertools.permutations(range(size)) if _keeps(program, decl.name, row))
            if len(rows) > 1:
                found.append(Permuted(decl.name, size, rows))
    return tuple(found[:MOST_SORTS])


def _is_mentioned(program: Program, sort: str) -> bool:
    return any(_mentions(program, field.shape, {sort}) for field in program.layout.fields)


def _mentions(program: Program, shape: Shape, sorts: set[str]) -> bool:
    """Whether values of the shape hold elements of one of the sorts, or quorums of them."""
    for part in parts(shape):
        match part:
            case Finite(ty.Sort(name), _) if name in sorts:
                return True
            case Finite(ty.Quorum(name), _) if _elements(program, name) in sorts:
                return True
            case _:
                pass
    return False


def _elements(program: Program, quorum: str) -> str:
    of = program.element_shape(quorum).type
    assert isinstance(of, ty.Sort | ty.Order)
    return of.name


def _is_untouched(program: Program, sort: str) -> bool:
    """Whether no list of the instance can tell elements of the sort apart."""
    families = dict(program.instance.decl.quorums)
    listed = any(
        _elements(program, q.name) == sort and isinstance(families.get(q.name), ir.Listed)
        for q in program.forms.spec.quorums
    )
    return not listed and not any(_type_mentions(program, c.type, sort) for c in program.forms.spec.constants)


def _type_mentions(program: Program, type_: ty.Type, sort: str) -> bool:
    match type_:
        case ty.Sort(name):
            return name == sort
        case ty.Quorum(name):
            return _elements(program, name) == sort
        case ty.Option(item) | ty.Set(item) | ty.Bag(item):
            return _type_mentions(program, item, sort)
        case ty.Map(first, second) | ty.Seq(first, second):
            return _type_mentions(program, first, sort) or _type_mentions(program, second, sort)
        case ty.Record() | ty.Message():
            return any(_type_mentions(program, t, sort) for _, t in program.domains.fields(type_))
        case _:
            return False


def _keeps(program: Program, sort: str, row: tuple[int, ...]) -> bool:
    """Whether a permutation leaves all quorum families and constants of the instance as they are."""
    for quorum in program.forms.spec.quorums:
        family = set(program.domains.families[quorum.name])
        if _elements(program, quorum.name) == sort and {frozenset(row[e] for e in m) for m in family} != family:
            return False
    return all(
        renamed(program, constant.type, world.constants[constant.name], sort, row) == world.constants[constant.name]
        for world in program.instance.worlds
        for constant in program.forms.spec.constants
    )


def renamed(program: Program, type_: ty.Type, value: Value, sort: str, row: tuple[int, ...]) -> Value:
    """A value with the elements of a sort renamed; element e becomes row[e]."""

    def go(type_: ty.Type, value: Value) -> Value:
        match type_:
            case ty.Sort(name):
                return row[value] if name == sort else value
            case ty.Quorum(name) if _elements(program, name) == sort:
                family = program.domains.families[name]
                return family.index(frozenset(row[e] for e in family[value]))
            case ty.Option(item):
                return None if value is None else go(item, value)
            case ty.Record() | ty.Message():
                pairs = zip(program.domains.fields(type_), value, strict=True)
                return tuple(go(item, x) for (_, item), x in pairs)
            case ty.Map(key, item):
                keys = program.domains.values(key, program.forms.spec.span)
                entries = {go(key, k): go(item, x) for k, x in zip(keys, value, strict=True)}
                return tuple(entries[k] for k in keys)
            case ty.Set(item):
                return frozenset(go(item, x) for x in value)
            case ty.Seq(_, item):
                return tuple(go(item, x) for x in value)
            case _:
                return value

    return go(type_, value)


# --- generated functions ----------------------------------------------------------------------------


def functions(program: Program, sorts: tuple[Permuted, ...]) -> Iterator[str]:
    """What runtime.h asks for under symmetry, as lines of C."""
    yield f"static const uint8_t sort_sizes[SORTS] = {{{', '.join(str(s.size) for s in sorts)}}};"
    groups = []
    for number, sort in enumerate(sorts):
        if sort.rows is None:
            groups.append("{NULL, 0}")
            continue
        numbers = ", ".join(str(e) for row in sort.rows for e in row)
        yield f"static const uint8_t group_{number}[] = {{{numbers}}};"
        groups.append(f"{{group_{number}, {len(sort.rows)}}}")
    yield f"static const Group sort_groups[SORTS] = {{{', '.join(groups)}}};"
    yield ""
    yield from _Renaming(program, sorts).function().render()
    yield ""
    for number, sort in enumerate(sorts):
        yield from _Key(program, sorts, number).function(sort.name).render()
        yield ""
    yield "static uint64_t element_key(const State *s, const Colours *colours, uint32_t sort, uint32_t e)"
    yield "{"
    yield "    switch (sort) {"
    yield from (f"    case {number}: return key_{number}(s, colours, e);" for number in range(len(sorts)))
    yield "    default: return 0;"
    yield "    }"
    yield "}"
    yield ""


class _Walker:
    """What renaming and keys have in common: a translator, and which shapes hold elements of permuted sorts."""

    def __init__(self, program: Program, sorts: tuple[Permuted, ...], head: str) -> None:
        self.program, self.sorts = program, sorts
        self.numbers = {sort.name: number for number, sort in enumerate(sorts)}
        self.block = Block(head, "function", None)
        names = Names()
        names.taken |= {"to", "out", "colours", "e", "key"}
        self.t = Translator(program, self.block, names, Escape("", lambda bound: "", "", ";"), "s")

    def holds(self, shape: Shape) -> bool:
        """Whether the shape holds elements of a permuted sort."""
        return _mentions(self.program, shape, set(self.numbers))


class _Renaming(_Walker):
    """The function `permute`."""

    def __init__(self, program: Program, sorts: tuple[Permuted, ...]) -> None:
        super().__init__(program, sorts, "static void permute(const State *s, const Renaming *to, State *out)")

    def function(self) -> Block:
        self.block.line("*out = *s;")
        for field in self.program.layout.fields:
            if self.holds(field.shape):
                self.block.line(f"// {field.name}")
                with self.t.branch(""):
                    value = self.t.named(self.program.read(field.name, "s"), "value")
                    write(self.t.block, "out->w", field.at, self.rename(value))
        return self.block

    def rename(self, value: CValue) -> CValue:
        """The value with all elements renamed."""
        t, shape = self.t, value.shape
        if not self.holds(shape):
            return value
        match shape:
            case Finite():
                assert isinstance(value, Code)
                return self.rename_element(value, shape)
            case Optional():
                row = new_row(t, shape, "option")
                with t.branch(f"if ({is_some(value)})"):
                    found = some(t, self.rename(content(value)), shape)
                    if isinstance(found, Wide):
                        row.put(t.block, 0, found)
                    else:
                        t.block.line(f"{row.name} = {found.text};")
                return row.value
            case Tuple(_, fields):
                return construct(t, shape, [self.rename(field_of(value, name)) for name, _ in fields])
            case Mapping(key, part):
                row = new_row(t, shape, "map")
                with t.restored():
                    old = open_values(t, key, "old")
                    assert isinstance(old, Code)
                    entry = t.named(read_part(value, item_at(shape, position(old)), part), "entry")
                    row.put(t.block, item_at(shape, position(self.rename(old))), self.rename(entry))
                return row.value
            case Collection() | Multiset() | Line():
                row = new_row(t, shape, "items")
                with t.items_of(value) as each:
                    add_item(t, row, self.rename(t.named(each, "item")))
                return row.value
            case Sequence(_, part):
                row = new_row(t, shape, "sequence", start=value)
                with t.loop_to(length_of(value).text) as i:
                    at = item_at(shape, f"({i} + 1)")
                    row.replace(t.block, at, self.rename(t.named(read_part(value, at, part), "item")))
                return row.value
            case Tagged(kinds):
                row = new_row(t, shape, "message", start=value)
                tag = Integer(0, len(kinds) - 1)
                for number, kind in enumerate(kinds):
                    if self.holds(kind):
                        found = read_part(value, shape.payload, tag)
                        assert isinstance(found, Code)
                        with t.branch(f"if ({found.text} == {number})"):
                            row.replace(t.block, 0, self.rename(t.named(read_part(value, 0, kind), kind.type.name)))
                return row.value
            case Integer() | Nothing():
                return value

    def rename_element(self, value: Code, shape: Finite) -> Code:
        match shape.type:
            case ty.Sort(name):
                return Code(shape, f"to->of[{self.numbers[name]}][{value.text}]")
            case ty.Quorum(name):
                members = self.program.members(value)
                new = self.rename(members)
                assert isinstance(new, Code)
                return Code(shape, f"{self.program.quorum_index(name)}[{new.text}]")
            case _:
                raise AssertionError("no permuted sort")


class _Key(_Walker):
    """The function that sums up an element of one sort in a state, alike for all renamings of both."""

    def __init__(self, program: Program, sorts: tuple[Permuted, ...], number: int) -> None:
        head = f"static uint64_t key_{number}(const State *s, const Colours *colours, uint64_t e)"
        super().__init__(program, sorts, head)
        self.number, self.sort = number, sorts[number].name

    def function(self, name: str) -> Block:
        self.block.line(f"uint64_t key = 0; // of an element of {name}")
        for salt, field in enumerate(self.program.layout.fields, 1):
            if self.sees(field.shape):
                self.block.line(f"// {field.name}")
                with self.t.branch(""):
                    value = self.t.named(self.program.read(field.name, "s"), "value")
                    self.t.block.line(f"key += mix({self.view(value)}, {salt});")
        self.block.line("return key;")
        return self.block

    def sees(self, shape: Shape) -> bool:
        """Whether values of the shape hold elements of the sort, so that they may tell its elements apart."""
        return _mentions(self.program, shape, {self.sort})

    def view(self, value: CValue) -> str:
        """A summary of a value in which the element stands out and others have their colours."""
        t, shape = self.t, value.shape
        if not self.holds(shape):
            return self.plain(value)
        match shape:
            case Finite():
                assert isinstance(value, Code)
                return self.view_element(value, shape)
            case Optional():
                name = t.names.fresh("view")
                t.block.line(f"uint64_t {name} = 0;")
                with t.branch(f"if ({is_some(value)})"):
                    t.block.line(f"{name} = mix({self.view(content(value))}, 1);")
                return name
            case Tuple(_, fields):
                return self.chain(self.view(field_of(value, name)) for name, _ in fields)
            case Mapping():
                return self.view_map(value, shape)
            case Collection() | Multiset():
                return self.view_items(value, shape)
            case Line() | Sequence():
                name = t.names.fresh("view")
                t.block.line(f"uint64_t {name} = {code_of(length_of(value))};")
                with t.items_of(value) as item:
                    t.block.line(f"{name} = mix({name}, {self.view(t.named(item, 'item'))});")
                return name
            case Tagged(kinds):
                tag = read_part(value, shape.payload, Integer(0, len(kinds) - 1))
                assert isinstance(tag, Code)
                name = t.names.fresh("view")
                t.block.line(f"uint64_t {name} = {code_of(tag)};")
                for number, kind in enumerate(kinds):
                    with t.branch(f"if ({tag.text} == {number})"):
                        message = t.named(read_part(value, 0, kind), kind.type.name)
                        t.block.line(f"{name} = mix({name}, {self.view(message)});")
                return name
            case Integer() | Nothing():
                return self.plain(value)

    def plain(self, value: CValue) -> str:
        """A value that no renaming changes."""
        if isinstance(value, Code):
            return code_of(value)
        width = bits(value.shape)
        pieces = (f"load({value.base}, {_after(value.at, i)}, {min(64, width - i)})" for i in range(0, width, 64))
        return self.chain(pieces)

    def chain(self, texts: Iterator[str]) -> str:
        """A summary of several summaries in order."""
        name = self.t.names.fresh("view")
        self.t.block.line(f"uint64_t {name} = 0;")
        for text in texts:
            self.t.block.line(f"{name} = mix({name}, {text});")
        return name

    def view_element(self, value: Code, shape: Finite) -> str:
        match shape.type:
            case ty.Sort(name) if name == self.sort:
                return f"({value.text} == e ? UINT64_C(0xe1e) : colours->of[{self.number}][{value.text}])"
            case ty.Sort(name):
                return f"colours->of[{self.numbers[name]}][{value.text}]"
            case ty.Quorum():
                return self.view(self.t.named(self.program.members(value), "members"))
            case _:
                raise AssertionError("no permuted sort")

    def view_map(self, value: CValue, shape: Mapping) -> str:
        """Of a map from the sort whose values do not speak of it, only the element's own value counts."""
        t = self.t
        if shape.key == Finite(ty.Sort(self.sort), self.sorts[self.number].size) and not self.sees(shape.value):
            return self.view(t.named(read_part(value, item_at(shape, "e"), shape.value), "own"))
        name = t.names.fresh("view")
        t.block.line(f"uint64_t {name} = 0;")
        with t.restored():
            key = open_values(t, shape.key, "k")
            assert isinstance(key, Code)
            item = t.named(read_part(value, item_at(shape, position(key)), shape.value), "item")
            t.block.line(f"{name} += mix({self.view(key)}, mix({self.view(item)}, 2));")
        return name

    def view_items(self, value: CValue, shape: Collection | Multiset) -> str:
        """A sum over the items; where it can be told by a field, only over those that speak of the element."""
        t = self.t
        name = t.names.fresh("view")
        t.block.line(f"uint64_t {name} = 0;")
        with t.items_of(value) as item:
            item = t.named(item, "item")
            speaks = self.speaks(item)
            if speaks is not None:
                t.block = t.block.open(f"if ({speaks})")
            t.block.line(f"{name} += mix({self.view(item)}, 3);")
        return name

    def speaks(self, item: CValue) -> str | None:
        """The condition that an item speaks of the element, if only its fields do."""
        shape = item.shape
        if isinstance(shape, Finite) and shape.type == ty.Sort(self.sort) and isinstance(item, Code):
            return f"{item.text} == e"
        if not isinstance(shape, Tuple):
            return None
        tests = []
        for name, part in shape.fields:
            if not self.sees(part):
                continue
            found = field_of(item, name)
            if not isinstance(part, Finite) or part.type != ty.Sort(self.sort) or not isinstance(found, Code):
                return None
            tests.append(f"{found.text} == e")
        return " || ".join(tests)


def _after(at: int | str, offset: int) -> str:
    return f"{at} + {offset}" if offset else str(at)
