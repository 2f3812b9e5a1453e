"""Layout: wrapping never loses text and never exceeds the width; colour only when asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checker.report.look import Look, flow, printable, table, wrap

words = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=30)


@given(st.lists(words, max_size=12).map(" ".join), st.integers(16, 80), st.integers(0, 4))
def test_wrapping_keeps_the_text_within_the_width(text: str, width: int, indent: int) -> None:
    lines = wrap(text, width, indent)
    assert all(len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(line.startswith(" " * indent) for line in lines[1:])


@given(st.lists(words, min_size=1, max_size=8), st.integers(40, 80))
def test_flow_separates_items_and_breaks_between_them(items: list[str], width: int) -> None:
    lines = flow(items, width)
    assert " ".join(lines) == "; ".join(items)
    assert all(len(line) <= width for line in lines)


def test_table_aligns_and_wraps_its_last_column() -> None:
    rows = [[("a", "plain"), ("10", "plain"), ("one two three four five six", "plain")],
            [("long", "plain"), ("7", "plain"), ("x", "plain")]]  # fmt: skip
    assert table(rows, Look(36), right=frozenset({1})).split("\n") == [
        "  a     10  one two three four five",
        "            six",
        "  long   7  x",
    ]


def test_colour_is_off_unless_asked_for() -> None:
    assert Look().paint("x", "bad") == "x"
    assert Look(color=True).paint("x", "bad") == "\x1b[31;1mx\x1b[0m"
    assert Look(color=True).paint("x", "plain") == "x"


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert printable("a\x1b[2Jb\n") == "a?[2Jb?"
