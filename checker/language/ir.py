"""The typed specification: what a file means, with every name resolved and every conversion explicit.

All engines start here. Values are immutable; every node keeps the span it came from, which does not take part in
comparison. What surface syntax leaves open is settled: options are lifted and unwrapped explicitly, fields of roles
are variables that map the role's nodes, networks are variables, handlers and crashes are actions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from checker.language.types import Type
from checker.source import Source, Span

# --- expressions ------------------------------------------------------------------------------------
#
# `type` is the type of the value, with Int for anything read from a range. Operands have equal types up to ranges
# (`types.erased`). Partial operations are marked "partial": outside their domain they are a reported error at `span`.


@dataclass(frozen=True, kw_only=True)
class Node:
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Binder:
    """A name bound by a parameter, quantifier, comprehension, let or pick; `uid` is unique in the spec.

    `domain` is a set, a quorum, or None for all values of `type`. A later binder's domain may use earlier binders.
    """

    name: str
    uid: int
    type: Type
    domain: Expr | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Const(Node):
    """A literal: a bool, an int, the position of an enumerator or element, an order's zero (0); `type` tells which."""

    value: bool | int


@dataclass(frozen=True)
class NoneValue(Node):
    """The empty option."""


@dataclass(frozen=True)
class Local(Node):
    """A bound name."""

    name: str
    uid: int


@dataclass(frozen=True)
class Read(Node):
    """A state variable or a constant, whole."""

    name: str


@dataclass(frozen=True)
class Old(Node):
    """The operand in the state before the step; only in `step` properties and `after` blocks."""

    operand: Expr


@dataclass(frozen=True)
class Lift(Node):
    """A value as an option that holds it."""

    operand: Expr


@dataclass(frozen=True)
class Unwrap(Node):
    """The value in an option. Partial: none has no value."""

    operand: Expr


@dataclass(frozen=True)
class FieldOf(Node):
    """A field of a record or message; for messages also `from` and `to`."""

    operand: Expr
    field: str


@dataclass(frozen=True)
class Construct(Node):
    """A record or message with all its fields in order of declaration (of a message: then `from` and `to`)."""

    fields: tuple[Expr, ...]


@dataclass(frozen=True)
class WithField(Node):
    """A record with one field replaced."""

    operand: Expr
    field: str
    value: Expr


@dataclass(frozen=True)
class At(Node):
    """A map at a key, or a sequence at a position. Partial for sequences: positions run from 1 to the length."""

    operand: Expr
    key: Expr


@dataclass(frozen=True)
class WithAt(Node):
    """A map or sequence with one place replaced. Partial for sequences, like `At`."""

    operand: Expr
    key: Expr
    value: Expr


@dataclass(frozen=True)
class Call(Node):
    """The value of a definition for these arguments. Never recursive."""

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True)
class Not(Node):
    operand: Expr


@dataclass(frozen=True)
class And(Node):
    """Evaluated from left to right up to the first false item."""

    items: tuple[Expr, ...]


@dataclass(frozen=True)
class Or(Node):
    """Evaluated from left to right up to the first true item."""

    items: tuple[Expr, ...]


BinaryOperator: TypeAlias = Literal[
    "=>", "<=>", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "in", "subset", "union", "intersect", "minus"
]


@dataclass(frozen=True)
class Binary(Node):
    """`=>` does not evaluate its right side when the left is false. `in` takes a set or quorum on the right.

    Comparisons are of integers, of one order, or of options of these. `subset` is not strict and takes sets or quorums.
    """

    operator: BinaryOperator
    left: Expr
    right: Expr


@dataclass(frozen=True)
class If(Node):
    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True)
class Quantified(Node):
    """`forall binders where w: body` is `w => body` for each choice, `exists` is `w and body` for one."""

    kind: Literal["forall", "exists"]
    binders: tuple[Binder, ...]
    where: Expr | None
    body: Expr


@dataclass(frozen=True)
class SetOf(Node):
    """The set of `item` for each choice of the binders for which `where` holds."""

    binders: tuple[Binder, ...]
    where: Expr | None
    item: Expr


@dataclass(frozen=True)
class MapOf(Node):
    """The map that takes each key (all values of the binder's type) to `body`."""

    binder: Binder
    body: Expr


@dataclass(frozen=True)
class SetLiteral(Node):
    items: tuple[Expr, ...]


@dataclass(frozen=True)
class SeqLiteral(Node):
    """Partial in that more items than the index type has positions step past its end (see `Next`)."""

    items: tuple[Expr, ...]


@dataclass(frozen=True)
class Extreme(Node):
    """The element with the greatest or least `key` among those for which `where` holds.

    Partial: there must be one, and no other element may have the same key.
    """

    kind: Literal["max", "min"]
    binder: Binder
    where: Expr | None
    key: Expr


@dataclass(frozen=True)
class Next(Node):
    """The next element of an order. Past the last element of a finite instance the step is cut off and counted, or,
    in a property, the value counts as undefined; without an instance every element has a next one."""

    operand: Expr


@dataclass(frozen=True)
class Previous(Node):
    """The previous element of an order. Partial: zero has none."""

    operand: Expr


@dataclass(frozen=True)
class Size(Node):
    """How many elements a set or quorum has; an Int."""

    operand: Expr


@dataclass(frozen=True)
class SizeOf(Node):
    """How many elements a sort, order or enum has; an Int, constant."""

    of: Type


@dataclass(frozen=True)
class Length(Node):
    """The length of a sequence: a value of its index type."""

    operand: Expr


@dataclass(frozen=True)
class Append(Node):
    """A sequence with one more item; past the last position of an order as `Next`, of a range a range error."""

    operand: Expr
    item: Expr


@dataclass(frozen=True)
class Prefix(Node):
    """The first items of a sequence up to position `end`, zero for none. Partial: `end` is at most the length."""

    operand: Expr
    end: Expr


@dataclass(frozen=True)
class SentMatch(Node):
    """Whether a set of messages has one whose fields equal those given; None stands for any value."""

    messages: Expr
    fields: tuple[Expr | None, ...]


# Networks without duplication: what the lowering of messages needs and users do not write.


@dataclass(frozen=True)
class BagWith(Node):
    """A bag with the message once more."""

    bag: Expr
    message: Expr


@dataclass(frozen=True)
class BagWithAll(Node):
    """A bag with each message of the set once more."""

    bag: Expr
    messages: Expr


@dataclass(frozen=True)
class BagWithout(Node):
    """A bag with the message once less; it is there."""

    bag: Expr
    message: Expr


@dataclass(frozen=True)
class BagItems(Node):
    """The set of messages that a bag has at least once."""

    bag: Expr


@dataclass(frozen=True)
class Heads(Node):
    """The messages of kind `kind` at the head of a queue to `receiver`: a set with at most one for each sender.

    `channels` maps each sender to a map from each receiver to the queue between them.
    """

    channels: Expr
    kind: str
    receiver: Expr


@dataclass(frozen=True)
class Enqueue(Node):
    """A queue with the message at its end."""

    queue: Expr
    message: Expr


@dataclass(frozen=True)
class Dequeue(Node):
    """A queue without its head; it has one."""

    queue: Expr


@dataclass(frozen=True)
class QueueLength(Node):
    """How many messages a queue, a bag, or a (nested) map of queues holds in all; an Int."""

    operand: Expr


@dataclass(frozen=True)
class Empty(Node):
    """The empty bag or queue, as `type` says."""


Expr: TypeAlias = (
    Const | NoneValue | Local | Read | Old | Lift | Unwrap | FieldOf | Construct | WithField | At | WithAt | Call
    | Not | And | Or | Binary | If | Quantified | SetOf | MapOf | SetLiteral | SeqLiteral | Extreme | Next | Previous
    | Size | SizeOf | Length | Append | Prefix | SentMatch
    | BagWith | BagWithAll | BagWithout | BagItems | Heads | Enqueue | Dequeue | QueueLength | Empty
)  # fmt: skip

# --- statements -------------------------------------------------------------------------------------
#
# A body runs from top to bottom as one atomic step; later reads see earlier writes. If any `Require` is false or any
# `Within` is exceeded, or an order's end is passed, the whole step does not happen.


@dataclass(frozen=True)
class Require:
    condition: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Within:
    """A bound of the instance: like `Require`, but what it cuts off is counted under `bound` and reported."""

    condition: Expr
    bound: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Let:
    binder: Binder
    value: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Pick:
    """One step for each choice of the binder for which `where` holds."""

    binder: Binder
    where: Expr | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Assign:
    """`variable := value`, whole; updates of a part are `WithAt` and `WithField` of the present value.

    The value must lie in the variable's ranges, else a reported error at `span`.
    """

    variable: str
    value: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Choice:
    """`if` with its `elif`s, and the else branch (empty when absent)."""

    branches: tuple[tuple[Expr, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Invoke:
    """The body of a procedure, with its parameters bound to these values."""

    procedure: str
    arguments: tuple[Expr, ...]
    span: Span = field(compare=False, repr=False)


Statement: TypeAlias = Require | Within | Let | Pick | Assign | Choice | Invoke

# --- declarations -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Declared:
    name: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class SortDecl(Declared):
    pass


@dataclass(frozen=True)
class OrderDecl(Declared):
    """`from_zero`: the order has a least element, with the literal `zero`."""

    from_zero: bool


@dataclass(frozen=True)
class QuorumDecl(Declared):
    """Sets of elements of `of` (a Sort or Order); each has a member in common with each of every family in `meets`."""

    of: Type
    meets: tuple[str, ...]


@dataclass(frozen=True)
class EnumDecl(Declared):
    values: tuple[str, ...]


@dataclass(frozen=True)
class RecordDecl(Declared):
    fields: tuple[tuple[str, Type], ...]


@dataclass(frozen=True)
class MessageDecl(Declared):
    """`fields` as declared; `sender` and `receiver` are the roles' types where there are such.

    A value has all of `layout`: the fields, then `from`, then `to`.
    """

    fields: tuple[tuple[str, Type], ...]
    sender: Type | None
    receiver: Type | None

    @property
    def layout(self) -> tuple[tuple[str, Type], ...]:
        ends = (("from", self.sender), ("to", self.receiver))
        return self.fields + tuple((name, type_) for name, type_ in ends if type_ is not None)


@dataclass(frozen=True)
class Network:
    """How messages travel.

    `set`: whatever was sent may be received at any time, any number of times, or never (lossy, duplicating,
    reordering). `bag`: each message is received at most once, in any order. `fifo`: in order for each ordered pair.
    With `lossy` a message in a bag, or at the head of a queue, may vanish. With `breaking` a crash empties
    all queues to and from the node. With `synchronous` nodes go through rounds together, and a message in the bag
    vanishes only if its sender stops in the round. `round` is how proofs take rounds: of the bag they know which
    messages are in it, and not how often. `abstract`: there are runs that the network declared does not have.
    """

    kind: Literal["set", "bag", "fifo", "round"]
    lossy: bool
    span: Span | None = field(compare=False, repr=False, default=None)
    breaking: bool = False
    synchronous: bool = False
    abstract: bool = field(compare=False, default=False)


@dataclass(frozen=True)
class ConstantDecl(Declared):
    type: Type


@dataclass(frozen=True)
class VariableDecl(Declared):
    """A part of the state. `initial` None stands for any value of the type.

    A role's field `f` is the variable `Role.f`, a map from the role's nodes. Networks are variables too:
    `sent M` (a set: all messages of kind M ever sent), `flying M` (a bag), `channels R S` (maps of queues),
    `cut R S` (for each R, which S it does not reach) and `moved R` (who has moved in this round). Counters of limited
    steps, `crashes`, `timeouts` and `partitions` (kind `limit`), are added by instances only. `Role.stopped` (kind
    `fault`) says which nodes have stopped, where they do.
    """

    type: Type
    initial: Expr | None
    kind: Literal["state", "durable", "volatile", "ghost", "network", "limit", "fault"]
    role: str | None = None


@dataclass(frozen=True)
class ActionDecl(Declared):
    """A family of atomic steps, one for each choice of the parameters.

    In an action of a role the first parameter is the node, named `self`; in a handler (`on`) and a loss (`lose`) the
    last one is the message. `qualified` is the name unique in the spec, as reports print it: `prepare`,
    `Acceptor.on Prepare`, `Acceptor.crash`, `Acceptor.stop`, `Acceptor.lie Promise`, `lose Prepare`.
    """

    kind: Literal["action", "timeout", "on", "crash", "stop", "lie", "lose", "partition", "heal"]
    role: str | None
    parameters: tuple[Binder, ...]
    body: tuple[Statement, ...]
    message: str | None = None

    @property
    def qualified(self) -> str:
        match self.kind:
            case "on":
                label = f"on {self.message}"
            case "lose" | "lie":
                label = f"{self.kind} {self.message}"
            case _:
                label = self.name
        return f"{self.role}.{label}" if self.role else label


@dataclass(frozen=True)
class ProcedureDecl(Declared):
    parameters: tuple[Binder, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class DefinitionDecl(Declared):
    """A named expression; the binders of the parameters have no domain."""

    parameters: tuple[Binder, ...]
    type: Type
    body: Expr


@dataclass(frozen=True)
class Property(Declared):
    """`clauses` are the conjuncts as the user wrote them, one a line.

    invariant, lemma: true in every state. step: true of every step, with `Old`. reachable: true in some state.
    terminal: where it is true, the absence of steps is no deadlock. assume: true of the constants.
    """

    kind: Literal["invariant", "lemma", "step", "reachable", "terminal", "assume"]
    clauses: tuple[Expr, ...]


@dataclass(frozen=True)
class Proof(Declared):
    """`name` follows in one state from the properties in `premises`; or, with an `action`, that keeps it where these
    hold before.
    """

    premises: tuple[str, ...]
    action: str = ""


@dataclass(frozen=True)
class Majorities:
    """All smallest majorities."""


@dataclass(frozen=True)
class OfSize:
    """All subsets with exactly this many elements."""

    size: Expr


@dataclass(frozen=True)
class Listed:
    """The subsets listed, by the positions of their elements."""

    members: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ExpectStates:
    count: int
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class ExpectViolated:
    """`steps` None: after any number of steps. The name may be `Deadlock`."""

    name: str
    steps: int | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class ExpectUnreachable:
    name: str
    span: Span = field(compare=False, repr=False)


Expected: TypeAlias = ExpectStates | ExpectViolated | ExpectUnreachable


@dataclass(frozen=True)
class InstanceDecl(Declared):
    """Sizes of sorts and orders, quorum families, values of constants, limits and expectations.

    `limits` has any of `crashes`, `timeouts`, `partitions`, `messages`, each with its greatest number. `only` names the
    properties to check (None: all). `allow_deadlock`: a state without steps is no error.
    """

    sizes: tuple[tuple[str, int], ...]
    quorums: tuple[tuple[str, Majorities | OfSize | Listed], ...]
    constants: tuple[tuple[str, Expr], ...]
    limits: tuple[tuple[str, int], ...]
    expected: tuple[Expected, ...]
    only: tuple[str, ...] | None = None
    allow_deadlock: bool = False


@dataclass(frozen=True)
class RoleDecl(Declared):
    """A role gives each element of the sort or order of the same name fields and steps of its own."""

    type: Type


@dataclass(frozen=True)
class Spec(Declared):
    """A whole specification, in order of declaration."""

    source: Source = field(compare=False, repr=False)
    bases: tuple[Source, ...] = field(compare=False, repr=False)  # what it extends, the nearest first
    sorts: tuple[SortDecl, ...]
    orders: tuple[OrderDecl, ...]
    quorums: tuple[QuorumDecl, ...]
    enums: tuple[EnumDecl, ...]
    records: tuple[RecordDecl, ...]
    messages: tuple[MessageDecl, ...]
    network: Network | None
    roles: tuple[RoleDecl, ...]
    constants: tuple[ConstantDecl, ...]
    variables: tuple[VariableDecl, ...]
    actions: tuple[ActionDecl, ...]
    procedures: tuple[ProcedureDecl, ...]
    definitions: tuple[DefinitionDecl, ...]
    properties: tuple[Property, ...]
    proofs: tuple[Proof, ...]
    step_proofs: tuple[Proof, ...]
    instances: tuple[InstanceDecl, ...]
