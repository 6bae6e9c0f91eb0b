"""From bytes to instructions: the sweep, where control goes, and one instruction's operands.

Capstone reads mnemonics and operands; what must be exact (lengths aside) comes from `anatomy`: which bytes are the
displacement and the immediate, which opcode it is, and where control goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import capstone
from capstone import x86 as cs

from rewriter.ir import Ref
from rewriter.x86.anatomy import REP, REPNE, SEGMENT_PREFIXES, SHIFTS, STRING_OPCODES, Anatomy, anatomy
from rewriter.x86.decode_sweep import TRAPS, sweep, trap_length
from rewriter.x86.flow import DIRECT, Flow, branch_field, flow
from rewriter.x86.operands import Decoded, DecodeError, Imm, Mem, Operand, Reg
from rewriter.x86.text import render

__all__ = [
    "DecodeError",
    "Decoded",
    "Flow",
    "Imm",
    "Mem",
    "Operand",
    "Reg",
    "branch_field",
    "decode",
    "flow",
    "sweep",
    "text",
]

_MASK = 0xFFFFFFFF
_PREFIX_WORDS = {"repe": "rep", "repz": "rep", "repnz": "repne"}
_NO_ACCESS = ("lea", "invlpg")
_capstone = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_32)
_capstone.detail = True


@lru_cache(maxsize=1 << 18)
def decode(raw: bytes) -> Decoded:
    """Take apart the one instruction with exactly these bytes.  Raises DecodeError."""
    found = next(_capstone.disasm(raw, 0, 1), None) if raw else None
    if found is None or (trap_length(raw) if found.mnemonic in TRAPS else found.size) != len(raw):
        raise DecodeError(f"not one instruction: {raw.hex(' ') or 'no bytes'}")
    try:
        parts = anatomy(raw)
    except (IndexError, NotImplementedError):
        raise DecodeError(f"not understood: {raw.hex(' ')} ({found.mnemonic})") from None
    *words, mnemonic = found.mnemonic.split(" ")
    direct = flow(raw) in DIRECT
    return Decoded(
        raw,
        mnemonic,
        tuple(_operands(found, parts, direct)),
        _prefixes(words, parts),
        len(parts.prefixes),
        parts.opcode,
        parts.disp_offset if parts.disp_size else None,
        parts.disp_size,
        parts.imm_offset if parts.imm_size else None,
        parts.imm_size,
        direct,
    )


def _prefixes(words: list[str], parts: Anatomy) -> tuple[str, ...]:
    """Capstone's, but for string instructions: it does not tell that F2 repeats a `movs` as F3 does."""
    if parts.opcode in STRING_OPCODES:
        repeats = [byte for byte in parts.prefixes if byte in (REP, REPNE)]
        return (("repne" if repeats[-1] == REPNE else "rep"),) if repeats else ()
    return tuple(_PREFIX_WORDS.get(word, word) for word in words)


def text(raw: bytes, refs: Iterable[Ref] = (), quote: bool = False) -> str:
    """The instruction for people to read, with labels for its relocated fields (`text.render`).

    Bytes that are no instruction become `.byte`.
    """
    try:
        return render(decode(raw), refs, quote)
    except DecodeError:
        return f".byte {', '.join(f'{byte:#04x}' for byte in raw)}"


def _operands(found: Any, parts: Anatomy, direct: bool) -> Iterator[Operand]:
    for operand in found.operands:
        if operand.type == cs.X86_OP_REG:
            yield Reg(found.reg_name(operand.reg), operand.size)
        elif operand.type == cs.X86_OP_MEM:
            yield _memory(found, operand, parts)
        elif direct:
            yield Imm(_signed(operand.imm - found.size), parts.imm_size)
        elif parts.opcode in SHIFTS:  # capstone sometimes gives their counts another size, or none
            yield Imm(operand.imm & 0xFF, 1)
        else:
            yield Imm(operand.imm & (1 << 8 * operand.size) - 1, operand.size)


def _memory(found: Any, operand: Any, parts: Anatomy) -> Mem:
    def name(register: int) -> str | None:
        word = found.reg_name(register) if register else None
        return None if word in ("eiz", "riz") else word

    place = operand.mem
    base, index, segment = name(place.base), name(place.index), name(place.segment)
    scale = place.scale if index else 1
    # `es:` is implied by the destination of a string instruction, `ss:` by esp and ebp, `ds:` by all others.
    overridden = any(SEGMENT_PREFIXES.get(prefix) == segment for prefix in parts.prefixes)
    implied = "ss" if base in ("esp", "ebp") else "ds"
    through_es = parts.opcode in STRING_OPCODES and base in ("edi", "di")  # which nothing overrides
    if not overridden or segment == implied or through_es:
        segment = None
    size = 0 if found.mnemonic in _NO_ACCESS else operand.size
    return Mem(base, index, scale, _signed(place.disp), size, segment)


def _signed(value: int) -> int:
    return ((value & _MASK) ^ 0x80000000) - 0x80000000
