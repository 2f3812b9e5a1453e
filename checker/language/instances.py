"""Instance blocks: sizes, quorum families, constants, limits and expectations, checked against the declarations.

Whether the sizes can be explored is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, assert_never

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import constant_integer
from checker.language.context import Broken, Failed, Scope, Symbols, TypeName
from checker.language.elements import position, prefixes
from checker.language.expressions import Expressions
from checker.language.names import fields_of
from checker.language.properties import DEADLOCK
from checker.language.traverse import subterms
from checker.source import Span, did_you_mean

LIMITS = ("crashes", "timeouts", "partitions", "messages")


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
        known = symbols.names.items()
        self.prefixes = prefixes(n for n, s in known if isinstance(s, TypeName) and isinstance(s.type, t.Sort))

    def run(self) -> ir.InstanceDecl:
        for line in self.item.lines:
            with self.report.recovering():
                self._line(line)
        self._consistent()
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
                if of.text != t.show(decl.of):
                    message = f"quorums `{name.text}` have members of `{t.show(decl.of)}`"
                    self.report.error("Q0212", message, of.span, f"write `{name.text} = … of {t.show(decl.of)}`")
                lines.quorums[name.text] = ir.OfSize(
                    constant_integer(self.expressions, size, Scope(), "the size of quorums")
                )
            case s.QuorumListed():
                self._listed(line)
            case s.Limit(_, name, value):
                if name.text not in LIMITS:
                    hint = (
                        did_you_mean(name.text, LIMITS)
                        or "limits are `crashes`, `timeouts`, `partitions` and `messages`"
                    )
                    self.report.error("Q0210", f"`{name.text}` is not something to limit", name.span, hint)
                self._once(name)
                lines.limits[name.text] = value
            case s.ExpectLine():
                lines.expected.append(self._expect(line))
            case s.CheckLine(_, names):
                lines.only = lines.only or []
                for word in names:
                    with self.report.recovering():
                        lines.only.append(self._checkable(word))
            case s.AllowDeadlock():
                lines.allow_deadlock = True
            case _:
                assert_never(line)

    def _once(self, word: s.Word, said: str = "is set") -> None:
        """Report a second line about the same thing; `said` is what the line says of it."""
        if (first := self.lines.places.get(word.text + said)) is not None:
            note = ("the first one is here", first)
            self.report.error("Q0202", f"`{word.text}` {said} twice", word.span, "leave one of them", note)
        self.lines.places[word.text + said] = word.span

    # --- sizes, quorums and constants ---------------------------------------------------------------

    def _setting(self, line: s.Setting) -> None:
        name, value = line.name, line.value
        symbol = self.symbols.names.get(name.text)
        match symbol:
            case TypeName(t.Sort() | t.Order()):
                self._once(name)
                if not isinstance(value, s.Number) or value.value == 0:
                    message = f"the size of `{name.text}` is a number, at least 1"
                    self.report.error("Q0212", message, value.span, f"for example `{name.text} = 3`")
                self.lines.sizes[name.text] = value.value
            case TypeName(t.Quorum(family)):
                self._quorum(name)
                if not isinstance(value, s.Name) or value.text != "majority":
                    of = t.show(self.symbols.quorums[family].of)
                    hint = f"it is `majority`, `2 of {of}`, or sets such as `{{{self._example(of)}}}`"
                    self.report.error("Q0212", "this is no family of quorums", value.span, hint)
                self.lines.quorums[name.text] = ir.Majorities()
            case ir.ConstantDecl():
                self._once(name)
                self.lines.constants[name.text] = self._value(value, symbol.type)
            case Broken():
                raise Failed
            case None if name.text in LIMITS:
                self.report.error("Q0210", f"`{name.text}` is limited, not set", name.span, f"`{name.text} <= 1`")
            case None:
                names = self.symbols.names.items()
                near = [n for n, known in names if isinstance(known, TypeName | ir.ConstantDecl)]
                self.symbols.unknown(name, "sort, order, quorum or constant", near, "Q0210")
            case _:
                note = ("it is declared here", symbol.span)
                hint = "sizes of sorts and orders, quorum families and constants are"
                self.report.error("Q0210", f"`{name.text}` is not set by an instance", name.span, hint, note)

    def _quorum(self, word: s.Word) -> ir.QuorumDecl:
        if isinstance(self.symbols.names.get(word.text), Broken):
            raise Failed
        if word.text not in self.symbols.quorums:
            self.symbols.unknown(word, "quorum", list(self.symbols.quorums), "Q0210")
        self._once(word)
        return self.symbols.quorums[word.text]

    def _listed(self, line: s.QuorumListed) -> None:
        """Sets of names: the quorums of a family, or a set as the value of a constant."""
        name = line.name
        symbol = self.symbols.names.get(name.text)
        family = isinstance(symbol, TypeName) and isinstance(symbol.type, t.Quorum)
        if symbol is not None and not family and len(line.members) == 1:
            items = tuple(_as_written(word) for word in line.members[0])
            braces = items[0].span.to(items[-1].span)
            self._setting(s.Setting(line.span, name, s.SetDisplay(braces, items)))
            return
        decl = self._quorum(name)
        members: list[tuple[int, ...]] = []
        for words in line.members:
            members.append(tuple(dict.fromkeys(self._element(word.text, decl.of, word.span) for word in words)))
        self.lines.quorums[name.text] = ir.Listed(tuple(dict.fromkeys(members)))

    def _element(self, text: str, of: t.Type, span: Span) -> int:
        """The position of an element of a sort, by its name."""
        prefix = self.prefixes[of.name] if isinstance(of, t.Sort) else ""
        place = position(text, prefix)
        if place is None:
            hint = f"its elements are called {self._example(t.show(of))} and so on"
            self.report.error("Q0212", f"`{text}` is no element of `{t.show(of)}`", span, hint)
        return place

    def _example(self, sort: str) -> str:
        prefix = self.prefixes.get(sort, "")
        return f"{prefix}0, {prefix}1"

    def _value(self, tree: s.ExprTree, type_: t.Type) -> ir.Expr:
        """A constant's value: a literal, an enumerator, `none`, an element, or a record or set of such."""
        span = tree.span
        match tree, type_:
            case s.Name(text="none"), t.Option():
                return ir.NoneValue(type=type_, span=span)
            case _, t.Option(item):
                return ir.Lift(type=type_, span=span, operand=self._value(tree, item))
            case s.Name(_, text), t.Sort() if text not in self.symbols.names:
                return ir.Const(type=type_, span=span, value=self._element(text, type_, span))
            case s.Number(_, value), t.Order():
                return ir.Const(type=type_, span=span, value=value)
            case s.SetDisplay(_, items), t.Set(item):
                values = tuple(self._value(i, item) for i in items)
                return ir.SetLiteral(type=type_, span=span, items=values)
            case s.Apply(_, word, arguments), t.Record(name) if word.text == name:
                fields = fields_of(self.expressions, type_)
                if len(fields) != len(arguments):
                    self.expressions.arity(name, [n for n, _ in fields], len(arguments), span)
                parts = tuple(self._value(a, wanted) for a, (_, wanted) in zip(arguments, fields, strict=True))
                return ir.Construct(type=type_, span=span, fields=parts)
            case _, t.Map() | t.Seq() | t.Quorum() | t.Sort() | t.Order():
                self._no_value(span, type_)
            case s.Name(_, text), _ if text not in self.symbols.names and text not in ("true", "false", "zero"):
                self._no_value(span, type_)
        scope = Scope()
        found = self.expressions.check(tree, type_, scope)
        if any(isinstance(e, ir.Read | ir.Call) for e in subterms(found)):
            self._no_value(span, type_)
        return found

    def _no_value(self, span: Span, type_: t.Type) -> NoReturn:
        match type_:
            case t.Sort(name):
                hint = f"the elements of `{name}` are called {self._example(name)} and so on"
            case t.Order(name):
                hint = f"the elements of `{name}` are called 0, 1 and so on"
            case t.Int() | t.Range():
                hint = "give a number"
            case t.Bool():
                hint = "give `true` or `false`"
            case t.Enum(name):
                hint = "it is one of " + ", ".join(f"`{value}`" for value in self.symbols.enums[name].values)
            case t.Map() | t.Seq() | t.Quorum():
                hint = "leave the line out: all values of the type that satisfy the assumptions are explored"
            case _:
                hint = "give a literal, the name of an element, or a record or set of these"
        self.report.error("Q0212", f"this is no value of type `{t.show(type_)}` for an instance", span, hint)

    # --- properties and expectations ----------------------------------------------------------------

    def _checkable(self, word: s.Word) -> str:
        names = [p.name for p in self.properties if p.kind not in ("assume", "terminal")]
        if word.text in [*names, DEADLOCK]:
            return word.text
        other = next((p for p in self.properties if p.name == word.text), None)
        if other is not None:
            note = ("it is declared here", other.span)
            message = f"`{word.text}` is {'an' if other.kind == 'assume' else 'a'} `{other.kind}`, which is not checked"
            self.report.error("Q0207", message, word.span, "an instance always respects it", note)
        self.symbols.unknown(word, "property", [*names, DEADLOCK], "Q0207")

    def _expect(self, line: s.ExpectLine) -> ir.Expected:
        match line.kind, line.name, line.number:
            case "states", None, int(number):
                self._once(s.Word(line.span, "expect states"), "stands here")
                return ir.ExpectStates(number, line.span)
            case "violated", s.Word(text=text) as word, steps:
                self._checkable(word)
                if any(p.name == text and p.kind == "reachable" for p in self.properties):
                    message = f"`{text}` is a `reachable`, which is not violated but unreachable"
                    self.report.error("Q0207", message, word.span, f"write `expect unreachable {text}`")
                self._once(word, "is expected to fail")
                return ir.ExpectViolated(text, steps, line.span)
            case "unreachable", s.Word(text=text) as word, None:
                names = [p.name for p in self.properties if p.kind == "reachable"]
                if text not in names:
                    self.symbols.unknown(word, "`reachable` property", names, "Q0207")
                self._once(word, "is expected to be unreachable")
                return ir.ExpectUnreachable(text, line.span)
            case _:
                raise AssertionError(line)

    def _consistent(self) -> None:
        """Report expectations about what this instance does not check."""
        for expected in self.lines.expected:
            if isinstance(expected, ir.ExpectStates):
                continue
            name, only = expected.name, self.lines.only
            if only is not None and name not in only:
                hint = f"add `{name}` to the `check` line"
                self.report.add("Q0213", f"this instance does not check `{name}`", expected.span, hint)
            elif name == DEADLOCK and self.lines.allow_deadlock:
                message = f"this instance allows what it expects, a {DEADLOCK.lower()}"
                self.report.add("Q0213", message, expected.span, "leave out `allow deadlock`")


def _as_written(word: s.Word) -> s.Name | s.Number:
    """The name of an element as an expression: those of an order are numbers."""
    return s.Number(word.span, int(word.text)) if word.text.isdecimal() else s.Name(word.span, word.text)
