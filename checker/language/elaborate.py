"""From a parsed file to a typed `Spec`: declarations entered, bodies typed, networks and crashes turned into actions.

All errors of the file are found in one run: a declaration with an error is left out, and what refers to it is silent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from checker.language import ir, names
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import self_binder, type_of
from checker.language.bodies import Bodies
from checker.language.collections import BUILTIN
from checker.language.context import (
    Broken,
    Definition,
    Failed,
    Member,
    Procedure,
    Report,
    Role,
    Scope,
    Symbols,
    TypeName,
)
from checker.language.declarations import Declarations
from checker.language.expressions import Expressions
from checker.language.failures import is_sound
from checker.language.instances import elaborate_instances
from checker.language.network import Networking
from checker.language.partitions import Partitions
from checker.language.properties import Properties
from checker.language.rounds import Rounds
from checker.language.steps import Steps
from checker.language.typing import storable
from checker.source import Diagnostic


def elaborate(
    file: s.File, network: Literal["declared", "set"] = "declared"
) -> tuple[ir.Spec | None, tuple[Diagnostic, ...]]:
    """The typed spec, or None with errors among the diagnostics.

    `network="set"` takes every network as the growing set of sent messages, and rounds with a set of those under way,
    as proofs for every size do.
    """
    return _Elaborator(file, network).run()


@dataclass
class _Variable:
    """A variable with what it is made from, for its initial value is looked at later."""

    decl: ir.VariableDecl
    initial: s.ExprTree | None
    role: Role | None


class _Elaborator:
    def __init__(self, file: s.File, network: Literal["declared", "set"]) -> None:
        self.file = file
        self.report = Report()
        self.symbols = Symbols(self.report, file.broken, varying=_varying(file), apart=_apart(file))
        self.expressions = Expressions(self.symbols)
        self.bodies = Bodies(self.symbols, self.expressions)
        self.declarations = Declarations(file.items, network == "set", self.symbols, self.expressions)
        self.steps = Steps(file.items, self.symbols, self.expressions, self.bodies)
        self.properties = Properties(file.items, self.symbols, self.expressions, self.steps)
        self.partitions = Partitions(file.items, self.symbols, self.expressions, self.bodies)
        self.partings: list[ir.ActionDecl] = []
        self.variables: list[_Variable] = []
        self.definitions: list[Definition] = []
        self.procedures: list[Procedure] = []

    def run(self) -> tuple[ir.Spec | None, tuple[Diagnostic, ...]]:
        self.declarations.enter()
        self._values()
        self._roles()
        self.partitions.check()
        self.steps.failures.settle()
        for definition in self.definitions:
            with self.report.recovering():
                names.define(self.expressions, definition, definition.span)
        for procedure in self.procedures:
            with self.report.recovering():
                self.bodies.procedure(procedure, procedure.span)
        for variable in self.variables:
            with self.report.recovering():
                self._initial(variable)
        self.steps.enter()
        self.properties.enter()
        self.partings = self.partitions.steps()
        instances = elaborate_instances(self.file.items, self.symbols, self.expressions, self.properties.declared)
        diagnostics = _once_each(
            sorted(dict.fromkeys(self.report.diagnostics), key=lambda diagnostic: diagnostic.order)
        )
        head = self.file.head
        if diagnostics or self.file.broken or head is None:
            return None, diagnostics
        return self._spec(head.name, instances), diagnostics

    def _spec(self, name: s.Word, instances: tuple[ir.InstanceDecl, ...]) -> ir.Spec:
        symbols = self.symbols
        networking = Networking(symbols) if symbols.network is not None else None
        return ir.Spec(
            name=name.text,
            span=name.span,
            source=self.file.source,
            bases=self.file.bases,
            sorts=tuple(self.declarations.sorts),
            orders=tuple(symbols.orders.values()),
            quorums=tuple(symbols.quorums.values()),
            enums=tuple(symbols.enums.values()),
            records=tuple(symbols.records.values()),
            messages=tuple(symbols.messages.values()),
            network=symbols.network,
            roles=tuple(ir.RoleDecl(r.name, r.item.name.span, r.type) for r in symbols.roles.values()),
            constants=tuple(self.declarations.constants),
            variables=tuple(v.decl for v in self.variables)
            + tuple((*networking.variables(), *Rounds(symbols).variables()) if networking else ())
            + tuple(symbols.links.values()),
            actions=tuple(self.steps.actions)
            + tuple((*networking.losses(), *Rounds(symbols).steps()) if networking else ())
            + tuple(self.partings),
            procedures=tuple(p.decl for p in self.procedures if p.decl is not None),
            definitions=tuple(d.decl for d in self.definitions if d.decl is not None),
            properties=tuple(self.properties.declared),
            proofs=self.properties.proofs,
            step_proofs=self.properties.step_proofs,
            instances=instances,
        )

    # --- state, definitions, procedures -------------------------------------------------------------

    def _values(self) -> None:
        for item in self.file.items:
            match item:
                case s.VariableItem() | s.DefineItem() | s.ActionItem(_, "procedure"):
                    member = self._member(item, None)
                    if self.symbols.declare(item.name, member):
                        self._keep(member, item, None)
                case _:
                    pass

    def _roles(self) -> None:
        for item in self.file.items:
            if not isinstance(item, s.RoleItem):
                continue
            symbol = self.symbols.names.get(item.name.text)
            if not isinstance(symbol, TypeName) or not isinstance(symbol.type, t.Sort | t.Order):
                continue  # reported with the types
            if (first := self.symbols.roles.get(item.name.text)) is not None:
                self.symbols.duplicate(item.name, first.item.name.span)
                continue
            role = Role(item.name.text, symbol.type, item)
            self.symbols.roles[role.name] = role
            for tree in item.members:
                if isinstance(tree, s.VariableItem | s.DefineItem) or (
                    isinstance(tree, s.ActionItem) and tree.kind == "procedure"
                ):
                    self._enter(role, tree)
                elif isinstance(tree, s.FaultItem):
                    self._fault(role, tree)

    def _enter(self, role: Role, tree: s.VariableItem | s.DefineItem | s.ActionItem) -> None:
        member, word = self._member(tree, role), tree.name
        first = role.members.get(word.text) or self.symbols.names.get(word.text)
        if first is not None:
            self.symbols.duplicate(word, first.span)
        elif self.symbols.reserved(word):
            role.members[word.text] = Broken(word.span)
        else:
            role.members[word.text] = member
            self._keep(member, tree, role)

    def _fault(self, role: Role, tree: s.FaultItem) -> None:
        """A way in which nodes fail; that nodes have stopped is state of the role."""
        if not is_sound(self.report, role, tree):
            return
        role.faults[tree.kind.text] = tree
        if tree.kind.text == "stop":
            word = s.Word(tree.kind.span, "stopped")
            decl = ir.VariableDecl(
                f"{role.name}.stopped", tree.span, t.Map(role.type, t.Bool()), None, "fault", role.name
            )
            if (first := role.members.get("stopped") or self.symbols.names.get("stopped")) is not None:
                self.symbols.duplicate(s.Word(first.span, "stopped"), word.span)
            else:
                role.members["stopped"] = decl
                self.variables.append(_Variable(decl, s.Name(tree.span, "false"), role))

    def _member(self, item: s.VariableItem | s.DefineItem | s.ActionItem, role: Role | None) -> Member:
        """What a declaration at top level or in a role enters."""
        word = item.name
        qualified = f"{role.name}.{word.text}" if role is not None else word.text
        match item:
            case s.VariableItem():
                try:
                    return self._variable(item, qualified, role)
                except Failed:
                    return Broken(word.span)
            case s.DefineItem():
                if word.text in BUILTIN:
                    message = f"`{word.text}` is a function of the language and cannot be declared"
                    self.report.add("Q0204", message, word.span, "choose another name")
                return Definition(qualified, item, role, word.span)
            case s.ActionItem():
                return Procedure(qualified, item, role, word.span)
            case _:
                assert_never(item)

    def _variable(self, item: s.VariableItem, name: str, role: Role | None) -> ir.VariableDecl:
        type_ = type_of(self.expressions, item.type)
        storable(self.report, type_, item.type.span, f"`{item.name.text}`")
        if role is None:
            return ir.VariableDecl(name, item.name.span, type_, None, item.kind)
        return ir.VariableDecl(name, item.name.span, t.Map(role.type, type_), None, item.kind, role.name)

    def _keep(self, member: Member, item: s.Tree, role: Role | None) -> None:
        match member:
            case ir.VariableDecl():
                assert isinstance(item, s.VariableItem)
                self.variables.append(_Variable(member, item.initial, role))
            case Definition():
                self.definitions.append(member)
            case Procedure():
                self.procedures.append(member)
            case Broken():
                pass
            case _:
                assert_never(member)

    def _initial(self, variable: _Variable) -> None:
        """The initial value; of a role's field as a map from the nodes."""
        tree, decl, role = variable.initial, variable.decl, variable.role
        if tree is None:
            return
        node, scope = self_binder(self.expressions, role, Scope(role=role))
        type_ = decl.type.value if role is not None and isinstance(decl.type, t.Map) else decl.type
        value = self.expressions.check(tree, type_, scope)
        if (state := scope.reads.state) is not None:
            hint = "use constants, or set it in a first step"
            self.report.error("Q0409", "an initial value cannot read the state", state.at, hint, *state.notes)
        if role is not None:
            value = ir.MapOf(type=decl.type, span=value.span, binder=node[0], body=value)
        variable.decl = replace(decl, initial=value)


def _varying(file: s.File) -> frozenset[str]:
    """The names of state, definitions and procedures, in roles and outside."""
    trees = (tree for tree in _declarations(file) if isinstance(tree, s.VariableItem | s.DefineItem))
    return frozenset(tree.name.text for tree in trees)


def _apart(file: s.File) -> dict[str, str]:
    found: dict[str, str] = {}
    for tree in _declarations(file):
        match tree:
            case s.ActionItem(_, "action" | "timeout", name):
                found[name.text] = "an action"
            case s.PropertyItem(_, _, s.Word(_, text)):
                found[text] = "a property"
            case _:
                pass
    return found


def _declarations(file: s.File) -> tuple[s.Tree, ...]:
    members = (member for item in file.items if isinstance(item, s.RoleItem) for member in item.members)
    return (*file.items, *members)


_UNKNOWN = ("Q0201", "Q0205", "Q0206", "Q0208")


def _once_each(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each unknown name once, at its first place; the hint has the lines of the others."""
    groups: dict[object, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        span = diagnostic.span
        name = (diagnostic.code, diagnostic.message, span.source if span is not None else None)
        same = name if diagnostic.code in _UNKNOWN else diagnostic
        groups.setdefault(same, []).append(diagnostic)
    return tuple(_with_lines(first, others) for first, *others in groups.values())


def _with_lines(first: Diagnostic, others: list[Diagnostic]) -> Diagnostic:
    if not others:
        return first
    lines = [*dict.fromkeys(str(d.span.line) for d in others if d.span is not None)]
    more = f" and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    also = f"the same in line{'s' * (len(lines) > 1)} {', '.join(lines[:MOST_LINES])}{more}"
    return replace(first, hint=f"{first.hint}; {also}" if first.hint else also)


MOST_LINES = 5
