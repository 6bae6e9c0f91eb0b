"""The options that every verb which runs the phases has, and the `Options` they make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from rewriter.options import OptionError, Options
from rewriter.profile import Profile, ProfileError
from tui import files
from tui.exits import Wrong

PAPER = Options()  # its own choices
DEFAULT = PAPER.commands[0]  # §5's micro-benchmark: a file of 64 KiB, 25 repetitions
TRAINING_SET = "sh /data/small.sh"  # what the paper takes MiBench for
ALONE = {line.split()[0]: line for line in (DEFAULT, TRAINING_SET)}  # what a name without arguments stands for
PROGRAM = click.option(
    "-p",
    "--program",
    "commands",
    multiple=True,
    metavar="PROGRAM",
    help=f"A program, or a quoted command line; may be repeated.  'sh' alone is the training set, {TRAINING_SET!r}.  "
    f"[default: {DEFAULT}]",
)
WITH = click.option(
    "--with",
    "own",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A program's image, called as the file is up to its first dot; may be repeated.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
PLAIN = click.option("--plain", is_flag=True, help="Plain text, as in a pipe.")
OPTIONS = (
    PROGRAM,
    click.option("--theta", type=float, default=PAPER.theta, help="The hot functions' share, θ of §3.2."),
    click.option("--table-size", type=int, default=PAPER.table_size, help="Call traces in a table, N of §3.3."),
    click.option(
        "--clean-every",
        type=int,
        default=PAPER.clean_every,
        show_default=True,
        help="Entries until the first cleaning.",
    ),
    click.option(
        "--growth",
        type=float,
        default=PAPER.growth,
        show_default=True,
        help="How much the text may grow: new calls that save most for their bytes come first.",
    ),
    click.option("--as-published", is_flag=True, help="Keep to the paper's own choices."),
    click.option("--without", multiple=True, metavar="PASS", help="Leave out a pass; may be repeated."),
    click.option(
        "--save",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write what the phases made: images, profiles.",
    ),
    click.option(
        "--from",
        "learned",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Take the profile that --save wrote there, and run nothing to learn more.",
    ),
    JSON,
    PLAIN,
)
PROFILE = "kernel.profile.json"


def choices(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb all of these options."""
    for option in reversed(OPTIONS):
        verb = option(verb)
    return verb


def training(commands: tuple[str, ...]) -> tuple[str, ...]:
    """The command lines to run; the micro-benchmark alone stands for its defaults, the shell for the training set."""
    return tuple(ALONE.get(line, line) for line in commands) or (DEFAULT,)


def options(
    commands: tuple[str, ...],
    theta: float,
    table_size: int,
    clean_every: int,
    growth: float,
    as_published: bool,
    without: tuple[str, ...],
    until: str | None,
    learned: Path | None = None,
) -> Options:
    """The choices, checked; the last command line's program is the one that is specialized for.  Raises Wrong."""
    lines = training(commands)
    check_passes(without)
    try:
        return Options(
            program=(lines[-1].split() or [""])[0],
            commands=lines,
            theta=theta,
            table_size=table_size,
            clean_every=clean_every,
            growth=growth,
            as_published=as_published,
            without=frozenset(without),
            until=until,
            forgiving=True,
            profile=_profile(learned),
        )
    except OptionError as error:
        raise Wrong(str(error)) from None


def _profile(learned: Path | None) -> Profile | None:
    """The profile in a folder.  Raises Wrong."""
    return None if learned is None else profile_in(learned / PROFILE)


def profile_in(path: Path) -> Profile:
    """The profile in a file.  Raises Wrong."""
    try:
        return Profile.from_json(files.read(path))
    except ProfileError as error:
        raise Wrong(f"{path}: {error}") from None


def check_passes(without: tuple[str, ...]) -> None:
    """Raises Wrong where one of these is no pass."""
    if not without:
        return
    from rewriter.phases.order import ALL_PASSES

    for name in without:
        if name not in ALL_PASSES:
            raise Wrong(f"no pass is called {name!r}; there are {', '.join(ALL_PASSES)}")
