"""From expression trees to typed expressions: names resolved, types checked, conversions made explicit.

Types flow both ways: what stands around an expression gives `none`, `zero`, `{}` and `[]` their type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn, assert_never

from checker.language import collections, ir, operators
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import (
    Broken,
    Definition,
    EnumValue,
    Failed,
    NeedsType,
    Procedure,
    Role,
    Scope,
    Symbols,
    TypeName,
)
from checker.language.typing import brief, fits, lifted, named_type, resolve, value_of
from checker.source import Span, did_you_mean


class Expressions:
    """Elaborates expressions of one file; definitions are elaborated when they are first used."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.report = symbols.report

    # --- entry points -------------------------------------------------------------------------------

    def check(self, tree: s.ExprTree, wanted: t.Type, scope: Scope) -> ir.Expr:
        """The expression as a value of the wanted type; raises Failed after reporting what does not fit."""
        expr = self.complete(lambda: self.infer(tree, scope, wanted))
        result = lifted(expr, wanted)
        if result is None:
            hint = None
            if isinstance(expr.type, t.Option) and fits(expr.type.item, wanted):
                hint = f"it may be none: write `the {brief(expr.span)}` where you know that it is not"
            self.mismatch(expr, t.show(value_of(wanted)), hint)
        return result

    def boolean(self, tree: s.ExprTree, scope: Scope) -> ir.Expr:
        return self.check(tree, t.Bool(), scope)

    def optional(self, tree: s.ExprTree | None, scope: Scope) -> ir.Expr | None:
        return None if tree is None else self.boolean(tree, scope)

    def value(self, tree: s.ExprTree, scope: Scope) -> ir.Expr:
        """The expression with the type that it has by itself."""
        return self.complete(lambda: self.infer(tree, scope))

    def complete(self, run: Callable[[], ir.Expr]) -> ir.Expr:
        try:
            return run()
        except NeedsType as missing:
            self.report.error(
                "Q0302",
                f"nothing here says which type `{missing.text}` has",
                missing.span,
                "use it where a type is known",
            )

    def mismatch(self, expr: ir.Expr, wanted: str, hint: str | None = None) -> NoReturn:
        self.report.error("Q0301", f"this is `{t.show(expr.type)}`, but `{wanted}` is needed", expr.span, hint)

    def constant_integer(self, tree: s.ExprTree) -> ir.Expr:
        """An integer made of numbers, constants and sizes of sorts: the bound of a range."""
        scope = Scope()
        expr = self.check(tree, t.Int(), scope)
        if (where := scope.reads.state) is not None:
            self.report.error(
                "Q0409",
                "the bound of a range must not depend on the state",
                where,
                "bound it by a constant and use `where`",
            )
        return expr

    def type_of(self, tree: s.TypeTree) -> t.Type:
        return resolve(self.symbols, tree, self.constant_integer)

    # --- expressions --------------------------------------------------------------------------------

    def infer(self, tree: s.ExprTree, scope: Scope, wanted: t.Type | None = None) -> ir.Expr:
        """The typed expression; `wanted` helps where the tree leaves its type open and need not be met."""
        match tree:
            case s.Number(span, value):
                if isinstance(wanted, t.Order):
                    self.report.error(
                        "Q0301",
                        f"a number is not an element of `{wanted.name}`",
                        span,
                        "orders have `zero`, `.next` and `.prev`",
                    )
                return ir.Const(type=t.Int(), span=span, value=value)
            case s.Name():
                return self.name(tree, scope, wanted)
            case s.Dot(span, operand, word):
                return self.dot(span, operand, word, scope)
            case s.Apply(span, word, arguments):
                return self.apply(span, word, arguments, scope, wanted)
            case s.Method(span, operand, word, arguments):
                return self.method(span, operand, word, arguments, scope)
            case s.Subscript(span, operand, key):
                return collections.subscript(self, span, operand, key, scope)
            case s.Slice(span, operand, end):
                sequence = collections.sequence(self, operand, scope)
                assert isinstance(sequence.type, t.Seq)
                position = self.check(end, sequence.type.index, scope)
                return ir.Prefix(type=sequence.type, span=span, operand=sequence, end=position)
            case s.Unary():
                return operators.unary(self, tree, scope)
            case s.Operation():
                return operators.operation(self, tree, scope, wanted)
            case s.Connective(span, operator, items):
                return operators.connective(self, span, operator, items, scope)
            case s.Comparison(span, operands, links):
                return operators.comparison(self, span, operands, links, scope)
            case s.Conditional(span, condition, then, otherwise):
                decides = self.boolean(condition, scope)
                yes, no = operators.pair(self, then, otherwise, scope, wanted)
                return ir.If(type=yes.type, span=span, condition=decides, then=yes, otherwise=no)
            case s.Quantifier(span, kind, bindings, where, body):
                binders, inner = self.bind_all(bindings, scope)
                test = self.optional(where, inner)
                return ir.Quantified(
                    type=t.Bool(), span=span, kind=kind, binders=binders, where=test, body=self.boolean(body, inner)
                )
            case s.SetFilter(span, binding, condition):
                binders, inner = self.bind_all((binding,), scope)
                if len(binders) != 1:
                    self.report.error("Q0306", "a set is filtered by one name", binding.span, "use `{e for x, y in D}`")
                chosen = self.boolean(condition, inner)
                item = self.local(binders[0], binding.names[0].span)
                return ir.SetOf(type=t.Set(binders[0].type), span=span, binders=binders, where=chosen, item=item)
            case s.SetImage(span, item, bindings, where):
                binders, inner = self.bind_all(bindings, scope)
                test = self.optional(where, inner)
                hint = wanted.item if isinstance(wanted, t.Set) else None
                image = self.infer(item, inner, hint)
                return ir.SetOf(type=t.Set(image.type), span=span, binders=binders, where=test, item=image)
            case s.MapImage(span, binding, value):
                return collections.map_image(self, span, binding, value, scope, wanted)
            case s.SetDisplay() | s.SeqDisplay():
                return collections.display(self, tree, scope, wanted)
            case s.Extremum():
                return collections.extremum(self, tree, scope)
            case s.Sent(span, word, arguments, sender, receiver):
                return self.sent(span, word, arguments, sender, receiver, scope)
            case s.SentDomain(span, word):
                return self.messages(span, word, scope)
            case s.Wildcard(span):
                self.report.error("Q0306", "`_` stands for any value only in `sent M(…)`", span, "name what you mean")
            case _:
                assert_never(tree)

    def local(self, binder: ir.Binder, span: Span) -> ir.Expr:
        return ir.Local(type=value_of(binder.type), span=span, name=binder.name, uid=binder.uid)

    # --- names --------------------------------------------------------------------------------------

    def name(self, tree: s.Name, scope: Scope, wanted: t.Type | None) -> ir.Expr:
        text, span = tree.text, tree.span
        match text:
            case "true" | "false":
                return ir.Const(type=t.Bool(), span=span, value=text == "true")
            case "none":
                if not isinstance(wanted, t.Option):
                    raise NeedsType(text, span)
                return ir.NoneValue(type=value_of(wanted), span=span)
            case "zero":
                return self.zero(span, wanted)
        if (bound := scope.names.get(text)) is not None:
            if bound.expr is None:
                raise Failed
            return replace(bound.expr, span=span)
        if text == "self":
            self.report.error("Q0401", "there is no `self` here", span, "`self` is the node whose role's step this is")
        if scope.role is not None and (member := scope.role.members.get(text)) is not None:
            return self.member(tree, member, scope, scope.names["self"].expr, own=True)
        return self.global_name(tree, scope)

    def zero(self, span: Span, wanted: t.Type | None) -> ir.Expr:
        order = wanted.item if isinstance(wanted, t.Option) else wanted
        match order:
            case t.Order(name):
                if not self.symbols.orders[name].from_zero:
                    self.report.error(
                        "Q0310",
                        f"the order `{name}` has no least element",
                        span,
                        f"declare it `order {name} from zero`",
                    )
                return ir.Const(type=order, span=span, value=0)
            case t.Int() | t.Range():
                return ir.Const(type=t.Int(), span=span, value=0)
            case _:
                raise NeedsType("zero", span)

    def global_name(self, tree: s.Name, scope: Scope) -> ir.Expr:
        text, span = tree.text, tree.span
        symbol = self.symbols.names.get(text)
        match symbol:
            case EnumValue(type_, position):
                return ir.Const(type=type_, span=span, value=position)
            case ir.ConstantDecl():
                return ir.Read(type=value_of(symbol.type), span=span, name=text)
            case ir.VariableDecl():
                scope.reads.state = scope.reads.state or span
                if symbol.kind == "ghost":
                    scope.reads.ghost = scope.reads.ghost or span
                return ir.Read(type=value_of(symbol.type), span=span, name=text)
            case Definition():
                return self.call(span, s.Word(span, text), symbol, (), scope, node=None)
            case Broken():
                raise Failed
            case TypeName() | ir.MessageDecl() | Role():
                self.report.error(
                    "Q0205",
                    f"`{text}` is a type, but a value is needed",
                    span,
                    f"quantify over it: `exists x in {text}: …`",
                )
            case Procedure():
                self.report.error("Q0304", f"`{text}` is a procedure and has no value", span, "use a `define`")
            case None:
                members = list(scope.role.members) if scope.role else []
                word = s.Word(span, text)
                values = [n for n, known in self.symbols.names.items() if not isinstance(known, TypeName)]
                self.symbols.unknown(word, "name", [*scope.names, *members, *values])
            case _:
                assert_never(symbol)

    def member(self, tree: s.Name, symbol: object, scope: Scope, node: ir.Expr | None, own: bool) -> ir.Expr:
        """A role's field or parameterless definition at a node; `own`: at the node whose body this is."""
        if node is None:
            raise Failed
        span = tree.span
        match symbol:
            case ir.VariableDecl():
                scope.reads.state = scope.reads.state or span
                if not own:
                    scope.reads.nodes = scope.reads.nodes or span
                if symbol.kind == "ghost":
                    scope.reads.ghost = scope.reads.ghost or span
                assert isinstance(symbol.type, t.Map)
                whole = ir.Read(type=symbol.type, span=span, name=symbol.name)
                return ir.At(type=value_of(symbol.type.value), span=span, operand=whole, key=node)
            case Definition():
                return self.call(span, s.Word(span, tree.text), symbol, (), scope, node)
            case Broken():
                raise Failed
            case _:
                self.report.error("Q0304", f"`{tree.text}` is a procedure and has no value", span, "use a `define`")

    # --- fields, calls ------------------------------------------------------------------------------

    def dot(self, span: Span, operand: s.ExprTree, word: s.Word, scope: Scope) -> ir.Expr:
        base = self.value(operand, scope)
        if isinstance(base.type, t.Option):
            base = ir.Unwrap(type=value_of(base.type.item), span=base.span, operand=base)
        match base.type:
            case t.Record(name):
                return self.field(span, base, word, self.symbols.records[name].fields, f"record `{name}`")
            case t.Message(name):
                return self.field(span, base, word, self.symbols.messages[name].layout, f"message `{name}`")
            case t.Order() if word.text == "next":
                return ir.Next(type=base.type, span=span, operand=base)
            case t.Order() if word.text == "prev":
                return ir.Previous(type=base.type, span=span, operand=base)
            case t.Sort(name) | t.Order(name) if name in self.symbols.roles:
                return self.node_member(span, base, word, scope)
            case _:
                hint = "integers are counted with `+ 1`" if word.text in ("next", "prev") else None
                self.report.error(
                    "Q0206", f"a value of type `{t.show(base.type)}` has no field `{word.text}`", word.span, hint
                )

    def field(
        self, span: Span, base: ir.Expr, word: s.Word, fields: tuple[tuple[str, t.Type], ...], what: str
    ) -> ir.Expr:
        for name, type_ in fields:
            if name == word.text:
                return ir.FieldOf(type=value_of(type_), span=span, operand=base, field=name)
        names = [name for name, _ in fields]
        hint = did_you_mean(word.text, names) or (f"it has {_listed(names)}" if names else "it has no fields")
        self.report.error("Q0206", f"the {what} has no field `{word.text}`", word.span, hint)

    def node_member(self, span: Span, node: ir.Expr, word: s.Word, scope: Scope) -> ir.Expr:
        assert isinstance(node.type, t.Sort | t.Order)
        role = self.symbols.roles[node.type.name]
        symbol = role.members.get(word.text)
        if symbol is None:
            if word.text in self.symbols.broken:
                raise Failed
            hint = did_you_mean(word.text, role.members)
            self.report.error("Q0206", f"the role `{role.name}` has no field `{word.text}`", word.span, hint)
        own = scope.role is role and isinstance(node, ir.Local) and node.name == "self"
        return self.member(s.Name(span, word.text), symbol, scope, node, own)

    def method(
        self, span: Span, operand: s.ExprTree, word: s.Word, arguments: tuple[s.ExprTree, ...], scope: Scope
    ) -> ir.Expr:
        node = self.value(operand, scope)
        role = self.symbols.roles.get(node.type.name) if isinstance(node.type, t.Sort | t.Order) else None
        if role is None:
            self.report.error("Q0304", f"a value of type `{t.show(node.type)}` has no definitions", word.span)
        symbol = role.members.get(word.text)
        if not isinstance(symbol, Definition):
            names = [n for n, m in role.members.items() if isinstance(m, Definition)]
            self.symbols.unknown(word, f"definition in the role `{role.name}` called", names, "Q0206")
        return self.call(span, word, symbol, arguments, scope, node)

    def apply(
        self, span: Span, word: s.Word, arguments: tuple[s.ExprTree, ...], scope: Scope, wanted: t.Type | None
    ) -> ir.Expr:
        if word.text in collections.BUILTIN:
            run, count = collections.BUILTIN[word.text]
            if len(arguments) != count:
                self.arity(word.text, count, len(arguments), span)
            return run(self, collections.Use(span, word.text, arguments), scope, wanted)
        own = scope.role.members.get(word.text) if scope.role is not None else None
        symbol = own if own is not None else self.symbols.names.get(word.text)
        match symbol:
            case Definition():
                node = scope.names["self"].expr if symbol.role is not None else None
                return self.call(span, word, symbol, arguments, scope, node)
            case TypeName(t.Record(name) as type_):
                return self.construct(span, type_, name, self.symbols.records[name].fields, arguments, scope)
            case Broken():
                raise Failed
            case ir.MessageDecl():
                self.report.error(
                    "Q0304", f"`{word.text}` is a message", span, f"ask `sent {word.text}(…)`, or `send` it in a step"
                )
            case None:
                names = [n for n, known in self.symbols.names.items() if isinstance(known, Definition | TypeName)]
                members = list(scope.role.members) if scope.role else []
                self.symbols.unknown(word, "definition", [*names, *members, *collections.BUILTIN])
            case _:
                self.report.error(
                    "Q0304", f"`{word.text}` takes no arguments", word.span, "only definitions and records do"
                )

    def arity(self, name: str, count: int, given: int, span: Span) -> NoReturn:
        takes = "no arguments" if count == 0 else "1 argument" if count == 1 else f"{count} arguments"
        self.report.error("Q0303", f"`{name}` takes {takes}, not {given}", span)

    def construct(
        self,
        span: Span,
        type_: t.Type,
        name: str,
        fields: tuple[tuple[str, t.Type], ...],
        arguments: tuple[s.ExprTree, ...],
        scope: Scope,
    ) -> ir.Expr:
        if len(arguments) != len(fields):
            self.arity(name, len(fields), len(arguments), span)
        values = tuple(self.check(a, wanted, scope) for a, (_, wanted) in zip(arguments, fields, strict=True))
        return ir.Construct(type=type_, span=span, fields=values)

    def call(
        self,
        span: Span,
        word: s.Word,
        definition: Definition,
        arguments: tuple[s.ExprTree, ...],
        scope: Scope,
        node: ir.Expr | None,
    ) -> ir.Expr:
        decl = self.define(definition, span)
        scope.reads.add(definition.reads, span)
        own = scope.role is definition.role and isinstance(node, ir.Local) and node.name == "self"
        if node is not None and not own and definition.reads.state is not None:
            scope.reads.nodes = scope.reads.nodes or span
        first = () if node is None else (node,)
        if len(arguments) + len(first) != len(decl.parameters):
            self.arity(word.text, len(decl.parameters) - len(first), len(arguments), span)
        parameters = decl.parameters[len(first) :]
        values = tuple(self.check(a, p.type, scope) for a, p in zip(arguments, parameters, strict=True))
        return ir.Call(type=decl.type, span=span, name=decl.name, arguments=(*first, *values))

    def define(self, definition: Definition, use: Span) -> ir.DefinitionDecl:
        """The elaborated definition; reports recursion."""
        if definition.decl is not None:
            return definition.decl
        if definition.failed:
            raise Failed
        if definition.working:
            note = ("the definition is here", definition.span)
            self.report.error("Q0406", f"`{definition.item.name.text}` is defined by itself", use, "unfold it", note)
        definition.working = True
        try:
            scope = Scope(role=definition.role, reads=definition.reads)
            node, scope = self.self_binder(definition.role, scope)
            parameters, scope = self.value_parameters(definition.item.parameters, scope)
            body = self.value(definition.item.body, scope)
            definition.decl = ir.DefinitionDecl(
                definition.qualified, definition.span, (*node, *parameters), body.type, body
            )
        except Failed:
            definition.failed = True
            raise
        finally:
            definition.working = False
        return definition.decl

    def self_binder(self, role: Role | None, scope: Scope) -> tuple[tuple[ir.Binder, ...], Scope]:
        """The node parameter of what belongs to a role, bound as `self`."""
        if role is None:
            return (), scope
        binder = self.symbols.fresh("self", role.type, role.item.name.span)
        return (binder,), scope.bind("self", self.local(binder, binder.span), binder.span)

    def value_parameters(self, bindings: tuple[s.Binding, ...], scope: Scope) -> tuple[tuple[ir.Binder, ...], Scope]:
        """Parameters of definitions and procedures: names with a type, which may be a kind of message."""
        binders: list[ir.Binder] = []
        for binding in bindings:
            if isinstance(binding.domain, s.Name):
                type_ = named_type(self.symbols, s.Word(binding.domain.span, binding.domain.text))
            elif isinstance(binding.domain, s.NamedType | s.GenericType | s.OptionType | s.RangeType):
                type_ = self.type_of(binding.domain)
            else:
                self.report.error(
                    "Q0306", "a parameter of a definition or procedure ranges over a type", binding.domain.span
                )
            for word in binding.names:
                scope = self.bind_word(word, type_, None, binders, scope)
        return tuple(binders), scope

    # --- binders ------------------------------------------------------------------------------------

    def bind_all(self, bindings: tuple[s.Binding, ...], scope: Scope) -> tuple[tuple[ir.Binder, ...], Scope]:
        """Binders for the names in order, and the scope in which they are bound."""
        binders: list[ir.Binder] = []
        for binding in bindings:
            type_, domain = self.domain(binding.domain, scope)
            for word in binding.names:
                scope = self.bind_word(word, type_, domain, binders, scope)
        return tuple(binders), scope

    def bind_word(
        self, word: s.Word, type_: t.Type, domain: ir.Expr | None, binders: list[ir.Binder], scope: Scope
    ) -> Scope:
        self.unshadowed(word, scope)
        binder = self.symbols.fresh(word.text, type_, word.span, domain)
        binders.append(binder)
        return scope.bind(word.text, self.local(binder, word.span), word.span)

    def unshadowed(self, word: s.Word, scope: Scope) -> None:
        """Report a bound name that hides another one."""
        if word.text == "_":
            self.report.error("Q0203", "`_` cannot be bound", word.span, "give it a name")
        first = scope.names[word.text].span if word.text in scope.names else None
        if first is None and word.text in self.symbols.names:
            first = self.symbols_span(word.text)
        if first is None and scope.role is not None and word.text in scope.role.members:
            first = self.symbols_span(word.text, scope.role)
        if first is not None:
            note = ("it is declared here", first)
            self.report.error(
                "Q0203", f"`{word.text}` already has a meaning here", word.span, "choose another name", note
            )

    def symbols_span(self, name: str, role: Role | None = None) -> Span:
        from checker.language.context import span_of

        return span_of(role.members[name] if role is not None else self.symbols.names[name])

    def domain(self, tree: s.DomainTree, scope: Scope) -> tuple[t.Type, ir.Expr | None]:
        """What `in …` ranges over: a type (no expression), or a set or quorum."""
        match tree:
            case s.RangeType() | s.NamedType() | s.OptionType() | s.GenericType():
                return self.enumerable(self.type_of(tree), tree.span), None
            case s.Name(span, text) if text not in scope.names and (
                text in ("Bool", "Int") or isinstance(self.symbols.names.get(text), TypeName | ir.MessageDecl | Role)
            ):
                return self.enumerable(named_type(self.symbols, s.Word(span, text)), span), None
            case _:
                expr = self.value(tree, scope)
                return self.item_type(expr), expr

    def enumerable(self, type_: t.Type, span: Span) -> t.Type:
        match type_:
            case t.Int():
                self.report.error("Q0306", "there are too many integers to go through", span, "give bounds: `0..N`")
            case t.Message(name):
                self.report.error("Q0306", f"`{name}` is a kind of message", span, f"write `in sent {name}`")
            case _:
                return type_

    def item_type(self, expr: ir.Expr) -> t.Type:
        match expr.type:
            case t.Set(item):
                return item
            case t.Quorum(name):
                return self.symbols.quorums[name].of
            case t.Seq():
                self.report.error("Q0306", "a sequence is not a set", expr.span, "go through its positions instead")
            case _:
                self.report.error(
                    "Q0306",
                    f"`{t.show(expr.type)}` has no elements to go through",
                    expr.span,
                    "a set, quorum or type is needed",
                )

    # --- the network in formulas --------------------------------------------------------------------

    def message(self, word: s.Word) -> ir.MessageDecl:
        symbol = self.symbols.names.get(word.text)
        match symbol:
            case ir.MessageDecl():
                return symbol
            case Broken():
                raise Failed
            case None:
                self.symbols.unknown(word, "message", list(self.symbols.messages), "Q0208")
            case _:
                self.report.error("Q0208", f"`{word.text}` is not a message", word.span)

    def messages(self, span: Span, word: s.Word, scope: Scope) -> ir.Expr:
        """All messages of a kind sent so far, as a set."""
        decl = self.message(word)
        scope.reads.sent = scope.reads.sent or span
        scope.reads.state = scope.reads.state or span
        return ir.Read(type=t.Set(t.Message(decl.name)), span=span, name=f"sent {decl.name}")

    def sent(
        self,
        span: Span,
        word: s.Word,
        arguments: tuple[s.ExprTree, ...] | None,
        sender: s.ExprTree | None,
        receiver: s.ExprTree | None,
        scope: Scope,
    ) -> ir.Expr:
        decl = self.message(word)
        given: tuple[s.ExprTree | None, ...] = arguments if arguments is not None else (None,) * len(decl.fields)
        if len(given) != len(decl.fields):
            self.arity(decl.name, len(decl.fields), len(given), span)
        fields = [
            None if a is None or isinstance(a, s.Wildcard) else self.check(a, type_, scope)
            for a, (_, type_) in zip(given, decl.fields, strict=True)
        ]
        for tree, type_, end in ((sender, decl.sender, "from"), (receiver, decl.receiver, "to")):
            if type_ is not None:
                fields.append(None if tree is None or isinstance(tree, s.Wildcard) else self.check(tree, type_, scope))
            elif tree is not None:
                self.no_end(decl, end, tree.span)
        messages = self.messages(word.span, word, scope)
        return ir.SentMatch(type=t.Bool(), span=span, messages=messages, fields=tuple(fields))

    def no_end(self, decl: ir.MessageDecl, end: str, span: Span) -> NoReturn:
        note = ("the message is declared here", decl.span)
        who = "sender" if end == "from" else "receiver"
        self.report.error(
            "Q0410", f"messages `{decl.name}` carry no {who}", span, f"declare it with `{end} Role`", note
        )


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)
