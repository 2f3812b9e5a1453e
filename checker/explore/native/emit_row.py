"""Maps, sequences, bags and queues in C: their items, changed copies of them, and changes of the next state in place.

An assignment writes only the parts that it changes, if its value says that the rest stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from checker.explore.native.emit_loop import anchor, enter, open_binder, open_items
from checker.explore.native.emit_value import (
    Row,
    as_row,
    code_of,
    conjunction,
    convert,
    fits,
    item_at,
    known,
    length_of,
    list_form,
    new_row,
    number,
    position,
    put_item,
    read_part,
    write,
    zero,
)
from checker.explore.native.shapes import (
    Collection,
    Finite,
    Integer,
    Line,
    Mapping,
    Multiset,
    Nothing,
    Sequence,
    Shape,
    Tuple,
    bits,
    is_wide,
    join,
    size,
)
from checker.explore.native.writer import Code, Value, as_constant, literal, plus
from checker.language import ir
from checker.language import types as ty
from checker.language.traverse import free

if TYPE_CHECKING:
    from checker.explore.native.emit_expr import Translator

# --- maps and sequences -----------------------------------------------------------------------------


def sequence_shape(value: Value) -> Sequence:
    """The shape of a value that is a sequence."""
    assert isinstance(value.shape, Sequence)
    return value.shape


def place_of(t: Translator, whole: Value, key: Value) -> int | str:
    """Where the item with this key lies in a map or sequence; leaves where there is none."""
    shape = whole.shape
    match shape:
        case Mapping():
            t.fail_unless(fits(t, key, shape.key))
            return item_at(shape, position(convert(t, key, shape.key)))
        case Sequence():
            assert isinstance(key, Code)
            at = index_of(key)
            length = length_of(whole).text
            t.fail_unless(f"(1 <= {at} && {at} <= {length})" if not isinstance(at, int) else _reaches(at, length))
            return item_at(shape, at)
        case _:
            raise AssertionError(f"{shape} has no places")


def _reaches(at: int, length: str) -> str:
    return f"({length} >= {at})" if at >= 1 else "false"


def index_of(key: Code) -> int | str:
    """A position in a sequence as a number: of an order, the position of the element."""
    fixed = known(key)
    if fixed is not None:
        return fixed
    return key.text if isinstance(key.shape, Integer) else _signed(key.text)


def _signed(text: str) -> int | str:
    return int(text) if text.isdigit() else f"(int64_t){text}"


def _item_shape(shape: Shape) -> Shape:
    assert isinstance(shape, Mapping | Sequence)
    return shape.value if isinstance(shape, Mapping) else shape.item


def _with_item_shape(shape: Shape, item: Shape) -> Mapping | Sequence:
    assert isinstance(shape, Mapping | Sequence)
    if isinstance(shape, Mapping):
        return Mapping(shape.key, item)
    return Sequence(shape.index, item, shape.longest)


def item(t: Translator, whole: Value, key: Value) -> Value:
    """A map at a key, a sequence at a position."""
    return read_part(whole, place_of(t, whole, t.named(key, "key")), _item_shape(whole.shape))


def with_item(t: Translator, whole: Value, key: Value, new: Callable[[], Value]) -> Value:
    """A map or sequence with one place replaced, by a value that is computed once the place is known to be there."""
    at = place_of(t, whole, t.named(key, "key"))
    value = new()
    shape = _with_item_shape(whole.shape, join(_item_shape(whole.shape), value.shape))
    if shape != whole.shape:
        whole = convert(t, whole, shape)
        at = place_of(t, whole, key)
    row = new_row(t, shape, "changed", start=whole)
    row.replace(t.block, at, convert(t, value, _item_shape(shape)))
    return row.value


def map_of(t: Translator, binder: ir.Binder, body: ir.Expr) -> Value:
    """The map that takes each key to the body."""
    place, key_shape = anchor(t), t.program.shapes.of(binder.type)
    if binder.uid not in free(body) and size(key_shape) > 0:
        value = t.expr(body)
        same = _everywhere(Mapping(key_shape, value.shape), value)
        if same is not None:
            return same
    with t.restored():
        open_binder(t, binder)
        key = t.env[binder.uid]
        assert isinstance(key, Code)
        value = t.expr(body)
        shape = Mapping(key_shape, value.shape)
        row = new_row(t, shape, "map", place)
        row.put(t.block, item_at(shape, position(key)), value)
    return row.value


def _everywhere(shape: Mapping, value: Value) -> Code | None:
    """The map that takes each key to this value, if it fits a word."""
    if is_wide(shape) or not isinstance(value, Code):
        return None
    width, text = bits(shape.value), code_of(value)
    ones, fixed = sum(1 << width * key for key in range(size(shape.key))), as_constant(text)
    return Code(shape, f"((uint64_t)({text}) * {literal(ones)})" if fixed is None else literal(fixed * ones))


def sequence(t: Translator, expr: ir.SeqLiteral, items: list[Value]) -> Value:
    """The sequence of these items."""
    assert isinstance(expr.type, ty.Seq)
    item_shape: Shape = Nothing()
    for value in items:
        item_shape = join(item_shape, value.shape)
    shape = Sequence(t.program.shapes.of(expr.type.index), item_shape, t.program.domains.longest(expr.type))
    if len(items) > shape.longest:
        _too_long(t, shape, "false")
        items = []
    row = new_row(t, shape, "sequence")
    for i, value in enumerate(items, 1):
        row.put(t.block, item_at(shape, i), convert(t, value, item_shape))
    _put_length(t, row, number(len(items)))
    return row.value


def _too_long(t: Translator, shape: Sequence, condition: str) -> None:
    """Leaves where a sequence would not be short enough."""
    if isinstance(shape.index, Finite) and isinstance(shape.index.type, ty.Order):
        t.cut_unless(condition, f"end of {shape.index.type.name}")
    else:
        t.fail_unless(condition)


def _put_length(t: Translator, row: Row, length: Code) -> None:
    shape = row.shape
    assert isinstance(shape, Sequence)
    row.replace(t.block, shape.longest * bits(shape.item), Code(Integer(0, shape.longest), length.text))


def appended(t: Translator, expr: ir.Append, whole: Value, new: Value) -> Value:
    """A sequence with one more item."""
    old = sequence_shape(whole)
    shape = Sequence(old.index, join(old.item, new.shape), old.longest)
    whole, new = convert(t, whole, shape), convert(t, new, shape.item)
    length = t.temp(length_of(whole), "length")
    _too_long(t, shape, f"({length.text} < {shape.longest})")
    row = new_row(t, shape, "longer", start=whole)
    row.put(t.block, item_at(shape, f"({length.text} + 1)"), new)
    _put_length(t, row, Code(length.shape, f"({length.text} + 1)"))
    return row.value


def prefix(t: Translator, whole: Value, end: Code) -> Value:
    """The first items of a sequence."""
    shape, last = sequence_shape(whole), index_of(t.temp(end, "end"))
    t.fail_unless(conjunction(f"(0 <= {last})", f"({last} <= {length_of(whole).text})"))
    row = new_row(t, shape, "prefix")
    with t.loop_to(last) as i:
        row.put(t.block, item_at(shape, f"({i} + 1)"), read_part(whole, item_at(shape, f"({i} + 1)"), shape.item))
    _put_length(t, row, Code(Integer(0, shape.longest), str(last)))
    return row.value


# --- bags and queues --------------------------------------------------------------------------------


def empty(t: Translator, shape: Shape) -> Value:
    """The empty bag or queue."""
    return zero(t, shape)


def network(t: Translator, expr: ir.BagWith | ir.BagWithAll | ir.BagWithout | ir.Enqueue | ir.Dequeue) -> Value:
    """A bag or queue with a message more or less."""
    before = expr.queue if isinstance(expr, ir.Enqueue | ir.Dequeue) else expr.bag
    whole = t.expr(before)
    row = new_row(t, whole.shape, "messages", start=whole)
    _change(t, row.base, 0, whole.shape, expr)
    return row.value


def _change(
    t: Translator,
    base: str,
    at: int | str,
    shape: Shape,
    expr: ir.BagWith | ir.BagWithAll | ir.BagWithout | ir.Enqueue | ir.Dequeue,
) -> None:
    """Adds or takes out messages in place."""
    assert isinstance(shape, Multiset | Line)
    match expr:
        case ir.BagWith(message=message):
            put_item(t, base, at, shape, fitted(t, t.expr(message), shape.item))
        case ir.BagWithAll(messages=messages):
            with t.restored():
                binder = ir.Binder("m", next(t.program.uids), _message_type(messages.type), messages, messages.span)
                new = open_items(t, messages, binder)
                put_item(t, base, at, shape, fitted(t, new, shape.item))
        case ir.BagWithout(message=message):
            old = convert(t, t.expr(message), shape.item)
            t.block.line(f"list_drop({base}, {at}, {list_form(shape)}, {as_row(old)});")
        case ir.Enqueue(message=message):
            assert isinstance(shape, Line)
            put_item(t, base, at, shape, tagged(t, shape, t.expr(message)))
        case ir.Dequeue():
            t.block.line(f"list_remove({base}, {at}, {list_form(shape)}, 0);")
        case _:
            assert_never(expr)


def _message_type(type_: ty.Type) -> ty.Type:
    assert isinstance(type_, ty.Set)
    return type_.item


def tagged(t: Translator, shape: Line, message: Value) -> Value:
    """A message as an item of a queue."""
    assert isinstance(message.shape, Tuple)
    kind = next(i for i, k in enumerate(shape.kinds) if k.type == message.shape.type)
    value = fitted(t, message, shape.kinds[kind])
    row = new_row(t, shape.item, "message")
    row.put(t.block, 0, value)
    if kind:
        row.put(t.block, shape.item.payload, Code(Integer(0, len(shape.kinds) - 1), str(kind)))
    return row.value


def queue_length(t: Translator, operand: ir.Expr) -> Code:
    """How many messages a queue, a bag, or a map of queues holds."""
    match operand:
        case ir.BagWith(bag=inner) | ir.Enqueue(queue=inner):
            return _more(queue_length(t, inner), 1)
        case ir.Dequeue(queue=inner):
            return _more(queue_length(t, inner), -1)
        case _:
            return _count(t, t.expr(operand))


def _more(count: Code, by: int) -> Code:
    assert isinstance(count.shape, Integer)
    shape = Integer(max(0, count.shape.low + by), count.shape.high + by)
    return Code(shape, f"({count.text} + {by})" if by >= 0 else f"({count.text} - {-by})")


def _count(t: Translator, whole: Value) -> Code:
    shape = whole.shape
    if isinstance(shape, Multiset | Line):
        return length_of(whole)
    assert isinstance(shape, Mapping)
    name = t.names.fresh("messages")
    t.block.line(f"int64_t {name} = 0;")
    with t.items_of(whole) as part:
        t.block.line(f"{name} += {_count(t, part).text};")
    return Code(Integer(0, 1 << 40), name)


# --- changes in place -------------------------------------------------------------------------------


def fitted(t: Translator, value: Value, shape: Shape) -> Value:
    """The value in the shape of its place; leaves where an integer is outside its range."""
    if isinstance(value.shape, Integer) and isinstance(value, Code):
        value = t.temp(value, "number")
    t.fail_unless(fits(t, value, shape))
    return convert(t, value, shape)


def check_fits(t: Translator, value: Value, shape: Shape) -> None:
    """Leaves where an integer in a value is outside its range."""
    t.fail_unless(fits(t, value, shape))


def assign(t: Translator, base: str, at: int, shape: Shape, variable: str, value: ir.Expr) -> None:
    """Makes a variable of the next state, a copy of the present one, have a value."""
    _change_part(t, base, at, shape, value, lambda e: isinstance(e, ir.Read) and e.name == variable)


def _change_part(
    t: Translator, base: str, at: int | str, shape: Shape, expr: ir.Expr, unchanged: Callable[[ir.Expr], bool]
) -> None:
    """Writes to a part of the next state; what `unchanged` recognises is there already."""
    if unchanged(expr):
        return
    match expr:
        case ir.WithAt() if isinstance(shape, Mapping | Sequence):
            _change_item(t, base, at, shape, expr, unchanged)
        case ir.WithField(operand=operand, field=name, value=new) if isinstance(shape, Tuple) and is_wide(shape):
            _change_part(t, base, at, shape, operand, unchanged)
            index = shape.index(name)
            below = plus(at, sum(bits(part) for _, part in shape.fields[:index]))
            inner = (
                (lambda e: isinstance(e, ir.FieldOf) and e.field == name and unchanged(e.operand))
                if unchanged(operand)
                else _never
            )
            _change_part(t, base, below, shape.fields[index][1], new, inner)
        case ir.Binary(operator="union", left=left, right=right) if isinstance(shape, Collection):
            _change_part(t, base, at, shape, left, unchanged)
            _add_all(t, base, at, shape, right)
        case ir.BagWith(bag=before) | ir.BagWithAll(bag=before) | ir.BagWithout(bag=before):
            _change_part(t, base, at, shape, before, unchanged)
            _change(t, base, at, shape, expr)
        case ir.Enqueue(queue=before) | ir.Dequeue(queue=before):
            _change_part(t, base, at, shape, before, unchanged)
            _change(t, base, at, shape, expr)
        case ir.If(condition=condition, then=then, otherwise=otherwise):
            _change_either(t, base, at, shape, (condition, then, otherwise), unchanged)
        case ir.MapOf(binder=binder, body=body) if isinstance(shape, Mapping):
            if binder.uid not in free(body) and size(shape.key) > 0:
                same = _everywhere(shape, fitted(t, t.expr(body), shape.value))
                if same is not None:
                    write(t.block, base, at, same)
                    return
            with t.restored():
                open_binder(t, binder)
                key_value = t.env[binder.uid]
                assert isinstance(key_value, Code)
                below = plus(at, item_at(shape, position(key_value)))
                _change_part(t, base, below, shape.value, body, _item_of(unchanged, binder.uid))
        case _:
            write(t.block, base, at, fitted(t, t.expr(expr), shape))


def _never(expr: ir.Expr) -> bool:
    return False


def _item_of(unchanged: Callable[[ir.Expr], bool], uid: int) -> Callable[[ir.Expr], bool]:
    """Recognises the item of an unchanged map at a bound key."""
    return lambda e: isinstance(e, ir.At) and isinstance(e.key, ir.Local) and e.key.uid == uid and unchanged(e.operand)


def _change_item(
    t: Translator,
    base: str,
    at: int | str,
    shape: Mapping | Sequence,
    expr: ir.WithAt,
    unchanged: Callable[[ir.Expr], bool],
) -> None:
    key, operand = expr.key, expr.operand
    while isinstance(operand, ir.WithAt) and operand.key == key and t.program.forms.total(operand):
        operand = operand.operand  # what was put there is overwritten
    _change_part(t, base, at, shape, operand, unchanged)
    if isinstance(shape, Sequence):
        place = place_of(t, t.expr(operand), t.named(t.expr(key), "key"))
    else:
        value = t.named(t.expr(key), "key")
        t.fail_unless(fits(t, value, shape.key))
        place = item_at(shape, position(convert(t, value, shape.key)))
    inner = (lambda e: isinstance(e, ir.At) and e.key == key and unchanged(e.operand)) if unchanged(operand) else _never
    _change_part(t, base, plus(at, place), _item_shape(shape), expr.value, inner)


def _change_either(
    t: Translator,
    base: str,
    at: int | str,
    shape: Shape,
    parts: tuple[ir.Expr, ir.Expr, ir.Expr],
    unchanged: Callable[[ir.Expr], bool],
) -> None:
    condition, then, otherwise = parts
    test = t.condition(condition)
    with t.branch(f"if ({test})"):
        _change_part(t, base, at, shape, then, unchanged)
    if not unchanged(otherwise):
        with t.branch("else"):
            _change_part(t, base, at, shape, otherwise, unchanged)


def _add_all(t: Translator, base: str, at: int | str, shape: Collection, right: ir.Expr) -> None:
    """Adds the elements of a set to a set in place."""
    match right:
        case ir.SetLiteral(items=items):
            for each in items:
                put_item(t, base, at, shape, fitted(t, t.expr(each), shape.item))
        case ir.SetOf(binders=binders, where=where, item=each):
            with t.restored():
                for binder in binders:
                    open_binder(t, binder)
                if where is not None:
                    enter(t, t.block.open(f"if ({t.condition(where)})"))
                put_item(t, base, at, shape, fitted(t, t.expr(each), shape.item))
        case _:
            whole = t.set_value(right)
            with t.items_of(whole) as each_value:
                put_item(t, base, at, shape, fitted(t, each_value, shape.item))
