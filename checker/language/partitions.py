"""Partitions: the steps in which nodes are cut off from others and reach them again, which nobody writes out.

Each is an action like those that users write, so no engine knows of partitions; their state is the business of `links`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from checker.language import ir, make
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import self_binder
from checker.language.bodies import Bodies
from checker.language.context import End, Role, Scope, Symbols
from checker.language.expressions import Expressions
from checker.language.links import Links
from checker.language.network import Gone, Networking
from checker.source import Span

Pair = tuple[End, End]


@dataclass(frozen=True)
class Partitions:
    """Makes the steps of one file in which the network falls apart and heals."""

    items: tuple[s.Item, ...]
    symbols: Symbols
    expressions: Expressions
    bodies: Bodies

    @property
    def links(self) -> Links:
        return Links(self.symbols)

    def check(self) -> None:
        """Report what does not go together with partitions."""
        fault = self.links.fault
        if fault is None:
            return
        note = ("what may come between nodes is declared here", fault.span)
        for decl in self.symbols.messages.values():
            if decl.sender is None and decl.name in self.symbols.handled:
                hint = f"declare from whom: `message {decl.name}(…) from R`"
                message = f"nothing says from which side of a partition a `{decl.name}` comes"
                self.symbols.report.add("Q0419", message, decl.span, hint, note)
        for role in self.symbols.roles.values():
            if (member := role.members.get("reaches")) is not None:
                self.symbols.duplicate(s.Word(member.span, "reaches"), fault.span)
        for item in self.items:
            if isinstance(item, s.ActionItem) and item.name.text in ("partition", "heal"):
                self.symbols.duplicate(item.name, fault.span)

    def steps(self) -> list[ir.ActionDecl]:
        """Those that change what any guard or formula of the file asks of links."""
        fault = self.links.fault
        if fault is None:
            return []
        if not self.symbols.links:
            hint = "let nodes send messages to others, or ask `n.reaches(m)`"
            self.symbols.report.add("Q0419", "there is nothing that could not get through", fault.span, hint)
        found: list[ir.ActionDecl] = []
        for steps in (self._partition(fault.span), self._single()):
            with self.symbols.report.recovering():
                found += steps
        return found

    # --- two sides ----------------------------------------------------------------------------------

    def _partition(self, span: Span) -> Iterator[ir.ActionDecl]:
        """Some nodes, the far side, are cut off from all others, both ways; there is one partition at a time."""
        roles = [role for role in self.symbols.roles.values() if "partition" in role.faults]
        pairs = [pair for pair in self.symbols.links if any(self.links.has(end, "partition") for end in pair)]
        if not pairs:
            return
        names = ["side"] if len(roles) == 1 else [f"side_{role.name}" for role in roles]
        sides = [self.symbols.fresh(name, t.Set(role.type), span) for name, role in zip(names, roles, strict=True)]
        far = {role.type.name: side for role, side in zip(roles, sides, strict=True)}

        def apart(a: ir.Expr, b: ir.Expr) -> ir.Expr:
            ends = [make.compare(n, "in", make.use(far[t.show(n.type)])) for n in (a, b) if t.show(n.type) in far]
            return make.compare(ends[0], "!=", ends[1]) if len(ends) == 2 else ends[0]

        whole = make.not_(make.any_of([self._some(pair, self._is_cut, span) for pair in pairs]))
        torn = make.any_of([self._some(pair, apart, span) for pair in pairs])
        may = [guard for role, side in zip(roles, sides, strict=True) for guard in self._may_be_far(role, side)]
        guards = (ir.Require(whole, span), *may, ir.Require(torn, span))
        effects = [effect for pair in pairs for effect in self._tear(pair, apart, apart, span)]
        yield ir.ActionDecl("partition", span, "partition", None, tuple(sides), (*guards, *effects))
        guard = ir.Require(make.any_of([self._some(pair, self._is_cut, span) for pair in pairs]), span)
        effects = [effect for pair in pairs for effect in self._tear(pair, self._is_cut, None, span)]
        yield ir.ActionDecl("heal", span, "heal", None, (), (guard, *effects))

    def _may_be_far(self, role: Role, side: ir.Binder) -> list[ir.Statement]:
        """The guard that all nodes on the far side satisfy the condition of the fault."""
        fault = role.faults["partition"]
        if fault.where is None:
            return []
        (node,), scope = self_binder(self.expressions, role, Scope(role=role))
        may = self.expressions.boolean(fault.where, scope)
        self.bodies.protocol_reads(scope.reads, in_role=True)
        each = replace(node, domain=make.use(side))
        return [ir.Require(make.quantified("forall", [each], may), fault.span)]

    # --- single links -------------------------------------------------------------------------------

    def _single(self) -> Iterator[ir.ActionDecl]:
        """Where links fail one by one: a node does not reach another any more, and reaches it again."""
        for sender, receiver in self.symbols.links:
            role = self.symbols.role_of(sender)
            if role is not None and (fault := role.faults.get("link")) is not None:
                yield self._cut(role, fault, receiver)
                yield self._mend(role, fault, receiver)

    def _cut(self, role: Role, fault: s.FaultItem, receiver: End) -> ir.ActionDecl:
        span = fault.span
        node, scope = self_binder(self.expressions, role, Scope(role=role))
        to = self.symbols.fresh("to", receiver, span)
        myself, other = make.use(node[0]), make.use(to)
        guards = [make.not_(self._is_cut(myself, other))]
        if receiver == role.type:
            guards.append(make.compare(myself, "!=", other))
        if fault.where is not None:
            guards.append(self.expressions.boolean(fault.where, scope))
        self.bodies.protocol_reads(scope.reads, in_role=True)
        body = (*(ir.Require(guard, span) for guard in guards), *self._set_link(myself, other, "union", span))
        return ir.ActionDecl(f"cut {receiver.name}", span, "partition", role.name, (*node, to), body)

    def _mend(self, role: Role, fault: s.FaultItem, receiver: End) -> ir.ActionDecl:
        span = fault.span
        node, _ = self_binder(self.expressions, role, Scope(role=role))
        to = self.symbols.fresh("to", receiver, span)
        myself, other = make.use(node[0]), make.use(to)
        body = (ir.Require(self._is_cut(myself, other), span), *self._set_link(myself, other, "minus", span))
        return ir.ActionDecl(f"mend {receiver.name}", span, "heal", role.name, (*node, to), body)

    def _set_link(
        self, sender: ir.Expr, receiver: ir.Expr, operator: Literal["union", "minus"], span: Span
    ) -> list[ir.Statement]:
        """The effects of a link that fails or works again: what is under way on it goes where channels break."""

        def this(a: ir.Expr, b: ir.Expr) -> ir.Expr:
            return make.all_of([make.compare(a, "==", sender), make.compare(b, "==", receiver)])

        assert isinstance(sender.type, t.Sort | t.Order) and isinstance(receiver.type, t.Sort | t.Order)
        cut = self.links.cut(sender.type, receiver.type)
        alone = make.set_of(t.Set(receiver.type), (receiver,), span)
        now = make.with_at(cut, sender, make.set_operation(operator, make.at(cut, sender), alone))
        return [*self._broken(sender.type, receiver.type, this, span), ir.Assign(cut.name, now, span)]

    # --- small parts --------------------------------------------------------------------------------

    def _is_cut(self, sender: ir.Expr, receiver: ir.Expr) -> ir.Expr:
        return self.links.is_cut(sender, receiver, sender.span)

    def _ends(self, pair: Pair, span: Span) -> tuple[ir.Binder, ir.Binder]:
        return self.symbols.fresh("from", pair[0], span), self.symbols.fresh("to", pair[1], span)

    def _some(self, pair: Pair, gone: Gone, span: Span) -> ir.Expr:
        """That some node does not reach another."""
        ends = self._ends(pair, span)
        return make.quantified("exists", ends, gone(*map(make.use, ends)))

    def _tear(self, pair: Pair, broken: Gone, cut: Gone | None, span: Span) -> list[ir.Statement]:
        """The effects on the links of a pair: which channels break, and which are cut after that (None: none)."""
        sender, receiver = self._ends(pair, span)
        lost = make.set_of(t.Set(pair[1]), (), span)
        if cut is not None:
            lost = make.where(receiver, cut(make.use(sender), make.use(receiver)))
        old = self.links.cut(*pair)
        assert isinstance(old.type, t.Map)
        now = make.map_of(old.type, sender, lost)
        return [*self._broken(*pair, broken, span), ir.Assign(old.name, now, span)]

    def _broken(self, sender: t.Type, receiver: t.Type, gone: Gone, span: Span) -> list[ir.Statement]:
        return Networking(self.symbols).torn(sender, receiver, gone, span) if self.symbols.network is not None else []
