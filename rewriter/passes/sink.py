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
from rewriter.edit import redirect
from rewriter.ir import Block, Insn
from rewriter.passes.work import Work
from rewriter.reasons import Reason
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
    """Sink out of every hot block what can leave it.  What matters at the tops of the others stays the same by that,
    and so does the number of edges `into` each, as an edge that is split still is one."""
    live = work.liveness(work.values())
    into = Counter(edge.target for b in live.values.blocks for edge, _ in live.values.ways(b.label))
    hot = [b for b in work.function.blocks if b.label in live.values.states and work.hot(b.label)]
    sunk = [_Sinking(work, live, into, block).run() for block in hot]
    return any(sunk)


class _Sinking:
    """One block.  `below` is what its instructions touch that are still in it; `read` what those that left it read at
    the tops of their new blocks."""

    def __init__(self, work: Work, live: Liveness, into: Mapping[str, int], block: Block) -> None:
        self.work = work
        self.live = live
        self.into = into
        self.block = block
        self.below = list(live.touches(block.label))
        self.read: dict[str, int] = {}
        self.split: dict[str, str] = {}  # targets whose edge got a block of its own

    def run(self) -> bool:
        if len(self.below) != len(self.block.insns):
            return False  # something sank into it this round
        before = len(self.block.insns)
        for site in reversed(range(before)):
            insn, touch = self.block.insns[site], self.below[site]
            if _kind(insn, touch) and self._escapes_heat(site, touch):
                self._move(site, touch)
                self.work.did(NAME, self.block.label, Reason.COLDER, insn, detail=decode(insn.raw).mnemonic)
        return len(self.block.insns) < before

    def _escapes_heat(self, site: int, moving: Touch) -> bool:
        """Whether the instruction, sinking from block to block, leaves the hot path without being needed on it."""
        block, touches = self.block, self.below[site + 1 :]
        budget, seen = self.work.heat.block(block.label), set[str]()
        while block.label not in seen:
            seen.add(block.label)
            if not _passes(block.insns[len(block.insns) - len(touches) :], touches, moving):
                return False
            needed = self._needed(block, moving)
            if needed is None:
                return False
            warm = [e for e in needed if self.work.hot(e.target) and _count(self.work, e) * 2 > budget]
            if not warm:
                return sum(_count(self.work, edge) for edge in needed) < budget
            if len(warm) > 1 or self.into[warm[0].target] > 1 or warm[0].target in self.split:
                return False
            block = self.work.block(warm[0].target)
            touches = self.live.touches(block.label)
            if len(touches) != len(block.insns):
                return False
        return False

    def _needed(self, block: Block, moving: Touch) -> list[Edge] | None:
        """The edges on which the result matters; None where that is not one on which something can be put."""
        values, needed = self.live.values, dict[Edge, None]()
        for edge, state in values.ways(block.label):
            if edge.target not in values.states or values.tail_call(edge, state):
                if moving.results & ((1 << STACK_SHIFT) - 1):
                    return None  # somebody else may read the register
                continue
            if moving.results & (self.live.before(edge.target) | self.read.get(edge.target, 0)):
                if edge.way not in _PLAIN:
                    return None
                needed.setdefault(edge)
        return list(needed)

    def _move(self, site: int, moving: Touch) -> None:
        """Put the instruction on the edges that need it; at the top of the target where no other edge leads there, so
        that it may sink further."""
        needed = self._needed(self.block, moving)
        assert needed is not None
        insn = self.block.insns.pop(site)
        del self.below[site]
        for target in dict.fromkeys(edge.target for edge in needed):
            self.read[target] = self.read.get(target, 0) | moving.reads
            if self.into[target] == 1 and target != self.work.name:
                self.work.block(target).insns.insert(0, insn)
            elif target in self.split:
                self.work.block(self.split[target]).insns.insert(0, insn)
            else:
                self._split(target, insn)

    def _split(self, target: str, insn: Insn) -> None:
        work, blocks = self.work, self.work.function.blocks
        label = self.split[target] = work.labels().fresh()
        redirect(self.block, target, label)
        work.heat.split(self.block.label, target, label)
        work.returns[label] = work.returns.get(self.block.label, (0,))
        blocks.insert(blocks.index(self.block) + 1, Block(label, [insn], target))


def _kind(insn: Insn, touch: Touch) -> bool:
    """Whether an instruction of this kind may move at all."""
    if touch.keep or touch.elsewhere or not touch.results or effects(insn).may_write & _ESP:
        return False
    return decode(insn.raw).mnemonic in _MOVABLE


def _passes(insns: list[Insn], touches: list[Touch], moving: Touch) -> bool:
    """Whether it can change places with all of these, the last of a block."""
    for insn, touch in zip(insns, touches, strict=True):
        if touch.reads & moving.results or (touch.results | touch.kills) & (moving.reads | moving.results):
            return False
        if effects(insn).may_write & _ESP or insn.faults_to is not None:
            return False
    return not insns or flow(insns[-1].raw) in (Flow.NEXT, Flow.BRANCH, Flow.JUMP)


def _count(work: Work, edge: Edge) -> float:
    known = work.heat.edges.get((edge.source, edge.target))
    return known if known is not None else min(work.heat.block(edge.source), work.heat.block(edge.target))
