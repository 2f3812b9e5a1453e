"""A first reading of a trace: what there is in it, and the instance that is large enough for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from checker.conform.events import Event, Header, Trace
from checker.conform.mapping import Renaming
from checker.conform.order import Breaks, Node, Nth, read
from checker.conform.steps import Meaning, Pattern, taken
from checker.conform.values import Names, Reader, Unfit, whole
from checker.explore.domains import Value
from checker.explore.instance import Instance, Told, World, instantiate
from checker.language import ir
from checker.language import types as ty
from checker.language.finite import for_instance
from checker.source import Diagnostic, SpecError, did_you_mean


@dataclass
class Survey:
    """What a trace speaks of.

    `nodes`: who takes steps; `sent`: by the id of each message, what it says, as a number; `anonymous`: the kinds of
    messages of which some are sent without an id; `receipts`: how often each message is received, by id; `unnamed`: the
    kinds of messages of which some receipt does not say which one it was; `after`: by event, which others come before
    it, besides those that send what it needs.
    """

    names: Names
    ordered: bool
    events: int = 0
    nodes: set[Node] = field(default_factory=set)
    sent: dict[str, int] = field(default_factory=dict)
    anonymous: set[str] = field(default_factory=set)
    receipts: Counter[str] = field(default_factory=Counter)
    unnamed: set[str] = field(default_factory=set)
    seq: bool = False
    after: dict[Nth, set[Nth]] = field(default_factory=dict)

    @property
    def open_order(self) -> bool:
        """Whether the order of the events may have been another one."""
        return not self.ordered and len(self.nodes) > 1


def bare(spec: ir.Spec) -> ir.Spec:
    """The spec without properties, and without the history that only they read."""
    assumed = tuple(p for p in spec.properties if p.kind == "assume")
    decl = ir.InstanceDecl("trace", spec.span, (), (), (), (), ())
    return for_instance(replace(spec, properties=assumed), decl)


def survey(spec: ir.Spec, trace: Trace, header: Header, renaming: Renaming) -> Survey:
    """Reads the trace once. Raises SpecError with the first thing that the spec does not have."""
    found = Survey(_nodes(spec, header), header.ordered)
    meaning = Meaning(spec, header, Reader(spec, found.names))
    _ = meaning.complete
    breaks = Breaks() if spec.network is not None and spec.network.breaking and not header.ordered else None
    strange: dict[str, set[str]] = {}  # the kinds that a receipt may be of, by the id of a message not yet sent
    for event in read(trace, renaming):
        seen = meaning.seen(event)
        found.events += 1
        found.nodes.add(event.node)
        if breaks is not None:
            breaks.note(event)
        found.seq = found.seq or seen.missing > 0
        _sent(found, event)
        binders = [taken(spec.actions[c.action]) for c in seen.candidates]
        kinds = {b.type.name for b in binders if b is not None and isinstance(b.type, ty.Message)}
        if isinstance(seen.received, str):
            found.receipts[seen.received] += 1
            if seen.received not in found.sent:
                strange.setdefault(seen.received, set()).update(kinds)
        else:
            found.unnamed |= {seen.received.kind} if isinstance(seen.received, Pattern) else kinds
    found.unnamed |= {kind for name, kinds in strange.items() if name not in found.sent for kind in kinds}
    for name in header.constants:
        _constant(spec, header, name, Reader(spec, found.names))
    found.after = breaks.after() if breaks is not None else {}
    return found


def _sent(found: Survey, event: Event) -> None:
    """Takes note of the messages that the event sends. Raises SpecError (Q1001) for an id that two of them have."""
    for message in event.sent or ():
        name = message.get("id")
        if name is None:
            found.anonymous.add(message["type"])
            continue
        said = hash((event.node, repr(message)))
        if found.sent.setdefault(name, said) != said:
            hint = "no other message of the run may have it: put the name of the sender into it, and count"
            raise event.where.error("Q1001", f"`{name}` is the id of another message, too", hint)


def _nodes(spec: ir.Spec, header: Header) -> Names:
    """What the header lists. Raises SpecError (Q1002, Q1003)."""
    sorts, orders = {s.name for s in spec.sorts}, {o.name for o in spec.orders}
    names = Names()
    for sort, nodes in header.nodes.items():
        if sort not in sorts | orders:
            hint = did_you_mean(sort, sorts | orders)
            raise header.where.error("Q1002", f"the header has nodes of `{sort}`, which is no sort of the spec", hint)
        for node in nodes:
            try:
                _list(names, sort, node, sort in orders)
            except Unfit as unfit:
                raise header.where.error("Q1003", str(unfit), unfit.hint) from None
    names.closed = frozenset(header.nodes)
    return names


def _list(names: Names, sort: str, node: str | int, ordered: bool) -> None:
    if not ordered:
        names.element(sort, node)
        return
    number = whole(node)
    if number is None or number < 0:
        raise Unfit(f"`{node}` is no {sort}", "the elements of an order are 0, 1, 2, ...")
    names.see(sort, number)


_HINTS = {
    "Q0506": "give it in `constants` of the header, or by `--set`",
    "Q0509": "give the quorums of the system by `--set`, and its constants there or in the header",
}
"""Ways out where there is no instance in the spec to be changed."""


def _constant(spec: ir.Spec, header: Header, name: str, reader: Reader) -> Value:
    """The value of a constant that the header or the map gives. Raises SpecError (Q1002, Q1003)."""
    types = {c.name: c.type for c in spec.constants}
    if name not in types:
        raise SpecError([Diagnostic("Q1002", f"the spec has no constant `{name}`", hint=did_you_mean(name, types))])
    try:
        return reader.value(types[name], header.constants[name])
    except Unfit as unfit:
        raise SpecError([Diagnostic("Q1003", f"the constant `{name}`: {unfit}", hint=unfit.hint)]) from None


def instance(
    spec: ir.Spec, header: Header, found: Survey, slack: Mapping[str, int], overrides: Mapping[str, str]
) -> Instance:
    """The instance that the trace needs. `slack` is how many elements each sort and order has beyond those named."""
    names = {sort: list(map(str, known)) for sort, known in found.names.elements.items()}
    sizes = []
    for sort in spec.sorts:
        known = names.setdefault(sort.name, [])
        known += [f"another{i or ''}" for i in range(slack.get(sort.name, 0) or (not known))]
        sizes.append((sort.name, len(known)))
    for order in spec.orders:
        sizes.append((order.name, found.names.greatest.get(order.name, 0) + 1 + slack.get(order.name, 0)))

    def constant(name: str) -> Told:
        return lambda domains: _constant(spec, header, name, Reader(spec, found.names, domains))

    decl = ir.InstanceDecl("trace", spec.span, tuple(sizes), (), (), (), ())
    try:
        made = instantiate(spec, decl, overrides, {name: constant(name) for name in header.constants})
    except SpecError as error:
        raise SpecError([replace(d, hint=_HINTS.get(d.code, d.hint)) for d in error.diagnostics]) from None
    for name, needed in sizes:
        if name in overrides and made.worlds[0].domains.sizes[name] < needed - slack.get(name, 0):
            message = f"`{name}` cannot be set to `{overrides[name]}`: the trace has {needed - slack.get(name, 0)}"
            raise SpecError([Diagnostic("Q0503", message, hint="leave it out; it is as large as the trace needs")])
    for name in header.constants.keys() & overrides.keys():
        if made.worlds[0].constants[name] != constant(name)(made.worlds[0].domains):
            message = f"`{name}` cannot be set to `{overrides[name]}`: the trace gives another value"
            raise SpecError([Diagnostic("Q0503", message, hint="leave it out")])
    if len({id(world.domains) for world in made.worlds}) > 1:
        message = "the ranges of integers depend on constants that neither the trace nor `--set` gives"
        raise SpecError([Diagnostic("Q0506", message, hint=_HINTS["Q0506"])])
    for name, known in names.items():
        size = made.worlds[0].domains.sizes[name]
        known += [f"another{i or ''}" for i in range(len(known), size)]
    domains = replace(made.worlds[0].domains, names=names, _listed={})
    return replace(made, worlds=tuple(World(w.constants, domains) for w in made.worlds))


def openended(spec: ir.Spec, names: Names) -> frozenset[str]:
    """The sorts that have elements besides those which a trace names: none that the header lists, no nodes, and
    nothing that quorums are of."""
    closed = {role.name for role in spec.roles} | {ty.show(q.of) for q in spec.quorums} | names.closed
    return frozenset(s.name for s in spec.sorts) - closed
