"""Histories from files to answers: both notations, the part that is shown, and what is refused."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from checker.cli.app import quorate
from checker.cli.outcome import Exit
from checker.history import edn
from checker.history.check import check, check_history
from checker.history.operations import Operation, read_history
from checker.report.history import report
from checker.report.look import Look
from checker.source import SpecError

STALE = """\
{:process 0, :type :invoke, :f :write, :value [x 1], :time 10}
{:process 0, :type :ok, :f :write, :value [x 1], :time 20}
{:process :nemesis, :type :info, :f :start, :value nil}
{:process 1, :type :invoke, :f :write, :value [x 2]}   ; never answered
#jepsen.history.Op{:process 2, :type :invoke, :f :read, :value [x nil]}
{:process 2, :type :ok, :f :read, :value [x 2]}
{:process 0, :type :invoke, :f :cas, :value [x [7 8]]}
{:process 0, :type :fail, :f :cas, :value [x [7 8]]}
{:process 0, :type :invoke, :f :read, :value [x nil]}
{:process 0, :type :ok, :f :read, :value [x 1]}
"""

TIMELINE = """\
violated: stale is not linearizable: no order of these in time explains what was read of key x

  process 0  write x 1       |─────|
  process 1  write x 2                   |───────────────────────────────?
  process 2  read x gives 2                    |─────|
  process 0  read x gives 1                                |─────|  <

  4 operations on 1 key, <0.01 s"""


def history(tmp_path: Path, events: list[dict[str, Any]]) -> str:
    path = tmp_path / "history.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(path)


def test_jepsens_notation_and_the_timeline(tmp_path: Path) -> None:
    path = tmp_path / "stale.edn"
    path.write_text(STALE)
    operations = read_history(str(path), keyed=True)
    assert [o.f for o in operations] == ["write", "write", "read", "read"]
    assert [o.known for o in operations] == [True, False, True, True]
    answer = check(operations, "kv", "linearizable", file="stale")
    assert report(answer, Look(100)).splitlines()[:7] == TIMELINE.splitlines()[:7]


def test_one_vector_is_read_like_many_lines(tmp_path: Path) -> None:
    path = tmp_path / "one.edn"
    path.write_text("[" + STALE + "]")
    assert len(read_history(str(path), keyed=True)) == 4


def test_edn_values() -> None:
    text = '[1 -2 3.5 nil true :key "a\\n\\"b" sym #{1 2} (3) {:a {:b [1]}} #inst "2020" \\c] #_ignored 7N ; end'
    first, second = edn.values(text)
    assert first == (1, -2, 3.5, None, True, "key", 'a\n"b', "sym", (1, 2), (3,), {"a": {"b": (1,)}}, "2020", "c")
    assert second == 7


@pytest.mark.parametrize("text", ["[1", "]", "{:a}", '"open', "[" * 500, "#tag"])
def test_what_is_no_edn(text: str) -> None:
    with pytest.raises(ValueError):
        list(edn.values(text))


INVOKE = {"process": 0, "type": "invoke", "f": "write", "value": ["x", 1]}


@pytest.mark.parametrize(
    ("events", "code", "message"),
    [
        ([INVOKE, INVOKE], "Q1001", "asks again"),
        ([{**INVOKE, "type": "ok"}], "Q1001", "has not asked"),
        ([{**INVOKE, "type": "done"}], "Q1001", "invoke, ok, fail or info"),
        ([{**INVOKE, "value": 3}], "Q1001", "pair of key and value"),
        ([{**INVOKE, "f": "push"}], "Q1006", "no operation `push`"),
        ([{**INVOKE, "f": "cas"}], "Q1006", "pair of old and new"),
    ],
)
def test_what_is_no_history(tmp_path: Path, events: list[dict[str, Any]], code: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as error:
        check_history(history(tmp_path, events), "kv", "linearizable")
    assert error.value.diagnostics[0].code == code


def concurrent(count: int, seed: int) -> list[Operation]:
    """Many writes and reads at once: reads of what nobody can tell to be wrong, but one."""
    rng = random.Random(seed)
    found = [Operation(i, "write", None, i, i, i, 1000 + i) for i in range(count)]
    found += [
        Operation(500 + i, "read", None, None, rng.randrange(count), 2000 + 2 * i, 2001 + 2 * i) for i in range(30)
    ]
    return found


def test_out_of_time_is_no_answer() -> None:
    began = time.monotonic()
    answer = check(concurrent(40, 1), "register", "linearizable", timeout=0.5)
    assert answer.answer == "inconclusive" and answer.reason == "out of time"
    assert time.monotonic() - began < 10


def test_a_long_history_takes_a_moment() -> None:
    """5,000 operations of five clients on one key, all of them right."""
    rng, found, value, moment = random.Random(3), [], None, 0
    while len(found) < 5000:
        begins = list(range(moment, moment + 5))
        rng.shuffle(begins)
        for process in range(5):  # all overlap; they take effect in the order of the processes
            f = rng.choice(["read", "write"])
            value = len(found) if f == "write" else value
            asked = value if f == "write" else None
            found.append(Operation(process, f, None, asked, value, begins[process], moment + 10 + process))
        moment += 20
    began = time.process_time()
    assert check(found, "register", "linearizable").answer == "consistent"
    assert time.process_time() - began < 10


@pytest.mark.parametrize(("level", "code"), [("linearizable", 1), ("eventual", 4)])
def test_exit_codes(tmp_path: Path, level: str, code: int) -> None:
    path = tmp_path / "stale.edn"
    path.write_text(STALE)
    result = CliRunner().invoke(
        quorate, ["history", str(path), "--consistency", level, "--json"], standalone_mode=False
    )
    assert result.return_value is Exit(code)
    told = json.loads(result.output)
    assert told["format"] == "quorate-history" and told["answers"][0]["level"] == level


def test_nothing_to_check(tmp_path: Path) -> None:
    result = CliRunner().invoke(quorate, ["history", history(tmp_path, [])], standalone_mode=False)
    assert result.return_value is Exit.NOTHING
