"""Names of elements: short, and never those of two elements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.language.elements import is_element, position, prefixes

WORDS = st.lists(st.from_regex(r"[A-Za-b][a-bA-B12_]{0,3}", fullmatch=True), min_size=1, max_size=6, unique=True)


@pytest.mark.parametrize(
    ("sorts", "expected"),
    [
        (["Acceptor", "Ballot"], ["a", "b"]),
        (["Acceptor", "Account", "Node"], ["acce", "acco", "n"]),
        (["Node", "NodeGroup"], ["node", "nodeg"]),
        (["N", "N1"], ["n", "n1_"]),
        (["Node", "node", "Nodes"], ["Node", "node", "nodes"]),
        (["Queue2"], ["q"]),
        (["A1", "A1_"], ["a1_", "a1__"]),
    ],
)
def test_prefixes(sorts: list[str], expected: list[str]) -> None:
    assert [prefixes(sorts)[name] for name in sorts] == expected


@given(WORDS)
def test_no_two_elements_have_one_name(sorts: list[str]) -> None:
    names = [f"{prefix}{number}" for prefix in prefixes(sorts).values() for number in (0, 1, 2, 10, 11, 21, 110)]
    assert len(names) == len(set(names))


@given(WORDS, st.integers(0, 999))
def test_a_name_tells_its_element(sorts: list[str], number: int) -> None:
    for name, prefix in prefixes(sorts).items():
        element = f"{prefix}{number}"
        assert position(element, prefix) == number
        assert [s for s, p in prefixes(sorts).items() if position(element, p) is not None] == [name]


def test_what_is_no_element() -> None:
    assert not is_element("a", ["Acceptor"])
    assert not is_element("b0", ["Acceptor"])
    assert not is_element("a0x", ["Acceptor"])
    assert not is_element("a01", ["Acceptor"])
    assert not is_element("a" + "9" * 30, ["Acceptor"])
    assert is_element("a12", ["Acceptor"])
