"""Values in generated C: taking them apart, putting them together, converting and comparing them.

It works on values that have been computed and never looks at an expression of the spec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from checker.explore.native.shapes import (
    BOOL,
    Collection,
    Integer,
    Line,
    Mapping,
    Multiset,
    Nothing,
    Optional,
    Sequence,
    Shape,
    Tuple,
    bits,
    codes,
    is_dense,
    is_wide,
    join,
    length_bits,
    size,
    words,
)
from checker.explore.native.writer import Block, Code, Value, Wide, as_constant, is_simple, literal, plus, times

if TYPE_CHECKING:
    from checker.explore.native.emit_expr import Translator

# --- conditions -------------------------------------------------------------------------------------


def negation(text: str) -> str:
    """The opposite of a condition."""
    return {"true": "false", "false": "true"}.get(text) or f"!{text if is_simple(text) else f'({text})'}"


def conjunction(*texts: str) -> str:
    """All of the conditions, from left to right."""
    kept = [text for text in texts if text != "true"]
    if "false" in kept:
        kept = kept[: kept.index("false") + 1]
        return "false" if len(kept) == 1 else f"({' && '.join(kept)})"
    return f"({' && '.join(kept)})" if len(kept) > 1 else (kept or ["true"])[0]


def disjunction(*texts: str) -> str:
    """Some of the conditions, from left to right."""
    kept = [text for text in texts if text != "false"]
    if "true" in kept:
        kept = kept[: kept.index("true") + 1]
        return "true" if len(kept) == 1 else f"({' || '.join(kept)})"
    return f"({' || '.join(kept)})" if len(kept) > 1 else (kept or ["false"])[0]


# --- codes ------------------------------------------------------------------------------------------


def number(value: int) -> Code:
    """An integer that is known."""
    text = str(value) if abs(value) < 1 << 15 else f"INT64_C({value})"
    return Code(Integer(value, value), f"({text})" if value < 0 else text)


def known(value: Value) -> int | None:
    """The integer that a value is, where that is known."""
    shape = value.shape
    return shape.low if isinstance(shape, Integer) and shape.low == shape.high else None


def code_of(value: Code) -> str:
    """The code of a value as an unsigned C expression."""
    if not isinstance(value.shape, Integer):
        return value.text
    low = value.shape.low
    if (fixed := known(value)) is not None:
        return literal(fixed - low)
    if low == 0:
        return f"(uint64_t){value.text}"
    return f"(uint64_t)({value.text} - {low})" if low > 0 else f"(uint64_t)({value.text} + {-low})"


def of_code(shape: Shape, text: str) -> Code:
    """The value that a code stands for."""
    if not isinstance(shape, Integer):
        return Code(shape, text)
    if shape.low == shape.high:
        return number(shape.low)
    whole = f"(int64_t){text if is_simple(text) else f'({text})'}"
    return Code(shape, whole if shape.low == 0 else f"({whole} + {shape.low})")


def boolean(text: str) -> Code:
    """A truth value."""
    return Code(BOOL, text)


def ctype(shape: Shape) -> str:
    """The C type of a value in a word."""
    if isinstance(shape, Integer):
        return "int64_t"
    return "bool" if shape == BOOL else "uint64_t"


def scaled(text: str, factor: int) -> str:
    """A code times a constant."""
    constant = as_constant(text)
    if constant is not None:
        return literal(constant * factor)
    return text if factor == 1 else f"{text if is_simple(text) else f'({text})'} * {factor}"


def sum_of(texts: list[str]) -> str:
    """The sum of codes."""
    fixed = sum(c for text in texts if (c := as_constant(text)) is not None)
    rest = [text for text in texts if as_constant(text) is None]
    if fixed or not rest:
        rest.append(literal(fixed))
    return rest[0] if len(rest) == 1 else f"({' + '.join(rest)})"


def position(value: Value) -> int | str:
    """A code as an offset."""
    assert isinstance(value, Code)
    text = code_of(value)
    constant = as_constant(text)
    return constant if constant is not None else text


# --- parts ------------------------------------------------------------------------------------------


def read_part(value: Value, at: int | str, shape: Shape) -> Value:
    """The part of a row that begins at bit `at`."""
    width = bits(shape)
    if isinstance(value, Wide):
        start = plus(value.at, at)
        if is_wide(shape):
            return Wide(shape, value.base, start)
        return of_code(shape, f"load({value.base}, {start}, {width})") if width else of_code(shape, "0")
    mask = literal((1 << width) - 1)
    shifted = value.text if at == 0 else f"({value.text} >> {at})"
    return of_code(shape, shifted if at == 0 and bits(value.shape) == width else f"({shifted} & {mask})")


def field_of(value: Value, name: str) -> Value:
    """A field of a record or message."""
    shape = value.shape
    assert isinstance(shape, Tuple)
    index = shape.index(name)
    part = shape.fields[index][1]
    if bits(part) == 0:
        return of_code(part, "0")
    if isinstance(value, Wide):
        return read_part(value, sum(bits(s) for _, s in shape.fields[:index]), part)
    below = stride(shape, index)
    text = value.text if below == 1 else f"({value.text} / {below})"
    return of_code(part, text if index == 0 else f"({text} % {size(part)})")


def stride(shape: Tuple, index: int) -> int:
    """By how much the code of a record grows with the code of a field."""
    product = 1
    for _, part in shape.fields[index + 1 :]:
        product *= size(part)
    return product


def is_some(value: Value) -> str:
    """Whether an option holds a value."""
    if isinstance(value, Wide):
        return f"load({value.base}, {value.at}, 1)"
    constant = as_constant(value.text)
    return f"({value.text} != 0)" if constant is None else ("true" if constant else "false")


def content(value: Value) -> Value:
    """The value in an option that holds one."""
    assert isinstance(value.shape, Optional)
    if isinstance(value, Wide):
        return read_part(value, 1, value.shape.item)
    constant = as_constant(value.text)
    return of_code(value.shape.item, literal(constant - 1) if constant else f"({value.text} - 1)")


def item_at(shape: Mapping | Sequence, key: int | str) -> int | str:
    """Where the item with this key (of a map: its code; of a sequence: its position from 1) lies in the row."""
    match shape:
        case Mapping(_, value):
            return times(key, bits(value))
        case Sequence(_, item, longest):
            if isinstance(key, int):
                return (longest - key) * bits(item)
            return times(f"({longest} - {key})", bits(item))
        case _:
            assert_never(shape)


def length_of(value: Value) -> Code:
    """The length of a sequence, or how many items a list has, as an integer."""
    shape = value.shape
    assert isinstance(shape, Sequence | Collection | Multiset | Line)
    longest = shape.longest if isinstance(shape, Sequence) else shape.room
    assert longest is not None
    at = longest * bits(shape.item) if isinstance(shape, Sequence) else 0
    width = Integer(0, longest)
    found = read_part(value, at, width)
    assert isinstance(found, Code)
    return found


def list_item(value: Value, index: str, item: Shape) -> Value:
    """The item of a list (a large set, a bag or a queue) at an index from 0."""
    shape = value.shape
    assert isinstance(shape, Collection | Multiset | Line)
    return read_part(value, plus(length_bits(shape), times(index, bits(item))), item)


def list_form(shape: Collection | Multiset | Line) -> str:
    """The arguments `head, width` of the functions on lists."""
    return f"{length_bits(shape)}, {bits(shape.item)}"


def as_row(value: Value) -> str:
    """A value as the arguments `words, start` of a function on rows."""
    return f"{value.base}, {value.at}" if isinstance(value, Wide) else f"(const uint64_t[]){{{code_of(value)}}}, 0"


# --- rows under construction ------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A local variable that is given its parts one by one; all other bits are zero."""

    shape: Shape
    name: str

    @property
    def base(self) -> str:
        return f"&{self.name}" if not is_wide(self.shape) else self.name

    def put(self, block: Block, at: int | str, value: Value) -> None:
        """Sets a part whose bits are zero."""
        if isinstance(value, Wide):
            block.line(f"copy_row({self.base}, {at}, {value.base}, {value.at}, {bits(value.shape)});")
        elif not is_wide(self.shape):
            text = code_of(value)
            block.line(f"{self.name} |= {text if at == 0 else f'({text}) << {at}'};")
        else:
            block.line(f"store({self.name}, {at}, {bits(value.shape)}, {code_of(value)});")

    def replace(self, block: Block, at: int | str, value: Value) -> None:
        """Sets a part, whatever its bits are."""
        write(block, self.base, at, value)

    @property
    def value(self) -> Value:
        return Wide(self.shape, self.name, 0) if is_wide(self.shape) else Code(self.shape, self.name)


def write(block: Block, base: str, at: int | str, value: Value) -> None:
    """Overwrites a part of a row."""
    width = bits(value.shape)
    if isinstance(value, Wide):
        block.line(f"copy_row({base}, {at}, {value.base}, {value.at}, {width});")
    elif width:
        block.line(f"store({base}, {at}, {width}, {code_of(value)});")


def new_row(t: Translator, shape: Shape, wish: str, block: Block | None = None, start: Value | None = None) -> Row:
    """Declares a row in a block (by default the present one), empty or as a copy of a value of the same shape."""
    name, place = t.names.fresh(wish), block or t.block
    if is_wide(shape):
        place.line(f"uint64_t {name}[{words(shape)}] = {{0}};")
        if isinstance(start, Wide):
            place.line(f"copy_row({name}, 0, {start.base}, {start.at}, {bits(shape)});")
    else:
        place.line(f"uint64_t {name} = {code_of(start) if isinstance(start, Code) else '0'};")
    return Row(shape, name)


def zero(t: Translator, shape: Shape) -> Value:
    """The value whose bits are all zero: none, or an empty collection."""
    return new_row(t, shape, "empty").value if is_wide(shape) else Code(shape, "0")


def construct(t: Translator, shape: Tuple, fields: list[Value]) -> Value:
    """A record of fields that have the shapes of its fields."""
    if not is_wide(shape):
        texts = [scaled(code_of(f), stride(shape, i)) for i, f in enumerate(fields) if isinstance(f, Code)]
        return Code(shape, sum_of(texts))
    row, at = new_row(t, shape, shape.type.name), 0
    for field in fields:
        row.put(t.block, at, field)
        at += bits(field.shape)
    return row.value


def some(t: Translator, value: Value, shape: Optional) -> Value:
    """An option that holds the value, which has the shape of its item."""
    if isinstance(value, Code) and not is_wide(shape):
        return Code(shape, sum_of([code_of(value), "1"]))
    row = new_row(t, shape, "some")
    row.put(t.block, 0, Code(BOOL, "1"))
    row.put(t.block, 1, value)
    return row.value


def put_item(t: Translator, base: str, at: int | str, shape: Collection | Multiset | Line, item: Value) -> None:
    """Adds an item of the right shape to a set, bag or queue in place."""
    if isinstance(shape, Collection) and shape.room is None:
        t.block.line(f"put_bit({base}, {plus(at, position(item))});")
        return
    match shape:
        case Collection():
            function = "set_put"
        case Multiset():
            function = "bag_put"
        case Line():
            function = "queue_put"
        case _:
            assert_never(shape)
    form = f"{list_form(shape)}, {shape.room}"
    t.block.line(f"if (!{function}({base}, {at}, {form}, {as_row(item)})) {t.escape.overflow}")


def add_item(t: Translator, row: Row, item: Value) -> None:
    """Adds an item of the right shape to a set, bag or queue under construction."""
    shape = row.shape
    assert isinstance(shape, Collection | Multiset | Line)
    if is_wide(shape):
        put_item(t, row.base, 0, shape, item)
    else:
        t.block.line(f"{row.name} |= UINT64_C(1) << {position(item)};")


# --- conversions ------------------------------------------------------------------------------------


def always_fits(value: Shape, place: Shape) -> bool:
    """Whether every value of the one shape is one of the other, which differs in ranges and room only."""
    match value, place:
        case Nothing(), _:
            return True
        case Integer(), Integer():
            return place.low <= value.low and value.high <= place.high
        case Optional(a), Optional(b):
            return always_fits(a, b)
        case Collection(a), Collection(b):
            return always_fits(a, b)
        case Multiset(a), Multiset(b):
            return always_fits(a, b)
        case Sequence(), Sequence():
            return value.longest <= place.longest and always_fits(value.item, place.item)
        case Tuple(), Tuple():
            pairs = zip(value.fields, place.fields, strict=True)
            return all(always_fits(a, b) for (_, a), (_, b) in pairs)
        case Mapping(), Mapping():
            return always_fits(value.value, place.value)
        case Line(), Line():
            return all(always_fits(a, b) for a, b in zip(value.kinds, place.kinds, strict=True))
        case _:
            return value == place


def fits(t: Translator, value: Value, place: Shape) -> str:
    """The condition that all integers of a value lie in the ranges of a shape."""
    shape = value.shape
    if always_fits(shape, place):
        return "true"
    match shape, place:
        case Integer(low, high), Integer(least, greatest):
            assert isinstance(value, Code)
            above = "true" if least <= low else f"{value.text} >= {number(least).text}"
            below = "true" if high <= greatest else f"{value.text} <= {number(greatest).text}"
            return conjunction(above, below)
        case Optional(), Optional(item):
            inside = t.lazily(lambda: fits(t, content(value), item), is_some(value))
            return disjunction(negation(is_some(value)), inside)
        case Tuple(), Tuple(_, fields):
            return conjunction(*(fits(t, field_of(value, name), part) for name, part in fields))
        case Mapping(), Mapping(_, part):
            return _all_fit(t, value, part)
        case (Collection(), Collection(item)) | (Sequence(), Sequence(_, item)):
            return _all_fit(t, value, item)
        case _:
            return "true"  # messages in flight were sent, and then they were checked


def _all_fit(t: Translator, value: Value, place: Shape) -> str:
    result = t.names.fresh("inside")
    t.block.line(f"bool {result} = true;")
    with t.items_of(value) as item:
        t.block.line(f"if ({negation(fits(t, item, place))}) {result} = false;")
    return result


def convert(t: Translator, value: Value, place: Shape) -> Value:
    """The value in a shape that it fits."""
    shape = value.shape
    if shape == place:
        return value
    match shape, place:
        case Nothing(), _:
            return zero(t, place)
        case Integer(), Integer():
            assert isinstance(value, Code)
            return Code(place, value.text)
        case Optional(), Optional():
            return _convert_option(t, value, place)
        case Tuple(), Tuple():
            return construct(t, place, [convert(t, field_of(value, name), part) for name, part in place.fields])
        case Mapping(), Mapping():
            row = new_row(t, place, "map")
            with t.loop_to(size(place.key)) as key:
                item = read_part(value, item_at(shape, key), shape.value)
                row.put(t.block, item_at(place, key), convert(t, item, place.value))
            return row.value
        case Sequence(), Sequence():
            return _convert_sequence(t, value, shape, place)
        case _, Collection() | Multiset() | Line():
            row = new_row(t, place, "items")
            with t.items_of(value) as item:
                add_item(t, row, convert(t, item, place.item))
            return row.value
        case _:
            raise AssertionError(f"{shape} does not become {place}")


def _convert_option(t: Translator, value: Value, place: Optional) -> Value:
    assert isinstance(value.shape, Optional)
    if isinstance(value, Code) and isinstance(value.shape.item, Nothing):
        return zero(t, place)
    if isinstance(value, Code) and as_constant(value.text) == 0:
        return zero(t, place)
    row = new_row(t, place, "option")
    with t.branch(f"if ({is_some(value)})"):
        found = some(t, convert(t, content(value), place.item), place)
        if isinstance(found, Code):
            t.block.line(f"{row.name} = {found.text};")
        else:
            row.put(t.block, 0, found)
    return row.value


def _convert_sequence(t: Translator, value: Value, shape: Sequence, place: Sequence) -> Value:
    row, length = new_row(t, place, "sequence"), t.temp(length_of(value), "length")
    with t.loop_to(length.text) as key:
        item = read_part(value, item_at(shape, f"({key} + 1)"), shape.item)
        row.put(t.block, item_at(place, f"({key} + 1)"), convert(t, item, place.item))
    row.put(t.block, place.longest * bits(place.item), Code(Integer(0, place.longest), length.text))
    return row.value


# --- comparisons ------------------------------------------------------------------------------------


def equal(t: Translator, left: Value, right: Value) -> str:
    """Whether two values are equal."""
    if isinstance(left.shape, Integer) and isinstance(left, Code) and isinstance(right, Code):
        a, b = known(left), known(right)
        if a is not None and b is not None:
            return "true" if a == b else "false"
        return f"({left.text} == {right.text})"
    both = join(left.shape, right.shape)
    left, right = convert(t, left, both), convert(t, right, both)
    if isinstance(left, Code) and isinstance(right, Code):
        return f"({left.text} == {right.text})"
    return f"same_row({as_row(left)}, {as_row(right)}, {bits(both)})"


def ordered(t: Translator, left: Value, operator: str, right: Value) -> str:
    """A comparison of integers, elements of an order, or options of these."""
    if not isinstance(left.shape, Integer):
        both = join(left.shape, right.shape)
        left, right = convert(t, left, both), convert(t, right, both)
    assert isinstance(left, Code) and isinstance(right, Code)
    return f"({left.text} {operator} {right.text})"


# --- validity ---------------------------------------------------------------------------------------


def is_valid(t: Translator, value: Value) -> str:
    """Whether a code, which may be any below `codes`, is that of a value."""
    shape = value.shape
    if is_dense(shape):
        return "true"
    match shape:
        case Optional():
            inside = t.lazily(lambda: is_valid(t, content(value)), is_some(value))
            return disjunction(negation(is_some(value)), inside)
        case Tuple(_, fields):
            return conjunction(*(is_valid(t, field_of(value, name)) for name, _ in fields))
        case Mapping(key, part):
            parts = (read_part(value, item_at(shape, k), part) for k in range(size(key)))
            return conjunction(*(_valid_part(t, part) for part in parts))
        case Sequence(_, item, longest):
            length = length_of(value)
            tests = [f"{length.text} <= {longest}"]
            for i in range(1, longest + 1):
                each = read_part(value, item_at(shape, i), item)
                filled = f"{length.text} >= {i}"
                tests.append(f"({filled} ? {_valid_part(t, each)} : {_code_text(each)} == 0)")
            return conjunction(*tests)
        case Collection(item, None):
            with t.flag(True) as (result, _), t.items_of(value) as member:
                t.block.line(f"if ({negation(_valid_part(t, member))}) {result} = false;")
            return result
        case _:
            raise AssertionError(f"{shape} is not gone through")


def _code_text(value: Value) -> str:
    assert isinstance(value, Code)
    return code_of(value)


def _valid_part(t: Translator, part: Value) -> str:
    count = codes(part.shape)
    assert count is not None
    small = "true" if count == 1 << bits(part.shape) else f"{_code_text(part)} < {literal(count)}"
    return conjunction(small, is_valid(t, part))
