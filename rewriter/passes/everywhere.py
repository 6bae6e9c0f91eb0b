"""Every function of a program through the passes, in place; nothing is known of arguments, of a profile or of a kernel.

A function's copy takes its name, and so its callers; the old one stays under another name, for who enters it in the
middle, until `unused` drops it.  Calls of small functions are inlined as if they were on hot traces, so that the passes
have something to do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Final

from rewriter.analysis.callers import EVERYTHING
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.value import WORD
from rewriter.contract import Contract
from rewriter.edit import clone
from rewriter.ir import Function, Program, RefKind
from rewriter.passes.deadcode import deadcode
from rewriter.passes.inline import Inliner
from rewriter.passes.outcome import Outcome
from rewriter.passes.paths import Path
from rewriter.passes.peephole import peephole
from rewriter.passes.steps import Steps
from rewriter.passes.transform import PASSES
from rewriter.passes.unused import unused
from rewriter.passes.work import Work
from rewriter.profile import Profile
from rewriter.reasons import Reason
from rewriter.region.region import region
from rewriter.x86.flow import Flow, flow

# A stack of which nobody computes the lowest address.
PROMISES: Final = Contract(stack_size=1 << 31)
NAME = "everywhere"
_SMALL = 30  # instructions of a function that is worth a copy
_DEPTH = 2  # of calls that are inlined
_COUNT = 100  # executions of each block, for want of a profile
IN_ORDER: Final = (*PASSES[:-1], ("region", region), ("peephole", peephole), ("deadcode", deadcode), *PASSES[-1:])
NAMES: Final = ("inline", *dict.fromkeys(name for name, _ in IN_ORDER), "unused")


def everywhere(
    program: Program,
    names: Collection[str] = NAMES,
    steps: Steps | None = None,
    poll: Callable[[], None] = lambda: None,
) -> Outcome:
    """Change the program by these passes.  The outcome's remarks say which functions stay as they are, and why."""
    steps, outcome = steps or Steps(), Outcome()
    index = Index(program)
    depths = Depths(index, PROMISES, poll=poll)
    profile = _as_if_counted(index)
    taken: list[tuple[Function, Work]] = []
    named_within = _named_within(program)
    # Copies have other stacks than the code that unwinding tables describe, which matters where something is caught.
    catches = program.unwinding is not None and program.unwinding.handlers is not None
    unwound = "the image catches exceptions, and tables tell how its stacks look" if catches else None
    for function in list(program.functions):
        poll()
        reason = unwound or _obstacle(function, depths, named_within)
        if reason is not None:
            outcome.refuse(NAME, function.name, function.name, Reason.OBSTACLE, reason)
            continue
        before = len(steps.done)
        work = _transformed(function, depths, profile, names, steps)
        if len(steps.done) > before:
            taken.append((function, work))
            outcome.add(work.outcome)
        index.forget(work.name)
        for data in work.data:
            index.data.pop(data.name, None)
    for function, work in taken:
        _install(program, function, work)
    if "unused" in names and steps.happens("unused", "the program"):
        unused(program, PROMISES)
    return outcome


def _obstacle(function: Function, depths: Depths, named_within: Collection[str]) -> str | None:
    """Why a function stays as it is."""
    if function.pins:
        return f"pinned: {function.pins[0]}"
    if function.name in named_within:
        return "a place is named by its distance from the entry"
    summary = depths.of(function.name)
    return (summary.reason or "esp is not known at its return") if summary.pops is None else None


def _transformed(function: Function, depths: Depths, profile: Profile, names: Collection[str], steps: Steps) -> Work:
    """A copy of the function behind the passes."""
    inliner = Inliner(depths, profile)
    paths = tuple(_small(depths.index, function.name, _DEPTH)) if "inline" in names else ()
    made = inliner.run(function.name, f"{function.name}$new", tuple(steps.some("inline", function.name, paths)))
    work = Work.on(made, depths, PROMISES, EVERYTHING)
    work.outcome.add(inliner.outcome)
    for name, transform in IN_ORDER:
        if name in names and not steps.over:
            steps.run(name, work, transform, function.name)
    return work


def _small(index: Index, name: str, depth: int) -> Iterator[Path]:
    """Direct calls of small functions below this one."""
    for block in index.functions[name].blocks if depth else ():
        last = block.insns[-1] if block.insns else None
        callee = index.callee(last) if last is not None and flow(last.raw) is Flow.CALL else None
        if callee is not None and callee != name and sum(1 for _ in index.functions[callee].insns()) <= _SMALL:
            yield Path(block.label, callee, tuple(_small(index, callee, depth - 1)))


def _as_if_counted(index: Index) -> Profile:
    blocks = dict.fromkeys(index.blocks, _COUNT)
    edges = {(e.source, e.target): _COUNT for block in index.blocks.values() for e in index.edges(block)}
    return Profile("0" * 64, blocks=blocks, edges=edges)


def _install(program: Program, function: Function, work: Work) -> None:
    """Let the copy have the function's name.  Its other blocks have names of their own."""
    old = f"{function.name}$old"
    function.blocks[:] = clone(function.blocks, {function.name: old})
    function.blocks[0].label = function.name = old
    labels = {work.name: old.removesuffix("$old")}
    for data in program.data:  # distances are those of unwinding tables, which describe the old code
        for at, ref in data.refs.items():
            if ref.kind is RefKind.PC32 and ref.target == labels[work.name]:
                data.refs[at] = replace(ref, target=old)
    copy = Function(labels[work.name], clone(work.function.blocks, labels), align=function.align)
    program.functions.insert(program.functions.index(function), copy)
    named = {ref.target for insn in copy.insns() for ref in insn.refs}
    for table in work.data:
        if table.name in named:
            table.refs = {at: replace(r, target=labels.get(r.target, r.target)) for at, r in table.refs.items()}
            program.data.append(table)


def _named_within(program: Program) -> set[str]:
    """Labels from which something is counted."""
    found = {
        ref.target for function in program.functions for insn in function.insns() for ref in insn.refs if ref.addend
    }
    for data in program.data:
        found |= {r.target for r in data.refs.values() if r.addend != (WORD if r.kind is RefKind.PC32 else 0)}
    return found
