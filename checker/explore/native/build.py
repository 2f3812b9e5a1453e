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
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
RUNTIME = "runtime.c"
FLAGS = ("-std=gnu11", "-fPIC", "-pthread", "-w")
TUNED = "-march=native"
MOST_KEPT = 400
"""How many libraries the cache holds; most have some ten kilobytes."""


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


@dataclass(frozen=True)
class Work:
    """A program to be compiled: its C text, the macros it is compiled with, and how hard the compiler tries (`-O2`)."""

    source: str
    defines: tuple[str, ...]
    level: str


def kept(work: Work) -> ctypes.CDLL | None:
    """The library of a program, if it was made before. Raises BuildError where there is no compiler."""
    place = _place(_compiler(), work)
    if place is None or not place.exists():
        return None
    try:
        os.utime(place)
        return ctypes.CDLL(str(place))
    except OSError:  # another system's, or damaged: it is made again
        return None


def build(work: Work) -> ctypes.CDLL:
    """Compiles a program, unless that was done before, and loads it. Raises BuildError."""
    found = kept(work)
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="quorate-") as scratch:
        for tuning in ((TUNED,), ()):
            command, made = _command(work, tuning, Path(scratch))
            failure = _run(command)
            if failure is None:
                return _loaded(work, made)
    raise BuildError(f"the C compiler refused the generated program: {failure}")


class Compilation:
    """A program being compiled while other work goes on. Raises BuildError if it cannot be begun."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._scratch = tempfile.TemporaryDirectory(prefix="quorate-")
        command, self._made = _command(work, (TUNED,), Path(self._scratch.name))
        try:
            self._process = _start(command, subprocess.DEVNULL)
        except OSError as error:
            self._scratch.cleanup()
            raise BuildError(str(error)) from None

    @property
    def done(self) -> bool:
        return self._process.poll() is not None

    def library(self) -> ctypes.CDLL | None:
        """What was made, once it is done; None if the compiler refused."""
        return _loaded(self._work, self._made) if self._process.wait() == 0 else None

    def close(self) -> None:
        """Ends it, done or not."""
        _end(self._process)
        self._scratch.cleanup()


def _compiler() -> Compiler:
    found = find_compiler()
    if found is None:
        raise BuildError("there is no C compiler (`cc`, or the extra `quorate[zig]`)")
    return found


def _options(work: Work) -> list[str]:
    return [*FLAGS, work.level, *(f"-D{name}" for name in work.defines)]


def _command(work: Work, tuning: Sequence[str], scratch: Path) -> tuple[list[str], Path]:
    """How to compile a program in a scratch directory, and the file that this makes."""
    compiler, model, library = _compiler(), scratch / "model.c", scratch / "model.so"
    model.write_text(work.source, encoding="ascii")
    files = [str(model), str(_runtime_object(compiler, scratch)), "-shared", "-o", str(library)]
    return [*compiler.command, *_options(work), *tuning, f"-I{HERE}", *files], library


def _loaded(work: Work, made: Path) -> ctypes.CDLL:
    """Loads a new library, from the cache if it can be kept there."""
    place = _place(_compiler(), work)
    return ctypes.CDLL(str((place and _store(made, place)) or made))


def _runtime_object(compiler: Compiler, scratch: Path) -> Path:
    """The compiled search, which is the same for all programs."""
    options = (*FLAGS, "-O2")
    directory = _directory()
    place = (
        directory / f"{_digest([_runtime_text(), compiler.identity, _machine(), *options])}.o" if directory else None
    )
    if place is not None and place.exists():
        return place
    made = scratch / "runtime.o"
    failure = _run([*compiler.command, *options, f"-I{HERE}", "-c", str(HERE / RUNTIME), "-o", str(made)])
    if failure is not None:
        raise BuildError(f"the C compiler refused the search: {failure}")
    return (place and _store(made, place)) or made


def _run(command: Sequence[str]) -> str | None:
    """Runs a compiler; None if it is content, else the first error that it names. Nothing of it outlives the call."""
    try:
        process = _start(command, subprocess.PIPE)
    except OSError as error:
        return str(error)
    try:
        _, told = process.communicate()
    except BaseException:
        _end(process)
        raise
    if process.returncode == 0:
        return None
    lines = [line for line in told.splitlines() if "error" in line] or told.splitlines()
    return lines[0].strip() if lines else f"it ended with code {process.returncode}"


def _start(command: Sequence[str], errors: int) -> subprocess.Popen[str]:
    """Starts a compiler in a group of its own: most are a driver that starts the compiler proper and the linker.

    Whoever kills this process leaves the group at work, until the one program is compiled.
    """
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, text=True, errors="replace",
        process_group=0,
    )  # fmt: skip


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a compiler, and what it has started, whether it is done or not."""
    if process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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


def _place(compiler: Compiler, work: Work) -> Path | None:
    """The file in which the library of a program is kept."""
    key = _digest([work.source, _runtime_text(), compiler.identity, _machine(), *_options(work)])
    directory = _directory()
    return directory / f"{key}.so" if directory is not None else None


def _store(made: Path, place: Path) -> Path | None:
    """Copies a file into the cache, whole or not at all, and lets go of what was not used for longest."""
    temporary = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        shutil.copyfile(made, temporary)
        os.replace(temporary, place)
    except OSError:
        temporary.unlink(missing_ok=True)
        return None
    _prune(place.parent)
    return place


def _prune(directory: Path) -> None:
    def used(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:  # another process let go of it
            return 0.0

    for path in sorted(directory.glob("*.so"), key=used)[:-MOST_KEPT]:
        path.unlink(missing_ok=True)


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
