"""The command `hotpath`: its verbs in the order of their use.

Verbs import the simulator, the rewriter and the terminal libraries inside their functions: `--help` is instant.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from tui import exits
from tui.verbs.bisect import bisect
from tui.verbs.boot import boot
from tui.verbs.certify import certify
from tui.verbs.compare import compare
from tui.verbs.doctor import doctor
from tui.verbs.export import export
from tui.verbs.pinned import pinned
from tui.verbs.rewrite import rewrite
from tui.verbs.run import PHASE_VERBS, run
from tui.verbs.walk import walk

VERBS: tuple[click.Command, ...] = (run, *PHASE_VERBS, boot, rewrite, pinned, compare, certify, bisect, export, doctor)
EPILOG = """Exit status: 0 ok, 1 a check failed, 2 wrong usage or a bad input file, 3 the environment lacks
something, 70 a defect of Hotpath, 130 interrupted."""


class Verbs(click.Group):
    """A group that lists its verbs in the order in which they were added, not by the alphabet."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


def show_version(context: click.Context, option: click.Parameter, asked: bool) -> None:
    """Print the installed version, also from a tree that was never installed."""
    if asked:
        from importlib import metadata

        try:
            click.echo(f"hotpath {metadata.version('hotpath')}")
        except metadata.PackageNotFoundError:
            click.echo("hotpath (not installed)")
        context.exit()


@click.group(
    cls=Verbs,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    invoke_without_command=True,
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=show_version, help="Print it and exit."
)
@click.pass_context
def hotpath(context: click.Context) -> None:
    """Specialize an operating-system kernel before your eyes.

    Without a verb: the walkthrough on a terminal, and run where the output is piped.
    """
    if context.invoked_subcommand is None:
        context.exit(walk())


for verb in VERBS:
    hotpath.add_command(verb)


def main() -> NoReturn:
    """The command line of this process; the script `hotpath` begins in `tui.start`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without θ shows a question mark
    sys.exit(exits.ending(lambda: invoke(sys.argv[1:])))


def invoke(arguments: list[str]) -> object:
    """Run a command line.  Not click's own `main`, which has another opinion on closed pipes."""
    with hotpath.make_context("hotpath", arguments) as context:
        return hotpath.invoke(context)
