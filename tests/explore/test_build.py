"""Compilers that are in the way: none of their processes outlives what waits for it; and code gets better meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Timer

import pytest
from agreeing import question_of, said
from exploring import first, spec_of
from processes import ends, runs

from checker.explore.native import build, engine
from checker.explore.native.build import Compilation, Compiler, Work
from checker.explore.native.library import Search
from checker.explore.problem import Options
from checker.explore.search import End

WORK = Work("int x;\n", (), "-O1")

COUNTERS = """
state m: Map[0..5, 0..7] = [k in 0..5 -> 0]
action count(k in 0..5)
    require m[k] < 7
    m[k] := m[k] + 1
reachable AllAreThree
    forall k in 0..5: m[k] == 3
instance i
    allow deadlock
"""


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A compiler that starts another process, as most do, and waits for it; gives the file with that one's number."""
    script, number = tmp_path / "cc", tmp_path / "number"
    script.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {number}.new\nmv {number}.new {number}\nwait\n")
    script.chmod(0o755)
    monkeypatch.setattr(build, "find_compiler", lambda: Compiler((str(script),), "a driver"))
    monkeypatch.setattr(build, "_runtime_object", lambda *_: tmp_path / "runtime.o")
    yield number
    if number.exists() and runs(int(number.read_text())):
        os.kill(int(number.read_text()), signal.SIGKILL)


def started(number: Path) -> int:
    end = time.monotonic() + 30
    while not number.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return int(number.read_text())


def test_a_compilation_that_is_given_up_leaves_no_process(driver: Path) -> None:
    compilation = Compilation(WORK)
    process = started(driver)
    assert runs(process) and not compilation.done
    compilation.close()
    assert ends(process)


def test_an_interrupted_compiler_leaves_no_process(driver: Path) -> None:
    def interrupt() -> None:
        started(driver)
        os.kill(os.getpid(), signal.SIGINT)  # to this process only, as who sends signals to jobs does it

    Timer(0, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        build.build(WORK)
    assert ends(started(driver))


@pytest.mark.skipif(build.find_compiler() is None, reason="no C compiler")
def test_a_search_goes_on_with_better_code_and_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, options = spec_of(COUNTERS), Options(threads=1)
    question = question_of(spec, first(spec), options)
    plain = engine.explore(question, options)
    assert (plain.end, plain.states) == (End.COMPLETE, 8**6)

    adopted: list[bool] = []
    adopt, look = Search.adopt, engine._Watch.look

    def adopting(search: Search, library: object) -> bool:
        adopted.append(adopt(search, library))  # type: ignore[arg-type]
        return adopted[-1]

    def patient(watch: engine._Watch, search: Search) -> None:
        look(watch, search)
        if watch.compilation is not None:
            watch.compilation._process.wait()
            look(watch, search)

    monkeypatch.setenv("QUORATE_CACHE", str(tmp_path))
    monkeypatch.setattr(engine, "PATIENCE", 0.0)
    monkeypatch.setattr(engine, "_EVERY", 0.001)
    monkeypatch.setattr(Search, "adopt", adopting)
    monkeypatch.setattr(engine._Watch, "look", patient)
    better = engine.explore(question, options)
    assert adopted == [True]
    assert said(question, replace(better, seconds=0.0)) == said(question, replace(plain, seconds=0.0))
