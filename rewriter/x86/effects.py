"""What an instruction reads, certainly overwrites, and may write (§5.6 of the design); never less than the truth.

The rules are our own, one table by mnemonic; capstone's `regs_access` is wrong for every sixth form.  What has no
rule has the effects of an unknown instruction: reads everything, may write everything, writes nothing for certain.
Two facts about every instruction are not repeated in its effects: it moves eip, and an interrupt may come before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rewriter.ir import Insn, RefKind
from rewriter.x86 import rules_bits, rules_integer, rules_stack, rules_string, rules_system, rules_vector
from rewriter.x86.anatomy import ADDRESS_16, STRING_OPCODES, is_sse
from rewriter.x86.decode import Decoded, DecodeError, decode
from rewriter.x86.draft import ANYWHERE, Access, Draft, NotUnderstood
from rewriter.x86.flow import Flow, flow
from rewriter.x86.state import AF, ALL, CF, DF, FLAGS, IF, OF, PF, SF, ZF, names, register_mask

__all__ = [
    "AF",
    "ALL",
    "ANYWHERE",
    "CF",
    "DF",
    "FLAGS",
    "IF",
    "OF",
    "PF",
    "SF",
    "ZF",
    "Access",
    "Effects",
    "effects",
    "names",
    "register_mask",
]


@dataclass(frozen=True, slots=True)
class Effects:
    """Masks over registers, flags and lumps (`state`), and memory.

    A location outside `reads` influences no other location; one outside `may_write` keeps its value; one in `writes`
    ends up with a value that depends on what is in `reads` alone.  Undefined flags are in `may_write` only.  A store
    with a size overwrites all its bytes.  Addresses hold for the registers before the instruction; a relocated
    displacement (`Insn.refs`) means nothing in them.
    """

    reads: int
    writes: int
    may_write: int
    loads: tuple[Access, ...]
    stores: tuple[Access, ...]
    esp_change: int | None  # bytes; of a call up to its target's first instruction; None: not a constant
    fixed: str | None  # why it must never be deleted, executed twice, or moved
    faults: bool  # may trap for a reason other than the memory it accesses: division, privilege, `int`


UNKNOWN: Final = Effects(ALL, 0, ALL, (ANYWHERE,), (ANYWHERE,), None, "unknown instruction", True)


_NO_REFS: Final[frozenset[int]] = frozenset()
_ONE_REF: Final = tuple(frozenset([offset]) for offset in range(16))  # no instruction is longer


def effects(insn: Insn) -> Effects:
    """The effects of one instruction, whatever stands in its relocated fields."""
    refs = insn.refs
    if not refs:
        return _effects(insn.raw, _NO_REFS)
    if len(refs) == 1:
        if refs[0].offset >= len(_ONE_REF):
            return UNKNOWN  # bytes that were not understood
        return _effects(insn.raw, _NO_REFS if refs[0].kind is RefKind.PC8 else _ONE_REF[refs[0].offset])
    return _effects(insn.raw, frozenset(ref.offset for ref in refs if ref.kind is not RefKind.PC8))


@lru_cache(maxsize=1 << 18)
def _effects(raw: bytes, refs: frozenset[int]) -> Effects:
    try:
        decoded = decode(raw)
        draft = Draft(decoded, decoded.imm_offset in refs, decoded.disp_offset in refs)
        _rule(decoded)(draft)
    except (DecodeError, NotUnderstood, KeyError):
        return UNKNOWN
    if "lock" in decoded.prefixes:
        draft.fixed = "locked"
    return Effects(
        draft.reads,
        draft.writes,
        draft.may_write,
        tuple(draft.loads),
        tuple(draft.stores),
        draft.esp_change,
        draft.fixed,
        draft.faults,
    )


Rule = Callable[[Draft], None]
JECXZ: Final = 0xE3  # as jcxz it has no address: 16-bit ones are not understood


def _rule(decoded: Decoded) -> Rule:
    """KeyError where there is none."""
    kind = flow(decoded.raw)
    if ADDRESS_16 in decoded.raw[: decoded.prefix_size] and decoded.opcode != JECXZ:
        raise KeyError("16-bit addresses")
    if kind not in (Flow.NEXT, Flow.STOP):
        return rules_stack.control
    if decoded.opcode in STRING_OPCODES:
        return rules_string.string
    if rules_vector.is_x87(decoded.opcode):
        return rules_vector.x87
    if decoded.opcode in range(0x0F40, 0x0F50):
        return rules_integer.move_if
    if decoded.opcode in range(0x0F90, 0x0FA0):
        return rules_integer.set_byte
    if decoded.mnemonic in RULES:
        return RULES[decoded.mnemonic]
    if is_sse(decoded.opcode):  # what is not named above
        return rules_vector.sse
    raise KeyError(decoded.mnemonic)


def _by(rule: Rule, *mnemonics: str) -> dict[str, Rule]:
    return dict.fromkeys(mnemonics, rule)


RULES: Final[dict[str, Rule]] = {
    **_by(rules_integer.move, "mov", "movzx", "movsx", "movnti", "movbe"),
    **_by(rules_integer.lea, "lea"),
    **_by(rules_integer.exchange, "xchg"),
    **_by(rules_integer.arithmetic, "add", "adc", "sub", "sbb", "and", "or", "xor", "cmp", "test"),
    **_by(rules_integer.count, "inc", "dec"),
    **_by(rules_integer.negate, "neg", "not"),
    **_by(rules_integer.swap_bytes, "bswap"),
    **_by(rules_integer.shift, "shl", "sal", "shr", "sar", "rol", "ror", "rcl", "rcr", "shld", "shrd"),
    **_by(rules_integer.multiply, "mul", "imul"),
    **_by(rules_integer.divide, "div", "idiv"),
    **_by(rules_integer.extend_sign, *rules_integer.EXTENSIONS),
    **_by(rules_integer.decimal, *rules_integer.DECIMAL),
    **_by(rules_integer.flag, *rules_integer.FLAG_RULES),
    **_by(rules_integer.nothing, "nop", "pause", "endbr32", "prefetch", "prefetchw", "prefetchnta"),
    **_by(rules_integer.nothing, "prefetcht0", "prefetcht1", "prefetcht2"),
    **_by(rules_bits.bit, "bt", "bts", "btr", "btc"),
    **_by(rules_bits.scan, "bsf", "bsr", "tzcnt", "lzcnt"),
    **_by(rules_bits.population, "popcnt"),
    **_by(rules_bits.checksum, "crc32"),
    **_by(rules_bits.exchange_add, "xadd"),
    **_by(rules_bits.compare_exchange, "cmpxchg"),
    **_by(rules_bits.compare_exchange_8, "cmpxchg8b"),
    **_by(rules_stack.push, "push"),
    **_by(rules_stack.pop, "pop"),
    **_by(rules_stack.push_all, "pushal", "pushaw"),
    **_by(rules_stack.pop_all, "popal", "popaw"),
    **_by(rules_stack.push_flags, "pushfd", "pushf"),
    **_by(rules_stack.pop_flags, "popfd", "popf"),
    **_by(rules_stack.enter, "enter"),
    **_by(rules_stack.leave, "leave"),
    **_by(rules_string.translate, "xlatb"),
    **_by(rules_system.port, "in", "out"),
    **_by(rules_system.interrupt_flag, "cli", "sti"),
    **_by(rules_system.implicit, *rules_system.IMPLICIT),
    **_by(rules_system.fence, "mfence", "lfence", "sfence"),
    **_by(rules_system.table_load, "lgdt", "lidt", "lldt", "ltr", "lmsw"),
    **_by(rules_system.table_store, "sgdt", "sidt", "sldt", "str", "smsw"),
    **_by(rules_system.invalidate_page, "invlpg"),
    **_by(rules_system.load_far_pointer, "les", "lds", "lss", "lfs", "lgs"),
    **_by(rules_system.query_selector, "lar", "lsl", "verr", "verw"),
    **_by(rules_system.interrupt, "int", "int1", "int3", "into"),
    **_by(rules_system.trap, "ud0", "ud1", "ud2"),
    **_by(rules_system.bound, "bound"),
}
