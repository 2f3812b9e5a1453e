"""Walking over expressions: children, rebuilding, substitution, free names.

One generic traversal serves all passes that treat most nodes alike. It gives no meaning to any node: what an
expression is worth belongs to the interpreter, the code generator and the prover.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any, cast

from checker.language.ir import Binder, Expr, Local, Node


@cache
def _parts(kind: Any) -> tuple[str, ...]:
    """The names of the fields that may hold expressions, in order of declaration, which is that of evaluation."""
    return tuple(f.name for f in fields(kind) if f.name not in ("type", "span"))


def children(expr: Expr) -> tuple[Expr, ...]:
    """The immediate subexpressions in order of evaluation, domains of binders included.

    Where binders occur their domains come first, each in the scope of the binders before it, then the rest.
    """
    found: list[Expr] = []
    kind: Any = type(expr)
    for name in _parts(kind):
        part = getattr(expr, name)
        if isinstance(part, Node):
            found.append(cast(Expr, part))
        elif isinstance(part, (tuple, Binder)):
            _gather(part, found)
    return tuple(found)


def _gather(part: Any, found: list[Expr]) -> None:
    if isinstance(part, Node):
        found.append(cast(Expr, part))
    elif isinstance(part, Binder):
        if part.domain is not None:
            found.append(part.domain)
    elif isinstance(part, tuple):
        for item in part:
            _gather(item, found)


def rebuild(expr: Expr, new: Sequence[Expr]) -> Expr:
    """The expression with its `children` replaced, one for one; the same object when nothing changed."""
    old = children(expr)
    if len(old) != len(new):
        raise ValueError(f"{len(old)} children expected, {len(new)} given")
    if all(a is b for a, b in zip(old, new, strict=True)):
        return expr
    supply = iter(new)
    kind: Any = type(expr)
    changes = {name: _replaced(getattr(expr, name), supply) for name in _parts(kind)}
    return replace(expr, **changes)


def _replaced(part: Any, supply: Iterator[Expr]) -> Any:
    if isinstance(part, Node):
        return next(supply)
    if isinstance(part, Binder):
        return part if part.domain is None else replace(part, domain=next(supply))
    if isinstance(part, tuple):
        return tuple(_replaced(item, supply) for item in part)
    return part


def binders(expr: Expr) -> tuple[Binder, ...]:
    """The binders that the expression itself introduces, in order."""
    one = getattr(expr, "binder", None)
    many: tuple[Binder, ...] = getattr(expr, "binders", ())
    return (one,) if isinstance(one, Binder) else many


def with_binders(expr: Expr, new: Sequence[Binder]) -> Expr:
    """The expression with its own binders replaced, one for one."""
    if hasattr(expr, "binder"):
        return cast(Expr, replace(cast(Any, expr), binder=new[0]))
    return cast(Expr, replace(cast(Any, expr), binders=tuple(new)))


def subterms(expr: Expr) -> Iterator[Expr]:
    """The expression and everything in it, outermost first."""
    todo = [expr]
    while todo:
        yield (here := todo.pop())
        todo.extend(reversed(children(here)))


def bottom_up(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Applies `change` to every subexpression, innermost first."""
    return change(rebuild(expr, [bottom_up(child, change) for child in children(expr)]))


def substitute(expr: Expr, values: Mapping[int, Expr]) -> Expr:
    """Replaces locals, given by uid. Uids are unique, so no binder can capture a name of the values."""
    if not values:
        return expr
    if isinstance(expr, Local):
        return values.get(expr.uid, expr)
    return rebuild(expr, [substitute(child, values) for child in children(expr)])


def free(expr: Expr) -> frozenset[int]:
    """The uids of the locals that occur in the expression and are not bound there."""
    if isinstance(expr, Local):
        return frozenset((expr.uid,))
    inside = frozenset[int]().union(*map(free, children(expr)))
    return inside - {binder.uid for binder in binders(expr)}


def freshened(expr: Expr, supply: Iterator[int]) -> Expr:
    """The expression with new uids for all names bound in it, so that it may stand beside its original."""
    return _freshened(expr, {}, supply)


def _freshened(expr: Expr, names: Mapping[int, int], supply: Iterator[int]) -> Expr:
    if isinstance(expr, Local):
        return replace(expr, uid=names[expr.uid]) if expr.uid in names else expr
    bound = binders(expr)
    if bound:
        names = {**names, **{binder.uid: next(supply) for binder in bound}}
        expr = with_binders(expr, [replace(binder, uid=names[binder.uid]) for binder in bound])
    return rebuild(expr, [_freshened(child, names, supply) for child in children(expr)])
