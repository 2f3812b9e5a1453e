"""Instance blocks: sizes, quorum families, constants, limits and expectations, checked against the declarations.

Whether the sizes can be explored is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import Failed, Scope, Symbols, TypeName
from checker.language.elements import position, prefixes
from checker.language.expressions import Expressions
from checker.source import Span, did_you_mean

LIMITS = ("crashes", "timeouts", "messages")


def elaborate_instances(
    items: tuple[s.Item, ...], symbols: Symbols, expressions: Expressions, properties: list[ir.Property]
) -> tuple[ir.InstanceDecl, ...]:
    """All instances of the file, in order; errors are reported."""
    found: dict[str, ir.InstanceDecl] = {}
    for item in items:
        if not isinstance(item, s.InstanceItem):
            continue
        if item.name.text in found:
            symbols.duplicate(item.name, found[item.name.text].span)
            continue
        found[item.name.text] = _Instance(item, symbols, expressions, properties).run()
    return tuple(found.values())


def constant_value(tree: s.ExprTree, type_: t.Type, symbols: Symbols, expressions: Expressions) -> ir.Expr:
    """A constant's value as an instance gives it: a literal, an enumerator, none, or the name of an element."""
    inner = type_.item if isinstance(type_, t.Option) else type_
    match tree, inner:
        case s.Name(span, text), t.Sort(name) if text not in symbols.names:
            if text == "none" and isinstance(type_, t.Option):
                return ir.NoneValue(type=type_, span=span)
            place = position(text, prefixes(_sorts(symbols))[name])
            if place is None:
                example = prefixes(_sorts(symbols))[name] + "0"
                hint = f"elements are called `{example}` and so on"
                symbols.report.error("Q0210", f"`{text}` is no element of `{name}`", span, hint)
            element = ir.Const(type=inner, span=span, value=place)
        case s.Number(span, value), t.Order():
            element = ir.Const(type=inner, span=span, value=value)
        case _:
            return expressions.check(tree, type_, Scope())
    return ir.Lift(type=type_, span=tree.span, operand=element) if isinstance(type_, t.Option) else element


def _sorts(symbols: Symbols) -> list[str]:
    return [n for n, known in symbols.names.items() if isinstance(known, TypeName) and isinstance(known.type, t.Sort)]


@dataclass
class _Lines:
    """What the lines of one instance say so far, with the place of each name's first line."""

    sizes: dict[str, int] = field(default_factory=dict)
    quorums: dict[str, ir.Majorities | ir.OfSize | ir.Listed] = field(default_factory=dict)
    constants: dict[str, ir.Expr] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    expected: list[ir.Expected] = field(default_factory=list)
    only: list[str] | None = None
    allow_deadlock: bool = False
    places: dict[str, Span] = field(default_factory=dict)


class _Instance:
    def __init__(
        self, item: s.InstanceItem, symbols: Symbols, expressions: Expressions, properties: list[ir.Property]
    ) -> None:
        self.item, self.symbols, self.expressions, self.properties = item, symbols, expressions, properties
        self.report = symbols.report
        self.lines = _Lines()

    def run(self) -> ir.InstanceDecl:
        for line in self.item.lines:
            with self.report.recovering():
                self._line(line)
        lines = self.lines
        return ir.InstanceDecl(
            self.item.name.text,
            self.item.name.span,
            tuple(lines.sizes.items()),
            tuple(lines.quorums.items()),
            tuple(lines.constants.items()),
            tuple(lines.limits.items()),
            tuple(lines.expected),
            tuple(lines.only) if lines.only is not None else None,
            lines.allow_deadlock,
        )

    def _line(
        self, line: s.Setting | s.QuorumOfSize | s.QuorumListed | s.Limit | s.ExpectLine | s.CheckLine | s.AllowDeadlock
    ) -> None:
        lines = self.lines
        match line:
            case s.Setting():
                self._setting(line)
            case s.QuorumOfSize(_, name, size, of):
                decl = self._quorum(name)
                assert isinstance(decl.of, t.Sort | t.Order)
                if of.text != decl.of.name:
                    self.report.error("Q0210", f"quorums `{name.text}` have members of `{decl.of.name}`", of.span)
                lines.quorums[name.text] = ir.OfSize(self.expressions.constant_integer(size))
            case s.QuorumListed(_, name, members):
                decl = self._quorum(name)
                listed = tuple(tuple(self._element(word, decl.of) for word in member) for member in members)
                lines.quorums[name.text] = ir.Listed(listed)
            case s.Limit(_, name, value):
                if name.text not in LIMITS:
                    hint = did_you_mean(name.text, LIMITS) or "limits are `crashes`, `timeouts` and `messages`"
                    self.report.error("Q0210", f"`{name.text}` is not something to limit", name.span, hint)
                self._once(name)
                lines.limits[name.text] = value
            case s.ExpectLine():
                lines.expected.append(self._expect(line))
            case s.CheckLine(_, names):
                lines.only = [*(lines.only or []), *(self._checkable(word) for word in names)]
            case s.AllowDeadlock():
                lines.allow_deadlock = True
            case _:
                assert_never(line)

    def _once(self, word: s.Word) -> None:
        if (first := self.lines.places.get(word.text)) is not None:
            note = ("the first one is here", first)
            self.report.error("Q0202", f"`{word.text}` is set twice", word.span, "leave one of them", note)
        self.lines.places[word.text] = word.span

    def _setting(self, line: s.Setting) -> None:
        name, value = line.name, line.value
        symbol = self.symbols.names.get(name.text)
        match symbol:
            case TypeName(t.Sort() | t.Order()):
                self._once(name)
                if not isinstance(value, s.Number):
                    self.report.error(
                        "Q0210", f"the size of `{name.text}` is a number", value.span, f"`{name.text} = 3`"
                    )
                self.lines.sizes[name.text] = value.value
            case TypeName(t.Quorum()):
                self._quorum(name)
                if not isinstance(value, s.Name) or value.text != "majority":
                    hint = "`majority`, `2 of S`, or sets such as `{a0, a1}, {a1, a2}`"
                    self.report.error("Q0210", "this is no family of quorums", value.span, hint)
                self.lines.quorums[name.text] = ir.Majorities()
            case ir.ConstantDecl():
                self._once(name)
                self.lines.constants[name.text] = constant_value(value, symbol.type, self.symbols, self.expressions)
            case None:
                self.symbols.unknown(name, "sort, order, quorum or constant", self._settable(), "Q0210")
            case _:
                hint = "sizes of sorts and orders, quorum families and constants are"
                self.report.error("Q0210", f"`{name.text}` is not set by an instance", name.span, hint)

    def _settable(self) -> list[str]:
        names = self.symbols.names.items()
        return [n for n, known in names if isinstance(known, TypeName | ir.ConstantDecl)] + list(LIMITS)

    def _quorum(self, word: s.Word) -> ir.QuorumDecl:
        if word.text not in self.symbols.quorums:
            self.symbols.unknown(word, "quorum", list(self.symbols.quorums), "Q0210")
        self._once(word)
        return self.symbols.quorums[word.text]

    def _element(self, word: s.Word, of: t.Type) -> int:
        assert isinstance(of, t.Sort | t.Order)
        prefix = prefixes(_sorts(self.symbols))[of.name] if isinstance(of, t.Sort) else ""
        place = position(word.text, prefix)
        if place is None:
            example = f"{prefix}0"
            self.report.error(
                "Q0210",
                f"`{word.text}` is no element of `{of.name}`",
                word.span,
                f"elements are called `{example}` and so on",
            )
        return place

    def _checkable(self, word: s.Word) -> str:
        names = [p.name for p in self.properties if p.kind not in ("assume", "terminal")]
        if word.text not in [*names, "Deadlock"]:
            self.symbols.unknown(word, "property", [*names, "Deadlock"], "Q0207")
        return word.text

    def _expect(self, line: s.ExpectLine) -> ir.Expected:
        match line.kind:
            case "states":
                if line.number is None:
                    raise Failed
                return ir.ExpectStates(line.number, line.span)
            case "violated":
                if line.name is None:
                    raise Failed
                return ir.ExpectViolated(self._checkable(line.name), line.number, line.span)
            case "unreachable":
                if line.name is None:
                    raise Failed
                names = [p.name for p in self.properties if p.kind == "reachable"]
                if line.name.text not in names:
                    self.symbols.unknown(line.name, "`reachable` property", names, "Q0207")
                return ir.ExpectUnreachable(line.name.text, line.span)
            case _:
                assert_never(line.kind)
