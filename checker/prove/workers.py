"""Killable solver processes: every question has a wall limit, whatever the solver makes of the work it was given.

A process that overruns is killed and replaced; the questions it held are answered "unknown". No verdict is drawn here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any


class Child:
    """One solver process, started when first asked."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        if self.process is None:
            command = [sys.executable, "-m", "checker.prove.worker"]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                start_new_session=True,
            )  # fmt: skip
        return self.process

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """The answer, or `unknown` when it takes longer than the seconds given, by the clock on the wall.

        Its `seconds` are those that the process itself has worked.
        """
        begin = time.monotonic()
        process = self.start()
        assert process.stdin is not None and process.stdout is not None
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            self.close()
            return {
                "answer": "unknown",
                "reason": "the solver was stopped",
                "lost": True,
                "seconds": time.monotonic() - begin,
            }
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
