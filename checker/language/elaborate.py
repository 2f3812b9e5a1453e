"""From a parsed file to a typed `Spec`: declarations entered, bodies typed, networks and crashes turned into actions.

All errors of the file are found in one run: a declaration with an error is left out, and what refers to it is silent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, assert_never

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.bodies import Bodies, Kind
from checker.language.context import (
    Broken,
    Definition,
    EnumValue,
    Failed,
    Procedure,
    Report,
    Role,
    Scope,
    Symbol,
    Symbols,
    TypeName,
)
from checker.language.expressions import Expressions
from checker.language.instances import elaborate_instances
from checker.language.network import Networking
from checker.language.typing import named_type, storable
from checker.source import Diagnostic, Span, did_you_mean


def elaborate(
    file: s.File, network: Literal["declared", "set"] = "declared"
) -> tuple[ir.Spec | None, tuple[Diagnostic, ...]]:
    """The typed spec, or None with errors among the diagnostics.

    `network="set"` takes every network as the growing set of sent messages, as proofs for every size do.
    """
    return _Elaborator(file, network).run()


class _Elaborator:
    def __init__(self, file: s.File, network: Literal["declared", "set"]) -> None:
        self.file = file
        self.force_set = network == "set"
        self.report = Report()
        self.symbols = Symbols(self.report, file.broken)
        self.expressions = Expressions(self.symbols)
        self.bodies = Bodies(self.symbols, self.expressions)
        self.sorts: list[ir.SortDecl] = []
        self.constants: list[ir.ConstantDecl] = []
        self.variables: list[ir.VariableDecl] = []
        self.actions: list[ir.ActionDecl] = []
        self.definitions: list[Definition] = []
        self.procedures: list[Procedure] = []
        self.properties: list[ir.Property] = []

    def run(self) -> tuple[ir.Spec | None, tuple[Diagnostic, ...]]:
        self._types()
        self._network()
        self._values()
        self._roles()
        for definition in self.definitions:
            with self.report.recovering():
                self.expressions.define(definition, definition.span)
        for procedure in self.procedures:
            with self.report.recovering():
                self.bodies.procedure(procedure, procedure.span)
        self._initial_values()
        self._actions()
        self._after()
        self._properties()
        proofs = self._proofs()
        instances = elaborate_instances(self.file.items, self.symbols, self.expressions, self.properties)
        diagnostics = tuple(sorted(self.report.diagnostics, key=_order))
        if diagnostics or self.file.broken:
            return None, diagnostics
        return self._spec(proofs, instances), diagnostics

    def _spec(self, proofs: tuple[ir.Proof, ...], instances: tuple[ir.InstanceDecl, ...]) -> ir.Spec:
        head = next(item for item in self.file.items if isinstance(item, s.SpecHead))
        symbols = self.symbols
        networking = Networking(symbols) if symbols.network is not None else None
        return ir.Spec(
            name=head.name.text,
            span=head.name.span,
            source=self.file.source,
            sorts=tuple(self.sorts),
            orders=tuple(symbols.orders.values()),
            quorums=tuple(symbols.quorums.values()),
            enums=tuple(symbols.enums.values()),
            records=tuple(symbols.records.values()),
            messages=tuple(symbols.messages.values()),
            network=symbols.network,
            roles=tuple(ir.RoleDecl(r.name, r.item.name.span, r.type) for r in symbols.roles.values()),
            constants=tuple(self.constants),
            variables=tuple(self.variables) + tuple(networking.variables() if networking else ()),
            actions=tuple(self.actions) + tuple(networking.losses() if networking else ()),
            procedures=tuple(p.decl for p in self.procedures if p.decl is not None),
            definitions=tuple(d.decl for d in self.definitions if d.decl is not None),
            properties=tuple(self.properties),
            proofs=proofs,
            instances=instances,
        )

    # --- types --------------------------------------------------------------------------------------

    def _types(self) -> None:
        """Sorts, orders and enums first, then what is made of them, whatever their order in the file."""
        for item in self.file.items:
            match item:
                case s.SortItem(_, name):
                    self.symbols.declare(name, TypeName(t.Sort(name.text), name.span))
                    self.sorts.append(ir.SortDecl(name.text, name.span))
                case s.OrderItem(_, name, from_zero):
                    self.symbols.declare(name, TypeName(t.Order(name.text), name.span))
                    self.symbols.orders[name.text] = ir.OrderDecl(name.text, name.span, from_zero)
                case s.EnumItem(_, name, values):
                    self._enum(name, values)
                case s.QuorumItem(_, name):
                    self.symbols.declare(name, TypeName(t.Quorum(name.text), name.span))
                case s.RecordItem(_, name):
                    self.symbols.declare(name, TypeName(t.Record(name.text), name.span))
                case s.ConstantItem(_, name):
                    pass  # typed below, for ranges in types may speak of it
                case _:
                    pass
        for item in self.file.items:
            with self.report.recovering():
                if isinstance(item, s.QuorumItem):
                    self._quorum(item)
        self._constants()
        for item in self.file.items:
            with self.report.recovering():
                if isinstance(item, s.RecordItem):
                    fields = self._fields(item.fields, f"the record `{item.name.text}`")
                    self.symbols.records[item.name.text] = ir.RecordDecl(item.name.text, item.name.span, fields)
        self._recursive_records()

    def _enum(self, name: s.Word, values: tuple[s.Word, ...]) -> None:
        type_ = t.Enum(name.text)
        self.symbols.declare(name, TypeName(type_, name.span))
        for position, value in enumerate(values):
            self.symbols.declare(value, EnumValue(type_, position, value.span))
        self.symbols.enums[name.text] = ir.EnumDecl(name.text, name.span, tuple(v.text for v in values))

    def _quorum(self, item: s.QuorumItem) -> None:
        self.symbols.quorums[item.name.text] = ir.QuorumDecl(item.name.text, item.name.span, t.Bool(), ())
        of = named_type(self.symbols, item.of)
        if not isinstance(of, t.Sort | t.Order):
            self.report.error("Q0301", "quorums are sets of elements of a sort or order", item.of.span)
        families = {i.name.text: i for i in self.file.items if isinstance(i, s.QuorumItem)}
        for word in item.meets:
            if word.text not in families:
                self.symbols.unknown(word, "quorum", list(families))
            if families[word.text].of.text != item.of.text:
                self.report.error("Q0301", f"`{word.text}` has members of another sort", word.span)
        meets = tuple(w.text for w in item.meets) or (item.name.text,)
        self.symbols.quorums[item.name.text] = ir.QuorumDecl(item.name.text, item.name.span, of, meets)

    def _fields(self, parameters: tuple[s.Parameter, ...], what: str) -> tuple[tuple[str, t.Type], ...]:
        fields: dict[str, tuple[t.Type, Span]] = {}
        for parameter in parameters:
            name = parameter.name
            if name.text in fields:
                self.symbols.duplicate(name, fields[name.text][1])
                continue
            with self.report.recovering():
                type_ = self.expressions.type_of(parameter.type)
                storable(self.report, type_, parameter.type.span, f"{what}, field `{name.text}`,")
                fields[name.text] = (type_, name.span)
        return tuple((name, type_) for name, (type_, _) in fields.items())

    def _recursive_records(self) -> None:
        """Report records that contain themselves."""

        def contained(type_: t.Type) -> list[str]:
            match type_:
                case t.Record(name):
                    return [name]
                case t.Option(item) | t.Set(item):
                    return contained(item)
                case t.Map(key, value) | t.Seq(key, value):
                    return contained(key) + contained(value)
                case _:
                    return []

        records = self.symbols.records
        for name, decl in records.items():
            seen: set[str] = set()
            todo = [c for _, type_ in decl.fields for c in contained(type_)]
            while todo:
                inner = todo.pop()
                if inner in records and inner not in seen:
                    seen.add(inner)
                    todo += [c for _, type_ in records[inner].fields for c in contained(type_)]
            if name in seen:
                self.report.note(
                    "Q0406", f"the record `{name}` contains itself", decl.span, "refer to it by an element"
                )

    def _constants(self) -> None:
        items = [item for item in self.file.items if isinstance(item, s.ConstantItem)]
        for item in items:  # integers first: the ranges of others may speak of them
            if isinstance(item.type, s.NamedType) and item.type.name == "Int":
                self._constant(item.name, t.Int())
        for item in items:
            if isinstance(item.type, s.NamedType) and item.type.name == "Int":
                continue
            with self.report.recovering():
                self._constant(item.name, self.expressions.type_of(item.type))
        order = [item.name.text for item in items]
        self.constants.sort(key=lambda c: order.index(c.name))

    def _constant(self, name: s.Word, type_: t.Type) -> None:
        decl = ir.ConstantDecl(name.text, name.span, type_)
        self.symbols.declare(name, decl)
        self.constants.append(decl)

    # --- the network --------------------------------------------------------------------------------

    def _network(self) -> None:
        roles = {i.name.text for i in self.file.items if isinstance(i, s.RoleItem)}
        for item in self.file.items:
            if isinstance(item, s.MessageItem):
                with self.report.recovering():
                    self._message(item, roles)
        networks = [item for item in self.file.items if isinstance(item, s.NetworkItem)]
        for extra in networks[1:]:
            note = ("the first network is here", networks[0].span)
            self.report.note("Q0405", "a spec has one network", extra.span, "leave one of them", note)
        if networks:
            with self.report.recovering():
                self.symbols.network = self._declared_network(networks[0])
        elif self.symbols.messages:
            first = next(iter(self.symbols.messages.values()))
            hint = "add `network lossy, duplicating, reordering`, or a stricter one"
            self.report.note("Q0405", "there are messages, but no `network` says how they travel", first.span, hint)
        self.symbols.history = frozenset(_spoken_of(self.file.items))
        handlers = [m for i in self.file.items if isinstance(i, s.RoleItem) for m in i.members]
        self.symbols.handled = frozenset(h.message.text for h in handlers if isinstance(h, s.HandlerItem))
        self._strict_network()

    def _message(self, item: s.MessageItem, roles: set[str]) -> None:
        ends: list[t.Type | None] = []
        for word in (item.sender, item.receiver):
            if word is None:
                ends.append(None)
                continue
            type_ = named_type(self.symbols, word)
            if not isinstance(type_, t.Sort | t.Order):
                self.report.error(
                    "Q0301", f"`{word.text}` cannot send or receive", word.span, "name a sort or an order"
                )
            ends.append(type_)
        for word in (parameter.name for parameter in item.fields):
            if word.text in ("from", "to"):
                who = "sender" if word.text == "from" else "receiver"
                hint = "write it after the parentheses: `message M(…) from R to S`"
                self.report.error("Q0204", f"`{word.text}` is the {who} of a message", word.span, hint)
        fields = self._fields(item.fields, f"the message `{item.name.text}`")
        decl = ir.MessageDecl(item.name.text, item.name.span, fields, ends[0], ends[1])
        self.symbols.declare(item.name, decl)
        self.symbols.messages[item.name.text] = decl

    def _declared_network(self, item: s.NetworkItem) -> ir.Network:
        known = ("lossy", "duplicating", "reordering", "fifo", "reliable")
        flags = {word.text for word in item.flags}
        for word in item.flags:
            if word.text not in known:
                hint = did_you_mean(word.text, known) or "it is any of " + ", ".join(f"`{k}`" for k in known)
                self.report.error("Q0405", f"a network cannot be `{word.text}`", word.span, hint)
        if "fifo" in flags and flags & {"duplicating", "reordering"}:
            self.report.error(
                "Q0405", "a `fifo` network neither duplicates nor reorders", item.span, "drop one of them"
            )
        if "reliable" in flags and "lossy" in flags:
            self.report.error("Q0405", "a network is `reliable` or `lossy`", item.span, "drop one of them")
        if "duplicating" in flags and "reordering" not in flags:
            self.report.error("Q0405", "a `duplicating` network also reorders", item.span, "add `reordering`")
        if not flags & {"fifo", "reordering"}:
            self.report.error(
                "Q0405", "does this network keep messages in order?", item.span, "add `reordering` or `fifo`"
            )
        lossy = "lossy" in flags
        if self.force_set or "duplicating" in flags:
            return ir.Network("set", lossy, item.span)
        return ir.Network("fifo" if "fifo" in flags else "bag", lossy, item.span)

    def _strict_network(self) -> None:
        """Without duplication a message goes to one receiver, and in a fifo network it needs a sender too."""
        network = self.symbols.network
        if network is None or network.kind == "set":
            return
        for name in sorted(self.symbols.handled & self.symbols.messages.keys()):
            decl = self.symbols.messages[name]
            if decl.receiver is None or (network.kind == "fifo" and decl.sender is None):
                needs = "a sender and a receiver" if network.kind == "fifo" else "a receiver"
                hint = f"declare it `message {name}(…) from R to S`"
                self.report.note("Q0411", f"in this network a message `{name}` needs {needs}", decl.span, hint)
                self.symbols.network = None

    # --- values and roles ---------------------------------------------------------------------------

    def _values(self) -> None:
        for item in self.file.items:
            with self.report.recovering():
                match item:
                    case s.VariableItem():
                        self._top_variable(item)
                    case s.DefineItem(_, name):
                        definition = Definition(name.text, item, None, name.span)
                        self.symbols.declare(name, definition)
                        self.definitions.append(definition)
                    case s.ActionItem(_, "procedure", name):
                        procedure = Procedure(name.text, item, None, name.span)
                        self.symbols.declare(name, procedure)
                        self.procedures.append(procedure)
                    case _:
                        pass

    def _top_variable(self, item: s.VariableItem) -> None:
        if item.kind in ("durable", "volatile"):
            self.report.error(
                "Q0401",
                f"`{item.kind}` state belongs to a role",
                item.span,
                "put it in a `role` block, or write `state`",
            )
        decl = self._typed_variable(item, item.name.text, None)
        if decl is not None:
            self.symbols.declare(item.name, decl)
            self.variables.append(decl)
        else:
            self.symbols.declare(item.name, Broken(item.name.span))

    def _typed_variable(self, item: s.VariableItem, name: str, role: Role | None) -> ir.VariableDecl | None:
        with self.report.recovering():
            type_ = self.expressions.type_of(item.type)
            storable(self.report, type_, item.type.span, f"`{item.name.text}`")
            if role is not None:
                type_ = t.Map(role.type, type_)
            return ir.VariableDecl(name, item.name.span, type_, None, item.kind, role.name if role else None)
        return None

    def _roles(self) -> None:
        for item in self.file.items:
            if isinstance(item, s.RoleItem):
                with self.report.recovering():
                    self._role(item)

    def _role(self, item: s.RoleItem) -> None:
        name = item.name
        symbol = self.symbols.names.get(name.text)
        if not isinstance(symbol, TypeName) or not isinstance(symbol.type, t.Sort | t.Order):
            if name.text in self.symbols.broken:
                raise Failed
            hint = f"declare `sort {name.text}`"
            self.report.error("Q0205", f"the role `{name.text}` needs a sort or order of that name", name.span, hint)
        if (first := self.symbols.roles.get(name.text)) is not None:
            self.symbols.duplicate(name, first.item.name.span)
            return
        role = Role(name.text, symbol.type, item)
        self.symbols.roles[name.text] = role
        for member in item.members:
            with self.report.recovering():
                self._member(role, member)

    def _member(self, role: Role, member: s.VariableItem | s.HandlerItem | s.ActionItem | s.DefineItem) -> None:
        match member:
            case s.VariableItem(_, kind, name):
                if kind == "state":
                    self.report.error(
                        "Q0401",
                        "a role's field is `durable` or `volatile`",
                        member.span,
                        "say whether it survives a crash",
                    )
                decl = self._typed_variable(member, f"{role.name}.{name.text}", role)
                if decl is None:
                    self._enter(role, name, Broken(name.span))
                else:
                    self._enter(role, name, decl)
                    self.variables.append(decl)
            case s.DefineItem(_, name):
                definition = Definition(f"{role.name}.{name.text}", member, role, name.span)
                self._enter(role, name, definition)
                self.definitions.append(definition)
            case s.ActionItem(_, "procedure", name):
                procedure = Procedure(f"{role.name}.{name.text}", member, role, name.span)
                self._enter(role, name, procedure)
                self.procedures.append(procedure)
            case s.ActionItem() | s.HandlerItem():
                pass
            case _:
                assert_never(member)

    def _enter(self, role: Role, word: s.Word, symbol: Symbol) -> None:
        if word.text in role.members:
            first = role.members[word.text]
            assert not isinstance(first, Role)
            self.symbols.duplicate(word, first.span)
        elif word.text in self.symbols.names:
            self.symbols.duplicate(word, self.expressions.symbols_span(word.text))
        else:
            role.members[word.text] = symbol

    def _initial_values(self) -> None:
        items: dict[str, tuple[s.VariableItem, Role | None]] = {}
        for item in self.file.items:
            if isinstance(item, s.VariableItem):
                items[item.name.text] = (item, None)
            elif isinstance(item, s.RoleItem) and item.name.text in self.symbols.roles:
                role = self.symbols.roles[item.name.text]
                for member in item.members:
                    if isinstance(member, s.VariableItem):
                        items[f"{role.name}.{member.name.text}"] = (member, role)
        for position, decl in enumerate(self.variables):
            item, owner = items[decl.name]
            with self.report.recovering():
                if item.initial is not None:
                    self.variables[position] = replace(decl, initial=self._initial(item.initial, decl, owner))

    def _initial(self, tree: s.ExprTree, decl: ir.VariableDecl, role: Role | None) -> ir.Expr:
        """The initial value; of a role's field as a map from the nodes."""
        node, scope = self.expressions.self_binder(role, Scope(role=role))
        value = self._initial_at(tree, decl, role, scope)
        if role is None:
            return value
        return ir.MapOf(type=decl.type, span=value.span, binder=node[0], body=value)

    def _initial_at(self, tree: s.ExprTree, decl: ir.VariableDecl, role: Role | None, scope: Scope) -> ir.Expr:
        type_ = decl.type.value if role is not None and isinstance(decl.type, t.Map) else decl.type
        value = self.expressions.check(tree, type_, scope)
        if scope.reads.state is not None:
            self.report.error(
                "Q0409",
                "an initial value cannot read the state",
                scope.reads.state,
                "use constants, or a `require` in a first step",
            )
        return value

    # --- actions ------------------------------------------------------------------------------------

    def _actions(self) -> None:
        for item in self.file.items:
            match item:
                case s.ActionItem(_, "action" | "timeout"):
                    self._guarded_action(item, None)
                case s.RoleItem(_, name) if name.text in self.symbols.roles:
                    role = self.symbols.roles[name.text]
                    for member in item.members:
                        if isinstance(member, s.HandlerItem):
                            with self.report.recovering():
                                self._handler(member, role)
                        elif isinstance(member, s.ActionItem) and member.kind != "procedure":
                            self._guarded_action(member, role)
                    with self.report.recovering():
                        self._crash(role)
                case _:
                    pass
        self._unique_actions()

    def _guarded_action(self, item: s.ActionItem, role: Role | None) -> None:
        with self.report.recovering():
            self._action(item, role)

    def _action(self, item: s.ActionItem, role: Role | None) -> None:
        if item.name.text in ("crash", "lose", "on"):
            self.report.error(
                "Q0204", f"`{item.name.text}` names steps that are made for you", item.name.span, "rename it"
            )
        node, scope = self.expressions.self_binder(role, Scope(role=role))
        try:
            parameters, scope = self.expressions.bind_all(item.parameters, scope)
        except Failed:
            # keep on looking for errors in the body, with the parameters unknown
            for word in (w for b in item.parameters for w in b.names):
                scope = scope.bind(word.text, None, word.span)
            parameters = ()
        body = self.bodies.body(item.body, scope, Kind())
        self.bodies.protocol_reads(scope.reads, role is not None)
        kind: Literal["action", "timeout"] = "timeout" if item.kind == "timeout" else "action"
        owner = role.name if role is not None else None
        self.actions.append(ir.ActionDecl(item.name.text, item.name.span, kind, owner, (*node, *parameters), body))

    def _handler(self, item: s.HandlerItem, role: Role) -> None:
        span = item.message.span
        decl = self.expressions.message(item.message)
        if decl.receiver is not None and decl.receiver != role.type:
            note = ("the message is declared here", decl.span)
            to = t.show(decl.receiver)
            hint = f"handle it in `role {to}`"
            self.report.error("Q0411", f"messages `{decl.name}` go to `{to}`", span, hint, note)
        if self.symbols.network is None:
            raise Failed
        networking = Networking(self.symbols)
        node, scope = self.expressions.self_binder(role, Scope(role=role))
        myself = self.expressions.local(node[0], span)
        word = item.parameter or s.Word(span, "m")
        if item.parameter is not None:
            self.expressions.unshadowed(word, scope)
        domain = networking.deliverable(decl, myself, span)
        binder = self.symbols.fresh(word.text, t.Message(decl.name), word.span, domain)
        message = self.expressions.local(binder, span)
        if item.parameter is not None:
            scope = scope.bind(word.text, message, word.span)
        first: list[ir.Statement] = []
        if decl.receiver is not None:
            to_field = ir.FieldOf(type=decl.receiver, span=span, operand=message, field="to")
            mine = ir.Binary(type=t.Bool(), span=span, operator="==", left=to_field, right=myself)
            first.append(ir.Require(mine, span))
        body = self.bodies.body(item.body, scope, Kind())
        self.bodies.protocol_reads(scope.reads, in_role=True)
        whole = (*first, *networking.take(decl, message, myself, span), *body)
        self.actions.append(ir.ActionDecl("on", span, "on", role.name, (node[0], binder), whole, decl.name))

    def _crash(self, role: Role) -> None:
        """The step in which a node loses its volatile state and starts again; none if it has no such state."""
        items = [m for m in role.item.members if isinstance(m, s.VariableItem) and m.kind == "volatile"]
        if not items:
            return
        node, scope = self.expressions.self_binder(role, Scope(role=role))
        myself = self.expressions.local(node[0], node[0].span)
        body: list[ir.Statement] = []
        for item in items:
            decl = role.members.get(item.name.text)
            if not isinstance(decl, ir.VariableDecl) or not isinstance(decl.type, t.Map):
                raise Failed
            span = item.name.span
            if item.initial is None:
                pick = self.symbols.fresh(item.name.text, decl.type.value, span)
                body.insert(0, ir.Pick(pick, None, span))
                value = self.expressions.local(pick, span)
            else:
                mark = len(self.report.diagnostics)
                try:
                    value = self._initial_at(item.initial, decl, role, scope)
                except Failed:  # reported where the field is declared
                    del self.report.diagnostics[mark:]
                    raise
            whole = ir.Read(type=decl.type, span=span, name=decl.name)
            body.append(
                ir.Assign(decl.name, ir.WithAt(type=decl.type, span=span, operand=whole, key=myself, value=value), span)
            )
        self.actions.append(ir.ActionDecl("crash", role.item.name.span, "crash", role.name, node, tuple(body)))

    def _unique_actions(self) -> None:
        seen: dict[str, ir.ActionDecl] = {}
        for action in self.actions:
            if (first := seen.get(action.qualified)) is not None:
                self.symbols.duplicate(s.Word(action.span, action.qualified), first.span)
            elif action.role is None and (symbol := self.symbols.names.get(action.name)) is not None:
                assert not isinstance(symbol, Role)
                self.symbols.duplicate(s.Word(action.span, action.name), symbol.span)
            seen.setdefault(action.qualified, action)

    # --- ghost updates ------------------------------------------------------------------------------

    def _after(self) -> None:
        for item in self.file.items:
            if isinstance(item, s.AfterItem):
                with self.report.recovering():
                    self._attach(item)

    def _attach(self, item: s.AfterItem) -> None:
        words = [w.text for w in item.target]
        name = f"{words[0]}.{' '.join(words[1:])}" if len(words) > 1 else words[0]
        position = next((i for i, a in enumerate(self.actions) if a.qualified == name), None)
        span = item.target[0].span.to(item.target[-1].span)
        if position is None:
            self.symbols.unknown(s.Word(span, name), "action", [a.qualified for a in self.actions])
        action = self.actions[position]
        role = self.symbols.roles[action.role] if action.role is not None and not item.names else None
        scope = Scope(role=role, old=True)
        if item.names and len(item.names) != len(action.parameters):
            given = ", ".join(p.name for p in action.parameters)
            self.report.error(
                "Q0303", f"`{name}` has {len(action.parameters)} parameters", span, f"name them all: `({given})`"
            )
        names = item.names or tuple(s.Word(p.span, p.name) for p in action.parameters)
        for word, binder in zip(names, action.parameters, strict=True):
            if item.names:
                self.expressions.unshadowed(word, scope)
            scope = scope.bind(word.text, self.expressions.local(binder, word.span), word.span)
        body = self.bodies.body(item.body, scope, Kind(after=True))
        self.actions[position] = replace(action, body=(*action.body, *body))

    # --- properties and proofs ----------------------------------------------------------------------

    def _properties(self) -> None:
        seen: dict[str, Span] = {}
        for item in self.file.items:
            if isinstance(item, s.PropertyItem):
                name = item.name.text if item.name is not None else item.kind
                if item.name is not None and name in seen:
                    self.symbols.duplicate(item.name, seen[name])
                if item.name is not None and name == "Deadlock":
                    self.report.note(
                        "Q0204", "`Deadlock` is the name of a built-in property", item.name.span, "rename it"
                    )
                seen.setdefault(name, item.span)
                self._property(item, name)

    def _property(self, item: s.PropertyItem, name: str) -> None:
        clauses: list[ir.Expr] = []
        scope = Scope(old=item.kind == "step")
        for clause in item.clauses:
            with self.report.recovering():
                clauses.append(self.expressions.boolean(clause, scope))
        if item.kind == "assume" and scope.reads.state is not None:
            self.report.note(
                "Q0409", "an assumption speaks of constants only", scope.reads.state, "make it an invariant"
            )
        if item.kind in ("terminal", "reachable") and scope.reads.ghost is not None:
            hint = "ghost state is history for proofs only"
            self.report.note("Q0404", f"`{item.kind}` must not depend on ghost state", scope.reads.ghost, hint)
        span = item.name.span if item.name is not None else item.span
        self.properties.append(ir.Property(name, span, item.kind, tuple(clauses)))

    def _proofs(self) -> tuple[ir.Proof, ...]:
        kinds = {p.name: p.kind for p in self.properties}
        provable = [name for name, kind in kinds.items() if kind in ("invariant", "lemma")]
        proofs: dict[str, ir.Proof] = {}
        for item in self.file.items:
            if not isinstance(item, s.ProofItem):
                continue
            for word in (item.name, *item.premises):
                with self.report.recovering():
                    if word.text not in provable:
                        self.symbols.unknown(word, "invariant or lemma", provable, "Q0207")
            if item.name.text in proofs:
                self.symbols.duplicate(item.name, proofs[item.name.text].span)
            premises = tuple(w.text for w in item.premises)
            proofs[item.name.text] = ir.Proof(item.name.text, item.name.span, premises)
        self._acyclic(proofs)
        return tuple(proofs.values())

    def _acyclic(self, proofs: dict[str, ir.Proof]) -> None:
        """Report derivations that lean on themselves."""
        for name, proof in proofs.items():
            seen: set[str] = set()
            todo = list(proof.premises)
            while todo:
                premise = todo.pop()
                if premise not in seen:
                    seen.add(premise)
                    todo += proofs[premise].premises if premise in proofs else ()
            if name in seen:
                hint = "a derivation starts from properties proved otherwise"
                self.report.note("Q0413", f"the proof of `{name}` leans on `{name}` itself", proof.span, hint)


def _spoken_of(tree: object) -> set[str]:
    """The kinds of messages named in `sent` anywhere in the tree."""
    found: set[str] = set()
    todo: list[object] = [tree]
    while todo:
        node = todo.pop()
        match node:
            case s.Sent(_, word) | s.SentDomain(_, word):
                found.add(word.text)
        if isinstance(node, tuple):
            todo.extend(node)
        elif isinstance(node, s.Tree):
            todo.extend(value for name, value in vars(node).items() if name != "span")
    return found


def _order(diagnostic: Diagnostic) -> tuple[int, int]:
    span = diagnostic.span
    return (span.line, span.column) if span is not None else (0, 0)
