"""Terms as SMT-LIB 2 text: declarations, axioms of orders, and the marks that stand in for model-based instantiation.

What is written here is all a solver sees of a spec. The sense of the marks: a predicate that is true of everything may
be asserted of any term and asked for in any premise without changing what follows; asked for in the premise of a
quantified variable that no atom binds, it tells the solver which terms to try.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from checker.prove import normal
from checker.prove import terms as t
from checker.prove.terms import Term


@dataclass(frozen=True)
class Vocabulary:
    """The sorts of a spec: `orders` with whether each has a least element, enumerators counted, all others free.

    `stepped` names the orders in which `next` or `previous` is used.
    """

    orders: Mapping[str, bool]
    enums: Mapping[str, int]
    stepped: frozenset[str]


@dataclass(frozen=True)
class Style:
    """How formulas are put to the solver.

    `orders`: as uninterpreted total orders or as integers. `marks`: guard variables that no atom binds with marks;
    `witnesses`: mark the witnesses of existential hypotheses too. `generous`: try what guards and the goal say of all
    on every closed term at hand, integers included, even where no atom of that form is in sight.
    """

    orders: Literal["free", "int"] = "free"
    marks: bool = True
    witnesses: bool = True
    generous: bool = False


@dataclass(frozen=True)
class Script:
    """Declarations, then named assertions; unsatisfiable exactly if the obligation holds.

    `splits` are pairs of terms of the step and the goal whose order is open, each as the three cases it may be.
    """

    declarations: str
    assertions: tuple[tuple[str, str], ...]
    splits: tuple[tuple[str, str, str], ...] = ()

    @property
    def text(self) -> str:
        """A complete SMT-LIB 2 file."""
        lines = ["(set-logic ALL)", self.declarations]
        lines += [f"; {name}\n(assert {formula})" for name, formula in self.assertions]
        return "\n".join([*lines, "(check-sat)", ""])


class Writer:
    """Writes the obligations of one vocabulary in one style; what many have in common is worked out once."""

    def __init__(self, vocabulary: Vocabulary, style: Style) -> None:
        self.vocabulary = vocabulary
        self.style = style
        self.pieces: dict[tuple[str, Term], _Piece] = {}

    def script(self, facts: Sequence[tuple[str, Term]], goal: Term, splits: bool = False) -> Script:
        """The facts and the negated goal, its outer variables made constants; `splits` only if asked for."""
        named = _closed([*(formula for _, formula in facts), t.not_(goal)])
        names = (*_distinct([name for name, _ in facts]), "goal")
        pieces = [self.piece(*item) for item in zip(names, named, strict=True)]
        text = _Text(self.vocabulary, self.style)
        for piece in pieces:
            text.symbols |= piece.symbols
            text.sorts |= piece.sorts
        sources = (*(name for name, _ in facts), "goal")
        lines = [(name, line) for name, piece in zip(sources, pieces, strict=True) for line in piece.lines]
        terms = sorted({x: name for piece in pieces for x, name in piece.terms.items()}.items(), key=lambda x: x[1])
        if self.style.marks:
            lines += [("marks", text.term(text.mark(x))) for x, _ in terms]
        pairs = itertools.combinations([x for x, _ in terms], 2) if splits else ()
        cases = tuple(text.cases(a, b) for a, b in pairs if text.comparable(a, b))
        axioms = text.axioms()
        return Script(text.declarations(), tuple(axioms + lines), cases)

    def piece(self, name: str, formula: Term) -> _Piece:
        """One assertion, named in such a way that its witnesses are its own."""
        found = self.pieces.get((name, formula))
        if found is None:
            found = self.pieces[name, formula] = _Text(self.vocabulary, self.style).piece(name, formula)
        return found


@dataclass(frozen=True)
class _Piece:
    """What one fact adds: assertions, closed terms with their text, and the symbols and sorts that occur."""

    lines: tuple[str, ...]
    terms: Mapping[Term, str]
    symbols: Mapping[str, tuple[tuple[str, ...], str]]
    sorts: Mapping[str, None]


@dataclass
class _Text:
    """A part of a script being written: it notes the symbols and sorts that are used."""

    vocabulary: Vocabulary
    style: Style
    symbols: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    sorts: dict[str, None] = field(default_factory=dict)

    def piece(self, name: str, formula: Term) -> _Piece:
        parts = normal.clauses(formula, name)
        terms = {x: self.term(x) for x in self.interesting(parts)}
        if self.style.marks:
            copies = [_everywhere(p) for p in parts if self.style.generous and _is_short(name, p)]
            parts = (*map(self.marked, parts), *copies)
        lines = tuple(self.term(t.renamed(p)) for p in parts)
        return _Piece(lines, terms, self.symbols, self.sorts)

    def comparable(self, a: Term, b: Term) -> bool:
        return a.sort == b.sort and a.sort in self.vocabulary.orders and not (a.args or b.args)

    def cases(self, a: Term, b: Term) -> tuple[str, str, str]:
        """Below, equal, above."""
        return self.term(t.lt(a, b)), self.term(t.eq(a, b)), self.term(t.lt(b, a))

    # --- marks

    def mark(self, x: Term) -> Term:
        return t.app(f"mark {x.sort}", (x,), t.BOOL)

    def interesting(self, parts: Iterable[Term]) -> Iterable[Term]:
        """The closed terms: those of the step, the goal, and witnesses."""
        found: dict[Term, None] = {}
        for part in parts:
            for x in t.subterms(part):
                scalar = x.sort == t.BOOL or (x.sort == t.INT and not self.style.generous)
                if x.op == "app" and not x.free and not scalar:
                    found[x] = None
        return found

    def marked(self, formula: Term) -> Term:
        """Marks in the premises of variables that nothing else binds, and on witnesses."""
        memo: dict[Term, Term] = {}

        def walk(f: Term) -> Term:
            if not f.args or not t.has_quantifier(f):
                return f
            if f not in memo:
                args = tuple(map(walk, f.args))
                memo[f] = self._with_marks(f, args)
            return memo[f]

        return walk(formula)

    def _with_marks(self, f: Term, args: tuple[Term, ...]) -> Term:
        if f.op == "forall":
            covered = _covered(f, args[0])
            open_ = [v for v in f.bound if v.name not in covered and v.sort not in (t.BOOL, t.INT)]
            return t.forall(f.bound, t.implies(t.and_(*map(self.mark, open_)), args[0]))
        if f.op in ("exists", "the") and self.style.witnesses:
            marks = [self.mark(v) for v in f.bound if v.sort not in (t.BOOL, t.INT)]
            return t.exists(f.bound, t.and_(*marks, *args))
        return t.rebuild(f, args)

    # --- text

    def is_int(self, sort: str) -> bool:
        return self.style.orders == "int" and sort in self.vocabulary.orders

    def sort(self, sort: str) -> str:
        if sort in (t.BOOL, t.INT):
            return sort
        if self.is_int(sort):
            return t.INT
        self.sorts[sort] = None
        return _quoted(f"{sort}!")

    def term(self, x: Term) -> str:
        match x.op:
            case "var":
                return _quoted(x.name)
            case "app":
                return self._application(x)
            case "int":
                return x.name if not x.name.startswith("-") else f"(- {x.name[1:]})"
            case "true" | "false":
                return x.op
            case "forall" | "exists" | "the":
                return self._quantifier(x)
            case "le":
                return self._comparison(x)
            case _:
                symbol = {"iff": "=", "eq": "=", "add": "+", "sub": "-", "mul": "*"}.get(x.op, x.op)
                return f"({symbol} {' '.join(map(self.term, x.args))})"

    def _application(self, x: Term) -> str:
        if x.name in ("order zero", "order next", "order previous"):
            return self._step(x)
        if x.name == "order goes on":
            return self._goes_on(x.args[0])
        if x.name.startswith("value ") and x.sort in self.vocabulary.enums:
            self.sort(x.sort)
            return _quoted(f"{x.name} {x.sort}")
        args = tuple(a.sort for a in x.args)
        name = f"{x.name} : {x.sort}" if x.name.startswith("any ") else x.name
        self.symbols[name] = (args, x.sort)
        if not x.args:
            return _quoted(name)
        return f"({_quoted(name)} {' '.join(map(self.term, x.args))})"

    def _step(self, x: Term) -> str:
        self.sort(x.sort)
        if self.is_int(x.sort):
            if x.name == "order zero":
                return "0"
            return f"({'+' if x.name == 'order next' else '-'} {self.term(x.args[0])} 1)"
        name = _quoted(f"{x.name} {x.sort}")
        return f"({name} {self.term(x.args[0])})" if x.args else name

    def _goes_on(self, x: Term) -> str:
        """That there is a next element."""
        after = self.term(t.app("order next", (x,), x.sort))
        if self.is_int(x.sort):
            return f"(< {after} {_quoted(f'top {x.sort}')})"
        return f"(not ({_quoted(f'le {x.sort}')} {after} {self.term(x)}))"

    def _comparison(self, x: Term) -> str:
        sort = x.args[0].sort
        a, b = map(self.term, x.args)
        if sort == t.INT or self.is_int(sort):
            return f"(<= {a} {b})"
        return f"({_quoted(f'le {sort}')} {a} {b})"

    def _quantifier(self, x: Term) -> str:
        kind = "forall" if x.op == "forall" else "exists"
        variables = " ".join(f"({_quoted(v.name)} {self.sort(v.sort)})" for v in x.bound)
        body = self.term(t.and_(*x.args)) if x.op == "the" else self.term(x.args[0])
        inside = " ".join(d for v in x.bound if (d := self.domain(_quoted(v.name), v.sort)))
        if inside:
            body = f"(=> (and {inside}) {body})" if kind == "forall" else f"(and {inside} {body})"
        if x.name == _MARKED:
            body = f"(! {body} :pattern ({' '.join(self.term(self.mark(v)) for v in x.bound)}))"
        return f"({kind} ({variables}) {body})"

    def domain(self, text: str, sort: str) -> str:
        """Which integers are elements of an order: those from zero on, below a bound."""
        return f"(<= 0 {text}) (< {text} {_quoted(f'top {sort}')})" if self.is_int(sort) else ""

    # --- declarations and axioms

    def declarations(self) -> str:
        lines: list[str] = []
        used: dict[str, None] = dict(self.sorts)
        for args, result in self.symbols.values():
            for s in (*args, result):
                if s not in (t.BOOL, t.INT) and not self.is_int(s):
                    used[s] = None
        for sort in sorted(used):
            if sort in self.vocabulary.enums:
                values = " ".join(f"({_quoted(f'value {i} {sort}')})" for i in range(self.vocabulary.enums[sort]))
                lines.append(f"(declare-datatypes (({_quoted(f'{sort}!')} 0)) (({values})))")
            else:
                lines.append(f"(declare-sort {_quoted(f'{sort}!')} 0)")
            if sort in self.vocabulary.orders:
                lines += self._order_symbols(sort)
        if self.style.orders == "int":
            lines += [f"(declare-const {_quoted(f'top {s}')} Int)" for s in sorted(self.vocabulary.orders)]
        for name, (args, result) in sorted(self.symbols.items()):
            lines.append(f"(declare-fun {_quoted(name)} ({' '.join(map(self.sort, args))}) {self.sort(result)})")
        return "\n".join(lines)

    def _order_symbols(self, sort: str) -> list[str]:
        s = _quoted(f"{sort}!")
        lines = [f"(declare-fun {_quoted(f'le {sort}')} ({s} {s}) Bool)"]
        if self.has_least(sort):
            lines.append(f"(declare-const {_quoted(f'order zero {sort}')} {s})")
        if sort in self.vocabulary.stepped:
            lines += [f"(declare-fun {_quoted(f'{f} {sort}')} ({s}) {s})" for f in ("order next", "order previous")]
        return lines

    def axioms(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        used = {s for args, result in self.symbols.values() for s in (*args, result)} | set(self.sorts)
        for sort in self.vocabulary.orders:
            if self.style.orders == "int":
                found += self._integer_axioms(sort)
            elif sort in used:
                found += [("axioms", a) for a in self._order_axioms(sort)]
        return found

    def has_least(self, sort: str) -> bool:
        """Orders are finite in every instance: the least element has no previous one, whether it has a name or not."""
        return self.vocabulary.orders[sort] or sort in self.vocabulary.stepped

    def _integer_axioms(self, sort: str) -> list[tuple[str, str]]:
        found = [("axioms", f"(< 0 {_quoted(f'top {sort}')})")]
        for name, (args, result) in sorted(self.symbols.items()):
            if result != sort:
                continue
            variables = " ".join(f"(|a{i}| {self.sort(a)})" for i, a in enumerate(args))
            call = f"({_quoted(name)} {' '.join(f'|a{i}|' for i in range(len(args)))})" if args else _quoted(name)
            inside = f"(and {self.domain(call, sort)})"
            found.append(("axioms", f"(forall ({variables}) (! {inside} :pattern ({call})))" if args else inside))
        return found

    def _order_axioms(self, sort: str) -> list[str]:
        s = _quoted(f"{sort}!")
        le = _quoted(f"le {sort}")
        axioms = [
            f"(forall ((|a| {s})) ({le} |a| |a|))",
            f"(forall ((|a| {s}) (|b| {s})) (! (or ({le} |a| |b|) ({le} |b| |a|)) :pattern (({le} |a| |b|))))",
            f"(forall ((|a| {s}) (|b| {s})) (! (=> (and ({le} |a| |b|) ({le} |b| |a|)) (= |a| |b|))"
            f" :pattern (({le} |a| |b|))))",
            f"(forall ((|a| {s}) (|b| {s}) (|c| {s})) (! (=> (and ({le} |a| |b|) ({le} |b| |c|)) ({le} |a| |c|))"
            f" :pattern (({le} |a| |b|) ({le} |b| |c|))))",
        ]
        if self.style.marks:
            mark = _quoted(f"mark {sort}")
            self.symbols[f"mark {sort}"] = ((sort,), t.BOOL)
            axioms.append(
                f"(forall ((|a| {s}) (|b| {s})) (! (=> (and ({mark} |a|) ({mark} |b|))"
                f" (and (or ({le} |a| |b|) ({le} |b| |a|)) (or (= |a| |b|) (not ({le} |a| |b|)) (not ({le} |b| |a|)))))"
                f" :pattern (({mark} |a|) ({mark} |b|))))"
            )
        if self.has_least(sort):
            zero = _quoted(f"order zero {sort}")
            axioms.append(f"(forall ((|a| {s})) ({le} {zero} |a|))")
        if sort in self.vocabulary.stepped:
            axioms += self._step_axioms(sort, s, le)
        return axioms

    def _step_axioms(self, sort: str, s: str, le: str) -> list[str]:
        """Of all elements but the last, if there is a last one."""
        after, before = _quoted(f"order next {sort}"), _quoted(f"order previous {sort}")
        zero = _quoted(f"order zero {sort}")
        return [
            f"(forall ((|a| {s}) (|b| {s})) (! (or ({le} |b| |a|) (and (not ({le} ({after} |a|) |a|))"
            f" ({le} ({after} |a|) |b|)))"
            f" :pattern (({after} |a|) ({le} |b| |a|)) :pattern (({le} ({after} |a|) |b|))))",
            f"(forall ((|a| {s})) (! (or ({le} ({after} |a|) |a|) (= ({before} ({after} |a|)) |a|))"
            f" :pattern (({after} |a|))))",
            f"(forall ((|a| {s})) (! (or (= |a| {zero}) (and (= ({after} ({before} |a|)) |a|)"
            f" (not ({le} |a| ({before} |a|))))) :pattern (({before} |a|))))",
        ]


_MARKED = "marked"  # of a quantifier whose variables stand for marked terms, and only for these


def _is_short(name: str, f: Term) -> bool:
    """Whether a formula of the step or the goal speaks of all elements, and of few at once."""
    return f.op == "forall" and len(f.bound) <= 2 and (name == "goal" or name.startswith("guard"))


def _everywhere(f: Term) -> Term:
    return replace(f, name=_MARKED)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, with a number where one occurs again: facts of one name have different witnesses."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _closed(formulas: list[Term]) -> list[Term]:
    """The formulas with variables that are free in them, one and the same in all, made constants."""
    found: dict[str, Term] = {}
    for formula in formulas:
        for x in t.subterms(formula) if formula.free else ():
            if x.op == "var" and x.name in formula.free and x.name not in found:
                found[x.name] = t.app(f"witness {len(found)}", (), x.sort)
    return [t.substitute(formula, found) for formula in formulas]


def _covered(quantifier: Term, body: Term) -> set[str]:
    """The variables that stand directly under a symbol of the spec, where a solver can read them off."""
    known = quantifier.free | {v.name for v in quantifier.bound}
    found: set[str] = set()
    for x in t.subterms(body):
        if x.op == "app" and x.args and x.free <= known and not x.name.startswith("mark "):
            found |= {a.name for a in x.args if a.op == "var"}
    return found


def _quoted(name: str) -> str:
    return f"|{name}|"
