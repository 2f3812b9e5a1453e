"""Values of the explorer as reports show them, and back: names of elements instead of positions.

It knows how values look, and nothing of where they come from.
"""

from __future__ import annotations

from typing import assert_never

from checker.explore.domains import Domains, Value
from checker.language import types as ty
from checker.language.elements import prefixes
from checker.language.ir import Spec
from checker.verdict import BagValue, MapValue, RecordValue, SeqValue, SetValue
from checker.verdict import Value as Shown


def element(spec: Spec, of: ty.Type, position: int) -> str:
    """The name of an element of a sort or order."""
    return f"{prefixes(s.name for s in spec.sorts)[of.name]}{position}" if isinstance(of, ty.Sort) else str(position)


def to_value(domains: Domains, type_: ty.Type, value: Value) -> Shown:
    """A value as reports see it."""
    match type_:
        case ty.Bool() | ty.Int() | ty.Range() | ty.Order():
            shown: Shown = value
            return shown
        case ty.Sort(name):
            return domains.names[name][value] if name in domains.names else element(domains.spec, type_, value)
        case ty.Enum(name):
            return domains.enumerators(name)[value]
        case ty.Quorum(name):
            of = next(q.of for q in domains.spec.quorums if q.name == name)
            return SetValue(tuple(to_value(domains, of, x) for x in domains.members(name)[value]))
        case ty.Record(name) | ty.Message(name):
            fields = zip(domains.fields(type_), value, strict=True)
            return RecordValue(name, tuple((field, to_value(domains, t, x)) for (field, t), x in fields))
        case ty.Option(item):
            return None if value is None else to_value(domains, item, value)
        case ty.Map(key, item):
            keys = domains.values(key, domains.spec.span)
            pairs = zip(keys, value, strict=True)
            return MapValue(tuple((to_value(domains, key, k), to_value(domains, item, x)) for k, x in pairs))
        case ty.Set(item):
            return SetValue(tuple(to_value(domains, item, x) for x in sorted(value, key=domains.key(item))))
        case ty.Seq(_, item):
            return SeqValue(tuple(to_value(domains, item, x) for x in value))
        case ty.Bag(item):
            return BagValue(tuple((to_value(domains, item, x), n) for x, n in value))
        case ty.Queue():
            return SeqValue(tuple(to_value(domains, ty.Message(kind), x) for kind, x in value))
        case _:
            assert_never(type_)


def from_value(domains: Domains, type_: ty.Type, shown: Shown) -> Value:
    """The inverse of `to_value`; raises ValueError where the type has no such value."""
    match type_, shown:
        case ty.Bool(), bool():
            return shown
        case ty.Int(), int() if not isinstance(shown, bool):
            return shown
        case ((ty.Order() | ty.Range()), int()) if not isinstance(shown, bool):
            return _known(shown, domains.values(type_, domains.spec.span), type_)
        case ty.Sort(name), str():
            names = [element(domains.spec, type_, i) for i in range(domains.sizes[name])]
            return _position(shown, names, type_)
        case ty.Enum(name), str():
            return _position(shown, domains.enumerators(name), type_)
        case ty.Quorum(name), SetValue(items):
            of = next(q.of for q in domains.spec.quorums if q.name == name)
            return _position(tuple(from_value(domains, of, x) for x in items), domains.members(name), type_)
        case ((ty.Record(name) | ty.Message(name)), RecordValue(given, fields)) if given == name:
            layout = domains.fields(type_)
            if [f for f, _ in layout] != [f for f, _ in fields]:
                raise ValueError(f"{name} has other fields")
            return tuple(from_value(domains, t, x) for (_, t), (_, x) in zip(layout, fields, strict=True))
        case ty.Option(), None:
            return None
        case ty.Option(item), _:
            return from_value(domains, item, shown)
        case _:
            return _from_collection(domains, type_, shown)


def _from_collection(domains: Domains, type_: ty.Type, shown: Shown) -> Value:
    match type_, shown:
        case ty.Map(key, item), MapValue(entries):
            given = {from_value(domains, key, k): from_value(domains, item, x) for k, x in entries}
            keys = domains.values(key, domains.spec.span)
            if set(given) != set(keys) or len(entries) != len(keys):
                raise ValueError(f"not a value of {ty.show(type_)}: some keys are missing or given twice")
            return tuple(given[k] for k in keys)
        case ty.Set(item), SetValue(items):
            return frozenset(from_value(domains, item, x) for x in items)
        case ty.Seq(_, item), SeqValue(items):
            return tuple(from_value(domains, item, x) for x in items)
        case ty.Bag(item), BagValue(pairs):
            key_of = domains.key(item) or (lambda v: v)
            return tuple(
                sorted(((from_value(domains, item, x), n) for x, n in pairs), key=lambda pair: key_of(pair[0]))
            )
        case ty.Queue(kinds), SeqValue(items):
            names = [x.name for x in items if isinstance(x, RecordValue) and x.name in kinds]
            if len(names) != len(items):
                raise ValueError(f"not a value of {ty.show(type_)}")
            pairs_ = zip(names, items, strict=True)
            return tuple((name, from_value(domains, ty.Message(name), x)) for name, x in pairs_)
        case _:
            raise ValueError(f"not a value of {ty.show(type_)}: {shown!r}")


def _known(value: Value, values: tuple[Value, ...], type_: ty.Type) -> Value:
    if value not in values:
        raise ValueError(f"not a value of {ty.show(type_)}: {value!r}")
    return value


def _position(value: Value, values: tuple[Value, ...] | list[Value], type_: ty.Type) -> int:
    if value not in values:
        raise ValueError(f"not a value of {ty.show(type_)}: {value!r}")
    return values.index(value)
