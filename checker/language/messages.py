"""Messages as users write them: `sent M(…)` in formulas, `send M(…)` in steps, and who sends and receives.

How a network carries them is not known here but in `network`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NoReturn

from checker.language import binders, ir, make
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import Broken, Failed, Scope
from checker.language.network import Each, Networking, sent_name
from checker.language.rounds import Rounds
from checker.language.typing import lifted, value_of
from checker.source import Span

if TYPE_CHECKING:
    from checker.language.expressions import Expressions


def declared(ex: Expressions, word: s.Word) -> ir.MessageDecl:
    """The kind of messages of this name."""
    symbol = ex.symbols.names.get(word.text)
    match symbol:
        case ir.MessageDecl():
            return symbol
        case Broken():
            raise Failed
        case None:
            hint = f"declare it: `message {word.text}(…)`"
            ex.symbols.unknown(word, "message", ex.symbols.messages, "Q0208", hint)
        case _:
            note = ("it is declared here", symbol.span)
            ex.report.error("Q0208", f"`{word.text}` is not a message", word.span, None, note)


# --- in formulas ------------------------------------------------------------------------------------


def those(ex: Expressions, span: Span, word: s.Word, scope: Scope, flying: bool) -> ir.Expr:
    """All messages of a kind sent so far, or those that are under way in the present round, as a set."""
    decl = declared(ex, word)
    scope.reads.mark("sent", span)
    scope.reads.mark("state", span)
    if not flying:
        return ir.Read(type=t.Set(t.Message(decl.name)), span=span, name=sent_name(decl.name))
    rounds = Rounds(ex.symbols)
    if not rounds.there_are:
        hint = "ask `sent`, which remembers all messages, or let the network be `synchronous`"
        ex.report.error("Q0422", "only in rounds is it known what is under way", span, hint)
    if decl.name not in ex.symbols.handled:
        hint = f"handle it in a role: `on {decl.name}`"
        ex.report.error("Q0422", f"nobody receives `{decl.name}`, so that none is under way", span, hint)
    return rounds.under_way(decl, span)


def sent(ex: Expressions, tree: s.Sent, scope: Scope) -> ir.Expr:
    """Whether a message that matches the pattern was sent."""
    decl = declared(ex, tree.message)
    messages = those(ex, tree.message.span, tree.message, scope, tree.flying)
    if tree.arguments is not None and len(tree.arguments) != len(decl.fields):
        arity(ex, decl, len(tree.arguments), tree.span)
    ends: tuple[tuple[s.ExprTree | None, t.Type | None, End], ...] = (
        (tree.sender, decl.sender, "from"),
        (tree.receiver, decl.receiver, "to"),
    )
    for end_tree, type_, end in ends:
        if end_tree is not None and type_ is None:
            no_end(ex, decl, end, end_tree.span)
    wanted = [*(type_ for _, type_ in decl.fields), *(type_ for _, type_, _ in ends if type_ is not None)]
    given: list[s.ExprTree | None] = [*(tree.arguments or (None,) * len(decl.fields))]
    given += [end_tree for end_tree, type_, _ in ends if type_ is not None]
    asked = [(a, type_) for a, type_ in zip(given, wanted, strict=True) if _asks(a)]
    values = iter(ex.checks([(a, type_) for a, type_ in asked if a is not None], scope))
    fields = tuple(next(values) if _asks(a) else None for a in given)
    if isinstance(messages, ir.BagItems):
        return _some(ex, decl, messages, fields, tree.span)
    return ir.SentMatch(type=t.Bool(), span=tree.span, messages=messages, fields=fields)


def _some(
    ex: Expressions, decl: ir.MessageDecl, messages: ir.Expr, fields: tuple[ir.Expr | None, ...], span: Span
) -> ir.Expr:
    """That one of the messages has these fields."""
    one = ex.symbols.fresh("message", t.Message(decl.name), span, messages)
    tests = [
        make.compare(ir.FieldOf(type=value_of(type_), span=span, operand=make.use(one), field=name), "==", value)
        for (name, type_), value in zip(decl.layout, fields, strict=True)
        if value is not None
    ]
    return make.quantified("exists", [one], make.all_of(tests) if tests else make.truth(True, span))


def _asks(pattern: s.ExprTree | None) -> bool:
    """Whether a part of the pattern asks for a value."""
    return pattern is not None and not isinstance(pattern, s.Wildcard)


# --- in steps ---------------------------------------------------------------------------------------


def send(ex: Expressions, tree: s.SendStatement, scope: Scope) -> list[ir.Statement]:
    """The statements that put a message, or one for each receiver, on its way."""
    decl = declared(ex, tree.message)
    inner, each = scope, None
    if tree.each is not None:
        what = "`to each` binds one name, the receiver"
        binder, inner = binders.bind_one(ex, tree.each, scope, what)
        each = Each(binder, ex.optional(tree.where, inner))
    if len(tree.arguments) != len(decl.fields):
        arity(ex, decl, len(tree.arguments), tree.span)
    pairs = zip(tree.arguments, (type_ for _, type_ in decl.fields), strict=True)
    values, ends = ex.report.both(
        lambda: ex.checks(list(pairs), inner), lambda: _ends(ex, tree, decl, scope, inner, each)
    )
    message = ir.Construct(type=t.Message(decl.name), span=tree.span, fields=(*values, *ends))
    return Networking(ex.symbols).send(decl, message, each, tree.span)


def _ends(
    ex: Expressions, tree: s.SendStatement, decl: ir.MessageDecl, scope: Scope, inner: Scope, each: Each | None
) -> list[ir.Expr]:
    ends: list[ir.Expr] = []
    if decl.sender is not None:
        ends.append(_sender(ex, tree, decl, decl.sender, scope))
    elif tree.sender is not None:
        no_end(ex, decl, "from", tree.sender.span)
    if decl.receiver is not None:
        ends.append(_receiver(ex, tree, decl, decl.receiver, inner, each))
    elif tree.receiver is not None or tree.each is not None:
        no_end(ex, decl, "to", (tree.receiver or tree.each or tree).span)
    return ends


def _receiver(
    ex: Expressions, tree: s.SendStatement, decl: ir.MessageDecl, type_: t.Type, scope: Scope, each: Each | None
) -> ir.Expr:
    if each is not None:
        binder = binders.local(each.binder, each.binder.span)
        receiver = lifted(binder, type_)
        return receiver if receiver is not None else ex.mismatch(binder, t.show(type_), None, _here(decl))
    if tree.receiver is not None:
        return ex.check(tree.receiver, type_, scope)
    hint = f"add `to …`, or `to each p in {t.show(type_)}`"
    ex.report.error("Q0410", f"to whom is this `{decl.name}` sent?", tree.span, hint, _here(decl))


def _sender(ex: Expressions, tree: s.SendStatement, decl: ir.MessageDecl, type_: t.Type, scope: Scope) -> ir.Expr:
    if scope.role is None:
        if tree.sender is not None:
            scope.reads.mark("nodes", tree.sender.span)  # in a procedure: no role may send for another node
            return ex.check(tree.sender, type_, scope)
        ex.report.error(
            "Q0410", f"who sends this `{decl.name}`?", tree.span, "no node does this step: add `from …`", _here(decl)
        )
    if scope.role.type != type_:
        message = f"`{scope.role.name}` cannot send `{decl.name}`: it comes from `{t.show(type_)}`"
        ex.report.error("Q0410", message, tree.span, f"send it in `role {t.show(type_)}`", _here(decl))
    if tree.sender is not None:
        sender = ex.check(tree.sender, type_, scope)
        if not (isinstance(sender, ir.Local) and sender.name == "self"):
            ex.report.error("Q0410", "a node sends in its own name only", tree.sender.span, "leave `from …` out")
    return replace(scope.node, span=tree.span)


End = Literal["from", "to"]


def no_end(ex: Expressions, decl: ir.MessageDecl, end: End, span: Span) -> NoReturn:
    """Report a sender or receiver of messages that are declared without."""
    who = "sender" if end == "from" else "receiver"
    hint = f"declare it with one: `message {decl.name} {end} …`, naming a sort"
    ex.report.error("Q0410", f"messages `{decl.name}` carry no {who}", span, hint, _here(decl))


def arity(ex: Expressions, decl: ir.MessageDecl, given: int, span: Span) -> NoReturn:
    """Report a number of arguments that is not that of the fields."""
    ex.arity(decl.name, [name for name, _ in decl.fields], given, span, _here(decl))


def _here(decl: ir.MessageDecl) -> tuple[str, Span]:
    return (f"`{decl.name}` is declared here", decl.span)
