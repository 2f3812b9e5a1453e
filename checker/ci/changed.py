"""Which files differ from a revision, as git sees them: committed since, changed in the work tree, or new."""

from __future__ import annotations

import subprocess
from pathlib import Path

from checker.source import Diagnostic, SpecError


def changed_since(revision: str, directory: Path) -> frozenset[Path]:
    """Full paths of all files that differ from where the work branched off a revision.

    Raises SpecError (Q0732) where git, the repository, or the revision is not there.
    """
    if revision.startswith("-"):
        raise _failed(f"`{revision}` is no revision")
    root = Path(_git(directory, "rev-parse", "--show-toplevel").strip())
    _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", what=f"`{revision}` is no revision here")
    try:
        start = _git(root, "merge-base", revision, "HEAD").strip()
    except SpecError:  # no common past, as in a shallow clone
        start = revision
    names = _git(root, "diff", "--name-only", "-z", start, "--") + _git(
        root, "ls-files", "--others", "--exclude-standard", "-z"
    )
    return frozenset((root / name).resolve() for name in names.split("\0") if name)


def _git(directory: Path, *arguments: str, what: str = "") -> str:
    try:
        ran = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    except OSError as error:
        raise _failed(f"git cannot be run: {error.strerror}") from None
    if ran.returncode != 0:
        said = ran.stderr.strip().splitlines()
        raise _failed(what or (said[0] if said else f"git {arguments[0]} failed"))
    return ran.stdout


def _failed(why: str) -> SpecError:
    hint = "a shallow clone has no past: fetch the revision first, such as with `fetch-depth: 0`"
    return SpecError([Diagnostic("Q0732", f"what changed cannot be told: {why}", hint=hint)])
