"""How many instructions a piece of code has: what a processor would retire, told from its bytes."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

_STRING = {0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF, 0x6C, 0x6D, 0x6E, 0x6F}
_PREFIXES = {0xF0, 0xF2, 0xF3, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65, 0x66, 0x67}


@cache
def _disassembler() -> Any:
    from capstone import CS_ARCH_X86, CS_MODE_32, Cs

    return Cs(CS_ARCH_X86, CS_MODE_32)


@lru_cache(maxsize=1 << 16)
def sizes(code: bytes) -> tuple[int, ...]:
    """The sizes of the instructions of straight code.  Bytes that do not decode are one instruction: the processor
    would raise an exception there."""
    found = [size for _, size, _, _ in _disassembler().disasm_lite(code, 0)]
    rest = len(code) - sum(found)
    return (*found, rest) if rest else tuple(found)


def is_repeated(instruction: bytes) -> bool:
    """Whether this is a string instruction under `rep`: the emulator runs it as a loop over itself."""
    prefixes = 0
    while prefixes < len(instruction) and instruction[prefixes] in _PREFIXES:
        prefixes += 1
    opcode = instruction[prefixes : prefixes + 1]
    return bool(opcode) and opcode[0] in _STRING and not {0xF2, 0xF3}.isdisjoint(instruction[:prefixes])
