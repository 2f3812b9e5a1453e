"""One job done, in this process: an instance explored, or a spec proved, within the limits of the job."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from checker.ci.plan import Job
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.explore.search import Progress


def perform(job: Job, threads: int | None = None, progress: Callable[[Progress], None] | None = None) -> Verdict:
    """The verdict of a job; raises SpecError where the spec, or its instance, has errors."""
    from checker.language.frontend import load

    spec = load(job.file).spec
    limits = job.limits
    if job.kind == "proof":
        from checker.prove.discharge import Options as Proving
        from checker.prove.prove import prove

        jobs = threads or os.cpu_count() or 1
        return prove(spec, Proving(explore=0.0, total=limits.timeout, jobs=jobs))
    from checker.explore.check import check
    from checker.explore.engines import engine
    from checker.explore.instance import find_instance
    from checker.explore.problem import Options

    options = Options(engine("auto"), limits.depth, limits.memory, limits.timeout, threads=threads)
    return check(spec, find_instance(spec, job.name), options, progress)
