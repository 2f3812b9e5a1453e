"""From statement trees to typed statements: what a step does, with sends turned into changes of the network.

It keeps the rule that a step happens whole or not at all: guards and choices come before effects on every path.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import Broken, Failed, Procedure, Reads, Scope, Symbols
from checker.language.expressions import Expressions
from checker.language.network import Each, Networking
from checker.language.typing import lifted, value_of
from checker.source import Span


@dataclass
class Progress:
    """How far a path through a body has come: whether it had a guard or choice, and whether it had an effect."""

    requires: bool = False
    effects: bool = False


@dataclass(frozen=True)
class Kind:
    """Which body this is: ghost updates (`after`) or a protocol's step, and whether a ghost may be assigned."""

    after: bool = False
    progress: Progress = field(default_factory=Progress)


class Bodies:
    """Elaborates bodies of one file."""

    def __init__(self, symbols: Symbols, expressions: Expressions) -> None:
        self.symbols = symbols
        self.report = symbols.report
        self.expressions = expressions

    def body(self, trees: tuple[s.StatementTree, ...], scope: Scope, kind: Kind) -> tuple[ir.Statement, ...]:
        """All statements in order; one that has an error is reported and left out."""
        statements: list[ir.Statement] = []
        for tree in trees:
            try:
                added, scope = self.statement(tree, scope, kind)
                statements.extend(added)
            except Failed:
                scope = self._poisoned(tree, scope)
        return tuple(statements)

    def _poisoned(self, tree: s.StatementTree, scope: Scope) -> Scope:
        """The scope after a failed statement: its name is known to be unknown."""
        match tree:
            case s.LetStatement(_, name, _):
                return scope.bind(name.text, None, name.span)
            case s.PickStatement(_, binding, _):
                for word in binding.names:
                    scope = scope.bind(word.text, None, word.span)
                return scope
            case _:
                return scope

    def statement(self, tree: s.StatementTree, scope: Scope, kind: Kind) -> tuple[list[ir.Statement], Scope]:
        """The typed statements of one tree, and the scope after it."""
        match tree:
            case s.RequireStatement(span, condition):
                self._guard(span, kind, "require")
                return [ir.Require(self.expressions.boolean(condition, scope), span)], scope
            case s.LetStatement(span, name, value):
                return self._let(span, name, value, scope)
            case s.PickStatement(span, binding, where):
                return self._pick(span, binding, where, scope, kind)
            case s.AssignStatement(span, target, value):
                kind.progress.effects = True
                return [self._assign(span, target, value, scope, kind)], scope
            case s.SendStatement():
                kind.progress.effects = True
                return self._send(tree, scope, kind), scope
            case s.IfStatement():
                return [self._choice(tree, scope, kind)], scope
            case s.CallStatement(span, name, arguments):
                return [self._invoke(span, name, arguments, scope, kind)], scope
            case s.SkipStatement():
                return [], scope
            case _:
                assert_never(tree)

    # --- guards and choices -------------------------------------------------------------------------

    def _guard(self, span: Span, kind: Kind, what: str) -> None:
        if kind.after:
            self.report.error(
                "Q0412", f"`{what}` cannot stand in ghost updates", span, "history follows the step and never stops it"
            )
        if kind.progress.effects:
            self.report.error(
                "Q0403",
                f"`{what}` after an effect",
                span,
                "a step happens whole or not at all: move it to the beginning",
            )
        kind.progress.requires = True

    def _let(self, span: Span, name: s.Word, tree: s.ExprTree, scope: Scope) -> tuple[list[ir.Statement], Scope]:
        self.expressions.unshadowed(name, scope)
        value = self.expressions.value(tree, scope)
        binder = self.symbols.fresh(name.text, value.type, name.span)
        local = ir.Local(type=value.type, span=name.span, name=name.text, uid=binder.uid)
        return [ir.Let(binder, value, span)], scope.bind(name.text, local, name.span)

    def _pick(
        self, span: Span, binding: s.Binding, where: s.ExprTree | None, scope: Scope, kind: Kind
    ) -> tuple[list[ir.Statement], Scope]:
        self._guard(span, kind, "pick")
        binders, inner = self.expressions.bind_all((binding,), scope)
        test = self.expressions.optional(where, inner)
        picks: list[ir.Statement] = [ir.Pick(b, None, span) for b in binders[:-1]]
        return [*picks, ir.Pick(binders[-1], test, span)], inner

    def _choice(self, tree: s.IfStatement, scope: Scope, kind: Kind) -> ir.Choice:
        """Each branch starts from the same point; afterwards the path is as far as the furthest branch."""
        before = replace(kind.progress)
        branches: list[tuple[ir.Expr, tuple[ir.Statement, ...]]] = []
        ends: list[Progress] = []
        for condition, body in tree.branches:
            test = self.expressions.boolean(condition, scope)
            inner = replace(kind, progress=replace(before))
            branches.append((test, self.body(body, scope, inner)))
            ends.append(inner.progress)
        inner = replace(kind, progress=replace(before))
        otherwise = self.body(tree.otherwise, scope, inner)
        ends.append(inner.progress)
        kind.progress.requires = any(end.requires for end in ends)
        kind.progress.effects = any(end.effects for end in ends)
        return ir.Choice(tuple(branches), otherwise, tree.span)

    # --- procedures ---------------------------------------------------------------------------------

    def _invoke(
        self, span: Span, name: s.Word, arguments: tuple[s.ExprTree, ...], scope: Scope, kind: Kind
    ) -> ir.Invoke:
        own = scope.role.members.get(name.text) if scope.role is not None else None
        symbol = own if own is not None else self.symbols.names.get(name.text)
        match symbol:
            case Procedure():
                pass
            case Broken():
                raise Failed
            case None:
                members = scope.role.members if scope.role is not None else {}
                known = {**self.symbols.names, **members}
                names = [n for n, symbol in known.items() if isinstance(symbol, Procedure)]
                self.symbols.unknown(name, "procedure", names)
            case _:
                self.report.error("Q0304", f"`{name.text}` is not a procedure", name.span, "only procedures are called")
        if kind.after:
            self.report.error("Q0412", "a procedure cannot be called in ghost updates", span, "write its updates out")
        decl = self.procedure(symbol, span)
        if symbol.requires:
            self._guard(span, kind, f"{name.text}(…)")
        kind.progress.effects = kind.progress.effects or symbol.effects
        node = (scope.names["self"].expr,) if symbol.role is not None else ()
        count = len(decl.parameters) - len(node)
        if len(arguments) != count:
            self.expressions.arity(name.text, count, len(arguments), span)
        parameters = decl.parameters[len(node) :]
        values = tuple(self.expressions.check(a, p.type, scope) for a, p in zip(arguments, parameters, strict=True))
        given = tuple(n for n in node if n is not None)
        return ir.Invoke(decl.name, (*given, *values), span)

    def procedure(self, procedure: Procedure, use: Span) -> ir.ProcedureDecl:
        """The elaborated procedure; reports recursion."""
        if procedure.decl is not None:
            return procedure.decl
        if procedure.failed:
            raise Failed
        if procedure.working:
            self.report.error("Q0406", f"the procedure `{procedure.item.name.text}` calls itself", use, "unfold it")
        procedure.working = True
        try:
            scope = Scope(role=procedure.role)
            node, scope = self.expressions.self_binder(procedure.role, scope)
            parameters, scope = self.expressions.value_parameters(procedure.item.parameters, scope)
            kind = Kind()
            body = self.body(procedure.item.body, scope, kind)
            self.protocol_reads(scope.reads, procedure.role is not None)
        except Failed:
            procedure.failed = True
            raise
        finally:
            procedure.working = False
        procedure.requires, procedure.effects = kind.progress.requires, kind.progress.effects
        procedure.decl = ir.ProcedureDecl(procedure.qualified, procedure.span, (*node, *parameters), body)
        return procedure.decl

    def protocol_reads(self, reads: Reads, in_role: bool) -> None:
        """Report what the steps of a protocol must not look at."""
        if reads.ghost is not None:
            self.report.note(
                "Q0404", "a step must not depend on ghost state", reads.ghost, "ghost state is history for proofs only"
            )
        if not in_role:
            return
        if reads.nodes is not None:
            self.report.note(
                "Q0401",
                "a node cannot see another node's state",
                reads.nodes,
                "send what the node needs to know in a message, or make this a top-level action",
            )
        if reads.sent is not None:
            self.report.note(
                "Q0402",
                "a node cannot see what was sent in the whole system",
                reads.sent,
                "remember what the node received in a field of its own, or make this a top-level action",
            )

    # --- effects ------------------------------------------------------------------------------------

    def _assign(self, span: Span, target: s.ExprTree, tree: s.ExprTree, scope: Scope, kind: Kind) -> ir.Assign:
        place = self._place(target, scope, kind)
        reads = Reads() if place.variable.kind == "ghost" else scope.reads
        inner = replace(scope, reads=reads)
        value = self.expressions.check(tree, place.type, inner)
        if kind.after:
            scope.reads.add(reads, span)
        return ir.Assign(place.variable.name, place.rebuilt(value), span)

    def _place(self, target: s.ExprTree, scope: Scope, kind: Kind) -> Place:
        match target:
            case s.Name(span, text):
                return self._variable(s.Word(span, text), scope, kind)
            case s.Dot(span, operand, word):
                node = self._node(operand, scope)
                if node is not None:
                    return self._node_field(span, node, word, scope, kind)
                return self._record_field(span, self._place(operand, scope, kind), word)
            case s.Subscript(span, operand, key):
                return self._element(span, self._place(operand, scope, kind), key, scope)
            case _:
                self.report.error("Q0408", "this cannot be assigned to", target.span, "assign to state or a part of it")

    def _variable(self, word: s.Word, scope: Scope, kind: Kind) -> Place:
        if word.text in scope.names:
            note = ("it is bound here", scope.names[word.text].span)
            hint = "only state is assigned; bind a new name with `let`"
            self.report.error("Q0408", f"`{word.text}` cannot be assigned to", word.span, hint, note)
        if scope.role is not None and isinstance(decl := scope.role.members.get(word.text), ir.VariableDecl):
            node = scope.names["self"].expr
            assert node is not None
            return self._at_node(word.span, decl, node, kind)
        symbol = self.symbols.names.get(word.text)
        match symbol:
            case ir.VariableDecl():
                self._assignable(symbol, word.span, kind)
                return Place(symbol, symbol.type, ir.Read(type=symbol.type, span=word.span, name=symbol.name), ())
            case Broken():
                raise Failed
            case None:
                members = list(scope.role.members) if scope.role is not None else []
                states = [n for n, known in self.symbols.names.items() if isinstance(known, ir.VariableDecl)]
                self.symbols.unknown(word, "state", [*members, *states])
            case _:
                self.report.error("Q0408", f"`{word.text}` cannot be assigned to", word.span, "only state is assigned")

    def _assignable(self, decl: ir.VariableDecl, span: Span, kind: Kind) -> None:
        if kind.after and decl.kind != "ghost":
            self.report.error(
                "Q0412",
                f"`{decl.name.split('.')[-1]}` is not ghost state",
                span,
                "an `after` block assigns to `ghost` state only",
            )

    def _node(self, tree: s.ExprTree, scope: Scope) -> ir.Expr | None:
        """The node whose field is assigned, when the tree before the dot is one and no part of the state."""
        if isinstance(tree, s.Name) and tree.text in scope.names:
            expr = scope.names[tree.text].expr
            if expr is None:
                raise Failed
            if isinstance(expr.type, t.Sort | t.Order) and expr.type.name in self.symbols.roles:
                return replace(expr, span=tree.span)
        return None

    def _node_field(self, span: Span, node: ir.Expr, word: s.Word, scope: Scope, kind: Kind) -> Place:
        assert isinstance(node.type, t.Sort | t.Order)
        role = self.symbols.roles[node.type.name]
        decl = role.members.get(word.text)
        if not isinstance(decl, ir.VariableDecl):
            names = [n for n, m in role.members.items() if isinstance(m, ir.VariableDecl)]
            self.symbols.unknown(word, f"field in the role `{role.name}` called", names, "Q0206")
        own = scope.role is role and isinstance(node, ir.Local) and node.name == "self"
        if scope.role is not None and not own and not kind.after:
            self.report.error(
                "Q0401",
                "a node cannot change another node's state",
                span,
                "send it a message, or use a top-level action",
            )
        return self._at_node(span, decl, node, kind)

    def _at_node(self, span: Span, decl: ir.VariableDecl, node: ir.Expr, kind: Kind) -> Place:
        self._assignable(decl, span, kind)
        assert isinstance(decl.type, t.Map)
        whole = ir.Read(type=decl.type, span=span, name=decl.name)
        here = ir.At(type=value_of(decl.type.value), span=span, operand=whole, key=node)
        return Place(decl, decl.type.value, here, ((span, whole, node),))

    def _record_field(self, span: Span, base: Place, word: s.Word) -> Place:
        type_, current = base.type, base.current
        if isinstance(type_, t.Option):
            type_ = type_.item
            current = ir.Unwrap(type=value_of(type_), span=span, operand=current)
        if not isinstance(type_, t.Record):
            self.report.error("Q0206", f"a value of type `{t.show(type_)}` has no field `{word.text}`", word.span)
        fields = self.symbols.records[type_.name].fields
        read = self.expressions.field(span, current, word, fields, f"record `{type_.name}`")
        field_type = dict(fields)[word.text]
        return Place(base.variable, field_type, read, (*base.steps, (span, current, word.text)))

    def _element(self, span: Span, base: Place, key: s.ExprTree, scope: Scope) -> Place:
        match base.type:
            case t.Map(key_type, item):
                position = self.expressions.check(key, key_type, scope)
            case t.Seq(index, item):
                position = self.expressions.check(key, index, scope)
            case _:
                self.report.error("Q0308", f"`{t.show(base.type)}` has no places to look up", span)
        here = ir.At(type=value_of(item), span=span, operand=base.current, key=position)
        return Place(base.variable, item, here, (*base.steps, (span, base.current, position)))

    # --- sending ------------------------------------------------------------------------------------

    def _send(self, tree: s.SendStatement, scope: Scope, kind: Kind) -> list[ir.Statement]:
        if kind.after:
            self.report.error("Q0412", "`send` cannot stand in ghost updates", tree.span, "history sends nothing")
        decl = self.expressions.message(tree.message)
        if self.symbols.network is None:
            raise Failed  # reported once, where the messages are declared
        inner, each = scope, None
        if tree.each is not None:
            binders, inner = self.expressions.bind_all((tree.each,), scope)
            where = self.expressions.optional(tree.where, inner)
            if len(binders) != 1:
                self.report.error("Q0306", "`to each` binds one name", tree.each.span)
            each = Each(binders[0], where)
        if len(tree.arguments) != len(decl.fields):
            self.expressions.arity(decl.name, len(decl.fields), len(tree.arguments), tree.span)
        pairs = zip(tree.arguments, decl.fields, strict=True)
        values = [self.expressions.check(a, type_, inner) for a, (_, type_) in pairs]
        values += self._ends(tree, decl, scope, inner, each)
        message = ir.Construct(type=t.Message(decl.name), span=tree.span, fields=tuple(values))
        return Networking(self.symbols).send(decl, message, each, tree.span)

    def _ends(
        self, tree: s.SendStatement, decl: ir.MessageDecl, scope: Scope, inner: Scope, each: Each | None
    ) -> list[ir.Expr]:
        ends: list[ir.Expr] = []
        if decl.sender is not None:
            ends.append(self._sender(tree, decl, decl.sender, scope))
        elif tree.sender is not None:
            self.expressions.no_end(decl, "from", tree.sender.span)
        if decl.receiver is None:
            if tree.receiver is not None or each is not None:
                self.expressions.no_end(decl, "to", (tree.receiver or tree.each or tree).span)
        elif each is not None:
            local = self.expressions.local(each.binder, each.binder.span)
            receiver = lifted(local, decl.receiver)
            if receiver is None:
                self.expressions.mismatch(local, t.show(decl.receiver))
            ends.append(receiver)
        elif tree.receiver is not None:
            ends.append(self.expressions.check(tree.receiver, decl.receiver, inner))
        else:
            self.report.error(
                "Q0410", f"to whom is this `{decl.name}` sent?", tree.span, "add `to …` or `to each p in …`"
            )
        return ends

    def _sender(self, tree: s.SendStatement, decl: ir.MessageDecl, type_: t.Type, scope: Scope) -> ir.Expr:
        own = scope.names["self"].expr if scope.role is not None else None
        if own is not None and own.type == type_:
            if tree.sender is not None:
                sender = self.expressions.check(tree.sender, type_, scope)
                if not (isinstance(sender, ir.Local) and sender.name == "self"):
                    self.report.error(
                        "Q0410", "a node sends in its own name only", tree.sender.span, "leave `from` out"
                    )
            return replace(own, span=tree.span)
        if tree.sender is not None and scope.role is None:
            return self.expressions.check(tree.sender, type_, scope)
        note = ("the message is declared here", decl.span)
        self.report.error(
            "Q0410",
            f"messages `{decl.name}` are sent by `{t.show(type_)}`",
            tree.span,
            "say who sends it: `from …`",
            note,
        )


@dataclass(frozen=True)
class Place:
    """A part of a variable: its type, its present value, and the way to it from the variable inwards.

    Each step of the way is (span, the value that has the part, the key or field name).
    """

    variable: ir.VariableDecl
    type: t.Type
    current: ir.Expr
    steps: tuple[tuple[Span, ir.Expr, ir.Expr | str], ...]

    def rebuilt(self, value: ir.Expr) -> ir.Expr:
        """The whole variable's value with this part replaced."""
        for span, whole, part in reversed(self.steps):
            if isinstance(part, str):
                value = ir.WithField(type=whole.type, span=span, operand=whole, field=part, value=value)
            else:
                value = ir.WithAt(type=whole.type, span=span, operand=whole, key=part, value=value)
            # a part of a record in an option: the option is written back
            if isinstance(whole, ir.Unwrap):
                value = ir.Lift(type=whole.operand.type, span=span, operand=value)
        return value
