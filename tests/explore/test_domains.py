"""Domains: sizes agree with what is listed, the order is total, and values survive the way to reports and back."""

from __future__ import annotations

import pytest
from exploring import codes_of, spec_of
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.explore.display import from_value, to_value
from checker.explore.domains import HUGE, MOST_VALUES, Domains
from checker.language import types as ty
from checker.language.ir import Const
from checker.source import SpecError

SPEC = spec_of(
    """
    sort Node
    sort Name
    order Rank from zero
    enum Color = red, green, blue
    quorum Quorum of Node
    record Vote(rank: Rank, node: Node?)
    record Pair(left: Color, right: Bool)
    """
)


def integer(value: int) -> Const:
    return Const(type=ty.Int(), span=SPEC.span, value=value)


def bounds(range_: ty.Range) -> tuple[int, int]:
    assert isinstance(range_.low, Const) and isinstance(range_.high, Const)
    return int(range_.low.value), int(range_.high.value)


SIZES = {"Node": 3, "Name": 2, "Rank": 3}
FAMILIES = {"Quorum": (frozenset({0, 1}), frozenset({0, 2}), frozenset({1, 2}))}
DOMAINS = Domains(SPEC, SIZES, FAMILIES, bounds)

scalars = st.sampled_from(
    [ty.Bool(), ty.Sort("Node"), ty.Sort("Name"), ty.Order("Rank"), ty.Enum("Color"), ty.Range(integer(-1), integer(2))]
)
keys = st.one_of(scalars, st.just(ty.Record("Pair")), scalars.map(ty.Option))
indices = st.sampled_from([ty.Order("Rank"), ty.Range(integer(0), integer(2))])
plain = st.one_of(scalars, st.sampled_from([ty.Quorum("Quorum"), ty.Record("Vote"), ty.Record("Pair")]))
items = st.one_of(plain, plain.map(ty.Option))
types = st.recursive(
    items,
    lambda inner: st.one_of(
        inner.map(ty.Set), st.builds(ty.Map, keys, inner), st.builds(ty.Seq, indices, inner)
    ).flatmap(lambda type_: st.sampled_from([type_, ty.Option(type_)])),
    max_leaves=3,
)


@given(types)
@settings(max_examples=150, deadline=None)
def test_values_are_as_many_as_computed_all_different_and_in_order(type_: ty.Type) -> None:
    if DOMAINS.size(type_) > 3000:
        return
    values = DOMAINS.values(type_, SPEC.span)
    assert len(values) == len(set(values)) == DOMAINS.size(type_)
    assert sorted(values, key=DOMAINS.key(type_)) == list(values)


@given(types)
@settings(max_examples=100, deadline=None)
def test_values_survive_the_way_to_reports_and_back(type_: ty.Type) -> None:
    if DOMAINS.size(type_) > 500:
        return
    shown = [to_value(DOMAINS, type_, value) for value in DOMAINS.values(type_, SPEC.span)]
    assert len(set(shown)) == len(shown)
    assert tuple(from_value(DOMAINS, type_, each) for each in shown) == DOMAINS.values(type_, SPEC.span)


@given(keys)
def test_each_key_has_its_place(type_: ty.Type) -> None:
    place = DOMAINS.position(type_, SPEC.span)
    values = DOMAINS.values(type_, SPEC.span)
    assert [place(value) for value in values] == list(range(len(values)))


def test_a_key_outside_its_range_has_no_place() -> None:
    assert DOMAINS.position(ty.Range(integer(2), integer(4)), SPEC.span)(5) is None


@pytest.mark.parametrize("shown", ["n3", "x0", 0, None, True])
def test_what_is_no_element_is_refused(shown: str | int | bool | None) -> None:
    with pytest.raises(ValueError, match="Node"):
        from_value(DOMAINS, ty.Sort("Node"), shown)


def test_sizes_stop_at_a_limit_without_being_computed() -> None:
    sets = ty.Set(ty.Set(ty.Set(ty.Set(ty.Sort("Node")))))
    assert DOMAINS.size(ty.Map(sets, sets)) == HUGE
    assert DOMAINS.size(ty.Range(integer(0), integer(10**30))) == HUGE


def test_a_large_domain_is_refused_where_it_is_needed() -> None:
    large = ty.Set(ty.Map(ty.Sort("Node"), ty.Set(ty.Sort("Node"))))
    assert DOMAINS.size(large) > MOST_VALUES
    with pytest.raises(SpecError) as error:
        DOMAINS.values(large, SPEC.span)
    assert [d.code for d in error.value.diagnostics] == ["Q0508"]


def test_integers_outside_their_range_are_found_at_any_depth() -> None:
    small = ty.Range(integer(0), integer(2))
    deep = ty.Map(ty.Sort("Name"), ty.Option(ty.Seq(ty.Order("Rank"), ty.Set(small))))
    outside = DOMAINS.outside(deep)
    assert outside is not None
    assert outside((None, (frozenset({0}), frozenset({1, 2})))) is None
    assert outside((None, (frozenset({0}), frozenset({2, 7, 5})))) == (5, 0, 2)
    assert DOMAINS.outside(ty.Map(ty.Sort("Name"), ty.Bool())) is None


@pytest.mark.parametrize(
    "place",
    [
        "state s: Set[N] = any\naction a\n    skip",
        "action a(s in Set[N])\n    skip",
        "action a(x in N, y in N, z in N, w in N, v in N)\n    skip",
        "invariant I\n    forall s in Set[N]: s == s",
        "invariant I\n    {s in Set[N] | true} == {}",
        "invariant I\n    (max s in Set[N] by size(s)) == {}",
        "state m: Map[Key, Bool] = [k in Key -> true]",
        "constant c: Set[N]",
    ],
)
def test_no_place_hangs_on_a_large_domain(place: str) -> None:
    head = "sort N\nrecord Key(a: N, b: N, c: N, d: N)\n"
    assert codes_of(head + place + "\ninstance i\n    N = 40\n") == ["Q0508"]
