"""`hotpath boot`: run programs on a kernel and show their console."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from rewriter.options import System
from tui import choices, exits, system
from tui.interrupt import interruptible
from tui.progress import Progress


@click.command(short_help="Boot a kernel, run programs, print their console.")
@click.argument("programs", nargs=-1, metavar="[PROGRAM]…")
@click.option(
    "--kernel",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="ELF",
    help="A multiboot image; without it, the kernel that is built in.",
)
@choices.WITH
@click.option("--on", "where", type=click.Choice(["unicorn", "qemu"]), default="unicorn")
def boot(programs: tuple[str, ...], kernel: Path | None, own: tuple[Path, ...], where: str) -> int:
    """Boot a kernel, run programs one after the other, and print their console.

    A PROGRAM with arguments is quoted: 'readseek 65536 25'; 'sh' alone is the training set.  Without one, hello is run.
    Exit status 1 if the kernel or a program fails.
    """
    toy = system.toy(kernel)
    toy = replace(toy, programs={**toy.programs, **system.named(own)})
    commands = system.known(choices.training(programs or ("hello",)), toy.programs)
    with interruptible() as cancelled, Progress() as say, system.errors_in_one_line():
        say(f"booting on {where}")
        if where == "qemu":
            return _show(_on_qemu(toy, commands), ())
        run = toy.machine.run(toy.kernel, toy.work(commands), cancelled=cancelled)
    return _show(run.console, [(line, status) for line, status in run.exits if status != 0])


def _on_qemu(toy: System, commands: Sequence[str]) -> bytes:
    from toykernel.machine import Qemu, Workload

    if not Qemu.available():
        raise exits.Lacking(f"{Qemu.program} is not installed (see hotpath doctor)")
    work = toy.work(commands)
    return Qemu().console(toy.kernel, Workload(work.commands, work.files, work.disk))


def _show(console: bytes, failed: Sequence[tuple[str, int]]) -> int:
    sys.stdout.buffer.write(console)
    sys.stdout.buffer.flush()
    if failed:
        raise exits.Failed("; ".join(f"{line!r} exited with {status}" for line, status in failed))
    return exits.OK
