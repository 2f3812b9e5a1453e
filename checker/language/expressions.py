"""From expression trees to typed expressions: names resolved, types checked, conversions made explicit.

Types flow both ways: what stands around an expression gives `none`, `zero`, `{}` and `[]` their type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn, assert_never

from checker.language import collections, ir, messages, names, operators
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import bind_all
from checker.language.context import MAX_DEPTH, Definition, Failed, NeedsType, Note, Procedure, Scope, Symbols
from checker.language.typing import brief, conversion, lifted, plain, value_of
from checker.source import Span


class Expressions:
    """Elaborates expressions of one file; definitions are elaborated when they are first used."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.report = symbols.report
        self.depth = 0  # of the operation at hand, through the definitions under way
        self.deepest = 0  # the greatest depth met since it was last set
        self.too_deep = False

    # --- entry points -------------------------------------------------------------------------------

    def check(self, tree: s.ExprTree, wanted: t.Type, scope: Scope, *notes: Note) -> ir.Expr:
        """The expression as a value of the wanted type; raises Failed after reporting what does not fit."""
        expr = self.complete(lambda: self.infer(tree, scope, wanted))
        result = lifted(expr, wanted)
        if result is None:
            hint = conversion(expr.type, wanted, brief(expr.span))
            self.mismatch(expr, t.show(value_of(wanted)), hint, *notes)
        return result

    def checks(self, pairs: Sequence[tuple[s.ExprTree, t.Type]], scope: Scope, *notes: Note) -> tuple[ir.Expr, ...]:
        """Each expression as a value of its wanted type; all are tried before Failed is raised."""
        found: list[ir.Expr] = []
        for tree, wanted in pairs:
            with self.report.recovering():
                found.append(self.check(tree, wanted, scope, *notes))
        if len(found) < len(pairs):
            raise Failed
        return tuple(found)

    def boolean(self, tree: s.ExprTree, scope: Scope) -> ir.Expr:
        return self.check(tree, t.Bool(), scope)

    def optional(self, tree: s.ExprTree | None, scope: Scope) -> ir.Expr | None:
        return None if tree is None else self.boolean(tree, scope)

    def value(self, tree: s.ExprTree, scope: Scope) -> ir.Expr:
        """The expression with the type that it has by itself."""
        return self.complete(lambda: self.infer(tree, scope))

    def complete(self, run: Callable[[], ir.Expr]) -> ir.Expr:
        """What `run` makes; that it needs a type is an error now, for nothing more is known."""
        try:
            return run()
        except NeedsType as missing:
            message = f"nothing here says which type `{missing.text}` has"
            self.report.error("Q0302", message, missing.span, "write it where its type is known")

    # --- problems that arise in many places ---------------------------------------------------------

    def mismatch(self, expr: ir.Expr, wanted: str, hint: str | None = None, *notes: Note) -> NoReturn:
        message = f"this is `{t.show(expr.type)}`, but `{wanted}` is needed"
        self.report.error("Q0301", message, expr.span, hint, *notes)

    def arity(self, name: str, parameters: Sequence[str], given: int, span: Span, *notes: Note) -> NoReturn:
        """Report a number of arguments that does not fit; `parameters` names those to be given."""
        listed = ", ".join(f"`{p}`" for p in parameters)
        count = len(parameters)
        takes = "no arguments" if count == 0 else f"{count} argument{'s' * (count > 1)} ({listed})"
        message = f"`{name}` takes {takes}, and {given or 'none'} {'is' if given == 1 else 'are'} given"
        self.report.error("Q0303", message, span, None, *notes)

    # --- depth --------------------------------------------------------------------------------------

    def infer(self, tree: s.ExprTree, scope: Scope, wanted: t.Type | None = None) -> ir.Expr:
        """The typed expression; `wanted` helps where the tree leaves its type open and need not be met."""
        self.reach(tree.span, 1)
        self.depth += 1
        try:
            return self._infer(tree, scope, wanted)
        finally:
            self.depth -= 1

    def reach(self, span: Span, levels: int) -> None:
        """Note that operations are nested so many levels deeper at a place; report the first that is too deep."""
        self.deepest = max(self.deepest, self.depth + levels)
        if self.depth + levels > MAX_DEPTH:
            if not self.too_deep:
                hint = "use fewer definitions or procedures that lean on one another"
                self.report.add("Q0417", f"operations are nested more than {MAX_DEPTH} deep", span, hint)
            self.too_deep = True
            raise Failed

    @contextmanager
    def measured(self, unit: Definition | Procedure) -> Iterator[None]:
        """While a definition or procedure is elaborated: measures its depth, and notes whether it failed."""
        unit.working = True
        outer, self.deepest = self.deepest, self.depth
        try:
            yield
        except Failed:
            unit.failed = True
            raise
        finally:
            unit.working = False
            unit.depth = self.deepest - self.depth
            self.deepest = max(outer, self.deepest)

    # --- expressions --------------------------------------------------------------------------------

    def _infer(self, tree: s.ExprTree, scope: Scope, wanted: t.Type | None) -> ir.Expr:
        match tree:
            case s.Number(span, value):
                return ir.Const(type=t.Int(), span=span, value=value)
            case s.Name():
                return names.name(self, tree, scope, wanted)
            case s.Dot():
                return names.dot(self, tree, scope)
            case s.Apply():
                return names.apply(self, tree, scope, wanted)
            case s.Method():
                return names.method(self, tree, scope)
            case s.Subscript(span, operand, key):
                return collections.subscript(self, span, operand, key, scope)
            case s.Slice():
                return collections.prefix(self, tree, scope, wanted)
            case s.Unary():
                return operators.unary(self, tree, scope)
            case s.Operation():
                return operators.operation(self, tree, scope, wanted)
            case s.Connective(span, operator, items):
                node = ir.And if operator == "and" else ir.Or
                return node(type=t.Bool(), span=span, items=self.checks([(i, t.Bool()) for i in items], scope))
            case s.Comparison():
                return operators.comparison(self, tree, scope)
            case s.Conditional():
                return operators.conditional(self, tree, scope, wanted)
            case s.Quantifier():
                return self._quantified(tree, scope)
            case s.SetFilter() | s.SetImage():
                return collections.set_of(self, tree, scope, wanted)
            case s.MapImage(span, binding, value):
                return collections.map_image(self, span, binding, value, scope, wanted)
            case s.SetDisplay() | s.SeqDisplay():
                return collections.display(self, tree, scope, plain(wanted))
            case s.Extremum():
                return collections.extremum(self, tree, scope)
            case s.Sent():
                return messages.sent(self, tree, scope)
            case s.SentDomain(span, word, flying) if wanted == t.Bool():  # asked, not gone through: was any sent?
                return messages.sent(self, s.Sent(span, word, None, None, None, flying), scope)
            case s.SentDomain(span, word, flying):
                return messages.those(self, span, word, scope, flying)
            case s.Wildcard(span):
                self.report.error("Q0312", "`_` stands for any value only in `sent M(…)`", span, "name what you mean")
            case _:
                assert_never(tree)

    def _quantified(self, tree: s.Quantifier, scope: Scope) -> ir.Expr:
        binders, inner = bind_all(self, tree.bindings, scope)
        where, body = self.report.both(lambda: self.optional(tree.where, inner), lambda: self.boolean(tree.body, inner))
        return ir.Quantified(type=t.Bool(), span=tree.span, kind=tree.kind, binders=binders, where=where, body=body)

    def doubled(self, scope: Scope, span: Span) -> Scope:
        """The scope of something that will stand twice in the typed form."""
        if scope.copies >= MAX_COPIES:
            message = f"this stands for more than {MAX_COPIES} copies of its parts"
            hint = "name parts with `let` or `define`: `max(a, b)` and chains such as `a < b < c` use their parts twice"
            self.report.error("Q0417", message, span, hint)
        return replace(scope, copies=2 * scope.copies)


MAX_COPIES = 64
