"""What has become of processes that a test has started, or made another start."""

from __future__ import annotations

import os
import time
from pathlib import Path


def runs(process: int) -> bool:
    """Whether a process is at work; one that has ended may still be listed."""
    try:
        os.kill(process, 0)
        status = Path(f"/proc/{process}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(process: int, seconds: float = 10) -> bool:
    """Whether a process ends in the time given."""
    end = time.monotonic() + seconds
    while runs(process) and time.monotonic() < end:
        time.sleep(0.01)
    return not runs(process)
