"""New instructions (Keystone), each decoded back and compared before it is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rewriter.ir import Insn, Ref, RefKind
from rewriter.x86.decode import DecodeError, Imm, Mem, decode, sweep

CONDITIONS = ("o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g")
SYMBOL = re.compile(r"\{([^{}]*?)(?:\s*([+-])\s*(0x[0-9a-fA-F]+|\d+))?\}")
PLACEHOLDER = 0x5A6B7C00
ALIASES = {"c": "b", "nc": "ae", "nae": "b", "nb": "ae", "z": "e", "nz": "ne", "na": "be", "nbe": "a"}
ALIASES |= {"nge": "l", "nl": "ge", "ng": "le", "nle": "g", "pe": "p", "po": "np"}
# Forms that Keystone assembles with 16-bit operands, or refuses.
KNOWN = {
    "pushfd": "9c", "popfd": "9d", "pushf": "9c", "popf": "9d", "iret": "cf", "iretd": "cf",
    "push ds": "1e", "pop ds": "1f", "push es": "06", "pop es": "07", "push ss": "16", "pop ss": "17", "push cs": "0e",
    "movsd": "a5", "rep movsd": "f3a5", "rep stosd": "f3ab", "rep movsb": "f3a4", "movsb": "a4",
}  # fmt: skip


class EncodeError(ValueError):
    """The text is not an instruction that can be encoded; one line."""


def assemble(lines: Iterable[str]) -> list[Insn]:
    """One instruction a line, Intel syntax; `{label}` and `{label+8}` are references.  Raises EncodeError."""
    return [_instruction(line.strip()) for line in lines]


@lru_cache(maxsize=65536)
def _instruction(line: str) -> Insn:
    found: list[tuple[str, int]] = []

    def hold(match: re.Match[str]) -> str:
        addend = int(match[3] or "0", 0) * (-1 if match[2] == "-" else 1)
        found.append((match[1].strip(), addend))
        return f"{PLACEHOLDER + len(found):#x}"

    raw = _bytes(SYMBOL.sub(hold, line))
    refs = []
    for n, (label, addend) in enumerate(found, 1):
        field = (PLACEHOLDER + n).to_bytes(4, "little")
        offset = raw.find(field)
        if offset < 0:
            raise EncodeError(f"no field for {label} in {line!r}")
        raw = raw.replace(field, bytes(4), 1)
        refs.append(Ref(offset, RefKind.ABS32, label, addend))
    return Insn(raw, tuple(refs))


def _bytes(text: str) -> bytes:
    known = KNOWN.get(" ".join(text.split()))
    if known is not None:
        return bytes.fromhex(known)
    try:
        encoded, count = _engine().asm(text)
    except Exception as error:
        raise EncodeError(f"{text!r}: {error}") from None
    if not encoded or count != 1:
        raise EncodeError(f"{text!r} is not one instruction")
    raw = bytes(encoded)
    try:
        decoded = decode(raw)
    except DecodeError as error:
        raise EncodeError(f"{text!r}: {error}") from None
    if [size for _, size in sweep(raw, 0)] != [len(raw)]:
        raise EncodeError(f"{text!r} became several instructions")
    if decoded.mnemonic not in text and not text.startswith(("j", "rep", "set", "cmov", "sal")):
        raise EncodeError(f"{text!r} became {decoded.mnemonic}")
    return raw


@lru_cache(maxsize=1)
def _engine() -> Any:
    import keystone

    return keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_32)


def jump(label: str) -> Insn:
    """`jmp label`, short: placement widens it where it must."""
    return Insn(b"\xeb\x00", (Ref(1, RefKind.PC8, label),))


def branch(condition: str, label: str) -> Insn:
    """`jCC label`, short."""
    code = CONDITIONS.index(ALIASES.get(condition, condition))
    return Insn(bytes((0x70 + code, 0)), (Ref(1, RefKind.PC8, label),))


def call(label: str) -> Insn:
    """`call label`."""
    return Insn(b"\xe8\0\0\0\0", (Ref(1, RefKind.PC32, label),))


def invert(insn: Insn) -> Insn:
    """The same branch on the opposite condition.  Raises EncodeError for loop and jecxz."""
    raw = insn.raw
    if 0x70 <= raw[0] < 0x80:
        return replace(insn, raw=bytes((raw[0] ^ 1,)) + raw[1:])
    if raw[0] == 0x0F and 0x80 <= raw[1] < 0x90:
        return replace(insn, raw=bytes((0x0F, raw[1] ^ 1)) + raw[2:])
    raise EncodeError(f"no opposite of {raw.hex()}")


def nop(n: int) -> Insn:
    """A no-operation of n bytes, 1 to 9."""
    forms = ("90", "6690", "0f1f00", "0f1f4000", "0f1f440000", "660f1f440000", "0f1f8000000000")
    forms += ("0f1f840000000000", "660f1f840000000000")
    return Insn(bytes.fromhex(forms[n - 1]))


def with_displacement(insn: Insn, disp: int) -> Insn:
    """The same instruction with another displacement in its memory operand."""
    decoded = decode(insn.raw)
    mem = next(o for o in decoded.operands if isinstance(o, Mem))
    offset, size = decoded.disp_offset, decoded.disp_size
    if offset is not None and (size == 4 or -128 <= disp <= 127):
        raw = insn.raw[:offset] + (disp & (1 << 8 * size) - 1).to_bytes(size, "little") + insn.raw[offset + size :]
        return replace(insn, raw=raw)
    return _grown(insn, mem, disp)


def _grown(insn: Insn, mem: Mem, disp: int) -> Insn:
    """Another ModRM form: with a byte or a word of displacement where there was less."""
    decoded = decode(insn.raw)
    at = len(insn.raw) - (decoded.imm_size + decoded.disp_size)
    width = 1 if -128 <= disp <= 127 else 4
    modrm_at = at - (2 if _has_sib(insn.raw, at) else 1)
    modrm = insn.raw[modrm_at] & 0x3F | (0x40 if width == 1 else 0x80)
    head = insn.raw[:modrm_at] + bytes((modrm,)) + insn.raw[modrm_at + 1 : at]
    raw = head + (disp & (1 << 8 * width) - 1).to_bytes(width, "little") + insn.raw[at + decoded.disp_size :]
    moved = width - decoded.disp_size
    refs = tuple(replace(r, offset=r.offset + moved) if r.offset >= at else r for r in insn.refs)
    again = decode(raw)
    expected = tuple(replace(o, disp=disp) if o == mem else o for o in decoded.operands)
    if again.mnemonic != decoded.mnemonic or again.operands != expected:
        raise EncodeError(f"no displacement {disp} for {insn.raw.hex()}")
    return Insn(raw, refs, insn.origin, insn.faults_to)


def _has_sib(raw: bytes, at: int) -> bool:
    return (
        at >= 2
        and raw[at - 2] & 7 == 4
        and raw[at - 2] < 0xC0
        and any(isinstance(o, Mem) and (o.base == "esp" or o.index) for o in decode(raw).operands)
    )


def immediate_of(insn: Insn) -> int | None:
    """The last immediate operand."""
    found = [o.value for o in decode(insn.raw).operands if isinstance(o, Imm)]
    return found[-1] if found else None
