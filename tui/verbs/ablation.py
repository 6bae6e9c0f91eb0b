"""`hotpath measure --ablation`: what each pass buys, by leaving it out, and by stopping behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rewriter.options import Options
from rewriter.report import Cell, Table
from tui import document, exits, system
from tui.interrupt import interruptible
from tui.progress import Progress

if TYPE_CHECKING:
    from rewriter.ablation import Row

COLUMNS = 6  # calls in the table: the most used of those that changed
ABLATION = click.option(
    "--ablation",
    is_flag=True,
    help="Measure without each pass, and with the first passes of their order alone; the profile is collected once.",
)


def ablated(options: Options, *, as_json: bool, plain: bool) -> int:
    """Print a row for each kernel.  Raises Failed where one behaves otherwise than the original."""
    rows = _rows(options, plain)
    if as_json:
        click.echo(document.text(_document(options, rows)))
    else:
        _print(rows, plain)
    different = [row for row in rows if row.different]
    if different:
        first = different[0]
        raise exits.Failed(
            f"{len(different)} kernels behave otherwise than the original; {title(first)}: {first.different[0]}"
        )
    return exits.OK


def _rows(options: Options, quiet: bool) -> list[Row]:
    from rewriter.ablation import ablation

    toy = system.toy()
    system.known(options.commands, toy.programs)
    with interruptible() as cancelled, Progress(quiet) as say, system.errors_in_one_line():
        return list(ablation(options, toy, say, cancelled))


def title(row: Row) -> str:
    """`all passes`, `without sink`, `up to flatten`."""
    return f"{row.kind} {row.name}".strip()


def _document(options: Options, rows: Sequence[Row]) -> dict[str, object]:
    found = [
        {
            "kind": row.kind,
            "pass": row.name,
            "new_calls": row.new_calls,
            "instructions": dict(row.instructions),
            "same": not row.different,
            "differences": list(row.different),
        }
        for row in rows
    ]
    return {"schema": "hotpath.ablation/1", "program": options.program, "rows": found}


def _print(rows: Sequence[Row], plain: bool) -> None:
    from tui import render
    from tui.paper import Paper

    paper = Paper(plain)
    paper.print(render.table(table(rows), paper.look(detail=True)))


def table(rows: Sequence[Row]) -> Table:
    """Instructions of a call, for the most used calls that any of the kernels changed; "" where none was made."""
    original = rows[0].instructions
    changed = [name for name in original if any(row.instructions.get(name) != original[name] for row in rows)]
    cells: list[tuple[Cell, ...]] = [
        (title(row), row.new_calls, *(row.instructions.get(name, "") for name in changed[:COLUMNS])) for row in rows
    ]
    columns = ("passes", "new calls", *changed[:COLUMNS])
    return Table("What each pass buys: kernel instructions of a call", columns, tuple(cells))
