"""Phase 6, specialize (§4.2): what the arguments say is carried through registers, flags and stack slots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rewriter.analysis.entrance import Entrance, NoEntrance, entrance
from rewriter.elf.room import ALIGN
from rewriter.elf.units import extent
from rewriter.ir import Function
from rewriter.options import Options, System
from rewriter.passes import entry
from rewriter.passes.entry import Entered, enter, wrapper
from rewriter.passes.outcome import total
from rewriter.passes.peephole import peephole
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.passes.transform import Broken
from rewriter.passes.work import Work
from rewriter.phases.decisions import Argument, argument_tables, arguments, call_tables, decided, exit_tables
from rewriter.phases.inline import Inlined, Plan, no_copy, refusals, remark_row, remark_table, unbroken
from rewriter.phases.load import Loaded
from rewriter.phases.order import BEYOND, GROUPS, beyond, in_place, left_out
from rewriter.phases.values import Values
from rewriter.profile import Site
from rewriter.reasons import Reason
from rewriter.report import Listing, PhaseResult, Table
from rewriter.show import listing, notes
from rewriter.variants import Variant
from rewriter.verify import Either, verify_function


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
    entered: Entered | None = None
    slot: Function | None = None  # what the table leads to where the call has an entry of its own

    @property
    def places(self) -> dict[str, tuple[str, int]]:
        """Names of places in the original program where the new code goes on."""
        return {**self.made.entries, **(self.entered.entries if self.entered is not None else {})}

    @property
    def wrapper(self) -> Function | None:
        """What it needs beside it: passes on the arguments that are implied, for who leaves the new code."""
        if self.entered is not None and self.made.plain is not None:
            return self.made.plain.wrapper
        return self.made.wrapper

    def forms(self) -> tuple[Call, ...]:
        """This call in all the ways in which it was made, the smallest first."""
        found = []
        if self.made.in_place is not None:
            before = next((n for n, step in enumerate(self.steps) if step.name in dict(BEYOND)), len(self.steps))
            found.append(Call(self.plan, self.made.in_place, self.steps[: max(before, 1)]))
        if self.entered is not None:
            found.append(replace(self, entered=None, slot=None))
        return (*found, self)

    @property
    def size(self) -> int:
        """Bytes of its code."""
        bodies = [self.slot, self.entered.function] if self.entered is not None else [self.made.function]
        return sum(extent(body) + ALIGN for body in (*bodies, self.wrapper) if body is not None)

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
    way: Entrance | None = None  # from the gate to a handler, where some calls have an entry of their own


def run(
    options: Options, system: System, loaded: Loaded, observed: Values, inlined: Inlined
) -> tuple[SpecializedCalls, PhaseResult]:
    """Run every pass over every new system call, `verify` behind each."""
    made, broken = unbroken(inlined.plans, lambda plan: _specialized(inlined.specializer, plan, options), options)
    calls, inlined = [call for _, call in made], replace(inlined, refused=(*inlined.refused, *broken))
    way, why = _way(inlined, options)
    outcomes = [call.made.outcome for call in calls]
    if way is not None:
        calls = [_entered(call, way, inlined.specializer, options) for call in calls]
    elif why and calls:
        gate = system.contract.system_calls.entry if system.contract.system_calls else ""
        outcomes[0].refuse(entry.NAME, gate, gate, Reason.ENTRY, why)
    outcomes += [no_copy(*each) for each in inlined.refused]
    remarks = [r for outcome in outcomes for r in outcome.remarks]
    found = tuple(_arguments(observed, inlined, calls))
    variants = tuple(_accepted(call) for call in calls)
    before = sum(size(loaded.kernel.function(call.plan.handler)) for call in calls)
    after = sum(size(call.made.function) for call in calls)
    changed = sum(r.kind == "passed" for r in remarks)
    return SpecializedCalls(tuple(calls), variants, way), PhaseResult(
        "specialize",
        "§4.2",
        f"{changed:,} changes in {len(calls)} new system calls, each checked by `verify`.",
        0.0,
        changed,
        refusals([total(outcomes)]),
        {
            "remarks": [remark_row(r) for r in remarks],
            "arguments": [each.row() for each in found],
            "instructions": [before, after],
        },
        (
            _sizes(calls),
            *call_tables(remarks),
            *argument_tables(found),
            *exit_tables(remarks),
            remark_table("Remarks", remarks),
            Table("Instructions after each pass", ("function", "pass", "before", "after"), tuple(_rows(calls)), True),
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
        without=left_out(options),
        most=in_place(options),
        beyond=beyond(options),
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


def _way(inlined: Inlined, options: Options) -> tuple[Entrance | None, str]:
    """From the gate to the handlers; or why that is left alone, if it is not by choice: it is to be a region."""
    if options.as_published or left_out(options) & {entry.NAME, "region"}:
        return None, ""
    maker = inlined.specializer
    if (missing := entry.promised(maker.contract)) is not None:
        return None, missing
    try:
        return entrance(maker.program, maker.contract, maker.depths, inlined.profile.edges), ""
    except NoEntrance as why:
        return None, str(why)


def _entered(call: Call, way: Entrance, maker: Specializer, options: Options) -> Call:
    """With its own way in and out, where it can have one."""
    plan, made = call.plan, call.made
    if made.plain is None or plan.variant.number < way.limit:
        return call
    tidies = [] if "peephole" in left_out(options) else [peephole]  # deadcode would take from a frame what is not read
    if not maker.steps.happens(entry.NAME, plan.name):
        return call
    number, cost = plan.variant.number, made.instructions
    entered = enter(made.plain.copy(), plan.handler, way, number, made.outcome, instructions=cost, tidies=tidies)
    if entered is None:
        return call
    if why := _fault(made.plain, entered, maker.names):
        if not options.forgiving:
            raise Broken(why)
        made.outcome.refuse(entry.NAME, plan.name, plan.name, Reason.BROKEN, why)
        return call
    again = plan.variant.call if maker.reads_number(plan.handler) else None
    return replace(call, entered=entered, slot=wrapper(made.plain, plan.handler, again))


def _fault(plain: Work, entered: Entered, names: frozenset[str]) -> str:
    """What is wrong with an entry, "" if nothing is."""
    wrapped = plain.wrapper.blocks if plain.wrapper is not None else []
    own = {plain.name, *(block.label for block in (*entered.function.blocks, *wrapped))}
    faults = verify_function(entered.function, Either(names, {*own, *entered.entries, *plain.entries}))
    return f"after {entry.NAME}: {plain.name}: {faults[0]}" if faults else ""


def _arguments(observed: Values, inlined: Inlined, calls: Iterable[Call]) -> Iterator[Argument]:
    """What became of every argument that hardly varies."""
    used = {
        site: (call.plan.name, decided(_accepted(call), call.made.refused))
        for call in calls
        for site in call.plan.variant.sites
    }
    refusals = dict(observed.choice.refusals)
    for plan, why in inlined.refused:
        refusals |= {Site(*site, plan.variant.call): why for site in plan.variant.sites}
    return arguments(observed.arguments, observed.arity, observed.names, used, refusals)


def _sizes(calls: Iterable[Call]) -> Table:
    """The instructions of every new call."""
    rows = tuple((c.plan.name, size(c.steps[0].before), size(c.steps[0].after), size(c.made.function)) for c in calls)
    return Table("Instructions of the new calls", ("function", "the handler", "its calls inlined", "in the end"), rows)


def _rows(calls: list[Call]) -> Iterator[tuple[str, str, int, int]]:
    for call in calls:
        for step in call.steps:
            yield call.plan.name, step.name, size(step.before), size(step.after)


def _listings(calls: list[Call], loaded: Loaded) -> Iterator[Listing]:
    """The whole way from each handler to the new call, then every pass that changed something."""
    for call in calls:
        original = listing(loaded.kernel.function(call.plan.handler))
        yield Listing(call.plan.name, original, listing(call.made.function), notes=notes(call.made.function))
    for call in calls:
        for step in call.steps:
            was, now = listing(step.before), listing(step.after)
            if was != now and step.name != "inline":
                yield Listing(f"{call.plan.name}: {step.name}", was, now, detail=True, notes=notes(step.after))
