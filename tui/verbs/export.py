"""`hotpath export`: what the phases found out, in the formats of other tools."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from rewriter.options import Options
from tui import choices, document, exits
from tui.verbs.run import results

DECIDING = "specialize"  # the phase that knows all remarks
PLACING = "layout"  # the phase that gives addresses


@click.group(short_help="What the phases found out, for other tools.")
def export() -> None:
    """Write what the phases found out in a format of other tools, to stdout."""


@export.command(short_help="Every decision of every pass, as LLVM's remarks.")
@choices.choices
def remarks(save: Path | None, as_json: bool, plain: bool, **chosen: Any) -> int:
    """Every decision of every pass, made or refused, with its reason, how often the place runs, and what was saved.

    One YAML document each, as LLVM writes its optimization remarks; with --json one object.
    """
    options = choices.options(until=DECIDING, **chosen)
    rows = list(_rows(options, save, plain))
    if as_json:
        click.echo(document.text({"schema": "hotpath.remarks/1", "program": options.program, "remarks": rows}))
    else:
        for row in rows:
            click.echo("\n".join(_yaml(row)))
    return exits.OK


@export.command(short_help="Where every instruction of the new kernel comes from.")
@choices.choices
def provenance(save: Path | None, as_json: bool, plain: bool, **chosen: Any) -> int:
    """Where every instruction of the new kernel comes from: one JSON object a line.

    `address` and `size` in the new image, `origins` in the old one.  `pass` and `reason` say who made it, and why; they
    are null where an instruction is as it was.  With --json one object has all of them.
    """
    options = choices.options(until=PLACING, **chosen)
    rows: list[Mapping[str, Any]] = []
    for result in results(options, save, quiet=plain):
        rows += result.provenance() if result.provenance is not None else ()
    if as_json:
        found: dict[str, object] = {"schema": "hotpath.provenance/1", "program": options.program, "instructions": rows}
        click.echo(document.text(found))
    else:
        for row in rows:
            click.echo(json.dumps(row))
    return exits.OK


def _rows(options: Options, save: Path | None, quiet: bool) -> Iterator[Mapping[str, Any]]:
    for result in results(options, save, quiet=quiet):
        found: Any = result.summary.get("remarks", ()) if result.name == DECIDING else ()
        yield from found


def _yaml(row: Mapping[str, Any]) -> Iterator[str]:
    """A document.  What JSON quotes, YAML reads."""
    yield f"--- !{row['kind'].capitalize()}"
    yield f"Pass:            {row['pass']}"
    yield f"Name:            {row['pass'].capitalize()}{row['kind'].capitalize()}"
    if row["address"] is not None:  # the address in the original image stands for a line
        yield f"DebugLoc:        {{ File: kernel, Line: {row['address']}, Column: 0 }}"
    yield f"Function:        {json.dumps(row['function'])}"
    if row["executed"] is not None:
        yield f"Hotness:         {round(row['executed'])}"
    yield "Args:"
    yield f"  - String:          {json.dumps(row['reason'])}"
    if row["detail"]:
        yield f"  - Detail:          {json.dumps(row['detail'])}"
    yield f"  - Block:           {json.dumps(row['label'])}"
    if row["saved"] is not None:
        yield f"  - Saved:           {json.dumps(str(round(row['saved'], 1)))}"
    yield "..."
