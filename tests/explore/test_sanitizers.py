"""Generated programs under address and undefined-behaviour sanitizers: every little spec, in a process of its own.

The sanitizers have to be loaded before Python is, and end the process at the first access or operation that is wrong.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=all"
compiler = shutil.which("gcc")

EXPLORE = """
import ctypes, sys
from pathlib import Path
from agreeing import question_of
from checker.explore.native.engine import explore
from checker.explore.problem import Options
from checker.language.frontend import load

assert ctypes.CDLL(None).__asan_init, "the sanitizer is not loaded"
for path in sys.argv[1:]:
    spec = load(Path(path)).spec
    for decl in spec.instances:
        options = Options(threads=2, timeout=2.0)
        explore(question_of(spec, decl, options), options)
print("clean")
"""


def library(name: str) -> str:
    """Where gcc keeps a library, or the bare name if it has none."""
    return subprocess.run(
        [compiler or "gcc", f"-print-file-name={name}"], capture_output=True, text=True
    ).stdout.strip()


def sanitized(cache: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "CC": f"{compiler} {FLAGS}",
        "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",  # of Python itself
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": str(HERE),
    }
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def usable(tmp_path_factory: pytest.TempPathFactory) -> None:
    if compiler is None or not os.path.isabs(library("libasan.so")):
        pytest.skip("no gcc with sanitizers")


@pytest.mark.parametrize("part", range(2))
def test_generated_programs_keep_to_their_memory(tmp_path: Path, part: int) -> None:
    done = sanitized(tmp_path, EXPLORE, *map(str, sorted((HERE / "little").glob("*.spec"))[part::2]))
    assert (done.returncode, done.stdout) == (0, "clean\n"), done.stderr


def test_the_sanitizer_would_notice(tmp_path: Path) -> None:
    source = tmp_path / "wrong.c"
    source.write_text("int read_at(int i) { int a[2] = {0}; return a[i]; }\n")
    made = tmp_path / "wrong.so"
    subprocess.run([compiler or "gcc", *FLAGS.split(), "-shared", "-fPIC", str(source), "-o", str(made)], check=True)
    done = sanitized(tmp_path, f"import ctypes; ctypes.CDLL({str(made)!r}).read_at(7)")
    assert done.returncode != 0 and "runtime error" in done.stderr
