"""Where the parts of an instruction's bytes lie: prefixes, opcode, ModRM, displacement, immediate.

An i386 instruction is `prefixes opcode [ModRM [SIB]] [displacement] [immediate]`.  Its length is known already
(the sweep found it), so the immediate is whatever remains behind the displacement and no table of immediate
sizes is needed; the only question for a table is which opcodes have a ModRM byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

SEGMENT_PREFIXES = {0x2E: "cs", 0x36: "ss", 0x3E: "ds", 0x26: "es", 0x64: "fs", 0x65: "gs"}
LOCK, REPNE, REP, OPERAND_16, ADDRESS_16 = 0xF0, 0xF2, 0xF3, 0x66, 0x67
PREFIXES = frozenset(SEGMENT_PREFIXES) | {LOCK, REPNE, REP, OPERAND_16, ADDRESS_16}
TWO_BYTE = 0x0F00  # opcodes behind 0F are written 0x0F80; those behind 0F 38 and 0F 3A are 0x0F3800, 0x0F3A00
MOFFS = range(0xA0, 0xA4)  # mov between al/eax and an absolute address: a displacement without ModRM

STRING_OPCODES = frozenset([*range(0xA4, 0xA8), *range(0xAA, 0xB0), *range(0x6C, 0x70)])  # movs … outs
SHIFTS = frozenset([0xC0, 0xC1, *range(0xD0, 0xD4)])  # of one operand, rotations included
# Instructions whose operands do not tell that a 66 prefix halves them: push of a constant or of a segment register,
# ret, enter, leave, jumps and calls.
STACK_WORDS = frozenset([0x68, 0x6A, 0xC2, 0xC3, 0xC8, 0xC9, 0xCA, 0xCB, 0xE8, 0xE9, 0xEB, 0x0FA0, 0x0FA1, 0x0FA8])
STACK_WORDS |= {0x0FA9, 0x06, 0x07, 0x0E, 0x16, 0x17, 0x1E, 0x1F, *range(0x70, 0x80), *range(0x0F80, 0x0F90)}
_SSE = frozenset([*range(0x10, 0x18), *range(0x28, 0x30), *range(0x50, 0x80), 0xAE, 0xC2, *range(0xC4, 0xC7)])
VECTOR = frozenset([0xC4, 0xC5, 0x62, 0x8F])  # les, lds, bound and pop, where their ModRM makes sense for them
CONTROL_REGISTERS = range(0x0F20, 0x0F24)  # mov between a general and a control or debug register


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Offsets into an instruction's bytes.  A part which does not exist has size 0."""

    prefixes: bytes
    opcode: int  # 0x89, 0x0FAF, 0x0F38F0
    modrm: int | None  # the ModRM byte itself
    disp_offset: int
    disp_size: int
    imm_offset: int
    imm_size: int  # of all immediates: `enter` has 2 + 1 bytes, a far pointer 4 + 2

    @property
    def extension(self) -> int:
        """The opcode bits in ModRM's `reg` field (`/digit` in the manuals)."""
        return 0 if self.modrm is None else self.modrm >> 3 & 7


def is_sse(opcode: int) -> bool:
    """MMX, SSE and their like, where a 66 prefix is part of the opcode: everything behind 0F 38 and 0F 3A too."""
    if opcode > 0xFFFF:
        return True
    return opcode >> 8 == 0x0F and (opcode & 0xFF in _SSE or 0xD0 <= opcode & 0xFF <= 0xFE)


@lru_cache(maxsize=1 << 18)
def anatomy(raw: bytes) -> Anatomy:
    """Take the bytes of exactly one instruction apart.

    Raises IndexError where they end too early, NotImplementedError for vector encodings (VEX, EVEX, XOP).
    """
    start = 0
    while raw[start] in PREFIXES:
        start += 1
    opcode, at = raw[start], start + 1
    if opcode == 0x0F:
        opcode, at = TWO_BYTE | raw[at], at + 1
        if opcode in (0x0F38, 0x0F3A):
            opcode, at = opcode << 8 | raw[at], at + 1
    modrm, disp_size = None, 0
    if has_modrm(opcode):
        modrm, at = raw[at], at + 1
        if opcode in VECTOR and (modrm & 0x38 if opcode == 0x8F else modrm >= 0xC0):
            raise NotImplementedError("vector encoding")
        if opcode in CONTROL_REGISTERS:
            modrm |= 0xC0  # the processor takes any `mod` for a register here
        sib, disp_size = _address_form(modrm, raw[at] if at < len(raw) else 0, ADDRESS_16 in raw[:start])
        at += sib
    elif opcode in MOFFS:
        disp_size = 2 if ADDRESS_16 in raw[:start] else 4
    behind = at + disp_size
    if behind > len(raw):
        raise IndexError("instruction ends inside its displacement")
    return Anatomy(raw[:start], opcode, modrm, at, disp_size, behind, len(raw) - behind)


def _address_form(modrm: int, sib: int, address_16: bool) -> tuple[int, int]:
    """Sizes of the SIB byte and of the displacement behind a ModRM byte."""
    mod, rm = modrm >> 6, modrm & 7
    if mod == 3:
        return 0, 0
    if address_16:
        return 0, (2 if rm == 6 else 0, 1, 2)[mod]
    has_sib = rm == 4
    absolute = (sib & 7) == 5 if has_sib else rm == 5  # with mod 0: no base register, four bytes instead
    return int(has_sib), (4 if absolute else 0, 1, 4)[mod]


def has_modrm(opcode: int) -> bool:
    """Whether a ModRM byte follows the opcode."""
    if opcode > 0xFFFF:
        return True  # the maps 0F 38 and 0F 3A
    if opcode >= TWO_BYTE:
        return opcode & 0xFF not in _TWO_BYTE_WITHOUT
    if opcode < 0x40:
        return opcode & 7 < 4  # add, or, adc, sbb, and, sub, xor, cmp
    return opcode in _ONE_BYTE_WITH


_ONE_BYTE_WITH = frozenset(
    [
        *(0x62, 0x63, 0x69, 0x6B, *range(0x80, 0x90), 0xC0, 0xC1, *range(0xC4, 0xC8)),
        *(*range(0xD0, 0xD4), *range(0xD8, 0xE0), 0xF6, 0xF7, 0xFE, 0xFF),
    ]
)
_TWO_BYTE_WITHOUT = frozenset(
    [
        *(*range(0x05, 0x0D), 0x0E, *range(0x30, 0x38), 0x77, *range(0x80, 0x90)),
        *(0xA0, 0xA1, 0xA2, 0xA8, 0xA9, 0xAA, *range(0xC8, 0xD0)),
    ]
)
