"""What can be told of an expression by its form alone: what it reads, whether it is defined everywhere, simpler equals.

Every answer errs on the safe side, and nothing here evaluates: sizes and values belong to the engines.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from checker.language import types as ty
from checker.language.ir import (
    And,
    Append,
    At,
    Binary,
    Call,
    Const,
    Construct,
    Expr,
    Extreme,
    FieldOf,
    If,
    Lift,
    Local,
    Next,
    NoneValue,
    Not,
    Or,
    Prefix,
    Previous,
    Read,
    SeqLiteral,
    Spec,
    Unwrap,
    WithAt,
    WithField,
)
from checker.language.traverse import binders, bottom_up, freshened, substitute, subterms


class Forms:
    """Judgements by form over the expressions of one spec; remembers those about its definitions."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.definitions = {definition.name: definition for definition in spec.definitions}
        self.variables = frozenset(variable.name for variable in spec.variables)
        self._reads: dict[str, frozenset[str]] = {}
        self._total: dict[str, bool] = {}

    def reads(self, expr: Expr) -> frozenset[str]:
        """The state variables (no constants) that the value may depend on, through definitions."""
        found: set[str] = set()
        for part in subterms(expr):
            if isinstance(part, Read):
                found.add(part.name)
            elif isinstance(part, Call):
                found |= self.definition_reads(part.name)
        return self.variables & found

    def definition_reads(self, name: str) -> frozenset[str]:
        """The state variables that a definition's body reads."""
        if name not in self._reads:
            self._reads[name] = self.reads(self.definitions[name].body)
        return self._reads[name]

    def total(self, expr: Expr) -> bool:
        """Whether no partial operation occurs, also through definitions.

        Maps keyed by integers count as partial, since a key may lie outside the range.
        """
        return all(self._total_root(e) for e in subterms(expr))

    def _total_root(self, expr: Expr) -> bool:
        match expr:
            case Unwrap() | Extreme() | Next() | Previous() | Append() | Prefix() | SeqLiteral():
                return False
            case At() | WithAt():
                return isinstance(expr.operand.type, ty.Map) and not isinstance(expr.operand.type.key, ty.Range)
            case Call():
                if expr.name not in self._total:
                    self._total[expr.name] = self.total(self.definitions[expr.name].body)
                return self._total[expr.name]
            case _:
                return True

    def unfolded(self, call: Call, uids: Iterator[int]) -> Expr:
        """The body of the definition for these arguments, its bound names fresh."""
        definition = self.definitions[call.name]
        values = {b.uid: argument for b, argument in zip(definition.parameters, call.arguments, strict=True)}
        return substitute(freshened(definition.body, uids), values)

    def inlined(self, expr: Expr, uids: Iterator[int]) -> Expr:
        """The expression without calls."""

        def unfold(e: Expr) -> Expr:
            return self.inlined(self.unfolded(e, uids), uids) if isinstance(e, Call) else e

        return bottom_up(expr, unfold)

    def field_names(self, type_: ty.Type) -> tuple[str, ...]:
        """The names of the fields of a record or message type, in order of layout."""
        match type_:
            case ty.Record(name):
                return tuple(f for r in self.spec.records if r.name == name for f, _ in r.fields)
            case ty.Message(name):
                return tuple(f for m in self.spec.messages if m.name == name for f, _ in m.layout)
            case _:
                raise ValueError(f"{ty.show(type_)} has no fields")

    # --- simplification

    def simplified(self, expr: Expr) -> Expr:
        """The obvious, at the root only: parts of what was just built, and constants.

        Nothing that may be undefined is dropped.
        """
        match expr:
            case At():
                return self._simplified_at(expr)
            case FieldOf():
                return self._simplified_field(expr)
            case Unwrap(operand=Lift() as lifted):
                return lifted.operand
            case Not(operand=Const() as constant):
                return replace(constant, value=not constant.value, span=expr.span)
            case Not(operand=Not() as inner):
                return inner.operand
            case If(condition=Const() as constant):
                return expr.then if constant.value else expr.otherwise
            case And() | Or():
                return _simplified_junction(expr)
            case Binary(operator="==" | "!="):
                return self._simplified_equality(expr)
            case Binary(operator="=>", left=Const() as constant):
                return expr.right if constant.value else replace(constant, value=True, span=expr.span)
            case _:
                return expr

    def _simplified_at(self, expr: At) -> Expr:
        """`x[k := e][k]` is `e`; keys that may or may not be the same give an `if`."""
        operand = expr.operand
        if not isinstance(operand, WithAt) or not self.total(operand) or not self.total(expr.key):
            return expr
        below = self.simplified(At(operand.operand, expr.key, type=expr.type, span=expr.span))
        same = self.simplified(Binary("==", operand.key, expr.key, type=ty.Bool(), span=expr.span))
        return self.simplified(If(same, operand.value, below, type=expr.type, span=expr.span))

    def _simplified_field(self, expr: FieldOf) -> Expr:
        match expr.operand:
            case Construct() as built if self.total(built):
                return built.fields[self.field_names(built.type).index(expr.field)]
            case WithField() as changed if self.total(changed):
                if changed.field == expr.field:
                    return changed.value
                return self.simplified(replace(expr, operand=changed.operand))
            case If() as choice if self.total(choice):
                then = self.simplified(replace(expr, operand=choice.then))
                otherwise = self.simplified(replace(expr, operand=choice.otherwise))
                return replace(choice, then=then, otherwise=otherwise, type=expr.type)
            case _:
                return expr

    def _simplified_equality(self, expr: Binary) -> Expr:
        """Equal by form, or constants of one type that differ."""
        positive = expr.operator == "=="
        left, right = expr.left, expr.right
        if left == right and self.total(left):
            return Const(positive, type=expr.type, span=expr.span)
        if _differ(left, right):
            return Const(not positive, type=expr.type, span=expr.span)
        if isinstance(left, Lift) and isinstance(right, Lift):
            return self.simplified(replace(expr, left=left.operand, right=right.operand))
        return expr


def _simplified_junction(expr: And | Or) -> Expr:
    """Constants go; an item that decides ends the row."""
    neutral = isinstance(expr, And)
    kept: list[Expr] = []
    for item in expr.items:
        if isinstance(item, Const):
            if bool(item.value) is neutral:
                continue
            return replace(expr, items=(*kept, item)) if kept else item
        kept.append(item)
    if not kept:
        return Const(neutral, type=expr.type, span=expr.span)
    return kept[0] if len(kept) == 1 else replace(expr, items=tuple(kept))


def _differ(left: Expr, right: Expr) -> bool:
    match left, right:
        case (Const(), Const()):
            return left.value != right.value
        case (NoneValue(), Lift(operand=Const() | Local())) | (Lift(operand=Const() | Local()), NoneValue()):
            return True
        case _:
            return False


# --- the same without a table at hand -----------------------------------------------------------------


def reads(expr: Expr, spec: Spec) -> frozenset[str]:
    """The state variables (no constants) that the value may depend on, through definitions."""
    return Forms(spec).reads(expr)


def inline(expr: Expr, spec: Spec, supply: Iterator[int] | None = None) -> Expr:
    """The expression with every definition replaced by its body; names bound in the bodies get fresh uids.

    Without a supply these are below all uids of the expression and negative, as those that `paths` adds.
    """
    if supply is None:
        supply = itertools.count(min(_uids(expr), default=0) - 1, -1)
    return Forms(spec).inlined(expr, supply)


def _uids(expr: Expr) -> Iterator[int]:
    yield 0
    for e in subterms(expr):
        if isinstance(e, Local):
            yield e.uid
        yield from (binder.uid for binder in binders(e))


def has_range(type_: ty.Type, spec: Spec) -> bool:
    """Whether an expression of the type up to ranges can be out of range for it."""
    match type_:
        case ty.Range():
            return True
        case ty.Option(item) | ty.Set(item) | ty.Bag(item) | ty.Seq(_, item) | ty.Map(_, item):
            return has_range(item, spec)
        case ty.Record(name):
            return any(has_range(t, spec) for r in spec.records if r.name == name for _, t in r.fields)
        case ty.Message(name):
            return any(has_range(t, spec) for m in spec.messages if m.name == name for _, t in m.layout)
        case ty.Queue(kinds):
            return any(has_range(ty.Message(kind), spec) for kind in kinds)
        case ty.Bool() | ty.Int() | ty.Sort() | ty.Order() | ty.Quorum() | ty.Enum():
            return False
        case _:
            assert_never(type_)
