"""`hotpath rewrite`: any i386 ELF with relocations, read and written again."""

from __future__ import annotations

from pathlib import Path

import click

from tui import exits, files
from tui.system import errors_in_one_line

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Read and write any i386 ELF with relocations.")
@click.argument("source", type=FILE, metavar="IN.elf")
@click.option("-o", "--output", type=FILE, required=True, metavar="OUT.elf", help="The image to write.")
@click.option("--contract", type=FILE, metavar="TOML", help="What a kernel promises; programs need none.")
@click.option("--move", is_flag=True, help="Place every function elsewhere; fill the old text with int3.")
@click.option("--count", is_flag=True, help="Count executions of blocks and edges, under __hotpath_counts.")
def rewrite(source: Path, output: Path, contract: Path | None, move: bool, count: bool) -> int:
    """Rewrite a static i386 ELF that was linked with --emit-relocs.

    Without options the image written behaves as the one read, every function at its address.
    """
    from rewriter.contract import Contract
    from rewriter.elf import emit, load
    from rewriter.probes.counters import insert_counters

    text = "" if contract is None else _text(contract)
    with errors_in_one_line(contract):
        promises = Contract.parse(text)
    image = files.read(source)
    with errors_in_one_line(source):
        program = load(image, promises)
        pinned = sum(bool(function.pins) for function in program.functions)
        account = f"{len(program.functions):,} functions, {pinned:,} of them pinned"
        if count:
            counters = insert_counters(program, promises)
            account += f"; {counters.handled:,} counted by {counters.size:,} bytes of counters"
        written = emit(program, move=move)
    files.write(output, written, like=source)
    click.echo(f"{output}: {account}")
    return exits.OK


def _text(path: Path) -> str:
    try:
        return files.read(path).decode()
    except UnicodeDecodeError:
        raise exits.Wrong(f"{path}: not a text file") from None
