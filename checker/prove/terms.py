"""Many-sorted first-order terms: what the evaluator builds, the printer writes and the grounder expands.

Constructors simplify what is obvious, so that no later stage has to. Nothing here knows the language or a solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Op = Literal[
    "var", "app", "int", "true", "false", "not", "and", "or", "iff", "eq", "ite", "le", "add", "sub", "mul",
    "forall", "exists", "the",
]  # fmt: skip

BOOL = "Bool"
INT = "Int"


@dataclass(frozen=True, eq=False)
class Term:
    """A term of sort `sort`; `name` is that of a variable or symbol, or the digits of an integer.

    `bound` are the variables of a quantifier, whose body is the last argument. `the` binds variables that the first
    argument determines uniquely (it must be provable elsewhere that they exist): both readings, "exists … and" and
    "forall … implies", are equivalent, so that it can always be given a witness. `le` compares integers or elements of
    an order. Variables are unique in a context, so nothing is ever captured.
    """

    op: Op
    sort: str
    name: str
    args: tuple[Term, ...]
    bound: tuple[Term, ...]
    free: frozenset[str]
    digest: int

    def __hash__(self) -> int:
        return self.digest

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Term) or self.digest != other.digest:
            return False
        return (self.op, self.sort, self.name, self.args, self.bound) == (
            other.op,
            other.sort,
            other.name,
            other.args,
            other.bound,
        )


def _make(op: Op, sort: str, name: str = "", args: tuple[Term, ...] = (), bound: tuple[Term, ...] = ()) -> Term:
    if op == "var":
        free = frozenset((name,))
    elif len(args) == 1:
        free = args[0].free
    else:
        free = frozenset[str]().union(*(a.free for a in args))
    if bound:
        free = free - {v.name for v in bound}
    return Term(op, sort, name, args, bound, free, hash((op, sort, name, args, bound)))


TRUE = _make("true", BOOL)
FALSE = _make("false", BOOL)


def truth(value: bool) -> Term:
    return TRUE if value else FALSE


def var(name: str, sort: str) -> Term:
    return _make("var", sort, name)


def app(name: str, args: tuple[Term, ...], sort: str) -> Term:
    """An uninterpreted symbol applied; without arguments a constant."""
    return _make("app", sort, name, args)


def integer(value: int) -> Term:
    return _make("int", INT, str(value))


def not_(a: Term) -> Term:
    if a.op == "true":
        return FALSE
    if a.op == "false":
        return TRUE
    return a.args[0] if a.op == "not" else _make("not", BOOL, args=(a,))


def _flat(op: Literal["and", "or"], items: Iterable[Term], zero: Term, one: Term) -> Term:
    found: dict[Term, None] = {}
    for item in items:
        for part in item.args if item.op == op else (item,):
            if part is zero or not_(part) in found:
                return zero
            if part is not one:
                found[part] = None
    parts = tuple(found)
    return one if not parts else parts[0] if len(parts) == 1 else _make(op, BOOL, args=parts)


def and_(*items: Term) -> Term:
    return _flat("and", items, FALSE, TRUE)


def or_(*items: Term) -> Term:
    return _flat("or", items, TRUE, FALSE)


def implies(a: Term, b: Term) -> Term:
    return or_(*(map(not_, a.args) if a.op == "and" else (not_(a),)), b)


def iff(a: Term, b: Term) -> Term:
    if a.op in ("true", "false") or b.op in ("true", "false"):
        return and_(implies(a, b), implies(b, a))
    if a == b:
        return TRUE
    return _make("iff", BOOL, args=(a, b))


def eq(a: Term, b: Term) -> Term:
    if a.sort == BOOL:
        return iff(a, b)
    if a == b:
        return TRUE
    if a.op == "int" and b.op == "int":
        return FALSE
    return _make("eq", BOOL, args=(a, b))


def ite(c: Term, a: Term, b: Term) -> Term:
    if c.op == "true" or a == b:
        return a
    if c.op == "false":
        return b
    if a.sort == BOOL:
        return and_(implies(c, a), or_(c, b))
    return _make("ite", a.sort, args=(c, a, b))


def le(a: Term, b: Term) -> Term:
    """`a <= b` for integers or elements of one order."""
    if a == b:
        return TRUE
    if a.op == "int" and b.op == "int":
        return truth(int(a.name) <= int(b.name))
    return _make("le", BOOL, args=(a, b))


def lt(a: Term, b: Term) -> Term:
    return not_(le(b, a))


def arithmetic(op: Literal["add", "sub", "mul"], a: Term, b: Term) -> Term:
    if a.op == "int" and b.op == "int":
        x, y = int(a.name), int(b.name)
        return integer(x + y if op == "add" else x - y if op == "sub" else x * y)
    if b.op == "int" and int(b.name) == 0 and op != "mul":
        return a
    return _make(op, INT, args=(a, b))


def _quantifier(op: Literal["forall", "exists"], variables: Iterable[Term], body: Term) -> Term:
    used = tuple(v for v in variables if v.name in body.free)
    if not used:
        return body  # sorts are not empty
    if body.op == op:
        return _make(op, BOOL, args=body.args, bound=used + body.bound)
    return _make(op, BOOL, args=(body,), bound=used)


def forall(variables: Iterable[Term], body: Term) -> Term:
    return _quantifier("forall", variables, body)


def exists(variables: Iterable[Term], body: Term) -> Term:
    return _quantifier("exists", variables, body)


def the(variables: tuple[Term, ...], definition: Term, body: Term) -> Term:
    if not any(v.name in body.free for v in variables):
        return body
    return _make("the", BOOL, args=(definition, body), bound=variables)


# --- walking ----------------------------------------------------------------------------------------


def rebuild(term: Term, args: tuple[Term, ...]) -> Term:
    """The term with other arguments, simplified again."""
    match term.op:
        case "var" | "int" | "true" | "false":
            return term
        case "app":
            return app(term.name, args, term.sort)
        case "not":
            return not_(args[0])
        case "and":
            return and_(*args)
        case "or":
            return or_(*args)
        case "iff" | "eq":
            return eq(args[0], args[1])
        case "ite":
            return ite(*args)
        case "le":
            return le(args[0], args[1])
        case "add" | "sub" | "mul":
            return arithmetic(term.op, args[0], args[1])
        case "forall" | "exists":
            return _quantifier(term.op, term.bound, args[0])
        case "the":
            return the(term.bound, args[0], args[1])


def substitute(term: Term, values: Mapping[str, Term]) -> Term:
    """Replaces free variables by name."""
    memo: dict[Term, Term] = {}

    def walk(t: Term) -> Term:
        if t.free.isdisjoint(values):
            return t
        if t.op == "var":
            return values[t.name]
        if t not in memo:
            memo[t] = rebuild(t, tuple(map(walk, t.args)))
        return memo[t]

    return walk(term)


def subterms(term: Term) -> Iterator[Term]:
    """Each different subterm once, outermost first."""
    seen = {term}
    stack = [term]
    while stack:
        t = stack.pop()
        yield t
        for a in t.args:
            if a not in seen:
                seen.add(a)
                stack.append(a)


def has_quantifier(term: Term) -> bool:
    return any(t.bound for t in subterms(term))


def renamed(term: Term, prefix: str = "x") -> Term:
    """The term with its bound variables numbered from zero, so that equal formulas are equal texts."""
    count = 0

    def walk(t: Term, names: Mapping[str, Term]) -> Term:
        nonlocal count
        if t.op == "var":
            return names.get(t.name, t)
        if not t.args:
            return t
        if t.bound:
            fresh = tuple(var(f"{prefix}{count + i}", v.sort) for i, v in enumerate(t.bound))
            count += len(fresh)
            names = {**names, **{v.name: f for v, f in zip(t.bound, fresh, strict=True)}}
            args = tuple(walk(a, names) for a in t.args)
            plain = replace(t, bound=fresh)
            return _make(t.op, t.sort, t.name, args, plain.bound)
        return _make(t.op, t.sort, t.name, tuple(walk(a, names) for a in t.args))

    return walk(term, {})
