"""Phase 5, inline (§4.1, Fig 3): a new system call per frequent call; its hot call traces become one body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rewriter.analysis.depths import Depths
from rewriter.analysis.gates import handlers
from rewriter.analysis.graph import Index
from rewriter.ir import Function
from rewriter.options import Options, System
from rewriter.passes.outcome import Outcome, Remark, total
from rewriter.passes.paths import TARGETS, Path, hot_paths
from rewriter.passes.specialize import Specializer
from rewriter.passes.transform import NAMES, Broken
from rewriter.phases.count import Counted
from rewriter.phases.decisions import call_tables
from rewriter.phases.load import Loaded
from rewriter.phases.order import left_out
from rewriter.phases.traces import Traced
from rewriter.phases.values import Values
from rewriter.profile import Profile, identity
from rewriter.reasons import Reason, Why
from rewriter.report import Listing, PhaseResult, Table
from rewriter.show import listing
from rewriter.variants import Variant

Made = TypeVar("Made")
NAME = "inline"
ONLY_INLINE = frozenset(NAMES) - {NAME}


@dataclass(frozen=True, slots=True)
class Plan:
    """One new system call: which handler it copies, under which name, along which calls."""

    variant: Variant
    handler: str
    name: str
    paths: tuple[Path, ...]
    share: float  # of the handler's executions


@dataclass(frozen=True, slots=True)
class Inlined:
    specializer: Specializer
    profile: Profile
    plans: tuple[Plan, ...]
    refused: tuple[tuple[Plan, Why], ...]  # of whose handlers no copy can be made


def run(
    options: Options,
    system: System,
    loaded: Loaded,
    observed: Values,
    counted: Counted,
    traced: Traced,
    poll: Callable[[], None],
) -> tuple[Inlined, PhaseResult]:
    """Choose the calls to inline below every new system call, and copy them into its body."""
    profile = Profile(
        identity(system.kernel),
        observed.arguments,
        counted.blocks,
        counted.edges,
        tuple(sorted(traced.traces)),
        traced.values,
        pointers=traced.pointers,
    )
    depths = observed.depths
    if options.as_published:
        depths = Depths(Index(loaded.kernel), system.contract, facts=False, poll=poll)
    specializer = Specializer(loaded.kernel, system.contract, profile, as_published=options.as_published, depths=depths)
    wanted = _plans(system, loaded, observed, counted, specializer, profile)
    obstacles = [(plan, specializer.obstacle(plan.handler, plan.variant.call)) for plan in wanted]
    refused = [(plan, Why(Reason.OBSTACLE, reason)) for plan, reason in obstacles if reason is not None]
    whole = [plan for plan, reason in obstacles if reason is None]
    made, broken = unbroken(whole, lambda plan: _inlined(specializer, plan, options), options)
    refused += broken
    done = [(plan, *each) for plan, each in made]
    outcomes = [outcome for _, _, outcome in done] + [no_copy(plan, why) for plan, why in refused]
    remarks = [r for outcome in outcomes for r in outcome.remarks]
    calls = sum(r.kind == "passed" for r in remarks)
    plans = tuple(plan for plan, _ in made)
    return Inlined(specializer, profile, plans, tuple(refused)), PhaseResult(
        "inline",
        "§4.1",
        f"{len(plans)} new system calls; {calls} calls on their hot traces have become part of their bodies.",
        0.0,
        calls,
        refusals(outcomes),
        {"new_calls": [_row(plan) for plan in plans], "remarks": [remark_row(r) for r in remarks]},
        (
            Table("New system calls", ("name", "number", "copies", "calls", "share"), tuple(_cells(p) for p in plans)),
            *call_tables(remarks),
            remark_table("Remarks", remarks),
        ),
        tuple(Listing(plan.name, listing(loaded.kernel.function(plan.handler)), listing(f)) for plan, f, _ in done),
        files={"kernel.profile.json": profile.to_json().encode()},
    )


def _plans(
    system: System, loaded: Loaded, observed: Values, counted: Counted, specializer: Specializer, profile: Profile
) -> list[Plan]:
    names, graph = handlers(loaded.kernel, system.contract), specializer.depths.graph
    targets = 1 if specializer.as_published else TARGETS
    found = []
    for variant in observed.choice.variants:
        handler = names[variant.call]
        entries = counted.blocks.get(handler, 0)
        paths = hot_paths(handler, profile.traces, graph.index, pointers=graph.taken, targets=targets)
        share = min(1.0, variant.calls / entries) if entries else 1.0
        found.append(Plan(variant, handler, f"{handler}${variant.number}", paths, share))
    return found


def _inlined(specializer: Specializer, plan: Plan, options: Options) -> tuple[Function, Outcome]:
    without = ONLY_INLINE | (left_out(options) & {NAME})
    number = plan.variant.call
    made = specializer.specialize(plan.handler, plan.name, plan.paths, number=number, share=plan.share, without=without)
    return made.function, made.outcome


def unbroken(
    plans: Iterable[Plan], make: Callable[[Plan], Made], options: Options
) -> tuple[list[tuple[Plan, Made]], list[tuple[Plan, Why]]]:
    """What was made of each plan, and the plans of which a pass made something invalid.  To throw such a copy away does
    no harm: the program that it was made of is as it was.  Raises Broken unless the options forgive."""
    made: list[tuple[Plan, Made]] = []
    broken: list[tuple[Plan, Why]] = []
    for plan in plans:
        try:
            made.append((plan, make(plan)))
        except Broken as why:
            if not options.forgiving:
                raise
            broken.append((plan, Why(Reason.BROKEN, str(why))))
    return made, broken


def no_copy(plan: Plan, why: Why) -> Outcome:
    """No new call at all."""
    outcome = Outcome()
    outcome.refuse(NAME, plan.name, plan.name, *why, executed=plan.variant.calls)
    return outcome


def refusals(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Reasons of all refusals, and how often."""
    return dict(sorted((str(reason), count) for reason, count in total(outcomes).refused.items()))


def remark_row(remark: Remark) -> dict[str, object]:
    return {
        "pass": remark.pass_name,
        "function": remark.function,
        "label": remark.label,
        "kind": remark.kind,
        "reason": remark.reason,
        "detail": remark.detail,
        "address": remark.address,
        "executed": remark.executed,
        "saved": remark.saved,
    }


def remark_table(title: str, remarks: Sequence[Remark]) -> Table:
    """Equal remarks of one pass as one row, with how often the places run and what was saved there; what was missed
    comes first."""
    found: dict[tuple[str, str, str], list[Remark]] = {}
    for r in remarks:
        found.setdefault((r.kind, r.pass_name, r.reason), []).append(r)
    rows = tuple(
        (
            *(name, what, reason, len({r.function for r in each}), len(each)),
            *(_sum(r.executed for r in each), _sum(r.saved for r in each)),
        )
        for (what, name, reason), each in sorted(found.items())
    )
    return Table(title, ("pass", "", "reason", "new calls", "times", "executed", "saved"), rows)


def _sum(numbers: Iterable[float | None]) -> float | str:
    known = [number for number in numbers if number is not None]
    return round(sum(known), 1) if known else ""


def _row(plan: Plan) -> Mapping[str, object]:
    return {"name": plan.name, "number": plan.variant.number, "handler": plan.handler, "share": round(plan.share, 4)}


def _cells(plan: Plan) -> tuple[str, str, str, int, float]:
    return plan.name, str(plan.variant.number), plan.handler, plan.variant.calls, plan.share
