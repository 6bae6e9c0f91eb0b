"""Where no flag is live: there a counter needs to save nothing (§5.6: flags are not one register).

A flag is live where some way on reads it before it is written.  Calls and returns are ways on: hand-written code
may well return a result in the carry flag.  A direct call leads to its function; an indirect one to any code
whose address is taken; a return to any return point, or to code whose address is taken.  What cannot be
decoded, or leaves by an unknown jump, is taken to read every flag.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rewriter.analysis.graph import WORD, Index, branch_target
from rewriter.ir import Block, Insn, Program
from rewriter.x86.anatomy import anatomy
from rewriter.x86.effects import FLAGS, effects
from rewriter.x86.flow import CALLS, Flow, flow

# Nodes beside the labels; nothing is known of the last, so that every flag is live there.
TAKEN, RETURNS, UNKNOWN = "any address taken", "any return point", "anywhere"
_IRET = 0xCF  # restores the flags of whoever was interrupted, reads none


@dataclass(frozen=True, slots=True)
class _Summary:
    """Flags that a block reads first, flags that it writes first, and the nodes it goes on to."""

    reads: int
    writes: int
    ways: tuple[str, ...]


class LiveFlags:
    """The live flags at the begin of every block, as masks of `rewriter.x86.effects`."""

    def __init__(self, program: Program, index: Index) -> None:
        self._index = index
        blocks = [block for function in program.functions for block in function.blocks]
        self._nodes = {block.label: self._summary(block) for block in blocks}
        taken = tuple(label for label in program.addresses_taken() if label in self._nodes)
        self._nodes[TAKEN] = _Summary(0, 0, taken)
        self._nodes[RETURNS] = _Summary(0, 0, (TAKEN, *_return_points(blocks)))
        self._live = self._solve()

    def before(self, block: Block) -> list[int]:
        """The live flags before each instruction of the block, and behind the last."""
        live = self._join(self._nodes[block.label].ways)
        masks = [live]
        for insn in reversed(block.insns):
            reads, writes = _flags(insn)
            live = live & ~writes | reads
            if insn.faults_to is not None:
                live |= self._live.get(insn.faults_to, FLAGS)
            masks.append(live)
        return masks[::-1]

    def at(self, label: str) -> int:
        """The live flags where control enters `label`."""
        return self._live.get(label, FLAGS)

    def _join(self, ways: Iterable[str]) -> int:
        live = 0
        for way in ways:
            live |= self._live.get(way, FLAGS)
        return live

    def _solve(self) -> dict[str, int]:
        """The least solution, by repeated sweeps against the flow."""
        self._live = dict.fromkeys(self._nodes, 0)
        order = list(reversed(self._nodes))
        changed = True
        while changed:
            changed = False
            for node in order:
                summary = self._nodes[node]
                live = summary.reads | self._join(summary.ways) & ~summary.writes
                if live != self._live[node]:
                    self._live[node] = live
                    changed = True
        return self._live

    def _summary(self, block: Block) -> _Summary:
        read = written = 0
        for insn in block.insns:
            reads, writes = _flags(insn)
            read |= reads & ~written
            # On the way to a fixup the instruction may not have written yet; it ends the block.
            written |= 0 if insn.faults_to is not None else writes
        return _Summary(read, written, self._ways(block))

    def _ways(self, block: Block) -> tuple[str, ...]:
        last = block.insns[-1] if block.insns else None
        kind = flow(last.raw) if last else Flow.NEXT
        if kind is Flow.RETURN:
            return (RETURNS,)
        if kind is Flow.IRET:
            return () if last and last.raw[0] == _IRET else (UNKNOWN,)
        if kind is Flow.CALL_INDIRECT:
            return (TAKEN,)
        if kind is Flow.CALL:
            return ((branch_target(last) if last else None) or UNKNOWN,)
        ways = tuple(edge.target for edge in self._index.edges(block))
        if kind is Flow.JUMP_INDIRECT:
            return (*ways, TAKEN)
        if last and kind in (Flow.JUMP, Flow.BRANCH) and branch_target(last) is None:
            return (*ways, UNKNOWN)
        return ways


def _return_points(blocks: Iterable[Block]) -> tuple[str, ...]:
    return tuple(b.falls_to for b in blocks if b.falls_to and b.insns and flow(b.insns[-1].raw) in CALLS)


def _flags(insn: Insn) -> tuple[int, int]:
    """(read, certainly written) flags of one instruction; bytes that are not one are taken to read all."""
    try:
        return _flags_of(_without_constants(insn.raw))
    except IndexError:
        return FLAGS, 0


def _without_constants(raw: bytes) -> bytes:
    """The same operation on other addresses and words, which say nothing about flags: few are left to decode.
    (A byte may: it is the count of a shift.)"""
    parts = anatomy(raw)
    if parts.imm_size == WORD:
        raw = raw[: parts.imm_offset] + bytes(WORD)
    if parts.disp_size == WORD:
        raw = raw[: parts.disp_offset] + bytes(WORD) + raw[parts.disp_offset + WORD :]
    return raw


@lru_cache(maxsize=65536)
def _flags_of(raw: bytes) -> tuple[int, int]:
    effect = effects(Insn(raw))
    return effect.reads & FLAGS, effect.writes & FLAGS
