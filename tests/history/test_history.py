"""Histories from files to answers: both notations, the part that is shown, and what is refused."""

from __future__ import annotations

import heapq
import json
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from checker.cli.app import quorate
from checker.cli.outcome import Exit
from checker.history import edn
from checker.history.check import LEVELS, check, check_history
from checker.history.operations import Operation, read_history
from checker.report.history import report
from checker.report.look import Look
from checker.source import SpecError
from checker.verdict import Answered, Consistency

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
    text = """
        1 -2 3.5 nil true :key "a\\n\\"b\\u0041" sym #{1 2} (3) {:a {:b [1]}} #inst "2020" \\c \\newline \\u0041
        #_ #_ first second #tag #_ not this ##Inf ^{:doc "x"} with [#_ nothing] #jepsen.history.Op{:f :r} 7N ; end"""
    assert [value for value, _ in edn.values(text)] == [
        *(1, -2, 3.5, None, True, "key", 'a\n"bA', "sym", frozenset({1, 2}), (3,), {"a": {"b": (1,)}}, "2020", "c"),
        *("\n", "A", "this", "##Inf", "with", (), {"f": "r"}, 7),
    ]


@pytest.mark.parametrize(
    "text", ["1\n[2\n3]\n#_4 5", "[1\n[2\n3]\n#_4 5]", "#jepsen.history.DenseHistory (1\n[2\n3]\n5)"]
)
def test_values_and_the_lines_they_begin_on(text: str) -> None:
    assert list(edn.values(text)) == [(1, 1), ((2, 3), 2), (5, 4)]


@pytest.mark.parametrize("text", ["1 [1", "]", "{:a}", '"open', "[" * 500, "#tag", "[1] 2", "[#tag]", "#_", "[1 #_]"])
def test_what_is_no_edn(text: str) -> None:
    with pytest.raises(edn.NoEdn):
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
        ([{**INVOKE, "process": "c1"}], "Q1001", "is an integer, or nemesis, not 'c1'"),
        ([{**INVOKE, "process": True}], "Q1001", "is an integer, or nemesis"),
        ([INVOKE, {**INVOKE, "type": "ok", "f": "read"}], "Q1001", "asked for `write`, and is answered `read`"),
        ([INVOKE, {**INVOKE, "type": "ok", "value": ["y", 1]}], "Q1001", "about another key"),
        ([{**INVOKE, "index": 1}, {**INVOKE, "type": "ok", "index": 0}], "Q1001", "`index` 0 comes after 1"),
        ([{**INVOKE, "time": 20}, {**INVOKE, "type": "ok", "time": 10}], "Q1001", "`time` 10 comes after 20"),
        ([{**INVOKE, "value": ["x", float("nan")]}], "Q1001", "this line is no JSON"),
        ([{**INVOKE, "value": ["x", eval("[" * 150 + "]" * 150)]}], "Q1001", "nested too deeply"),
    ],
)
def test_what_is_no_history(tmp_path: Path, events: list[dict[str, Any]], code: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as error:
        check_history(history(tmp_path, events), "kv", "linearizable")
    assert error.value.diagnostics[0].code == code


def scarce(each: int) -> list[Operation]:
    """Swaps of five values in a circle, all at once, and reads that would need one more of each than there are."""
    spans = 10 * each
    found = [Operation(i, "cas", None, (i % 5, (i + 1) % 5), (i % 5, (i + 1) % 5), i, 900 + i) for i in range(spans)]
    found += [Operation(200 + i, "write", None, i % 5, i % 5, 300 + i, 1200 + i) for i in range(spans)]
    reads = random.Random(1).choices(range(5), k=4 * spans)
    found += [Operation(500, "read", None, None, v, 500 + 2 * i, 501 + 2 * i) for i, v in enumerate(reads)]
    return found


def test_out_of_time_is_no_answer() -> None:
    began = time.monotonic()
    answer = check(scarce(4), "register", "linearizable", timeout=0.5)
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


def judged(tmp_path: Path, text: str, name: str = "h.json", model: str = "register") -> str:
    path = tmp_path / name
    path.write_text(text)
    return check_history(str(path), model, "linearizable").answer


@pytest.mark.parametrize(
    ("written", "read"),
    [("true", "1"), ("1", "true"), ('"1"', "1"), ('{"a": 1}', '[["a", 1]]'), ("[1, 2]", "[2, 1]")],
)
def test_other_values_are_not_the_same(tmp_path: Path, written: str, read: str) -> None:
    told = f"""{{"process": 0, "type": "invoke", "f": "write", "value": {written}}}
        {{"process": 0, "type": "ok", "f": "write", "value": {written}}}
        {{"process": 0, "type": "invoke", "f": "read", "value": null}}
        {{"process": 0, "type": "ok", "f": "read", "value": VALUE}}"""
    assert judged(tmp_path, told.replace("VALUE", read)) == "inconsistent"
    assert judged(tmp_path, told.replace("VALUE", written)) == "consistent"
    assert judged(tmp_path, f"[{','.join(told.replace('VALUE', written).splitlines())}]") == "consistent"


def test_sets_of_edn_have_no_order(tmp_path: Path) -> None:
    told = """{:process 0 :type :invoke :f :write :value #{1 2}} {:process 0 :type :ok :f :write :value #{1 2}}
        {:process 0 :type :invoke :f :read :value nil} {:process 0 :type :ok :f :read :value #{2 1}}"""
    assert judged(tmp_path, told, "h.edn") == "consistent"


UNKNOWN = """\
{:process 0, :type :invoke, :f :write, :value [1 5], :index 0, :time 10}
{:process 0, :type :info, :f :write, :value nil, :error :timeout, :index 1, :time 20}
{:process 4, :type :invoke, :f :read, :value [1 nil], :index 2, :time 30}
{:process 4, :type :ok, :f :read, :value [1 nil], :index 3, :time 40}
{:process :nemesis, :type :info, :f :kill, :value {"n1" :killed}, :index 4, :time 45}
{:process 4, :type :invoke, :f :read, :value [1 nil], :index 5, :time 50}
{:process 4, :type :ok, :f :read, :value [1 5], :index 6, :time 60}
"""


def test_what_was_not_answered_may_be_done_at_any_later_time(tmp_path: Path) -> None:
    assert judged(tmp_path, UNKNOWN, "h.edn", "kv") == "consistent"
    assert judged(tmp_path, UNKNOWN.replace(":info, :f :write", ":fail, :f :write"), "h.edn", "kv") == "inconsistent"
    back = UNKNOWN.replace(":value [1 nil], :index 3", ":value [1 5], :index 3").replace(
        "[1 5], :index 6", "[1 nil], :index 6"
    )
    assert judged(tmp_path, back, "h.edn", "kv") == "inconsistent"


def test_a_client_that_goes_on_after_no_answer(tmp_path: Path) -> None:
    """What it was not answered may be done after what it asks next."""
    path = tmp_path / "h.edn"
    path.write_text(UNKNOWN.replace(":process 4", ":process 0"))
    for level in LEVELS:
        assert check_history(str(path), "kv", level).answer in ("consistent", "inconclusive"), level


def store(count: int, clients: int, seed: int, values: int | None = None, unknown: float = 0.01) -> list[Operation]:
    """A register that is one: each operation is done at a moment while it is under way, or later if it is unknown."""
    rng = random.Random(seed)
    queue: list[tuple[float, int, str, dict[str, Any]]] = [(rng.random(), c, "next", {}) for c in range(clients)]
    heapq.heapify(queue)
    state, begun, process, moments = None, list[dict[str, Any]](), [*range(clients)], 0
    while queue:
        now, client, what, op = heapq.heappop(queue)
        moments += 1
        match what:
            case "next" if len(begun) < count:
                f = rng.choice(["read", "write", "cas"])
                new = len(begun) if values is None else rng.randrange(values)
                value = {"read": None, "write": new, "cas": (state, new)}[f]
                op = {"process": process[client], "f": f, "value": value, "begin": moments, "end": None, "done": False}
                begun.append(op)
                takes = rng.expovariate(1) + 0.01
                heapq.heappush(queue, (now + rng.random() * takes, client, "do", op))
                if rng.random() < unknown:
                    process[client] += clients
                    heapq.heappush(queue, (now + takes, client, "next", {}))
                else:
                    heapq.heappush(queue, (now + takes, client, "answer", op))
            case "do":
                op["result"] = state if op["f"] == "read" else op["value"]
                op["done"] = op["f"] != "cas" or op["value"][0] == state
                if op["done"] and op["f"] != "read":
                    state = op["value"] if op["f"] == "write" else op["value"][1]
            case "answer":
                op["end"] = moments
                heapq.heappush(queue, (now + rng.random() / 10, client, "next", {}))
    return [
        Operation(op["process"], op["f"], "x", op["value"], op["result"], op["begin"], op["end"])
        for op in begun
        if op["done"] or op["end"] is None
    ]


@pytest.mark.parametrize("level", ["linearizable", "sequential"])
@pytest.mark.parametrize(("clients", "values"), [(10, None), (50, None), (10, 5)])
def test_long_histories_of_many_clients(clients: int, values: int | None, level: str) -> None:
    began = time.process_time()
    assert check(store(5000, clients, 1, values), "kv", level, timeout=60).answer == "consistent"
    assert time.process_time() - began < 10


@pytest.mark.parametrize("level", ["linearizable", "sequential", "monotonic-reads"])
def test_a_stale_read_among_many_is_shown_by_few(level: str) -> None:
    operations = store(5000, 20, 2)
    late = [i for i, o in enumerate(operations) if o.f == "read" and o.known]
    early = next(o for o in operations[500:] if o.f == "write" and o.known)
    at = late[-200]
    mine = next(
        o for o in reversed(operations[:at]) if o.process == operations[at].process and o.f == "read" and o.known
    )
    operations[at] = replace(operations[at], result=early.value)
    assert mine.result != early.value
    answer = check(operations, "kv", level, timeout=60)
    assert answer.answer == "inconsistent"
    assert len(answer.part) <= 24
    (fault,) = (o for o in answer.part if o.at_fault)
    assert fault.text == f"read x gives {early.value}"
    assert fault.begin == operations[at].begin


def test_a_set_that_lost_an_element() -> None:
    operations = [Operation(i % 7, "add", None, i, i, 2 * i, 2 * i + 1) for i in range(3000)]
    found = tuple(i for i in range(3000) if i != 1234)
    operations.append(Operation(1, "read", None, None, found, 6001, 6002))
    answer = check(operations, "set", "linearizable")
    assert [o.text for o in answer.part] == ["add 1234", "read gives {}"]
    invented = [*operations[:-1], Operation(1, "read", None, None, (*range(3000), 9999), 6001, 6002)]
    assert check(invented, "set", "linearizable").message == "nobody had written what was read"
    assert (
        check(
            [*operations[:-1], Operation(1, "read", None, None, tuple(range(3000)), 6001, 6002)], "set", "linearizable"
        ).answer
        == "consistent"
    )


def test_wide_timelines_fit_and_long_ones_are_cut() -> None:
    shown = tuple(Answered(i, f"write {'key' * 30} {i}", 2 * i, 2 * i + 3, i == 39) for i in range(40))
    found = Consistency("h", "kv", "linearizable", "inconsistent", 40, 1, shown, message="no order")
    lines = report(found, Look(80)).splitlines()
    assert max(map(len, lines)) <= 80
    assert "16 operations that began before these are not shown" in lines[2]
    assert len(lines) == 2 + 25 + 2


def test_nothing_to_check(tmp_path: Path) -> None:
    result = CliRunner().invoke(quorate, ["history", history(tmp_path, [])], standalone_mode=False)
    assert result.return_value is Exit.NOTHING
    assert "inconclusive: it has no operation that may have been done" in result.output
