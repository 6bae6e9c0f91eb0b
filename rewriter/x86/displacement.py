"""Changing the displacement of a memory operand in the bytes themselves: frames move, instructions stay."""

from __future__ import annotations

from dataclasses import replace

from rewriter.ir import Insn
from rewriter.x86.anatomy import ADDRESS_16, MOFFS, anatomy
from rewriter.x86.decode import Decoded, DecodeError, Mem, decode
from rewriter.x86.syntax import EncodeError


def with_displacement(insn: Insn, disp: int) -> Insn:
    """The same instruction with `disp` in its memory operand, in the shortest form; other fields and what they name
    stay.  Raises EncodeError for an instruction without such an operand, or with a relocated displacement."""
    try:
        before = decode(insn.raw)
    except DecodeError as error:
        raise EncodeError(str(error)) from None
    if before.disp_offset is not None and any(ref.offset == before.disp_offset for ref in insn.refs):
        raise EncodeError(f"the displacement of {insn.raw.hex(' ')} is relocated")
    raw = _rebuilt(before, disp)
    shift = len(raw) - len(insn.raw)
    behind = anatomy(insn.raw).disp_offset
    refs = tuple(replace(ref, offset=ref.offset + shift) if ref.offset >= behind else ref for ref in insn.refs)
    _compare(before, decode(raw), disp)
    return replace(insn, raw=raw, refs=refs)


def _rebuilt(before: Decoded, disp: int) -> bytes:
    raw, parts = before.raw, anatomy(before.raw)
    head, tail = raw[: parts.disp_offset], raw[parts.imm_offset :]
    if parts.opcode in MOFFS:
        return head + _field(disp, 4) + tail
    if parts.modrm is None or parts.modrm >= 0xC0 or ADDRESS_16 in parts.prefixes:
        raise EncodeError(f"no memory operand to displace in {raw.hex(' ')}")
    has_sib = parts.modrm & 7 == 4
    at = parts.disp_offset - 1 - has_sib  # of the ModRM byte
    base = (raw[at + 1] if has_sib else parts.modrm) & 7
    if parts.modrm < 0x40 and base == 5:
        return head + _field(disp, 4) + tail  # no base register: four bytes whatever they hold
    if disp == 0 and base != 5:
        mod, width = 0x00, 0
    else:
        mod, width = (0x40, 1) if -128 <= disp < 128 else (0x80, 4)
    modrm = bytes((parts.modrm & 0x3F | mod,))
    return raw[:at] + modrm + raw[at + 1 : parts.disp_offset] + _field(disp, width) + tail


def _field(value: int, size: int) -> bytes:
    return (value & (1 << 8 * size) - 1).to_bytes(size, "little")


def _compare(before: Decoded, after: Decoded, disp: int) -> None:
    """Nothing else may differ."""
    wanted = (disp & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)
    expected = tuple(replace(o, disp=wanted) if isinstance(o, Mem) else o for o in before.operands)
    if (after.mnemonic, after.prefixes, after.operands) != (before.mnemonic, before.prefixes, expected):
        raise EncodeError(f"no displacement {disp} for {before.raw.hex(' ')}")
