"""What the elaborator knows while it works: the symbols of the file, the scope of a body, the problems found.

Everything mutable of elaboration lives here and nowhere else; it is dropped when the `Spec` is made.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import NoReturn

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.source import Diagnostic, Severity, Span, did_you_mean


class Failed(Exception):
    """A problem was reported (or is a consequence of one that was); the enclosing clause or statement is given up."""


class NeedsType(Exception):
    """Raised for `none`, `zero`, `{}` and `[]` where nothing says which type they have."""

    def __init__(self, text: str, span: Span) -> None:
        super().__init__(text)
        self.text, self.span = text, span


class Report:
    """The diagnostics found so far."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def error(self, code: str, message: str, span: Span, hint: str | None = None, *notes: tuple[str, Span]) -> NoReturn:
        """Record an error and give up what is being elaborated."""
        self.note(code, message, span, hint, *notes)
        raise Failed

    def note(self, code: str, message: str, span: Span, hint: str | None = None, *notes: tuple[str, Span]) -> None:
        """Record an error and go on."""
        self.diagnostics.append(Diagnostic(code, message, span, hint, notes))

    def warn(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, message, span, hint, severity=Severity.WARNING))

    @contextmanager
    def recovering(self) -> Iterator[None]:
        """Swallow `Failed`: what follows is elaborated all the same."""
        with suppress(Failed):
            yield


@dataclass
class Role:
    """A role while it is elaborated; `members` are its fields, definitions and procedures by name."""

    name: str
    type: t.Type
    item: s.RoleItem
    members: dict[str, Symbol] = field(default_factory=dict)


@dataclass
class Definition:
    """A definition, elaborated when first used so that their order does not matter."""

    qualified: str
    item: s.DefineItem
    role: Role | None
    span: Span
    decl: ir.DefinitionDecl | None = None
    # what its body reads, through other definitions: decides where it may be used
    reads: Reads = field(default_factory=lambda: Reads())
    working: bool = False
    failed: bool = False


@dataclass
class Procedure:
    """A procedure, elaborated when first used. `requires`: a path through it begins with a guard or a choice."""

    qualified: str
    item: s.ActionItem
    role: Role | None
    span: Span
    decl: ir.ProcedureDecl | None = None
    requires: bool = False
    effects: bool = False
    working: bool = False
    failed: bool = False


@dataclass
class Reads:
    """Where in the spec a body reads things that not every place may read; None: nowhere."""

    nodes: Span | None = None
    sent: Span | None = None
    ghost: Span | None = None
    old: Span | None = None
    state: Span | None = None

    def add(self, other: Reads, at: Span) -> None:
        """Take over what a definition used at `at` reads."""
        for name in ("nodes", "sent", "ghost", "old", "state"):
            if getattr(other, name) is not None and getattr(self, name) is None:
                setattr(self, name, at)


@dataclass(frozen=True)
class EnumValue:
    type: t.Enum
    position: int
    span: Span


@dataclass(frozen=True)
class TypeName:
    type: t.Type
    span: Span


@dataclass(frozen=True)
class Broken:
    """A name declared by something that has an error of its own."""

    span: Span


Symbol = (
    TypeName | EnumValue | ir.ConstantDecl | ir.VariableDecl | Definition | Procedure | ir.MessageDecl | Role | Broken
)


@dataclass
class Symbols:
    """All names that the file declares at top level, and its tables by kind."""

    report: Report
    broken: frozenset[str]
    names: dict[str, Symbol] = field(default_factory=dict)
    orders: dict[str, ir.OrderDecl] = field(default_factory=dict)
    quorums: dict[str, ir.QuorumDecl] = field(default_factory=dict)
    enums: dict[str, ir.EnumDecl] = field(default_factory=dict)
    records: dict[str, ir.RecordDecl] = field(default_factory=dict)
    messages: dict[str, ir.MessageDecl] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    network: ir.Network | None = None
    # kinds whose history some formula speaks of, with `sent`
    history: frozenset[str] = frozenset()
    # kinds that some role handles
    handled: frozenset[str] = frozenset()
    _uids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def fresh(self, name: str, type_: t.Type, span: Span, domain: ir.Expr | None = None) -> ir.Binder:
        return ir.Binder(name, next(self._uids), type_, domain, span)

    def declare(self, word: s.Word, symbol: Symbol) -> None:
        """Enter a top-level name; a second declaration is reported and ignored."""
        if word.text in RESERVED:
            self.report.note(
                "Q0204",
                f"`{word.text}` has a meaning of its own and cannot be declared",
                word.span,
                "choose another name",
            )
        elif (old := self.names.get(word.text)) is not None:
            self.duplicate(word, span_of(old))
        else:
            self.names[word.text] = symbol

    def duplicate(self, word: s.Word, first: Span) -> None:
        note = ("the first declaration is here", first)
        self.report.note("Q0202", f"`{word.text}` is declared twice", word.span, "rename one of them", note)

    def unknown(self, word: s.Word, what: str, candidates: Iterator[str] | list[str], code: str = "Q0201") -> NoReturn:
        """Report a name that is not declared, unless what declares it has an error of its own."""
        if word.text in self.broken:
            raise Failed
        self.report.error(code, f"there is no {what} `{word.text}`", word.span, did_you_mean(word.text, candidates))


# fmt: off
RESERVED = frozenset((
    "none", "zero", "true", "false", "self", "and", "or", "not", "in", "if", "then", "else", "forall", "exists",
    "let", "pick", "require", "send", "sent", "old", "the", "Bool", "Int", "Map", "Set", "Seq",
    "size", "length", "append",
))
# fmt: on


def span_of(symbol: Symbol) -> Span:
    match symbol:
        case Role():
            return symbol.item.name.span
        case _:
            return symbol.span


@dataclass(frozen=True)
class Bound:
    """What a name stands for in a body: an expression (None when its own elaboration failed)."""

    expr: ir.Expr | None
    span: Span


@dataclass(frozen=True)
class Scope:
    """The names bound here, and whose body this is.

    `place` names the body in messages ("a role's step"). `old`: `old(e)` may be used. `elements`: names of elements
    (`a0`) may be used, as in instances.
    """

    role: Role | None = None
    names: dict[str, Bound] = field(default_factory=dict)
    reads: Reads = field(default_factory=Reads)
    old: bool = False
    inside_old: bool = False

    def bind(self, name: str, expr: ir.Expr | None, span: Span) -> Scope:
        return replace(self, names={**self.names, name: Bound(expr, span)})
