"""Messages in terms of state: how sending, receiving, losing and remembering look under each kind of network.

A network becomes ordinary variables and statements here, so no engine knows what a network is. The prover asks for
every network as the growing set of sent messages, which has every behaviour of the stricter ones; and for rounds with
the set of messages under way, of which each may be there more than once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never, cast

from checker.language import ir, make
from checker.language import types as t
from checker.language.context import Symbols
from checker.language.rounds import Rounds
from checker.language.traverse import substitute
from checker.source import Span

Gone = Callable[[ir.Expr, ir.Expr], ir.Expr]
"""Whether the channel from one node to another is gone."""


@dataclass(frozen=True)
class Each:
    """The receivers of a broadcast: a binder for the receiver, and a condition on it."""

    binder: ir.Binder
    where: ir.Expr | None


def sent_name(kind: str) -> str:
    return f"sent {kind}"


def channels_name(decl: ir.MessageDecl) -> str:
    return f"channels {_end(decl.sender)} {_end(decl.receiver)}"


def _end(type_: t.Type | None) -> str:
    assert isinstance(type_, t.Sort | t.Order)
    return type_.name


class Networking:
    """Makes the variables and statements of the file's network."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        assert symbols.network is not None
        self.network = symbols.network

    # --- variables ----------------------------------------------------------------------------------

    def variables(self) -> list[ir.VariableDecl]:
        """The state of the network, all empty at the start."""
        found: dict[str, ir.VariableDecl] = {}
        for decl in self.symbols.messages.values():
            for variable in self._of(decl):
                found.setdefault(variable.name, variable)
        return list(found.values())

    def _of(self, decl: ir.MessageDecl) -> list[ir.VariableDecl]:
        span = decl.span
        variables: list[ir.VariableDecl] = []
        if self.remembers(decl):
            type_ = t.Set(t.Message(decl.name))
            empty = ir.SetLiteral(type=type_, span=span, items=())
            variables.append(ir.VariableDecl(sent_name(decl.name), span, type_, empty, "network"))
        if self.network.kind == "set" or decl.name not in self.symbols.handled:
            return variables
        if self.network.kind == "fifo":
            variables.append(self._channels(decl))
        else:
            flying = Rounds(self.symbols).flying(decl, span)
            variables.append(
                ir.VariableDecl(flying.name, span, flying.type, make.nothing(flying.type, span), "network")
            )
        return variables

    def _channels(self, decl: ir.MessageDecl) -> ir.VariableDecl:
        span = decl.span
        ends = (decl.sender, decl.receiver)
        kinds = tuple(
            m.name
            for m in self.symbols.messages.values()
            if (m.sender, m.receiver) == ends and m.name in self.symbols.handled
        )
        assert decl.sender is not None and decl.receiver is not None
        queue = t.Queue(kinds)
        row, whole = t.Map(decl.receiver, queue), t.Map(decl.sender, t.Map(decl.receiver, queue))
        sender = self.symbols.fresh("sender", decl.sender, span)
        receiver = self.symbols.fresh("receiver", decl.receiver, span)
        rows = ir.MapOf(type=row, span=span, binder=receiver, body=ir.Empty(type=queue, span=span))
        initial = ir.MapOf(type=whole, span=span, binder=sender, body=rows)
        return ir.VariableDecl(channels_name(decl), span, whole, initial, "network")

    def remembers(self, decl: ir.MessageDecl) -> bool:
        """Whether all messages of the kind ever sent are part of the state."""
        return self.network.kind == "set" or decl.name in self.symbols.history

    # --- sending ------------------------------------------------------------------------------------

    def send(self, decl: ir.MessageDecl, message: ir.Construct, each: Each | None, span: Span) -> list[ir.Statement]:
        """The statements of `send`; with `each` the message speaks of the binder, once for each receiver."""
        statements: list[ir.Statement] = []
        if self.network.kind != "set" and decl.name in self.symbols.handled:
            deliver = self._enqueue if self.network.kind == "fifo" else self._put
            statements.append(deliver(decl, message, each, span))
            message, each = self._again(message, each)
        if self.remembers(decl):  # last, for what is sent may depend on what was sent before
            statements.append(self._remember(decl, message, each, span))
        return statements

    def _again(self, message: ir.Construct, each: Each | None) -> tuple[ir.Construct, Each | None]:
        """The same once more, with its own bound names."""
        another = self.symbols.another
        if each is None:
            return cast(ir.Construct, another(message)), None
        old = each.binder
        domain = another(old.domain) if old.domain is not None else None
        binder = self.symbols.fresh(old.name, old.type, old.span, domain)
        receiver = {old.uid: ir.Local(type=binder.type, span=old.span, name=binder.name, uid=binder.uid)}
        where = another(substitute(each.where, receiver)) if each.where is not None else None
        return cast(ir.Construct, another(substitute(message, receiver))), Each(binder, where)

    def _remember(self, decl: ir.MessageDecl, message: ir.Expr, each: Each | None, span: Span) -> ir.Assign:
        type_ = t.Set(t.Message(decl.name))
        old = self._read(sent_name(decl.name), type_, span)
        new = _messages(message, each, span)
        return ir.Assign(old.name, ir.Binary(type=type_, span=span, operator="union", left=old, right=new), span)

    def _put(self, decl: ir.MessageDecl, message: ir.Construct, each: Each | None, span: Span) -> ir.Assign:
        bag = Rounds(self.symbols).flying(decl, span)
        value: ir.Expr
        if self.network.kind == "round":
            value = make.set_operation("union", bag, _messages(message, each, span))
        elif each is None:
            value = ir.BagWith(type=bag.type, span=span, bag=bag, message=message)
        else:
            value = ir.BagWithAll(type=bag.type, span=span, bag=bag, messages=_messages(message, each, span))
        return ir.Assign(bag.name, value, span)

    def _enqueue(self, decl: ir.MessageDecl, message: ir.Construct, each: Each | None, span: Span) -> ir.Assign:
        channels, another = self._read_channels(decl, span), self.symbols.another
        assert isinstance(channels.type, t.Map) and isinstance(channels.type.value, t.Map)
        *_, sender, receiver = message.fields  # that of a broadcast does not depend on the receiver
        row = ir.At(type=channels.type.value, span=span, operand=channels, key=another(sender))
        queue_type = channels.type.value.value
        if each is None:
            receiver = another(receiver)
            queue = ir.At(type=queue_type, span=span, operand=another(row), key=receiver)
            longer = ir.Enqueue(type=queue_type, span=span, queue=queue, message=message)
            new_row: ir.Expr = ir.WithAt(type=row.type, span=span, operand=row, key=another(receiver), value=longer)
        else:
            new_row = self._broadcast_row(row, queue_type, message, each, span)
        value = ir.WithAt(type=channels.type, span=span, operand=channels, key=another(sender), value=new_row)
        return ir.Assign(channels.name, value, span)

    def _broadcast_row(self, row: ir.At, queue_type: t.Type, message: ir.Expr, each: Each, span: Span) -> ir.Expr:
        """The sender's queues with the message at the end of those to the receivers meant."""
        assert isinstance(row.type, t.Map)
        bound = ir.Binder(each.binder.name, each.binder.uid, row.type.key, None, span)
        here = ir.Local(type=row.type.key, span=span, name=bound.name, uid=bound.uid)
        queue = ir.At(type=queue_type, span=span, operand=self.symbols.another(row), key=here)
        longer = ir.Enqueue(type=queue_type, span=span, queue=queue, message=message)
        tests: list[ir.Expr] = []
        if each.binder.domain is not None:
            tests.append(ir.Binary(type=t.Bool(), span=span, operator="in", left=here, right=each.binder.domain))
        if each.where is not None:
            tests.append(each.where)
        body: ir.Expr = longer
        if tests:
            meant = ir.And(type=t.Bool(), span=span, items=tuple(tests))
            body = ir.If(
                type=queue_type, span=span, condition=meant, then=longer, otherwise=self.symbols.another(queue)
            )
        return ir.MapOf(type=row.type, span=span, binder=bound, body=body)

    def carries(self, decl: ir.MessageDecl) -> bool:
        """Whether sending such a message changes anything."""
        return self.remembers(decl) or decl.name in self.symbols.handled

    def is_absent(self, decl: ir.MessageDecl, message: ir.Construct, span: Span) -> ir.Expr:
        """That sending the message makes a difference: it is not on its way, nor, in a queue, is another before it."""
        another = self.symbols.another
        if self.network.kind == "fifo" and decl.name in self.symbols.handled:
            *_, sender, receiver = message.fields
            channels = self._read_channels(decl, span)
            assert isinstance(channels.type, t.Map) and isinstance(channels.type.value, t.Map)
            row = ir.At(type=channels.type.value, span=span, operand=channels, key=another(sender))
            queue = ir.At(type=channels.type.value.value, span=span, operand=row, key=another(receiver))
            length = ir.QueueLength(type=t.Int(), span=span, operand=queue)
            none = ir.Const(type=t.Int(), span=span, value=0)
            return ir.Binary(type=t.Bool(), span=span, operator="==", left=length, right=none)
        known: ir.Expr = self._read(sent_name(decl.name), t.Set(t.Message(decl.name)), span)
        if self.network.kind != "set" and decl.name in self.symbols.handled:
            known = Rounds(self.symbols).under_way(decl, span)
        there = ir.Binary(type=t.Bool(), span=span, operator="in", left=another(message), right=known)
        return ir.Not(type=t.Bool(), span=span, operand=there)

    # --- receiving ----------------------------------------------------------------------------------

    def deliverable(self, decl: ir.MessageDecl, receiver: ir.Expr, span: Span) -> ir.Expr:
        """The set of messages of the kind that the receiver may get now (in sets and bags: or another receiver)."""
        messages = t.Set(t.Message(decl.name))
        match self.network.kind:
            case "set":
                return self._read(sent_name(decl.name), messages, span)
            case "bag" | "round":
                return Rounds(self.symbols).under_way(decl, span)
            case "fifo":
                channels = self._read_channels(decl, span)
                return ir.Heads(type=messages, span=span, channels=channels, kind=decl.name, receiver=receiver)
            case _:
                assert_never(self.network.kind)

    def take(self, decl: ir.MessageDecl, message: ir.Expr, receiver: ir.Expr, span: Span) -> list[ir.Statement]:
        """What receiving (or losing) the message does to the network."""
        match self.network.kind:
            case "set":
                return []
            case "bag":
                bag = Rounds(self.symbols).flying(decl, span)
                less = ir.BagWithout(type=bag.type, span=span, bag=bag, message=message)
                return [ir.Assign(bag.name, less, span)]
            case "round":
                return self._take_one(decl, message, span)
            case "fifo":
                return [self._dequeue(decl, message, receiver, span)]
            case _:
                assert_never(self.network.kind)

    def _take_one(self, decl: ir.MessageDecl, message: ir.Expr, span: Span) -> list[ir.Statement]:
        """Of a set of messages of which nobody knows how often each is in it: perhaps there is another one like it."""
        another = self.symbols.fresh("another", t.Bool(), span)
        flying = Rounds(self.symbols).flying(decl, span)
        less = make.set_operation("minus", flying, _messages(message, None, span))
        left = ir.If(type=flying.type, span=span, condition=make.use(another), then=flying, otherwise=less)
        return [ir.Pick(another, None, span), ir.Assign(flying.name, left, span)]

    def _dequeue(self, decl: ir.MessageDecl, message: ir.Expr, receiver: ir.Expr, span: Span) -> ir.Assign:
        assert decl.sender is not None
        channels = self._read_channels(decl, span)
        assert isinstance(channels.type, t.Map) and isinstance(channels.type.value, t.Map)
        sender = ir.FieldOf(type=decl.sender, span=span, operand=message, field="from")
        row = ir.At(type=channels.type.value, span=span, operand=channels, key=sender)
        queue = ir.At(type=channels.type.value.value, span=span, operand=row, key=receiver)
        shorter = ir.Dequeue(type=queue.type, span=span, queue=queue)
        new_row = ir.WithAt(type=row.type, span=span, operand=row, key=receiver, value=shorter)
        value = ir.WithAt(type=channels.type, span=span, operand=channels, key=sender, value=new_row)
        return ir.Assign(channels.name, value, span)

    def losses(self) -> list[ir.ActionDecl]:
        """One action for each kind that can be received, in which a message vanishes."""
        if self.network.kind == "set" or not (self.network.lossy or self.network.synchronous):
            return []
        return [self._loss(d) for d in self.symbols.messages.values() if self._is_lost(d)]

    def _is_lost(self, decl: ir.MessageDecl) -> bool:
        if decl.name not in self.symbols.handled or self.network.lossy:
            return decl.name in self.symbols.handled
        role = self.symbols.role_of(decl.sender)
        return role is not None and "stop" in role.faults

    def _loss(self, decl: ir.MessageDecl) -> ir.ActionDecl:
        span = decl.span
        assert decl.receiver is not None
        parameters: list[ir.Binder] = []
        receiver: ir.Expr
        if self.network.kind == "fifo":
            to = self.symbols.fresh("to", decl.receiver, span)
            parameters.append(to)
            receiver = ir.Local(type=decl.receiver, span=span, name=to.name, uid=to.uid)
        else:
            receiver = ir.Const(type=decl.receiver, span=span, value=0)  # bags do not ask who receives
        domain = self.deliverable(decl, receiver, span)
        lost = self.symbols.fresh("m", t.Message(decl.name), span, domain)
        message = ir.Local(type=lost.type, span=span, name=lost.name, uid=lost.uid)
        guards = Rounds(self.symbols).loss(decl, message) if self.network.synchronous else []
        body = (*guards, *self.take(decl, message, receiver, span))
        return ir.ActionDecl("lose", span, "lose", None, (*parameters, lost), body, decl.name)

    # --- channels that break ------------------------------------------------------------------------

    def broken(self, node: ir.Expr, span: Span) -> list[ir.Statement]:
        """What a crash of the node does to the network."""
        another = self.symbols.another
        found: list[ir.Statement] = []
        for sender, receiver in self._breaking():
            mine = [end == node.type for end in (sender, receiver)]

            def gone(a: ir.Expr, b: ir.Expr, mine: list[bool] = mine) -> ir.Expr:
                ends = [end for end, is_mine in zip((a, b), mine, strict=True) if is_mine]
                return make.any_of([make.compare(end, "==", another(node)) for end in ends])

            if any(mine):
                found += self.torn(sender, receiver, gone, span)
        return found

    def torn(self, sender: t.Type, receiver: t.Type, gone: Gone, span: Span) -> list[ir.Statement]:
        """What it does to the network that channels between nodes of these types break."""
        decl = self._breaking().get((sender, receiver))
        return [] if decl is None else [self._emptied(self._read_channels(decl, span), gone, span)]

    def _breaking(self) -> dict[tuple[t.Type, t.Type], ir.MessageDecl]:
        """The ends of all channels that break, each with a kind of messages in them."""
        if not self.network.breaking:
            return {}
        kinds = [d for d in self.symbols.messages.values() if d.name in self.symbols.handled]
        return {(d.sender, d.receiver): d for d in kinds if d.sender is not None and d.receiver is not None}

    def _emptied(self, channels: ir.Read, gone: Gone, span: Span) -> ir.Assign:
        """The channels with the queues empty that are gone."""
        assert isinstance(channels.type, t.Map) and isinstance(channels.type.value, t.Map)
        row, queue = channels.type.value, channels.type.value.value
        ends = [self.symbols.fresh(*end, span) for end in (("sender", channels.type.key), ("receiver", row.key))]
        sender, receiver = map(make.use, ends)
        old = make.at(make.at(channels, sender), receiver)
        empty = ir.Empty(type=queue, span=span)
        body = ir.If(type=queue, span=span, condition=gone(sender, receiver), then=empty, otherwise=old)
        whole = make.map_of(channels.type, ends[0], make.map_of(row, ends[1], body))
        return ir.Assign(channels.name, whole, span)

    # --- small parts --------------------------------------------------------------------------------

    def _read(self, name: str, type_: t.Type, span: Span) -> ir.Read:
        return ir.Read(type=type_, span=span, name=name)

    def _read_channels(self, decl: ir.MessageDecl, span: Span) -> ir.Read:
        variable = self._channels(decl)
        return self._read(variable.name, variable.type, span)


def _messages(message: ir.Expr, each: Each | None, span: Span) -> ir.Expr:
    """The messages of one `send` as a set."""
    type_ = t.Set(message.type)
    if each is None:
        return ir.SetLiteral(type=type_, span=span, items=(message,))
    return ir.SetOf(type=type_, span=span, binders=(each.binder,), where=each.where, item=message)
