"""Every function of a program through the passes, in place; nothing is known of arguments, of a profile or of a kernel.

A function's copy takes its name, and so its callers; the old one stays under another name, for who enters it in the
middle, until `unused` drops it.  Calls of small functions are inlined as if they were on hot traces, so that the passes
have something to do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from rewriter.analysis.body import Body
from rewriter.analysis.callers import EVERYTHING
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.promised import Promised
from rewriter.analysis.thrown import throws
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
from rewriter.passes.transform import PASSES, Pass
from rewriter.passes.unused import unused
from rewriter.passes.unwound import Unwound, unseen
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
    # Where nothing is caught, nobody unwinds: there is no unwinder in the image.
    unwinding = program.unwinding if program.unwinding is not None and program.unwinding.handlers else None
    odd = throws(program) if unwinding is not None else {}
    index = Index(program)
    promised = Promised(index, unwinding) if unwinding is not None else None
    depths = Depths(index, PROMISES, poll=poll, promised=promised)
    unwound = Unwound(depths, unwinding, odd) if unwinding is not None else None
    rewriting = _Rewriting(depths, _as_if_counted(index), names, steps, unwound)
    taken: list[tuple[Function, Work]] = []
    named_within = _named_within(program)
    for function in list(program.functions):
        poll()
        reason = _obstacle(function, depths, named_within) or (unwound and unwound.obstacle(function.name))
        if reason:
            outcome.refuse(NAME, function.name, function.name, Reason.OBSTACLE, reason)
            continue
        before = len(steps.done)
        work = rewriting.run(function)
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
    if function.name in depths.unknown:
        return depths.unknown[function.name]
    if summary.pops is None:
        return summary.reason or "esp is not known at its return"
    for block in Body(depths, function.name).blocks:
        callee = depths.index.called(block.insns[-1]) if block.insns else None
        if callee is not None and depths.of(callee).twice:
            return f"calls {callee}, which may return twice"
    return None


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """What is known of the program, and which passes are wanted."""

    depths: Depths
    profile: Profile
    names: Collection[str]
    steps: Steps
    unwound: Unwound | None

    def run(self, function: Function) -> Work:
        """A copy of the function behind the passes."""
        inliner = Inliner(self.depths, self.profile)
        paths = tuple(self._small(function.name, _DEPTH)) if "inline" in self.names else ()
        some = tuple(self.steps.some("inline", function.name, paths))
        work = Work.on(inliner.run(function.name, f"{function.name}$new", some), self.depths, PROMISES, EVERYTHING)
        work.outcome.add(inliner.outcome)
        for name, transform in IN_ORDER:
            if name in self.names and not self.steps.over:
                work = self._one(name, transform, work, function.name)
        if self.unwound is not None and self.unwound.trouble(function.name, work) is None:
            self.unwound.note(function.name, work)
        return work

    def _one(self, name: str, transform: Pass, work: Work, function: str) -> Work:
        """The work behind a pass, or as it was where what the pass made could not be unwound."""
        before, done = work.copy() if self.unwound is not None else work, len(self.steps.done)
        self.steps.run(name, work, transform, function)
        if self.unwound is None or len(self.steps.done) == done:
            return work
        trouble = self.unwound.trouble(function, work)
        if trouble is None:
            return work
        del self.steps.done[done:]
        self.depths.index.add(before.function)
        before.outcome.refuse(name, function, function, Reason.OBSTACLE, trouble)
        return before

    def _small(self, name: str, depth: int) -> Iterator[Path]:
        """Direct calls of small functions below this one; where frames may be seen, of those that never are."""
        index = self.depths.index
        for block in index.functions[name].blocks if depth else ():
            last = block.insns[-1] if block.insns else None
            callee = index.callee(last) if last is not None and flow(last.raw) is Flow.CALL else None
            if callee is None or callee == name or sum(1 for _ in index.functions[callee].insns()) > _SMALL:
                continue
            if self.unwound is None or unseen(index, callee):
                yield Path(block.label, callee, tuple(self._small(callee, depth - 1)))


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
