"""How the nodes of a role fail: the steps `crash`, `stop` and `lie`, which nobody writes out, and who still works.

Each is an action like those that users write, so no engine knows of faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checker.language import ir, make
from checker.language import syntax as s
from checker.language import types as t
from checker.language.binders import local, self_binder
from checker.language.bodies import Bodies
from checker.language.context import Failed, Report, Role, Scope, Symbols
from checker.language.expressions import Expressions
from checker.language.network import Networking
from checker.language.rounds import Rounds
from checker.source import did_you_mean

KINDS = ("crash", "stop", "byzantine", "partition", "link")


def is_sound(report: Report, role: Role, item: s.FaultItem) -> bool:
    """Whether it says in which way nodes fail, once; reports what is wrong with it."""
    kind, span = item.kind.text, item.kind.span
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or "it is one of " + ", ".join(f"`{known}`" for known in KINDS)
        report.add("Q0419", f"there is no fault `{kind}`", span, hint)
    elif (first := role.faults.get(kind)) is not None:
        note = ("the first one is here", first.span)
        report.add("Q0202", f"`fault {kind}` stands here twice", span, "leave one of them, with both conditions", note)
    elif kind == "byzantine" and item.where is None:
        hint = "say which: `fault byzantine where self in faulty`, with `constant faulty: Set[…]`"
        report.add("Q0419", f"is every `{role.name}` byzantine?", span, hint)
    else:
        return True
    return False


@dataclass(frozen=True)
class Failures:
    """Makes the steps of one file in which nodes fail."""

    symbols: Symbols
    expressions: Expressions
    bodies: Bodies

    def steps(self, role: Role) -> Iterator[ir.ActionDecl]:
        """Those of a role: it crashes and restarts, stops for good, and sends what it likes."""
        volatile = [m for m in role.item.members if isinstance(m, s.VariableItem) and m.kind == "volatile"]
        crash, stop = role.faults.get("crash"), role.faults.get("stop")
        if crash is not None and not volatile and not self._breaks:
            hint = "declare as `volatile` what it forgets, or use `fault stop` if it does not come back"
            self.symbols.report.add("Q0419", f"a `{role.name}` forgets nothing in a crash", crash.span, hint)
        elif crash is not None or (volatile and stop is None):
            yield self._crash(role, volatile, "crash", crash)
        if stop is not None:
            yield self._crash(role, volatile, "stop", stop)
        if (liar := role.faults.get("byzantine")) is not None:
            yield from self._lies(role, liar)

    @property
    def _breaks(self) -> bool:
        return self.symbols.network is not None and self.symbols.network.breaking

    def working(self, role: Role | None, scope: Scope) -> list[ir.Statement]:
        """The guards of a step of the protocol: its node has not stopped, and is not byzantine."""
        if role is None:
            return []
        failed = (role.has_stopped(scope.node), self.symbols.lies(role, scope.node))
        return [ir.Require(make.not_(test), test.span) for test in failed if test is not None]

    def settle(self) -> None:
        """Find out who is byzantine; the steps of all roles depend on it."""
        for role in self.symbols.roles.values():
            if (fault := role.faults.get("byzantine")) is not None and fault.where is not None:
                with self.symbols.report.recovering():
                    role.liars = self._liars(role, fault.where)

    def _liars(self, role: Role, where: s.ExprTree) -> tuple[ir.Binder, ir.Expr]:
        (node,), scope = self_binder(self.expressions, role, Scope(role=role))
        lies = self.expressions.boolean(where, scope)
        if (state := scope.reads.state) is not None:
            hint = "speak of `self` and of constants: `where self in faulty`"
            message = "who is byzantine is settled from the beginning"
            self.symbols.report.error("Q0419", message, state.at, hint, *state.notes)
        return node, lies

    # --- crash and stop -----------------------------------------------------------------------------

    def _crash(self, role: Role, volatile: list[s.VariableItem], kind: str, fault: s.FaultItem | None) -> ir.ActionDecl:
        """The step in which a node loses its volatile state, and starts again or stops."""
        node, scope = self_binder(self.expressions, role, Scope(role=role))
        myself = local(node[0], node[0].span)
        guards = self.working(role, scope)
        if fault is not None and fault.where is not None:
            guards.append(ir.Require(self.expressions.boolean(fault.where, scope), fault.span))
        self.bodies.protocol_reads(scope.reads, in_role=True)
        picks, resets = self._resets(role, volatile, scope, myself)
        if kind == "stop":
            stopped = role.stopped
            if stopped is None:
                raise Failed  # something else has the name, which is reported where it is declared
            true = ir.Const(type=t.Bool(), span=stopped.span, value=True)
            now = ir.WithAt(type=stopped.type, span=stopped.span, operand=stopped, key=myself, value=true)
            resets.append(ir.Assign(stopped.name, now, stopped.span))
        broken = Networking(self.symbols).broken(myself, node[0].span) if self.symbols.network is not None else []
        body = (*guards, *picks, *resets, *broken)
        span = fault.span if fault is not None else role.item.name.span
        return ir.ActionDecl(kind, span, "stop" if kind == "stop" else "crash", role.name, node, body)

    def _resets(
        self, role: Role, volatile: list[s.VariableItem], scope: Scope, myself: ir.Expr
    ) -> tuple[list[ir.Statement], list[ir.Statement]]:
        """What gives the volatile fields their initial values: first the choices among several, then the changes."""
        picks: list[ir.Statement] = []
        resets: list[ir.Statement] = []
        for item in volatile:
            decl = role.members.get(item.name.text)
            if not isinstance(decl, ir.VariableDecl) or not isinstance(decl.type, t.Map):
                raise Failed  # reported where the field is declared
            span = item.name.span
            if item.initial is None:
                pick = self.symbols.fresh(item.name.text, decl.type.value, span)
                picks.append(ir.Pick(pick, None, span))
                value = local(pick, span)
            else:
                value = self.expressions.check(item.initial, decl.type.value, scope)
            whole = ir.Read(type=decl.type, span=span, name=decl.name)
            reset = ir.WithAt(type=decl.type, span=span, operand=whole, key=myself, value=value)
            resets.append(ir.Assign(decl.name, reset, span))
        return picks, resets

    # --- byzantine nodes ----------------------------------------------------------------------------

    def _lies(self, role: Role, fault: s.FaultItem) -> Iterator[ir.ActionDecl]:
        """One step for each kind of messages that nodes of the role send: it sends one, whatever is in it."""
        report = self.symbols.report
        note = ("a byzantine node is declared here", fault.span)
        for decl in self.symbols.messages.values():
            if decl.sender is None:
                hint = f"declare from whom: `message {decl.name}(…) from {role.name}`"
                message = f"a byzantine `{role.name}` could send `{decl.name}` in any name, for it carries none"
                report.add("Q0419", message, decl.span, hint, note)
            elif decl.sender == role.type and Networking(self.symbols).carries(decl):
                yield self._lie(role, fault, decl)

    def _lie(self, role: Role, fault: s.FaultItem, decl: ir.MessageDecl) -> ir.ActionDecl:
        span = fault.span
        node, scope = self_binder(self.expressions, role, Scope(role=role))
        lies = self.symbols.lies(role, scope.node)
        if lies is None:
            raise Failed  # reported where it is settled who is byzantine
        binders = [self.symbols.fresh(name, type_, span) for name, type_ in decl.layout if name != "from"]
        parts = [local(binder, span) for binder in binders]
        parts.insert(len(decl.fields), local(node[0], span))
        sent = ir.Construct(type=t.Message(decl.name), span=span, fields=tuple(parts))
        networking = Networking(self.symbols)
        rounds = Rounds(self.symbols)
        first = rounds.lie(decl) if rounds.there_are and not networking.remembers(decl) else None
        new = ir.Require(first or networking.is_absent(decl, sent, span), span)
        guards = (ir.Require(lies, span), *rounds.arrival(), new)
        body = (*guards, *networking.send(decl, sent, None, span))
        return ir.ActionDecl("lie", span, "lie", role.name, (*node, *binders), body, decl.name)
