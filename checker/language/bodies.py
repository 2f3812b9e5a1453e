"""From statement trees to typed statements: what a step does, with sends turned into changes of the network.

It keeps the rule that a step happens whole or not at all: guards and choices come before effects on every path.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import assert_never

from checker.language import ir, messages, places
from checker.language import syntax as s
from checker.language.binders import bind_all, poisoned, self_binder, unshadowed, value_parameters
from checker.language.context import Broken, Definition, Failed, NeedsType, Note, Procedure, Reads, Scope, Symbols
from checker.language.expressions import Expressions
from checker.source import Span


@dataclass
class Progress:
    """How far a path through a body has come: its first guard or choice, and its first effect."""

    guard: Span | None = None
    effect: Span | None = None


@dataclass(frozen=True)
class Kind:
    """Which body this is: ghost updates (`after`), or a protocol's step that has come so far."""

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
        self.expressions.depth += 1
        for tree in trees:
            try:
                added, scope = self.statement(tree, scope, kind)
                statements.extend(added)
            except Failed:
                scope = _after_failure(tree, scope)
        self.expressions.depth -= 1
        return tuple(statements)

    def statement(self, tree: s.StatementTree, scope: Scope, kind: Kind) -> tuple[list[ir.Statement], Scope]:
        """The typed statements of one tree, and the scope after it."""
        match tree:
            case s.RequireStatement(span, condition):
                self._guard(span, kind, "require")
                return [ir.Require(self.expressions.boolean(condition, scope), span)], scope
            case s.LetStatement(span, name, value):
                return self._let(span, name, value, scope)
            case s.PickStatement():
                return self._pick(tree, scope, kind)
            case s.AssignStatement(span, target, value):
                kind.progress.effect = kind.progress.effect or span
                return [self._assign(span, target, value, scope, kind)], scope
            case s.SendStatement(span):
                if kind.after:
                    self.report.error("Q0412", "`send` cannot stand in ghost updates", span, "history sends nothing")
                kind.progress.effect = kind.progress.effect or span
                return messages.send(self.expressions, tree, scope), scope
            case s.IfStatement():
                return [self._choice(tree, scope, kind)], scope
            case s.CallStatement():
                return [self._invoke(tree, scope, kind)], scope
            case s.SkipStatement():
                return [], scope
            case _:
                assert_never(tree)

    # --- guards and choices -------------------------------------------------------------------------

    def _guard(self, span: Span, kind: Kind, what: str, *notes: Note) -> None:
        if kind.after:
            hint = "history follows the step and never stops it"
            self.report.error("Q0412", f"`{what}` cannot stand in ghost updates", span, hint)
        if kind.progress.effect is not None:
            hint = "a step happens whole or not at all: move it to the beginning"
            first = ("the first effect is here", kind.progress.effect)
            self.report.error("Q0403", f"`{what}` after an effect", span, hint, first, *notes)
        kind.progress.guard = kind.progress.guard or span

    def _let(self, span: Span, name: s.Word, tree: s.ExprTree, scope: Scope) -> tuple[list[ir.Statement], Scope]:
        _, value = self.report.both(
            lambda: unshadowed(self.expressions, name, scope), lambda: self.expressions.value(tree, scope)
        )
        binder = self.symbols.fresh(name.text, value.type, name.span)
        local = ir.Local(type=value.type, span=name.span, name=name.text, uid=binder.uid)
        return [ir.Let(binder, value, span)], scope.bind(name.text, local, name.span)

    def _pick(self, tree: s.PickStatement, scope: Scope, kind: Kind) -> tuple[list[ir.Statement], Scope]:
        self._guard(tree.span, kind, "pick")
        binders, inner = bind_all(self.expressions, (tree.binding,), scope)
        if not binders:
            raise Failed
        test = self.expressions.optional(tree.where, inner)
        picks: list[ir.Statement] = [ir.Pick(b, None, tree.span) for b in binders[:-1]]
        return [*picks, ir.Pick(binders[-1], test, tree.span)], inner

    def _choice(self, tree: s.IfStatement, scope: Scope, kind: Kind) -> ir.Choice:
        """Each branch starts from the same point; afterwards the path is as far as the furthest branch."""
        branches: list[tuple[ir.Expr, tuple[ir.Statement, ...]]] = []
        before, ends = kind.progress, list[Progress]()
        for condition, body in tree.branches:
            ends.append(replace(before))
            with self.report.recovering():
                branches.append(self._branch(condition, body, scope, replace(kind, progress=ends[-1])))
        ends.append(replace(before))
        otherwise = self.body(tree.otherwise, scope, replace(kind, progress=ends[-1]))
        before.guard = next((end.guard for end in ends if end.guard), None)
        before.effect = next((end.effect for end in ends if end.effect), None)
        return ir.Choice(tuple(branches), otherwise, tree.span)

    def _branch(
        self, condition: s.ExprTree, body: tuple[s.StatementTree, ...], scope: Scope, kind: Kind
    ) -> tuple[ir.Expr, tuple[ir.Statement, ...]]:
        return self.report.both(
            lambda: self.expressions.boolean(condition, scope), lambda: self.body(body, scope, kind)
        )

    # --- procedures ---------------------------------------------------------------------------------

    def _invoke(self, tree: s.CallStatement, scope: Scope, kind: Kind) -> ir.Invoke:
        name, span = tree.name, tree.span
        symbol = self._called(name, scope)
        if kind.after:
            hint = "write its updates out; what to compute may be a `define`"
            self.report.error("Q0412", "a procedure cannot be called in ghost updates", span, hint)
        decl = self.procedure(symbol, span)
        if symbol.guard is not None:
            self._guard(span, kind, f"{name.text}(…)", ("it asks here whether the step may happen", symbol.guard))
        if symbol.effects:
            kind.progress.effect = kind.progress.effect or span
        scope.reads.add(symbol.reads, span)
        self.expressions.reach(span, symbol.depth)
        node = (scope.node,) if symbol.role is not None else ()
        parameters = decl.parameters[len(node) :]
        note = (f"`{name.text}` is declared here", symbol.span)
        if len(tree.arguments) != len(parameters):
            self.expressions.arity(name.text, [p.name for p in parameters], len(tree.arguments), span, note)
        pairs = [(a, p.type) for a, p in zip(tree.arguments, parameters, strict=True)]
        return ir.Invoke(decl.name, (*node, *self.expressions.checks(pairs, scope, note)), span)

    def _called(self, name: s.Word, scope: Scope) -> Procedure:
        own = scope.role.members if scope.role is not None else {}
        symbol = own.get(name.text) or self.symbols.names.get(name.text)
        match symbol:
            case Procedure():
                return symbol
            case Broken():
                raise Failed
            case None:
                procedures = [n for n, known in {**self.symbols.names, **own}.items() if isinstance(known, Procedure)]
                owner = next((r for r in self.symbols.roles.values() if name.text in r.members), None)
                hint = f"declare it: `procedure {name.text}`"
                if name.text in self.symbols.apart:
                    hint = f"it is {self.symbols.apart[name.text]}: put what several steps do into a `procedure`"
                elif owner is not None:
                    hint = f"the procedure of that name belongs to `role {owner.name}`"
                self.symbols.unknown(name, "procedure", procedures, "Q0201", hint)
            case _:
                hint = "only procedures are statements"
                if isinstance(symbol, Definition):
                    hint = "a `define` is an expression; a `procedure` is a statement"
                note = ("it is declared here", symbol.span)
                self.report.error("Q0304", f"`{name.text}` is not a procedure", name.span, hint, note)

    def procedure(self, procedure: Procedure, use: Span) -> ir.ProcedureDecl:
        """The elaborated procedure; reports recursion at the call that closes the circle."""
        if procedure.decl is not None:
            return procedure.decl
        if procedure.failed:
            raise Failed
        if procedure.working:
            note = ("the procedure is here", procedure.span)
            message = f"the procedure `{procedure.item.name.text}` calls itself"
            self.report.error("Q0406", message, use, "procedures are not recursive: unfold it", note)
        with self.expressions.measured(procedure):
            kind = Kind()
            scope = Scope(role=procedure.role, reads=procedure.reads)
            node, scope = self_binder(self.expressions, procedure.role, scope)
            parameters, scope = value_parameters(self.expressions, procedure.item.parameters, scope)
            body = self.body(procedure.item.body, scope, kind)
            self.protocol_reads(procedure.reads, procedure.role is not None)
            procedure.guard, procedure.effects = kind.progress.guard, kind.progress.effect is not None
            parameters = (*node, *parameters)
            procedure.decl = ir.ProcedureDecl(procedure.qualified, procedure.span, parameters, body)
        return procedure.decl

    def protocol_reads(self, reads: Reads, in_role: bool) -> None:
        """Report what the steps of a protocol must not look at."""
        if (ghost := reads.ghost) is not None:
            hint = "ghost state is history for proofs only"
            self.report.add("Q0404", "a step must not depend on ghost state", ghost.at, hint, *ghost.notes)
        if not in_role:
            return
        if (nodes := reads.nodes) is not None:
            hint = "send what the node needs to know in a message, or make this a top-level action"
            message = "a node cannot see another node's state, nor act for it"
            self.report.add("Q0401", message, nodes.at, hint, *nodes.notes)
        if (shared := reads.shared) is not None:
            hint = "make it a field of the role, or make this a top-level action"
            message = "a node cannot use state that belongs to no node"
            self.report.add("Q0418", message, shared.at, hint, *shared.notes)
        if (sent := reads.sent) is not None:
            hint = "remember what the node received in a field of its own, or make this a top-level action"
            message = "a node cannot see what was sent in the whole system"
            self.report.add("Q0402", message, sent.at, hint, *sent.notes)
        if (links := reads.links) is not None:
            hint = "let it give up waiting at any time, as a `timeout`, or make this a top-level action"
            self.report.add("Q0420", "a node cannot see whom it reaches", links.at, hint, *links.notes)

    # --- effects ------------------------------------------------------------------------------------

    def _assign(self, span: Span, target: s.ExprTree, tree: s.ExprTree, scope: Scope, kind: Kind) -> ir.Assign:
        ex = self.expressions
        try:
            place = places.place(ex, target, scope, kind.after)
        except Failed:
            with suppress(Failed, NeedsType):  # for what else is wrong with it
                ex.infer(tree, replace(scope, reads=Reads()))
            raise
        value = ex.check(tree, place.type, scope)
        return ir.Assign(place.variable.name, places.rebuilt(ex, place, value), span)


def _after_failure(tree: s.StatementTree, scope: Scope) -> Scope:
    """The scope after a failed statement: the names that it should have bound are known to be unknown."""
    match tree:
        case s.LetStatement(_, name, _):
            return scope if name.text in scope.names else poisoned((name,), scope)
        case s.PickStatement(_, binding, _):
            return poisoned(tuple(word for word in binding.names if word.text not in scope.names), scope)
        case _:
            return scope
