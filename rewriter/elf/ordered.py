"""Tables that are sorted by code address: whoever compares an entry by order, searching by halves or for a range,
relies on the order of the functions.

    cmp [sorted + ebx*8], eax           mov edx, [sorted + ebx*8]
    jb  above                           cmp edx, eax
                                        ja  below
"""

from __future__ import annotations

from collections.abc import Iterator

from rewriter.elf.addresses import ORDERED, CodeAddresses
from rewriter.elf.stack import WORD
from rewriter.ir import Block, Data, Program, Ref, RefKind
from rewriter.x86.decode import DecodeError, Mem, Reg, decode


def ordered_entries(program: Program, addresses: CodeAddresses) -> Iterator[Ref]:
    """What the entries of such tables name."""
    data = {each.name: each for each in program.data}
    for block in addresses.blocks.values():
        for i, insn in enumerate(block.insns):
            for ref in insn.refs:
                if ref.target in data and ref.kind is not RefKind.PC32 and ref.addend in data[ref.target].refs:
                    yield from _compared(addresses, block, i, data[ref.target], ref)


def _compared(addresses: CodeAddresses, block: Block, position: int, data: Data, ref: Ref) -> Iterator[Ref]:
    try:
        parts = decode(block.insns[position].raw)
    except DecodeError:
        return
    memory = next((o for o in parts.operands if isinstance(o, Mem)), None)
    if memory is None or parts.disp_offset != ref.offset:
        return
    if memory.index is None and (memory.base is None or ref.kind is RefKind.GOTOFF):
        return  # one word
    if data.refs[ref.addend].target not in addresses.blocks:
        return
    target = parts.operands[0]
    loaded = parts.mnemonic == "mov" and isinstance(target, Reg) and target.size == WORD
    if addresses.compared_by_order(block, position) or (
        loaded and isinstance(target, Reg) and addresses.fate(block, position + 1, target.name) == ORDERED
    ):
        yield from _entries(data, ref.addend, memory.scale)


def _entries(data: Data, start: int, scale: int) -> Iterator[Ref]:
    """From `start` on, as far apart as the index says, else as the first two are."""
    further = [offset for offset in data.refs if offset > start]
    stride = scale if scale >= WORD else min(further, default=start + WORD) - start
    while start in data.refs:
        yield data.refs[start]
        start += stride
