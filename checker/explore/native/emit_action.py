"""Actions in C: a function for each, with a loop for each choice and every guard as far out as it may stand.

A guard moves outwards past choices that it does not depend on; an item that can end the step with an error or a bound
keeps its place among the items before it, so that errors and bounds are met exactly as the interpreter meets them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from checker.explore.native import emit_row
from checker.explore.native.emit_expr import Escape, Translator
from checker.explore.native.emit_loop import open_binder
from checker.explore.native.emit_value import negation
from checker.explore.native.program import Program
from checker.explore.native.shapes import codes
from checker.explore.native.touch import Touch
from checker.explore.native.writer import Block, Names, literal
from checker.language import ir
from checker.language.forms import Forms
from checker.language.paths import Bound, Check, Choose, Define, Guard, Item, Path, paths
from checker.language.traverse import free, substitute

_FEW_WORDS = 8  # are compared one by one

DEADLOCK, FAULT, FIRST_GOAL = 0, 1, 2
"""Findings of a generated program: a deadlock, an operation without meaning, then the goals in order."""


@dataclass(frozen=True)
class Fork:
    """What the paths have in common, and how they go on: at the end the updates of one path, or several ways."""

    items: tuple[Item, ...]
    end: Path | tuple[Fork, ...]


def fork(all_paths: Sequence[Path], start: int = 0) -> Fork:
    """The paths as a tree that branches where they first differ."""
    first = all_paths[0]
    end = start
    while end < min(len(p.items) for p in all_paths) and all(p.items[end] == first.items[end] for p in all_paths):
        end += 1
    common = first.items[start:end]
    if len(all_paths) == 1:
        return Fork(common, first)
    groups: dict[Item | None, list[Path]] = {}
    for path in all_paths:
        groups.setdefault(path.items[end] if end < len(path.items) else None, []).append(path)
    return Fork(common, tuple(fork(group, end) for group in groups.values()))


# --- choices that are none --------------------------------------------------------------------------


def told(
    parameters: tuple[ir.Binder, ...], all_paths: tuple[Path, ...], forms: Forms
) -> tuple[tuple[ir.Binder, ...], tuple[Path, ...]]:
    """Without the parameters of which the first guards tell that they are fields of others, as `m.to == self` does.

    So messages are gone through once, and not once for each receiver that they may have.
    """
    for item in fork(all_paths).items:
        if not _harmless(item, forms):
            break
        match item:
            case Guard(ir.Binary("==", ir.FieldOf(operand=ir.Local(uid=whole)) as field, ir.Local(uid=uid))):
                pass
            case _:
                continue
        binder = next((b for b in parameters if b.uid == uid), None)
        source = next((b for b in parameters if b.uid == whole), None)
        if binder is None or source is None or binder.domain is not None or binder.type != field.type:
            continue
        if source.domain is None or uid not in free(source.domain):
            rest = tuple(b for b in parameters if b is not binder)
            return told(rest, tuple(_with_value(path, item, uid, field) for path in all_paths), forms)
    return parameters, all_paths


def _with_value(path: Path, guard: Item, uid: int, value: ir.Expr) -> Path:
    """The path with a value in place of a parameter, and without the guard that tells it."""

    def put(expr: ir.Expr) -> ir.Expr:
        return substitute(expr, {uid: value})

    items = tuple(_with(put, item) for item in path.items if item != guard)
    return replace(path, items=items, updates=tuple(replace(u, value=put(u.value)) for u in path.updates))


def _with(put: Callable[[ir.Expr], ir.Expr], item: Item) -> Item:
    """The item with its expressions changed."""
    match item:
        case Guard(condition) | Bound(condition):
            return replace(item, condition=put(condition))
        case Define(_, value) | Check(_, value):
            return replace(item, value=put(value))
        case Choose(binder, where):
            domain = None if binder.domain is None else put(binder.domain)
            return replace(item, binder=replace(binder, domain=domain), where=None if where is None else put(where))
        case _:
            assert_never(item)


# --- the order of things ----------------------------------------------------------------------------


def schedule(
    parameters: Sequence[ir.Binder], items: Sequence[Item], forms: Forms, empty: Sequence[bool]
) -> list[list[Item]]:
    """The items to evaluate once 0, 1, 2, … of the choices are made; a `Choose` stands where it makes its choice.

    `empty`: for each parameter, whether there may be nothing to choose.
    """
    slot_of = {binder.uid: i for i, binder in enumerate(parameters, 1)}
    slots: list[list[Item]] = [[] for _ in range(len(parameters) + 1)]
    certain = max((i for i, none in enumerate(empty, 1) if none), default=0)
    latest, floor = 0, 0
    for item in items:
        needs = max((slot_of.get(uid, 0) for uid in _needs(item)), default=0)
        if isinstance(item, Choose):
            slots.append([item])
            slot = len(slots) - 1
            slot_of[item.binder.uid] = slot
            latest = certain = slot
            floor = slot if not _harmless(item, forms) else floor
            continue
        if _harmless(item, forms):
            slot = max(needs, floor)
        else:
            slot = floor = max(needs, floor, latest, certain)
        latest = max(latest, slot)
        slots[slot].append(item)
        if isinstance(item, Define):
            slot_of[item.binder.uid] = slot if not _harmless(item, forms) else needs
    return slots


def _needs(item: Item) -> frozenset[int]:
    """The bound names that an item mentions, its own choice apart."""
    match item:
        case Guard(condition) | Bound(condition):
            return free(condition)
        case Define(_, value) | Check(_, value):
            return free(value)
        case Choose(binder, where):
            inside = free(where) - {binder.uid} if where is not None else frozenset[int]()
            return inside | (free(binder.domain) if binder.domain is not None else frozenset())
        case _:
            assert_never(item)


def _harmless(item: Item, forms: Forms) -> bool:
    """Whether evaluating the item can neither fail nor be cut off."""
    match item:
        case Guard(condition):
            return forms.total(condition)
        case Define(_, value):
            return forms.total(value)
        case Choose(binder, where):
            return (where is None or forms.total(where)) and (binder.domain is None or forms.total(binder.domain))
        case Bound() | Check():
            return False
        case _:
            assert_never(item)


# --- functions --------------------------------------------------------------------------------------


def action_function(program: Program, number: int, action: ir.ActionDecl, name: str, touch: Touch) -> Block:
    """The function that takes all steps of an action from a state."""
    block = Block(f"static inline void {name}(Worker *w, const State *s)", "function", None)
    writer = _ActionWriter(program, block, number, touch)
    found = paths(program.forms.spec, action)
    if found:
        parameters, found = told(action.parameters, found, program.forms)
        writer.write(parameters, fork(found))
    return block


class _ActionWriter:
    """Writes the function of one action."""

    def __init__(self, program: Program, block: Block, number: int, touch: Touch) -> None:
        self.program, self.number, self.touch = program, number, touch
        self.names = Names()
        self.t = Translator(program, block, self.names, self.escape("return;"), "s")

    def escape(self, leave: str) -> Escape:
        """How a step fails: it is reported, and the next choice is tried."""
        undefined = f"{{ undefined(w, {FAULT}, {self.number}); {leave} }}"
        return Escape(undefined, lambda bound: f"{{ cut(w, {self.program.bound(bound)}); {leave} }}", leave)

    def write(self, parameters: Sequence[ir.Binder], tree: Fork) -> None:
        empty = [b.domain is not None or codes(self.program.shapes.of(b.type)) == 0 for b in parameters]
        slots = schedule(parameters, tree.items, self.program.forms, empty)
        self.open(list(parameters), slots, tree)

    def open(self, parameters: list[ir.Binder], slots: list[list[Item]], tree: Fork) -> None:
        """Writes the items of the first slot, then a loop for the next choice with the rest in it."""
        for item in slots[0]:
            self.item(item)
        if len(slots) == 1:
            self.rest(tree)
            return
        choice = slots[1][0] if slots[1] and isinstance(slots[1][0], Choose) else None
        if choice is None:
            self.choose(parameters[0], None, lambda: self.open(parameters[1:], slots[1:], tree))
        else:
            inner = [slots[1][1:], *slots[2:]]
            self.choose(choice.binder, choice.where, lambda: self.open([], inner, tree))

    def choose(self, binder: ir.Binder, where: ir.Expr | None, body: object) -> None:
        """A loop over the choices for a name, with the body in it."""
        assert callable(body)
        t, label, outside = self.t, self.names.fresh("next"), self.t.escape
        with t.restored():
            open_binder(t, binder)
            t.escape = self.escape(f"goto {label};")
            if where is not None:
                self.skip_unless(where)
            inside = t.block
            body()
            inside.line(f"{label}:;")
        t.escape = outside

    def skip_unless(self, condition: ir.Expr) -> None:
        """Goes on with the next choice where the condition does not hold."""
        text = self.t.condition(condition)
        if text != "true":
            self.t.block.line(f"if ({negation(text)}) {self.t.escape.skip}")

    def item(self, item: Item) -> None:
        t = self.t
        match item:
            case Guard(condition):
                self.skip_unless(condition)
            case Bound(condition, bound):
                t.cut_unless(t.condition(condition), bound)
            case Define(binder, value):
                if self.program.forms.total(value):
                    t.postpone(binder.uid, value)
                else:
                    t.bind(binder.uid, t.named(t.expr(value), binder.name))
            case Check(variable, value):
                emit_row.check_fits(t, t.expr(value), self.program.layout.by_name[variable].shape)
            case Choose():
                raise AssertionError("choices are opened elsewhere")
            case _:
                assert_never(item)

    def rest(self, tree: Fork) -> None:
        """What follows the common items."""
        if isinstance(tree.end, Path):
            self.step(tree.end)
            return
        match [way.items[:1] for way in tree.end]:
            case [(Guard(condition),), (Guard(ir.Not(opposite)),)] if condition == opposite:
                text = self.t.condition(condition)
                with self.t.branch(f"if ({text})"):
                    self.way(Fork(tree.end[0].items[1:], tree.end[0].end))
                with self.t.branch("else"):
                    self.way(Fork(tree.end[1].items[1:], tree.end[1].end))
            case _:
                for way in tree.end:
                    with self.t.branch(""):
                        self.way(way)

    def way(self, tree: Fork) -> None:
        """One of several ways on, in a block of its own; leaving it leaves the rest alone."""
        label, outside = self.names.fresh("next"), self.t.escape
        self.t.escape = self.escape(f"goto {label};")
        inside = self.t.block
        self.open([], schedule([], tree.items, self.program.forms, []), tree)
        inside.line(f"{label}:;")
        self.t.escape = outside

    def step(self, path: Path) -> None:
        """The state after the step."""
        t = self.t
        if not path.updates and not path.limits:
            t.block.line(f"emit_still(w, {self.number});")
            return
        t.block.line("State n = *s;")
        for update in path.updates:
            field = self.program.layout.by_name[update.variable]
            t.block.line(f"// {update.variable}")
            emit_row.assign(t, "n.w", field.at, field.shape, update.variable, update.value)
        if path.limits:
            t.block.line("const State *after = &n;")
            inside = Block("", "branch", None)
            t.block.lines.append(inside)
            then = Translator(self.program, inside, self.names, t.escape, "after")
            for limit in path.limits:
                then.cut_unless(then.condition(limit.condition), limit.bound)
        emit, still = f"emit(w, {self.number}, {literal(self.touch.by(path))}, &n);", f"emit_still(w, {self.number});"
        words = self.program.layout.words_of(path.writes)
        if words:
            changed = " | ".join(f"(s->w[{i}] ^ n.w[{i}])" for i in words)
            changed = changed if len(words) <= _FEW_WORDS else "compare_states(s, &n) != 0"
            t.block.line(f"if ({changed}) {emit}")
            t.block.line(f"else {still}")
        else:
            t.block.line(still)
