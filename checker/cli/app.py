"""The list of verbs, known by name and one line each, so that `--help` need not import them."""

from __future__ import annotations

import importlib

import click

from checker.cli.outcome import Exit

VERBS = {
    "check": "Explore every reachable state of a spec's instances.",
    "simulate": "Take random walks, for instances too big to explore.",
    "prove": "Prove a spec for every size.",
    "conform": "Tell whether a recorded run is a behaviour of a spec.",
    "ci": "Check all specs of a project at once, for pipelines.",
    "generate": "Write scenarios that drive an implementation step by step.",
    "history": "Tell whether what clients were answered is consistent.",
    "lint": "Read specs and report errors and warnings; explores nothing.",
    "parse": "Read specs and print their outline.",
    "show": "Print a saved verdict or trace again.",
    "explain": "Explain an error code, or a topic.",
}


class Verbs(click.Group):
    """A group whose commands live in modules of their names, each with a `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"checker.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def tool_version() -> str:
    """The version of the installed distribution; `unknown` when run from a tree that is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("quorate")
    except PackageNotFoundError:
        return "unknown"


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"quorate {tool_version()}")
        ctx.exit()


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Exit codes: quorate explain exit-codes. Shell completion: eval "$(_QUORATE_COMPLETE=bash_source quorate)".',
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show the details of internal errors.")
@click.pass_context
def quorate(ctx: click.Context) -> None:
    """A model checker for distributed protocols: explores a .spec file on finite instances."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(Exit.USAGE)
