"""What every engine answers with: a verdict, its scope, its traces and its census; plain data, to and from JSON.

Nothing here knows an engine or the language: values of the language arrive as the small tree `Value`,
so that reports can draw and compare them without the spec at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypeAlias, assert_never

# --- values as reports see them ---------------------------------------------------------------------


@dataclass(frozen=True)
class RecordValue:
    """A record or message: its type's name and its fields in order of declaration."""

    name: str
    fields: tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class SetValue:
    """A set, its elements in the order of their type."""

    items: tuple[Value, ...]


@dataclass(frozen=True)
class BagValue:
    """A multiset: each distinct element with how often it occurs (at least once)."""

    items: tuple[tuple[Value, int], ...]


@dataclass(frozen=True)
class SeqValue:
    """A sequence; `first` is the index shown for its first element."""

    items: tuple[Value, ...]
    first: int = 1


@dataclass(frozen=True)
class MapValue:
    """A total map, its entries in the order of the key type."""

    entries: tuple[tuple[Value, Value], ...]


# Elements of sorts and enumerators are their names; elements of orders are plain integers; none is None.
Value: TypeAlias = bool | int | str | RecordValue | SetValue | BagValue | SeqValue | MapValue | None


def show(value: Value) -> str:
    """A value on one line, as traces print it."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case RecordValue(name, fields):
            return f"{name}({', '.join(show(v) for _, v in fields)})" if fields else name
        case SetValue(items):
            return "{" + ", ".join(map(show, items)) + "}"
        case BagValue(items):
            return "{" + ", ".join(show(v) + (f" x{n}" if n > 1 else "") for v, n in items) + "}"
        case SeqValue(items):
            return "[" + ", ".join(map(show, items)) + "]"
        case MapValue(entries):
            return "[" + ", ".join(f"{show(k)}: {show(v)}" for k, v in entries) + "]"
        case _:
            assert_never(value)


# --- traces -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where in the spec something stands, 1-based; `text` is the line's own text."""

    file: str
    line: int
    column: int
    text: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a run: which action with which arguments, who took it, and what it received and sent."""

    action: str
    kind: Literal["action", "timeout", "on", "crash", "stop", "lie", "lose", "partition", "heal"]
    arguments: tuple[tuple[str, Value], ...] = ()
    node: str | None = None
    received: RecordValue | None = None
    sent: tuple[RecordValue, ...] = ()
    place: Place | None = None


@dataclass(frozen=True)
class Variable:
    """How one state variable is shown: its name, and whether it belongs to each node of a role.

    `arbitrary`: the spec leaves its initial value open (`= any`), so a trace says which one it began with.
    """

    name: str
    role: str | None = None
    network: bool = False
    ghost: bool = False
    arbitrary: bool = False

    @property
    def full_name(self) -> str:
        """`Role.field` for a role's field, else the name; unique in a trace."""
        if self.role is None or self.name.startswith(f"{self.role}."):
            return self.name
        return f"{self.role}.{self.name}"

    @property
    def short_name(self) -> str:
        """The field's own name."""
        return self.name if self.role is None else self.name.removeprefix(f"{self.role}.")


@dataclass(frozen=True)
class Trace:
    """A run from an initial state: `states` has one more element than `steps`.

    Each state gives a value for each of `variables`, in their order; the value of a role's field is a map from
    the role's nodes. `constants` holds the interpretation under which the run was found.
    """

    variables: tuple[Variable, ...]
    states: tuple[tuple[Value, ...], ...]
    steps: tuple[Step, ...]
    constants: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True)
class Clause:
    """One clause of a property that failed: its text, and what its quantified names stood for.

    `because` are the parts that decided it, such as a definition applied to the witnesses (`chosen(v0)`), each
    with the names that make it true or false.
    """

    text: str
    witnesses: tuple[tuple[str, Value], ...] = ()
    place: Place | None = None
    because: tuple[Clause, ...] = ()


# --- graphs -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edge:
    """A step from one state of a graph to another, by their numbers; `violates` names the step properties it breaks."""

    source: int
    target: int
    step: Step
    violates: tuple[str, ...] = ()


@dataclass(frozen=True)
class StateGraph:
    """All states of an instance in order of discovery, breadth first, and all steps between them.

    The first `initial` of the `states` are those in which runs begin; `depths` counts steps from there. `violated`
    names, for each state, the properties that it breaks. The steps from the states in `unexplored` were not looked for.
    """

    spec: str
    instance: str
    variables: tuple[Variable, ...]
    states: tuple[tuple[Value, ...], ...]
    depths: tuple[int, ...]
    initial: int
    edges: tuple[Edge, ...]
    violated: tuple[tuple[str, ...], ...]
    unexplored: frozenset[int] = frozenset()


# --- results ----------------------------------------------------------------------------------------


class Status(Enum):
    """What is known of one property."""

    HOLDS = "holds"
    VIOLATED = "violated"
    REACHED = "reached"  # of a `reachable`: a witness was found
    UNREACHED = "unreached"  # of a `reachable`: the whole space has no witness
    UNKNOWN = "unknown"


class Assurance(Enum):
    """How far a verdict reaches; the weakest that is true is the one that is stated."""

    VIOLATED = "violated"
    SAMPLED = "sampled"
    BOUNDED = "bounded to depth"
    EXHAUSTIVE = "exhaustive for this instance"
    INDUCTIVE = "inductive for this instance"
    PROVED = "proved for every size"
    INCONCLUSIVE = "inconclusive"


class Outcome(Enum):
    """What a verdict, or the want of one, means to whoever asked for it. Only `PASSED` is success.

    `KNOWN`: violated, but listed as known. `WEAK`: less assurance than is required. `BUDGET`: out of time or memory.
    `UNKNOWN`: the engine was done and could not tell. `INVALID`: the spec has errors. `NOT_RUN`: after a failure
    nothing more was tried. `SKIPPED`: not wanted.
    """

    PASSED = "passed"
    KNOWN = "known violation"
    VIOLATED = "violated"
    WEAK = "weaker than required"
    BUDGET = "out of budget"
    UNKNOWN = "unknown"
    NOTHING = "nothing to check"
    INTERRUPTED = "interrupted"
    INVALID = "error in the spec"
    INTERNAL = "internal error"
    NOT_RUN = "not run"
    SKIPPED = "skipped"


Cut: TypeAlias = Literal["", "time", "memory", "states", "interrupted"]


@dataclass(frozen=True)
class PropertyResult:
    """One property of one run: its status, and the trace that shows it (a counterexample or a witness).

    `kind` is the kind of declaration, or `deadlock`, or `undefined` for a partial operation that was applied
    outside its domain, or `range` for a value outside its declared range; `message` is one sentence, and `code` that
    of the page that explains it, where there is one.
    """

    name: str
    kind: str
    status: Status
    place: Place | None = None
    trace: Trace | None = None
    clauses: tuple[Clause, ...] = ()
    message: str = ""
    code: str = ""


@dataclass(frozen=True)
class ActionCount:
    """How often an action was taken, and how often that led to a state not seen before."""

    name: str
    taken: int
    discovered: int
    place: Place | None = None


@dataclass(frozen=True)
class Census:
    """What a search saw: distinct states, steps taken, depth (steps of the longest shortest run), what was left.

    `bounds` counts, for each order's end and each limit of the instance, the states in which it cut a step off.
    `vacuous` names implications whose left side was never true. `symmetry` names the sorts up to whose renaming states
    were told apart: those that differ only by the names of their elements count as one.
    """

    states: int = 0
    transitions: int = 0
    depth: int = 0
    frontier: int = 0
    actions: tuple[ActionCount, ...] = ()
    bounds: tuple[tuple[str, int], ...] = ()
    vacuous: tuple[Clause, ...] = ()
    symmetry: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expectation:
    """One line of an instance's `expect`, and whether the run met it (None: cannot be told).

    `about` names the property whose violation is expected; such a violation, if the expectation is met, is no failure.
    """

    text: str
    met: bool | None
    found: str = ""
    place: Place | None = None
    about: str | None = None


@dataclass(frozen=True)
class InductionFailure:
    """A counterexample to induction: one step from a state in which all hypotheses hold to one in which the goal fails.

    `trace` has that one step, or none where the goal fails in the state itself. `relevant` names the parts of the
    state that matter. `reachable`: True with `run`, a real run to the first state; False where the explorer saw the
    whole space of this size without it; None where that was too large to tell. `suggestions` are clauses that exclude
    the state and hold in every state of the finite instances.
    """

    trace: Trace
    sizes: tuple[tuple[str, str], ...]
    relevant: tuple[str, ...] = ()
    clause: Clause | None = None
    reachable: bool | None = None
    run: Trace | None = None
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObligationResult:
    """One obligation of a proof: what it is about, how it was decided, and which facts that needed.

    `status` is HOLDS when proved, VIOLATED with a counterexample to induction, else UNKNOWN with `message` and the
    strategies `tried`. `how` is `frame` or `form` where no solver was asked, else the strategy that succeeded.
    """

    name: str
    kind: str
    property: str
    action: str
    status: Status
    how: str = ""
    used: tuple[str, ...] = ()
    seconds: float = 0.0
    place: Place | None = None
    action_place: Place | None = None
    message: str = ""
    tried: tuple[str, ...] = ()
    failure: InductionFailure | None = None


@dataclass(frozen=True)
class ProofGraph:
    """Which properties the proof of each property used, and the lemmas that no other needed."""

    needs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The answer of one engine about one instance of one spec.

    `assurance` states the scope; `reason` says why when it is inconclusive, and `depth_bound` how deep when it is
    bounded. `sizes` are the sizes and limits explored, as text pairs in order of declaration. A proof adds its
    `obligations` and `graph`; `notes` are sentences that belong beside the answer. `cut`: what stopped the engine
    before it was done, if anything did.
    """

    spec: str
    instance: str
    engine: str
    assurance: Assurance
    properties: tuple[PropertyResult, ...]
    sizes: tuple[tuple[str, str], ...] = ()
    census: Census = field(default_factory=Census)
    expectations: tuple[Expectation, ...] = ()
    reason: str = ""
    depth_bound: int | None = None
    seconds: float = 0.0
    seed: int | None = None
    obligations: tuple[ObligationResult, ...] = ()
    graph: ProofGraph | None = None
    notes: tuple[str, ...] = ()
    cut: Cut = ""

    @property
    def violations(self) -> tuple[PropertyResult, ...]:
        """Properties that are violated, or `reachable`s without a witness."""
        return tuple(p for p in self.properties if p.status in (Status.VIOLATED, Status.UNREACHED))

    @property
    def failures(self) -> tuple[PropertyResult, ...]:
        """The violations that the instance did not ask for: no expectation that is met speaks of them."""
        asked = {e.about for e in self.expectations if e.met}
        return tuple(p for p in self.violations if p.name not in asked)

    @property
    def outcome(self) -> Outcome:
        """What the verdict amounts to; a bound or a sample is as good as asked for, so it is no reason for doubt."""
        if self.failures or any(e.met is False for e in self.expectations):
            return Outcome.VIOLATED
        if self.cut == "interrupted":
            return Outcome.INTERRUPTED
        if not self.properties:
            return Outcome.NOTHING
        undecided = any(p.status is Status.UNKNOWN for p in self.properties)
        # A violation that the instance asked for ends the search, and a sample never sees everything.
        settled = self.assurance in (Assurance.VIOLATED, Assurance.SAMPLED)
        open_ = self.assurance is Assurance.INCONCLUSIVE or (undecided and not settled)
        if open_ or any(e.met is None for e in self.expectations):
            return Outcome.BUDGET if self.cut else Outcome.UNKNOWN
        return Outcome.PASSED


# --- recorded runs ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Obstacle:
    """Why one candidate for a recorded step was not it.

    `guard`: the clause of the action that was false, with the values. `message`: what it received was not there to be
    received. `effect`: it could happen, and other things would have come of it than were recorded: `differences`.
    `undefined`: it has no meaning there. `others`: how many more choices of the action failed in the same way.
    """

    action: str
    kind: Literal["guard", "message", "effect", "undefined"]
    arguments: tuple[tuple[str, Value], ...] = ()
    clause: Clause | None = None
    differences: tuple[str, ...] = ()
    others: int = 0
    place: Place | None = None


@dataclass(frozen=True)
class EventAtFault:
    """The first recorded event that no behaviour has after those before it."""

    file: str
    line: int
    text: str
    node: str | None
    action: str | None
    obstacles: tuple[Obstacle, ...]


class Conforms(Enum):
    """Whether a recorded run is a behaviour of a spec."""

    YES = "conforms"
    NO = "does not conform"
    UNKNOWN = "inconclusive"


@dataclass(frozen=True)
class Conformance:
    """What is known of one recorded run: how many of its `events` were accepted, and which one was not.

    `trace` has the last accepted steps, from the state in which they began; `earlier` is how many were before them.
    `sizes` are those that the run needed. `notes` say what the answer depends on, `reason` why it is inconclusive.
    """

    spec: str
    files: tuple[str, ...]
    answer: Conforms
    events: int
    accepted: int
    steps: int
    sizes: tuple[tuple[str, str], ...] = ()
    actions: tuple[tuple[str, int], ...] = ()
    fault: EventAtFault | None = None
    trace: Trace | None = None
    earlier: int = 0
    notes: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0


# --- histories of clients ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Answered:
    """One operation of a client as reports show it: its begin and end are counted in events (None: no answer came)."""

    process: int
    text: str
    begin: int
    end: int | None
    at_fault: bool = False


@dataclass(frozen=True)
class Consistency:
    """Whether a history is consistent in some sense (`level`), of how many operations on how many keys.

    Of a history that is not, `part` are few of its operations that are not either, one of which is at fault, and
    `message` says what is wrong. `reason` says why an answer is inconclusive.
    """

    file: str
    model: str
    level: str
    answer: Literal["consistent", "inconsistent", "inconclusive"]
    operations: int
    keys: int
    part: tuple[Answered, ...] = ()
    key: str | None = None
    message: str = ""
    reason: str = ""
    seconds: float = 0.0


# --- JSON -------------------------------------------------------------------------------------------


def value_to_json(value: Value) -> Any:
    """Scalars stay as they are; composite values become objects with one tag member."""
    match value:
        case None | bool() | int() | str():
            return value
        case RecordValue(name, fields):
            return {"record": name, "fields": {k: value_to_json(v) for k, v in fields}}
        case SetValue(items):
            return {"set": [value_to_json(v) for v in items]}
        case BagValue(items):
            return {"bag": [[value_to_json(v), n] for v, n in items]}
        case SeqValue(items, first):
            return {"seq": [value_to_json(v) for v in items], "first": first}
        case MapValue(entries):
            return {"map": [[value_to_json(k), value_to_json(v)] for k, v in entries]}
        case _:
            assert_never(value)


def value_from_json(data: Any) -> Value:
    """The inverse of `value_to_json`; raises ValueError on anything else."""
    match data:
        case None | bool() | int() | str():
            return data
        case {"record": str(name), "fields": dict(fields)}:
            return RecordValue(name, tuple((str(k), value_from_json(v)) for k, v in fields.items()))
        case {"set": list(items)}:
            return SetValue(tuple(map(value_from_json, items)))
        case {"bag": list(items)}:
            return BagValue(tuple((value_from_json(v), int(n)) for v, n in items))
        case {"seq": list(items), "first": int(first)}:
            return SeqValue(tuple(map(value_from_json, items)), first)
        case {"map": list(entries)}:
            return MapValue(tuple((value_from_json(k), value_from_json(v)) for k, v in entries))
        case _:
            raise ValueError(f"not a value: {data!r}")
