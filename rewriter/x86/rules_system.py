"""Effects of ports, privileged instructions and traps.

Whatever touches a lump is `fixed`: nobody follows what is in there, so nobody may take it away.
"""

from __future__ import annotations

from dataclasses import replace

from rewriter.x86.draft import Access, Draft
from rewriter.x86.operands import Mem
from rewriter.x86.state import ALL, ALL_REGISTERS, EAX, EBX, ECX, EDX, ESP, FLAGS, IF, SEG, SYS, SYSTEM, ZF


def port(draft: Draft) -> None:
    """in, out"""
    first, second = draft.operands
    draft.read(second)
    if draft.mnemonic == "in":
        draft.write(first)
    else:
        draft.read(first)
    draft.lump(SYS, "port")
    draft.faults = True


def interrupt_flag(draft: Draft) -> None:
    """cli, sti"""
    draft.set(IF)
    draft.lump(SYSTEM, "interrupt flag")
    draft.faults = True


# Registers read and certainly written by instructions without operands; all of them read and change SYS.
IMPLICIT = {
    "hlt": (IF, 0, "waits for an interrupt"),
    "clts": (0, 0, "privileged"),
    "wbinvd": (0, 0, "privileged"),
    "rdtsc": (0, EAX | EDX, "time stamp counter"),
    "rdpmc": (ECX, EAX | EDX, "performance counter"),
    "rdmsr": (ECX, EAX | EDX, "model-specific register"),
    "wrmsr": (EAX | ECX | EDX, 0, "model-specific register"),
    "cpuid": (EAX | ECX, EAX | EBX | ECX | EDX, "serializes"),
}


def implicit(draft: Draft) -> None:
    """hlt, clts, wbinvd, rdtsc, rdpmc, rdmsr, wrmsr, cpuid"""
    reads, writes, why = IMPLICIT[draft.mnemonic]
    draft.reads |= reads
    draft.set(writes)
    draft.lump(SYS, why)
    draft.faults = True


def fence(draft: Draft) -> None:
    """mfence, lfence, sfence: order what others see"""
    draft.fixed = "fence"


def table_load(draft: Draft) -> None:
    """lgdt, lidt (six bytes of memory), lldt, ltr, lmsw"""
    _descriptor(draft)
    draft.read(draft.operands[0])


def table_store(draft: Draft) -> None:
    """sgdt, sidt (six bytes of memory), sldt, str, smsw: of a wide register the upper half is undefined"""
    _descriptor(draft)
    draft.maybe_write(draft.operands[0])


def _descriptor(draft: Draft) -> None:
    (operand,) = draft.operands
    wanted = 6 if draft.mnemonic[1:] in ("gdt", "idt") else 2
    if isinstance(operand, Mem) and (operand.size != wanted or draft.narrow):
        draft.refuse()
    draft.lump(SYS | SEG, "descriptor table")
    draft.faults = True


def invalidate_page(draft: Draft) -> None:
    """invlpg: names a page, reads nothing; but behind it addresses may mean other memory"""
    (mem,) = draft.operands
    assert isinstance(mem, Mem)
    draft.address(mem)
    draft.anywhere()
    draft.lump(SYS, "privileged")
    draft.faults = True


def load_far_pointer(draft: Draft) -> None:
    """les, lds, lss, lfs, lgs"""
    target, mem = draft.operands
    assert isinstance(mem, Mem)
    draft.address(mem)
    size = target.size + 2
    draft.loads.append(Access(replace(mem, size=size), size))
    draft.write(target)
    draft.lump(SEG, "segment register")
    draft.faults = True


def query_selector(draft: Draft) -> None:
    """lar, lsl, verr, verw: what the descriptor tables say"""
    draft.read(*draft.operands)
    if len(draft.operands) == 2:
        draft.maybe_write(draft.operands[0])
    draft.set(ZF)
    draft.lump(SYS, "descriptor table")
    draft.faults = True


def interrupt(draft: Draft) -> None:
    """int, int1, int3, into: a handler sees everything, may write everything, and comes back with the same esp"""
    draft.reads |= ALL
    draft.touch(ALL & ~ESP)
    draft.anywhere()
    draft.fixed, draft.faults = "software interrupt", True


def trap(draft: Draft) -> None:
    """ud0, ud1, ud2: registers are there for whoever looks"""
    draft.reads |= ALL_REGISTERS | FLAGS
    draft.fixed, draft.faults = "trap", True


def bound(draft: Draft) -> None:
    draft.read(*draft.operands)
    draft.fixed, draft.faults = "trap", True
