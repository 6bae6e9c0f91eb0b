"""Phase 4, traces (§3.1–3.3): probes at hot entries of the original kernel walk the stack and keep call traces.

Where to look is decided by θ over the whole training set, as in §3.2, and beside it by frequency: a call like
lseek is frequent but so cheap that the block moves of read hide it from θ.  A function that is entered at least as
often as the rarest of the chosen system calls is made may lie on its path, and is traced, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from rewriter.analysis.body import Body
from rewriter.analysis.gates import handlers, is_indirect
from rewriter.analysis.graph import Index
from rewriter.analysis.operations import Point, calls_pointer, pointer_loads
from rewriter.elf import data_at, emit
from rewriter.ir import Program
from rewriter.options import Options, System
from rewriter.phases.call_tree import call_trees, ways
from rewriter.phases.count import Counted, profiled
from rewriter.phases.load import Loaded, kind
from rewriter.phases.passed import argument_tables, value_table
from rewriter.phases.values import Values
from rewriter.probes.pointers import PointerTables, insert_pointer_tables
from rewriter.probes.stack_walk import insert_stack_walk
from rewriter.probes.traces import Totals, plausible
from rewriter.profile import Arguments, Place, Trace
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
    pointers: Mapping[Place, Mapping[Place, int]] = field(default_factory=dict)  # what led to tables of operations
    values: Mapping[str, Mapping[Arguments, int]] = field(default_factory=dict)  # what calls inside pass, by site


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
    least = _least(observed.choice.variants)
    tables = argument_tables(options, system, kernel, observed.depths, counted.blocks, points, least)
    stacks = insert_stack_walk(
        kernel,
        system.contract,
        points,
        table_size=options.table_size,
        clean_every=options.clean_every,
        told=tables.told if tables is not None else None,
    )
    watched = _watch(options, system, kernel, observed, counted) if stacks.type is not None else None
    image = emit(kernel)
    calls = observed.depths.graph
    pointers: Mapping[Place, Mapping[Place, int]] = {}
    values: Mapping[str, Mapping[Arguments, int]] = {}
    if options.profile is not None:
        found, totals = list(options.profile.traces), dict[str, Totals]()
        pointers, values = options.profile.pointers, options.profile.values
    else:
        work = system.work(profiled(options.commands, "stacks", *(["values"] if tables is not None else [])))
        ran = system.machine.run(image, work, patience=PATIENCE, cancelled=cancelled)
        frame = ran.profile[stacks.type] if stacks.type is not None else b""
        found, totals = stacks.read(frame[: stacks.size]), stacks.totals(frame[: stacks.size])
        if tables is not None and tables.type is not None:
            values = tables.read(ran.profile[tables.type])
        if watched is not None and watched.points:
            pointers = {(p.label, p.position): words for p, words in watched.read(frame, data_at(image)).items()}
    good = tuple(t for t in found if plausible(t, calls))
    noise = tuple(t for t in found if not plausible(t, calls))
    names = {handler: observed.names[n] for n, handler in handlers(loaded.kernel, system.contract).items()}
    trees = call_trees(good, names, calls, _entries(loaded, counted))
    entries = sum(t.entries for t in totals.values()) or sum(t.count for t in found)
    return Traced(good, noise, totals, pointers, values), PhaseResult(
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
        (
            _trace_table(good, calls.index),
            _total_table(totals),
            value_table(values, calls.index),
            _pointer_table(pointers, loaded, counted),
        ),
        trees=tuple(trees.values()),
        files={"kernel.tracing.elf": image},
    )


def _watch(
    options: Options, system: System, kernel: Program, observed: Values, counted: Counted
) -> PointerTables | None:
    """Note which tables the calls go through that are made as often as the rarest of the chosen system calls."""
    if options.as_published:
        return None
    least, depths = _least(observed.choice.variants), observed.depths
    found = dict[Point, None]()
    for function in depths.index.program.functions:
        calls = [b.label for b in function.blocks if 0 < least <= counted.blocks.get(b.label, 0) and calls_pointer(b)]
        if calls and not function.pins:
            values = Body(depths, function.name).values
            found |= dict.fromkeys(p for label in calls if label in values.states for p in pointer_loads(values, label))
    return insert_pointer_tables(
        kernel,
        system.contract,
        depths.index,
        tuple(found),
        "stacks",
        table_size=options.table_size,
        clean_every=options.clean_every,
    )


def _points(loaded: Loaded, counted: Counted, variants: Sequence[Variant]) -> tuple[str, ...]:
    """The functions to trace, heaviest first."""
    least, entries = _least(variants), _entries(loaded, counted)
    frequent = {name for name, n in entries.items() if 0 < least <= n}
    chosen = frequent | set(counted.hot)
    return tuple(sorted(chosen, key=lambda name: (-counted.weights.get(name, 0), name)))


def _least(variants: Sequence[Variant]) -> int:
    """How often the rarest of the chosen system calls is made; 0 where none is chosen."""
    return min((v.calls for v in variants), default=0)


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


def _pointer_table(pointers: Mapping[Place, Mapping[Place, int]], loaded: Loaded, counted: Counted) -> Table:
    """By load: the table that it finds most often, and its share."""
    names = {(s.target, s.offset): s.name for s in loaded.kernel.symbols if s.kind == "object"}
    rows = []
    for (label, position), words in pointers.items():
        place, count = max(words.items(), key=lambda item: (item[1], item[0]))
        times = max(counted.blocks.get(label, 0), sum(words.values()), 1)
        name = names.get(place, f"{place[0]}+{place[1]:#x}")
        rows.append((-times, (f"{label}+{position}", name, len(words), times, count / times)))
    columns = ("load", "most often", "tables", "executed", "share")
    return Table("Tables of operations that calls go through", columns, tuple(row for _, row in sorted(rows)))
