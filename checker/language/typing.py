"""From type trees to types, and the conversions between types: what fits where, and how it is made to fit.

It refuses types that cannot be stored or enumerated, and never guesses: a conversion is an option's lift or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import EnumValue, Role, Symbols, TypeName
from checker.source import Span

if TYPE_CHECKING:
    from checker.language.context import Report

Bounds = Callable[[s.ExprTree], ir.Expr]  # elaborates a constant integer expression, for the bounds of ranges


def named_type(symbols: Symbols, word: s.Word) -> t.Type:
    """The type that a name stands for; a role's name stands for its sort."""
    builtin: dict[str, t.Type] = {"Bool": t.Bool(), "Int": t.Int()}
    if word.text in builtin:
        return builtin[word.text]
    symbol = symbols.names.get(word.text)
    match symbol:
        case TypeName(type_):
            return type_
        case ir.MessageDecl(name):
            return t.Message(name)
        case Role():
            return symbol.type
        case None:
            types = [name for name, known in symbols.names.items() if isinstance(known, TypeName)]
            symbols.unknown(word, "type", [*types, *builtin, "Map", "Set", "Seq"], "Q0205")
        case _:
            symbols.report.error("Q0205", f"`{word.text}` is not a type", word.span, "a type is expected here")


def resolve(symbols: Symbols, tree: s.TypeTree, bounds: Bounds) -> t.Type:
    """The type that a type tree describes; reports what cannot be a type."""
    match tree:
        case s.NamedType(span, name):
            return named_type(symbols, s.Word(span, name))
        case s.OptionType(span, item):
            inner = resolve(symbols, item, bounds)
            if isinstance(inner, t.Option):
                symbols.report.error("Q0309", "an option of an option cannot be told apart", span, "write one `?`")
            return t.Option(inner)
        case s.RangeType(_, low, high):
            return t.Range(bounds(low), bounds(high))
        case s.GenericType(span, name, arguments):
            return _generic(symbols, span, name, [resolve(symbols, a, bounds) for a in arguments])
        case _:
            assert_never(tree)


_ARITY = {"Map": ("Map[K, V]", 2), "Set": ("Set[T]", 1), "Seq": ("Seq[I, T]", 2)}


def _generic(symbols: Symbols, span: Span, name: str, arguments: list[t.Type]) -> t.Type:
    report = symbols.report
    if name not in _ARITY:
        symbols.unknown(s.Word(span, name), "type with parameters", list(_ARITY), "Q0205")
    form, count = _ARITY[name]
    if len(arguments) != count:
        report.error("Q0303", f"`{form}` takes {count} type{'s' * (count > 1)}, not {len(arguments)}", span)
    match name:
        case "Set":
            return t.Set(arguments[0])
        case "Map":
            if not is_key(arguments[0]):
                report.error(
                    "Q0309",
                    f"`{t.show(arguments[0])}` cannot be the key of a map",
                    span,
                    "keys are elements, enumerators, Bool, ranges, or records and options of these",
                )
            return t.Map(arguments[0], arguments[1])
        case _:
            return _sequence(symbols, span, arguments[0], arguments[1])


def _sequence(symbols: Symbols, span: Span, index: t.Type, item: t.Type) -> t.Type:
    from_zero = isinstance(index, t.Order) and symbols.orders[index.name].from_zero
    if not from_zero and not isinstance(index, t.Range):
        symbols.report.error(
            "Q0309",
            f"`{t.show(index)}` cannot number the positions of a sequence",
            span,
            "use an order declared `from zero`, or a range `0..n`",
        )
    return t.Seq(index, item)


def is_key(type_: t.Type) -> bool:
    """Whether maps may have keys of the type: its values can be listed, and there are not too many by nature."""
    match type_:
        case t.Bool() | t.Range() | t.Sort() | t.Order() | t.Quorum() | t.Enum() | t.Record():
            return True
        case t.Option(item):
            return is_key(item)
        case t.Int() | t.Message() | t.Map() | t.Set() | t.Seq() | t.Bag() | t.Queue():
            return False
        case _:
            assert_never(type_)


def storable(report: Report, type_: t.Type, span: Span, what: str) -> None:
    """Report a type whose values cannot be part of a state: all integers, messages."""
    match type_:
        case t.Int():
            report.error(
                "Q0309",
                f"{what} cannot hold all integers",
                span,
                "give the bounds that it keeps to: `0..N` instead of `Int`",
            )
        case t.Message(name):
            report.error(
                "Q0309", f"{what} cannot hold a message", span, f"keep the fields of `{name}` that you need in a record"
            )
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


def enumerators(symbols: Symbols) -> list[str]:
    return [name for name, symbol in symbols.names.items() if isinstance(symbol, EnumValue)]


def brief(span: Span) -> str:
    """The text of a place, short enough for a message."""
    text = span.text
    return text if len(text) <= 40 else text[:37] + "…"
