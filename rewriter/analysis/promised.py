"""What the unwinding rows of a function promise to its callers, where its code is not understood.

    pop ebp           CFA = esp + 4, ebp and all registers that callees keep are what they were
    ret               … so whoever called it finds esp and them as the C convention has it

A compiler writes such rows for each function that it emits, and every exception that passes the function believes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rewriter.analysis.graph import Index
from rewriter.analysis.local import pops_of
from rewriter.analysis.summary import ALL_REGISTERS, CALLER_SAVED, FRAME, Summary
from rewriter.analysis.transfer import Callees
from rewriter.analysis.value import WORD
from rewriter.elf.unwind.rows import NUMBERS, RETURN, Plain
from rewriter.ir import Block, Function, Insn, Unwinding
from rewriter.x86.effects import FLAGS
from rewriter.x86.flow import Flow, flow

_POINTER = Insn(b"\xff\xd0")


class Promised:
    """The promises of a program's unwinding tables."""

    def __init__(self, index: Index, unwinding: Unwinding) -> None:
        self.index = index
        self.unwinding = unwinding

    def of(self, function: Function, callees: Callees, why: str) -> Summary | None:
        """What a call of the function does by convention; None where its rows do not promise that."""
        if function.verbatim:
            return None
        found = Summary(FRAME, FRAME, ALL_REGISTERS | FLAGS, CALLER_SAVED, 0, 0, False, why, True)
        pops: set[int | None] = set()
        for block in self._blocks(function):
            last = block.insns[-1] if block.insns else None
            kind = flow(last.raw) if last is not None else Flow.NEXT
            if last is None or kind is Flow.NEXT:
                continue
            if kind is Flow.IRET or last.origin is None or self.unwinding.at(last.origin) is None:
                return None
            entry = self._as_at_entry(last)
            if kind is Flow.RETURN:
                if not entry:
                    return None
                pops.add(pops_of(last))
            elif kind is Flow.JUMP_INDIRECT and entry and not self.index.table(block):
                found = found.join(callees.of_call(_POINTER))
            for callee in self._tails(block) if entry else ():
                found = found.join(callees.of(callee))
        pops |= {found.pops} if found.returns else set()
        known = pops.pop() if len(pops) == 1 else None if pops else 0
        if known is None or found.clobbers & ~CALLER_SAVED:
            return None
        return replace(found, use_depth=FRAME, kill_depth=FRAME, writes=0, pops=known, returns=True, leaks=True)

    def _blocks(self, function: Function) -> Iterator[Block]:
        """All blocks of the function, and those elsewhere to which control may go from there."""
        seen = {block.label: block for block in function.blocks}
        pending = list(seen.values())
        while pending:
            block = pending.pop()
            yield block
            for edge in self.index.edges(block):
                target = self.index.blocks.get(edge.target)
                entered = self.index.is_entry(edge.target) and bool(block.insns) and self._as_at_entry(block.insns[-1])
                if target is not None and target.label not in seen and not entered:
                    seen[target.label] = target
                    pending.append(target)

    def _tails(self, block: Block) -> list[str]:
        own = self.index.owners[block.label].name
        return [e.target for e in self.index.edges(block) if self.index.is_entry(e.target) and e.target != own]

    def _as_at_entry(self, insn: Insn) -> bool:
        """Whether the stack and the registers that callees keep are there as at the entry."""
        row = self.unwinding.row(insn.origin) if insn.origin is not None else None
        frame = self.unwinding.at(insn.origin) if insn.origin is not None else None
        if row is None or frame is None:
            return False
        return Plain.of(row, frame.kind.data_factor) == Plain(NUMBERS["esp"], WORD, {RETURN: -WORD})
