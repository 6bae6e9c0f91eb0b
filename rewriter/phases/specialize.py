"""Phase 6, specialize (§4.2): what the arguments say is carried through registers, flags and stack slots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from rewriter.ir import Function
from rewriter.options import Options, System
from rewriter.passes.deadcode import deadcode
from rewriter.passes.outcome import total
from rewriter.passes.peephole import peephole
from rewriter.passes.specialize import NAMES, Pass, Specialized, Specializer
from rewriter.phases.inline import Inlined, Plan, refusals, remark_row, remark_table
from rewriter.phases.load import Loaded
from rewriter.region.region import region
from rewriter.report import Listing, PhaseResult, Table
from rewriter.show import listing
from rewriter.variants import Variant

# Passes that begin a group; those that tidy up behind them belong to it.
GROUPS = ("inline", "arguments", "duplicate", "flatten", "sink", "peephole", "region", "layout")
BEYOND: Final[tuple[tuple[str, Pass], ...]] = (("region", region), ("peephole", peephole), ("deadcode", deadcode))
ALL_PASSES: Final = (*dict.fromkeys((*NAMES, *(name for name, _ in BEYOND))), "unused")  # each can be left out


@dataclass(frozen=True, slots=True)
class Step:
    """What one pass made of one function."""

    name: str
    before: Function
    after: Function


@dataclass(frozen=True, slots=True)
class Call:
    """A new system call, ready to be placed, and how it came to be."""

    plan: Plan
    made: Specialized
    steps: tuple[Step, ...]

    def after(self, group: str) -> Function:
        """The function behind the passes of this group (§4: what each of them bought)."""
        found = self.steps[0].before
        reached = ""
        for step in self.steps:
            later = step.name in GROUPS and GROUPS.index(step.name) > GROUPS.index(reached or GROUPS[0])
            reached = step.name if later else reached or GROUPS[0]
            if GROUPS.index(reached) <= GROUPS.index(group):
                found = step.after
        return found


@dataclass(frozen=True, slots=True)
class SpecializedCalls:
    calls: tuple[Call, ...]
    variants: tuple[Variant, ...]  # with the arguments that were accepted


def run(options: Options, system: System, loaded: Loaded, inlined: Inlined) -> tuple[SpecializedCalls, PhaseResult]:
    """Run every pass over every new system call, `verify` behind each."""
    calls = [_specialized(inlined.specializer, plan, options) for plan in inlined.plans]
    outcomes = [call.made.outcome for call in calls]
    remarks = [r for outcome in outcomes for r in outcome.remarks if r.pass_name != "inline"]
    variants = tuple(_accepted(call) for call in calls)
    before = sum(size(loaded.kernel.function(call.plan.handler)) for call in calls)
    after = sum(size(call.made.function) for call in calls)
    changed = sum(r.kind == "passed" for r in remarks)
    return SpecializedCalls(tuple(calls), variants), PhaseResult(
        "specialize",
        "§4.2",
        f"{changed:,} changes in {len(calls)} new system calls, each checked by `verify`.",
        0.0,
        changed,
        refusals([total(outcomes)]),
        {"remarks": [remark_row(r) for r in remarks], "instructions": [before, after]},
        (
            Table("Instructions after each pass", ("function", "pass", "before", "after"), tuple(_rows(calls))),
            remark_table("What was done, and what was not", remarks),
        ),
        tuple(_listings(calls, loaded)),
    )


def _specialized(specializer: Specializer, plan: Plan, options: Options) -> Call:
    steps: list[Step] = []
    made = specializer.specialize(
        plan.handler,
        plan.name,
        plan.paths,
        number=plan.variant.call,
        implied=dict(plan.variant.implied),
        candidates=dict(plan.variant.guarded),
        share=plan.share,
        without=options.without,
        beyond=() if options.as_published else BEYOND,
        observer=lambda *step: steps.append(Step(*step)),
    )
    return Call(plan, made, tuple(steps))


def size(function: Function) -> int:
    """Instructions."""
    return sum(len(block.insns) for block in function.blocks)


def _accepted(call: Call) -> Variant:
    """What the new number stands for now.  A site whose argument was refused passes it as before."""
    made = call.made
    return replace(call.plan.variant, implied=tuple(made.implied.items()), guarded=tuple(made.guarded.items()))


def _rows(calls: list[Call]) -> Iterator[tuple[str, str, int, int]]:
    for call in calls:
        for step in call.steps:
            yield call.plan.name, step.name, size(step.before), size(step.after)


def _listings(calls: list[Call], loaded: Loaded) -> Iterator[Listing]:
    """The whole way from each handler to the new call, then every pass that changed something."""
    for call in calls:
        original = listing(loaded.kernel.function(call.plan.handler))
        yield Listing(call.plan.name, original, listing(call.made.function))
    for call in calls:
        for step in call.steps:
            was, now = listing(step.before), listing(step.after)
            if was != now and step.name != "inline":
                yield Listing(f"{call.plan.name}: {step.name}", was, now)
