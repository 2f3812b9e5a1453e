"""Quantifiers and extremes in C: what has to hold first is asked as soon as its names are bound, and messages that a
condition asks for are taken from the set of those sent, instead of trying all that there might be.

Guards move only if they cannot fail, for then their order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from checker.explore.native import emit_mask
from checker.explore.native.emit_loop import anchor, enter, open_binder, open_set
from checker.explore.native.emit_value import (
    content,
    ctype,
    equal,
    field_of,
    is_some,
    negation,
    ordered,
    write,
)
from checker.explore.native.shapes import (
    Collection,
    Optional,
    Shape,
    Tuple,
    Unsupported,
    is_wide,
    size,
    words,
)
from checker.explore.native.writer import Code, Value, Wide
from checker.language import ir
from checker.language import types as ty
from checker.language.forms import has_range
from checker.language.traverse import free, subterms

if TYPE_CHECKING:
    from checker.explore.native.emit_expr import Translator

MOST_CHOICES = 1 << 32
"""A name never goes through more codes than this."""

# --- quantifiers ------------------------------------------------------------------------------------


def quantified(t: Translator, expr: ir.Quantified) -> str:
    """Whether all choices satisfy the body, or some; one that may be undefined is asked of all of them."""
    parts = _taken_apart(t, expr)
    if len(parts.binders) == 1:
        found = emit_mask.quantified(t, expr.kind, parts.binders[0], parts.body(expr.kind, parts.guards))
        if found is not None:
            return found
    with t.flag(expr.kind == "forall", t.program.forms.total(expr)) as (result, leave), t.restored():
        decided = _Plan(t, expr.kind, list(parts.binders), list(parts.guards), parts).decide()
        if expr.kind == "forall":
            decided = negation(decided)
        if decided != "false":
            t.block.line(leave if decided == "true" else f"if ({decided}) {{ {leave} }}")
    return result


@dataclass(frozen=True)
class _Parts:
    """A quantifier as binders, guards that cannot fail, and the rest: `forall` says guards => rest, `exists` both.

    `rest` None: nothing else is asked.
    """

    binders: tuple[ir.Binder, ...]
    guards: tuple[ir.Expr, ...]
    rest: ir.Expr | None

    def body(self, kind: str, guards: Iterable[ir.Expr]) -> ir.Expr:
        """What is asked of a choice, with these guards."""
        first, bool_ = tuple(guards), ty.Bool()
        if not first:
            return self.rest or ir.Const(True, type=bool_, span=self.binders[0].span)
        if self.rest is None:
            return first[0] if len(first) == 1 else ir.And(first, type=bool_, span=first[0].span)
        if kind == "exists":
            return ir.And((*first, self.rest), type=bool_, span=self.rest.span)
        left = first[0] if len(first) == 1 else ir.And(first, type=bool_, span=first[0].span)
        return ir.Binary("=>", left, self.rest, type=bool_, span=self.rest.span)


def _taken_apart(t: Translator, expr: ir.Quantified) -> _Parts:
    """Quantifiers of the same kind that stand directly in one another are one."""
    total = t.program.forms.total
    binders, guards = list(expr.binders), list[ir.Expr]()
    rest: ir.Expr | None = _restricted(expr)
    while rest is not None:
        match rest:
            case ir.Binary(operator="=>", left=left, right=right) if expr.kind == "forall" and total(left):
                guards += left.items if isinstance(left, ir.And) else (left,)
                rest = right
            case ir.And(items=items) if expr.kind == "exists" and total(items[0]):
                guards.append(items[0])
                rest = items[1] if len(items) == 2 else replace(rest, items=items[1:])
            case ir.Quantified() if rest.kind == expr.kind:
                binders += rest.binders
                rest = _restricted(rest)
            case _ if expr.kind == "exists" and total(rest):
                guards.append(rest)
                rest = None
            case _:
                break
    return _Parts(tuple(binders), tuple(guards), rest)


def _restricted(expr: ir.Quantified) -> ir.Expr:
    """The body with the `where` in it."""
    if expr.where is None:
        return expr.body
    if expr.kind == "forall":
        return ir.Binary("=>", expr.where, expr.body, type=ty.Bool(), span=expr.span)
    return ir.And((expr.where, expr.body), type=ty.Bool(), span=expr.span)


@dataclass
class _Plan:
    """Opens loops for the binders that are left, and asks each of the pending guards as soon as it can be asked."""

    t: Translator
    kind: str
    left: list[ir.Binder]
    pending: list[ir.Expr]
    parts: _Parts

    def decide(self) -> str:
        """The condition of the innermost body, inside all loops."""
        while True:
            self.ask()
            if not self.left:
                return "true" if self.parts.rest is None else self.t.condition(self.parts.rest)
            if len(self.left) == 1:
                body = self.parts.body(self.kind, self.pending)
                found = emit_mask.quantified(self.t, self.kind, self.left[0], body)
                if found is not None:
                    return found
            if not self.take_messages():
                self.open_next()

    @property
    def unbound(self) -> frozenset[int]:
        return frozenset(binder.uid for binder in self.left)

    def ask(self) -> None:
        """Asks what can be asked, what is cheap first."""
        ready = [guard for guard in self.pending if not free(guard) & self.unbound]
        self.pending = [guard for guard in self.pending if free(guard) & self.unbound]
        for guard in sorted(ready, key=_cost):
            text = self.t.condition(guard)
            if text != "true":
                enter(self.t, self.t.block.open(f"if ({text})"))

    def open_next(self) -> None:
        """A loop over the first binder whose domain is known."""
        at = next(i for i, b in enumerate(self.left) if b.domain is None or not free(b.domain) & self.unbound)
        open_binder(self.t, self.left.pop(at))

    # --- choices taken from sets

    def take_messages(self) -> bool:
        """Binds names to the parts of the elements of a set that a guard asks about, if that spares many choices."""
        for guard in self.pending:
            found = self.source(guard)
            if found is None:
                continue
            whole, pattern = found
            self.pending.remove(guard)
            self.match(pattern, open_set(self.t, self.t.set_value(whole), "item"))
            return True
        return False

    def source(self, guard: ir.Expr) -> tuple[ir.Expr, _Pattern] | None:
        """The set whose elements a guard asks about, and the pattern that they must match."""
        asked = _opened(self.t, guard)
        match asked:
            case ir.SentMatch(messages=ir.Read() as whole, fields=fields):
                pattern: _Pattern = fields
            case ir.Binary(operator="in", left=left, right=ir.Read() | ir.At() | ir.Local() as whole):
                pattern = left
            case _:
                return None
        shape = self.set_shape(whole)
        if shape is None or free(whole) & self.unbound:
            return None
        names = self.names_in(pattern, shape.item)
        choices = 1
        for binder in self.left:
            if names is not None and binder.uid in names:
                part = self.t.program.shape_of_binder(binder)
                choices *= 1 if part is None else size(part)
        return (whole, pattern) if choices >= WORTHWHILE else None

    def set_shape(self, whole: ir.Expr) -> Collection | None:
        try:
            shape = self.t.program.shapes.of(whole.type)
        except Unsupported:
            return None
        return shape if isinstance(shape, Collection) and not has_range(whole.type, self.t.program.forms.spec) else None

    def names_in(self, pattern: _Pattern, shape: Shape) -> frozenset[int] | None:
        """The unbound names that matching the pattern binds; None if it cannot be matched."""
        if isinstance(pattern, tuple):
            assert isinstance(shape, Tuple)
            found = frozenset[int]()
            for (_, part), each in zip(shape.fields, pattern, strict=True):
                names = frozenset[int]() if each is None else self.names_in(each, part)
                if names is None:
                    return None
                found |= names
            return found
        match pattern:
            case ir.Local(uid=uid) if uid in self.unbound:
                binder = next(b for b in self.left if b.uid == uid)
                fits_ = binder.domain is None and self.t.program.shape_of_binder(binder) == shape
                return frozenset((uid,)) if fits_ else None
            case ir.Lift(operand=operand) if isinstance(shape, Optional):
                return self.names_in(operand, shape.item)
            case ir.Construct(fields=fields) if isinstance(shape, Tuple):
                return self.names_in(fields, shape)
            case _:
                return None if free(pattern) & self.unbound else frozenset()

    def match(self, pattern: _Pattern, value: Value) -> None:
        """Goes on only where the value matches the pattern, whose unbound names are then bound."""
        t = self.t
        if isinstance(pattern, tuple):
            assert isinstance(value.shape, Tuple)
            for name, each in zip([name for name, _ in value.shape.fields], pattern, strict=True):
                if each is not None:
                    self.match(each, field_of(value, name))
            return
        match pattern:
            case ir.Local(uid=uid, name=name) if uid in self.unbound:
                self.left = [binder for binder in self.left if binder.uid != uid]
                t.bind(uid, t.named(value, name))
            case ir.Lift(operand=operand) if free(operand) & self.unbound:
                value = t.named(value, "option")
                enter(t, t.block.open(f"if ({is_some(value)})"))
                self.match(operand, t.named(content(value), "content"))
            case ir.Construct(fields=fields) if free(pattern) & self.unbound:
                self.match(fields, t.named(value, "record"))
            case _:
                enter(t, t.block.open(f"if ({equal(t, value, t.expr(pattern))})"))


_Pattern: TypeAlias = "ir.Expr | tuple[ir.Expr | None, ...]"


def _opened(t: Translator, guard: ir.Expr) -> ir.Expr:
    """The guard with a definition's body in place of its name, where that is a question about a set."""
    while isinstance(guard, ir.Call) and all(isinstance(a, ir.Local | ir.Const) for a in guard.arguments):
        guard = t.program.forms.unfolded(guard, t.program.uids)
    return guard


def _cost(guard: ir.Expr) -> int:
    """A rough measure: comparisons, questions about messages, and what takes loops."""
    if any(isinstance(e, ir.Quantified | ir.SetOf | ir.Extreme | ir.Call) for e in subterms(guard)):
        return 2
    return int(any(isinstance(e, ir.SentMatch) for e in subterms(guard)))


WORTHWHILE = 6
"""From so many choices on, the elements of a set are gone through instead."""


# --- extremes --------------------------------------------------------------------------------------


def extreme(t: Translator, expr: ir.Extreme) -> Value:
    """The element with the greatest or least key; it must be there, and be the only one."""
    place, found, tied = anchor(t), t.names.fresh("found"), t.names.fresh("tied")
    best, best_key = t.names.fresh(expr.kind), t.names.fresh(f"{expr.kind}_key")
    with t.restored():
        open_binder(t, expr.binder)
        if expr.where is not None:
            enter(t, t.block.open(f"if ({t.condition(expr.where)})"))
        key = t.temp(t.code(expr.key), "key")
        value = t.env[expr.binder.uid]
        assert isinstance(value, Code | Wide)
        shape = value.shape
        place.line(f"bool {found} = false, {tied} = false;")
        place.line(f"{ctype(key.shape)} {best_key} = 0;")
        place.line(f"uint64_t {best}[{words(shape)}] = {{0}};" if is_wide(shape) else f"{ctype(shape)} {best} = 0;")
        better = ordered(t, key, ">" if expr.kind == "max" else "<", Code(key.shape, best_key))
        with t.branch(f"if (!{found} || {better})"):
            t.block.line(f"{found} = true;")
            t.block.line(f"{tied} = false;")
            t.block.line(f"{best_key} = {key.text};")
            if isinstance(value, Wide):
                write(t.block, best, 0, value)
            else:
                t.block.line(f"{best} = {value.text};")
        with t.branch(f"else if ({key.text} == {best_key})"):
            t.block.line(f"{tied} = true;")
    t.fail_unless(f"({found} && !{tied})")
    return Wide(shape, best, 0) if is_wide(shape) else Code(shape, best)
