"""`hotpath certify`: every new system call beside the one that it stands for, from thousands of states."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, TypeVar

import click

from rewriter.certificate import ENOUGH, Certificate, NewCall, Trials
from rewriter.options import Options
from rewriter.report import Table
from tui import choices, document, exits, system
from tui.interrupt import interruptible
from tui.progress import Progress
from tui.verbs.run import results

T = TypeVar("T")
ALSO = "usertests"  # leads the kernel into states that no training set does
MEMORY = 12  # MiB: copies are cheaper, and memory runs out


@click.command(short_help="Each new call beside the old one, from thousands of states.")
@click.option("--trials", type=click.IntRange(1, 1_000_000), default=ENOUGH, help="Of each new call.")
@click.option("--seed", type=int, default=1, help="Other states and arguments for another number.")
@choices.choices
def certify(trials: int, seed: int, save: Path | None, as_json: bool, plain: bool, **chosen: Any) -> int:
    """Make the specialized kernel; then, while programs run on it, copy the machine at many of their system calls, make
    an old call in one copy and its new one in another, with wild arguments too, and compare all registers and memory.

    Exit status 1 if any of them ended differently.
    """
    options = choices.options(until="layout", **chosen)
    kernel, calls = _apart(_made, options, save, plain)
    found = _tried(kernel, calls, options, trials, seed, plain)
    if as_json:
        body = {"schema": "hotpath.certify/1", "seed": seed, "new_calls": [each.row() for each in found]}
        click.echo(document.text(body))
    else:
        _print(found, plain)
    different = [each for each in found if each.different]
    if different:
        first = different[0]
        raise exits.Failed(f"{len(different)} new calls end differently; {first.call.name}, {first.different[0]}")
    return exits.OK


def _apart(work: Callable[..., T], *arguments: Any) -> T:
    """Work in a process of its own: this one stays small, so that copies of it are cheap."""
    if not hasattr(os, "fork"):
        return work(*arguments)
    with ProcessPoolExecutor(1, mp_context=get_context("fork"), initializer=_obey) as pool:
        try:
            return pool.submit(work, *arguments).result()
        except KeyboardInterrupt:
            for child in active_children():
                with suppress(ProcessLookupError):
                    os.kill(child.pid or 0, signal.SIGINT)
            raise


def _obey() -> None:
    """Let Ctrl-C end this process without a word, where nobody else takes it: the one that it works for has them."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(exits.INTERRUPTED))


def _made(options: Options, save: Path | None, quiet: bool) -> tuple[bytes, list[NewCall]]:
    """The specialized kernel and its new calls."""
    done = {result.name: result for result in results(options, save, quiet=quiet)}
    rows: Any = done["layout"].summary["new_calls"]
    return done["layout"].files["kernel.specialized.elf"], [NewCall.of(row) for row in rows]


def _tried(
    kernel: bytes, calls: Sequence[NewCall], options: Options, enough: int, seed: int, quiet: bool
) -> list[Certificate]:
    from rewriter.elf import load
    from toykernel.machine import Workload

    toy = system.toy()
    work = toy.work((*options.commands, ALSO))
    workload = Workload(work.commands, work.files, work.disk, memory=MEMORY)
    with interruptible() as cancelled, Progress(quiet) as say, system.errors_in_one_line():
        say("certify: running the programs")
        moments = len(toy.machine.run(kernel, workload, cancelled=cancelled).calls)
        trials = Trials(load(kernel, toy.contract), calls, moments, seed, enough)
        wanted = enough * len(calls)

        def hear(*told: Any) -> None:
            trials.hear(*told)
            say(f"certify: {sum(each.trials for each in trials.certificates):,} of {wanted:,} trials")

        toy.machine.what_if(kernel, workload, trials.ask, hear, watch=trials.watch, cancelled=cancelled)
    return trials.certificates


def _print(found: Sequence[Certificate], plain: bool) -> None:
    from tui import render
    from tui.paper import Paper

    paper = Paper(plain)
    columns = (
        "new call",
        "trials",
        "returned",
        "errors",
        "otherwise",
        "guards failed",
        "instructions run",
        "different",
    )
    rows = []
    for each in found:
        errors = sum(count for how, count in each.endings.items() if how.startswith("error"))
        returned = each.endings["returned"]
        ran, all_of_it = len(each.executed), len(each.executed) + len(each.never)
        share = f"{ran} of {all_of_it}"
        other = each.trials - errors - returned
        rows.append((each.call.name, each.trials, returned, errors, other, each.fallbacks, share, len(each.different)))
    title = "Each new call beside the old one: registers, user memory, kernel memory"
    paper.print(render.table(Table(title, columns, tuple(rows)), paper.look(detail=True)))
