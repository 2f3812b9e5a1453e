"""Evaluation over domains that are long, as those of recorded runs are: it looks only where something can be found.

Meanings are the interpreter's, and so are the errors; what differs is which choices are looked at. A quantifier whose
condition begins with bounds of its variable goes through what lies between them, one that asks for messages through
the messages there are, and a map that is put together from pieces of others is put together from pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from checker.explore.domains import MOST_VALUES, Domains, Value
from checker.explore.evaluate import Env, Eval, Evaluator, State
from checker.language import ir
from checker.language import types as ty
from checker.language.traverse import free
from checker.source import Span


@dataclass(frozen=True)
class Bounds:
    """The first and the last position at which something can be true."""

    of: Callable[[State, Env], tuple[int, int]]


@dataclass(frozen=True)
class Among:
    """All values for which something can be true."""

    of: Callable[[State, Env], Iterable[Value]]


Where: TypeAlias = Bounds | Among

_Piece: TypeAlias = Callable[[State, Env, int, int], tuple[Value, ...]]
"""The values of a map for the keys from one position up to another, which is not less."""


class NarrowEvaluator(Evaluator):
    """An `Evaluator` that goes through what can matter instead of through all there is."""

    def __init__(self, domains: Domains, reads: Mapping[str, Eval]) -> None:
        super().__init__(domains, reads)
        self._narrow: dict[int, Where | None] = {}

    def bearable(self, binders: Iterable[ir.Binder], span: Span) -> None:
        """Nothing is refused for its size: most of it is never looked at."""

    def choices(self, binder: ir.Binder) -> Callable[[State, Env], Sequence[Value]]:
        """What a binder ranges over, without values of which it is known that nothing is found there."""
        where = self._narrow.get(binder.uid)
        if binder.domain is not None or where is None:
            return self._all(binder)
        if isinstance(where, Among):
            found, key = where.of, self.domains.key(binder.type)
            return lambda s, e: sorted(set(found(s, e)), key=key)
        bounds, (low, high) = where.of, self._ends(binder.type)

        def between(s: State, e: Env) -> Sequence[Value]:
            first, last = bounds(s, e)
            return range(max(first, low), min(last, high) + 1)

        return between

    def _all(self, binder: ir.Binder) -> Callable[[State, Env], Sequence[Value]]:
        if binder.domain is None and self.domains.size(binder.type) > MOST_VALUES:
            # Refused only where it is really to be gone through.
            return lambda s, e: self.domains.values(binder.type, binder.span)
        return super().choices(binder)

    def _ends(self, type_: ty.Type) -> tuple[int, int]:
        if isinstance(type_, ty.Range):
            return self.domains.bounds(type_)
        return 0, self.domains.size(type_) - 1

    # --- quantifiers and sets ------------------------------------------------------------------------

    def _quantified(self, expr: ir.Quantified) -> Eval:
        self._narrowed(expr.binders, _decisive(expr))
        return super()._quantified(expr)

    def _set_of(self, binders: tuple[ir.Binder, ...], where: ir.Expr | None, item: ir.Expr) -> Eval:
        self._narrowed(binders, () if where is None else tuple(_flat(where)))
        return super()._set_of(binders, where, item)

    def _narrowed(self, binders: Sequence[ir.Binder], decisive: Sequence[ir.Expr]) -> None:
        for i, binder in enumerate(binders):
            later = frozenset(b.uid for b in binders[i:])
            self._narrow[binder.uid] = self._where(decisive, binder, later)

    def _where(self, items: Sequence[ir.Expr], binder: ir.Binder, hidden: frozenset[int]) -> Where | None:
        """Where all of the items can be true; `hidden` are the names that have no value when that is asked."""
        found: list[Where] = []
        for item in items:
            if not self._forms.total(item):
                break  # what it says must be asked of all that is left
            where = self._true_at(item, binder, hidden)
            if isinstance(where, Among):
                return where
            if where is not None:
                found.append(where)
        return _both([w for w in found if isinstance(w, Bounds)])

    def _true_at(self, expr: ir.Expr, binder: ir.Binder, hidden: frozenset[int]) -> Where | None:
        """Where a total formula can be true, None for anywhere."""
        match expr:
            case ir.And(items=items):
                return self._where(items, binder, hidden)
            case ir.Or(items=items):
                return _either([self._true_at(item, binder, hidden) for item in items])
            case ir.Quantified(kind="exists", binders=inner):
                return self._where(_decisive(expr), binder, hidden | {b.uid for b in inner})
            case ir.Binary(operator="==", left=left, right=right):
                return self._equal(left, right, binder, hidden) or self._equal(right, left, binder, hidden)
            case ir.Binary(operator="in", left=ir.Local(uid=uid), right=right) if uid == binder.uid:
                if free(right) & hidden or isinstance(right.type, ty.Quorum):
                    return None
                return Among(self.collection(right))
            case ir.Binary(operator="<" | "<=" | ">" | ">="):
                return self._compared(expr, binder, hidden)
            case ir.SentMatch(messages=messages, fields=fields):
                return self._sent_at(messages, fields, binder, hidden)
            case _:
                return None

    def _equal(self, side: ir.Expr, other: ir.Expr, binder: ir.Binder, hidden: frozenset[int]) -> Where | None:
        if not (isinstance(side, ir.Local) and side.uid == binder.uid) or free(other) & hidden:
            return None
        value = self.compile(other)
        return Among(lambda s, e: (value(s, e),))

    def _compared(self, expr: ir.Binary, binder: ir.Binder, hidden: frozenset[int]) -> Where | None:
        left, right = expr.left, expr.right
        operator: str = expr.operator
        if isinstance(right, ir.Local) and right.uid == binder.uid:
            left, right, operator = right, left, _MIRRORED[operator]
        if not (isinstance(left, ir.Local) and left.uid == binder.uid) or free(right) & hidden:
            return None
        if not isinstance(left.type, ty.Order | ty.Int | ty.Range):
            return None
        value = self.compile(right)
        match operator:
            case "<":
                return Bounds(lambda s, e: (-_FAR, value(s, e) - 1))
            case "<=":
                return Bounds(lambda s, e: (-_FAR, value(s, e)))
            case ">":
                return Bounds(lambda s, e: (value(s, e) + 1, _FAR))
            case _:
                return Bounds(lambda s, e: (value(s, e), _FAR))

    def _sent_at(
        self, messages: ir.Expr, fields: tuple[ir.Expr | None, ...], binder: ir.Binder, hidden: frozenset[int]
    ) -> Where | None:
        """The values that a field has in the messages there are."""
        for i, field in enumerate(fields):
            lifted = isinstance(field, ir.Lift)
            inner = field.operand if isinstance(field, ir.Lift) else field
            if isinstance(inner, ir.Local) and inner.uid == binder.uid and not free(messages) & hidden:
                return Among(_values_sent(self.compile(messages), i, lifted))
        return None

    # --- maps ---------------------------------------------------------------------------------------

    def _map(self, expr: ir.MapOf) -> Eval:
        binder = expr.binder
        if not isinstance(binder.type, ty.Order | ty.Sort | ty.Enum):
            return super()._map(expr)
        last = self.domains.size(binder.type) - 1
        piece = self._piece(expr.body, binder)
        return lambda s, e: piece(s, e, 0, last)

    def _piece(self, body: ir.Expr, binder: ir.Binder) -> _Piece:
        uid = binder.uid
        if uid not in free(body):
            value = self.compile(body)
            return lambda s, e, low, high: (value(s, e),) * (high - low + 1)
        match body:
            case ir.At(operand=operand, key=ir.Local(uid=key)) if (
                key == uid
                and uid not in free(operand)
                and isinstance(operand.type, ty.Map)
                and operand.type.key == binder.type
            ):
                whole = self.compile(operand)
                return lambda s, e, low, high: whole(s, e)[low : high + 1]
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                bounds = self._exactly(condition, binder)
                if bounds is not None:
                    return _joined(bounds, self._piece(then, binder), self._piece(otherwise, binder))
        each = self.compile(body)

        def values(s: State, e: Env, low: int, high: int) -> tuple[Value, ...]:
            found = []
            for key in range(low, high + 1):
                e[uid] = key
                found.append(each(s, e))
            return tuple(found)

        return values

    def _exactly(self, condition: ir.Expr, binder: ir.Binder) -> Bounds | None:
        """Where the condition is true, if it is true all the way between two positions and nowhere else."""
        parts = list(_flat(condition))
        if not self._forms.total(condition):
            return None
        compared = [p for p in parts if isinstance(p, ir.Binary) and p.operator in _MIRRORED]
        bounds = [w for p in compared if isinstance(w := self._compared(p, binder, frozenset({binder.uid})), Bounds)]
        return _both(bounds) if len(bounds) == len(parts) else None


_FAR = 1 << 60
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _decisive(expr: ir.Quantified) -> tuple[ir.Expr, ...]:
    """What must be true of a choice for it to count, in the order in which it is asked."""
    where = () if expr.where is None else tuple(_flat(expr.where))
    match expr.kind, expr.body:
        case "exists", body:
            return (*where, *_flat(body))
        case "forall", ir.Binary(operator="=>", left=left):
            return (*where, *_flat(left))
        case _:
            return where


def _flat(expr: ir.Expr) -> Iterator[ir.Expr]:
    """The items of a conjunction, through conjunctions within it."""
    if isinstance(expr, ir.And):
        for item in expr.items:
            yield from _flat(item)
    else:
        yield expr


def _both(found: Sequence[Bounds]) -> Bounds | None:
    if not found:
        return None
    if len(found) == 1:
        return found[0]

    def bounds(s: State, e: Env) -> tuple[int, int]:
        ends = [each.of(s, e) for each in found]
        return max(low for low, _ in ends), min(high for _, high in ends)

    return Bounds(bounds)


def _either(found: Sequence[Where | None]) -> Where | None:
    """Where one of several can be true; only if all of them are lists of values."""
    lists = [each.of for each in found if isinstance(each, Among)]
    if len(lists) < len(found):
        return None
    return Among(lambda s, e: {value for values in lists for value in values(s, e)})


def _values_sent(messages: Eval, i: int, some: bool) -> Callable[[State, Env], set[Value]]:
    if some:
        return lambda s, e: {m[i] for m in messages(s, e) if m[i] is not None}
    return lambda s, e: {m[i] for m in messages(s, e)}


def _joined(bounds: Bounds, inside: _Piece, outside: _Piece) -> _Piece:
    def joined(s: State, e: Env, low: int, high: int) -> tuple[Value, ...]:
        first, last = bounds.of(s, e)
        first, last = max(first, low), min(last, high)
        if first > last:
            return outside(s, e, low, high)
        before = outside(s, e, low, first - 1) if low < first else ()
        after = outside(s, e, last + 1, high) if last < high else ()
        return before + inside(s, e, first, last) + after

    return joined
