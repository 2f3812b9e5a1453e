"""Conditions about many elements at once: bit masks of the elements for which a condition holds.

Where the elements a name ranges over have at most 62 codes, `forall a in q: P(a)` is a test of two masks. It declines
where a plain loop, which can stop early, is better.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from checker.explore.native.emit_value import position, stride
from checker.explore.native.shapes import Collection, Finite, Shape, Tuple, size
from checker.explore.native.writer import Code, Value, Wide, literal, plus, times
from checker.language import ir
from checker.language import types as ty
from checker.language.forms import has_range
from checker.language.traverse import free, subterms

if TYPE_CHECKING:
    from checker.explore.native.emit_expr import Translator

MOST_LOADS = 16
"""A mask is put together from at most this many pieces of a message set."""

_LARGEST_TABLE = 12  # quorum tests are looked up where the sort has at most so many elements


def _mask_shape(t: Translator, binder: ir.Binder) -> Finite | None:
    """The shape of what a binder ranges over, where masks of it fit a word."""
    shape = t.program.shape_of_binder(binder)
    return shape if isinstance(shape, Finite) and 0 < shape.size <= 62 else None


def full(shape: Finite) -> int:
    """The mask of all elements."""
    return (1 << shape.size) - 1


# --- quantifiers ------------------------------------------------------------------------------------


def quantified(t: Translator, kind: str, binder: ir.Binder, body: ir.Expr) -> str | None:
    """A quantifier over one name as a test of masks, or None where a loop is better."""
    found = _some_quorum(t, kind, binder, body)
    if found is not None:
        return found
    shape = _mask_shape(t, binder)
    if shape is None or not t.program.forms.total(body):
        return None
    if not (_is_cheap(t, binder.uid, body) or _pays(t, binder, body)):
        return None
    mask = _truths(t, binder, shape, body)
    if binder.domain is None:
        return f"({mask} == {literal(full(shape))})" if kind == "forall" else f"({mask} != 0)"
    domain = _domain(t, binder, shape)
    if domain is None:
        return None
    return f"(({domain} & ~{mask}) == 0)" if kind == "forall" else f"(({domain} & {mask}) != 0)"


def _pays(t: Translator, binder: ir.Binder, body: ir.Expr) -> bool:
    """Whether the mask can be computed before a loop in which the quantifier stands because of its domain."""
    if binder.domain is None:
        return False
    place = t.block.place_for(t.needs(body) - {binder.uid})
    return place is not None and place is not t.block.place_for(t.needs(binder.domain) | t.needs(body) - {binder.uid})


def _truths(t: Translator, binder: ir.Binder, shape: Finite, body: ir.Expr) -> str:
    """The mask of all elements that satisfy the body, computed as far out as possible."""
    everywhere = replace(binder, domain=None, type=shape.type)
    item = ir.Local(type=shape.type, span=binder.span, name=binder.name, uid=binder.uid)
    type_ = ty.Set(shape.type)
    mask = t.expr(ir.SetOf((everywhere,), body, item, type=type_, span=body.span))
    assert isinstance(mask, Code)
    return mask.text


def _domain(t: Translator, binder: ir.Binder, shape: Finite) -> str | None:
    assert binder.domain is not None
    whole = t.set_value(binder.domain)
    return whole.text if isinstance(whole, Code) and whole.shape == Collection(shape, None) else None


def _some_quorum(t: Translator, kind: str, binder: ir.Binder, body: ir.Expr) -> str | None:
    """`exists q in Q: forall a in q: P(a)` is looked up by the mask of P."""
    if kind != "exists" or binder.domain is not None or not isinstance(binder.type, ty.Quorum):
        return None
    match body:
        case ir.Quantified(kind="forall", binders=(member,), where=None, body=inner):
            pass
        case _:
            return None
    if not isinstance(member.domain, ir.Local) or member.domain.uid != binder.uid or binder.uid in free(inner):
        return None
    shape = _mask_shape(t, replace(member, domain=None))
    if shape is None or shape.size > _LARGEST_TABLE or not t.program.forms.total(inner):
        return None
    mask = _truths(t, member, shape, inner)
    return t.program.has_quorum(binder.type.name, shape.size, mask)


# --- comprehensions ---------------------------------------------------------------------------------


def filtered(t: Translator, binder: ir.Binder, where: ir.Expr | None) -> Code | None:
    """`{x in D | P}` as a mask, or None where it has to be gone through."""
    shape = _mask_shape(t, binder)
    if shape is None or (where is not None and not t.program.forms.total(where)):
        return None
    if where is not None and not _is_cheap(t, binder.uid, where):
        return None
    whole = literal(full(shape)) if where is None else _mask(t, binder.uid, shape, where)
    if binder.domain is not None:
        domain = _domain(t, binder, shape)
        if domain is None:
            return None
        whole = f"({domain} & {whole})"
    return Code(Collection(shape, None), whole)


def _is_cheap(t: Translator, uid: int, expr: ir.Expr) -> bool:
    """Whether the mask of an expression can be had without a loop over the elements."""
    if uid not in free(expr):
        return not any(isinstance(e, ir.Quantified | ir.SetOf | ir.Extreme) for e in subterms(expr))
    match expr:
        case ir.Not(operand=operand):
            return _is_cheap(t, uid, operand)
        case ir.And(items=items) | ir.Or(items=items):
            return all(_is_cheap(t, uid, item) for item in items)
        case ir.Binary(operator="=>" | "<=>", left=left, right=right):
            return _is_cheap(t, uid, left) and _is_cheap(t, uid, right)
        case ir.Binary(operator="==" | "!=", left=left, right=right):
            return (_is_name(left, uid) and uid not in free(right)) or (_is_name(right, uid) and uid not in free(left))
        case ir.Binary(operator="in", left=left, right=right):
            return _is_name(left, uid) and uid not in free(right) and isinstance(right, ir.Read | ir.Local | ir.At)
        case ir.Call(arguments=arguments) if all(isinstance(a, ir.Local) for a in arguments):
            return _is_cheap(t, uid, t.program.forms.unfolded(expr, t.program.uids))
        case ir.SentMatch():
            return _sent_row(t, uid, expr) is not None
        case _:
            return False


def _is_name(expr: ir.Expr, uid: int) -> bool:
    return isinstance(expr, ir.Local) and expr.uid == uid


def _mask(t: Translator, uid: int, shape: Finite, expr: ir.Expr) -> str:
    """The mask of the elements for which a cheap condition holds."""
    everything = literal(full(shape))
    if uid not in free(expr):
        condition = t.condition(expr)
        return {"true": everything, "false": "0"}.get(condition, f"({condition} ? {everything} : 0)")
    match expr:
        case ir.Not(operand=operand):
            return f"({everything} & ~{_mask(t, uid, shape, operand)})"
        case ir.And(items=items):
            return f"({' & '.join(_mask(t, uid, shape, item) for item in items)})"
        case ir.Or(items=items):
            return f"({' | '.join(_mask(t, uid, shape, item) for item in items)})"
        case ir.Binary(operator="=>", left=left, right=right):
            return f"(({everything} & ~{_mask(t, uid, shape, left)}) | {_mask(t, uid, shape, right)})"
        case ir.Binary(operator="<=>", left=left, right=right):
            return f"({everything} & ~({_mask(t, uid, shape, left)} ^ {_mask(t, uid, shape, right)}))"
        case ir.Binary(operator="==" | "!=" as operator, left=left, right=right):
            other = t.code(right if _is_name(left, uid) else left)
            single = f"(UINT64_C(1) << {position(other)})"
            return single if operator == "==" else f"({everything} & ~{single})"
        case ir.Binary(operator="in", right=right):
            whole = t.set_value(right)
            assert isinstance(whole, Code)
            return whole.text
        case ir.Call():
            return _mask(t, uid, shape, t.program.forms.unfolded(expr, t.program.uids))
        case ir.SentMatch():
            return _sent_mask(t, uid, shape, expr)
        case _:
            raise AssertionError("not a cheap condition")


# --- messages ---------------------------------------------------------------------------------------


def _sent_row(t: Translator, uid: int, expr: ir.SentMatch) -> tuple[str, bool] | None:
    """The field that is the element, and whether as an option; None if the bits do not lie one after the other."""
    messages = expr.messages
    if not isinstance(messages, ir.Read) or messages.name not in t.program.layout.by_name:
        return None
    shape = t.program.layout.by_name[messages.name].shape
    if not (isinstance(shape, Collection) and shape.room is None and isinstance(shape.item, Tuple)):
        return None
    found, combinations = None, 1
    for (name, part), field in zip(shape.item.fields, expr.fields, strict=True):
        if field is None:
            combinations *= size(part)
        elif uid in free(field):
            inner = field.operand if isinstance(field, ir.Lift) else field
            if found is not None or not _is_name(inner, uid):
                return None
            found = (name, isinstance(field, ir.Lift))
        elif not _same_shape(t, field, part):
            return None
    if found is None or combinations > MOST_LOADS:
        return None
    return found if stride(shape.item, shape.item.index(found[0])) == 1 else None


def _same_shape(t: Translator, field: ir.Expr, part: Shape) -> bool:
    """Whether the value of a field certainly has the shape of its place."""
    binder = ir.Binder("field", 0, field.type, None, field.span)
    return not has_range(field.type, t.program.forms.spec) and t.program.shape_of_binder(binder) == part


def _sent_mask(t: Translator, uid: int, shape: Finite, expr: ir.SentMatch) -> str:
    row = _sent_row(t, uid, expr)
    assert row is not None
    name, lifted = row
    whole = t.expr(expr.messages)
    assert isinstance(whole.shape, Collection) and isinstance(whole.shape.item, Tuple)
    item = whole.shape.item
    offset: int | str = int(lifted)
    wild: list[list[int]] = []
    for i, ((field, part), value) in enumerate(zip(item.fields, expr.fields, strict=True)):
        step = stride(item, i)
        if value is None:
            wild.append([step * code for code in range(size(part))])
        elif field != name:
            offset = plus(offset, times(position(t.expr(value)), step))
    pieces = [_cut(whole, plus(offset, sum(steps)), shape.size) for steps in itertools.product(*wild)]
    return pieces[0] if len(pieces) == 1 else f"({' | '.join(pieces)})"


def _cut(whole: Value, at: int | str, width: int) -> str:
    if isinstance(whole, Wide):
        return f"load({whole.base}, {plus(whole.at, at)}, {width})"
    return f"({whole.text} >> {at} & {literal((1 << width) - 1)})"


def pattern_of(item: Tuple, given: Mapping[str, Value]) -> tuple[int | str, int, list[tuple[int, int]]]:
    """Where the messages with these fields lie in a bit set: an offset, a pattern of bits from there, and loops.

    The pattern has at most 64 bits; fields whose values lie further apart are left to loops, (step, count) each.
    """
    offset: int | str = 0
    open_fields: list[tuple[int, int]] = []
    for i, (name, part) in enumerate(item.fields):
        if name in given:
            offset = plus(offset, times(position(given[name]), stride(item, i)))
        elif size(part) > 1:
            open_fields.append((stride(item, i), size(part)))
    loops: list[tuple[int, int]] = []
    while sum(step * (count - 1) for step, count in open_fields) >= 64:
        loops.append(open_fields.pop(0))
    steps = itertools.product(*([step * code for code in range(count)] for step, count in open_fields))
    return offset, sum(1 << sum(combination) for combination in steps), loops


def meets(whole: Value, offset: int | str, pattern: int) -> str:
    """Whether a bit set has one of the bits of a pattern that begins at an offset."""
    width = pattern.bit_length()
    if isinstance(whole, Wide):
        if pattern == 1:
            return f"has_bit({whole.base}, {plus(whole.at, offset)})"
        piece = f"load({whole.base}, {plus(whole.at, offset)}, {width})"
        return f"({piece} != 0)" if pattern == (1 << width) - 1 else f"(({piece} & {literal(pattern)}) != 0)"
    shifted = whole.text if offset == 0 else f"{whole.text} >> {offset}"
    return f"({shifted} & 1)" if pattern == 1 else f"(({shifted} & {literal(pattern)}) != 0)"
