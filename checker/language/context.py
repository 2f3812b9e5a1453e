"""What the elaborator knows while it works: the symbols of the file, the scope of a body, the problems found.

Everything mutable of elaboration lives here and nowhere else; it is dropped when the `Spec` is made.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from typing import Literal, NoReturn, TypeVar

from checker.language import ir
from checker.language import syntax as s
from checker.language import types as t
from checker.language.traverse import freshened, substitute
from checker.source import Diagnostic, Span, did_you_mean


class Failed(Exception):
    """A problem was reported (or is a consequence of one that was); the enclosing clause or statement is given up."""


class NeedsType(Exception):
    """Raised for `none`, `zero`, `{}` and `[]` where nothing says which type they have; what stands around may."""

    def __init__(self, text: str, span: Span) -> None:
        super().__init__(text)
        self.text, self.span = text, span


A = TypeVar("A")
B = TypeVar("B")
Note = tuple[str, Span]


class Report:
    """The diagnostics found so far."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def error(self, code: str, message: str, span: Span, hint: str | None = None, *notes: Note) -> NoReturn:
        """Record an error and give up what is being elaborated."""
        self.add(code, message, span, hint, *notes)
        raise Failed

    def add(self, code: str, message: str, span: Span, hint: str | None = None, *notes: Note) -> None:
        """Record an error and go on."""
        self.diagnostics.append(Diagnostic(code, message, span, hint, notes))

    @contextmanager
    def recovering(self) -> Iterator[None]:
        """Swallow `Failed`: what follows is elaborated all the same."""
        with suppress(Failed):
            yield

    def both(self, first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
        """The results of both; the second is tried even if the first fails, so that each reports its problems."""
        try:
            left = first()
        except Failed:
            with suppress(Failed, NeedsType):
                second()
            raise
        return left, second()


@dataclass
class Role:
    """A role while it is elaborated; `members` are its fields, definitions and procedures by name.

    `liars`: which nodes are byzantine, as a condition on the node bound.
    """

    name: str
    type: t.Sort | t.Order
    item: s.RoleItem
    members: dict[str, Member] = field(default_factory=dict)
    faults: dict[str, s.FaultItem] = field(default_factory=dict)  # by kind
    liars: tuple[ir.Binder, ir.Expr] | None = None

    @property
    def stopped(self) -> ir.Read | None:
        """Which nodes have stopped; None where they do not stop."""
        decl = self.members.get("stopped") if "stop" in self.faults else None
        return ir.Read(type=decl.type, span=decl.span, name=decl.name) if isinstance(decl, ir.VariableDecl) else None

    def has_stopped(self, node: ir.Expr) -> ir.Expr | None:
        """That a node has stopped; None where nodes do not stop."""
        stopped = self.stopped
        return None if stopped is None else ir.At(type=t.Bool(), span=stopped.span, operand=stopped, key=node)


@dataclass
class Definition:
    """A definition, elaborated when first used so that their order does not matter.

    `reads`: what its body reads, through other definitions, which decides where it may be used.
    `depth`: how deep its operations are nested, those of the definitions that it uses included.
    """

    qualified: str
    item: s.DefineItem
    role: Role | None
    span: Span
    decl: ir.DefinitionDecl | None = None
    reads: Reads = field(default_factory=lambda: Reads())
    depth: int = 0
    working: bool = False
    failed: bool = False


@dataclass
class Procedure:
    """A procedure, elaborated when first used.

    `guard`: the place of a `require` or `pick` in it, or in what it calls; `effects`: it changes the state.
    """

    qualified: str
    item: s.ActionItem
    role: Role | None
    span: Span
    decl: ir.ProcedureDecl | None = None
    reads: Reads = field(default_factory=lambda: Reads())
    depth: int = 0
    guard: Span | None = None
    effects: bool = False
    working: bool = False
    failed: bool = False


@dataclass
class Reads:
    """Where a body touches what not every body may: the place in the body, and that in the definition it uses.

    `nodes`: the state of a node other than `self`; `shared`: state that belongs to no node; `sent`: what was sent;
    `links`: who reaches whom; `ghost`: ghost state; `state`: any of these or other state.
    """

    nodes: Touch | None = None
    shared: Touch | None = None
    sent: Touch | None = None
    links: Touch | None = None
    ghost: Touch | None = None
    state: Touch | None = None

    def mark(self, what: Literal["nodes", "shared", "sent", "links", "ghost", "state"], at: Span) -> None:
        """Remember the first place."""
        if getattr(self, what) is None:
            setattr(self, what, Touch(at, at))

    def add(self, other: Reads, at: Span) -> None:
        """Take over what a definition or procedure used at `at` touches."""
        for part in fields(self):
            touch: Touch | None = getattr(other, part.name)
            if touch is not None and getattr(self, part.name) is None:
                setattr(self, part.name, Touch(at, touch.origin))


@dataclass(frozen=True)
class Touch:
    """A place in a body, and the place where the reading is written out, which may be in a definition."""

    at: Span
    origin: Span

    @property
    def notes(self) -> tuple[Note, ...]:
        return () if self.at == self.origin else (("the cause is here", self.origin),)


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
    """A name declared by something that has an error of its own; what refers to it is silent."""

    span: Span


End = t.Sort | t.Order
"""The type of a node that sends or receives."""
Member = ir.VariableDecl | Definition | Procedure | Broken
Symbol = TypeName | EnumValue | ir.ConstantDecl | ir.MessageDecl | Member

MAX_HINTS = 50  # names looked up by likeness, which takes time in large files
MAX_DEPTH = 1000  # operations and statements within one another, counted through definitions and procedures


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
    # the state of links by their ends, as far as something has asked for it
    links: dict[tuple[End, End], ir.VariableDecl] = field(default_factory=dict)
    # kinds whose history some formula speaks of, with `sent`
    history: frozenset[str] = frozenset()
    # kinds that some role handles
    handled: frozenset[str] = frozenset()
    # names of state, definitions and procedures, wherever they are declared: what no bound of a range may use
    varying: frozenset[str] = frozenset()
    # what is declared without being a value, a type or a procedure: "action" or "property" for each name
    apart: Mapping[str, str] = field(default_factory=dict)
    _uids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _hints: int = 0

    def fresh(self, name: str, type_: t.Type, span: Span, domain: ir.Expr | None = None) -> ir.Binder:
        return ir.Binder(name, next(self._uids), type_, domain, span)

    def another(self, expr: ir.Expr) -> ir.Expr:
        """A copy to stand beside the original: names bound in it are bound anew."""
        return freshened(expr, self._uids)

    def role_of(self, node: t.Type | None) -> Role | None:
        """The role whose nodes are of that type; None where they have none."""
        return self.roles.get(node.name) if isinstance(node, t.Sort | t.Order) else None

    def lies(self, role: Role, node: ir.Expr) -> ir.Expr | None:
        """That a node is byzantine; None where no node of the role is."""
        if role.liars is None:
            return None
        binder, condition = role.liars
        return self.another(substitute(condition, {binder.uid: node}))

    def declare(self, word: s.Word, symbol: Symbol) -> bool:
        """Enter a top-level name; a second declaration is reported and ignored. Whether the name is entered."""
        if self.reserved(word) or self._counts(word):
            self.names.setdefault(word.text, Broken(word.span))
            return False
        if (old := self.names.get(word.text)) is not None:
            self.duplicate(word, old.span)
            return False
        self.names[word.text] = symbol
        return True

    def reserved(self, word: s.Word) -> bool:
        """Report a name that the language itself uses."""
        if word.text in RESERVED:
            message = f"`{word.text}` has a meaning of its own and cannot be declared"
            self.report.add("Q0204", message, word.span, "choose another name")
        return word.text in RESERVED

    def _counts(self, word: s.Word) -> bool:
        """Report the name of a variable that instances add."""
        if word.text in COUNTERS:
            message = f"`{word.text}` counts the steps that an instance limits and cannot be declared"
            self.report.add("Q0204", message, word.span, "choose another name")
        return word.text in COUNTERS

    def duplicate(self, word: s.Word, first: Span) -> None:
        note = ("the first declaration is here", first)
        apart = word.span.source is not first.source
        hint = "rename it, or write `replace` before it" if apart else "rename one of them"
        self.report.add("Q0202", f"`{word.text}` is declared twice", word.span, hint, note)

    def unknown(self, word: s.Word, what: str, candidates: Iterable[str], code: str, otherwise: str = "") -> NoReturn:
        """Report a name that is not declared, unless what declares it has an error of its own.

        The hint names a likely candidate, or is `otherwise`.
        """
        if word.text in self.broken:
            raise Failed
        self._hints += 1
        near = did_you_mean(word.text, candidates) if self._hints <= MAX_HINTS else None
        self.report.error(code, f"there is no {what} `{word.text}`", word.span, near or otherwise or None)


# fmt: off
RESERVED = frozenset((
    "none", "zero", "true", "false", "self", "old", "the", "and", "or", "not", "in", "union", "intersect", "minus",
    "subset", "if", "then", "else", "forall", "exists", "let", "pick", "require", "send", "skip",
    "Bool", "Int", "Map", "Set", "Seq",
))
# fmt: on
COUNTERS = ("crashes", "timeouts", "partitions")


@dataclass(frozen=True)
class Bound:
    """What a name stands for in a body: an expression (None when its own elaboration failed)."""

    expr: ir.Expr | None
    span: Span


@dataclass(frozen=True)
class Scope:
    """The names bound here, and what the body does.

    `role`: whose body this is. `old`: `old(e)` may be used; `inside_old`: this is within one. `copies`: how often
    what stands here occurs in the typed form, since `a < b < c` and `max(a, b)` speak of their operands twice.
    """

    role: Role | None = None
    names: dict[str, Bound] = field(default_factory=dict)
    reads: Reads = field(default_factory=Reads)
    old: bool = False
    inside_old: bool = False
    copies: int = 1

    def bind(self, name: str, expr: ir.Expr | None, span: Span) -> Scope:
        return replace(self, names={**self.names, name: Bound(expr, span)})

    @property
    def node(self) -> ir.Expr:
        """The node whose step or definition this is; only in a role."""
        expr = self.names["self"].expr
        if expr is None:
            raise Failed
        return expr
