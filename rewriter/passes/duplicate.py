"""Cold code never comes back to the hot path: it goes on in a copy of it.

    hot:  je cold             ⇒    hot:  je cold
    join: mov eax, [esp + 8]       join: mov eax, [esp + 8]     ; reached from hot alone: what hot knows holds
          …                              …
    cold: call ebp                 cold: call ebp
          jmp join                       jmp join'
                                   join': mov eax, [esp + 8]
                                         …

What was learned on the hot path (constants, copies, guards) would be lost where a cold path joins it; now it is not.
The copy is never more than once the hot path, and what of it cannot be reached is dropped.
"""

from __future__ import annotations

from rewriter.analysis.graph import Edge
from rewriter.edit import clone, redirect
from rewriter.passes.heat import COLD_BELOW
from rewriter.passes.work import Work
from rewriter.reasons import Reason

NAME = "duplicate"


def duplicate(work: Work) -> None:
    """Lead every cold edge to a hot block into a copy of the hot blocks."""
    index = work.index()
    hot = [block for block in work.function.blocks if work.hot(block.label)]
    warm = {block.label for block in hot}
    cold_ways = {
        block.label: [e.target for e in index.edges(block) if e.target in warm and _cold(work, e, block.label in warm)]
        for block in work.function.blocks
    }
    if not any(cold_ways.values()):
        return
    if any(index.table(block) for block in work.function.blocks if block.label in warm or cold_ways[block.label]):
        work.outcome.refuse(NAME, work.name, work.name, Reason.JUMP_TABLE)
        return
    labels = work.labels()
    names = {block.label: labels.fresh() for block in hot}
    copies = clone(hot, names)
    for block, copy in zip(hot, copies, strict=True):
        work.returns[copy.label] = work.returns.get(block.label, (0,))
        if block.label in work.clone_of:
            work.clone_of[copy.label] = work.clone_of[block.label]
    for block in work.function.blocks:
        for target in dict.fromkeys(cold_ways[block.label]):
            redirect(block, target, names[target])
            work.heat.edges.pop((block.label, target), None)
    work.function.blocks += copies
    entered = {target for targets in cold_ways.values() for target in targets}
    work.outcome.did(NAME, work.name, work.name, Reason.DUPLICATED, f"{len(entered)} hot blocks")


def _cold(work: Work, edge: Edge, from_hot: bool) -> bool:
    """Whether an edge to a hot block is taken so rarely that what it brings should not count there."""
    if not from_hot:
        return True
    if not any(source == edge.source for source, _ in work.heat.edges):
        return False  # not counted
    return work.heat.edge(edge.source, edge.target) < work.heat.block(work.name) * COLD_BELOW
