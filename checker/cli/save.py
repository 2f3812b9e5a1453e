"""Where JSON goes: stdout, or a file that appears whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from checker.cli.console import Console
from checker.cli.failure import usage


def save_document(data: Any, target: str, console: Console) -> None:
    """Writes one JSON value to the target, `-` for stdout; raises SpecError (Q0715) when the file cannot be made."""
    text = json.dumps(data, ensure_ascii=True, indent=1)
    if target == "-":
        console.out(text)
    else:
        save_text(text + "\n", target)


def save_text(text: str, target: str) -> None:
    """Writes a file, whole or not at all; raises SpecError (Q0715) when it cannot be made."""
    path = Path(target)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise usage("Q0715", f"`{target}` cannot be written: {error.strerror}") from None
