"""Actions, handlers of messages, and the ghost updates attached to them.

Each becomes an `ir.ActionDecl`; what its statements mean is the business of `bodies`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, NoReturn

from checker.language import ir, messages
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import bind_all, local, self_binder, unshadowed
from checker.language.bodies import Bodies, Kind
from checker.language.context import Failed, Role, Scope, Symbols
from checker.language.expressions import Expressions
from checker.language.failures import Failures
from checker.language.links import Links
from checker.language.network import Networking
from checker.language.rounds import Rounds
from checker.source import Span


@dataclass
class Steps:
    """The steps of one file, in order, and their positions by qualified name.

    `failed` names those that have an error in their head, of which nothing more is said.
    """

    items: tuple[s.Item, ...]
    symbols: Symbols
    expressions: Expressions
    bodies: Bodies
    actions: list[ir.ActionDecl] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    @property
    def failures(self) -> Failures:
        return Failures(self.symbols, self.expressions, self.bodies)

    def enter(self) -> None:
        """All steps, then what is attached to them."""
        for role, tree in self._trees():
            name = _qualified(role, tree)
            if self._taken(role, tree, name):
                continue
            try:
                self._step(role, tree)
            except Failed:
                self.failed.add(name)
        for item in self.items:
            if isinstance(item, s.AfterItem):
                with self.symbols.report.recovering():
                    self._attach(item)

    def _trees(self) -> Iterator[tuple[Role | None, s.ActionItem | s.HandlerItem | s.RoleItem]]:
        """Actions and handlers in order, and each role after its own, for what its nodes fail by."""
        for item in self.items:
            match item:
                case s.ActionItem(_, "action" | "timeout"):
                    yield None, item
                case s.RoleItem(_, name) if self._is_first(item):
                    role = self.symbols.roles[name.text]
                    for member in item.members:
                        match member:
                            case s.HandlerItem() | s.ActionItem(_, "action" | "timeout"):
                                yield role, member
                            case _:
                                pass
                    yield role, item
                case _:
                    pass

    def _is_first(self, item: s.RoleItem) -> bool:
        role = self.symbols.roles.get(item.name.text)
        return role is not None and role.item is item

    def _step(self, role: Role | None, tree: s.ActionItem | s.HandlerItem | s.RoleItem) -> None:
        match tree:
            case s.ActionItem():
                self._action(tree, role)
            case s.HandlerItem() if role is not None:
                self._handler(tree, role)
            case _ if role is not None:
                self._failures(role)

    def _taken(self, role: Role | None, tree: s.ActionItem | s.HandlerItem | s.RoleItem, name: str) -> bool:
        """Report a step whose name another step, or something else, has."""
        if isinstance(tree, s.RoleItem):
            return False
        word = tree.name if isinstance(tree, s.ActionItem) else s.Word(tree.message.span, name)
        first = self.actions[self.positions[name]].span if name in self.positions else None
        if first is None and isinstance(tree, s.ActionItem):
            if word.text in ("crash", "lose", "on"):
                message = f"`{word.text}` names steps that are made for you"
                self.symbols.report.add("Q0204", message, word.span, "rename it")
                return True
            known = self.symbols.names.get(word.text)
            if known is None and role is not None:
                known = role.members.get(word.text)
            first = known.span if known is not None else None
        if first is not None:
            self.symbols.duplicate(word, first)
        return first is not None

    def _add(self, action: ir.ActionDecl) -> None:
        self.positions[action.qualified] = len(self.actions)
        self.actions.append(action)

    # --- actions and handlers -----------------------------------------------------------------------

    def _action(self, item: s.ActionItem, role: Role | None) -> None:
        node, scope = self_binder(self.expressions, role, Scope(role=role))
        parameters, inner = bind_all(self.expressions, item.parameters, scope)
        guards = self.failures.working(role, scope)
        first, moved = Rounds(self.symbols).turn(role, scope.node if role is not None else None)
        body = (*guards, *first, *self.bodies.body(item.body, inner, Kind()), *moved)
        self.bodies.protocol_reads(scope.reads, role is not None)
        if len(parameters) < sum(len(binding.names) for binding in item.parameters):
            raise Failed
        kind: Literal["action", "timeout"] = "timeout" if item.kind == "timeout" else "action"
        owner = role.name if role is not None else None
        self._add(ir.ActionDecl(item.name.text, item.name.span, kind, owner, (*node, *parameters), body))

    def _handler(self, item: s.HandlerItem, role: Role) -> None:
        span, report = item.message.span, self.symbols.report
        decl = messages.declared(self.expressions, item.message)
        if decl.receiver is not None and decl.receiver != role.type:
            note = ("the message is declared here", decl.span)
            to = t.show(decl.receiver)
            hint = f"handle it in `role {to}`, or declare it `to {role.name}`"
            report.add("Q0414", f"messages `{decl.name}` go to `{to}`, not to `{role.name}`", span, hint, note)
        networking = Networking(self.symbols)
        node, scope = self_binder(self.expressions, role, Scope(role=role))
        myself = local(node[0], span)
        word = item.parameter or s.Word(span, "m")
        domain = networking.deliverable(decl, myself, span)
        binder = self.symbols.fresh(word.text, t.Message(decl.name), word.span, domain)
        message = local(binder, span)
        inner = scope
        if item.parameter is not None:
            with report.recovering():
                unshadowed(self.expressions, word, scope)
            inner = scope.bind(word.text, message, word.span)
        taken = networking.take(decl, message, myself, span)
        guards = (*self.failures.working(role, scope), *_addressed(decl, message, myself, networking, span))
        guards += (*Rounds(self.symbols).arrival(), *Links(self.symbols).arrival(decl, message, myself, span))
        body = self.bodies.body(item.body, inner, Kind())
        self.bodies.protocol_reads(scope.reads, in_role=True)
        whole = (*guards, *taken, *body)
        self._add(ir.ActionDecl("on", span, "on", role.name, (node[0], binder), whole, decl.name))

    def _failures(self, role: Role) -> None:
        for step in self.failures.steps(role):
            if (first := self.positions.get(step.qualified)) is not None:
                self.symbols.duplicate(s.Word(self.actions[first].span, step.name), step.span)
            self._add(step)

    # --- ghost updates ------------------------------------------------------------------------------

    def _attach(self, item: s.AfterItem) -> None:
        position = self.position(item.target, "after")
        action = self.actions[position]
        name = action.qualified
        report = self.symbols.report
        if item.names and len(item.names) != len(action.parameters):
            given = ", ".join(p.name for p in action.parameters)
            hint = f"name them all, `({given})`, or leave the parentheses out"
            count = f"{len(action.parameters)} parameter{'s' * (len(action.parameters) != 1)}"
            message = f"`{name}` has {count}, and {len(item.names)} {'is' if len(item.names) == 1 else 'are'} named"
            report.error("Q0303", message, item.names[0].span.to(item.names[-1].span), hint)
        role = self.symbols.roles[action.role] if action.role is not None and not item.names else None
        scope = Scope(role=role, old=True)
        if item.names:
            for word, binder in zip(item.names, action.parameters, strict=True):
                with report.recovering():
                    unshadowed(self.expressions, word, scope)
                scope = scope.bind(word.text, local(binder, word.span), word.span)
        else:
            for binder in action.parameters:
                if binder.name not in self.symbols.names:  # the `m` of a handler that names no message may be
                    scope = scope.bind(binder.name, local(binder, binder.span), binder.span)
        body = self.bodies.body(item.body, scope, Kind(after=True))
        self.actions[position] = replace(action, body=(*action.body, *body))

    def position(self, target: tuple[s.Word, ...], keyword: str) -> int:
        """The place of the action that the words after a keyword name; raises Failed, and says so, if there is none."""
        words = [w.text for w in target]
        name = f"{words[0]}.{' '.join(words[1:])}" if len(words) > 1 else words[0]
        found = self.positions.get(name)
        if found is None:
            self._no_action(target, name, keyword)
        return found

    def _no_action(self, target: tuple[s.Word, ...], name: str, keyword: str) -> NoReturn:
        span = target[0].span.to(target[-1].span)
        if name in self.failed or any(word.text in self.symbols.broken for word in target if word.text != "on"):
            raise Failed
        hint = (
            "roles crash that have `volatile` fields and do not stop, and no others" if name.endswith(".crash") else ""
        )
        owners = [role for role in self.symbols.roles if f"{role}.{name}" in self.positions]
        if owners:
            hint = f"it belongs to a role: `{keyword} {owners[0]}.{name}`"
        near = () if hint else self.positions
        self.symbols.unknown(s.Word(span, name), "action", near, "Q0201", hint)


def _addressed(
    decl: ir.MessageDecl, message: ir.Expr, myself: ir.Expr, networking: Networking, span: Span
) -> list[ir.Statement]:
    """The guard that a message is for this node, where not all messages at hand are."""
    if decl.receiver is None or networking.network.kind == "fifo":
        return []
    receiver = ir.FieldOf(type=decl.receiver, span=span, operand=message, field="to")
    mine = ir.Binary(type=t.Bool(), span=span, operator="==", left=receiver, right=myself)
    return [ir.Require(mine, span)]


def _qualified(role: Role | None, tree: s.ActionItem | s.HandlerItem | s.RoleItem) -> str:
    match tree:
        case s.ActionItem(_, _, name):
            label = name.text
        case s.HandlerItem(_, message):
            label = f"on {message.text}"
        case _:
            label = "crash"
    return f"{role.name}.{label}" if role is not None else label
