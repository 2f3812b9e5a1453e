"""The command `quorate`: arguments in, exit code out; what each verb does is in the module of its name.

Modules of verbs, and all that they need, are imported when the verb is used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from checker.cli.outcome import Exit


def main() -> None:
    """The entry point of the installed command."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; nothing but `SystemExit` of shell completion escapes."""
    from checker.cli import failure
    from checker.cli.app import quorate

    debug = "--debug" in arguments
    try:
        return int(quorate.main(list(arguments), prog_name="quorate", standalone_mode=False) or Exit.OK)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:
        if debug and not failure.is_expected(error):
            raise
        return failure.explain(error, arguments)
