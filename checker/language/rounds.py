"""Synchronous networks: the state and the steps by which nodes go through rounds together.

In a round each node takes one of its actions; then all that was sent arrives; then the next round begins. What of this
is state is a network variable for each role, `moved Role`: which nodes have taken their action in this round. Nobody
waits for a node that has stopped, or that is byzantine; the messages of the latter arrive like others, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.language import ir, make
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import Role, Symbols
from checker.language.links import Links
from checker.source import Span

NEXT_ROUND = "next round"
"""The step that ends a round, by its name."""


@dataclass(frozen=True)
class Rounds:
    """Makes what rounds need, of one file; nothing where the network is not synchronous."""

    symbols: Symbols

    @property
    def there_are(self) -> bool:
        return self.symbols.network is not None and self.symbols.network.synchronous

    @property
    def _span(self) -> Span:
        assert self.symbols.network is not None and self.symbols.network.span is not None
        return self.symbols.network.span

    def _movers(self) -> list[Role]:
        """The roles whose nodes take part in rounds: those that have actions."""
        roles = self.symbols.roles.values() if self.there_are else ()
        kinds = ("action", "timeout")
        return [r for r in roles if any(isinstance(m, s.ActionItem) and m.kind in kinds for m in r.item.members)]

    def variables(self) -> list[ir.VariableDecl]:
        return [
            ir.VariableDecl(f"moved {r.name}", self._span, t.Map(r.type, t.Bool()), self._all(r, False), "network")
            for r in self._movers()
        ]

    # --- what is added to steps ---------------------------------------------------------------------

    def turn(self, role: Role | None, node: ir.Expr | None) -> tuple[list[ir.Statement], list[ir.Statement]]:
        """The guard of a node's action, that it is its first in this round, and the effect that it was taken."""
        if role is None or node is None or not self.there_are:
            return [], []
        moved = self._moved(role)
        now = make.with_at(moved, node, make.truth(True, self._span))
        return [ir.Require(make.not_(make.at(moved, node)), self._span)], [ir.Assign(moved.name, now, self._span)]

    def arrival(self) -> list[ir.Statement]:
        """The guards of receiving: all have taken their action, but for those that have failed."""
        return [ir.Require(self._all_moved(role), self._span) for role in self._movers()]

    def flying(self, decl: ir.MessageDecl, span: Span) -> ir.Read:
        """The variable of the messages of a kind that are under way, where these are a bag or, for proofs, a set."""
        assert self.symbols.network is not None
        message = t.Message(decl.name)
        type_ = t.Set(message) if self.symbols.network.kind == "round" else t.Bag(message)
        return ir.Read(type=type_, span=span, name=f"flying {decl.name}")

    def under_way(self, decl: ir.MessageDecl, span: Span) -> ir.Expr:
        """The set of these messages."""
        flying = self.flying(decl, span)
        return (
            flying
            if isinstance(flying.type, t.Set)
            else ir.BagItems(type=t.Set(t.Message(decl.name)), span=span, bag=flying)
        )

    def has_moved(self, role: Role, node: ir.Expr) -> ir.Expr | None:
        """That a node has taken its action in this round; None where it takes none."""
        return make.at(self._moved(role), node) if role in self._movers() else None

    def lie(self, decl: ir.MessageDecl) -> ir.Expr:
        """That no lie of this kind is on its way. One at a time will do: the next may follow when it has arrived, and
        one that never arrives is as good as none.
        """
        items = self.under_way(decl, self._span)
        binder = self.symbols.fresh("m", t.Message(decl.name), self._span, items)
        assert decl.sender is not None
        sender = ir.FieldOf(type=decl.sender, span=self._span, operand=make.use(binder), field="from")
        lies = self._lies(decl.sender, sender)
        assert lies is not None
        return make.not_(make.quantified("exists", [binder], lies))

    def loss(self, decl: ir.MessageDecl, message: ir.Expr) -> list[ir.Statement]:
        """The guard under which a message may be lost: its sender stopped while it sent."""
        assert decl.sender is not None
        sender = ir.FieldOf(type=decl.sender, span=self._span, operand=message, field="from")
        stopped = self.stopped(decl.sender, sender)
        assert stopped is not None
        return [ir.Require(stopped, self._span)]

    def stopped(self, type_: t.Type | None, node: ir.Expr) -> ir.Expr | None:
        """That the node has stopped; None where nodes of that type do not."""
        role = self.symbols.role_of(type_)
        return None if role is None else role.has_stopped(node)

    # --- the step between rounds --------------------------------------------------------------------

    def steps(self) -> list[ir.ActionDecl]:
        """`next round`: once all have taken their action, and nothing is on its way to a node that works."""
        if not self._movers():
            return []
        span = self._span
        guards, effects = self.arrival(), list[ir.Statement]()
        for decl in self.symbols.messages.values():
            if decl.name in self.symbols.handled:
                flying = self.flying(decl, span)
                guards.append(ir.Require(self._arrived(decl), span))
                effects.append(ir.Assign(flying.name, make.nothing(flying.type, span), span))
        effects += [ir.Assign(self._moved(r).name, self._all(r, False), span) for r in self._movers()]
        return [ir.ActionDecl(NEXT_ROUND, span, "action", None, (), (*guards, *effects))]

    def _lies(self, type_: t.Type, node: ir.Expr) -> ir.Expr | None:
        """That a node is byzantine; None where those of its type are not."""
        role = self.symbols.role_of(type_)
        return None if role is None else self.symbols.lies(role, node)

    def _arrived(self, decl: ir.MessageDecl) -> ir.Expr:
        """That of the kind nothing is on its way that has to arrive: no node waits for what failed, or for liars."""
        binder = self.symbols.fresh("m", t.Message(decl.name), self._span, self.under_way(decl, self._span))
        message = make.use(binder)
        assert decl.receiver is not None
        receiver = ir.FieldOf(type=decl.receiver, span=self._span, operand=message, field="to")
        excuses = [self.stopped(decl.receiver, receiver), self._lies(decl.receiver, receiver)]
        if decl.sender is not None:
            sender = ir.FieldOf(type=decl.sender, span=self._span, operand=message, field="from")
            reached = Links(self.symbols).reaches(sender, receiver, self._span)
            excuses += [self._lies(decl.sender, sender), make.not_(reached) if reached is not None else None]
        found = [excuse for excuse in excuses if excuse is not None]
        excused = make.any_of(found) if found else make.truth(False, self._span)
        return make.quantified("forall", [binder], excused)

    def _all_moved(self, role: Role) -> ir.Expr:
        node = self.symbols.fresh("n", role.type, self._span)
        here = make.use(node)
        tests = (make.at(self._moved(role), here), role.has_stopped(here), self.symbols.lies(role, here))
        return make.quantified("forall", [node], make.any_of([test for test in tests if test is not None]))

    # --- small parts --------------------------------------------------------------------------------

    def _moved(self, role: Role) -> ir.Read:
        return ir.Read(type=t.Map(role.type, t.Bool()), span=self._span, name=f"moved {role.name}")

    def _all(self, role: Role, value: bool) -> ir.Expr:
        binder = self.symbols.fresh("n", role.type, self._span)
        return make.map_of(t.Map(role.type, t.Bool()), binder, make.truth(value, self._span))
