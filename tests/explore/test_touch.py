"""What a step writes and a property reads: only where the two meet is the property judged again."""

from __future__ import annotations

import pytest
from agreeing import question_of
from exploring import first, spec_of

from checker.explore.native.touch import Touch
from checker.explore.problem import Options, Problem
from checker.language.forms import Forms
from checker.language.paths import paths

HEAD = """
state a: 0..3 = 0
state b: 0..3 = 0
state unread: Bool = false
define sum = a + b
define twice = 2 * the_b
define the_b = b
message Told(n: 0..3)
network lossy, duplicating, reordering

action write_a
    a := 1
action write_b
    b := 1
action write_both
    a := b
    b := a
action write_unread
    unread := true
action tell
    send Told(a)
action write_one
    if a == 0
        a := 1
    else
        b := 1
"""


def question(properties: str) -> Problem:
    spec = spec_of(HEAD + properties)
    return question_of(spec, first(spec), Options())


def touched(asked: Problem) -> dict[str, list[set[str]]]:
    """By action, the properties that each of its paths touches."""
    spec = asked.interpreter.spec
    touch = Touch(Forms(spec), asked.goals)
    names = {touch.bit(i): goal.name for i, goal in enumerate(asked.goals) if goal.kind != "probe"}
    return {
        action.qualified: [
            {name for bit, name in names.items() if touch.by(path) & bit} for path in paths(spec, action)
        ]
        for action in spec.actions
    }


def test_a_step_touches_the_properties_that_read_what_it_writes() -> None:
    assert touched(
        question("""
invariant OfA
    a < 3
invariant OfBoth
    sum < 6
lemma ThroughTwoDefinitions
    twice < 6
reachable OfMessages
    sent Told(1)
""")
    ) == {
        "write_a": [{"OfA", "OfBoth"}],
        "write_b": [{"OfBoth", "ThroughTwoDefinitions"}],
        "write_both": [{"OfA", "OfBoth", "ThroughTwoDefinitions"}],
        "write_unread": [set()],
        "tell": [{"OfMessages"}],
        "write_one": [{"OfA", "OfBoth"}, {"OfBoth", "ThroughTwoDefinitions"}],
    }


@pytest.mark.parametrize(
    ("condition", "still"),
    [
        ("old(a) <= a", False),
        ("a >= old(a)", False),
        ("old(a) == a or b == 0", False),
        ("a == 1 => old(a) == 1", False),
        ("unread and a == 1 => old(unread)", False),
        ("forall k in 0..3: a == k => old(a) == k", False),
        ("old(sum) <= sum", False),
        ("old(a) < a", True),
        ("a != old(a)", True),
        ("old(a) <= b", True),
        ("a == 1", True),
        ("a == 1 => old(a) == 2", True),
        ("exists k in 0..3: a == k => old(a) == k", True),
    ],
)
def test_a_step_property_may_fail_in_a_step_that_changes_nothing(condition: str, still: bool) -> None:
    """Unless it is plain that it does not, every step touches it."""
    asked = question(f"\nstep Property\n    {condition}\n")
    spec = asked.interpreter.spec
    touch = Touch(Forms(spec), asked.goals)
    (number,) = (i for i, goal in enumerate(asked.goals) if goal.kind == "step")
    assert bool(touch.still & touch.bit(number)) is still
    everywhere = all(touch.by(path) & touch.bit(number) for action in spec.actions for path in paths(spec, action))
    assert everywhere is still


def test_goals_beyond_the_word_share_its_last_bit() -> None:
    asked = question("".join(f"\ninvariant I{i}\n    {'a' if i < 70 else 'b'} < 4\n" for i in range(72)))
    spec = asked.interpreter.spec
    touch = Touch(Forms(spec), asked.goals)
    assert [touch.bit(i) for i in (0, 62, 63, 64, 71)] == [1, 1 << 62, 1 << 63, 1 << 63, 1 << 63]
    by = {action.qualified: touch.by(path) for action in spec.actions for path in paths(spec, action)}
    assert by["write_a"] == 2**64 - 1
    assert by["write_b"] == 1 << 63
    assert by["write_unread"] == 0
