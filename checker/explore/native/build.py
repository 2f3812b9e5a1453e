"""From C source to a loaded library: which compiler there is, and a cache of what it made.

Libraries are kept in the user's cache directory by a digest of everything that they depend on; where nothing can be
kept, they live as long as they are used. What the source means is none of its business.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
RUNTIME = "runtime.c"
FLAGS = ("-std=gnu11", "-fPIC", "-pthread", "-w")
TUNED = "-march=native"


class BuildError(Exception):
    """There is no library: the compiler is missing or refused the source; one sentence."""


@dataclass(frozen=True)
class Compiler:
    """How to call a C compiler, and what tells it from others and other versions of itself."""

    command: tuple[str, ...]
    identity: str


@cache
def find_compiler() -> Compiler | None:
    """The compiler named by $CC, else `cc`, `gcc` or `clang`, else the one in the `ziglang` package, else None."""
    if sys.platform == "win32":
        return None
    wished = shlex.split(os.environ.get("CC", ""))
    for command in (wished, ["cc"], ["gcc"], ["clang"]):
        path = shutil.which(command[0]) if command else None
        if path is not None and (version := _version((path, *command[1:]))):
            return Compiler((path, *command[1:]), version)
    if importlib.util.find_spec("ziglang") is not None:
        return Compiler((sys.executable, "-m", "ziglang", "cc"), f"ziglang {metadata.version('ziglang')}")
    return None


def _version(command: tuple[str, ...]) -> str | None:
    """What the compiler says of itself, or None if it cannot be run."""
    try:
        run = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return " ".join(command) + "\n" + run.stdout if run.returncode == 0 else None


def build(source: str, level: str, defines: Sequence[str] = ()) -> ctypes.CDLL:
    """Compiles a generated program, unless that was done before, and loads it.

    `level` is the compiler's optimisation level, such as `-O2`. Raises BuildError.
    """
    compiler = find_compiler()
    if compiler is None:
        raise BuildError("there is no C compiler (`cc`, or the extra `quorate[zig]`)")
    options = (*FLAGS, level, *(f"-D{name}" for name in defines))
    key = _digest([source, _runtime_text(), compiler.identity, _machine(), *options])
    kept = _directory()
    if kept is not None and (library := kept / f"{key}.so").exists():
        try:
            return ctypes.CDLL(str(library))
        except OSError:  # another system's, or damaged: make it again
            pass
    with tempfile.TemporaryDirectory(prefix="quorate-") as scratch:
        made = _compile(compiler, source, options, Path(scratch))
        if kept is not None and (stored := _store(made, kept / f"{key}.so")):
            made = stored
        return ctypes.CDLL(str(made))


def _compile(compiler: Compiler, source: str, options: Sequence[str], scratch: Path) -> Path:
    model, library = scratch / "model.c", scratch / "model.so"
    model.write_text(source, encoding="ascii")
    runtime = _runtime_object(compiler, scratch)
    for tuning in ([TUNED], []):
        command = [*compiler.command, *options, *tuning, f"-I{HERE}", str(model), str(runtime), "-shared"]
        failure = _run([*command, "-o", str(library)])
        if failure is None:
            return library
    raise BuildError(f"the C compiler refused the generated program: {failure}")


def _runtime_object(compiler: Compiler, scratch: Path) -> Path:
    """The compiled search, which is the same for all programs."""
    options = (*FLAGS, "-O2")
    key = _digest([_runtime_text(), compiler.identity, _machine(), *options])
    kept = _directory()
    if kept is not None and (known := kept / f"{key}.o").exists():
        return known
    made = scratch / "runtime.o"
    failure = _run([*compiler.command, *options, f"-I{HERE}", "-c", str(HERE / RUNTIME), "-o", str(made)])
    if failure is not None:
        raise BuildError(f"the C compiler refused the search: {failure}")
    return (_store(made, kept / f"{key}.o") if kept is not None else None) or made


def _run(command: Sequence[str]) -> str | None:
    """Runs a compiler; None if it is content, else the first error that it names."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        return str(error)
    if run.returncode == 0:
        return None
    lines = [line for line in run.stderr.splitlines() if "error" in line] or run.stderr.splitlines()
    return lines[0].strip() if lines else f"it ended with code {run.returncode}"


# --- the cache --------------------------------------------------------------------------------------


def _directory() -> Path | None:
    """Where libraries are kept, or None where nothing can be written."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        found = Path(os.environ.get("QUORATE_CACHE") or Path(home) / "quorate") / "native"
        found.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return found if os.access(found, os.W_OK) else None


def _store(made: Path, place: Path) -> Path | None:
    """Moves a file into the cache, whole or not at all."""
    temporary = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        shutil.copyfile(made, temporary)
        os.replace(temporary, place)
    except OSError:
        temporary.unlink(missing_ok=True)
        return None
    return place


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@cache
def _runtime_text() -> str:
    """Everything by hand that goes into a library."""
    files = sorted(path for path in HERE.iterdir() if path.suffix in (".c", ".h"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@cache
def _machine() -> str:
    """What the compiler may tune for; caches may be shared between machines."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    features = sorted({line for line in text.splitlines() if line.startswith(("flags", "Features", "model name"))})
    return "\n".join([platform.system(), platform.machine(), *features])
