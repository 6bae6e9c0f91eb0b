"""Phase 6, specialize (§4.2): what the arguments say is carried through registers, flags and stack slots.

A guard costs instructions on every call, so an argument that was only observed is kept where the body gets shorter by
more than its test: with and without are made, and the expected instructions compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rewriter.ir import Function
from rewriter.options import Options, System
from rewriter.passes.outcome import Outcome, total
from rewriter.passes.specialize import NAMES, Specialized, Specializer
from rewriter.phases.inline import Inlined, Plan, refusals, remark_row, remark_table
from rewriter.phases.load import Loaded
from rewriter.report import Listing, PhaseResult, Table
from rewriter.show import listing
from rewriter.variants import Variant

GUARD = "guard"
FOLDING = frozenset({"inline", "arguments", "constants", "deadcode", "unreachable"})


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
        made, outcome, seen = _specialized(inlined.specializer, plan, options)
        calls.append(Call(plan, made))
        outcomes.append(outcome)
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


def _specialized(specializer: Specializer, plan: Plan, options: Options) -> tuple[Specialized, Outcome, list[Step]]:
    """The best version: with those guards that pay."""
    implied = dict(plan.variant.implied)
    guarded, outcome = _guards(specializer, plan, options, implied)
    made, steps = _attempt(specializer, plan, options.without, implied, guarded)
    outcome.add(made.outcome)
    return made, outcome, steps


def _guards(
    specializer: Specializer, plan: Plan, options: Options, implied: Mapping[int, int]
) -> tuple[dict[int, int], Outcome]:
    """Those of the arguments that hardly vary whose test pays; tried with the passes that fold constants alone."""
    without = options.without | (frozenset(NAMES) - FOLDING)
    kept: dict[int, int] = {}
    outcome = Outcome()
    best = expected(_attempt(specializer, plan, without, implied, kept)[0]) if plan.variant.guarded else 0.0
    for argument, value in plan.variant.guarded:
        cost = expected(_attempt(specializer, plan, without, implied, {**kept, argument: value})[0])
        if cost < best:
            kept[argument], best = value, cost
        else:
            outcome.refuse(GUARD, plan.name, plan.name, f"argument {argument}: guard costs more than it saves")
    return kept, outcome


def _attempt(
    specializer: Specializer,
    plan: Plan,
    without: frozenset[str],
    implied: Mapping[int, int],
    guarded: Mapping[int, int],
) -> tuple[Specialized, list[Step]]:
    steps: list[Step] = []

    def observe(name: str, before: Function, after: Function) -> None:
        steps.append((name, size(before), size(after), before, after))

    made = specializer.specialize(
        plan.handler,
        plan.name,
        plan.paths,
        implied=implied,
        guarded=guarded,
        share=plan.share,
        without=without,
        observer=observe,
    )
    return made, steps


def size(function: Function) -> int:
    """Instructions."""
    return sum(len(block.insns) for block in function.blocks)


def expected(made: Specialized) -> float:
    """Instructions that the training set would execute in the new call, by the counts of its blocks; jumps to
    blocks that do not follow included."""
    following = [b.label for b in made.function.blocks[1:]]
    return sum(
        made.heat.block(b.label) * (len(b.insns) + (b.falls_to is not None and b.falls_to != after))
        for b, after in zip(made.function.blocks, [*following, None], strict=True)
    )


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
