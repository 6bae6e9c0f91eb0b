"""Effects of what moves esp, control flow included.

An implicit access is written relative to esp **before** the instruction: a push stores to [esp - 4], a pop loads from
[esp].  A call is judged alone, up to its target's first instruction: esp_change −4, a store of the return address;
`ret 8` has esp_change 12.
"""

from __future__ import annotations

from dataclasses import replace

from rewriter.x86.anatomy import anatomy
from rewriter.x86.draft import SEGMENTS, Access, Draft
from rewriter.x86.flow import CALLS, Flow, flow
from rewriter.x86.operands import Imm, Mem, Operand, Reg
from rewriter.x86.rules_integer import condition_flags
from rewriter.x86.state import ALL_REGISTERS, DF, EBP, ECX, ESP, FLAGS, IF, SEG, SYSTEM, ZF

XBEGIN = 0xC7


def _below(size: int, distance: int | None = None) -> Access:
    return Access(Mem("esp", disp=-(distance or size), size=size), size)


def _at(size: int) -> Access:
    return Access(Mem("esp", size=size), size)


def _is_segment(operand: Operand) -> bool:
    return isinstance(operand, Reg) and operand.name in SEGMENTS


def push(draft: Draft) -> None:
    """push: a register, an immediate, memory, a segment register"""
    (source,) = draft.operands
    size = 2 if draft.narrow else 4
    draft.read(source)
    draft.move_esp(-size)
    draft.stores.append(_below(size))
    if _is_segment(source):
        draft.loads.append(_below(size))  # newer processors write two bytes only; the others keep what was there


def pop(draft: Draft) -> None:
    """pop: the address of a memory operand is computed with the new esp"""
    (target,) = draft.operands
    size = 2 if draft.narrow else 4
    draft.loads.append(_at(size))
    draft.move_esp(size)
    if isinstance(target, Mem):
        draft.write(replace(target, disp=target.disp + size) if target.base == "esp" else target)
    elif _is_segment(target):
        draft.touch(SEG)
        draft.fixed, draft.faults = "segment register", True
    else:
        draft.write(target)


def push_all(draft: Draft) -> None:
    """pushal"""
    if draft.narrow:
        draft.refuse()
    draft.reads |= ALL_REGISTERS
    draft.move_esp(-32)
    draft.stores.append(_below(32))


def pop_all(draft: Draft) -> None:
    """popal: the saved esp is skipped"""
    if draft.narrow:
        draft.refuse()
    draft.loads.append(_at(32))
    draft.set(ALL_REGISTERS & ~ESP)
    draft.move_esp(32)


def push_flags(draft: Draft) -> None:
    """pushfd"""
    size = 2 if draft.narrow else 4
    draft.reads |= FLAGS | DF | IF | SYSTEM
    draft.move_esp(-size)
    draft.stores.append(_below(size))


def pop_flags(draft: Draft) -> None:
    """popfd: IF and IOPL change by privilege"""
    size = 2 if draft.narrow else 4
    draft.loads.append(_at(size))
    draft.move_esp(size)
    draft.set(FLAGS | DF)
    draft.reads |= SYSTEM
    draft.touch(IF | SYSTEM)
    draft.fixed, draft.faults = "system flags", True


def enter(draft: Draft) -> None:
    """enter n, 0"""
    room, nesting = draft.operands
    if draft.narrow or not isinstance(room, Imm) or not isinstance(nesting, Imm) or nesting.value & 31:
        draft.refuse()
    draft.reads |= EBP
    draft.set(EBP)
    draft.stores.append(_below(4))
    draft.move_esp(-4 - (room.value & 0xFFFF))


def leave(draft: Draft) -> None:
    """leave: esp comes from ebp"""
    if draft.narrow:
        draft.refuse()
    draft.reads |= EBP
    draft.loads.append(Access(Mem("ebp"), 4))
    draft.set(EBP | ESP)


def control(draft: Draft) -> None:
    """Jumps, branches, calls, returns.  Far ones, and those which cut eip to 16 bits, are not understood."""
    kind = flow(draft.decoded.raw)
    parts = anatomy(draft.decoded.raw)
    far = parts.opcode == 0x9A or (parts.opcode == 0xFF and parts.extension == 3)
    if draft.narrow or far or kind is Flow.IRET or parts.opcode == XBEGIN:
        draft.refuse()
    draft.fixed = "control flow"
    if kind is Flow.BRANCH:
        _branch(draft)
    elif kind in CALLS:
        draft.read(*draft.operands)
        draft.move_esp(-4)
        draft.stores.append(_below(4))
    elif kind is Flow.JUMP_INDIRECT:
        draft.read(*draft.operands)
    elif kind is Flow.RETURN:
        beyond = draft.operands[0] if draft.operands else Imm(0, 2)
        if not isinstance(beyond, Imm) or beyond.value >= 0x8000:
            draft.refuse()  # emulators differ about the sign
        draft.loads.append(_at(4))
        draft.move_esp(4 + beyond.value)
    draft.fixed = "control flow"


def _branch(draft: Draft) -> None:
    opcode = draft.decoded.opcode
    if opcode not in range(0xE0, 0xE4):
        draft.reads |= condition_flags(opcode)
        return
    draft.reads |= ECX  # jecxz and jcxz
    if opcode != 0xE3:  # loop, loope, loopne
        draft.set(ECX)
    if opcode in (0xE0, 0xE1):
        draft.reads |= ZF
