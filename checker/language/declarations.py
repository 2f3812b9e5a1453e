"""Declarations of types, constants, messages and the network, entered whatever their order in the file.

What has an error becomes a broken name, about which everything else is silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from checker.language import binders, ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.circles import around, ordered
from checker.language.collections import BUILTIN
from checker.language.context import Broken, EnumValue, Failed, Symbols, TypeName
from checker.language.expressions import Expressions
from checker.language.typing import named_type, storable, well_formed
from checker.source import Span, did_you_mean

_I = TypeVar("_I")


@dataclass
class Declarations:
    """The declarations of one file; what a `Spec` lists beside the tables of `Symbols` is kept here."""

    items: tuple[s.Item, ...]
    force_set: bool
    symbols: Symbols
    expressions: Expressions
    sorts: list[ir.SortDecl] = field(default_factory=list)
    constants: list[ir.ConstantDecl] = field(default_factory=list)

    def enter(self) -> None:
        """Sorts, orders and enums first, then what is made of them."""
        self._names()
        self._roles_have_sorts()
        for item in self._of(s.QuorumItem):
            self._quorum(item)
        self._constants()
        self._records()
        self._messages()
        self._network()

    def _of(self, kind: type[_I]) -> Iterator[_I]:
        return (item for item in self.items if isinstance(item, kind))

    # --- types --------------------------------------------------------------------------------------

    def _names(self) -> None:
        declare = self.symbols.declare
        for item in self.items:
            match item:
                case s.SortItem(_, name):
                    if declare(name, TypeName(t.Sort(name.text), name.span)):
                        self.sorts.append(ir.SortDecl(name.text, name.span))
                case s.OrderItem(_, name, from_zero):
                    if declare(name, TypeName(t.Order(name.text), name.span)):
                        self.symbols.orders[name.text] = ir.OrderDecl(name.text, name.span, from_zero)
                case s.EnumItem(_, name, values):
                    if declare(name, TypeName(t.Enum(name.text), name.span)):
                        decl = ir.EnumDecl(name.text, name.span, tuple(v.text for v in values))
                        self.symbols.enums[name.text] = decl
                    for position, value in enumerate(values):
                        declare(value, EnumValue(t.Enum(name.text), position, value.span))
                case s.QuorumItem(_, name):
                    declare(name, TypeName(t.Quorum(name.text), name.span))
                case s.RecordItem(_, name):
                    if name.text in BUILTIN:
                        message = f"`{name.text}` is a function of the language and cannot be declared"
                        self.symbols.report.add("Q0204", message, name.span, "choose another name")
                    declare(name, TypeName(t.Record(name.text), name.span))
                case s.MessageItem(_, name):
                    declare(name, TypeName(t.Message(name.text), name.span))
                case _:
                    pass

    def _break(self, name: s.Word) -> None:
        self.symbols.names[name.text] = Broken(name.span)

    def _roles_have_sorts(self) -> None:
        """Report roles without a sort; they get one, so that the rest of the file makes sense."""
        for item in self._of(s.RoleItem):
            name = item.name
            symbol = self.symbols.names.get(name.text)
            if isinstance(symbol, TypeName) and isinstance(symbol.type, t.Sort | t.Order):
                continue
            if name.text in self.symbols.broken:
                continue
            hint = f"declare `sort {name.text}`"
            notes = (("this is none", symbol.span),) if symbol is not None else ()
            message = f"the role `{name.text}` needs a sort or order of that name"
            self.symbols.report.add("Q0211", message, name.span, hint, *notes)
            if symbol is None:
                self.symbols.names[name.text] = TypeName(t.Sort(name.text), name.span)

    def _quorum(self, item: s.QuorumItem) -> None:
        report, name = self.symbols.report, item.name
        if self._entered(name) != t.Quorum(name.text) or name.text in self.symbols.quorums:
            return
        self._break(name)
        with report.recovering():
            of = named_type(self.symbols, item.of)
            if not isinstance(of, t.Sort | t.Order):
                message = f"quorums are sets of elements of a sort or order, and `{item.of.text}` is none"
                report.error("Q0314", message, item.of.span, "name a sort or an order")
            families = {i.name.text: i for i in self._of(s.QuorumItem)}
            for word in item.meets:
                if word.text not in families:
                    self.symbols.unknown(word, "quorum", families, "Q0201")
                other = families[word.text]
                if other.of.text != item.of.text:
                    message = f"`{word.text}` has members of `{other.of.text}`, not of `{item.of.text}`"
                    note = ("it is declared here", other.name.span)
                    report.error("Q0301", message, word.span, "sets of different things never meet", note)
            meets = tuple(dict.fromkeys(w.text for w in item.meets)) or (name.text,)
            self.symbols.quorums[name.text] = ir.QuorumDecl(name.text, name.span, of, meets)
            self.symbols.names[name.text] = TypeName(t.Quorum(name.text), name.span)

    def _entered(self, name: s.Word) -> t.Type | None:
        """The type that this declaration entered; None if an earlier one has the name."""
        symbol = self.symbols.names.get(name.text)
        return symbol.type if isinstance(symbol, TypeName) and symbol.span == name.span else None

    # --- constants ----------------------------------------------------------------------------------

    def _constants(self) -> None:
        """Each after the constants that the ranges in its type speak of."""
        items: dict[str, s.ConstantItem] = {}
        for item in self._of(s.ConstantItem):
            if item.name.text in items:
                self.symbols.duplicate(item.name, items[item.name.text].name.span)
            items.setdefault(item.name.text, item)
        order, circles = ordered({name: _names_in(item.type) for name, item in items.items()})
        for circle in circles:
            item = items[circle[0]]
            message = f"the type of the constant `{item.name.text}` depends on itself"
            hint = f"{around(circle, 'needs')}: bound one of them by a number"
            self.symbols.report.add("Q0406", message, item.name.span, hint)
        for item in items.values():
            if item.name.text not in order:
                self.symbols.declare(item.name, Broken(item.name.span))
        for name in order:
            self._constant(items[name])
        places = {name: place for place, name in enumerate(items)}
        self.constants.sort(key=lambda c: places[c.name])

    def _constant(self, item: s.ConstantItem) -> None:
        name = item.name
        try:
            type_ = binders.type_of(self.expressions, item.type)
            if not isinstance(type_, t.Int):
                storable(self.symbols.report, type_, item.type.span, f"the constant `{name.text}`")
        except Failed:
            self.symbols.declare(name, Broken(name.span))
            return
        decl = ir.ConstantDecl(name.text, name.span, type_)
        if self.symbols.declare(name, decl):
            self.constants.append(decl)

    # --- records ------------------------------------------------------------------------------------

    def _records(self) -> None:
        items = [i for i in self._of(s.RecordItem) if self._entered(i.name) == t.Record(i.name.text)]
        for item in items:
            name = item.name
            try:
                fields = self._fields(item.fields, f"the record `{name.text}`")
                if not fields:
                    message = f"the record `{name.text}` has no fields"
                    self.symbols.report.error("Q0311", message, item.span, "give it some, or do without it")
                self.symbols.records[name.text] = ir.RecordDecl(name.text, name.span, fields)
            except Failed:
                self._break(name)
        self._recursive_records()
        for item in items:  # keys that are records are known now
            for parameter, (_, type_) in zip(item.fields, self._known_fields(item.name), strict=False):
                with self.symbols.report.recovering():
                    well_formed(self.symbols, type_, parameter.type.span)
        constants = {decl.name: decl for decl in self.constants}
        for constant in self._of(s.ConstantItem):
            if constant.name.text in constants:
                with self.symbols.report.recovering():
                    well_formed(self.symbols, constants[constant.name.text].type, constant.type.span)

    def _known_fields(self, name: s.Word) -> tuple[tuple[str, t.Type], ...]:
        return self.symbols.records[name.text].fields if name.text in self.symbols.records else ()

    def _fields(self, parameters: tuple[s.Parameter, ...], what: str) -> tuple[tuple[str, t.Type], ...]:
        """Names and types of fields; all are looked at before Failed is raised."""
        fields: dict[str, tuple[t.Type, Span]] = {}
        for parameter in parameters:
            name = parameter.name
            if name.text in fields:
                self.symbols.duplicate(name, fields[name.text][1])
                continue
            with self.symbols.report.recovering():
                type_ = binders.type_of(self.expressions, parameter.type)
                storable(self.symbols.report, type_, parameter.type.span, f"{what}, field `{name.text}`,")
                fields[name.text] = (type_, name.span)
        if len(fields) < len(parameters):
            raise Failed
        return tuple((name, type_) for name, (type_, _) in fields.items())

    def _recursive_records(self) -> None:
        """Report records that contain themselves, and break them and all that contain one of them."""
        records = self.symbols.records
        inside = {name: {c for _, type_ in decl.fields for c in _contained(type_)} for name, decl in records.items()}
        order, circles = ordered(inside)
        for circle in circles:
            hint = f"{around(circle, 'contains')}: refer to one of them by an element of a sort"
            span = records[circle[0]].span
            self.symbols.report.add("Q0406", f"the record `{circle[0]}` contains itself", span, hint)
        sound: set[str] = set()
        for name in order:  # what a record contains comes before it
            if inside[name] <= sound:
                sound.add(name)
        for name in records.keys() - sound:
            self.symbols.names[name] = Broken(records.pop(name).span)

    # --- messages -----------------------------------------------------------------------------------

    def _messages(self) -> None:
        for item in self._of(s.MessageItem):
            if self._entered(item.name) == t.Message(item.name.text):
                self._break(item.name)
                with self.symbols.report.recovering():
                    self._message(item)

    def _message(self, item: s.MessageItem) -> None:
        report = self.symbols.report
        for word in (parameter.name for parameter in item.fields):
            if word.text in ("from", "to"):
                who = "sender" if word.text == "from" else "receiver"
                hint = f"write it after the parentheses: `message {item.name.text}(…) {word.text} R`"
                report.error("Q0204", f"`{word.text}` is the {who} of a message", word.span, hint)
        fields, (sender, receiver) = report.both(
            lambda: self._fields(item.fields, f"the message `{item.name.text}`"),
            lambda: report.both(lambda: self._end(item.sender), lambda: self._end(item.receiver)),
        )
        decl = ir.MessageDecl(item.name.text, item.name.span, fields, sender, receiver)
        self.symbols.messages[decl.name] = self.symbols.names[decl.name] = decl

    def _end(self, word: s.Word | None) -> t.Type | None:
        if word is None:
            return None
        type_ = named_type(self.symbols, word)
        if not isinstance(type_, t.Sort | t.Order):
            message = f"`{word.text}` cannot send or receive"
            self.symbols.report.error("Q0314", message, word.span, "name a sort or an order")
        return type_

    # --- the network --------------------------------------------------------------------------------

    def _network(self) -> None:
        symbols = self.symbols
        handlers = [m for role in self._of(s.RoleItem) for m in role.members if isinstance(m, s.HandlerItem)]
        symbols.handled = frozenset(h.message.text for h in handlers)
        trees = (tree for tree in s.walk(self.items) if isinstance(tree, s.Sent | s.SentDomain))
        spoken = (tree.message for tree in trees if not tree.flying)
        symbols.history = frozenset(word.text for word in spoken)
        if symbols.messages:  # for the case that the network has an error
            symbols.network = ir.Network("set", False)
        networks = [*self._of(s.NetworkItem)]
        for extra in networks[1:]:
            note = ("the first network is here", networks[0].span)
            symbols.report.add("Q0405", "a spec has one network", extra.span, "leave one of them", note)
        if networks:
            with symbols.report.recovering():
                network = self._declared_network(networks[0])
                self._strict(network)
                symbols.network = _for_proofs(network) if self.force_set else network
        elif symbols.messages and "network" not in symbols.broken:
            first = next(iter(symbols.messages.values()))
            hint = "add `network lossy, duplicating, reordering`, or a stricter one"
            message = "there are messages, but no `network` says how they travel"
            symbols.report.add("Q0405", message, first.span, hint)

    def _declared_network(self, item: s.NetworkItem) -> ir.Network:
        report, known = self.symbols.report, ("lossy", "duplicating", "reordering", "fifo", "breaking", "synchronous")
        flags = {word.text for word in item.flags}
        for word in item.flags:
            if word.text not in known:
                hint = did_you_mean(word.text, known) or "it is any of " + ", ".join(f"`{k}`" for k in known)
                report.error("Q0405", f"a network cannot be `{word.text}`", word.span, hint)
        span = item.flags[0].span.to(item.flags[-1].span)
        if "synchronous" in flags:
            if len(flags) > 1:
                hint = "what is sent in a round arrives in it; messages of a node that stops are lost"
                report.error("Q0405", "a `synchronous` network is nothing else besides", span, hint)
            return ir.Network("bag", False, span, synchronous=True)
        if "fifo" in flags and flags & {"duplicating", "reordering"}:
            report.error("Q0405", "a `fifo` network neither duplicates nor reorders", span, "leave one of them")
        if "breaking" in flags and "fifo" not in flags:
            report.error("Q0405", "only a `fifo` network is `breaking`", span, "a crash breaks channels; add `fifo`")
        if "duplicating" in flags and "reordering" not in flags:
            report.error("Q0405", "a `duplicating` network also reorders", span, "add `reordering`")
        if not flags & {"fifo", "reordering"}:
            report.error(
                "Q0405", "does this network keep messages in order?", span, "add `reordering`, `fifo` or `synchronous`"
            )
        kind: Literal["set", "bag", "fifo"] = "bag"
        if "duplicating" in flags:
            kind = "set"
        elif "fifo" in flags:
            kind = "fifo"
        return ir.Network(kind, "lossy" in flags, span, "breaking" in flags)

    def _strict(self, network: ir.Network) -> None:
        """Without duplication a message goes to one receiver, and in a fifo network it needs a sender too."""
        if network.kind == "set":
            return
        lacking = False
        for name, decl in self.symbols.messages.items():
            short = decl.receiver is None or (network.kind == "fifo" and decl.sender is None)
            if short and name in self.symbols.handled:
                lacking = True
                needs = "a sender and a receiver" if network.kind == "fifo" else "a receiver"
                form = f"message {name}(…) {'from R ' if network.kind == 'fifo' else ''}to S"
                assert network.span is not None
                note = ("the network is here", network.span)
                message = f"in this network a message `{name}` needs {needs}"
                self.symbols.report.add("Q0411", message, decl.span, f"declare it `{form}`", note)
        if lacking:
            raise Failed


def _for_proofs(network: ir.Network) -> ir.Network:
    """The network as proofs for every size take it: all that was sent, or of rounds what is under way, as sets."""
    if network.synchronous:
        return replace(network, kind="round", abstract=True)
    return ir.Network("set", network.lossy, network.span, abstract=network.kind != "set")


def _names_in(type_: s.TypeTree) -> set[str]:
    """All names in a type."""
    return {tree.text for tree in s.walk(type_) if isinstance(tree, s.Name | s.Word)}


def _contained(type_: t.Type) -> set[str]:
    """The records that values of the type contain at first hand."""
    match type_:
        case t.Record(name):
            return {name}
        case t.Option(item) | t.Set(item):
            return _contained(item)
        case t.Map(key, value) | t.Seq(key, value):
            return _contained(key) | _contained(value)
        case _:
            return set()
