"""Warnings: each for what it is about, and none for the specs that the project shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from typed import loaded, problem

from checker.source import Severity

ROOT = Path(__file__).parent.parent.parent
SPECS = sorted((ROOT / "specs").rglob("*.spec"))

FINE = """
spec Fine
sort Node
message Ping(count: 0..most) from Node to Node
network reordering
constant most: 1..9
state count: 0..most = 0
define full = count == most
procedure raise
    require not full
    count := count + 1
role Node
    volatile up: Bool = true
    timeout expire
        require up
        send Ping(1) to self
    on Ping(m)
        up := m.count > 0
action step
    raise()
invariant Small
    count <= most
reachable Full
    full
instance small
    Node = 1
    most = 2
    crashes <= 1
    timeouts <= 1
    messages <= 1
    allow deadlock
"""


def remarks(text: str) -> list[str]:
    """The warnings of a text as `line:column: code message`."""
    found = loaded(text).warnings
    assert all(d.severity is Severity.WARNING and d.hint for d in found)
    return [problem(d).split(" (")[0] for d in found]


def test_nothing_is_said_of_a_good_spec() -> None:
    assert remarks(FINE) == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_nothing_is_said_of_our_own_specs(path: Path) -> None:
    assert remarks(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("invariant Small\n    count <= most\n", "", ["1:6: Q0802 `Fine` states nothing to check"]),
        ("reachable Full\n    full\n", "", ["1:6: Q0803 `Fine` does not say what must be possible"]),
        (FINE[FINE.index("instance") :], "", ["1:6: Q0804 `Fine` has no instance to explore"]),
        ("state count", "state last: 0..2 = 0\nstate count", ["6:7: Q0805 nothing reads `last`"]),
        ("state count", "constant last: Int\nstate count", ["6:10: Q0805 nothing reads `last`"]),
        ("    volatile up", "    durable last: 0..2 = 0\n    volatile up", ["12:13: Q0805 nothing reads `last`"]),
        ("define full", "define empty = count == 0\ndefine full", ["7:8: Q0806 the definition `empty` is not used"]),
        (
            "    volatile up: Bool = true\n",
            "    volatile up: Bool = true\n    define down = not up\n    procedure fall\n        up := false\n",
            [
                "13:12: Q0806 the definition `down` is not used",
                "14:15: Q0806 the procedure `fall` is not used",
            ],
        ),
        ("    volatile up", "    durable up", ["24:10: Q0807 there are no crashes to limit in `small`"]),
        (
            "    timeouts <=",
            "    partitions <= 1\n    timeouts <=",
            ["24:10: Q0807 there are no partitions to limit in `small`"],
        ),
        ("    timeout expire", "    action expire", ["24:10: Q0807 there are no timeouts to limit in `small`"]),
        ("        send Ping(1) to self\n", "        up := false\n", ["3:9: Q0808 no step sends `Ping`"]),
        (
            "network reordering",
            "message Pong\nnetwork reordering",
            ["4:9: Q0809 nobody receives `Pong`, nor asks for it"],
        ),
    ],
)
def test_each_warning(old: str, new: str, expected: list[str]) -> None:
    assert old in FINE
    assert remarks(FINE.replace(old, new)) == expected


def test_a_spec_in_which_nothing_happens() -> None:
    found = remarks(
        "spec Still\nstate x: Bool = true\ninvariant I\n    x\nreachable R\n    x\ninstance i\n    messages <= 1\n"
    )
    assert found == [
        "1:6: Q0801 nothing ever happens in `Still`",
        "7:10: Q0807 there are no messages to limit in `i`",
    ]


@pytest.mark.parametrize(
    ("action", "unread"),
    [
        ("x := x + 1", True),
        ("x := if x == 0 then 1 else 0", True),
        ("x := 1\n    y := x", False),
        ("require x == 0\n    x := 1", False),
        ("if x == 0\n        y := 1", False),
        ("let z = x\n    y := z", False),
        ("pick z in {x}\n    y := z", False),
        ("pick z in 0..1 where z == x\n    y := z", False),
        ("set_y(x)", False),
    ],
)
def test_state_is_read_when_anything_but_itself_depends_on_it(action: str, unread: bool) -> None:
    text = f"""
spec Reads
state x: 0..9 = 0
state y: 0..9 = 0
procedure set_y(z in 0..9)
    y := z
action step
    {action}
action other
    set_y(1)
invariant I
    y < 10
"""
    assert ("2:7: Q0805 nothing reads `x`" in remarks(text)) == unread


@pytest.mark.parametrize(
    "use",
    [
        "state s: Set[0..top] = {}",
        "state s: Map[0..top, Bool] = any",
        "state s: Seq[0..3, 0..top?] = []",
        "record R(f: 0..top)",
        "message M(f: 0..top)\nnetwork lossy, duplicating, reordering",
        "define d(k in 0..top) = k",
        "action a(k in 0..top)\n    skip",
        "procedure p(k in 0..top)\n    skip",
        "invariant I\n    forall k in 0..top: k < 9",
        "constant other: 0..top",
        "assume top > 0",
    ],
)
def test_a_constant_is_read_by_the_bounds_of_ranges(use: str) -> None:
    found = remarks(f"spec Bounds\nconstant top: Int\nstate x: Bool = true\n{use}\n")
    assert not [line for line in found if "`top`" in line]


def test_messages_are_asked_for_by_properties_and_steps() -> None:
    text = """
spec Asked
sort Node
message Ping from Node
network {network}
action send_it(n in Node)
    send Ping from n
{ask}
"""
    asks = (
        "invariant I\n    sent Ping == {}",
        "invariant I\n    forall n in Node: not sent Ping from n",
        "action hear(m in sent Ping)\n    skip",
        "action hear\n    require sent Ping != {}",
        "define d = sent Ping == {}\ninvariant I\n    d",
    )
    for network in ("lossy, duplicating, reordering", "reordering", "fifo"):
        for ask in asks:
            assert not [
                line for line in remarks(text.replace("{network}", network).replace("{ask}", ask)) if "Ping" in line
            ]
        plain = remarks(text.replace("{network}", network).replace("{ask}", ""))
        assert "3:9: Q0809 nobody receives `Ping`, nor asks for it" in plain
