"""From type trees to types, and the conversions between types: what fits where, and how it is made to fit.

It refuses types that cannot be stored or enumerated, and never guesses: a conversion is an option's lift or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import Broken, Failed, Symbols, TypeName
from checker.source import Span

if TYPE_CHECKING:
    from checker.language.context import Report

Bounds = Callable[[s.ExprTree], ir.Expr]  # elaborates a constant integer expression, for the bounds of ranges


BUILTIN: dict[str, t.Type] = {"Bool": t.Bool(), "Int": t.Int()}


def named_type(symbols: Symbols, word: s.Word) -> t.Type:
    """The type that a name stands for; that of a kind of messages, too."""
    if word.text in BUILTIN:
        return BUILTIN[word.text]
    symbol = symbols.names.get(word.text)
    match symbol:
        case TypeName(type_):
            return type_
        case ir.MessageDecl(name):
            return t.Message(name)
        case Broken():
            raise Failed
        case None if word.text in _ARITY:
            form, _ = _ARITY[word.text]
            symbols.report.error("Q0205", f"`{word.text}` needs types", word.span, f"write `{form}`")
        case None:
            types = [name for name, known in symbols.names.items() if isinstance(known, TypeName)]
            otherwise = "name a sort, order, enum, record or quorum, `Bool` or `Int`"
            symbols.unknown(word, "type", [*types, *BUILTIN, *_ARITY], "Q0205", otherwise)
        case _:
            note = ("it is declared here", symbol.span)
            hint = "name a sort, order, enum, record or quorum, `Bool` or `Int`"
            symbols.report.error("Q0205", f"`{word.text}` is not a type", word.span, hint, note)


def resolve(symbols: Symbols, tree: s.TypeTree, bounds: Bounds) -> t.Type:
    """The type that a type tree describes; reports what cannot be a type."""
    match tree:
        case s.NamedType(span, name):
            return named_type(symbols, s.Word(span, name))
        case s.OptionType(span, item):
            inner = resolve(symbols, item, bounds)
            if isinstance(inner, t.Option):
                symbols.report.error("Q0311", "an option of an option cannot be told apart", span, "write one `?`")
            return t.Option(inner)
        case s.RangeType(_, low, high):
            return t.Range(*symbols.report.both(lambda: bounds(low), lambda: bounds(high)))
        case s.GenericType(span, name, arguments):
            return _generic(symbols, span, name, arguments, bounds)
        case _:
            assert_never(tree)


_ARITY = {"Map": ("Map[K, V]", 2), "Set": ("Set[T]", 1), "Seq": ("Seq[I, T]", 2)}


def _generic(symbols: Symbols, span: Span, name: str, trees: tuple[s.TypeTree, ...], bounds: Bounds) -> t.Type:
    report = symbols.report
    if name not in _ARITY:
        if name in symbols.names:
            report.error("Q0205", f"`{name}` takes no types", span, "only `Map`, `Set` and `Seq` do")
        symbols.unknown(s.Word(span, name), "type with parameters", list(_ARITY), "Q0205")
    form, count = _ARITY[name]
    if len(trees) != count:
        report.error("Q0303", f"`{form}` takes {count} type{'s' * (count > 1)}, not {len(trees)}", span)
    if name == "Set":
        return t.Set(resolve(symbols, trees[0], bounds))
    first, second = report.both(lambda: resolve(symbols, trees[0], bounds), lambda: resolve(symbols, trees[1], bounds))
    if name == "Map":
        return t.Map(first, second)
    if not _numbers(symbols, first):
        hint = "use an order declared `from zero`, or a range `0..n`"
        message = f"`{t.show(first)}` cannot number the positions of a sequence"
        report.error("Q0311", message, trees[0].span, hint)
    return t.Seq(first, second)


def _numbers(symbols: Symbols, index: t.Type) -> bool:
    match index:
        case t.Order(name):
            return symbols.orders[name].from_zero
        case t.Range(low, _):
            return isinstance(low, ir.Const) and low.value == 0
        case _:
            return False


def well_formed(symbols: Symbols, type_: t.Type, span: Span) -> None:
    """Report maps whose keys cannot be listed; of records, as far as they are known yet."""
    match type_:
        case t.Map(key, value):
            if not _is_key(symbols, key):
                hint = "keys are elements, quorums, enumerators, Bool, ranges, or records and options of these"
                symbols.report.error("Q0311", f"`{t.show(key)}` cannot be the key of a map", span, hint)
            well_formed(symbols, value, span)
        case t.Option(item) | t.Set(item) | t.Seq(_, item):
            well_formed(symbols, item, span)
        case _:
            pass


def _is_key(symbols: Symbols, type_: t.Type) -> bool:
    match type_:
        case t.Bool() | t.Range() | t.Sort() | t.Order() | t.Quorum() | t.Enum():
            return True
        case t.Option(item):
            return _is_key(symbols, item)
        case t.Record(name):
            fields = symbols.records[name].fields if name in symbols.records else ()
            return all(_is_key(symbols, item) for _, item in fields)
        case t.Int() | t.Message() | t.Map() | t.Set() | t.Seq() | t.Bag() | t.Queue():
            return False
        case _:
            assert_never(type_)


def storable(report: Report, type_: t.Type, span: Span, what: str) -> None:
    """Report a type whose values cannot be part of a state: all integers, messages."""
    match type_:
        case t.Int():
            hint = "give the bounds that it keeps to: `0..N` instead of `Int`"
            report.error("Q0309", f"{what} cannot hold all integers", span, hint)
        case t.Message(name):
            hint = f"keep the fields of `{name}` that you need in a record"
            report.error("Q0309", f"{what} cannot hold a message", span, hint)
        case t.Option(item) | t.Set(item) | t.Seq(_, item) | t.Map(_, item):
            storable(report, item, span, what)
        case _:
            pass


def value_of(type_: t.Type) -> t.Type:
    """The type of an expression that reads a place of this type: an integer for a range."""
    match type_:
        case t.Range():
            return t.Int()
        case t.Option(t.Range()):
            return t.Option(t.Int())
        case _:
            return type_


def fits(actual: t.Type, wanted: t.Type) -> bool:
    return t.erased(actual) == t.erased(wanted)


def lifted(expr: ir.Expr, wanted: t.Type) -> ir.Expr | None:
    """The expression as a value of the wanted type, by a lift if that is what it takes; None if it does not fit."""
    if fits(expr.type, wanted):
        return expr
    if isinstance(wanted, t.Option) and fits(expr.type, wanted.item):
        return ir.Lift(type=value_of(wanted), span=expr.span, operand=expr)
    return None


def plain(type_: t.Type | None) -> t.Type | None:
    """The type without the option around it."""
    return type_.item if isinstance(type_, t.Option) else type_


def conversion(actual: t.Type, wanted: t.Type, text: str) -> str | None:
    """How the user may make a value of one type (written `text`) one of another, where there is a usual way."""
    match actual, wanted:
        case t.Option(item), _ if fits(item, wanted):
            return f"it may be none: write `the {text}` where you know that it is not"
        case t.Option(), t.Bool():
            return f"ask whether there is a value: `{text} != none`"
        case t.Set() | t.Quorum(), t.Bool():
            return f"ask whether it has elements: `{text} != {{}}`" if isinstance(actual, t.Set) else None
        case t.Int(), t.Order(order):
            return f"a number is no element of `{order}`: orders have `zero`, `.next` and `.prev`"
        case t.Int(), t.Option(t.Order(order)):
            return f"a number is no element of `{order}`: orders have `zero`, `.next` and `.prev`"
        case _, t.Set(item) if fits(actual, item):
            return f"the set of this alone is `{{{text}}}`"
        case t.Quorum(), t.Set():
            return f"the set of its members is `{{x in {text} | true}}`"
        case t.Set() | t.Quorum(), t.Int():
            return f"the number of its elements is `size({text})`"
        case t.Seq(index), _ if fits(index, wanted):
            return f"its last position is `length({text})`"
        case _:
            return None


def brief(span: Span) -> str:
    """The text of a place, short enough for a message."""
    text = span.text
    return text if len(text) <= 40 else text[:37] + "…"
