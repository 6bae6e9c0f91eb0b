"""`hotpath specialize --explain FUNCTION`: what the stack analyses know of one function (§4.2).  Nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from rewriter.report import Table
from tui import document, exits, system

if TYPE_CHECKING:
    from rewriter.analysis.elsewhere import Elsewhere
    from rewriter.analysis.explain import Explanation
    from rewriter.analysis.summary import Summary

WORD = 4
EXPLAIN = click.option(
    "--explain",
    metavar="FUNCTION",
    help="Run nothing: show what the stack analyses know of a function of the kernel, or of a program (cat:main).",
)


def explained(function: str, *, as_published: bool, as_json: bool, plain: bool) -> int:
    """Print what is known of the function; `as_published`: believe no fact of the contract.  Raises Wrong."""
    image, found = _found(function, as_published)
    if as_json:
        click.echo(document.text(_document(image, found)))
    else:
        _print(found, plain)
    return exits.OK


def _found(function: str, as_published: bool) -> tuple[str, Explanation]:
    """The image in which the function is, and what is known of it.  Raises Wrong."""
    from rewriter.analysis.depths import Depths
    from rewriter.analysis.explain import Explainer
    from rewriter.analysis.graph import Index
    from rewriter.contract import Contract
    from rewriter.elf import load

    toy = system.toy()
    image, _, name = function.rpartition(":")
    if image:
        system.known([image], toy.programs)
    raw, contract = (toy.programs[image], Contract()) if image else (toy.kernel, toy.contract)
    index = Index(load(raw, contract))
    if name not in index.functions:
        near = get_close_matches(name, index.functions, 1)
        hint = f"; there is {near[0]}" if near else ""
        raise exits.Wrong(f"no function of {image or 'the kernel'} is called {name!r}{hint}")
    return image or "kernel", Explainer(Depths(index, contract, facts=not as_published)).explain(name)


# For people


def _print(found: Explanation, plain: bool) -> None:
    from rich.text import Text

    from tui import render
    from tui.paper import Paper

    paper = Paper(plain)
    paper.print(Text("\n".join(_sentences(found))))
    for table in _tables(found):
        paper.print(render.table(table, paper.look(detail=True)))


def _sentences(found: Explanation) -> Iterator[str]:
    size = "an unknown number of" if found.size is None else f"{found.size:,}"
    yield f"{found.name} goes {size} bytes below its return address."
    if found.chain or found.reason:
        why = found.reason.removeprefix(f"{found.chain[-1]}: ") if found.chain else found.reason
        yield f"{' → '.join(found.chain) or found.name}: {why}"
    yield from (f"It stays in its place: {pin}" for pin in found.pins)


def _tables(found: Explanation) -> Iterator[Table]:
    pair = (found.own, found.summary)
    yield Table(
        "What a caller sees",
        ("", "its own instructions", "with its callees"),
        (
            ("use depth", *(depth_in_words(summary.use_depth) for summary in pair)),
            ("kill depth", *(depth_in_words(summary.kill_depth) for summary in pair)),
            ("pops", *("unknown" if summary.pops is None else f"{summary.pops} bytes" for summary in pair)),
            ("comes back", *("yes" if summary.returns else "no" for summary in pair)),
            ("reads", *(_registers(summary.reads) for summary in pair)),
            ("changes", *(_registers(summary.clobbers) for summary in pair)),
        ),
    )
    blocks = tuple((label, "unknown" if esp is None else f"{esp}") for label, esp in found.esp.items())
    yield Table("Where esp is at the top of each block, from the entry", ("block", "esp"), blocks)
    if found.escapes:
        rows = ((_range(touched), label) for touched, label in found.escapes.items())
        yield Table("Bytes of the stack whose address escapes", ("bytes", "first in"), tuple(rows))
    memory = tuple(_memory(found.memory, found.memory_below))
    if memory:
        yield Table("Other memory", ("memory", "its own instructions", "with its callees"), memory)


def depth_in_words(depth: int | None) -> str:
    """4 is the return address alone."""
    from rewriter.analysis.summary import FRAME

    if depth is None or depth >= FRAME:
        return "unbounded" if depth is None else "all arguments"
    arguments = (depth - 1) // WORD
    return f"{depth} (arguments: {arguments})" if arguments else f"{depth}"


def _registers(mask: int) -> str:
    from rewriter.x86.effects import FLAGS, names

    found = [*names(mask & ~FLAGS), *(["flags"] if mask & FLAGS else [])]
    return ", ".join(found) or "nothing"


def _range(touched: tuple[int, int]) -> str:
    from rewriter.analysis.state import EVERYTHING

    return "anywhere" if touched == EVERYTHING else f"{touched[0]} … {touched[1] - 1}"


def _memory(mine: Elsewhere, all_: Elsewhere) -> Iterator[tuple[str, str, str]]:
    for name in sorted(all_.reads | all_.writes):
        yield name, _access(name, mine), _access(name, all_)
    for name in sorted(all_.besides):
        yield name, "yes" if name in mine.besides else "", "yes"


def _access(name: str, memory: Elsewhere) -> str:
    return ", ".join(word for word, names in (("read", memory.reads), ("written", memory.writes)) if name in names)


# For programs


def _document(image: str, found: Explanation) -> dict[str, Any]:
    """`hotpath.explain/1`: depths are numbers, "arguments" (all of them) or null (unbounded)."""
    return {
        "schema": "hotpath.explain/1",
        "image": image,
        "function": found.name,
        "pins": list(found.pins),
        "frame": {"size": found.size, "esp": found.esp},
        "own": _summary(found.own),
        "with_callees": _summary(found.summary),
        "chain": list(found.chain),
        "reason": found.reason,
        "escapes": [
            {"bytes": None if _range(touched) == "anywhere" else list(touched), "block": label}
            for touched, label in found.escapes.items()
        ],
        "memory": {"own": _elsewhere(found.memory), "with_callees": _elsewhere(found.memory_below)},
    }


def _summary(summary: Summary) -> dict[str, Any]:
    from rewriter.x86.effects import names

    return {
        "use_depth": _number(summary.use_depth),
        "kill_depth": _number(summary.kill_depth),
        "pops": summary.pops,
        "returns": summary.returns,
        "reads": list(names(summary.reads)),
        "changes": list(names(summary.clobbers)),
    }


def _number(depth: int | None) -> int | str | None:
    from rewriter.analysis.summary import FRAME

    return "arguments" if depth is not None and depth >= FRAME else depth


def _elsewhere(memory: Elsewhere) -> dict[str, list[str]]:
    return {"reads": sorted(memory.reads), "writes": sorted(memory.writes), "besides": sorted(memory.besides)}
