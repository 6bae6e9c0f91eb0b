"""Phase 6, specialize (§4.2): what the arguments say is carried through registers, flags and stack slots."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rewriter.ir import Function
from rewriter.options import Options, System
from rewriter.passes.outcome import total
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.phases.inline import Inlined, Plan, refusals, remark_row, remark_table
from rewriter.phases.load import Loaded
from rewriter.report import Listing, PhaseResult, Table
from rewriter.show import listing
from rewriter.variants import Variant


@dataclass(frozen=True, slots=True)
class Call:
    """A new system call, ready to be placed."""

    plan: Plan
    made: Specialized


@dataclass(frozen=True, slots=True)
class SpecializedCalls:
    calls: tuple[Call, ...]
    variants: tuple[Variant, ...]  # with the arguments that were accepted


def run(options: Options, system: System, loaded: Loaded, inlined: Inlined) -> tuple[SpecializedCalls, PhaseResult]:
    """Run every pass over every new system call, `verify` behind each."""
    calls, steps, outcomes = [], [], []
    for plan in inlined.plans:
        made, seen = _specialized(inlined.specializer, plan, options)
        calls.append(Call(plan, made))
        outcomes.append(made.outcome)
        steps += [(plan.name, *step) for step in seen]
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
            Table("Instructions after each pass", ("function", "pass", "before", "after"), tuple(_rows(steps))),
            remark_table("What was done, and what was not", remarks),
        ),
        tuple(_listings(calls, steps, loaded)),
    )


Step = tuple[str, int, int, Function, Function]  # pass, instructions before and after, the function then and now


def _specialized(specializer: Specializer, plan: Plan, options: Options) -> tuple[Specialized, list[Step]]:
    steps: list[Step] = []

    def observe(name: str, before: Function, after: Function) -> None:
        steps.append((name, size(before), size(after), before, after))

    made = specializer.specialize(
        plan.handler,
        plan.name,
        plan.paths,
        implied=dict(plan.variant.implied),
        candidates=dict(plan.variant.guarded),
        share=plan.share,
        without=options.without,
        observer=observe,
    )
    return made, steps


def size(function: Function) -> int:
    """Instructions."""
    return sum(len(block.insns) for block in function.blocks)


def _accepted(call: Call) -> Variant:
    """What the new number stands for now.  A site whose argument was refused passes it as before."""
    made = call.made
    return replace(call.plan.variant, implied=tuple(made.implied.items()), guarded=tuple(made.guarded.items()))


def _rows(steps: list[tuple[str, str, int, int, Function, Function]]) -> list[tuple[str, str, int, int]]:
    return [(function, name, before, after) for function, name, before, after, _, _ in steps]


def _listings(
    calls: list[Call], steps: list[tuple[str, str, int, int, Function, Function]], loaded: Loaded
) -> list[Listing]:
    """Every pass that changed something, then the whole way from the handler to the new call."""
    found = []
    for function, name, _, _, before, after in steps:
        was, now = listing(before), listing(after)
        if was != now and name != "inline":
            found.append(Listing(f"{function}: {name}", was, now))
    for call in calls:
        original = listing(loaded.kernel.function(call.plan.handler))
        found.insert(0, Listing(call.plan.name, original, listing(call.made.function)))
    return found
