"""Add one to a 64-bit counter, at a point of a block where nothing notices (§2 step 2, §5.5, §5.6).

Where no flag is live, two instructions do; the carry between them survives an interrupt, whoever counts in it:

    add dword ptr ss:[counts + 8], 1
    adc dword ptr ss:[counts + 12], 0

Where every point of the block has live flags, they are kept: five by lahf, the overflow flag by seto, and brought
back by `al + 127`, which overflows where al is 1.  popf would do too, but it also writes the interrupt flag.

    push eax;  lahf;  seto al;  add …;  adc …;  add al, 127;  sahf;  pop eax

All goes through ss: the first blocks at a gate run with whatever the program left in ds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rewriter.ir import Block, Insn, Ref
from rewriter.x86.anatomy import anatomy
from rewriter.x86.effects import FLAGS
from rewriter.x86.encode import assemble
from rewriter.x86.flow import CALLS, Flow, flow

COUNTER = 8  # bytes
_TRANSFERS = (Flow.JUMP, Flow.BRANCH, Flow.JUMP_INDIRECT, *CALLS)
STI, POP_SS, MOV_SEGMENT, SS = 0xFB, 0x17, 0x8E, 2  # opcodes, and the number of the segment register


def increment(counts: str, offset: int, live: int) -> list[Insn]:
    """Instructions that add one to the counter at `counts + offset` and keep the flags if any is live."""
    made = []
    for insn in _keeping() if live & FLAGS else _bare():
        refs = tuple(Ref(r.offset, r.kind, counts, r.addend + offset) for r in insn.refs)
        made.append(Insn(insn.raw, refs))
    return made


@lru_cache(maxsize=1)
def _bare() -> list[Insn]:
    return assemble(("add dword ptr ss:[{counter}], 1", "adc dword ptr ss:[{counter+4}], 0"))


@lru_cache(maxsize=1)
def _keeping() -> list[Insn]:
    before = assemble(("push eax", "lahf", "seto al"))
    return [*before, *_bare(), *assemble(("add al, 127", "sahf", "pop eax"))]


def place(block: Block, live: Sequence[int], shadowed: bool) -> int | None:
    """The best index in the block to count at: the first where no flag is live, else the first possible.

    live: the live flags before each instruction and behind the last.  shadowed: the block is entered from an
    instruction that delays interrupts by one instruction (`sti`).  None: the block has no possible place.  Before
    a jump or a call there is one all the same: nobody can tell whether an interrupt came before or behind it.
    """
    last = len(block.insns)
    if block.insns and (flow(block.insns[-1].raw) is not Flow.NEXT or block.insns[-1].faults_to is not None):
        last -= 1  # behind its last instruction, control is elsewhere
    possible = [i for i in range(last + 1) if not (shadowed if i == 0 else delays_interrupts(block.insns[i - 1]))]
    if not possible and flow(block.insns[0].raw) in _TRANSFERS:
        possible = [0]
    return next((i for i in possible if not live[i] & FLAGS), possible[0] if possible else None)


def delays_interrupts(insn: Insn) -> bool:
    """Whether no interrupt can come between this instruction and the next: `sti; hlt` must stay together, and a
    write of ss with the write of esp that follows."""
    if not any(opcode in insn.raw for opcode in (STI, POP_SS, MOV_SEGMENT)):
        return False  # nearly always
    parts = anatomy(insn.raw)
    return parts.opcode in (STI, POP_SS) or (parts.opcode == MOV_SEGMENT and parts.extension == SS)
