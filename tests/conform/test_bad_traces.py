"""Traces that are damaged, contradict themselves, or are none: a diagnostic with the place, and no wrong verdict."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from walks import told, walk

from checker.conform.events import Trace
from checker.conform.follow import Options, conform
from checker.conform.mapping import read_map
from checker.language.frontend import load
from checker.source import SpecError
from checker.verdict import Conformance, Conforms

ROOT = Path(__file__).parent.parent.parent
RAFT, PAXOS = (load(ROOT / "specs" / f"{name}.spec").spec for name in ("raft", "paxos"))
SPECS = sorted((ROOT / "specs").glob("*.spec"))

HEAD = '{"trace": 1, "nodes": {"Server": ["s0", "s1"]}}\n'
START = '{"node": "s0", "action": "start_election"}\n'


def check(path: Path, text: str | bytes, *others: str) -> Conformance:
    """Whether the text of a file, and of others, is a trace of Raft."""
    names = [str(path / f"{i}.ndjson") for i in range(1 + len(others))]
    for name, each in zip(names, (text, *others), strict=True):
        Path(name).write_bytes(each.encode() if isinstance(each, str) else each)
    return conform(RAFT, names)


def setting(place: str, value: str) -> str:
    return HEAD + START.replace("}", f', "set": {{"{place}": {value}}}}}')


@pytest.mark.parametrize(
    ("text", "code", "line", "message"),
    [
        (b"\x00" * 99, "Q1001", 1, "no JSON"),
        ((HEAD + START).encode("utf-16"), "Q1001", 1, "not UTF-8"),
        (HEAD.encode() + b'{"node": "s0", "note": "\xe9"}\n', "Q1001", 2, "not UTF-8"),
        (HEAD + '{"node": "s0", "action" "x"}\n', "Q1001", 2, "':' delimiter"),
        (HEAD + "[]\n", "Q1001", 2, "no object"),
        (HEAD + START[:-6], "Q1001", 2, "no JSON"),
        (HEAD + '{"node": "s0", "time": NaN}\n', "Q1001", 2, "NaN is no value"),
        (HEAD + '{"node": "s0", "time": "now"}\n', "Q1001", 2, "no number"),
        (HEAD + '{"node": "s0", "action": "\\ud800"}\n', "Q1001", 2, "half a character"),
        (HEAD + '{"note": ' + "[" * 100_000 + "]" * 100_000 + "}\n", "Q1001", 2, "nested too deeply"),
        (setting("term", "9" * 5000), "Q1001", 2, "cannot be read"),
        (setting("term", "99999999"), "Q1003", 2, "too far in Term"),
        (setting("log[99999999999999999999999]", "null"), "Q1003", 2, "is no Index"),
        (setting("log[--5]", "null"), "Q1003", 2, "is no Index"),
        (setting("matched[--5]", "1"), "Q1003", 2, "is no Server"),
        (setting("s1.", "1"), "Q1003", 2, "is no place"),
        (START + HEAD, "Q1001", 2, "not the one with which the file begins"),
        (HEAD + START + '{"trace": 1, "ordered": true}\n', "Q1001", 3, "not the one with which the file begins"),
        ('{"trace": true}\n', "Q1001", 1, "version"),
        ('{"trace": 1, "nodes": {"Term": ["x"]}}\n', "Q1003", 1, "is no Term"),
        ('{"trace": 1, "nodes": {"Term": [99999999]}}\n', "Q1003", 1, "too far in Term"),
        (HEAD + '{"node": "s0", "seq": 0}\n', "Q1001", 2, "`seq` is 0"),
        (HEAD + '{"node": "s0", "seq": 1}\n' * 2, "Q1001", 3, "`seq` is 1, after 1"),
        (HEAD + START.replace("}", ', "received": "x"}'), "Q1002", 2, "receives no message"),
        (HEAD + '{"action": "start_election"}\n', "Q1002", 2, "nobody in particular"),
        (HEAD + "".join(f'{{"node": "{n}", "sent": [{{"id": "a", "type": "Vote"}}]}}\n' for n in ("s0", "s1")),
         "Q1001", 3, "the id of another message"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(
    text: str | bytes, code: str, line: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as error:
        check(tmp_path, text)
    (found,) = error.value.diagnostics
    assert found.code == code and message in found.message
    assert found.span is not None and found.span.line == line
    assert found.render()


def test_a_line_that_was_cut_off_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        check(tmp_path, HEAD + START + '{"node": "s0", "act')
    assert (
        error.value.diagnostics[0].hint == "the file ends within this line; if it was not written to its end, remove it"
    )


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + (HEAD + START).encode(),
        (HEAD + START).replace("\n", "\r\n"),
        "\n\n" + HEAD + "\n" + START,
        HEAD + START.rstrip(),
        HEAD + HEAD + START,
        HEAD + START.replace("}", ', "note": "\\ud83d\\ude00\u2028"}'),
    ],
)  # fmt: skip
def test_what_editors_and_systems_do_to_lines_is_no_matter(text: str | bytes, tmp_path: Path) -> None:
    answer = check(tmp_path, text)
    assert answer.answer is Conforms.YES and answer.events == 1


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ('{"trace": 1, "spec": "Raft"}\n', '{"trace": 1, "spec": "Paxos"}\n', "a trace of `Paxos`"),
        ('{"trace": 1, "constants": {"a": 1}}\n', '{"trace": 1, "constants": {"a": 2}}\n', "another value"),
    ],
)
def test_files_that_contradict_each_other(first: str, second: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=message):
        check(tmp_path, first, second)


def test_what_is_no_file_is_not_read_twice(tmp_path: Path) -> None:
    """A second reading of a pipe would find nothing, and call that a run."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(SpecError) as error:
            conform(RAFT, [str(path)])
        assert error.value.diagnostics[0].code == "Q0705"


def test_a_file_that_is_still_written_is_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events, path = Trace.events, tmp_path / "0.ndjson"

    def growing(self: Trace, file: str) -> Iterator[Any]:
        yield from events(self, file)
        with path.open("a") as stream:
            stream.write(START)

    monkeypatch.setattr(Trace, "events", growing)
    with pytest.raises(SpecError, match="written to meanwhile"):
        check(tmp_path, HEAD + START)


@pytest.mark.parametrize(
    "text",
    ["ignore = [3]", "most_hidden = true", "most_hidden = -1", "nodes = {a = true}", "none = {term = 2020-01-01}",
     "values = {term = {a = nan}}", "constants = {a = 10:00:00}"],
)  # fmt: skip
def test_maps_hold_what_traces_may(text: str, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(SpecError) as error:
        read_map(str(tmp_path / "map.toml"))
    assert error.value.diagnostics[0].code == "Q1004"


# --- messages and orders --------------------------------------------------------------------------


def sending(node: str, id_: str, *, heard: str = "") -> str:
    sent = [{"id": id_, "type": "RequestVote"}]
    return json.dumps({"node": node, "action": "start_election", "heard": [heard] * bool(heard), "sent": sent}) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD.replace("{", '{"messages": true, ', 1) + '{"node": "s0", "action": "on Vote", "received": "x"}\n',
         "no event sends the message x"),
        (HEAD + sending("s0", "a", heard="b") + sending("s1", "b", heard="a"), "it comes after the sending of b"),
        (HEAD + sending("s0", "a", heard="a"), "it comes after the sending of a"),
    ],
)  # fmt: skip
def test_causes_that_are_not_there(text: str, said: str, tmp_path: Path) -> None:
    answer = check(tmp_path, text)
    assert answer.answer is Conforms.NO and answer.fault is not None
    assert said in answer.fault.obstacles[0].differences[0]


def test_a_receipt_of_what_nobody_wrote_down_may_only_be_early(tmp_path: Path) -> None:
    """The sender does not tell of messages, so nothing says which of the two events came first."""
    receipt = '{"node": "s0", "action": "on RequestVote", "received": "x"}\n'
    answer = check(tmp_path, HEAD + receipt + '{"node": "s1", "action": "start_election"}\n')
    assert answer.answer is Conforms.YES
    answer = check(tmp_path, HEAD + receipt)
    assert answer.answer is Conforms.NO


def test_a_gap_that_is_too_wide_is_no_verdict(tmp_path: Path) -> None:
    """It is not that no steps fit there: not all were looked at."""
    gap = '{"node": "s0", "action": "become_leader", "seq": 1000000000}\n'
    (tmp_path / "0.ndjson").write_text(HEAD + gap + '{"node": "s1", "set": {"term": 99}}\n')
    answer = conform(RAFT, [str(tmp_path / "0.ndjson")], None, Options(most_states=30))
    assert answer.answer is Conforms.UNKNOWN and "30 states" in answer.reason


def test_nothing_is_not_a_run_that_conforms(tmp_path: Path) -> None:
    from checker.report.conform import sentence

    assert sentence(check(tmp_path, HEAD)) == "nothing to check: the trace has no events"


# --- damage at random -----------------------------------------------------------------------------

JUNK = [None, True, -1, 3, 10**30, 1.5, "", "s0", "log[1]", [], [[1]], {}, {"": {}}, {"type": "Vote"}, ".", "["]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


@pytest.mark.parametrize("batch", range(4))
def test_junk_gives_a_verdict_or_diagnostics(batch: int, tmp_path: Path) -> None:
    verdicts = 0
    for seed in range(100 * batch, 100 * batch + 100):
        rng = random.Random(seed)
        spec = told(rng.choice(SPECS))
        events = copy.deepcopy(walk(spec, rng, 6).events())
        for _ in range(rng.choice((1, 1, 3))):
            found = [p for p in places(events) if len(p) > 1 and (p[0] or rng.random() < 0.2)]
            put(events, rng.choice(found), copy.deepcopy(rng.choice(JUNK)))
        path = tmp_path / "junk.ndjson"
        path.write_text("".join(json.dumps(e) + "\n" for e in events))
        try:
            conform(spec.whole, [str(path)], None, Options(overrides=spec.overrides(), timeout=10))
        except SpecError as error:
            assert all(d.render() for d in error.diagnostics)
        else:
            verdicts += 1
    assert verdicts
