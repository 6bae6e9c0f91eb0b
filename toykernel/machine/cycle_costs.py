"""What an instruction costs by itself: micro-operations, as published for the P6 family (Pentium Pro, II and III).

Source: Agner Fog, "How to optimize for the Pentium family of microprocessors", chapter 29, "List of instruction
timings and micro-op breakdown for PPro, PII and PIII" (the numbers are sums over the ports).  Three of them retire in
a clock cycle (ibid., chapter 17), hence the unit here: thirds of a cycle.  System instructions are not in that list;
theirs are clocks of the "Pentium Processor Family Developer's Manual", volume 3, chapter 25 (Intel 241430).
Where a source gives a range its lower end is taken; nothing is fitted to any measurement of ours.
"""

from __future__ import annotations

from functools import lru_cache

THIRDS = 3  # of a cycle, in a cycle: micro-operations that retire together
MICROCODED = 4  # micro-operations of what no list has: more than the decoders make at once
_SEGMENTS = {"cs", "ds", "es", "fs", "gs", "ss"}

# Micro-operations with (no memory operand, a source in memory, a destination in memory).
_FORMS: dict[str, tuple[int, int, int]] = {
    **dict.fromkeys(("add", "sub", "and", "or", "xor"), (1, 2, 4)),
    **dict.fromkeys(("adc", "sbb"), (2, 3, 6)),
    **dict.fromkeys(("cmp", "test"), (1, 2, 2)),
    **dict.fromkeys(("inc", "dec", "neg", "not"), (1, 4, 4)),
    **dict.fromkeys(("shl", "shr", "sar", "rol", "ror", "sal"), (1, 4, 4)),
    **dict.fromkeys(("rcl", "rcr"), (2, 6, 6)),
    **dict.fromkeys(("shld", "shrd"), (2, 6, 6)),
    **dict.fromkeys(("bt",), (1, 8, 8)),
    **dict.fromkeys(("bts", "btr", "btc"), (1, 10, 10)),
    **dict.fromkeys(("bsf", "bsr", "tzcnt", "lzcnt"), (2, 3, 3)),
    **dict.fromkeys(("mul", "imul"), (1, 2, 2)),
    **dict.fromkeys(("movzx", "movsx"), (1, 1, 1)),
    "mov": (1, 1, 2),
    "lea": (1, 1, 1),
    "xchg": (3, 7, 7),
    "push": (3, 4, 4),
    "pop": (2, 8, 8),
    "jmp": (1, 2, 2),
    "call": (4, 8, 8),
    "ret": (4, 4, 4),
}
# Micro-operations that do not depend on operands.
_FIXED: dict[str, int] = {
    **dict.fromkeys(("nop", "cdq", "cwde", "cbw", "cwd", "clc", "stc", "cmc", "lahf", "sahf"), 1),
    **dict.fromkeys(("leave", "jecxz"), 3),
    **dict.fromkeys(("cld", "std"), 4),
    **dict.fromkeys(("loop", "loope", "loopne", "bswap", "lodsb", "lodsw", "lodsd", "xlatb"), 2),
    **dict.fromkeys(("stosb", "stosw", "stosd", "scasb", "scasw", "scasd"), 3),
    **dict.fromkeys(("movsb", "movsw", "movsd", "cmpsb", "cmpsw", "cmpsd"), 6),
    **{"cli": 9, "sti": 17, "pushfd": 16, "popfd": 17, "pushal": 18, "popal": 10, "rdtsc": 31, "cpuid": 23},
    **{"retf": 26, "ljmp": 21, "lcall": 33, "enter": 14, "bound": 13, "into": 5},
}
# Clocks for which nothing else runs: the divider's throughput, input and output, and system instructions.
_CLOCKS: dict[str, int] = {
    **dict.fromkeys(("div", "idiv"), 37),
    **dict.fromkeys(("in", "out", "insb", "insw", "insd", "outsb", "outsw", "outsd"), 300),
    **{"iretd": 27, "iret": 27, "int": 16, "hlt": 4, "lgdt": 6, "lidt": 6, "ltr": 10, "lldt": 9, "clts": 10},
    **{"invlpg": 25, "wbinvd": 2000, "invd": 15, "smsw": 4, "lmsw": 8, "sgdt": 4, "sidt": 4, "str": 2},
}
_CONTROL_REGISTERS = {"cr0": 22, "cr2": 12, "cr3": 21, "cr4": 14}  # clocks of `mov` to them; 4 from them


@lru_cache(maxsize=1 << 14)
def thirds(mnemonic: str, operands: str) -> int:
    """The cost of one instruction (of `rep` without its iterations), in thirds of a cycle."""
    mnemonic = mnemonic.removeprefix("lock ").removeprefix("rep ").removeprefix("repne ").removeprefix("repe ")
    target, _, source = operands.partition(", ")
    if mnemonic in _CLOCKS:
        return _CLOCKS[mnemonic] * THIRDS
    if mnemonic == "mov" and (target in _CONTROL_REGISTERS or source in _CONTROL_REGISTERS):
        return _CONTROL_REGISTERS.get(target, 4) * THIRDS
    if mnemonic in _FIXED:
        return _FIXED[mnemonic]
    if target in _SEGMENTS or source in _SEGMENTS:
        return _segment(mnemonic, target, "[" in operands)
    if mnemonic in _FORMS:
        plain, load, store = _FORMS[mnemonic]
        if mnemonic == "call" and target in _REGISTERS:
            return 5
        return store if "[" in target else load if "[" in source else plain
    if mnemonic.startswith("j"):
        return 1
    if mnemonic.startswith("set"):
        return 3 if "[" in target else 1
    if mnemonic.startswith("cmov"):
        return 3 if "[" in source else 2
    return MICROCODED


def is_listed(mnemonic: str) -> bool:
    """Whether a source has it (what bare `thirds` answers otherwise is a guess)."""
    listed = mnemonic in _FORMS or mnemonic in _FIXED or mnemonic in _CLOCKS
    return listed or mnemonic.startswith(("j", "set", "cmov", "rep"))


_REGISTERS = {"eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp"}


def _segment(mnemonic: str, target: str, memory: bool) -> int:
    """Moves of segment registers: loading one is slow."""
    if mnemonic == "push":
        return 4
    if mnemonic == "pop":
        return 9
    loads = target in _SEGMENTS
    return (8 if loads else 1) if not memory else (8 if loads else 3)


# Block moves: micro-operations per element (ibid., "REP MOVS ca. 6n" and so on) and to start (of REP LODS and SCAS).
_ELEMENT = {"movs": 6, "stos": 5, "lods": 6, "scas": 7, "cmps": 9, "ins": 300 * THIRDS, "outs": 300 * THIRDS}
_START = {"scas": 12, "cmps": 12}
_OTHER_START = 10
FAST_ELEMENTS, FAST_ALIGNMENT, FAST_DISTANCE = 64, 8, 32


def repeated(mnemonic: str, elements: int, *, fast: bool) -> int:
    """All iterations of a `rep` instruction, in thirds of a cycle.

    `fast`: whole cache lines are moved at once (ibid., chapter 26.3: 215 + 2 n micro-operations for MOVSD, 185 + 1.5 n
    for STOSD; for both operands aligned by 8, upwards, at least 64 elements, at least 32 bytes apart)."""
    kind = mnemonic.split()[-1]
    if fast and kind == "movsd":
        return 215 + 2 * elements
    if fast and kind == "stosd":
        return 185 + (3 * elements + 1) // 2
    return _START.get(kind[:-1], _OTHER_START) + _ELEMENT.get(kind[:-1], MICROCODED) * elements
