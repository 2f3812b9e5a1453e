"""The native search on a model with known counts, compiled with address and undefined-behaviour sanitizers.

Everything that the search reports is compared with a formula; what depends on threads, table sizes or the way states
are stored is run with several of each, and must not differ.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise, product
from math import comb
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

NATIVE = Path(__file__).parents[2] / "checker" / "explore" / "native"
HERE = Path(__file__).parent
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
COMPLETE, FOUND, DEPTH, STATES, TIME, MEMORY, INTERRUPTED, CAPACITY = range(8)
DEADLOCK, LARGE_SUM, LAST_STEP, BROKEN = range(4)
NO_ACTION = -1
K, TOP = 5, 7  # counters, and the greatest value of each
ALL = (TOP + 1) ** K

compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
pytestmark = pytest.mark.skipif(compiler is None, reason="no C compiler")


@dataclass(frozen=True)
class Run:
    """Arguments of one search; the names are those of `Options` in runtime.h."""

    threads: int = 1
    depth: int = 2**32 - 1
    states: int = 0
    memory: int = 0
    seconds: float = 0
    slots: int = 1024
    stop_on: int = 0
    interrupt_at: int = 0

    @property
    def arguments(self) -> list[str]:
        fields = (self.threads, self.depth, self.states, self.memory, self.seconds, self.slots, self.stop_on)
        return [str(x) for x in (*fields, self.interrupt_at)]


Toy = Callable[..., dict[str, Any]]


@cache
def sanitizers(directory: Path) -> tuple[str, ...]:
    """The sanitizer flags, or none where the compiler lacks them."""
    (directory / "empty.c").write_text("int main(void) { return 0; }\n")
    command = [compiler or "cc", *SANITIZERS, str(directory / "empty.c"), "-o", str(directory / "empty")]
    works = subprocess.run(command, capture_output=True).returncode == 0
    return SANITIZERS if works and subprocess.run([str(directory / "empty")]).returncode == 0 else ()


@cache
def build(directory: Path, flags: tuple[str, ...]) -> Path:
    name = directory / ("toy" + "".join(flags).replace("-D", "_").replace("=", ""))
    sources = [HERE / "toy_model.c", HERE / "toy_main.c", NATIVE / "runtime.c"]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = [compiler or "cc", "-O1", "-g", *warnings, *sanitizers(directory), *flags, f"-I{NATIVE}"]
    subprocess.run([*command, *map(str, sources), "-pthread", "-o", str(name)], check=True)
    return name


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Runs the toy model, compiled with the given macros."""
    directory = tmp_path_factory.mktemp("toy")

    def run(options: Run, *flags: str) -> dict[str, Any]:
        done = subprocess.run([str(build(directory, flags)), *options.arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return run


def counters(packed: str) -> tuple[int, ...]:
    bits = int.from_bytes(bytes.fromhex(packed), "little") >> 50
    return tuple(bits >> 4 * i & 15 for i in range(K))


def assert_is_run(trace: list[str]) -> None:
    """From the initial state, one counter goes up by one in each step."""
    states = [counters(packed) for packed in trace]
    assert states[0] == (0,) * K
    for before, after in pairwise(states):
        assert sum(abs(x - y) for x, y in zip(before, after, strict=True)) == 1
        assert sum(after) == sum(before) + 1


def without_memory(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in ("bytes", "loss")}


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("slots", [1024, 1 << 20])
@pytest.mark.parametrize("flags", [(), ("-DHASH_COMPACT",)])
def test_counts_of_the_whole_space_are_the_formulas(toy: Toy, threads: int, slots: int, flags: tuple[str, ...]) -> None:
    answer = toy(Run(threads, slots=slots), *flags)
    assert answer["outcome"] == COMPLETE
    assert answer["states"] == answer["expanded"] == ALL
    assert answer["taken"] == [TOP * (TOP + 1) ** (K - 1)] * K
    assert answer["transitions"] == sum(answer["taken"])
    assert answer["depth"] == K * TOP
    assert answer["bounds"] == [ALL - TOP**K]  # states with some counter at the top
    assert answer["marks"] == [0, 1]
    # a state counts for the smallest action that leads to it: that of its first counter above zero
    assert answer["discovered"] == [TOP * (TOP + 1) ** (K - 1 - i) for i in range(K)]
    assert sum(answer["levels"]) == ALL and len(answer["levels"]) == K * TOP + 1
    assert answer["levels"][1] == K
    assert answer["running"] == 0


def test_many_initial_states_are_level_zero(toy: Toy) -> None:
    answer = toy(Run(2), "-DMANY_INITIAL")
    assert (answer["states"], answer["levels"][0], answer["depth"]) == (ALL, 2**K, K * (TOP - 1))
    assert sum(answer["discovered"]) == ALL - 2**K


@pytest.mark.parametrize("flags", [("-DLARGE_AT=20",), ("-DLARGE_AT=20", "-DHASH_COMPACT")])
def test_violation_is_the_same_for_any_number_of_threads(toy: Toy, flags: tuple[str, ...]) -> None:
    one = toy(Run(1, stop_on=1 << LARGE_SUM), *flags)
    assert one["outcome"] == FOUND and one["depth"] == 20
    finding = one["findings"][LARGE_SUM]
    assert (finding["depth"], finding["action"], finding["is_step"]) == (20, NO_ACTION, 0)
    assert len(finding["trace"]) == 21
    assert_is_run(finding["trace"])
    assert counters(finding["trace"][-1]) == least_violation()
    for threads, slots in product((2, 3, 4), (1024, 1 << 20)):
        other = toy(Run(threads, stop_on=1 << LARGE_SUM, slots=slots), *flags)
        assert without_memory(other) == without_memory(one)


def least_violation() -> tuple[int, ...]:
    """By the order of words: the first word ends in counter 2 and the low bits of counter 3."""

    def words(state: tuple[int, ...]) -> tuple[int, int]:
        bits = sum(x << (50 + 4 * i) for i, x in enumerate(state))
        return bits % 2**64, bits >> 64

    states = product(range(TOP + 1), repeat=K)
    return min((s for s in states if sum(s) == 20 and s[1] and s[2]), key=words)


def test_search_goes_on_after_findings_that_do_not_stop_it(toy: Toy) -> None:
    answer = toy(Run(2), "-DLARGE_AT=20")
    assert answer["outcome"] == COMPLETE and answer["states"] == ALL
    assert answer["findings"][LARGE_SUM]["depth"] == 20


def test_step_property_is_found_in_its_step(toy: Toy) -> None:
    finding = toy(Run(2))["findings"][LAST_STEP]
    assert (finding["depth"], finding["action"], finding["is_step"]) == (K * TOP - 1, 2, 1)
    assert_is_run(finding["trace"])
    assert [counters(packed) for packed in finding["trace"][-2:]] == [(TOP, TOP, TOP - 1, TOP, TOP), (TOP,) * K]


def test_deadlock_unless_all_steps_are_cut_off(toy: Toy) -> None:
    assert not toy(Run())["findings"][DEADLOCK]["found"]
    finding = toy(Run(), "-DNO_BOUND")["findings"][DEADLOCK]
    assert (finding["depth"], len(finding["trace"])) == (K * TOP, K * TOP + 1)


@pytest.mark.parametrize("threads", [1, 4])
def test_undefined_operation_is_found_with_its_action(toy: Toy, threads: int) -> None:
    answer = toy(Run(threads, stop_on=1 << BROKEN), "-DBROKEN_AT=9")
    assert answer["outcome"] == FOUND
    finding = answer["findings"][BROKEN]
    assert (finding["depth"], finding["is_step"], len(finding["trace"])) == (9, 0, 10)
    assert finding["action"] in range(1, K)
    assert_is_run(finding["trace"])
    assert not answer["findings"][DEADLOCK]["found"]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_bound_on_states_is_met_exactly(toy: Toy, threads: int) -> None:
    answer = toy(Run(threads, states=10_000))
    assert (answer["outcome"], answer["states"]) == (STATES, 10_000)
    assert toy(Run(threads, states=ALL))["outcome"] == COMPLETE


def test_bound_on_depth_leaves_the_last_level_unexpanded(toy: Toy) -> None:
    answer = toy(Run(2, depth=9))
    assert (answer["outcome"], answer["depth"], len(answer["levels"])) == (DEPTH, 9, 10)
    assert answer["expanded"] == answer["states"] - answer["levels"][9]
    assert toy(Run(1, depth=K * TOP + 1))["outcome"] == COMPLETE


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("memory", [600_000, 900_000])
def test_bound_on_memory_is_kept(toy: Toy, threads: int, memory: int) -> None:
    answer = toy(Run(threads, memory=memory))
    assert answer["outcome"] == MEMORY
    assert answer["bytes"] <= memory
    assert memory / 3 / 16 < answer["states"] < ALL  # entries have 16 bytes; the table does not take most of it


def test_time_bound_and_interruption_end_the_search(toy: Toy) -> None:
    assert toy(Run(2, seconds=1e-9))["outcome"] == TIME
    for threads in (1, 3):
        answer = toy(Run(threads, interrupt_at=1))
        assert answer["outcome"] == INTERRUPTED and answer["states"] < ALL


def test_state_that_does_not_fit_ends_the_search(toy: Toy) -> None:
    assert toy(Run(2), "-DOVERFLOW_AT=6")["outcome"] == CAPACITY


@pytest.mark.parametrize("group", [1, 3])  # a key that leaves ties, and one that tells nothing apart
@pytest.mark.parametrize("flags", [(), ("-DHASH_COMPACT",)])
def test_symmetry_stores_one_state_of_each_multiset(toy: Toy, group: int, flags: tuple[str, ...]) -> None:
    answer = toy(Run(2), f"-DGROUP={group}", "-DLARGE_AT=20", *flags)
    assert answer["outcome"] == COMPLETE
    assert answer["states"] == comb(TOP + K, K)
    assert answer["depth"] == K * TOP
    states = [counters(packed) for packed in answer["findings"][LARGE_SUM]["trace"]]
    assert len(states) == 21
    for before, after in pairwise(states):
        assert any(sorted(after) == sorted(replace_one(before, i)) for i in range(K))


def replace_one(state: tuple[int, ...], i: int) -> tuple[int, ...]:
    return (*state[:i], state[i] + 1, *state[i + 1 :])


def test_seven_elements_do_not_cost_seven_factorial(toy: Toy) -> None:
    answer = toy(Run(), "-DGROUP=1", "-DCOUNTERS=7", "-DTOP=4")
    assert answer["states"] == comb(4 + 7, 7)
    # ties of two kinds of counters, exchangeable among their kind: at most C(7, 3) arrangements of 5,040
    assert answer["permutations"][0] < 40 * answer["transitions"]


def test_listed_group_stores_one_state_of_each_orbit(toy: Toy) -> None:
    answer = toy(Run(2), "-DGROUP=2")
    assert answer["states"] == (ALL + 4 * (TOP + 1)) // 5  # necklaces of five beads, by Burnside's lemma


class _Options(ctypes.Structure):
    _fields_ = (
        ("threads", ctypes.c_uint32),
        ("max_depth", ctypes.c_uint32),
        ("max_states", ctypes.c_uint64),
        ("max_bytes", ctypes.c_uint64),
        ("max_seconds", ctypes.c_double),
        ("initial_slots", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("stop_on", ctypes.c_void_p),
    )


def library(directory: Path, level: str, *flags: str) -> ctypes.CDLL:
    name = directory / f"toy{level}{len(flags)}.so"
    sources = [str(HERE / "toy_model.c"), str(NATIVE / "runtime.c")]
    command = [compiler or "cc", level, *flags, "-fPIC", "-shared", f"-I{NATIVE}", *sources, "-pthread"]
    subprocess.run([*command, "-o", str(name)], check=True)
    loaded = ctypes.CDLL(str(name))
    loaded.search_new.restype = loaded.model_code.restype = ctypes.c_void_p
    loaded.search_adopt.restype = ctypes.c_bool
    return loaded


def test_search_goes_on_with_code_of_another_compiler(tmp_path: Path) -> None:
    plain, tuned, other = library(tmp_path, "-O0"), library(tmp_path, "-O2"), library(tmp_path, "-O1", "-DCOUNTERS=4")
    options = _Options(threads=2, max_depth=2**32 - 1)
    search = ctypes.c_void_p(plain.search_new(ctypes.byref(options)))
    assert not plain.search_adopt(search, ctypes.c_void_p(other.model_code()))
    outcome: list[int] = []
    thread = Thread(target=lambda: outcome.append(plain.search_run(search)))
    thread.start()
    for _ in range(200):  # to and fro while it runs
        assert plain.search_adopt(search, ctypes.c_void_p(tuned.model_code()))
        assert plain.search_adopt(search, ctypes.c_void_p(plain.model_code()))
    assert plain.search_adopt(search, ctypes.c_void_p(tuned.model_code()))
    thread.join()
    levels = (ctypes.c_uint64 * (K * TOP + 1))()
    assert outcome == [COMPLETE]
    assert plain.search_levels(search, levels, len(levels)) == len(levels)
    assert sum(levels) == ALL
    plain.search_free(search)


def test_hash_compaction_needs_less_memory_and_says_what_it_may_lose(toy: Toy) -> None:
    compact, exact = toy(Run(), "-DHASH_COMPACT"), toy(Run())
    assert exact["loss"] == 0
    assert compact["loss"] == pytest.approx(ALL * (ALL - 1) / 2 / 2**64, rel=1e-3)


def test_bound_on_memory_holds_for_compacted_states_too(toy: Toy) -> None:
    answer = toy(replace(Run(2), memory=300_000), "-DHASH_COMPACT")
    assert answer["outcome"] == MEMORY and answer["bytes"] <= 300_000
