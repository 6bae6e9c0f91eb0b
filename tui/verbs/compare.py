"""`hotpath compare`: the same work on two kernels, behavior first, then cost (§5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from rewriter.options import System
from rewriter.report import Table
from rewriter.run import Run
from tui import choices, document, exits, system
from tui.interrupt import interruptible
from tui.progress import Progress

IMAGE = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Two kernels: what they do, then what it costs.")
@click.argument("first", type=IMAGE, metavar="A.elf")
@click.argument("second", type=IMAGE, metavar="B.elf")
@choices.PROGRAM
@choices.WITH
@choices.JSON
@choices.PLAIN
def compare(
    first: Path, second: Path, commands: tuple[str, ...], own: tuple[Path, ...], as_json: bool, plain: bool
) -> int:
    """Run the same programs on two kernels; compare what they do, then what it costs.

    Programs given --with their images are taken on B alone: those that were retargeted for it.

    Exit status 1 if they do not behave the same.
    """
    from rewriter.behavior import checked, differences

    toy = system.toy(first)
    lines = system.known(choices.training(commands), toy.programs)
    other = replace(toy, kernel=system.bootable(second), programs={**toy.programs, **system.named(own)})
    runs, names = _boot_both(toy, other, lines, plain)
    found = differences(*runs)
    costs = _costs(*runs, names)
    if as_json:
        click.echo(
            document.text(
                {
                    "schema": "hotpath.compare/1",
                    "commands": list(lines),
                    "behavior": {
                        "same": not found,
                        "checked": checked(runs[0]),
                        "differences": [f"{each.what}: {each.detail}" for each in found],
                    },
                    "syscalls": costs,
                }
            )
        )
    else:
        _print(costs, plain)
    if found:
        raise exits.Failed("; ".join(f"{each.what}: {each.detail}" for each in found))
    return exits.OK


def _boot_both(
    one: System, two: System, lines: Sequence[str], quiet: bool
) -> tuple[tuple[Run, Run], Mapping[int, str]]:
    """Both runs, and the names of the system calls as the first kernel has them."""
    from rewriter.elf import load
    from rewriter.phases.values import call_names

    def boot(system: System, cancelled: Callable[[], bool]) -> Run:
        return system.machine.run(system.kernel, system.work(lines), measure=True, check=True, cancelled=cancelled)

    with interruptible() as cancelled, Progress(quiet) as say, system.errors_in_one_line():
        names = call_names(load(one.kernel, one.contract), one.contract)
        say("booting the first kernel")
        first = boot(one, cancelled)
        say("booting the second kernel")
        return (first, boot(two, cancelled)), names


def _costs(one: Run, two: Run, names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Means over all calls of one name and result class, after the first."""
    from rewriter.behavior import keyed
    from rewriter.phases.costs import groups, mean, of

    grouped, sides = groups(one, two, names), (keyed(one), keyed(two))
    found = []
    for name, kind in grouped.members:
        keys = grouped.measured((name, kind))
        pair = [of(side, keys) for side in sides]
        found.append(
            {
                "call": name,
                "result": kind,
                "calls": len(keys),
                "instructions": [mean(c.instructions for c in calls) for calls in pair],
                "cycles": [mean(c.cycles for c in calls) for calls in pair],
            }
        )
    return found


def _print(costs: Sequence[Mapping[str, Any]], plain: bool) -> None:
    from tui import render
    from tui.paper import Paper

    paper = Paper(plain)
    rows = []
    for cost in costs:
        before, after = cost["instructions"]
        change = (after - before) / before if before else 0.0
        rows.append((cost["call"], cost["result"], cost["calls"], before, after, change, *cost["cycles"]))
    columns = ("call", "result", "calls", "A", "B", "change", "cycles A", "cycles B")
    title = "Kernel instructions of a call, from the gate to the iret"
    paper.print(render.table(Table(title, columns, tuple(rows)), paper.look(detail=True)))
