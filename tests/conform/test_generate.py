"""What `generate` says of goals that no run covers: impossible, excluded by what is proved, or not found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from checker.cli.app import quorate

SCORES = """
spec Scores

sort Player
order Score from zero

state best: Map[Player, Score?] = [p in Player -> none]
state count: Map[Player, Score] = [p in Player -> zero]

action play(p in Player)
    require best[p] == none
    best[p] := zero

instance one
    Player = 1
    Score = 2
"""

# In `turn` the first branch contradicts itself, and the second contradicts the invariant.
TURNS = """
spec Turns

order Time from zero

state now: Time = zero
state even: Bool = true

action turn
    if even and not even
        skip
    elif now == zero and not even
        even := true
    else
        now := now.next
        even := not even

invariant Begins
    now == zero => even

reachable Odd
    not even

instance three
    Time = 3
"""

CONTRADICTION = "path turn: even and not even"
EXCLUDED = "path turn: not (even and not even); now == zero and not even"

# A lock with so many digits that a search in order sees few of its turns.
DIGITS = """
spec Digits

sort Place

state digits: Map[Place, Bool] = [p in Place -> false]
state turns: 0 .. 12 = 0

action turn(p in Place)
    require turns < 12
    turns := turns + 1
    digits[p] := not digits[p]

reachable ManyTurns
    turns == 8

instance twelve
    Place = 12
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on a text, with a cache of its own; gives the exit code, what was said, and the scenarios."""
    monkeypatch.setenv("QUORATE_CACHE", str(tmp_path / "cache"))

    def run(command: str, text: str, *options: str) -> tuple[int, str, Any]:
        path, out = tmp_path / "x.spec", tmp_path / "scenarios.json"
        path.write_text(text)
        out_option = () if command == "prove" else ("-o", str(out))
        outcome = CliRunner().invoke(quorate, [command, str(path), *options, *out_option], standalone_mode=False)
        assert outcome.exception is None, outcome.exception
        return outcome.return_value, outcome.output, json.loads(out.read_text()) if out.exists() else None

    return run


def test_what_no_run_takes_is_told_apart(made: Any) -> None:
    code, said, told = made("generate", TURNS)
    assert code == 0
    assert f"impossible: {CONTRADICTION}: its conditions contradict each other" in said
    assert f"not covered: {EXCLUDED}, which the invariants exclude; `quorate prove` tells whether they hold" in said
    assert (told["impossible"], told["unreachable"], told["missed"]) == ([CONTRADICTION], [], [EXCLUDED])


def test_what_is_proved_excludes(made: Any) -> None:
    assert made("prove", TURNS)[0] == 0
    code, said, told = made("generate", TURNS)
    assert code == 0
    assert f"unreachable: {EXCLUDED}: the proved invariants exclude it" in said
    assert (told["unreachable"], told["missed"]) == ([EXCLUDED], [])


def test_what_was_proved_of_another_text_does_not(made: Any) -> None:
    """The invariant is still enough, but this one is false."""
    assert made("prove", TURNS)[0] == 0
    _, _, told = made("generate", TURNS.replace("state even: Bool = true", "state even: Bool = false"), "--states", "1")
    assert told["unreachable"] == []


def test_a_bound_says_so(made: Any) -> None:
    code, said, told = made("generate", TURNS, "--states", "1")
    assert code == 4
    assert "not covered: reachable Odd, which was not found within the bound" in said
    assert told["instances"][0]["exhausted"] is False


def test_runs_go_deep_where_states_are_many(made: Any) -> None:
    code, _, told = made("generate", DIGITS, "--states", "300")
    assert code == 0
    assert told["missed"] == []
    (deep,) = [s for s in told["instances"][0]["scenarios"] if "reachable ManyTurns" in s["covers"]]
    assert len(deep["steps"]) >= 8


def test_zero_is_not_none(made: Any) -> None:
    """A key is left out where what a trace says without it is the same value."""
    _, _, told = made("generate", SCORES)
    (scenario,) = told["instances"][0]["scenarios"]
    assert scenario["initial"] == {"best": {}, "count": {}}
    assert scenario["steps"][-1]["after"] == {"best": {"p0": 0}}
