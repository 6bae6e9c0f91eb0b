"""Which calls inside the kernel are watched for what they pass (§4.2), and what was seen of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.summary import FRAME, Summary
from rewriter.analysis.value import WORD
from rewriter.ir import Program
from rewriter.options import Options, System
from rewriter.passes.heat import COLD_BELOW
from rewriter.probes.arguments import WORDS, ArgumentTables, insert_argument_tables
from rewriter.profile import Arguments
from rewriter.report import Table
from rewriter.variants import common_numbers

TABLES: Final = 1024  # of calls whose arguments are noted, each less than 400 bytes: the heaviest


def argument_tables(
    options: Options,
    system: System,
    kernel: Program,
    depths: Depths,
    counts: Mapping[str, int],
    callees: Sequence[str],
    least: int,
) -> ArgumentTables | None:
    """Insert tables of what those direct calls of the functions `callees` pass that are made often enough to be inlined
    into a system call that is made `least` times; None where the kernel has no place to write them to, or as published:
    §5 says that arguments of system calls were profiled.  `counts`: executions of blocks."""
    promise = system.contract.kprofile
    if options.as_published or promise is None or "values" not in promise.types:
        return None
    words = {name: n for name in callees if (n := _stack_arguments(depths.of(name)))}
    index, sites = depths.index, dict[str, int]()
    often = {label for label, count in counts.items() if count and count >= least * COLD_BELOW}
    for block in (index.blocks[label] for label in sorted(often & index.blocks.keys())):
        callee = index.callee(block.insns[-1]) if block.insns else None
        if callee in words and not index.owners[block.label].pins:
            sites[block.label] = words[callee]
    heaviest = sorted(sites, key=lambda site: (-counts[site], site))[:TABLES]
    return insert_argument_tables(
        kernel,
        system.contract,
        {site: sites[site] for site in heaviest},
        table_size=options.table_size,
        clean_every=options.clean_every,
    )


def _stack_arguments(summary: Summary) -> int:
    """Words above its return address that a function may read, as far as that is known."""
    use = summary.use_depth
    return min(use // WORD - 1, WORDS) if use is not None and WORD < use < FRAME else 0


def value_table(values: Mapping[str, Mapping[Arguments, int]], index: Index) -> Table:
    """What hardly varies, by call."""
    rows = []
    for site, groups in sorted(values.items()):
        block = index.blocks.get(site)
        callee = (index.callee(block.insns[-1]) if block is not None and block.insns else None) or ""
        for n, (value, count) in common_numbers(groups).items():
            rows.append((site, callee, str(n), f"{value:#x}", count, count / sum(groups.values())))
    columns = ("call", "function", "argument", "value", "calls", "share")
    return Table("Arguments of calls inside that hardly vary", columns, tuple(rows), detail=True)
