"""Phase 9, measure (§5, Figs 5–7): the same work on both kernels; behavior first, then instructions and cycles.

The n-th call of one run is the n-th of the other.  Means are over all calls of one (name, result class), with
failing guards, without the first repetition of the outer loop, which warms caches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from rewriter.behavior import MASKED, Difference, checked, differences, result_class
from rewriter.options import Options, System
from rewriter.phases.layout import Laid
from rewriter.report import Cell, PhaseResult, Table
from rewriter.run import Call, Run
from rewriter.variants import Variant

Class = tuple[str, str]  # name of the call, result class


@dataclass(frozen=True, slots=True)
class Measured:
    original: Run
    specialized: Run
    one_unit: Run | None
    differences: tuple[Difference, ...]


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

    def boot(image: bytes, images: Mapping[str, bytes], check: bool = True) -> Run:
        work = system.work(options.commands, images)
        return system.machine.run(image, work, measure=True, check=check, cancelled=cancelled)

    progress("original kernel")
    original = boot(system.kernel, {})
    progress("specialized kernel")
    specialized = boot(laid.kernel, programs)
    progress("one-unit kernel")
    one_unit = boot(system.one_unit, {}, check=False) if system.one_unit is not None else None
    found = tuple(differences(original, specialized))
    measured = Measured(original, specialized, one_unit, found)
    costs = _costs(measured, variants, names)
    steps: list[tuple[str, Run]] = []
    for group, image in laid.prefixes:
        progress(f"what {group} bought")
        steps.append((group, boot(image, programs, check=False)))
    ledger = _ledger(measured, steps, [cost for cost in costs if cost.variants], names)
    refused = {f"{d.what} differ": 1 for d in found}
    return measured, PhaseResult(
        "measure",
        "§5",
        _sentence(original, found, costs),
        0.0,
        len(original.calls),
        refused,
        {
            "syscalls": {cost.name: cost.row() for cost in costs},
            "behavior": {"same": not found, "checked": checked(original)},
            "differences": [f"{d.what}: {d.detail}" for d in found],
            "masked": MASKED,
            "ledger": ledger,
            "kernel_instructions": [original.instructions, specialized.instructions],
        },
        (_table(costs), _ledger_table(ledger), _classes(measured, names)),
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


def _sentence(original: Run, found: Sequence[Difference], costs: Sequence[Cost]) -> str:
    if found:
        return f"The kernels do not behave the same, so no figure counts: {found[0].detail}."
    changes = [f"{cost.name} {cost.change:+.1%}" for cost in costs if cost.variants]
    failed = "; ".join(f"`{line}` ended with status {status}" for line, status in original.exits if status)
    note = f"  Both times, {failed}." if failed else ""
    return f"Both kernels did the same; kernel instructions of a call: {', '.join(changes) or 'unchanged'}.{note}"


def by_class(run: Run, names: Mapping[int, str], originals: Sequence[Call]) -> dict[Class, list[Call]]:
    """The calls of a run by name and result class, named as the n-th call of the original run is.

    Left out is the first repetition: the first call of every class, where there are more.
    """
    found: dict[Class, list[Call]] = defaultdict(list)
    for call, original in zip(run.calls, originals, strict=False):
        found[names.get(original.number, str(original.number)), result_class(original)].append(call)
    return {key: calls[1:] or calls for key, calls in sorted(found.items())}


def _costs(measured: Measured, variants: Sequence[Variant], names: Mapping[int, str]) -> tuple[Cost, ...]:
    base = measured.original.calls
    before, after = by_class(measured.original, names, base), by_class(measured.specialized, names, base)
    one_unit = by_class(measured.one_unit, names, base) if measured.one_unit else {}
    return tuple(
        _cost(key, before, after, one_unit, measured, variants, names) for key in _commonest(before) if key in after
    )


def _commonest(classes: Mapping[Class, Sequence[Call]]) -> list[Class]:
    """For every name the class with the most calls."""
    best: dict[str, Class] = {}
    for key, calls in classes.items():
        rank = (len(calls), key[1] != "error")
        if key[0] not in best or rank > (len(classes[best[key[0]]]), best[key[0]][1] != "error"):
            best[key[0]] = key
    return list(best.values())


def _cost(
    key: Class,
    before: Mapping[Class, Sequence[Call]],
    after: Mapping[Class, Sequence[Call]],
    one_unit: Mapping[Class, Sequence[Call]],
    measured: Measured,
    variants: Sequence[Variant],
    names: Mapping[int, str],
) -> Cost:
    numbers = {name: number for number, name in names.items()}
    return Cost(
        key[0],
        numbers.get(key[0], -1),
        key[1],
        sum(names.get(call.number) == key[0] for call in measured.original.calls),
        len(before[key]),
        (_mean(c.instructions for c in before[key]), _mean(c.instructions for c in after[key])),
        (_mean(c.cycles for c in before[key]), _mean(c.cycles for c in after[key])),
        _mean(c.instructions for c in one_unit[key]) if key in one_unit else None,
        tuple(_variant(v, measured) for v in variants if names.get(v.call) == key[0]),
    )


def _mean(values: Iterable[int]) -> float:
    return round(fmean(values), 3)


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


def _ledger(
    measured: Measured, steps: Sequence[tuple[str, Run]], costs: Sequence[Cost], names: Mapping[int, str]
) -> dict[str, dict[str, int]]:
    """Instructions of all calls of each new system call's commonest class, in the original kernel, then the change
    by each group of passes, then in the specialized kernel: the first plus the changes is the last, exactly."""
    base = measured.original.calls
    runs = [("original", measured.original), *steps, ("layout", measured.specialized)]
    sums = []
    for group, run in runs:
        classes = by_class(run, names, base)
        sums.append((group, {c.name: sum(call.instructions for call in classes[c.name, c.result]) for c in costs}))
    found: dict[str, dict[str, int]] = {}
    for cost in costs:
        row = {"calls": cost.measured, "original": sums[0][1][cost.name]}
        for (_, before), (group, after) in pairwise(sums):
            row[group] = after[cost.name] - before[cost.name]
        found[cost.name] = {**row, "specialized": sums[-1][1][cost.name]}
    return found


def _ledger_table(ledger: Mapping[str, Mapping[str, int]]) -> Table:
    """The ledger in instructions of one call."""
    columns = list(next(iter(ledger.values()), {"calls": 0}))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, row["calls"], *(round(row[column] / row["calls"], 2) for column in columns[1:]))
        for name, row in ledger.items()
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


def _classes(measured: Measured, names: Mapping[int, str]) -> Table:
    base = measured.original.calls
    before, after = by_class(measured.original, names, base), by_class(measured.specialized, names, base)
    rows: list[tuple[Cell, ...]] = []
    for key, calls in before.items():
        iterations = Counter(c.iterations for c in calls).most_common(1)[0][0]
        means = [_mean(c.instructions for c in cs) if cs else 0.0 for cs in (calls, after.get(key, []))]
        rows.append((*key, len(calls), *means, iterations))
    columns = ("call", "result", "calls", "before", "after", "rep iterations")
    return Table("Every result class", columns, tuple(rows))
