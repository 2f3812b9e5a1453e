"""Random specs that are well typed and mean nothing: state, roles, messages, steps and properties of every type.

Operations may be undefined and integers may leave their ranges: engines have to find the same faults, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Named = tuple[str, str]
"""A text that can be read or assigned, and its type."""

ELEMENT = {"Set[Node]": "Node", "Set[Rank]": "Rank", "Set[0..2]": "0..2"}
MAPS = {"Map[Node, Bool]": ("Node", "Bool"), "Map[Node, Rank?]": ("Node", "Rank?"), "Map[Rank, 0..2]": ("Rank", "0..2")}
ITEMS = {"Seq[0..2, Colour]": ("0..2", "Colour"), "Seq[Rank, 0..2]": ("Rank", "0..2")}
OPTIONS = {"Node?": "Node", "Rank?": "Rank", "Pair?": "Pair", "Colour?": "Colour"}
SIMPLE = ("Bool", "0..2", "Node", "Rank", "Colour", "Pair")
TYPES = (*SIMPLE, *OPTIONS, *ELEMENT, *MAPS, *ITEMS)
ORDERED = ("0..2", "Rank", "Rank?")
KNOWN = (*ITEMS, "Node?", "Rank", "Rank?", "Pair?", "Set[Node]", "Set[Rank]", "Map[Rank, 0..2]")
"""Types of which there is always a variable, for places where nothing else says which type is meant."""

LITERALS = {
    "Bool": ("false", "true"),
    "0..2": ("0", "1", "2"),
    "Rank": ("zero",),
    "Colour": ("red", "green"),
    "Pair": ("Pair(zero, true)",),
    **dict.fromkeys(OPTIONS, ("none",)),
    **dict.fromkeys(ELEMENT, ("{}",)),
    **dict.fromkeys(ITEMS, ("[]",)),
    "Map[Node, Bool]": ("[k in Node -> false]",),
    "Map[Node, Rank?]": ("[k in Node -> none]",),
    "Map[Rank, 0..2]": ("[k in Rank -> 1]",),
}
"""A sort has none: there is a node in every scope."""

FAULTS = (
    *("", "", "fault stop", "fault stop where self == odd", "fault byzantine where self == odd"),
    *("fault partition", "fault partition where self != odd", "fault link"),
)
NETWORKS = ("lossy, duplicating, reordering", "reordering", "lossy, reordering", "fifo", "lossy, fifo")
LIMITS = (["crashes <= 1", "partitions <= 1"], ["messages <= 2"], ["crashes <= 1", "messages <= 3"], [])


@dataclass
class Scope:
    """What an expression may read, and whether it may ask what was sent or how things were before."""

    atoms: list[Named]
    sent: bool = False
    old: bool = False

    def plus(self, *more: Named) -> Scope:
        return replace(self, atoms=[*self.atoms, *more])

    def of(self, type_: str) -> list[str]:
        return [text for text, each in self.atoms if each == type_]


@dataclass
class Writer:
    """Writes one spec by the choices of `draw`.

    `fields`: the types of the message's fields. `careful`: partial operations are guarded, so that more can happen.
    """

    draw: st.DrawFn
    fields: Sequence[str] = ()
    careful: bool = True
    names: int = field(default=0, init=False)

    def pick(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))

    def chance(self) -> bool:
        return self.draw(st.booleans())

    def fresh(self) -> str:
        self.names += 1
        return f"v{self.names}"

    # --- expressions ---------------------------------------------------------------------------------------

    def expression(self, type_: str, scope: Scope, depth: int) -> str:
        atoms = scope.of(type_)
        if atoms and (depth <= 0 or self.chance()):
            return self.pick(atoms)
        if depth <= 0:
            return self.pick(LITERALS[type_]).replace("k in", f"{self.fresh()} in")
        if type_ != "Bool" and self.draw(st.integers(0, 5)) == 0:
            sides = [self.expression(type_, scope, depth - 1) for _ in range(2)]
            return f"(if {self.condition(scope, depth - 1)} then {sides[0]} else {sides[1]})"
        return self.compound(type_, scope, depth - 1)

    def compound(self, type_: str, scope: Scope, depth: int) -> str:
        if type_ == "Bool":
            return self.condition(scope, depth)
        if type_ in OPTIONS:
            return self.pick([self.expression(OPTIONS[type_], scope, depth), "none"])
        if type_ in ELEMENT:
            return self.set(type_, scope, depth)
        if type_ in MAPS:
            (key, value), name = MAPS[type_], self.fresh()
            return f"[{name} in {key} -> {self.expression(value, scope.plus((name, key)), depth)}]"
        if type_ in ITEMS:
            return self.sequence(type_, scope, depth)
        return self.pick(self.simple(type_, scope, depth))

    def simple(self, type_: str, scope: Scope, depth: int) -> list[str]:
        def sub(other: str) -> str:
            return self.expression(other, scope, depth)

        def known(other: str) -> str:
            return self.known(other, scope)

        match type_:
            case "0..2":
                cardinals = [f"size({known('Set[Node]')})", f"length({known('Seq[0..2, Colour]')})"]
                upper, lower = (f"{sub(type_)} + 1", f"{sub(type_)} - 1")
                sums = [f"min({upper}, 2)", f"max({lower}, 0)"] if self.careful else [f"({upper})", f"({lower})"]
                greatest, image = f"max({sub(type_)}, {sub(type_)})", f"{known('Map[Rank, 0..2]')}[{sub('Rank')}]"
                return [*cardinals, *sums, greatest, image]
            case "Node":
                return [self.value("Node?", scope), self.extremum("Set[Node]", scope, depth)]
            case "Rank":
                before = self.guarded("{x} != zero", "{x}.prev", known(type_), type_, scope)
                neighbours = [before, f"{known(type_)}.next", f"min({sub(type_)}, {sub(type_)})"]
                part = self.guarded("{x} != none", "{x}.rank", known("Pair?"), type_, scope)
                return [*neighbours, part, self.value("Rank?", scope), self.extremum("Set[Rank]", scope, depth)]
            case "Pair":
                return [f"Pair({sub('Rank')}, {sub('Bool')})", self.value("Pair?", scope)]
            case _:
                item = "{x}[" + self.pick(["1", "length({x})"] if self.careful else [sub("0..2")]) + "]"
                return [self.guarded("length({x}) > 0", item, known("Seq[0..2, Colour]"), type_, scope)]

    def value(self, option: str, scope: Scope) -> str:
        return self.guarded("{x} != none", "(the {x})", self.known(option, scope), OPTIONS[option], scope)

    def guarded(self, guard: str, partial: str, operand: str, type_: str, scope: Scope) -> str:
        """A partial operation on x, and something else where it is not defined."""
        if not self.careful:
            return partial.format(x=operand)
        otherwise = self.expression(type_, scope, 0)
        return f"(if {guard.format(x=operand)} then {partial.format(x=operand)} else {otherwise})"

    def known(self, type_: str, scope: Scope) -> str:
        """Something whose type can be told without a context."""
        return self.pick(scope.of(type_))

    def sequence(self, type_: str, scope: Scope, depth: int) -> str:
        position, item = ITEMS[type_]
        known = self.known(type_, scope)
        at = self.expression(position, scope, depth)
        at = f"min(length({known}), {at})" if self.careful else at
        new = self.expression(item, scope, depth)
        longer = self.guarded("length({x}) < 2", f"append({{x}}, {new})", known, type_, scope)
        return self.pick([f"{known}[..{at}]", f"[{new}]", longer if position == "0..2" else f"append({known}, {new})"])

    def set(self, type_: str, scope: Scope, depth: int) -> str:
        element, name = ELEMENT[type_], self.fresh()
        inner = scope.plus((name, element))
        match self.draw(st.integers(0, 3)):
            case 0:
                return f"{{{self.expression(element, scope, depth)}}}"
            case 1:
                sides = [self.expression(type_, scope, depth) for _ in range(2)]
                return f"({sides[0]} {self.pick(['union', 'minus', 'intersect'])} {sides[1]})"
            case 2:
                return f"{{{name} in {element} | {self.condition(inner, depth)}}}"
            case _:
                item = self.expression(element, inner, depth)
                return f"{{{item} for {name} in {element}{self.where(inner, depth)}}}"

    def extremum(self, type_: str, scope: Scope, depth: int) -> str:
        element, name = ELEMENT[type_], self.fresh()
        inner = scope.plus((name, element))
        key = f" by {self.expression(self.pick(ORDERED), inner, depth - 1)}" if element == "Node" else ""
        found = f"({self.pick(['max', 'min'])} {name} in {{x}}{key})"
        only = "{x} != {{}}" if element == "Rank" else "size({x}) == 1"
        return self.guarded(only, found, self.known(type_, scope), element, scope)

    # --- formulas ------------------------------------------------------------------------------------------

    def condition(self, scope: Scope, depth: int) -> str:
        if depth <= 0:
            return self.comparison(scope, 0)
        match self.draw(st.integers(0, 7)):
            case 0:
                return f"not ({self.expression('Bool', scope, depth - 1)})"
            case 1 | 2:
                sides = [self.expression("Bool", scope, depth - 1) for _ in range(2)]
                return f"(({sides[0]}) {self.pick(['and', 'or', '=>', '<=>'])} ({sides[1]}))"
            case 3:
                type_ = self.pick([each for each in ELEMENT if scope.of(each)])
                return f"({self.expression(ELEMENT[type_], scope, depth - 1)} in {self.known(type_, scope)})"
            case 4 | 5:
                return self.quantifier(scope, depth)
            case 6 if scope.sent:
                values = ", ".join(self.pick(["_", self.expression(each, scope, depth - 1)]) for each in self.fields)
                ends = self.pick(["", f" from {self.node(scope)}", f" to {self.node(scope)}"])
                return f"(sent Note({values}){ends})"
            case _:
                return self.comparison(scope, depth - 1)

    def where(self, scope: Scope, depth: int) -> str:
        return f" where {self.condition(scope, depth)}" if self.chance() else ""

    def quantifier(self, scope: Scope, depth: int) -> str:
        name, type_ = self.fresh(), self.pick(["Node", "Rank", "0..2", *(each for each in ELEMENT if scope.of(each))])
        inner = scope.plus((name, ELEMENT.get(type_, type_)))
        domain = self.known(type_, scope) if type_ in ELEMENT else type_
        word, where = self.pick(["forall", "exists"]), self.where(inner, depth - 2)
        return f"({word} {name} in {domain}{where}: {self.condition(inner, depth - 1)})"

    def comparison(self, scope: Scope, depth: int) -> str:
        """The left side has a type by itself."""
        text, type_ = self.pick(scope.atoms)
        more = ["<", "<=", ">", ">="] if type_ in ORDERED else ["subset"] if type_ in ELEMENT else []
        left = f"old({text})" if scope.old and self.chance() else text
        return f"({left} {self.pick(['==', '!=', *more])} {self.expression(type_, scope, depth)})"

    # --- steps ---------------------------------------------------------------------------------------------

    def step(self, head: str, scope: Scope, places: Sequence[Named], sender: str) -> list[str]:
        guards = [f"require {self.condition(scope, 2)}" for _ in range(self.pick([0, 0, 1, 2]))]
        if self.chance():
            name = self.fresh()
            guards.append(f"pick {name} in {self.pick(['Node', 'Node', self.known('Set[Node]', scope)])}")
            scope = scope.plus((name, "Node"))
        return [head, *_indented([*guards, *self.block(scope, places, sender, 1)])]

    def block(self, scope: Scope, places: Sequence[Named], sender: str, depth: int) -> list[str]:
        lines = []
        for _ in range(self.draw(st.integers(1, 3))):
            match self.draw(st.integers(0, 6)):
                case 0 if depth > 0:
                    lines += [f"if {self.condition(scope, 2)}"]
                    lines += _indented(self.block(scope, places, sender, depth - 1))
                    if self.chance():
                        lines += ["else", *_indented(self.block(scope, places, sender, depth - 1))]
                case 1:
                    lines.append(self.send(scope, sender))
                case 2:
                    (text, type_), name = self.pick(scope.atoms), self.fresh()
                    lines.append(f"let {name} = {self.condition(scope, 2) if type_ == 'Bool' else text}")
                    scope = scope.plus((name, type_))
                case _:
                    lines.append(self.assignment(scope, *self.pick(places)))
        return lines

    def assignment(self, scope: Scope, place: str, type_: str) -> str:
        inside = MAPS.get(type_) or ITEMS.get(type_)
        if inside and self.chance() and (type_ in MAPS or not self.careful):
            key, value = inside
            return f"{place}[{self.expression(key, scope, 1)}] := {self.expression(value, scope, 2)}"
        if (type_ == "Pair" or (type_ == "Pair?" and not self.careful)) and self.chance():
            return f"{place}.flag := {self.expression('Bool', scope, 2)}"
        return f"{place} := {self.expression(type_, scope, 3)}"

    def send(self, scope: Scope, sender: str) -> str:
        head = f"send Note({', '.join(self.expression(type_, scope, 1) for type_ in self.fields)}){sender}"
        if self.chance():
            return f"{head} to {self.node(scope)}"
        name = self.fresh()
        return f"{head} to each {name} in Node{self.where(scope.plus((name, 'Node')), 1)}"

    def node(self, scope: Scope) -> str:
        """A name for a node."""
        return self.pick([text for text in scope.of("Node") if text.isalnum()])

    # --- the whole -----------------------------------------------------------------------------------------

    def variables(self, prefix: str, most: int) -> list[Named]:
        types = self.draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=most))
        return [(f"{prefix}{i}", type_) for i, type_ in enumerate((*types, *KNOWN))]

    def declared(self, words: Sequence[str], variables: Sequence[Named]) -> list[str]:
        def initial(type_: str) -> str:
            return LITERALS.get(type_, ("any",))[0]

        return [f"{self.pick(words)} {name}: {type_} = {initial(type_)}" for name, type_ in variables]

    def spec(self) -> list[str]:
        fields = [(f"f{i}", type_) for i, type_ in enumerate(self.fields)]
        own, shared = self.variables("r", 2), self.variables("g", 3)
        role, top = Scope([*own, ("self", "Node")]), Scope([*shared, ("p", "Node")], sent=True)
        received = role.plus(("m.from", "Node"), *((f"m.{name}", type_) for name, type_ in fields))
        fault = self.pick(FAULTS)
        seen = top.plus(*((f"p.{name}", type_) for name, type_ in own))
        return [
            "spec Random",
            "sort Node",
            "order Rank from zero",
            "enum Colour = red, green",
            "record Pair(rank: Rank, flag: Bool)",
            f"message Note({', '.join(f'{name}: {type_}' for name, type_ in fields)}) from Node to Node",
            f"network {self.pick(NETWORKS)}",
            *(["constant odd: Node"] if "odd" in fault else []),
            *self.declared(["state"], shared),
            "role Node",
            *_indented([fault] if fault else []),
            *_indented(self.declared(["durable", "volatile"], own)),
            *_indented(self.step("on Note(m)", received, own, "")),
            *_indented(self.step("action act(x in Rank)", role.plus(("x", "Rank")), own, "")),
            *self.step("action top(p in Node)", seen, [each for each in seen.atoms if each[0] != "p"], " from p"),
            *self.properties(seen),
            *("instance i", "    Node = 2", "    Rank = 2", "    allow deadlock", *_indented(self.pick(LIMITS))),
        ]

    def properties(self, scope: Scope) -> list[str]:
        sides = [self.condition(scope, 2) for _ in range(2)]
        before = replace(scope, old=True)
        return [
            *("invariant Always", f"    forall p in Node: {self.condition(scope, 3)}"),
            *("invariant Implied", f"    forall p in Node: {sides[0]} => {sides[1]}"),
            *("step Each", f"    forall p in Node: {self.condition(before, 3)}"),
            *("reachable Some", f"    exists p in Node: {self.condition(scope, 3)}"),
        ]


def _indented(lines: Sequence[str]) -> list[str]:
    return ["    " + line for line in lines]


@st.composite
def random_specs(draw: st.DrawFn) -> str:
    """The text of a spec with one instance."""
    fields = draw(st.lists(st.sampled_from((*SIMPLE, *OPTIONS)), max_size=2))
    careful = draw(st.sampled_from([True, True, True, False]))
    return "\n".join(Writer(draw, fields, careful).spec()) + "\n"
