"""What `generate` says of goals that no run covers: impossible, excluded by what is proved, or not found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from walks import told

from checker.cli.app import quorate
from checker.conform.follow import Options, conform
from checker.conform.generate import Scenarios, generate
from checker.conform.scenarios import to_json
from checker.explore.interpreter import Interpreter
from checker.explore.replay import states_from_labels
from checker.language.frontend import load_source
from checker.source import Source
from checker.verdict import Conforms

ROOT = Path(__file__).parent.parent.parent

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


# --- scenarios as runs ----------------------------------------------------------------------------


def as_trace(suite: Any, scenario: Any, breaking: bool) -> list[Any]:
    """A scenario as the trace of a system that does just that."""
    head = {"trace": 1, "ordered": True, "messages": True, "nodes": suite["nodes"]}
    events = [{**head, "constants": scenario["constants"]}]
    for step in scenario["steps"]:
        event = {k: v for k, v in step.items() if k not in ("after", "path")}
        if breaking and event["action"] == "crash":
            event["action"] = "restart"
        elif event["action"] != "crash":
            event["is"] = step["after"]
        events.append(event)
    return events


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.spec")), ids=lambda p: p.stem)
def test_scenarios_are_runs_that_cover_what_they_say(path: Path, tmp_path: Path) -> None:
    """The interpreter takes their steps, and written as traces they conform."""
    instance = told(path)
    suite = generate(instance.whole, instance.decl, 250)
    interpreter = Interpreter(suite.driver.instance)
    for scenario in suite.scenarios:
        labels = [(s.taken.action, tuple(value for _, value in s.taken.choices)) for s in scenario.steps]
        assert states_from_labels(interpreter, scenario.states[0], labels) == scenario.states
    (written,) = to_json(Scenarios(instance.whole, (suite,)))["instances"]
    breaking = instance.spec.network is not None and instance.spec.network.breaking
    for number, scenario in enumerate(written["scenarios"]):
        names = [
            f"{step['action']}: {step['path']}" if "path" in step else step["action"] for step in scenario["steps"]
        ]
        for kind, name in (goal.split(" ", 1) for goal in scenario["covers"]):
            assert kind != "path" or any(name.removesuffix(taken)[-1:] in ("", ".") for taken in names), name
        if number % 3 == 0:
            trace = tmp_path / "scenario.ndjson"
            trace.write_text("".join(json.dumps(e) + "\n" for e in as_trace(written, scenario, breaking)))
            answer = conform(instance.whole, [str(trace)], None, Options(overrides=instance.overrides()))
            assert answer.answer is Conforms.YES, answer.fault


HISTORY = """ghost turns: 0..9 = 0

after turn
    if turns < 9
        turns := turns + 1

invariant Counted
    turns <= 9

invariant Begins"""


def test_history_is_no_path() -> None:
    """A branch that only updates what is remembered is none of the protocol's."""
    spec = load_source(Source("x.spec", TURNS.replace("invariant Begins", HISTORY))).spec
    suite = generate(spec, spec.instances[0], 100)
    goals = [str(goal) for scenario in suite.scenarios for goal in scenario.covers]
    assert any(goal.startswith("path turn: ") for goal in goals)
    assert not any("turns < 9" in goal for goal in (*goals, *map(str, suite.missed)))
