"""Effects of moves and of integer arithmetic.

Flags that an instruction leaves undefined are in `may_write` and not in `writes`.
"""

from __future__ import annotations

from rewriter.x86.draft import ACCUMULATORS, Draft
from rewriter.x86.operands import Imm, Mem, Reg
from rewriter.x86.state import AF, ALL_REGISTERS, CF, DF, FLAGS, OF, PF, SF, SYS, ZF, register_mask

# What the sixteen conditions ask, by the low four bits of the opcode of jcc, setcc and cmovcc, halved.
CONDITION_FLAGS = (OF, CF, ZF, CF | ZF, SF, PF, SF | OF, SF | OF | ZF)


def condition_flags(opcode: int) -> int:
    return CONDITION_FLAGS[opcode >> 1 & 7]


def move(draft: Draft) -> None:
    """mov, movzx, movsx, movnti, movbe"""
    target, source = draft.operands
    lumps = sum(draft.mask(operand) & ~ALL_REGISTERS for operand in (target, source) if isinstance(operand, Reg))
    draft.read(source)
    if not lumps:
        draft.write(target)
        return
    if lumps & SYS:
        draft.fixed, draft.faults = "control register", True
        draft.touch(FLAGS)  # left undefined
    if isinstance(target, Reg) and draft.mask(target) & lumps:
        draft.touch(lumps)
        draft.fixed, draft.faults = draft.fixed or "segment register", True
        if lumps & SYS:
            draft.anywhere()  # another page table is another memory
    else:
        draft.write(target)


def lea(draft: Draft) -> None:
    target, mem = draft.operands
    assert isinstance(mem, Mem)
    for name in (mem.base, mem.index):
        draft.reads |= register_mask(name) if name else 0
    draft.write(target)
    if target == Reg("esp", 4) and mem.base == "esp" and mem.index is None and not draft.opaque_disp:
        draft.esp_change = mem.disp


def exchange(draft: Draft) -> None:
    draft.read(*draft.operands)
    for operand in draft.operands:
        draft.write(operand)
    if any(isinstance(operand, Mem) for operand in draft.operands):
        draft.fixed = "locked"  # also without a prefix


def arithmetic(draft: Draft) -> None:
    """add, adc, sub, sbb, and, or, xor, cmp, test"""
    name, (target, source) = draft.mnemonic, draft.operands
    if not _ignores_operands(draft):
        draft.read(target, source)
    if name in ("adc", "sbb"):
        draft.reads |= CF
    draft.set(FLAGS & ~AF if name in ("and", "or", "xor", "test") else FLAGS)
    draft.touch(AF)
    if name not in ("cmp", "test"):
        draft.write(target)
    value = draft.known_imm(source)
    if target == Reg("esp", 4) and name in ("add", "sub") and isinstance(source, Imm) and value is not None:
        draft.esp_change = source.signed if name == "add" else -source.signed


def _ignores_operands(draft: Draft) -> bool:
    """Whether result and flags are the same for all values: `xor r, r`, `and r, 0`, `or r, -1`, …"""
    name, (target, source) = draft.mnemonic, draft.operands
    if not isinstance(target, Reg):
        return False
    if target == source:
        return name in ("xor", "sub", "sbb", "cmp")
    value = draft.known_imm(source)
    return (name, value) in (("and", 0), ("or", (1 << 8 * target.size) - 1))


def count(draft: Draft) -> None:
    """inc, dec: the carry stays"""
    (target,) = draft.operands
    draft.read(target)
    draft.write(target)
    draft.set(FLAGS & ~CF)
    if target == Reg("esp", 4):
        draft.esp_change = 1 if draft.mnemonic == "inc" else -1


def negate(draft: Draft) -> None:
    """neg, not"""
    draft.read(*draft.operands)
    draft.write(draft.operands[0])
    if draft.mnemonic == "neg":
        draft.set(FLAGS)


def swap_bytes(draft: Draft) -> None:
    """bswap; of a 16-bit register the result is undefined"""
    (target,) = draft.operands
    if target.size != 4:
        draft.refuse()
    draft.read(target)
    draft.write(target)


def shift(draft: Draft) -> None:
    """shl, shr, sar, rol, ror, rcl, rcr, shld, shrd: by zero (after masking with 31) no flag changes"""
    name, operands = draft.mnemonic, draft.operands
    counter = operands[-1] if len(operands) > 1 else Imm(1, 1)
    target = operands[0]
    draft.read(*operands)
    draft.write(target)
    value = draft.known_imm(counter)
    by = None if value is None else value & 31
    rotates = name in ("rol", "ror", "rcl", "rcr")
    if by == 0:
        return
    if name in ("rcl", "rcr"):
        draft.reads |= CF
    draft.touch(CF | OF if rotates else FLAGS)
    if by is None:
        return
    certain = CF if rotates else CF | PF | ZF | SF
    if name in ("shld", "shrd") and by > 8 * target.size:
        certain = 0  # even the result is undefined
    elif name in ("shl", "sal", "shr") and by >= 8 * target.size:
        certain &= ~CF
    draft.set(certain | (OF if by == 1 else 0))


def multiply(draft: Draft) -> None:
    """mul, imul with one, two or three operands"""
    operands = draft.operands
    draft.set(CF | OF)
    draft.touch(FLAGS)
    if len(operands) == 1:
        size = operands[0].size
        draft.read(operands[0])
        draft.reads |= register_mask(ACCUMULATORS[size])
        draft.set(draft.wide_accumulator(size))
        return
    draft.read(*(operands[1:] if draft.decoded.opcode in (0x69, 0x6B) else operands))
    draft.write(operands[0])


def divide(draft: Draft) -> None:
    """div, idiv: fault where the quotient does not fit"""
    (divisor,) = draft.operands
    draft.read(divisor)
    draft.reads |= draft.wide_accumulator(divisor.size)
    draft.set(draft.wide_accumulator(divisor.size))
    draft.touch(FLAGS)
    draft.faults = True


EXTENSIONS = {"cbw": ("al", "ah"), "cwde": ("ax", "eax"), "cwd": ("ax", "dx"), "cdq": ("eax", "edx")}


def extend_sign(draft: Draft) -> None:
    """cbw, cwde, cwd, cdq"""
    source, target = EXTENSIONS[draft.mnemonic]
    draft.reads |= register_mask(source)
    draft.set(register_mask(target))


# al and ah made decimal: what is read, certainly written, and may be written besides
DECIMAL = {
    "aaa": (register_mask("ax") | AF, register_mask("ax") | AF | CF, FLAGS),
    "aas": (register_mask("ax") | AF, register_mask("ax") | AF | CF, FLAGS),
    "daa": (register_mask("al") | AF | CF, register_mask("al") | FLAGS & ~OF, OF),
    "das": (register_mask("al") | AF | CF, register_mask("al") | FLAGS & ~OF, OF),
    "aam": (register_mask("al"), register_mask("ax") | PF | ZF | SF, FLAGS),
    "aad": (register_mask("ax"), register_mask("ax") | PF | ZF | SF, FLAGS),
    "salc": (CF, register_mask("al"), 0),
}


def decimal(draft: Draft) -> None:
    """aaa, aas, daa, das, aam, aad, salc"""
    reads, writes, may_write = DECIMAL[draft.mnemonic]
    draft.reads |= reads
    draft.set(writes)
    draft.touch(may_write)
    draft.faults = draft.mnemonic == "aam"  # by zero


def set_byte(draft: Draft) -> None:
    """setcc"""
    draft.reads |= condition_flags(draft.decoded.opcode)
    draft.write(draft.operands[0])


def move_if(draft: Draft) -> None:
    """cmovcc: the source is loaded whether it is wanted or not"""
    target, source = draft.operands
    draft.reads |= condition_flags(draft.decoded.opcode)
    draft.read(target, source)
    draft.maybe_write(target)


# Operations on flags alone (lahf and sahf: and ah): what is read, and what is written.
FLAG_RULES = {
    "clc": (0, CF),
    "stc": (0, CF),
    "cmc": (CF, CF),
    "lahf": (FLAGS & ~OF, register_mask("ah")),
    "sahf": (register_mask("ah"), FLAGS & ~OF),
    "cld": (0, DF),
    "std": (0, DF),
}


def flag(draft: Draft) -> None:
    """clc, stc, cmc, lahf, sahf, cld, std"""
    reads, writes = FLAG_RULES[draft.mnemonic]
    draft.reads |= reads
    draft.set(writes)
    if writes & DF:
        draft.fixed = "direction flag"


def nothing(draft: Draft) -> None:
    """nop (whatever it names), pause, endbr32, prefetch: hints"""
