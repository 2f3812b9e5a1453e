"""Loops in C over what a name may stand for: the values of a type, the elements of a set, the parts of a value.

A set that is only gone through is not built where its parts can be gone through instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.explore.native.emit_value import (
    conjunction,
    equal,
    is_valid,
    item_at,
    length_of,
    list_item,
    negation,
    number,
    of_code,
    position,
    read_part,
)
from checker.explore.native.shapes import (
    Collection,
    Integer,
    Line,
    Mapping,
    Multiset,
    Nothing,
    Sequence,
    Shape,
    Unsupported,
    bits,
    codes,
    is_dense,
    size,
)
from checker.explore.native.writer import Block, Code, Value, Wide, literal, plus
from checker.language import ir

if TYPE_CHECKING:
    from checker.explore.native.emit_expr import Translator

MOST_CHOICES = 1 << 32
"""A name never goes through more codes than this."""


def open_binder(t: Translator, binder: ir.Binder) -> None:
    """Opens a loop over what a binder ranges over, and binds it."""
    if binder.domain is None:
        value = open_values(t, t.program.shapes.of(binder.type), binder.name)
    else:
        value = open_items(t, binder.domain, binder)
    t.bind(binder.uid, value)


def enter(t: Translator, block: Block) -> None:
    t.block = block


def open_values(t: Translator, shape: Shape, wish: str) -> Value:
    """Opens a loop over all values of a shape."""
    count, name = codes(shape), t.names.fresh(wish)
    if count is None or count > MOST_CHOICES:
        raise Unsupported(f"`{wish}` ranges over too many values")
    if isinstance(shape, Integer):
        enter(t, t.block.open(f"for (int64_t {name} = {shape.low}; {name} <= {shape.high}; {name}++)", "loop"))
        return Code(shape, name)
    enter(t, t.block.open(f"for (uint64_t {name} = 0; {name} < {literal(count)}; {name}++)", "loop"))
    value = Code(shape, name)
    if not is_dense(shape):
        enter(t, t.block.open(f"if ({is_valid(t, value)})"))
    return value


def open_items(t: Translator, domain: ir.Expr, binder: ir.Binder) -> Value:
    """Opens a loop over the elements of a set or quorum, in order."""
    total = t.program.forms.total
    match domain:
        case ir.SetOf(binders=(inner,), where=where, item=ir.Local(uid=uid)) if uid == inner.uid and (
            where is None or total(where)
        ):
            open_binder(t, inner)
            value = t.env[inner.uid]
            if where is not None:
                enter(t, t.block.open(f"if ({t.condition(where)})"))
            assert isinstance(value, Code | Wide)
            return value
        case ir.Binary(operator="minus" | "intersect" as operator, left=left, right=right) if total(right):
            value = open_items(t, left, binder)
            test = t.contains(value, right)
            enter(t, t.block.open(f"if ({test if operator == 'intersect' else negation(test)})"))
            return value
        case ir.SetLiteral(items=(only,)):
            return t.expr(only)
        case ir.BagItems(bag=bag):
            return _open_bag(t, t.expr(bag), binder.name)
        case ir.Heads():
            return _open_heads(t, domain, binder.name)
        case _:
            whole = t.set_value(domain)
            if isinstance(whole.shape, Collection) and isinstance(whole.shape.item, Nothing):
                return open_set(t, Code(Collection(t.program.shapes.of(binder.type), None), "0"), binder.name)
            return open_set(t, whole, binder.name)


def open_set(t: Translator, whole: Value, wish: str) -> Value:
    """Opens a loop over the items of a set."""
    shape, name = whole.shape, t.names.fresh(wish)
    assert isinstance(shape, Collection)
    if shape.room is not None:
        return _open_list(t, whole, wish)
    if isinstance(whole, Code):
        enter(t, t.block.open(f"FOR_EACH_BIT({name}, {whole.text})", "loop"))
        return of_code(shape.item, name)
    offset, piece, bit = (t.names.fresh(w) for w in ("offset", "piece", "bit"))
    enter(t, t.block.open(f"FOR_EACH_PIECE({offset}, {piece}, {bits(shape)})", "loop"))
    row = f"load({whole.base}, {plus(whole.at, offset)}, {piece})"
    enter(t, t.block.open(f"FOR_EACH_BIT({bit}, {row})", "loop"))
    t.block.line(f"const uint64_t {name} = {offset} + {bit};")
    return of_code(shape.item, name)


def _open_list(t: Translator, whole: Value, wish: str) -> Value:
    shape = whole.shape
    assert isinstance(shape, Collection | Multiset | Line)
    index, count = t.names.fresh("i"), length_of(whole)
    enter(t, t.block.open(f"for (unsigned {index} = 0; {index} < {count.text}; {index}++)", "loop"))
    return t.named(list_item(whole, index, shape.item), wish)


def _open_bag(t: Translator, bag: Value, wish: str) -> Value:
    """Each message of a bag once: items are sorted, so those that repeat follow one another."""
    shape, index = bag.shape, t.names.fresh("i")
    assert isinstance(shape, Multiset)
    enter(t, t.block.open(f"for (unsigned {index} = 0; {index} < {length_of(bag).text}; {index}++)", "loop"))
    here, before = list_item(bag, index, shape.item), list_item(bag, f"({index} - 1)", shape.item)
    enter(t, t.block.open(f"if ({index} == 0 || {negation(equal(t, here, before))})"))
    return t.named(here, wish)


def _open_heads(t: Translator, heads: ir.Heads, wish: str) -> Value:
    """The first message of each queue to the receiver, where it is of the right kind."""
    channels, receiver = t.expr(heads.channels), t.code(heads.receiver)
    rows = channels.shape
    assert isinstance(rows, Mapping) and isinstance(rows.value, Mapping) and isinstance(rows.value.value, Line)
    line, sender = rows.value.value, t.names.fresh("sender")
    enter(t, t.block.open(f"for (uint64_t {sender} = 0; {sender} < {size(rows.key)}; {sender}++)", "loop"))
    row = read_part(channels, item_at(rows, sender), rows.value)
    queue = read_part(row, item_at(rows.value, position(receiver)), line)
    tagged, kind = line.item, [k.type.name for k in line.kinds].index(heads.kind)
    head = list_item(queue, "0", tagged)
    tag = read_part(head, tagged.payload, Integer(0, len(line.kinds) - 1))
    same = equal(t, tag, number(kind))
    enter(t, t.block.open(f"if ({conjunction(f'{length_of(queue).text} > 0', same)})"))
    return t.named(read_part(head, 0, line.kinds[kind]), wish)


def open_parts(t: Translator, whole: Value) -> Value:
    """Opens a loop over the items of a collection, map or sequence, one after the other."""
    shape = whole.shape
    match shape:
        case Collection():
            return open_set(t, whole, "item")
        case Multiset() | Line():
            return _open_list(t, whole, "item")
        case Mapping():
            key = t.names.fresh("key")
            enter(t, t.block.open(f"for (unsigned {key} = 0; {key} < {size(shape.key)}; {key}++)", "loop"))
            return read_part(whole, item_at(shape, key), shape.value)
        case Sequence():
            index = t.names.fresh("i")
            enter(t, t.block.open(f"for (unsigned {index} = 1; {index} <= {length_of(whole).text}; {index}++)", "loop"))
            return read_part(whole, item_at(shape, index), shape.item)
        case _:
            raise AssertionError(f"{shape} has no items")


def anchor(t: Translator) -> Block:
    """A place here in which something can be declared later, when its shape is known."""
    scope = t.block.scope
    block = Block("", "prelude", t.block)
    block.bound, block.known = scope.bound, scope.known
    t.block.lines.append(block)
    return block
