"""`hotpath rewrite`: any i386 ELF with relocations, read and written again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui import choices, exits, files
from tui.system import errors_in_one_line, toy

if TYPE_CHECKING:
    from rewriter.contract import Contract

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Read and write any i386 ELF with relocations.")
@click.argument("source", type=FILE, metavar="IN.elf")
@click.option("-o", "--output", type=FILE, required=True, metavar="OUT.elf", help="The image to write.")
@click.option("--contract", type=FILE, metavar="TOML", help="What a kernel promises; programs need none.")
@click.option(
    "--profile", type=FILE, metavar="FILE", help="What runs of this kernel taught, as `run --save` writes it."
)
@click.option("--pass", "passes", multiple=True, metavar="NAME", help="Specialize a kernel with this pass; repeatable.")
@click.option("--move", is_flag=True, help="Place every function elsewhere; fill the old text with int3.")
@click.option("--count", is_flag=True, help="Count executions of blocks and edges, under __hotpath_counts.")
def rewrite(
    source: Path,
    output: Path,
    contract: Path | None,
    profile: Path | None,
    passes: tuple[str, ...],
    move: bool,
    count: bool,
) -> int:
    """Rewrite a static i386 ELF that was linked with --emit-relocs.

    Without options the image written behaves as the one read, every function at its address.  With passes, which need
    a kernel's profile and contract, it gets new system calls for the programs that come with Hotpath.

    What a contract can say (exception tables, stubs, functions that stay) is in tutorials/contracts.
    """
    if passes and (profile is None or contract is None):
        raise exits.Wrong("a pass needs --profile and --contract")
    if passes and (move or count):
        raise exits.Wrong("--pass goes with neither --move nor --count")
    from rewriter.elf import emit, load
    from rewriter.probes.counters import insert_counters

    promises = read_contract(contract)
    image = files.read(source)
    if passes and profile is not None:
        written, sentence = _specialized(source, image, promises, profile, passes)
        files.write(output, written, like=source)
        click.echo(f"{output}: {sentence}")
        return exits.OK
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


def _specialized(
    source: Path, image: bytes, promises: Contract, profile: Path, passes: tuple[str, ...]
) -> tuple[bytes, str]:
    """The kernel with new system calls, and what was done; nothing is run.  Raises Wrong."""
    from rewriter.options import Options
    from rewriter.phases.order import ALL_PASSES
    from rewriter.pipeline import run

    choices.check_passes(passes)
    left_out = frozenset(ALL_PASSES) - set(passes)
    options = Options(forgiving=True, profile=choices.profile_in(profile), without=left_out, until="layout")
    with errors_in_one_line(source):
        results = {r.name: r for r in run(options, replace(toy(), kernel=image, contract=promises, one_unit=None))}
    return results["layout"].files["kernel.specialized.elf"], results["layout"].sentence


def read_contract(path: Path | None) -> Contract:
    """The promises in a file, none without one.  Raises Wrong."""
    from rewriter.contract import Contract

    text = "" if path is None else _text(path)
    with errors_in_one_line(path):
        return Contract.parse(text)


def _text(path: Path) -> str:
    try:
        return files.read(path).decode()
    except UnicodeDecodeError:
        raise exits.Wrong(f"{path}: not a text file") from None
