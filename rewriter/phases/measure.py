"""Phase 9, measure (§5, Figs 5–7): the same work on both kernels; behavior first, then instructions and cycles.

Means are over all calls of one (name, result class), with failing guards, without the first repetition of the outer
loop, which warms caches; see `costs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rewriter.behavior import MASKED, Difference, checked, differences, keyed
from rewriter.options import Options, System
from rewriter.phases.costs import MOST_USED, TOLERATED, Dearer, Groups, dearer, groups, mean, of
from rewriter.phases.layout import Laid
from rewriter.phases.order import GROUPS
from rewriter.report import Cell, PhaseResult, Table
from rewriter.run import Run
from rewriter.variants import Variant


@dataclass(frozen=True, slots=True)
class Measured:
    original: Run
    specialized: Run
    one_unit: Run | None
    differences: tuple[Difference, ...]
    groups: Groups


def run(
    options: Options,
    system: System,
    laid: Laid,
    programs: Mapping[str, bytes],
    variants: Sequence[Variant],
    names: Mapping[int, str],
    progress: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> tuple[Measured, PhaseResult]:
    """Boot both kernels, each with its programs, uninstrumented; and the one-unit kernel as a reference."""

    def boot(what: str, image: bytes, images: Mapping[str, bytes], whole: bool = True) -> Run:
        """`whole`: with digests of memory, and with cycles."""
        progress(what)
        work = system.work(options.commands, images)
        return system.machine.run(image, work, measure=True, cycles=whole, check=whole, cancelled=cancelled)

    original = boot("original kernel", system.kernel, {})
    specialized = boot("specialized kernel", laid.kernel, programs)
    one_unit = boot("one-unit kernel", system.one_unit, {}, whole=False) if system.one_unit is not None else None
    found = tuple(differences(original, specialized))
    measured = Measured(original, specialized, one_unit, found, groups(original, specialized, names))
    steps = [(group, boot(f"what {group} bought", image, programs, whole=False)) for group, image in laid.prefixes]
    return measured, _result(measured, steps, _costs(measured, variants, names))


def _result(measured: Measured, steps: Sequence[tuple[str, Run]], costs: Sequence[Cost]) -> PhaseResult:
    original, specialized, grouped = measured.original, measured.specialized, measured.groups
    worse = tuple(dearer(original, specialized, grouped))
    ledger = _ledger(measured, steps, [cost for cost in costs if cost.variants])
    return PhaseResult(
        "measure",
        "§5",
        _sentence(original, measured.differences, costs, worse),
        0.0,
        len(original.calls),
        {f"{d.what} differ": 1 for d in measured.differences},
        {
            "syscalls": {cost.name: cost.row() for cost in costs},
            "behavior": {"same": not measured.differences, "checked": checked(original)},
            "differences": [f"{d.what}: {d.detail}" for d in measured.differences],
            "masked": MASKED,
            "unlike": [[*key, count] for key, count in grouped.unlike.items()],
            "dearer": [[d.program, d.name, d.calls, d.before, d.after] for d in worse],
            "ledger": ledger,
            "ledger_per_call": {name: _per_call(row) for name, row in ledger.items()},
            "kernel_instructions": [original.instructions, specialized.instructions],
            "processes": len({call.process for call in original.calls}),
        },
        (_table(costs[:MOST_USED]), _ledger_table(ledger), _classes(measured), _dearer(worse), _unlike(grouped)),
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """Means over the calls of one name that ended as most of them did; pairs are original and specialized."""

    name: str
    number: int
    result: str
    calls: int  # of this name, however they ended
    measured: int  # calls that the means are of
    instructions: tuple[float, float]
    cycles: tuple[float, float]
    one_unit: float | None
    variants: tuple[Mapping[str, object], ...]

    @property
    def change(self) -> float:
        before, after = self.instructions
        return (after - before) / before if before else 0.0

    def row(self) -> dict[str, object]:
        return {
            "number": self.number,
            "result": self.result,
            "calls": self.calls,
            "measured": self.measured,
            "instructions": list(self.instructions),
            "cycles": list(self.cycles),
            "one_unit": self.one_unit,
            "variants": [dict(v) for v in self.variants],
        }


def _sentence(original: Run, found: Sequence[Difference], costs: Sequence[Cost], worse: Sequence[Dearer]) -> str:
    if found:
        return f"The kernels do not behave the same, so no figure counts: {found[0].detail}."
    changes = [f"{cost.name} {cost.change:+.1%}" for cost in costs if cost.variants]
    failed = "; ".join(f"`{line}` ended with status {status}" for line, status in original.exits if status)
    note = f"  Both times, {failed}." if failed else ""
    note += f"  Dearer by more than {TOLERATED:.0%}: {_programs(worse)}." if worse else ""
    return f"Both kernels did the same; kernel instructions of a call: {', '.join(changes) or 'unchanged'}.{note}"


def _programs(worse: Sequence[Dearer]) -> str:
    return ", ".join(f"{d.name} in {d.program} {d.change:+.1%}" for d in worse)


def _costs(measured: Measured, variants: Sequence[Variant], names: Mapping[int, str]) -> tuple[Cost, ...]:
    """One a name, the most used first."""
    before, after = keyed(measured.original), keyed(measured.specialized)
    one_unit = keyed(measured.one_unit) if measured.one_unit else {}
    numbers = {name: number for number, name in names.items()}
    found = []
    for name, key in measured.groups.commonest().items():
        keys = measured.groups.measured(key)
        calls = of(before, keys), of(after, keys)
        reference = of(one_unit, keys)
        found.append(
            Cost(
                name,
                numbers.get(name, -1),
                key[1],
                measured.groups.used[name],
                len(keys),
                (mean(c.instructions for c in calls[0]), mean(c.instructions for c in calls[1])),
                (mean(c.cycles for c in calls[0]), mean(c.cycles for c in calls[1])),
                mean(c.instructions for c in reference) if reference else None,
                tuple(_variant(v, measured) for v in variants if names.get(v.call) == name),
            )
        )
    return tuple(found)


def _variant(variant: Variant, measured: Measured) -> dict[str, object]:
    calls = [c for c in measured.specialized.calls if c.number == variant.number]
    guards = dict(variant.guarded)
    return {
        "number": variant.number,
        "constants": {str(i): value for i, value in variant.constants.items()},
        "guarded": bool(guards),
        "calls": len(calls),
        "fallbacks": sum(any(c.arguments[i] != v for i, v in guards.items()) for c in calls),
    }


def _ledger(measured: Measured, steps: Sequence[tuple[str, Run]], costs: Sequence[Cost]) -> dict[str, dict[str, int]]:
    """Instructions of all calls of each new system call's commonest class, in the original kernel, then the change
    by each group of passes, then in the specialized kernel: the first plus the changes is the last, exactly."""
    runs = [("original", measured.original), *steps, (GROUPS[-1], measured.specialized)]
    sums = []
    for group, run in runs:
        calls = keyed(run)
        keys = {c.name: measured.groups.measured((c.name, c.result)) for c in costs}
        sums.append((group, {name: sum(call.instructions for call in of(calls, k)) for name, k in keys.items()}))
    found: dict[str, dict[str, int]] = {}
    for cost in costs:
        row = {"calls": cost.measured, "original": sums[0][1][cost.name]}
        for (_, before), (group, after) in pairwise(sums):
            row[group] = after[cost.name] - before[cost.name]
        found[cost.name] = {**row, "specialized": sums[-1][1][cost.name]}
    return found


def _per_call(row: Mapping[str, int]) -> dict[str, float]:
    """A row of the ledger in instructions of one call."""
    return {column: value / max(row["calls"], 1) for column, value in row.items() if column != "calls"}


def _ledger_table(ledger: Mapping[str, Mapping[str, int]]) -> Table:
    """The ledger in instructions of one call."""
    columns = list(next(iter(ledger.values()), {"calls": 0}))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, row["calls"], *(round(part, 2) for part in _per_call(row).values())) for name, row in ledger.items()
    )
    return Table("What each group of passes bought, in instructions of a call", ("call", *columns), rows)


def _table(costs: Sequence[Cost]) -> Table:
    columns = ("call", "result", "calls", "before", "after", "change", "one unit", "cycles before", "cycles after")
    rows = tuple(
        (
            c.name,
            c.result,
            c.measured,
            *c.instructions,
            f"{c.change:+.1%}",
            "" if c.one_unit is None else c.one_unit,
            *c.cycles,
        )
        for c in costs
    )
    return Table("Kernel instructions of a call, from the gate to the iret", columns, rows)


def _classes(measured: Measured) -> Table:
    """The most used calls, however they ended; those that slept are classes of their own."""
    before, after = keyed(measured.original), keyed(measured.specialized)
    used = measured.groups.names()[:MOST_USED]
    rows: list[tuple[Cell, ...]] = []
    for key in sorted(measured.groups.members, key=lambda k: (used.index(k[0]) if k[0] in used else MOST_USED, k)):
        if key[0] in used:
            keys = measured.groups.measured(key)
            iterations = Counter(c.iterations for c in of(before, keys)).most_common(1)[0][0]
            means = (mean(c.instructions for c in of(calls, keys)) for calls in (before, after))
            rows.append((*key, len(keys), *means, iterations))
    columns = ("call", "result", "calls", "before", "after", "rep iterations")
    return Table("Every result class", columns, tuple(rows))


def _dearer(worse: Sequence[Dearer]) -> Table:
    rows = tuple((d.program, d.name, d.calls, d.before, d.after, f"{d.change:+.1%}") for d in worse)
    columns = ("program", "call", "calls", "before", "after", "change")
    return Table(f"Dearer than before by more than {TOLERATED:.0%}", columns, rows)


def _unlike(grouped: Groups) -> Table:
    rows = tuple((*key, count) for key, count in grouped.unlike.items())
    return Table("Not compared: slept or faulted otherwise than its counterpart", ("call", "result", "calls"), rows)
