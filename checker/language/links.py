"""Which nodes reach which: the state of partitions, and the guards that ask it.

For each pair of roles between which something can come there is a network variable, `cut A B`: for each A the Bs that
do not get what it sends. Variables are made as they are needed, by handlers and by formulas that ask `n.reaches(m)`.
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.language import ir, make
from checker.language import syntax as s
from checker.language import types as t
from checker.language.context import End, Symbols
from checker.source import Span


@dataclass(frozen=True)
class Links:
    """The links of one file; there are none where no fault comes between nodes."""

    symbols: Symbols

    @property
    def fault(self) -> s.FaultItem | None:
        """The first fault that comes between nodes."""
        faults = (role.faults.get(kind) for role in self.symbols.roles.values() for kind in ("partition", "link"))
        return next((fault for fault in faults if fault is not None), None)

    def has(self, node: t.Type | None, kind: str) -> bool:
        """Whether nodes of that type have a fault."""
        role = self.symbols.role_of(node)
        return role is not None and kind in role.faults

    def may_fail(self, sender: t.Type, receiver: t.Type) -> bool:
        """Whether anything can come between nodes of these types, on the way from one to the other."""
        return self.has(sender, "partition") or self.has(receiver, "partition") or self.has(sender, "link")

    def cut(self, sender: End, receiver: End) -> ir.Read:
        """The variable of the pair, which is made when it is first asked for."""
        assert self.fault is not None
        type_, span = t.Map(sender, t.Set(receiver)), self.fault.span
        name = f"cut {sender.name} {receiver.name}"
        if (sender, receiver) not in self.symbols.links:
            empty = make.map_of(type_, self.symbols.fresh("n", sender, span), make.set_of(t.Set(receiver), (), span))
            self.symbols.links[sender, receiver] = ir.VariableDecl(name, span, type_, empty, "network")
        return ir.Read(type=type_, span=span, name=name)

    def reaches(self, sender: ir.Expr, receiver: ir.Expr, span: Span) -> ir.Expr | None:
        """That what one node sends gets to the other at present; None where it always does."""
        return make.not_(self.is_cut(sender, receiver, span)) if self.may_fail(sender.type, receiver.type) else None

    def is_cut(self, sender: ir.Expr, receiver: ir.Expr, span: Span) -> ir.Expr:
        """That something is between two nodes of a pair between which it can be."""
        assert isinstance(sender.type, t.Sort | t.Order) and isinstance(receiver.type, t.Sort | t.Order)
        lost = make.at(self.cut(sender.type, receiver.type), sender)
        return ir.Binary(type=t.Bool(), span=span, operator="in", left=receiver, right=lost)

    def arrival(self, decl: ir.MessageDecl, message: ir.Expr, receiver: ir.Expr, span: Span) -> list[ir.Statement]:
        """The guard of receiving a message: its sender reaches the receiver."""
        if decl.sender is None:
            return []  # reported where partitions are checked
        sender = ir.FieldOf(type=decl.sender, span=span, operand=message, field="from")
        reached = self.reaches(sender, receiver, span)
        return [] if reached is None else [ir.Require(reached, span)]


def asks_of_link(expr: ir.Expr) -> bool:
    """Whether this is `is_cut` of two nodes: the opposite of what its text says, `n.reaches(m)`."""
    match expr:
        case ir.Binary(operator="in", right=ir.At(operand=ir.Read(name=name))):
            return name.startswith("cut ")
        case _:
            return False
