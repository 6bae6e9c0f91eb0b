"""Control flow without detours (§4.1: calls and returns that became branches disappear).

jmp .next         ⇒    falls to .next
.empty:                (gone: who led here leads on)
.a: … falls to .b      .a: … …        ; .b had no other way in
.b: …
"""

from __future__ import annotations

from collections.abc import Collection

from rewriter.analysis.graph import branch_target
from rewriter.edit import redirect
from rewriter.ir import Block
from rewriter.passes.work import Work
from rewriter.x86.flow import Flow, flow

NAME = "straighten"


def straighten(work: Work) -> None:
    """Do all of that until nothing changes."""
    labels = {block.label for block in work.function.blocks}
    for block in work.function.blocks:
        target = branch_target(block.insns[-1]) if block.insns and flow(block.insns[-1].raw) is Flow.JUMP else None
        if target in labels:
            block.insns.pop()
            block.falls_to = target
    named = _named(work)
    while _skip_empty(work, named) or _join(work, named):
        pass


def _skip_empty(work: Work, named: Collection[str]) -> bool:
    for block in work.function.blocks[1:]:
        target = block.falls_to
        if block.insns or target is None or target == block.label or block.label in named:
            continue
        for other in work.function.blocks:
            if block.label in _targets(other):
                count = work.heat.edges.pop((other.label, block.label), 0.0)
                redirect(other, block.label, target)
                work.heat.flow(other.label, target, work.heat.edge(other.label, target) + count)
        work.function.blocks.remove(block)
        return True
    return False


def _join(work: Work, named: Collection[str]) -> bool:
    into: dict[str, int] = {}
    for block in work.function.blocks:
        for target in _targets(block):
            into[target] = into.get(target, 0) + 1
    blocks = {block.label: block for block in work.function.blocks}
    for block in work.function.blocks:
        after = blocks.get(block.falls_to or "")
        if after is None or after is block or after is work.function.blocks[0] or after.label in named:
            continue
        ends = block.insns and (flow(block.insns[-1].raw) is not Flow.NEXT or block.insns[-1].faults_to)
        if ends or into[after.label] != 1:
            continue
        both = set(work.returns.get(block.label, (0,))) & set(work.returns.get(after.label, (0,)))
        work.returns[block.label] = tuple(sorted(both, reverse=True))
        block.insns += after.insns
        block.falls_to = after.falls_to
        work.heat.edges = {
            (block.label if a == after.label else a, b): n for (a, b), n in work.heat.edges.items() if b != after.label
        }
        work.function.blocks.remove(after)
        return True
    return False


def _targets(block: Block) -> list[str]:
    last = block.insns[-1] if block.insns else None
    named = [ref.target for ref in last.refs] if last is not None else []
    faults = [last.faults_to] if last is not None and last.faults_to else []
    return [*named, *faults, *([block.falls_to] if block.falls_to else [])]


def _named(work: Work) -> set[str]:
    """Labels of blocks to which a jump table leads, or whose address an instruction takes."""
    return work.taken() | {ref.target for data in work.data for ref in data.refs.values()}
