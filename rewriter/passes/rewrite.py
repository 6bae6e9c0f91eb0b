"""An instruction with other operands: its text for the assembler, and the checked result."""

from __future__ import annotations

from dataclasses import replace

from rewriter.analysis.memory import ref_at
from rewriter.analysis.value import Value, signed
from rewriter.ir import Insn, Ref, RefKind
from rewriter.x86.decode import Decoded, Imm, Mem, Reg, decode
from rewriter.x86.encode import EncodeError, assemble
from rewriter.x86.operands import Operand

_SIZES = {1: "byte", 2: "word", 4: "dword"}


def symbol(label: str, addend: int) -> str:
    """A reference as `assemble` reads it."""
    return f"{{{label}{addend:+d}}}" if addend else f"{{{label}}}"


def named(ref: Ref) -> str:
    """The same of a reference, which may count from the global offset table."""
    text = symbol(ref.target, ref.addend)
    return f"{{gotoff {text[1:]}" if ref.kind is RefKind.GOTOFF else text


def immediate(value: Value) -> str | None:
    """A constant or address as an operand; None for everything else."""
    if value.constant is not None:
        return hex(value.constant)
    return symbol(value.label, signed(value.offset)) if value.label is not None else None


def operand_text(insn: Insn, decoded: Decoded, operand: Operand) -> str:
    """One operand of an instruction."""
    if isinstance(operand, Reg):
        return operand.name
    if isinstance(operand, Imm):
        ref = ref_at(insn, decoded.imm_offset)
        return named(ref) if ref else hex(operand.value)
    return memory_text(operand, ref_at(insn, decoded.disp_offset))


def memory_text(mem: Mem, ref: Ref | None) -> str:
    """A memory operand; `ref` stands for its displacement."""
    parts = [mem.base] if mem.base else []
    if mem.index:
        parts.append(f"{mem.index}*{mem.scale}")
    if ref is not None:
        parts.append(named(ref))
    text = " + ".join(parts)
    if ref is None and (mem.disp or not parts):
        text = f"{text} {'-' if mem.disp < 0 else '+'} {abs(mem.disp):#x}" if parts else hex(mem.disp & 0xFFFFFFFF)
    size = f"{_SIZES[mem.size]} ptr " if mem.size else ""
    return f"{size}{mem.segment + ':' if mem.segment else ''}[{text}]"


def rebuilt(insn: Insn, texts: dict[int, str], mnemonic: str | None = None) -> Insn | None:
    """The instruction with the operands at these positions replaced; None where there is no such instruction."""
    decoded = decode(insn.raw)
    operands = [texts.get(n) or operand_text(insn, decoded, o) for n, o in enumerate(decoded.operands)]
    return assembled(f"{mnemonic or decoded.mnemonic} {', '.join(operands)}", insn)


def assembled(line: str, like: Insn) -> Insn | None:
    """A new instruction that stands for `like`; None where the line cannot be encoded."""
    try:
        (made,) = assemble([line])
    except EncodeError:
        return None
    return replace(made, origin=like.origin)
