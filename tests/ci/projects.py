"""What the tests of `quorate ci` share: a repository of small specs, and one call that runs the command in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

GOOD = """\
spec Good{n}

state x: 0..{n} = 0

action up
    require x < {n}
    x := x + 1

action reset
    x := 0

invariant Small
    x <= {n}

reachable Full
    x == {n}

instance only
    expect states {states}
"""

BROKEN = """\
# Two processes that both believe to be alone.
spec Broken

sort Process
message Hello(n: 0..1) from Process

network lossy, duplicating, reordering

role Process
    volatile inside: Bool = false
    volatile heard: Bool = false

    action enter
        require not heard
        inside := true
        send Hello(1)

    on Hello(m)
        heard := true

invariant Alone
    forall p, q in Process: p.inside and q.inside => p == q

reachable SomeoneIsInside
    exists p in Process: p.inside

instance two
    Process = 2
"""

PROVED = """\
spec Proved

sort Node
state token: Node = any

action pass_on(n in Node)
    token := n

invariant OneHolder
    exists n in Node: token == n

lemma SameHolder
    forall n, m in Node: token == n and token == m => n == m

reachable Somewhere
    exists n in Node: token == n

instance small
    Node = 2
"""


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A directory with specs, and a cache of its own."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "checker", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Without what the machine that runs the tests may say of GitHub."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
        return {**mine, "QUORATE_CACHE": str(self.root / ".cache"), "COLUMNS": "160", "NO_COLOR": "1"}

    def quorate(self, *arguments: str, **variables: str) -> Ran:
        ran = subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)


def good(n: int) -> str:
    """A spec that holds, of n + 1 states."""
    return GOOD.format(n=n, states=n + 1)


def ten_specs(root: Path) -> Project:
    """Ten specs, one of them broken, one with a proof."""
    project = Project(root)
    for n in range(1, 9):
        project.write(f"specs/good{n}.spec", good(n))
    project.write("specs/broken.spec", BROKEN)
    project.write("specs/proved.spec", PROVED)
    project.write("packaging/tool.spec", "Name: tool\nVersion: 1\n")
    project.write("pyproject.toml", "[tool.quorate]\npaths = ['.']\ntimeout = '60s'\n")
    return project
