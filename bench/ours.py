"""One exhaustive run of the native engine in a process of its own; prints a sample as JSON.

The search is timed with its program compiled before, and memory is what the process grows by from there.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import asdict, replace
from typing import Any

from bench.measure import Sample


def peak_memory() -> int:
    """Bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def sample(options: dict[str, Any]) -> Sample:
    """Compiles by exploring to depth 0, then explores."""
    from checker.explore.engines import engine
    from checker.explore.instance import instantiate
    from checker.explore.interpreter import Interpreter
    from checker.explore.overrides import with_overrides
    from checker.explore.problem import Options, problem
    from checker.explore.search import End
    from checker.language.finite import for_instance
    from checker.language.frontend import load

    spec = load(options["spec"]).spec
    decl = with_overrides(spec, spec.instances[0], options["sizes"])
    if options["properties"] is not None:
        decl = replace(decl, only=tuple(options["properties"]))
    native = engine("native")
    how = Options(engine=native, threads=options["threads"], symmetry=options["symmetry"])
    question = problem(Interpreter(instantiate(for_instance(spec, decl), decl)), how)
    start = time.perf_counter()
    native.explore(question, replace(how, depth=0), None)
    compiled = time.perf_counter() - start
    memory, cpu, start = peak_memory(), time.process_time(), time.perf_counter()
    answer = native.explore(question, how, None)
    wall, cpu, memory = time.perf_counter() - start, time.process_time() - cpu, peak_memory() - memory
    assert answer.end is End.COMPLETE, answer.end
    return Sample(answer.states, answer.transitions, cpu, wall, memory, compiled)


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    os.environ["QUORATE_CACHE"] = arguments["cache"]
    print(json.dumps(asdict(sample(arguments))))
