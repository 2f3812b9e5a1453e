"""Sets in C: comprehensions, operations, membership, size, and the messages that were sent.

A set that is only asked for members is never built where its parts can be asked instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.explore.native import emit_mask
from checker.explore.native.emit_loop import anchor, enter, open_binder
from checker.explore.native.emit_value import (
    add_item,
    as_row,
    code_of,
    conjunction,
    construct,
    convert,
    disjunction,
    equal,
    field_of,
    fits,
    length_of,
    list_form,
    negation,
    new_row,
    position,
)
from checker.explore.native.shapes import (
    Collection,
    Integer,
    Nothing,
    Shape,
    Tuple,
    bits,
    is_wide,
    join,
    size,
)
from checker.explore.native.writer import Code, Value, Wide, plus
from checker.language import ir
from checker.language import types as ty

if TYPE_CHECKING:
    from checker.explore.native.emit_expr import Translator

MOST_CHOICES = 1 << 32
"""A name never goes through more codes than this."""

# --- sets -------------------------------------------------------------------------------------------


def materialized(t: Translator, expr: ir.Expr) -> Value:
    """A set whose elements can be gone through, built."""
    binder = ir.Binder("item", next(t.program.uids), _item_type(expr.type), expr, expr.span)
    item = ir.Local(type=binder.type, span=expr.span, name="item", uid=binder.uid)
    return _built(t, (binder,), None, item)


def _item_type(type_: ty.Type) -> ty.Type:
    assert isinstance(type_, ty.Set)
    return type_.item


def set_of(t: Translator, expr: ir.SetOf) -> Value:
    """A comprehension."""
    if len(expr.binders) == 1 and isinstance(expr.item, ir.Local) and expr.item.uid == expr.binders[0].uid:
        found = emit_mask.filtered(t, expr.binders[0], expr.where)
        if found is not None:
            return found
    return _built(t, expr.binders, expr.where, expr.item)


def _built(t: Translator, binders: tuple[ir.Binder, ...], where: ir.Expr | None, item: ir.Expr) -> Value:
    place = anchor(t)
    with t.restored():
        for binder in binders:
            open_binder(t, binder)
        if where is not None:
            enter(t, t.block.open(f"if ({t.condition(where)})"))
        value = t.expr(item)
        row = new_row(t, t.program.shapes.set_of(value.shape), "set", place)
        add_item(t, row, value)
    return row.value


def set_literal(t: Translator, items: list[Value]) -> Value:
    """The set of some values."""
    item: Shape = Nothing()
    for value in items:
        item = join(item, value.shape)
    shape = t.program.shapes.set_of(item)
    items = [convert(t, value, item) for value in items]
    if not is_wide(shape):
        texts = [_single(value) for value in items if isinstance(value, Code)]
        return Code(shape, f"({' | '.join(texts)})" if texts else "0")
    row = new_row(t, shape, "set")
    for value in items:
        add_item(t, row, value)
    return row.value


def _single(value: Code) -> str:
    return (
        f"UINT64_C(1) << {position(value)}"
        if isinstance(position(value), int)
        else f"UINT64_C(1) << ({code_of(value)})"
    )


def combined(t: Translator, operator: str, left: ir.Expr, right: ir.Expr) -> Value:
    """Union, intersection or difference."""
    a = t.set_value(left)
    b = t.set_value(right)
    shape = join(a.shape, b.shape)
    assert isinstance(shape, Collection)
    a, b = convert(t, a, shape), convert(t, b, shape)
    if isinstance(a, Code) and isinstance(b, Code):
        sign = {"union": "|", "intersect": "&", "minus": "& ~"}[operator]
        return Code(shape, f"({a.text} {sign}{b.text})" if operator == "minus" else f"({a.text} {sign} {b.text})")
    if shape.room is not None:
        return _combined_lists(t, operator, shape, a, b)
    row = new_row(t, shape, "set", start=a)
    function = {"union": "join_row", "intersect": "meet_row", "minus": "less_row"}[operator]
    t.block.line(f"{function}({row.base}, 0, {as_row(b)}, {bits(shape)});")
    return row.value


def _combined_lists(t: Translator, operator: str, shape: Collection, a: Value, b: Value) -> Value:
    if operator == "union":
        row = new_row(t, shape, "set", start=a)
        with t.items_of(b) as item:
            add_item(t, row, item)
        return row.value
    row = new_row(t, shape, "set")
    with t.items_of(a) as item:
        test = has_item(t, b, item)
        with t.branch(f"if ({test if operator == 'intersect' else negation(test)})"):
            add_item(t, row, item)
    return row.value


# --- questions --------------------------------------------------------------------------------------


def has_item(t: Translator, whole: Value, item: Value) -> str:
    """Whether a set has an item, whatever the ranges in its shape."""
    shape = whole.shape
    assert isinstance(shape, Collection)
    if isinstance(shape.item, Nothing):
        return "false"
    inside = fits(t, item, shape.item)

    def test() -> str:
        value = convert(t, item, shape.item)
        if shape.room is not None:
            return f"list_has({as_row(whole)}, {list_form(shape)}, {as_row(value)})"
        if isinstance(whole, Wide):
            return f"has_bit({whole.base}, {plus(whole.at, position(value))})"
        return f"({whole.text} >> {position(value)} & 1)"

    return test() if inside == "true" else t.lazily(test, inside)


def contains(t: Translator, item: Value, domain: ir.Expr) -> str:
    """Whether an element is in a set; the set is not built if its parts can be asked."""
    total = t.program.forms.total
    match domain:
        case ir.SetLiteral(items=items):
            return disjunction(*(equal(t, item, t.expr(other)) for other in items))
        case ir.Binary(operator="union" | "intersect" | "minus" as operator, left=left, right=right) if total(
            left
        ) and total(right):
            first, second = contains(t, item, left), contains(t, item, right)
            match operator:
                case "union":
                    return disjunction(first, second)
                case "intersect":
                    return conjunction(first, second)
                case _:
                    return conjunction(first, negation(second))
        case ir.SetOf(binders=(inner,), where=where, item=ir.Local(uid=uid)) if uid == inner.uid and (
            where is None or total(where)
        ):
            shape = t.program.shape_of_binder(inner)
            if shape is not None and shape == item.shape:
                t.bind(inner.uid, item)
                first = "true" if inner.domain is None else contains(t, item, inner.domain)
                return first if where is None else t.lazily(lambda: t.condition(where), first)
        case _:
            pass
    return has_item(t, t.set_value(domain), item)


def subset(t: Translator, left: ir.Expr, right: ir.Expr) -> str:
    """Whether all elements of one set or quorum are in another."""
    a = t.set_value(left)
    b = t.set_value(right)
    shape = join(a.shape, b.shape)
    assert isinstance(shape, Collection)
    if shape.room is not None:
        with t.flag(True) as (result, leave), t.items_of(a) as item:
            t.block.line(f"if ({negation(has_item(t, b, item))}) {{ {leave} }}")
        return result
    a, b = convert(t, a, shape), convert(t, b, shape)
    if isinstance(a, Code) and isinstance(b, Code):
        return f"(({a.text} & ~{b.text}) == 0)"
    return f"inside_row({as_row(a)}, {as_row(b)}, {bits(shape)})"


def equality(t: Translator, left: ir.Expr, right: ir.Expr) -> str:
    """Whether two expressions have the same value."""
    a = t.expr(left)
    if right == ir.SetLiteral(items=(), type=right.type, span=right.span):
        return is_empty(a)
    return equal(t, a, t.expr(right))


def is_empty(whole: Value) -> str:
    """Whether a set has no items."""
    shape = whole.shape
    assert isinstance(shape, Collection)
    if shape.room is not None:
        return f"({length_of(whole).text} == 0)"
    if isinstance(whole, Wide):
        return f"!any_bit({whole.base}, {whole.at}, {bits(shape)})"
    return f"({whole.text} == 0)"


def size_of(t: Translator, operand: ir.Expr) -> Code:
    """How many elements a set or quorum has."""
    match operand:
        case ir.Binary(operator="union", left=left, right=ir.SetLiteral(items=(item,))):
            whole = t.set_value(left)
            new = negation(has_item(t, whole, t.expr(item)))
            count = t.temp(count_of(whole), "size")
            assert isinstance(count.shape, Integer)
            return Code(Integer(0, count.shape.high + 1), f"({count.text} + {new})")
        case _:
            return count_of(t.set_value(operand))


def count_of(whole: Value) -> Code:
    """How many items a set has."""
    shape = whole.shape
    assert isinstance(shape, Collection)
    if shape.room is not None:
        return length_of(whole)
    most = Integer(0, bits(shape) if is_wide(shape) else size(shape.item))
    if isinstance(whole, Wide):
        return Code(most, f"(int64_t)count_bits({whole.base}, {whole.at}, {bits(shape)})")
    return Code(most, f"(int64_t)__builtin_popcountll({whole.text})")


# --- messages ---------------------------------------------------------------------------------------


def sent_match(t: Translator, expr: ir.SentMatch) -> str:
    """Whether a set of messages has one whose fields are those given."""
    whole = t.expr(expr.messages)
    shape = whole.shape
    assert isinstance(shape, Collection) and isinstance(shape.item, Tuple)
    item, parts = shape.item, dict(shape.item.fields)
    given = {name: t.expr(field) for name, field in zip(parts, expr.fields, strict=True) if field is not None}
    inside = conjunction(*(fits(t, value, parts[name]) for name, value in given.items()))
    if inside == "true":
        return _matches(t, whole, item, given)
    return t.lazily(lambda: _matches(t, whole, item, given), inside)


def _matches(t: Translator, whole: Value, item: Tuple, given: dict[str, Value]) -> str:
    parts = dict(item.fields)
    given = {name: convert(t, value, parts[name]) for name, value in given.items()}
    assert isinstance(whole.shape, Collection)
    if whole.shape.room is None:
        return _matches_bits(t, whole, item, given)
    if len(given) == len(parts):
        return has_item(t, whole, _message(t, item, given))
    with t.flag(False) as (result, leave), t.items_of(whole) as message:
        tests = (equal(t, field_of(message, name), value) for name, value in given.items())
        t.block.line(f"if ({conjunction(*tests)}) {{ {leave} }}")
    return result


def _message(t: Translator, item: Tuple, given: dict[str, Value]) -> Value:
    return construct(t, item, [given[name] for name, _ in item.fields])


def _matches_bits(t: Translator, whole: Value, item: Tuple, given: dict[str, Value]) -> str:
    """The bits of the messages that match lie at an offset, in a pattern that only depends on which fields are open."""
    offset, pattern, loops = emit_mask.pattern_of(item, given)
    if not loops:
        return emit_mask.meets(whole, offset, pattern)
    with t.flag(False) as (result, leave), t.restored():
        for step, count in loops:
            index = t.names.fresh("i")
            enter(t, t.block.open(f"for (unsigned {index} = 0; {index} < {count}; {index}++)", "loop"))
            offset = plus(offset, f"{index} * {step}")
        t.block.line(f"if ({emit_mask.meets(whole, offset, pattern)}) {{ {leave} }}")
    return result
