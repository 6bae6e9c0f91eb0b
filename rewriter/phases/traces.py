"""Phase 4, traces (§3.1–3.3): probes at hot entries of the original kernel walk the stack and keep call traces.

Where to look is decided by θ over the whole training set, as in §3.2, and beside it by frequency: a call like
lseek is frequent but so cheap that the block moves of read hide it from θ.  A function that is entered at least as
often as the rarest of the chosen system calls is made may lie on its path, and is traced, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from rewriter.analysis.gates import handlers, is_indirect
from rewriter.analysis.graph import Index
from rewriter.elf import emit
from rewriter.options import Options, System
from rewriter.phases.call_tree import call_trees, ways
from rewriter.phases.count import Counted, profiled
from rewriter.phases.load import Loaded, kind
from rewriter.phases.values import Values
from rewriter.probes.stack_walk import insert_stack_walk
from rewriter.probes.traces import Totals, plausible
from rewriter.profile import Trace
from rewriter.report import PhaseResult, Table
from rewriter.variants import Variant

# A walk takes some thousand instructions, and the shortest traced functions ten: a call that reads its arguments by
# bytes (`execve` of 128 KiB) takes so many times as long.
PATIENCE = 200


@dataclass(frozen=True, slots=True)
class Traced:
    traces: tuple[Trace, ...]  # plausible ones, of all traced functions
    noise: tuple[Trace, ...]  # those that cannot have happened
    totals: Mapping[str, Totals]


def run(
    options: Options,
    system: System,
    loaded: Loaded,
    observed: Values,
    counted: Counted,
    cancelled: Callable[[], bool],
) -> tuple[Traced, PhaseResult]:
    """Insert the probes, run the training set again, read the tables through kprofile; or take what an earlier profile
    says."""
    kernel = loaded.kernel.copy()
    points = _points(loaded, counted, observed.choice.variants)
    stacks = insert_stack_walk(
        kernel, system.contract, points, table_size=options.table_size, clean_every=options.clean_every
    )
    image = emit(kernel)
    calls = observed.depths.graph
    if options.profile is not None:
        found, totals = list(options.profile.traces), dict[str, Totals]()
    else:
        work = system.work(profiled(options.commands, "stacks"))
        ran = system.machine.run(image, work, patience=PATIENCE, cancelled=cancelled)
        frame = ran.profile[stacks.type] if stacks.type is not None else b""
        found, totals = stacks.read(frame), stacks.totals(frame)
    good = tuple(t for t in found if plausible(t, calls))
    noise = tuple(t for t in found if not plausible(t, calls))
    names = {handler: observed.names[n] for n, handler in handlers(loaded.kernel, system.contract).items()}
    trees = call_trees(good, names, calls, _entries(loaded, counted))
    entries = sum(t.entries for t in totals.values()) or sum(t.count for t in found)
    return Traced(good, noise, totals), PhaseResult(
        "traces",
        "§3.1–3.3",
        f"{len(good)} call traces lead to {len(stacks.functions)} functions; "
        f"{sum(t.count for t in noise)} of {entries:,} entries were noise.",
        0.0,
        len(stacks.functions),
        {kind(reason): count for reason, count in sorted(stacks.refused.items())},
        {
            "hot_traces": [_row(t, calls.index) for t in _hottest(good)],
            "hot_paths": {name: [way.row() for way in ways(tree.root)] for name, tree in trees.items()},
            "traced": list(stacks.functions),
            "tables": {n: asdict(t) for n, t in totals.items()},
        },
        (_trace_table(good, calls.index), _total_table(totals)),
        trees=tuple(trees.values()),
        files={"kernel.tracing.elf": image},
    )


def _points(loaded: Loaded, counted: Counted, variants: Sequence[Variant]) -> tuple[str, ...]:
    """The functions to trace, heaviest first."""
    rarest = min((v.calls for v in variants), default=None)
    entries = _entries(loaded, counted)
    frequent = {name for name, n in entries.items() if rarest is not None and n >= rarest}
    chosen = frequent | set(counted.hot)
    return tuple(sorted(chosen, key=lambda name: (-counted.weights.get(name, 0), name)))


def _entries(loaded: Loaded, counted: Counted) -> dict[str, int]:
    return {f.name: counted.blocks.get(f.blocks[0].label, 0) for f in loaded.kernel.functions}


def _hottest(traces: Sequence[Trace]) -> list[Trace]:
    return sorted(traces, key=lambda t: (-t.count, t.function, t.sites))


def _row(trace: Trace, index: Index) -> dict[str, object]:
    indirect = [is_indirect(index.blocks[site]) for site in trace.sites]
    return {"function": trace.function, "trace": list(trace.sites), "indirect": indirect, "count": trace.count}


def _trace_table(traces: Sequence[Trace], index: Index) -> Table:
    rows = tuple((t.function, _sites(t, index), t.count) for t in _hottest(traces)[:40])
    return Table("Call traces, innermost call first", ("function", "call sites", "count"), rows)


def _sites(trace: Trace, index: Index) -> str:
    return " ".join(f"{'⇠' if is_indirect(index.blocks[site]) else '←'} {site}" for site in trace.sites)


def _total_table(totals: Mapping[str, Totals]) -> Table:
    rows = tuple((name, t.entries, t.discarded, t.evicted) for name, t in totals.items())
    return Table(
        "Tables T_f: entries = counts + discarded + evicted", ("function", "entries", "discarded", "evicted"), rows
    )
