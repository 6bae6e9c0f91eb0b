"""`hotpath pinned`: which functions of an image stay where they are, byte for byte, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import click

from tui import choices, document, exits, files
from tui.system import errors_in_one_line, toy
from tui.verbs.rewrite import read_contract

FILE = click.Path(dir_okay=False, path_type=Path)
NAME = re.compile(r"[\w.$@~]+(\+0x[0-9a-f]+)?")


@click.command(short_help="List what stays in place, and why.")
@click.argument("source", type=FILE, metavar="[IN.elf]", required=False)
@click.option("--contract", type=FILE, metavar="TOML", help="What a kernel promises; programs need none.")
@choices.JSON
def pinned(source: Path | None, contract: Path | None, as_json: bool) -> int:
    """List every function of an i386 ELF that no pass may move or change, with the reasons, and how many there are for
    each; without an image, of the kernel that comes with Hotpath."""
    from rewriter.elf import load

    if source is None and contract is not None:
        raise exits.Wrong("--contract goes with an image")
    image, promises = (
        (toy().kernel, toy().contract) if source is None else (files.read(source), read_contract(contract))
    )
    with errors_in_one_line(source):
        functions = load(image, promises).code
    names = {function.name for function in functions}
    found = {f.name: f.pins for f in functions if f.pins}
    reasons = by_reason(found, names)
    if as_json:
        row = {"functions": len(functions), "pinned": found, "reasons": reasons}
        click.echo(document.text({"schema": "hotpath.pinned/1", **row}))
        return exits.OK
    for name, pins in found.items():
        click.echo(f"{name}: {'; '.join(pins)}")
    for reason, count in reasons.items():
        click.echo(f"{count:7,}  {reason}")
    click.echo(f"{len(found):,} of {len(functions):,} functions pinned ({len(found) / max(1, len(functions)):.1%})")
    return exits.OK


def by_reason(found: Mapping[str, tuple[str, ...]], names: Collection[str]) -> dict[str, int]:
    """How many functions are pinned first of all for what reason, the names of functions left out."""
    general = Counter(
        NAME.sub(lambda m: "…" if m[0].partition("+0x")[0] in names else m[0], pins[0]) for pins in found.values()
    )
    return dict(general.most_common())
