"""What an instruction can touch besides memory, as the bits of one integer.

Bits 0–31 are the bytes of the eight registers, four each: `register_mask("ah")` is one bit, `("ax")` two.  Then come
the six arithmetic flags, one bit each, DF and IF; then lumps, which are never taken apart.
"""

from __future__ import annotations

from typing import Final

REGISTERS: Final = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")  # in the processor's numbering
_BEHIND = ("CF", "PF", "AF", "ZF", "SF", "OF", "DF", "IF", "SYSTEM", "FPU", "SSE", "SEG", "SYS")
_BITS: Final = {name: 1 << 32 + place for place, name in enumerate(_BEHIND)}

CF, PF, AF, ZF, SF, OF = (_BITS[name] for name in _BEHIND[:6])
FLAGS: Final = CF | PF | AF | ZF | SF | OF
DF: Final = _BITS["DF"]
IF: Final = _BITS["IF"]
SYSTEM: Final = _BITS["SYSTEM"]  # the other flags: TF, IOPL, NT, RF, VM, AC, VIF, VIP, ID
FPU: Final = _BITS["FPU"]  # x87 and MMX registers, status and control words
SSE: Final = _BITS["SSE"]  # vector registers and MXCSR
SEG: Final = _BITS["SEG"]  # segment registers and what they were loaded with
SYS: Final = _BITS["SYS"]  # all else: control registers, descriptor tables, devices, clocks
ALL: Final = (1 << 32 + len(_BEHIND)) - 1


def _register_masks() -> dict[str, int]:
    masks = {}
    for place, name in enumerate(REGISTERS):
        masks[name] = 0b1111 << 4 * place
        masks[name[1:]] = 0b0011 << 4 * place
        if name in ("eax", "ecx", "edx", "ebx"):
            masks[name[1] + "l"] = 0b0001 << 4 * place
            masks[name[1] + "h"] = 0b0010 << 4 * place
    return masks


_MASKS: Final = _register_masks()
EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI = (_MASKS[name] for name in REGISTERS)
ALL_REGISTERS: Final = 0xFFFFFFFF


def register_mask(name: str) -> int:
    """The bytes of a general register: four bits for `eax`, two for `ax`, one for `al` or `ah`.

    KeyError for a register that has no byte here (`ds`, `cr0`, `xmm1`).
    """
    return _MASKS[name]


def has_mask(name: str) -> bool:
    """Whether a register is a general one, or a part of one."""
    return name in _MASKS


def names(mask: int) -> tuple[str, ...]:
    """A mask in words, in its order: `eax`, parts of registers as `al`, `ax`, `ecx[2,3]`, then flags and lumps."""
    found = []
    for place, name in enumerate(REGISTERS):
        part = mask >> 4 * place & 0b1111
        if part:
            found.append(_part_name(name, part))
    return (*found, *(name for name, bit in _BITS.items() if mask & bit))


def _part_name(register: str, part: int) -> str:
    for name, mask in _MASKS.items():
        if mask >> 4 * REGISTERS.index(register) == part and mask & _MASKS[register]:
            return name
    return f"{register}[{','.join(str(byte) for byte in range(4) if part >> byte & 1)}]"
