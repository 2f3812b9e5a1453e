"""The syntax tree: what the user wrote, before any name means anything.

Every node keeps its span. The parser makes these and the elaborator reads them; nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from checker.source import Source, Span


@dataclass(frozen=True)
class Tree:
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Word(Tree):
    """A name as written."""

    text: str


# --- types ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NamedType(Tree):
    """`Ballot`, `Bool`, `Int`."""

    name: str


@dataclass(frozen=True)
class GenericType(Tree):
    """`Map[K, V]`, `Set[T]`, `Seq[I, T]`; any name and any number of arguments."""

    name: str
    arguments: tuple[TypeTree, ...]


@dataclass(frozen=True)
class OptionType(Tree):
    """`T?`"""

    item: TypeTree


@dataclass(frozen=True)
class RangeType(Tree):
    """`low..high`"""

    low: ExprTree
    high: ExprTree


TypeTree: TypeAlias = NamedType | GenericType | OptionType | RangeType

# --- expressions ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number(Tree):
    value: int


@dataclass(frozen=True)
class Name(Tree):
    """A bare name, also `none`, `zero`, `true`, `false`, `self`."""

    text: str


@dataclass(frozen=True)
class Dot(Tree):
    """`operand.name`: a field, or `.next`, `.prev`, `.from`, `.to`."""

    operand: ExprTree
    name: Word


@dataclass(frozen=True)
class Apply(Tree):
    """`name(arguments)`: a definition, record constructor or built-in function."""

    name: Word
    arguments: tuple[ExprTree, ...]


@dataclass(frozen=True)
class Method(Tree):
    """`operand.name(arguments)`: a role's definition at a node."""

    operand: ExprTree
    name: Word
    arguments: tuple[ExprTree, ...]


@dataclass(frozen=True)
class Subscript(Tree):
    """`operand[key]`"""

    operand: ExprTree
    key: ExprTree


@dataclass(frozen=True)
class Slice(Tree):
    """`operand[..end]`: the prefix up to and including position `end`."""

    operand: ExprTree
    end: ExprTree


@dataclass(frozen=True)
class Unary(Tree):
    """`not x`, `-x`, `the x` (the value in an option)."""

    operator: Literal["not", "-", "the"]
    operand: ExprTree


@dataclass(frozen=True)
class Operation(Tree):
    """A binary operation. `operator` is one of `=>`, `<=>`, `+`, `-`, `*`, `union`, `intersect`, `minus`."""

    operator: str
    left: ExprTree
    right: ExprTree


@dataclass(frozen=True)
class Connective(Tree):
    """A flat chain of `and` or of `or`, at least two items."""

    operator: Literal["and", "or"]
    items: tuple[ExprTree, ...]


@dataclass(frozen=True)
class Comparison(Tree):
    """`a < b <= c`: operands (at least two) and the operators between them.

    Operators: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`, `subset`.
    """

    operands: tuple[ExprTree, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Conditional(Tree):
    """`if condition then a else b`"""

    condition: ExprTree
    then: ExprTree
    otherwise: ExprTree


@dataclass(frozen=True)
class SentDomain(Tree):
    """`sent M` as a set: all messages of kind M sent so far; `flying M`: those that are under way."""

    message: Word
    flying: bool = False


DomainTree: TypeAlias = "TypeTree | ExprTree"  # `in Ballot`, `in Set[Vote]`, `in 1..N`, `in q`, `in sent M`


@dataclass(frozen=True)
class Binding(Tree):
    """`a, b in domain`. A bare name as domain is a `Name`, whether it is a type or a value; `low..high` a RangeType."""

    names: tuple[Word, ...]
    domain: DomainTree


@dataclass(frozen=True)
class Quantifier(Tree):
    """`forall b in B, q in Q where w: body`"""

    kind: Literal["forall", "exists"]
    bindings: tuple[Binding, ...]
    where: ExprTree | None
    body: ExprTree


@dataclass(frozen=True)
class SetFilter(Tree):
    """`{x in D | condition}`"""

    binding: Binding
    condition: ExprTree


@dataclass(frozen=True)
class SetImage(Tree):
    """`{item for x in D, y in E where condition}`"""

    item: ExprTree
    bindings: tuple[Binding, ...]
    where: ExprTree | None


@dataclass(frozen=True)
class MapImage(Tree):
    """`[k in K -> value]`"""

    binding: Binding
    value: ExprTree


@dataclass(frozen=True)
class SetDisplay(Tree):
    """`{a, b}`, `{}`"""

    items: tuple[ExprTree, ...]


@dataclass(frozen=True)
class SeqDisplay(Tree):
    """`[a, b]`, `[]`"""

    items: tuple[ExprTree, ...]


@dataclass(frozen=True)
class Extremum(Tree):
    """`max x in D where w by key`; without `by` the elements themselves are compared."""

    kind: Literal["max", "min"]
    binding: Binding
    where: ExprTree | None
    key: ExprTree | None


@dataclass(frozen=True)
class Wildcard(Tree):
    """`_` in a `sent` pattern."""


@dataclass(frozen=True)
class Sent(Tree):
    """`sent M(a, _) from x to y`, or `flying M(a, _)`; `arguments` None when there are no parentheses."""

    message: Word
    arguments: tuple[ExprTree, ...] | None
    sender: ExprTree | None
    receiver: ExprTree | None
    flying: bool = False


ExprTree: TypeAlias = (
    Number | Name | Dot | Apply | Method | Subscript | Slice | Unary | Operation | Connective | Comparison
    | Conditional | Quantifier | SetFilter | SetImage | MapImage | SetDisplay | SeqDisplay | Extremum | Wildcard
    | Sent | SentDomain
)  # fmt: skip

# --- statements -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RequireStatement(Tree):
    condition: ExprTree


@dataclass(frozen=True)
class LetStatement(Tree):
    name: Word
    value: ExprTree


@dataclass(frozen=True)
class PickStatement(Tree):
    """`pick x in D where w`"""

    binding: Binding
    where: ExprTree | None


@dataclass(frozen=True)
class AssignStatement(Tree):
    """`target := value`; the target is a Name with Dots and Subscripts."""

    target: ExprTree
    value: ExprTree


@dataclass(frozen=True)
class SendStatement(Tree):
    """`send M(arguments) from x to y`, or `… to each p in D where w`."""

    message: Word
    arguments: tuple[ExprTree, ...]
    sender: ExprTree | None
    receiver: ExprTree | None
    each: Binding | None = None
    where: ExprTree | None = None


@dataclass(frozen=True)
class IfStatement(Tree):
    """The branches `if`, `elif`… with their bodies, and `else` (empty when absent)."""

    branches: tuple[tuple[ExprTree, tuple[StatementTree, ...]], ...]
    otherwise: tuple[StatementTree, ...]


@dataclass(frozen=True)
class CallStatement(Tree):
    """`procedure(arguments)`"""

    name: Word
    arguments: tuple[ExprTree, ...]


@dataclass(frozen=True)
class SkipStatement(Tree):
    """`skip`"""


StatementTree: TypeAlias = (
    RequireStatement | LetStatement | PickStatement | AssignStatement | SendStatement | IfStatement | CallStatement
    | SkipStatement
)  # fmt: skip

# --- declarations -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter(Tree):
    """`b: Ballot`, a field of a record or message."""

    name: Word
    type: TypeTree


@dataclass(frozen=True)
class Extends(Tree):
    """`extends base, another`, or `extends base without proof`, which leaves the lemmas and proofs out."""

    bases: tuple[Word, ...]
    with_proof: bool


@dataclass(frozen=True)
class SpecHead(Tree):
    name: Word
    extends: Extends | None


@dataclass(frozen=True)
class SortItem(Tree):
    name: Word


@dataclass(frozen=True)
class OrderItem(Tree):
    name: Word
    from_zero: bool


@dataclass(frozen=True)
class QuorumItem(Tree):
    """`quorum Q of S meets P, R`; `meets` empty when absent."""

    name: Word
    of: Word
    meets: tuple[Word, ...]


@dataclass(frozen=True)
class EnumItem(Tree):
    """`enum Phase = idle, waiting`"""

    name: Word
    values: tuple[Word, ...]


@dataclass(frozen=True)
class RecordItem(Tree):
    name: Word
    fields: tuple[Parameter, ...]


@dataclass(frozen=True)
class MessageItem(Tree):
    """`message M(f: T) from R to S`; the parentheses may be left out."""

    name: Word
    fields: tuple[Parameter, ...]
    sender: Word | None
    receiver: Word | None


@dataclass(frozen=True)
class NetworkItem(Tree):
    """`network lossy, reordering`"""

    flags: tuple[Word, ...]


@dataclass(frozen=True)
class ConstantItem(Tree):
    name: Word
    type: TypeTree


@dataclass(frozen=True)
class VariableItem(Tree):
    """`state`/`durable`/`volatile`/`ghost x: T = e`; `initial` None for `= any`."""

    kind: Literal["state", "durable", "volatile", "ghost"]
    name: Word
    type: TypeTree
    initial: ExprTree | None


@dataclass(frozen=True)
class ActionItem(Tree):
    kind: Literal["action", "timeout", "procedure"]
    name: Word
    parameters: tuple[Binding, ...]
    body: tuple[StatementTree, ...]


@dataclass(frozen=True)
class HandlerItem(Tree):
    """`on M(m)`; `parameter` None for `on M`."""

    message: Word
    parameter: Word | None
    body: tuple[StatementTree, ...]


@dataclass(frozen=True)
class DefineItem(Tree):
    name: Word
    parameters: tuple[Binding, ...]
    body: ExprTree


@dataclass(frozen=True)
class FaultItem(Tree):
    """`fault stop where e`, a member of a role."""

    kind: Word
    where: ExprTree | None


@dataclass(frozen=True)
class RoleItem(Tree):
    """`members` are replacements only until the spec is composed with the one that it extends."""

    name: Word
    members: tuple[Member | ReplaceItem, ...]


@dataclass(frozen=True)
class AfterItem(Tree):
    """`after action(p, q)`, `after Role.action(self_name, …)` or `after Role.on M(node, m)`: ghost updates.

    `target` are the words of the action's name (`prepare`; `Server`, `become_leader`; `Server`, `on`, `Vote`), and
    `names` give fresh names to the action's parameters by position (for a role, the node first); empty: the action's
    own names, with `self` for the node.
    """

    target: tuple[Word, ...]
    names: tuple[Word, ...]
    body: tuple[StatementTree, ...]


@dataclass(frozen=True)
class PropertyItem(Tree):
    """`clauses` one a line. `name` None for an unnamed `assume` or `terminal`."""

    kind: Literal["invariant", "lemma", "step", "reachable", "terminal", "assume"]
    name: Word | None
    clauses: tuple[ExprTree, ...]


@dataclass(frozen=True)
class ProofItem(Tree):
    """`proof P from A, B`, or `proof P by Role.step from A, B` with the words that name the step."""

    name: Word
    step: tuple[Word, ...]
    premises: tuple[Word, ...]


@dataclass(frozen=True)
class Setting(Tree):
    """`Acceptor = 3`, `N = 3`: the right side an expression; `Quorum = majority` is Name."""

    name: Word
    value: ExprTree


@dataclass(frozen=True)
class QuorumOfSize(Tree):
    """`Quorum = 2 of Acceptor`"""

    name: Word
    size: ExprTree
    of: Word


@dataclass(frozen=True)
class QuorumListed(Tree):
    """`Quorum = {a0, a1}, {a1, a2}`, for an order with numbers; or one set as the value of a constant."""

    name: Word
    members: tuple[tuple[Word, ...], ...]


@dataclass(frozen=True)
class Limit(Tree):
    """`crashes <= 1`"""

    name: Word
    value: int


@dataclass(frozen=True)
class ExpectLine(Tree):
    """`expect states 3921`, `expect violated P after 12 steps`, `expect unreachable R`."""

    kind: Literal["states", "violated", "unreachable"]
    name: Word | None
    number: int | None


@dataclass(frozen=True)
class CheckLine(Tree):
    """`check P, Q`: only these properties."""

    names: tuple[Word, ...]


@dataclass(frozen=True)
class AllowDeadlock(Tree):
    """`allow deadlock`"""


@dataclass(frozen=True)
class InstanceItem(Tree):
    name: Word
    lines: tuple[Setting | QuorumOfSize | QuorumListed | Limit | ExpectLine | CheckLine | AllowDeadlock, ...]


@dataclass(frozen=True)
class ReplaceItem(Tree):
    """`replace DECLARATION`, in the place of the one of that name in the extended spec."""

    item: Item | Member


Member: TypeAlias = VariableItem | HandlerItem | ActionItem | DefineItem | FaultItem
Item: TypeAlias = (
    SpecHead | SortItem | OrderItem | QuorumItem | EnumItem | RecordItem | MessageItem | NetworkItem | ConstantItem
    | VariableItem | ActionItem | DefineItem | RoleItem | AfterItem | PropertyItem | ProofItem | InstanceItem
    | ReplaceItem
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """A parsed file: its items in order; `broken` are the identifiers in the blocks that could not be parsed.

    `bases` are the files that it extends, the nearest first, once it is composed with them.
    """

    source: Source
    items: tuple[Item, ...]
    broken: frozenset[str] = frozenset()
    bases: tuple[Source, ...] = ()

    @property
    def head(self) -> SpecHead | None:
        return next((item for item in self.items if isinstance(item, SpecHead)), None)


def walk(tree: object) -> Iterator[Tree]:
    """The trees in a tree, a file, or a tuple of trees, itself included; without recursion."""
    todo: list[object] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, tuple):
            todo.extend(node)
        elif isinstance(node, Tree):
            yield node
            todo.extend(value for name, value in vars(node).items() if name != "span")
