"""`quorate explain`: the page of a code or a topic, or the list of all."""

from __future__ import annotations

import click

from checker.cli.console import Console
from checker.cli.failure import usage
from checker.cli.outcome import Exit


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from checker.explain import names

    return [name for name in (*names(), "list") if name.lower().startswith(incomplete.lower())]


@click.command("explain")
@click.argument("name", metavar="CODE|TOPIC|list", shell_complete=_complete)
def command(name: str) -> Exit:
    """Explain an error code such as Q0201, or a topic such as exit-codes; `list` names all."""
    from checker.explain import names, page
    from checker.report.look import table
    from checker.source import did_you_mean

    console = Console()
    look = console.look
    if name == "list":
        console.out(table([[(p.code, "name"), (p.title, "plain")] for p in map(page, names())], look, indent=0))
        return Exit.OK
    try:
        found = page(name)
    except KeyError:
        hint = did_you_mean(name, names()) or "`quorate explain list` prints all codes and topics"
        raise usage("Q0718", f"there is no page `{name}`", hint) from None
    _, _, body = found.text.partition("\n")
    console.out(look.paint(f"{found.code}: {found.title}", "strong") + "\n" + body.rstrip())
    return Exit.OK
