"""Phase 3, count (§2 step 2, §3.2): counters in the kernel's own code, and from them the hot functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rewriter.elf import emit
from rewriter.ir import Program
from rewriter.options import Options, System
from rewriter.phases.load import Loaded, kind
from rewriter.probes.counters import insert_counters
from rewriter.profile import Edge, function_weights, hot
from rewriter.report import PhaseResult, Table

START, WRITE = "start", "write"


PATIENCE = 10  # a counted block takes at most so many times as long


@dataclass(frozen=True, slots=True)
class Counted:
    blocks: Mapping[str, int]  # executions by label
    edges: Mapping[Edge, int]
    weights: Mapping[str, int]  # m·n summed over a function's blocks, by name
    hot: tuple[str, ...]  # heaviest first


def run(options: Options, system: System, loaded: Loaded, cancelled: Callable[[], bool]) -> tuple[Counted, PhaseResult]:
    """Insert counters, run the training set on the instrumented kernel, read them out through kprofile; or take what
    an earlier profile says."""
    kernel = loaded.kernel.copy()
    counters = insert_counters(kernel, system.contract)
    image = emit(kernel)
    pinned = _leaders(loaded.kernel)
    if options.profile is not None:
        blocks, edges, elsewhere = dict(options.profile.blocks), dict(options.profile.edges), 0
    else:
        work = system.work(profiled(options.commands, "blocks", "edges"))
        observed = system.machine.run(image, work, watch=pinned, patience=PATIENCE, cancelled=cancelled)
        blocks, edges = counters.read(observed.profile)
        elsewhere = sum(pinned[address] * times for address, times in observed.executed.items() if address in pinned)
    weights = function_weights(loaded.kernel, blocks)
    chosen = hot(weights, options.theta)
    total = sum(weights.values())
    return Counted(blocks, edges, weights, chosen), PhaseResult(
        "count",
        "§3.2",
        f"{len(chosen)} of {len(kernel.functions)} functions execute {options.theta:.0%} of the kernel's "
        f"{total:,} instructions; {elsewhere / max(1, total + elsewhere):.2%} ran in pinned code, boot included.",
        0.0,
        counters.handled,
        _kinds(counters.refused),
        {
            "hot_functions": list(chosen),
            "instructions": total,
            "pinned_share": round(elsewhere / max(1, total + elsewhere), 6),
        },
        (_hot_table(loaded.kernel, weights, chosen, total), _block_table(loaded.kernel, blocks, total)),
        files={"kernel.counting.elf": image},
    )


def _leaders(kernel: Program) -> dict[int, int]:
    """Blocks of pinned functions, which have no counters and keep their addresses: instructions by address."""
    return {
        block.insns[0].origin: len(block.insns)
        for function in kernel.functions
        if function.pins and not function.verbatim
        for block in function.blocks
        if block.insns and block.insns[0].origin is not None
    }


def profiled(commands: tuple[str, ...], *types: str) -> tuple[str, ...]:
    """The training set between a `kprofile start` and a `kprofile write` of these types."""
    names = " ".join(types)
    return (f"kprofile {START} {names}", *commands, f"kprofile {WRITE} {names}")


def _kinds(refused: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for reason, count in refused.items():
        found[kind(reason)] = found.get(kind(reason), 0) + count
    return dict(sorted(found.items()))


def _hot_table(kernel: Program, weights: Mapping[str, int], chosen: tuple[str, ...], total: int) -> Table:
    rows, covered = [], 0
    for name in chosen:
        covered += weights[name]
        rows.append((name, weights[name], weights[name] / total, covered / total))
    return Table("Hot functions", ("function", "instructions", "share", "covered"), tuple(rows))


def _block_table(kernel: Program, blocks: Mapping[str, int], total: int) -> Table:
    sizes = {b.label: len(b.insns) for f in kernel.functions for b in f.blocks}
    heaviest = sorted(blocks, key=lambda label: (-blocks[label] * sizes.get(label, 0), label))[:20]
    rows = tuple((b, sizes[b], blocks[b], sizes[b] * blocks[b], sizes[b] * blocks[b] / total) for b in heaviest)
    return Table("Heaviest blocks", ("block", "instructions", "executions", "weight", "share"), rows)
