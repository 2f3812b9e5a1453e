"""Operations that are not defined everywhere: what they mean where they are, and what is said where they are not.

Every fault of an expression is raised here, with its code (Q0601 to Q0609) and one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from checker.explore.domains import Value
from checker.explore.faults import CutOff, Fault
from checker.language import ir
from checker.language import types as ty

State: TypeAlias = Sequence[Value]
Env: TypeAlias = dict[int, Any]
Eval: TypeAlias = Callable[[State, Env], Any]

# From the tuple that a map or sequence is, and a key, to the key's place in the tuple.
Place: TypeAlias = Callable[[tuple[Value, ...], Value], int]


def unwrap(option: Eval, expr: ir.Unwrap) -> Eval:
    """The value in an option."""

    def the(s: State, e: Env) -> Value:
        value = option(s, e)
        if value is None:
            raise Fault("Q0601", f"`{expr.operand.span.text}` is none, so there is no value to take from it", expr.span)
        return value

    return the


# --- maps and sequences -----------------------------------------------------------------------------


def map_place(position: Callable[[Value], int | None], expr: ir.At | ir.WithAt) -> Place:
    def place(whole: tuple[Value, ...], key: Value) -> int:
        at = position(key)
        if at is None:
            assert isinstance(expr.operand.type, ty.Map)
            keys = ty.show(expr.operand.type.key)
            raise Fault("Q0602", f"`{expr.key.span.text}` is {key}, which is not among the keys {keys}", expr.span)
        return at

    return place


def sequence_place(expr: ir.At | ir.WithAt) -> Place:
    def place(whole: tuple[Value, ...], position: Value) -> int:
        if not 1 <= position <= len(whole):
            what = f"`{expr.operand.span.text}` has no position {position}: its length is {len(whole)}"
            raise Fault("Q0602", what, expr.span)
        at: int = position - 1
        return at

    return place


def at(whole: Eval, place: Place | None, key: Eval) -> Eval:
    """A map at a key, a sequence at a position; without `place` the key is the place in the tuple."""
    if place is None:
        return lambda s, e: whole(s, e)[key(s, e)]

    def item(s: State, e: Env) -> Value:
        items = whole(s, e)
        return items[place(items, key(s, e))]

    return item


def with_at(whole: Eval, place: Place | None, key: Eval, value: Eval) -> Eval:
    """A map or sequence with one place replaced."""

    def changed(s: State, e: Env) -> tuple[Value, ...]:
        items, i = whole(s, e), key(s, e)
        if place is not None:
            i = place(items, i)
        return (*items[:i], value(s, e), *items[i + 1 :])

    return changed


def _too_long(longest: int, index: ty.Type, expr: ir.Append | ir.SeqLiteral) -> Fault | CutOff:
    if isinstance(index, ty.Order):
        return CutOff(f"end of {index.name}", expr.span)
    message = f"`{expr.span.text}` is longer than {longest}, the greatest length that {ty.show(expr.type)} allows"
    return Fault("Q0608", message, expr.span, "range")


def sequence(items: list[Eval], longest: tuple[int, ty.Type], expr: ir.SeqLiteral) -> Eval:
    """The sequence of these items."""

    def literal(s: State, e: Env) -> tuple[Value, ...]:
        values = tuple([item(s, e) for item in items])
        if len(values) > longest[0]:
            raise _too_long(*longest, expr)
        return values

    return literal


def append(whole: Eval, item: Eval, longest: tuple[int, ty.Type], expr: ir.Append) -> Eval:
    """A sequence with one more item."""

    def appended(s: State, e: Env) -> tuple[Value, ...]:
        items, last = whole(s, e), item(s, e)
        if len(items) >= longest[0]:
            raise _too_long(*longest, expr)
        return (*items, last)

    return appended


def prefix(whole: Eval, end: Eval, expr: ir.Prefix) -> Eval:
    """The first items of a sequence."""

    def shortened(s: State, e: Env) -> tuple[Value, ...]:
        items, last = whole(s, e), end(s, e)
        if not 0 <= last <= len(items):
            what = f"`{expr.operand.span.text}` has no prefix up to {last}: its length is {len(items)}"
            raise Fault("Q0606", what, expr.span)
        kept: tuple[Value, ...] = items[:last]
        return kept

    return shortened


# --- orders -----------------------------------------------------------------------------------------


def following(operand: Eval, size: int, expr: ir.Next) -> Eval:
    """The next element of an order; past the last one the step is cut off."""
    assert isinstance(expr.type, ty.Order)
    bound = f"end of {expr.type.name}"

    def after(s: State, e: Env) -> int:
        value: int = operand(s, e) + 1
        if value >= size:
            raise CutOff(bound, expr.span)
        return value

    return after


def preceding(operand: Eval, expr: ir.Previous) -> Eval:
    """The previous element of an order."""

    def before(s: State, e: Env) -> int:
        value: int = operand(s, e) - 1
        if value < 0:
            raise Fault("Q0605", f"`{expr.operand.span.text}` is zero, and nothing comes before zero", expr.span)
        return value

    return before


def extreme(expr: ir.Extreme, choices: Eval, where: Eval | None, key: Eval) -> Eval:
    """The element with the greatest or least key, which must be one."""
    uid, greatest = expr.binder.uid, expr.kind == "max"

    def best(s: State, e: Env) -> Value:
        found: list[tuple[Value, Value]] = []
        for value in choices(s, e):
            e[uid] = value
            if where is None or where(s, e):
                measure = key(s, e)
                found.append((-math.inf if measure is None else measure, value))
        if not found:
            raise Fault("Q0603", f"there is nothing to take the {expr.kind} of in `{expr.span.text}`", expr.span)
        most = (max if greatest else min)(measure for measure, _ in found)
        winners = [value for measure, value in found if measure == most]
        if len(winners) > 1:
            what = f"{len(winners)} elements share the {expr.kind} of `{expr.key.span.text}`, so none is the one meant"
            raise Fault("Q0604", what, expr.span)
        return winners[0]

    return best
