"""Where pointers to tables of operations are loaded: what indirect calls go through (§4.1, §4.2).

    mov eax, dword ptr [esi + 16]       ; file->f_op: here
    mov edx, dword ptr [eax + 8]        ; ->write
    test edx, edx
    je .none
    …
    call edx

A table is an object with the addresses of functions in it, which many others point to.  Which one it is says of each
of its functions whether it is there and which it is, and says it once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rewriter.analysis.graph import jump_table
from rewriter.analysis.memory import ref_at
from rewriter.analysis.value import WORD, Opaque, Value
from rewriter.analysis.values import Values
from rewriter.ir import Block, Insn
from rewriter.x86.decode import Mem, Reg, decode
from rewriter.x86.flow import Flow, flow
from rewriter.x86.operands import Operand

_CALLS = (Flow.CALL_INDIRECT, Flow.JUMP_INDIRECT)
_NEAR = 3  # instructions between a call and the load of its target: a cmov between two, and another


class Point(NamedTuple):
    """Instruction `position` of a block loads the address of a table into a register."""

    label: str
    position: int


def calls_pointer(block: Block) -> bool:
    """Whether a block ends with a call through a pointer, or leaves by one."""
    last = block.insns[-1] if block.insns else None
    return last is not None and flow(last.raw) in _CALLS and jump_table(last) is None


def pointer_loads(values: Values, label: str) -> Iterator[Point]:
    """Where the table was found of which a block that ends with an indirect call takes its target; the block can be
    reached.  Nothing where the target is no word of a table."""
    block = values.index.blocks[label]
    if not calls_pointer(block):
        return
    found = _tables(values, label, len(block.insns) - 1, decode(block.insns[-1].raw).operands[0], _NEAR)
    for pointer in dict.fromkeys(found):
        point = _birth(values, pointer)
        if point is not None and loaded(values.index.blocks[point.label].insns[point.position]) is not None:
            yield point


def loaded(insn: Insn) -> str | None:
    """The register into which an instruction loads a word of memory, and does nothing else; it is `8B /r`, so that
    `compared` can be made of it."""
    if insn.raw[0] != 0x8B or insn.faults_to is not None:
        return None
    target, source = decode(insn.raw).operands
    plain = isinstance(source, Mem) and source.segment is None and source.size == WORD
    return target.name if plain and isinstance(target, Reg) and target.name != "esp" else None


def _tables(values: Values, label: str, site: int, target: Operand, near: int) -> Iterator[Value]:
    """The addresses of tables of which an operand may be a word, or a copy of one."""
    state, insn = values.trail(label).states[site], values.index.blocks[label].insns[site]
    if isinstance(target, Mem):
        plain = target.base is not None and target.index is None and target.segment is None
        if plain and ref_at(insn, decode(insn.raw).disp_offset) is None:
            yield state.places[str(target.base)]
        return
    made = _birth(values, state.places[target.name]) if isinstance(target, Reg) else None
    if made is None or not near:
        return
    by = decode(values.index.blocks[made.label].insns[made.position].raw)
    if by.mnemonic == "mov":
        yield from _tables(values, *made, by.operands[1], near - 1)
    elif by.mnemonic.startswith("cmov"):
        for operand in by.operands:
            yield from _tables(values, *made, operand, near - 1)


def _birth(values: Values, word: Value) -> Point | None:
    """The instruction that left a word in a register."""
    base = word.base
    if not isinstance(base, Opaque) or word.offset or base.site < 0 or not isinstance(base.place, str):
        return None
    block = values.index.blocks.get(base.block)
    return Point(base.block, base.site) if block is not None and base.site < len(block.insns) else None
