"""What only a cold path needs is done there (§4.2, beyond the paper): the other half of dead-code removal.

    mov eax, -9          ⇒    cmp ecx, 0x1f
    cmp ecx, 0x1f             ja .full
    ja  .cold                 …
    …                         .full: mov eax, -9
                                     jmp .cold

An instruction may sink to the end of its block when nothing behind it there reads its result or changes what it reads;
it is then put on those edges on which the result matters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rewriter.analysis.graph import Edge, Way
from rewriter.analysis.liveness import STACK_SHIFT, Liveness, Touch
from rewriter.edit import Labels, redirect
from rewriter.ir import Block, Insn
from rewriter.passes.work import Work
from rewriter.x86.decode import decode
from rewriter.x86.effects import effects, register_mask
from rewriter.x86.flow import Flow, flow

NAME = "sink"
_ESP = register_mask("esp")
_MOVABLE = ("mov", "lea", "movzx", "movsx")  # they leave the flags alone
_PLAIN = (Way.FALL, Way.TAKEN, Way.JUMP)


def sink(work: Work) -> None:
    """Sink until no instruction is left that would run less often."""
    while _round(work):
        pass


def _round(work: Work) -> bool:
    """Sink at most one instruction of each block: what matters at the tops of the others stays the same by that, and
    so does the number of edges `into` each, as an edge that is split still is one."""
    live = work.liveness(work.values())
    into = Counter(edge.target for b in live.values.blocks for edge, _ in live.values.ways(b.label))
    hot = [b for b in work.function.blocks if b.label in live.values.states and work.hot(b.label)]
    moved = [_sink_one(work, live, into, block) for block in hot]
    return any(moved)


def _sink_one(work: Work, live: Liveness, into: Mapping[str, int], block: Block) -> bool:
    touches = live.touches(block.label)
    if len(touches) != len(block.insns):
        return False  # something sank into it this round
    for site in reversed(range(len(block.insns))):
        insn, touch = block.insns[site], touches[site]
        if _kind(insn, touch) and _escapes_heat(work, live, into, block, site, touch):
            needed = _needed(live, block, touch)
            assert needed is not None
            _move(work, into, block, site, needed)
            work.outcome.did(NAME, work.name, block.label, f"{decode(insn.raw).mnemonic} runs on colder edges only")
            return True
    return False


def _escapes_heat(work: Work, live: Liveness, into: Mapping[str, int], block: Block, site: int, touch: Touch) -> bool:
    """Whether the instruction, sinking from block to block, leaves the hot path without being needed on it."""
    budget, seen = work.heat.block(block.label), set[str]()
    while block.label not in seen:
        seen.add(block.label)
        if len(live.touches(block.label)) != len(block.insns) or not _passes(block, site + 1, live, touch):
            return False
        needed = _needed(live, block, touch)
        if needed is None:
            return False
        warm = [edge for edge in needed if work.hot(edge.target) and _count(work, edge) * 2 > budget]
        if not warm:
            return sum(_count(work, edge) for edge in needed) < budget
        if len(warm) > 1 or into[warm[0].target] > 1:
            return False
        block, site = work.block(warm[0].target), -1
    return False


def _kind(insn: Insn, touch: Touch) -> bool:
    """Whether an instruction of this kind may move at all."""
    if touch.keep or touch.elsewhere or not touch.results or effects(insn).may_write & _ESP:
        return False
    return decode(insn.raw).mnemonic in _MOVABLE


def _passes(block: Block, start: int, live: Liveness, moving: Touch) -> bool:
    """Whether it can change places with everything in the block from `start` on."""
    for insn, touch in zip(block.insns[start:], live.touches(block.label)[start:], strict=True):
        if touch.reads & moving.results or (touch.results | touch.kills) & (moving.reads | moving.results):
            return False
        if effects(insn).may_write & _ESP or insn.faults_to is not None:
            return False
    return not block.insns or flow(block.insns[-1].raw) in (Flow.NEXT, Flow.BRANCH, Flow.JUMP)


def _needed(live: Liveness, block: Block, touch: Touch) -> list[Edge] | None:
    """The edges on which the result matters; None where that is not one on which something can be put."""
    values, needed = live.values, dict[Edge, None]()
    for edge, state in values.ways(block.label):
        if edge.target not in values.states or values.tail_call(edge, state):
            if touch.results & ((1 << STACK_SHIFT) - 1):
                return None  # somebody else may read the register
            continue
        if touch.results & live.before(edge.target):
            if edge.way not in _PLAIN:
                return None
            needed.setdefault(edge)
    return list(needed)


def _count(work: Work, edge: Edge) -> float:
    known = work.heat.edges.get((edge.source, edge.target))
    return known if known is not None else min(work.heat.block(edge.source), work.heat.block(edge.target))


def _move(work: Work, into: Mapping[str, int], block: Block, site: int, needed: list[Edge]) -> None:
    """Put the instruction on these edges; at the top of the target where no other edge leads there, so that it may
    sink further."""
    insn = block.insns.pop(site)
    labels: Labels = work.labels()
    for target in dict.fromkeys(edge.target for edge in needed):
        if into[target] == 1 and target != work.name:
            work.block(target).insns.insert(0, insn)
            continue
        label = labels.fresh()
        redirect(block, target, label)
        work.heat.split(block.label, target, label)
        work.returns[label] = work.returns.get(block.label, (0,))
        work.function.blocks.insert(work.function.blocks.index(block) + 1, Block(label, [insn], target))
