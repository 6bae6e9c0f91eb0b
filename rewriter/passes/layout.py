"""Where blocks and functions lie (§2, Pettis and Hansen 1990): hot paths fall through, cold code stays out of the way.

Chains of blocks grow along the hottest edges; the entry's chain comes first, then hot chains, then cold ones.
Functions that call each other often lie side by side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

from rewriter.analysis.graph import Index, branch_target
from rewriter.edit import redirect, written
from rewriter.ir import Block, Function
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.x86.encode import EncodeError, invert
from rewriter.x86.flow import Flow, flow

NAME = "layout"


def layout(work: Work) -> None:
    """Order the function's blocks."""
    before = [block.label for block in work.function.blocks]
    arrange(work.function, work.heat.edge, work.hot)
    if before != [block.label for block in work.function.blocks]:
        work.outcome.did(NAME, work.name, work.name, Reason.FALLS_THROUGH)


def arrange(function: Function, edge: Callable[[str, str], float], hot: Callable[[str], bool]) -> None:
    """Order the blocks of any function; what executes does not change."""
    if function.pins:
        return
    chains = _chains(function, edge)
    first = chains.pop(0)
    warm = [chain for chain in chains if any(hot(block.label) for block in chain)]
    cold = [chain for chain in chains if not any(hot(block.label) for block in chain)]
    function.blocks[:] = [block for chain in (first, *warm, *cold) for block in chain]
    following = [block.label for block in function.blocks[1:]]
    for block, after in zip(function.blocks, [*following, None], strict=True):
        _turn(block, after)


def _chains(function: Function, edge: Callable[[str, str], float]) -> list[list[Block]]:
    """Join the end of one chain to the top of another, the hottest edge first; the entry's chain is the first."""
    position = {block.label: n for n, block in enumerate(function.blocks)}
    chains: dict[str, list[Block]] = {block.label: [block] for block in function.blocks}  # by label of any block
    edges = [
        (-edge(block.label, target), target != block.falls_to, position[block.label], block.label, target)
        for block in function.blocks
        for target in dict.fromkeys(_jumps(block))
        if target in position and target != function.blocks[0].label
    ]
    for _, _, _, source, target in sorted(edges):
        front, back = chains[source], chains[target]
        if front is not back and front[-1].label == source and back[0].label == target:
            front += back
            for block in back:
                chains[block.label] = front
    unique = {id(chain): chain for chain in chains.values()}
    return sorted(unique.values(), key=lambda chain: position[chain[0].label])


def _jumps(block: Block) -> Iterable[str]:
    """Targets that the block could fall to."""
    last = block.insns[-1] if block.insns else None
    kind = flow(last.raw) if last else Flow.NEXT
    if block.falls_to is not None:
        yield block.falls_to
    if last is not None and kind is Flow.BRANCH and (target := branch_target(last)) is not None:
        try:
            invert(last)
        except EncodeError:
            return
        yield target


def _turn(block: Block, after: str | None) -> None:
    """Invert a branch whose target is the next block."""
    last = block.insns[-1] if block.insns else None
    if last is None or flow(last.raw) is not Flow.BRANCH or branch_target(last) != after or block.falls_to == after:
        return
    try:
        turned = invert(last)
    except EncodeError:
        return
    old, new = branch_target(last), block.falls_to
    if old is None or new is None:
        return
    block.insns[-1:] = written([turned], NAME, Reason.FALLS_THROUGH, [last])
    block.falls_to = None
    redirect(block, old, new)
    block.falls_to = old


def order_functions(index: Index, counts: Mapping[str, int]) -> list[Function]:
    """The program's functions, hot callers beside their callees (chains grow along the hottest call edges)."""
    functions = index.program.functions
    position = {function.name: n for n, function in enumerate(functions)}
    weights: dict[tuple[str, str], int] = {}
    for function in functions:
        for block in function.blocks:
            callee = index.callee(block.insns[-1]) if block.insns else None
            if callee is not None and callee != function.name and counts.get(block.label, 0):
                pair = (function.name, callee)
                weights[pair] = weights.get(pair, 0) + counts[block.label]
    chains = {function.name: deque([function]) for function in functions}
    for (caller, callee), _ in sorted(weights.items(), key=lambda item: (-item[1], position[item[0][0]])):
        front, back = chains[caller], chains[callee]
        if front is not back:
            longer, shorter = (front, back) if len(front) >= len(back) else (back, front)
            if longer is front:
                front.extend(back)
            else:
                back.extendleft(reversed(front))
            for function in shorter:
                chains[function.name] = longer
    unique = {id(chain): chain for chain in chains.values()}
    heat = {key: max(counts.get(f.blocks[0].label, 0) for f in chain) for key, chain in unique.items()}
    ordered = sorted(unique, key=lambda key: (-heat[key], position[unique[key][0].name]))
    return [function for key in ordered for function in unique[key]]


def pack(functions: Iterable[Function], hot: Collection[str]) -> None:
    """Only hot functions begin where the processor fetches best; the others lie side by side."""
    for function in functions:
        if function.name not in hot and not function.pins:
            function.align = 1
