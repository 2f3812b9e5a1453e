"""Why a clause is false, or true: the choices of its quantifiers that decide it, and the facts that come into play.

It descends through a formula as a reader would, and stops where there is nothing more to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from checker.explore.display import to_value
from checker.explore.evaluate import Env
from checker.explore.faults import Fault
from checker.explore.interpreter import Failed, Interpreter, State
from checker.explore.replay import place, text
from checker.language import ir
from checker.language.links import asks_of_link
from checker.language.traverse import subterms
from checker.verdict import Clause, show
from checker.verdict import Value as Shown

_LONGEST = 40  # characters of a value that is written in place of a name

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "subset": "not subset"}


def why_false(
    interpreter: Interpreter, clauses: Sequence[ir.Expr], state: State, old: State | None = None
) -> tuple[Clause, ...]:
    """The first of the clauses that is false in the state (of the step from `old`), with what makes it so."""
    for clause in clauses:
        if not interpreter.holds([clause], state, old):
            return (_told(interpreter, clause, state, old, False),)
    return ()


def why_blocked(interpreter: Interpreter, condition: ir.Expr, state: State, names: Env) -> Clause:
    """A condition that is false in the state for these bound names, with what makes it so."""
    domains, told = interpreter.domains(state), _told(interpreter, condition, state, None, False, names)
    bound = {
        part.name: to_value(domains, part.type, names[part.uid])
        for part in subterms(condition)
        if isinstance(part, ir.Local) and part.uid in names and part.name != "self"
    }
    return replace(told, witnesses=(*bound.items(), *told.witnesses))


def why_true(interpreter: Interpreter, clauses: Sequence[ir.Expr], state: State) -> tuple[Clause, ...]:
    """Each of the clauses, all of which are true in the state, with what makes it so."""
    return tuple(_told(interpreter, clause, state, None, True) for clause in clauses)


def fault_at(interpreter: Interpreter, properties: Iterable[Sequence[ir.Expr]], run: Sequence[State]) -> Fault | None:
    """What has no meaning at the end of a run: in a property, of the last state or step, else in a step from there."""
    last, old = run[-1], run[-2] if len(run) > 1 else None
    for clauses in properties:
        try:
            if old is None and any(isinstance(part, ir.Old) for clause in clauses for part in subterms(clause)):
                continue
            interpreter.holds(clauses, last, old)
        except Fault as fault:
            return fault
    for taken in interpreter.steps(last):
        if isinstance(taken, Failed):
            return _met_in(interpreter, last, taken)
    try:
        interpreter.may_stop(last)
    except Fault as fault:
        return fault
    return None


def _met_in(interpreter: Interpreter, state: State, failed: Failed) -> Fault:
    """The fault, with the step that was tried in its message."""
    domains, fault = interpreter.domains(state), failed.fault
    chosen = ", ".join(f"{b.name} = {show(to_value(domains, b.type, value))}" for b, value in failed.choices)
    where = f"`{interpreter.spec.actions[failed.action].qualified}`" + (f" with {chosen}" if chosen else "")
    return Fault(fault.code, f"{fault.message}; met in {where}", fault.span, fault.kind)


def _told(
    interpreter: Interpreter,
    clause: ir.Expr,
    state: State,
    old: State | None,
    verdict: bool,
    names: Env | None = None,
) -> Clause:
    found = _Found()
    with suppress(Fault):  # what was not needed for the verdict may have no meaning, and is not told
        _Reasons(interpreter, state, old).explain(clause, names or {}, verdict, found)
    return Clause(text(clause.span), tuple(found.witnesses.items()), place(clause.span), found.because)


@dataclass
class _Found:
    """What is found out about one clause: names with their values, and the facts behind it."""

    witnesses: dict[str, Shown] = field(default_factory=dict)
    definitions: list[Clause] = field(default_factory=list)
    facts: list[Clause] = field(default_factory=list)

    @property
    def because(self) -> tuple[Clause, ...]:
        """Definitions applied, then plain facts, each once."""
        return tuple(dict.fromkeys((*self.definitions, *self.facts)))

    def take(self, other: _Found) -> None:
        self.definitions += other.definitions
        self.facts += other.facts


@dataclass(frozen=True)
class _Reasons:
    interpreter: Interpreter
    state: State
    old: State | None

    def explain(self, expr: ir.Expr, env: Env, verdict: bool, found: _Found) -> None:
        """Adds to `found` why the formula has the truth value `verdict`, which it has."""
        match expr:
            case ir.And(items=items) if verdict:
                self._each(items, env, verdict, found)
            case ir.Or(items=items) if not verdict:
                self._each(items, env, verdict, found)
            case ir.And(items=items) | ir.Or(items=items):
                self.explain(next(i for i in items if self.true(i, env) is verdict), env, verdict, found)
            case ir.Not(operand=operand):
                self.explain(operand, env, not verdict, found)
            case ir.Binary(operator="=>", left=left, right=right) if not verdict:
                self.explain(left, env, True, found)
                self.explain(right, env, False, found)
            case ir.Binary(operator="=>", left=left, right=right):
                holds = self.true(left, env)
                self.explain(right if holds else left, env, holds, found)
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                holds = self.true(condition, env)
                self.explain(condition, env, holds, found)
                self.explain(then if holds else otherwise, env, verdict, found)
            case ir.Quantified(kind=kind) if verdict is (kind == "exists"):
                self._choice(expr, env, verdict, found)
            case ir.Call():
                self._definition(expr, env, verdict, found)
            case _:
                self._fact(expr, env, verdict, found)

    def true(self, expr: ir.Expr, env: Env) -> bool:
        return bool(self.value(expr, env))

    def value(self, expr: ir.Expr, env: Env) -> Any:
        return self.interpreter.evaluate(expr, self.state, env, self.old)

    def shown(self, expr: ir.Expr, env: Env) -> Shown:
        return to_value(self.interpreter.domains(self.state), expr.type, self.value(expr, env))

    def _each(self, items: Sequence[ir.Expr], env: Env, verdict: bool, found: _Found) -> None:
        for item in items:
            self.explain(item, env, verdict, found)

    # --- quantifiers --------------------------------------------------------------------------------

    def _choice(self, expr: ir.Quantified, env: Env, verdict: bool, found: _Found) -> None:
        """The first choice that decides: of `exists` one that makes it true, of `forall` one that makes it false."""
        for chosen in self._choices(expr.binders, env):
            if (expr.where is None or self.true(expr.where, chosen)) and self.true(expr.body, chosen) is verdict:
                domains = self.interpreter.domains(self.state)
                for binder in expr.binders:
                    found.witnesses[binder.name] = to_value(domains, binder.type, chosen[binder.uid])
                if expr.where is not None:
                    self.explain(expr.where, chosen, True, found)
                self.explain(expr.body, chosen, verdict, found)
                return

    def _choices(self, binders: Sequence[ir.Binder], env: Env) -> Iterator[Env]:
        if not binders:
            yield env
            return
        for value in self.interpreter.choices(binders[0], self.state, env, self.old):
            yield from self._choices(binders[1:], {**env, binders[0].uid: value})

    # --- definitions and facts ----------------------------------------------------------------------

    def _definition(self, expr: ir.Call, env: Env, verdict: bool, found: _Found) -> None:
        """A definition is a fact with reasons of its own: `chosen(v0)`, with the names that its body chooses."""
        definition = next(d for d in self.interpreter.spec.definitions if d.name == expr.name)
        values = [self.value(argument, env) for argument in expr.arguments]
        inner = {p.uid: value for p, value in zip(definition.parameters, values, strict=True)}
        own = _Found()
        self.explain(definition.body, {**env, **inner}, verdict, own)
        if not own.witnesses and len(own.because) == 1:
            found.take(own)  # the definition says no more than its one reason
            return
        given = {self.text(a, env): self.shown(a, env) for a in expr.arguments if _worth_telling(a)}
        witnesses, because = {**given, **own.witnesses}, own.because
        if len(because) == 1 and own.definitions and not witnesses.keys() & dict(because[0].witnesses).keys():
            # chosen(v0) by b, and that in turn by q, is chosen(v0) by b and q.
            witnesses, because = {**witnesses, **dict(because[0].witnesses)}, because[0].because
        if witnesses or because or not verdict:
            said = self.text(expr, env, verdict)
            found.definitions.append(Clause(said, tuple(witnesses.items()), place(expr.span), because))

    def _fact(self, expr: ir.Expr, env: Env, verdict: bool, found: _Found) -> None:
        """What cannot be taken apart further, as far as it says more than the names already tell."""
        match expr:
            case ir.Binary() if asks_of_link(expr):
                found.facts.append(Clause(self.text(expr, env, not verdict), (), place(expr.span)))
            case ir.Binary(operator=sign, left=left, right=right) if sign in _OPPOSITE:
                telling = [side for side in (left, right) if _worth_telling(side)]
                if not telling or (len(telling) == 1 and verdict and sign == "=="):
                    return
                sides = (self.text(left, env), sign if verdict else _OPPOSITE[sign], self.text(right, env))
                values = tuple((self.text(side, env), self.shown(side, env)) for side in telling)
                found.facts.append(Clause(" ".join(sides), values, place(expr.span)))
            case ir.SentMatch(fields=fields) if verdict and None in fields:
                found.facts.append(Clause(self.text(expr, env), self._message(expr, env), place(expr.span)))
            case ir.SentMatch() if not verdict:
                found.facts.append(Clause(self.text(expr, env, verdict), (), place(expr.span)))
            case _:
                pass

    def _message(self, expr: ir.SentMatch, env: Env) -> tuple[tuple[str, Shown], ...]:
        """The first message that matches, for a pattern with `_`."""
        messages = self.shown(expr.messages, env)
        fields = [None if f is None else self.shown(f, env) for f in expr.fields]
        for message in getattr(messages, "items", ()):
            values = [value for _, value in message.fields]
            if all(e is None or f == v for e, f, v in zip(expr.fields, fields, values, strict=True)):
                return (("message", message),)
        return ()

    # --- text ---------------------------------------------------------------------------------------

    def text(self, expr: ir.Expr, env: Env, verdict: bool = True) -> str:
        """The user's own text with values in place of bound names; with `not` before it if it is false."""
        domains = self.interpreter.domains(self.state)
        names: dict[str, str] = {}
        for part in subterms(expr):
            if isinstance(part, ir.Local) and part.uid in env:
                names[part.name] = show(to_value(domains, part.type, env[part.uid]))
        short = {name: value for name, value in names.items() if len(value) <= _LONGEST}
        said = _replaced(text(expr.span), short)
        return said if verdict else f"not {said}"


def _replaced(text: str, names: Mapping[str, str]) -> str:
    """The text with whole words replaced, but for fields (`x.name`) and names of arguments."""
    return re.sub(r"(?<![\w.])[A-Za-z_]\w*", lambda word: names.get(word[0], word[0]), text)


def _worth_telling(expr: ir.Expr) -> bool:
    """Whether the value is not plain from the text: it depends on the state."""
    return any(isinstance(part, ir.Read | ir.Call | ir.Old) for part in subterms(expr))
