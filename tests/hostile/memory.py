"""What a loader makes of an image, so that two images can be compared without running them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

from rewriter.contract import Contract
from rewriter.elf import load
from rewriter.elf.extents import PADDING
from rewriter.elf.room import align_up
from rewriter.elf.units import alignment
from rewriter.ir import Function, Program
from rewriter.verify import verify
from tests.hostile.elf_parts import HEADER, SEGMENT

PT_LOAD = 1
PAGE = 4096
_LARGEST = 1 << 26  # bytes of zeros that are worth a comparison


def mapped(image: bytes) -> dict[int, tuple[int, int, bytes]]:
    """Physical address, flags and bytes of every part that is loaded, by virtual address."""
    found = {}
    (table,) = struct.unpack_from("<I", image, 28)
    (count,) = struct.unpack_from("<H", image, 44)
    for i in range(count):
        kind, offset, virtual, physical, stored, size, flags, _ = struct.unpack_from("<8I", image, table + SEGMENT * i)
        if kind == PT_LOAD and size:
            content = image[offset : offset + stored]
            found[virtual] = (physical, flags & 7, content.ljust(min(size, _LARGEST), b"\0"))
    return found


def difference(before: bytes, after: bytes, contract: Contract | None) -> str | None:
    """What a loader would make of the second image, an identity of the first, that it would not make of the first."""
    program = load(before, contract)
    wrong = flaws(after, contract)
    if wrong:
        return wrong
    if moves(program):
        return None
    if before[24:28] != after[24:28]:
        return "another entry"
    if before[36:40] != after[36:40]:
        return "other flags in the header"
    one, two = mapped(before), mapped(after)
    if one.keys() != two.keys():
        return f"other segments: {sorted(map(hex, one))}, now {sorted(map(hex, two))}"
    for virtual, (physical, flags, content) in one.items():
        if (physical, flags) != two[virtual][:2]:
            return f"the segment at {virtual:#x} is mapped otherwise: {(physical, flags)} {two[virtual][:2]}"
        wrong = _contents(program, virtual, content, two[virtual][2])
        if wrong:
            return wrong
    return None


def moves(program: Program) -> bool:
    """Whether an identity moves something: where a function falls into a pinned one it puts a jump there, and may need
    room for it; and before a function that begins at an odd place it keeps no gap."""
    return any(
        (not one.pins and two.pins and one.blocks[-1].falls_to == two.name)
        or (not two.pins and align_up(_end(one), alignment(two)) < _start(two))
        for one, two in pairwise(program.functions)
    )


def _start(function: Function) -> int:
    return next((insn.origin for insn in function.insns() if insn.origin is not None), 0)


def _end(function: Function) -> int:
    return max((insn.origin + len(insn.raw) for insn in function.insns() if insn.origin is not None), default=0)


def flaws(image: bytes, contract: Contract | None) -> str | None:
    """What is wrong with a written image by itself."""
    try:
        again = load(image, contract)
    except Exception as error:
        return f"cannot be read again: {type(error).__name__}: {error}"
    found = verify(again)
    return f"is not valid: {found[0]}" if found else None


def _contents(program: Program, virtual: int, one: bytes, two: bytes) -> str | None:
    if one == two:
        return None
    one, two = (part + bytes(-len(part) % PAGE) for part in (one, two))  # what is mapped, is mapped in pages
    if len(two) < len(one) or any(two[len(one) :]):
        return f"the segment at {virtual:#x} has {len(one):#x} bytes, now {len(two):#x}"
    gaps = list(_gaps(program))
    differing = [virtual + i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b]
    headers = virtual + HEADER + SEGMENT * 64 if one[:4] == b"\x7fELF" else virtual
    table = _table(program)
    if sorted(_pairs(one, table, virtual)) != sorted(_pairs(two, table, virtual)):
        return "another exception table"
    for address in differing:
        if address < headers or address in table:
            continue
        gap = next(((start, end) for start, end in gaps if start <= address < end), None)
        if gap is None:
            return f"another byte at {address:#x}"
        if not PADDING.fullmatch(one, max(gap[0] - virtual, 0), gap[1] - virtual):
            return f"another byte at {address:#x}, in a gap that holds more than padding"
    return None


def _table(program: Program) -> range:
    """Where the exception table is; a kernel that sorts it when it starts may come with any order."""
    for section in program.sections:
        if section.name == program.exception_table:
            return range(section.address, section.address + section.size)
    return range(0)


def _pairs(content: bytes, table: range, virtual: int) -> Iterator[tuple[int, ...]]:
    start, end = (max(0, min(at - virtual, len(content))) for at in (table.start, table.stop))
    yield from struct.iter_unpack("<II", content[start : start + (end - start) // 8 * 8])


def _gaps(program: Program) -> Iterator[tuple[int, int]]:
    """Ranges of the code sections where no instruction is."""
    taken = sorted(
        (insn.origin, insn.origin + len(insn.raw)) for f in program.functions for insn in f.insns() if insn.origin
    )
    for section in program.sections:
        if section.executable:
            at = section.address
            for start, end in taken:
                if section.address <= start < section.address + section.size:
                    if at < start:
                        yield at, start
                    at = max(at, end)
            if at < section.address + section.size:
                yield at, section.address + section.size
