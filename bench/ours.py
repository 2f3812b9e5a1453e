"""One exhaustive run of the native engine in a process of its own; prints a sample as JSON.

Only the search itself is timed, as for tools whose search is a program of its own; `compile` is what comes before it.
Memory is what the process grows by during the search.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from bench.measure import Sample


def peak_memory() -> int:
    """Bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextmanager
def clocked(spent: list[float]) -> Iterator[None]:
    """Appends CPU seconds, wall seconds and bytes of memory of each native search that is run meanwhile."""
    from checker.explore.native.library import Search

    run = Search.run

    def timed(search: Search, *arguments: Any) -> Any:
        before = (time.process_time(), time.perf_counter(), float(peak_memory()))
        outcome = run(search, *arguments)
        after = (time.process_time(), time.perf_counter(), float(peak_memory()))
        spent.extend(y - x for x, y in zip(before, after, strict=True))
        return outcome

    setattr(Search, "run", timed)  # noqa: B010
    try:
        yield
    finally:
        setattr(Search, "run", run)  # noqa: B010


def sample(options: dict[str, Any]) -> Sample:
    """Explores once, with nothing compiled before."""
    from checker.explore.engines import engine
    from checker.explore.instance import instantiate
    from checker.explore.interpreter import Interpreter
    from checker.explore.overrides import with_overrides
    from checker.explore.problem import Options, problem
    from checker.explore.search import End
    from checker.language.finite import for_instance
    from checker.language.frontend import load

    spec = load(options["spec"]).spec
    named = next(decl for decl in spec.instances if decl.name == options["instance"])
    decl = replace(with_overrides(spec, named, options["sizes"]), expected=())
    if options["properties"] is not None:
        decl = replace(decl, only=tuple(options["properties"]))
    native = engine("native")
    how = Options(engine=native, threads=options["threads"], symmetry=options["symmetry"])
    question = problem(Interpreter(instantiate(for_instance(spec, decl), decl)), how)
    start, spent = time.perf_counter(), list[float]()
    with clocked(spent):
        answer = native.explore(question, how, None)
    assert answer.end is End.COMPLETE and len(spent) == 3, answer.end
    cpu, wall, memory = spent
    compiled = time.perf_counter() - start - wall
    return Sample(answer.states, answer.transitions, cpu, wall, int(memory), compiled)


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    os.environ["QUORATE_CACHE"] = arguments["cache"]
    print(json.dumps(asdict(sample(arguments))))
