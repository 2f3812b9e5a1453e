"""Expressions in C: one exhaustive match from the typed form to values, with the statements that computing them takes.

Where an operation is partial, the statements leave the computation the way that `Escape` says. Computations that cannot
fail and do not depend on the choices of a loop around them are done before it, and none is done twice in one scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import assert_never

from checker.explore.native import emit_loop, emit_quantifier, emit_row, emit_set
from checker.explore.native.emit_value import (
    boolean,
    conjunction,
    construct,
    content,
    convert,
    ctype,
    disjunction,
    field_of,
    is_some,
    known,
    length_of,
    negation,
    number,
    ordered,
    some,
    zero,
)
from checker.explore.native.program import Program
from checker.explore.native.shapes import (
    Finite,
    Integer,
    Nothing,
    Optional,
    Tuple,
    bits,
    is_wide,
    join,
    words,
)
from checker.explore.native.writer import Block, Code, Names, Value, Wide, is_simple, literal
from checker.language import ir
from checker.language import types as ty
from checker.language.traverse import free


@dataclass(frozen=True)
class Escape:
    """Statements that leave: where an operation is undefined, where a bound cuts off, and where a guard is false.

    `overflow` is what is done where a list has no room; a list that is only put in another order always has.
    """

    undefined: str
    cut: Callable[[str], str]
    skip: str
    overflow: str = "overflow(w);"


@dataclass(frozen=True)
class Lazy:
    """A bound name whose value is computed where it is first needed."""

    expr: ir.Expr


class Translator:
    """Writes one C function. `state` and `old` name the states that are read, now and under `old(…)`."""

    def __init__(self, program: Program, block: Block, names: Names, escape: Escape, state: str, old: str = "") -> None:
        self.program, self.block, self.names = program, block, names
        self.escape, self.state, self.old = escape, state, old
        self.env: dict[int, Value | Lazy] = {}

    # --- places to write to -------------------------------------------------------------------------

    @contextmanager
    def at(self, block: Block) -> Iterator[Block]:
        """Writes to another block for a while."""
        before, self.block = self.block, block
        yield block
        self.block = before

    @contextmanager
    def branch(self, head: str) -> Iterator[Block]:
        """Inside `head { … }`."""
        with self.at(self.block.open(head)) as block:
            yield block

    @contextmanager
    def loop(self, head: str) -> Iterator[Block]:
        """Inside a loop, whose block is given."""
        with self.at(self.block.open(head, "loop")) as block:
            yield block

    @contextmanager
    def loop_to(self, count: int | str) -> Iterator[str]:
        """Inside a loop over the numbers below `count`; gives the number's name."""
        name = self.names.fresh("i")
        with self.loop(f"for (unsigned {name} = 0; {name} < {count}; {name}++)"):
            yield name

    @contextmanager
    def flag(self, start: bool, ends: bool = True) -> Iterator[tuple[str, str]]:
        """A condition that statements inside may change: its name, and the statement that settles it and leaves.

        Without `ends` that statement does not leave, for loops that have to see all choices.
        """
        name = self.names.fresh("holds" if start else "found")
        self.block.line(f"bool {name} = {'true' if start else 'false'};")
        outside, settle = self.block, f"{name} = {'false' if start else 'true'};"
        if not ends:
            yield name, settle
            self.block = outside
            return
        label = self.names.fresh("done")
        yield name, f"{settle} goto {label};"
        self.block = outside
        self.block.line(f"{label}:;")

    @contextmanager
    def items_of(self, value: Value) -> Iterator[Value]:
        """Inside a loop over the items of a collection, map or sequence."""
        with self.restored():
            yield emit_loop.open_parts(self, value)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Whatever is opened inside is left at the end."""
        before = self.block
        yield
        self.block = before

    def lazily(self, text: Callable[[], str], condition: str) -> str:
        """A condition that is computed only where another one holds; false elsewhere. Without statements: its text."""
        block = self.block.open(f"if ({condition})")
        with self.at(block):
            found = text()
        if block.empty:
            del self.block.lines[-2:]
            return conjunction(condition, found)
        name = self.names.fresh("test")
        assert block.prelude is not None
        block.prelude.line(f"bool {name} = false;")
        block.line(f"{name} = {found};")
        return name

    def temp(self, value: Code, wish: str) -> Code:
        """The value under a name, so that it is computed once."""
        if is_simple(value.text) or known(value) is not None:
            return value
        name = self.names.fresh(wish)
        self.block.line(f"const {ctype(value.shape)} {name} = {value.text};")
        return Code(value.shape, name)

    def named(self, value: Value, wish: str) -> Value:
        return self.temp(value, wish) if isinstance(value, Code) else value

    def fail_unless(self, condition: str) -> None:
        """Leaves where the condition does not hold."""
        if condition != "true":
            self.block.line(f"if ({negation(condition)}) {self.escape.undefined}")

    def cut_unless(self, condition: str, bound: str) -> None:
        """Leaves through a bound of the instance where the condition does not hold."""
        if condition != "true":
            self.block.line(f"if ({negation(condition)}) {self.escape.cut(bound)}")

    # --- names --------------------------------------------------------------------------------------

    def bind(self, uid: int, value: Value) -> None:
        """Gives a value to a bound name, in the present scope."""
        self.env[uid] = value
        self.block.scope.bound.add(uid)

    def postpone(self, uid: int, expr: ir.Expr) -> None:
        """Gives a value that cannot fail to a bound name, to be computed where it is needed."""
        self.env[uid] = Lazy(expr)

    def needs(self, expr: ir.Expr) -> frozenset[int]:
        """The bound names with a place that the value depends on."""
        found: set[int] = set()
        for uid in free(expr):
            value = self.env.get(uid)
            found |= self.needs(value.expr) if isinstance(value, Lazy) else {uid}
        return frozenset(found)

    # --- expressions --------------------------------------------------------------------------------

    def set_value(self, expr: ir.Expr) -> Value:
        """A set as it is, a quorum as the set of its members."""
        value = self.expr(expr)
        if isinstance(value.shape, Finite) and isinstance(value.shape.type, ty.Quorum):
            assert isinstance(value, Code)
            return self.program.members(value)
        return value

    def contains(self, item: Value, domain: ir.Expr) -> str:
        """Whether an element is in a set."""
        return emit_set.contains(self, item, domain)

    def condition(self, expr: ir.Expr) -> str:
        """The C condition of a boolean expression."""
        return self.code(expr).text

    def code(self, expr: ir.Expr) -> Code:
        """The value of an expression that has one in a word."""
        value = self.expr(expr)
        assert isinstance(value, Code)
        return value

    def expr(self, expr: ir.Expr) -> Value:
        """The value of an expression, and the statements that compute it, where that is best."""
        if not _worth_keeping(expr):
            return self._value(expr)
        key = expr if self.state != self.old else ir.Old(expr, type=expr.type, span=expr.span)
        found = self.block.find(key)
        if found is not None:
            return found
        place = self.block.place_for(self.needs(expr)) if self.program.forms.total(expr) else None
        with self.at(place or self.block):
            value = self.named(self._value(expr), _wish(expr))
            self.block.known[key] = value
        return value

    def _value(self, expr: ir.Expr) -> Value:
        match expr:
            case ir.Const():
                return self._constant(expr)
            case ir.NoneValue():
                return Code(Optional(Nothing()), "0")
            case ir.Local(uid=uid):
                value = self.env[uid]
                return self.expr(value.expr) if isinstance(value, Lazy) else value
            case ir.Read(name=name):
                return self.program.read(name, self.state)
            case ir.Old(operand=operand):
                return self._old(operand)
            case ir.Lift(operand=operand):
                value = self.expr(operand)
                return some(self, value, Optional(value.shape))
            case ir.Unwrap(operand=operand):
                return self._unwrap(self.expr(operand), expr.type)
            case ir.FieldOf(operand=operand, field=field):
                return field_of(self.expr(operand), field)
            case ir.Construct(fields=fields):
                return self._construct(expr, [self.expr(field) for field in fields])
            case ir.WithField(operand=operand, field=field, value=new):
                return self._with_field(self.expr(operand), field, self.expr(new))
            case ir.At(operand=operand, key=key):
                return emit_row.item(self, self.expr(operand), self.expr(key))
            case ir.WithAt(operand=operand, key=key, value=new):
                return emit_row.with_item(self, self.expr(operand), self.expr(key), lambda: self.expr(new))
            case ir.Call():
                return self._call(expr)
            case ir.Not(operand=operand):
                return boolean(negation(self.condition(operand)))
            case ir.And(items=items):
                return boolean(self._row(items, conjunction, negate=False))
            case ir.Or(items=items):
                return boolean(self._row(items, disjunction, negate=True))
            case ir.Binary():
                return self._binary(expr)
            case ir.If():
                return self._if(expr)
            case ir.Quantified():
                return boolean(emit_quantifier.quantified(self, expr))
            case ir.SetOf():
                return emit_set.set_of(self, expr)
            case ir.MapOf(binder=binder, body=body):
                return emit_row.map_of(self, binder, body)
            case ir.SetLiteral(items=items):
                return emit_set.set_literal(self, [self.expr(item) for item in items])
            case ir.SeqLiteral(items=items):
                return emit_row.sequence(self, expr, [self.expr(item) for item in items])
            case ir.Extreme():
                return emit_quantifier.extreme(self, expr)
            case ir.Next(operand=operand):
                return self._next(self.code(operand))
            case ir.Previous(operand=operand):
                value = self.temp(self.code(operand), "element")
                self.fail_unless(f"({value.text} > 0)")
                return Code(value.shape, f"({value.text} - 1)")
            case ir.Size(operand=operand):
                return emit_set.size_of(self, operand)
            case ir.SizeOf(of=of):
                return number(self.program.domains.size(of))
            case ir.Length(operand=operand):
                return self._length(self.expr(operand))
            case ir.Append(operand=operand, item=item):
                return emit_row.appended(self, expr, self.expr(operand), self.expr(item))
            case ir.Prefix(operand=operand, end=end):
                return emit_row.prefix(self, self.expr(operand), self.code(end))
            case ir.SentMatch():
                return boolean(emit_set.sent_match(self, expr))
            case ir.BagItems():
                return emit_set.materialized(self, expr)
            case ir.Heads():
                return emit_set.materialized(self, expr)
            case ir.BagWith() | ir.BagWithAll() | ir.BagWithout() | ir.Enqueue() | ir.Dequeue():
                return emit_row.network(self, expr)
            case ir.QueueLength(operand=operand):
                return emit_row.queue_length(self, operand)
            case ir.Empty(type=type_):
                return emit_row.empty(self, self.program.shapes.of(type_))
            case _:
                assert_never(expr)

    def _constant(self, expr: ir.Const) -> Code:
        if isinstance(expr.type, ty.Int | ty.Range):
            return number(int(expr.value))
        if isinstance(expr.type, ty.Bool):
            return boolean("true" if expr.value else "false")
        return Code(self.program.shapes.of(expr.type), literal(int(expr.value)))

    def _old(self, operand: ir.Expr) -> Value:
        if not self.old:
            return self.expr(operand)
        now, self.state = self.state, self.old
        value = self.expr(operand)
        self.state = now
        return value

    def _unwrap(self, option: Value, type_: ty.Type) -> Value:
        option = self.named(option, "option")
        assert isinstance(option.shape, Optional)
        if isinstance(option.shape.item, Nothing):  # what follows is never done, but must be C
            self.fail_unless("false")
            return number(0) if isinstance(type_, ty.Int) else zero(self, self.program.shapes.of(type_))
        self.fail_unless(is_some(option))
        return content(option)

    def _construct(self, expr: ir.Construct, fields: list[Value]) -> Value:
        assert isinstance(expr.type, ty.Record | ty.Message)
        declared = self.program.shapes.of(expr.type)
        assert isinstance(declared, Tuple)
        shapes = [join(part, value.shape) for (_, part), value in zip(declared.fields, fields, strict=True)]
        names = [name for name, _ in declared.fields]
        shape = Tuple(expr.type, tuple(zip(names, shapes, strict=True)))
        return construct(self, shape, [convert(self, v, s) for v, s in zip(fields, shapes, strict=True)])

    def _with_field(self, operand: Value, name: str, new: Value) -> Value:
        shape = operand.shape
        assert isinstance(shape, Tuple)
        operand = self.named(operand, shape.type.name)
        parts = [new if field == name else field_of(operand, field) for field, _ in shape.fields]
        shapes = tuple((field, join(old, v.shape)) for (field, old), v in zip(shape.fields, parts, strict=True))
        whole = Tuple(shape.type, shapes)
        return construct(self, whole, [convert(self, v, s) for v, (_, s) in zip(parts, shapes, strict=True)])

    def _next(self, value: Code) -> Code:
        shape = value.shape
        assert isinstance(shape, Finite) and isinstance(shape.type, ty.Order)
        value = self.temp(value, "element")
        self.cut_unless(f"({value.text} < {shape.size - 1})", f"end of {shape.type.name}")
        return Code(shape, f"({value.text} + 1)")

    def _length(self, sequence: Value) -> Code:
        """The length as a value of the index type, which for an order is the position of an element."""
        shape = emit_row.sequence_shape(sequence)
        length = length_of(sequence)
        if isinstance(shape.index, Integer):
            return length
        return Code(shape.index, f"(uint64_t){length.text}")

    def _call(self, call: ir.Call) -> Value:
        """The body of the definition; arguments that cannot fail are computed where they are needed."""
        arguments: list[ir.Expr] = []
        for argument in call.arguments:
            if isinstance(argument, ir.Local | ir.Const):
                arguments.append(argument)
                continue
            local = ir.Local(type=argument.type, span=argument.span, name="argument", uid=next(self.program.uids))
            if self.program.forms.total(argument):
                self.postpone(local.uid, argument)
            else:
                self.bind(local.uid, self.named(self.expr(argument), "argument"))
            arguments.append(local)
        body = self.program.forms.unfolded(replace(call, arguments=tuple(arguments)), self.program.uids)
        return self.expr(body)

    # --- operators ----------------------------------------------------------------------------------

    def _row(self, items: tuple[ir.Expr, ...], join_texts: Callable[..., str], negate: bool) -> str:
        """A conjunction or disjunction: an item is computed only if those before it do not decide."""
        text = self.condition(items[0])
        for item in items[1:]:
            block = self.block.open("")
            with self.at(block):
                right = self.condition(item)
            if block.empty:
                del self.block.lines[-2:]
                text = join_texts(text, right)
                continue
            name = self.names.fresh("test")
            assert block.prelude is not None
            block.prelude.line(f"bool {name} = {text};")
            block.head = f"if ({negation(name) if negate else name})"
            block.line(f"{name} = {right};")
            text = name
        return text

    def _binary(self, expr: ir.Binary) -> Value:
        operator, left, right = expr.operator, expr.left, expr.right
        match operator:
            case "=>":
                return boolean(self._row((_not(left), right), disjunction, negate=True))
            case "<=>" | "==":
                return boolean(emit_set.equality(self, left, right))
            case "!=":
                return boolean(negation(emit_set.equality(self, left, right)))
            case "<" | "<=" | ">" | ">=":
                first = self.expr(left)
                return boolean(ordered(self, first, operator, self.expr(right)))
            case "+" | "-" | "*":
                first_code = self.code(left)
                return _arithmetic(operator, first_code, self.code(right))
            case "in":
                return boolean(emit_set.contains(self, self.expr(left), right))
            case "subset":
                return boolean(emit_set.subset(self, left, right))
            case "union" | "intersect" | "minus":
                return emit_set.combined(self, operator, left, right)
            case _:
                assert_never(operator)

    def _if(self, expr: ir.If) -> Value:
        condition = self.condition(expr.condition)
        if condition in ("true", "false"):
            return self.expr(expr.then if condition == "true" else expr.otherwise)
        yes, no = self.block.open(f"if ({condition})"), self.block.open("else")
        with self.at(yes):
            then = self.expr(expr.then)
        with self.at(no):
            otherwise = self.expr(expr.otherwise)
        shape = join(then.shape, otherwise.shape)
        with self.at(yes):
            then = convert(self, then, shape)
        with self.at(no):
            otherwise = convert(self, otherwise, shape)
        if isinstance(then, Code) and isinstance(otherwise, Code) and yes.empty and no.empty:
            del self.block.lines[-4:]
            return Code(shape, f"({condition} ? {then.text} : {otherwise.text})")
        name = self.names.fresh("choice")
        assert yes.prelude is not None
        if is_wide(shape):
            yes.prelude.line(f"uint64_t {name}[{words(shape)}];")
        else:
            yes.prelude.line(f"{ctype(shape)} {name};")
        for block, value in ((yes, then), (no, otherwise)):
            if isinstance(value, Wide):
                block.line(f"copy_row({name}, 0, {value.base}, {value.at}, {bits(shape)});")
            else:
                block.line(f"{name} = {value.text};")
        return Wide(shape, name, 0) if is_wide(shape) else Code(shape, name)


def _not(expr: ir.Expr) -> ir.Expr:
    return ir.Not(expr, type=ty.Bool(), span=expr.span)


def _worth_keeping(expr: ir.Expr) -> bool:
    """Whether a value is remembered under its expression: it takes a loop, or reads better under a name."""
    match expr:
        case ir.Quantified() | ir.SetOf() | ir.MapOf() | ir.Extreme() | ir.Call() | ir.Size() | ir.QueueLength():
            return True
        case ir.FieldOf(operand=ir.Local()):
            return True
        case ir.SentMatch(fields=fields):
            return None in fields
        case _:
            return False


def _wish(expr: ir.Expr) -> str:
    """A readable name for the value of an expression."""
    match expr:
        case ir.FieldOf(operand=ir.Local(name=name), field=field):
            return f"{name}_{field}"
        case ir.Call(name=name):
            return name.rsplit(".", 1)[-1]
        case ir.Extreme(kind=kind):
            return kind
        case ir.SetOf():
            return "set"
        case ir.Size():
            return "size"
        case _:
            return "value"


def _arithmetic(operator: str, left: Code, right: Code) -> Code:
    a, b = left.shape, right.shape
    assert isinstance(a, Integer) and isinstance(b, Integer)
    match operator:
        case "+":
            shape = Integer(a.low + b.low, a.high + b.high)
        case "-":
            shape = Integer(a.low - b.high, a.high - b.low)
        case _:
            corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            shape = Integer(min(corners), max(corners))
    if shape.low == shape.high:
        return number(shape.low)
    return Code(shape, f"({left.text} {operator} {right.text})")
