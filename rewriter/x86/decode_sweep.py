"""The sweep: where each instruction of a stretch of code begins and how long it is (capstone, without operands)."""

from __future__ import annotations

from collections.abc import Iterator

import capstone

from rewriter.x86.anatomy import anatomy

WINDOW = 1 << 16  # bytes given to capstone at once: bounds its memory
LONGEST = 15  # bytes of the longest instruction
_capstone = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_32)
TRAPS = ("ud0", "ud1")  # longer than capstone thinks


def sweep(code: bytes, address: int) -> Iterator[tuple[int, int]]:
    """Address and size of one instruction after the other, from the first byte of `code` on.

    Stops at the first byte that begins no instruction; the caller sees the gap.
    """
    at, length = 0, len(code)  # `at`: behind the last instruction
    while at < length:
        start, stop = at, min(at + WINDOW, length)
        for place, size, mnemonic, _ in _capstone.disasm_lite(code[start : stop + LONGEST], address + start):
            if place - address >= stop:
                break
            if mnemonic in TRAPS:
                size = trap_length(code[place - address : place - address + LONGEST])
                at = place - address + size
                yield place, size
                break
            at = place - address + size
            yield place, size
        else:
            if at < stop:
                return


def trap_length(code: bytes) -> int:
    """Size of the ud0 or ud1 at the start of `code`: as the processor, and unlike capstone, it has operands."""
    try:
        return anatomy(code).imm_offset
    except IndexError:  # cut off by the end of the code
        return len(code)
