"""A first reading of a trace: what there is in it, and the instance that is large enough for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from checker.conform.events import Header, Trace
from checker.conform.mapping import Renaming
from checker.conform.order import Breaks, Nth, read
from checker.conform.steps import Meaning, Pattern
from checker.conform.values import Names, Reader, Unfit
from checker.explore.domains import Domains, Value
from checker.explore.instance import Instance, World, instantiate
from checker.language import ir
from checker.language import types as ty
from checker.language.finite import for_instance
from checker.source import Diagnostic, SpecError


@dataclass
class Survey:
    """What a trace speaks of. `receipts`: how often each message is received, by id; `unnamed`: the kinds of messages
    of which some receipt does not say which one it was; `after`: by event, which others come before it, besides those
    that send what it needs."""

    names: Names
    events: int = 0
    sent: set[str] = field(default_factory=set)
    receipts: Counter[str] = field(default_factory=Counter)
    unnamed: set[str] = field(default_factory=set)
    seq: bool = False
    after: dict[Nth, set[Nth]] = field(default_factory=dict)


def bare(spec: ir.Spec) -> ir.Spec:
    """The spec without properties, and without the history that only they read."""
    assumed = tuple(p for p in spec.properties if p.kind == "assume")
    decl = ir.InstanceDecl("trace", spec.span, (), (), (), (), ())
    return for_instance(replace(spec, properties=assumed), decl)


def survey(spec: ir.Spec, trace: Trace, header: Header, renaming: Renaming) -> Survey:
    """Reads the trace once. Raises SpecError with the first thing that the spec does not have."""
    found = Survey(_nodes(spec, header))
    meaning = Meaning(spec, header, Reader(spec, found.names))
    _ = meaning.complete
    breaks = Breaks() if spec.network is not None and spec.network.breaking and not header.ordered else None
    for event in read(trace, renaming):
        seen = meaning.seen(event)
        found.events += 1
        if breaks is not None:
            breaks.note(event)
        found.seq = found.seq or seen.missing > 0
        for name, _pattern in seen.sent or ():
            if name is not None:
                found.sent.add(name)
        if isinstance(seen.received, str):
            found.receipts[seen.received] += 1
        else:
            kinds = {spec.actions[c.action].message for c in seen.candidates if spec.actions[c.action].kind == "on"}
            found.unnamed |= {seen.received.kind} if isinstance(seen.received, Pattern) else {k for k in kinds if k}
    for name in header.constants:
        constant(spec, header, meaning.reader, name)
    found.after = breaks.after() if breaks is not None else {}
    return found


def _nodes(spec: ir.Spec, header: Header) -> Names:
    sorts = {s.name for s in spec.sorts}
    names = Names()
    for sort, nodes in header.nodes.items():
        if sort in {o.name for o in spec.orders}:
            continue
        if sort not in sorts:
            raise header.where.error("Q1002", f"the header has nodes of `{sort}`, which is no sort of the spec")
        for node in nodes:
            names.element(sort, node)
    names.closed = frozenset(header.nodes)
    return names


def constant(spec: ir.Spec, header: Header, reader: Reader, name: str) -> Value:
    """The value that the header or the map gives a constant."""
    types = {c.name: c.type for c in spec.constants}
    if name not in types:
        raise SpecError([Diagnostic("Q1002", f"the spec has no constant `{name}`")])
    try:
        return reader.value(types[name], header.constants[name])
    except Unfit as unfit:
        raise SpecError([Diagnostic("Q1003", f"the constant `{name}`: {unfit}", hint=unfit.hint)]) from None


def _told(spec: ir.Spec, header: Header, names: Names, name: str, domains: Domains) -> Value:
    return constant(spec, header, Reader(spec, names, domains), name)


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
        listed = [int(n) + 1 for n in header.nodes.get(order.name, ()) if str(n).isdecimal()]
        needed = max([found.names.greatest.get(order.name, 0) + 1, *listed])
        sizes.append((order.name, needed + slack.get(order.name, 0)))
    decl = ir.InstanceDecl("trace", spec.span, tuple(sizes), (), (), (), ())
    told = {name: partial(_told, spec, header, found.names, name) for name in header.constants}
    made = instantiate(spec, decl, overrides, told)
    for name, needed in sizes:
        if name in overrides and made.worlds[0].domains.sizes[name] < needed - slack.get(name, 0):
            message = f"`{name}` cannot be set to `{overrides[name]}`: the trace has {needed - slack.get(name, 0)}"
            raise SpecError([Diagnostic("Q0503", message, hint="leave it out; it is as large as the trace needs")])
    for name, known in names.items():
        size = made.worlds[0].domains.sizes[name]
        known += [f"another{i or ''}" for i in range(len(known), size)]
    worlds = [World(w.constants, replace(w.domains, names=names, _listed={})) for w in made.worlds]
    shared = {id(w.domains): n.domains for w, n in zip(made.worlds, worlds, strict=True)}
    worlds = [World(w.constants, shared[id(w.domains)]) for w in made.worlds]
    for name, value in told.items():
        worlds = [w for w in worlds if w.constants[name] == value(w.domains)]
    if not worlds:
        raise SpecError([Diagnostic("Q0509", "no interpretation of the constants is the one that the trace gives")])
    return Instance(made.spec, made.decl, tuple(worlds), made.open)


def openended(spec: ir.Spec) -> frozenset[str]:
    """The sorts that have elements besides those which a trace names: no nodes, and nothing that quorums are of."""
    closed = {role.name for role in spec.roles} | {ty.show(q.of) for q in spec.quorums}
    return frozenset(s.name for s in spec.sorts) - closed
