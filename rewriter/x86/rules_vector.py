"""Effects of x87, MMX and SSE: their registers are two lumps, and all of them stay where they are.

They may fault, also without unmasked exceptions: kernels give the unit to a task at its first use.
"""

from __future__ import annotations

from dataclasses import replace

from rewriter.x86.anatomy import anatomy
from rewriter.x86.draft import Access, Draft
from rewriter.x86.operands import Mem, Reg
from rewriter.x86.state import ALL_REGISTERS, CF, EAX, ECX, EDI, EDX, FLAGS, FPU, PF, SSE, ZF, register_mask

# Bytes of an x87 memory operand, by opcode − D8 and ModRM extension; negative: stored.
_X87_MEMORY = (
    (4, 4, 4, 4, 4, 4, 4, 4),
    (4, 0, -4, -4, 28, 2, -28, -2),  # fld, -, fst, fstp, fldenv, fldcw, fnstenv, fnstcw
    (4, 4, 4, 4, 4, 4, 4, 4),
    (4, -4, -4, -4, 0, 10, 0, -10),  # fild, fisttp, fist, fistp, -, fld, -, fstp
    (8, 8, 8, 8, 8, 8, 8, 8),
    (8, -8, -8, -8, 108, 0, -108, -2),  # fld, fisttp, fst, fstp, frstor, -, fnsave, fnstsw
    (2, 2, 2, 2, 2, 2, 2, 2),
    (2, -2, -2, -2, 10, 8, -10, -8),  # fild, fisttp, fist, fistp, fbld, fild, fbstp, fistp
)

STATE_GROUP = 0x0FAE  # fxsave, ldmxcsr, clflush …; the fences have a rule of their own


def is_x87(opcode: int) -> bool:
    return opcode in range(0xD8, 0xE0) or opcode == 0x9B  # fwait


def x87(draft: Draft) -> None:
    """Everything under the opcodes D8–DF"""
    draft.lump(FPU, "floating point")
    draft.faults = True
    mems = [operand for operand in draft.operands if isinstance(operand, Mem)]
    if mems:
        _x87_memory(draft, mems[0])
    elif draft.decoded.raw[draft.decoded.prefix_size :] == b"\xdf\xe0":  # fnstsw ax
        draft.set(register_mask("ax"))
    elif draft.mnemonic.startswith("fcmov"):
        draft.reads |= CF | ZF | PF
    elif draft.mnemonic.endswith(("comi", "comip", "compi")):  # capstone: fcompi, fucompi
        draft.set(CF | ZF | PF)
        draft.touch(FLAGS)


def _x87_memory(draft: Draft, mem: Mem) -> None:
    size = _X87_MEMORY[draft.decoded.opcode - 0xD8][anatomy(draft.decoded.raw).extension]
    if size == 0 or (draft.narrow and abs(size) > 10):
        draft.refuse()
    draft.address(mem)
    access = Access(replace(mem, size=abs(size)), abs(size))
    (draft.loads if size > 0 else draft.stores).append(access)
    draft.fixed = "floating point"


def sse(draft: Draft) -> None:
    """MMX, SSE and the saving of their state, as coarsely as they are rare: both lumps, all flags, general
    registers that are named and those that some imply, and memory of unknown size around the operand"""
    if draft.decoded.opcode == STATE_GROUP and not any(isinstance(operand, Mem) for operand in draft.operands):
        draft.refuse()  # umonitor and other late arrivals
    draft.reads |= EAX | EDX  # xsave, pcmpestri
    draft.touch(FLAGS | ECX)  # comiss, ptest; pcmpestri
    for operand in draft.operands:
        if isinstance(operand, Mem):
            draft.address(operand)
            draft.loads.append(Access(operand, None))
            draft.stores.append(Access(operand, None))
        elif isinstance(operand, Reg) and draft.mask(operand) & ALL_REGISTERS:
            draft.read(operand)
            draft.maybe_write(operand)
    if draft.mnemonic in ("maskmovq", "maskmovdqu"):
        draft.reads |= EDI
        draft.stores.append(Access(Mem("edi"), None))
    draft.lump(FPU | SSE, "vector")
    draft.faults = True
