"""Where control goes after an instruction, told from its opcode bytes alone (no disassembler: the loader asks
for every instruction of an image)."""

from __future__ import annotations

from enum import Enum
from typing import Final

from rewriter.ir import RefKind
from rewriter.x86.anatomy import OPERAND_16, anatomy
from rewriter.x86.decode_sweep import sweep

__all__ = ["CALLS", "DIRECT", "Flow", "branch_field", "flow", "sweep"]


class Flow(Enum):
    """The ways in which an instruction hands control on."""

    NEXT = "next"  # to the following instruction: mov, hlt, int 0x80, cli
    JUMP = "jump"  # jmp label
    BRANCH = "branch"  # to its label or to the next: jne, loop, jecxz
    CALL = "call"  # call label
    JUMP_INDIRECT = "jump indirect"  # jmp [eax*4 + table]
    CALL_INDIRECT = "call indirect"  # call [ecx + 8]; also far calls
    RETURN = "return"  # ret, ret 8
    IRET = "iret"  # leaves with another code segment, and does not come back: iret, lret, ljmp, sysenter, sysexit
    STOP = "stop"  # ud2: nothing behind it is reached


CALLS: Final = (Flow.CALL, Flow.CALL_INDIRECT)
DIRECT: Final = (Flow.JUMP, Flow.BRANCH, Flow.CALL)  # to a label, see `branch_field`

_OPCODES: dict[int, Flow] = {
    **dict.fromkeys([*range(0x70, 0x80), *range(0xE0, 0xE4), *range(0x0F80, 0x0F90)], Flow.BRANCH),
    **dict.fromkeys([0xE9, 0xEB], Flow.JUMP),
    0xE8: Flow.CALL,
    0x9A: Flow.CALL_INDIRECT,  # lcall selector:offset
    **dict.fromkeys([0xC2, 0xC3], Flow.RETURN),
    **dict.fromkeys([0xCA, 0xCB, 0xCF, 0xEA], Flow.IRET),  # lret, iret, ljmp selector:offset
    **dict.fromkeys([0x0F05, 0x0F07, 0x0F34, 0x0F35, 0x0FAA], Flow.IRET),  # syscall, sysret, sysenter, sysexit, rsm
    **dict.fromkeys([0x0F0B, 0x0FB9, 0x0FFF], Flow.STOP),  # ud2, ud1, ud0
}
_GROUP_5 = {2: Flow.CALL_INDIRECT, 3: Flow.CALL_INDIRECT, 4: Flow.JUMP_INDIRECT, 5: Flow.IRET}
_LONE = {code: flow for code, flow in _OPCODES.items() if code < 0x100}
# First bytes which settle the matter: one-byte opcodes other than FF, C7 (xbegin), 0F and the prefixes.
_OPEN = frozenset([0x0F, 0xC7, 0xFF, 0x26, 0x2E, 0x36, 0x3E, *range(0x64, 0x68), 0xF0, 0xF2, 0xF3])
_BY_FIRST_BYTE = [None if byte in _OPEN else _LONE.get(byte, Flow.NEXT) for byte in range(256)]


def flow(raw: bytes) -> Flow:
    """How the instruction with exactly these bytes hands control on."""
    settled = _BY_FIRST_BYTE[raw[0]]
    if settled is not None:
        return settled
    parts = anatomy(raw)
    if parts.opcode == 0xFF:
        return _GROUP_5.get(parts.extension, Flow.NEXT)
    if parts.opcode == 0xC7 and parts.modrm == 0xF8:
        return Flow.BRANCH  # xbegin: to its label where the transaction aborts
    return _OPCODES.get(parts.opcode, Flow.NEXT)


def branch_field(raw: bytes) -> tuple[int, RefKind] | None:
    """Offset and kind of the field that names the target of a direct jump, branch or call.

    None for everything else, and for the forms under a 66 prefix, which cut the target to 16 bits: whoever finds
    `flow(raw)` JUMP, BRANCH or CALL without a field must pin the code.
    """
    if flow(raw) not in DIRECT:
        return None
    parts = anatomy(raw)
    if OPERAND_16 in parts.prefixes:
        return None
    return parts.imm_offset, RefKind.PC8 if parts.imm_size == 1 else RefKind.PC32
