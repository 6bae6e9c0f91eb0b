"""The exception table: which instruction may fault on user memory, and where control then goes (§4.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from rewriter.contract import ExceptionTable
from rewriter.elf.image import SHN_ABS, ElfError, Image, RawSection


@dataclass(frozen=True, slots=True)
class Fixup:
    insn: int  # address of the instruction that may fault
    target: int  # where the kernel's fault handler continues


def read_exception_table(image: Image, promise: ExceptionTable) -> tuple[RawSection, list[Fixup]]:
    """The table's section, which it must fill, and its entries.  Raises ElfError."""
    if promise.format != "absolute-pairs":
        raise ElfError(f"exception tables of format {promise.format!r} are not understood")
    owned = ((s, image.sections[s.section]) for s in image.symbols if 0 < s.section < len(image.sections))
    values = {s.name: s.value for s, section in owned if section.address <= s.value <= section.end}
    values |= {s.name: s.value for s in image.symbols if s.section == SHN_ABS}
    for name in (promise.start, promise.end):
        if name not in values:
            raise ElfError(f"has no symbol {name}, which the contract names as a boundary of the exception table")
    start, end = values[promise.start], values[promise.end]
    for section in image.allocated():
        if section.address == start and section.end == end and section.raw:
            pairs = struct.iter_unpack("<II", section.raw[: (end - start) // 8 * 8])
            return section, [Fixup(*pair) for pair in pairs]
    raise ElfError(f"the exception table {promise.start}…{promise.end} is not a section of its own")


def write_exception_table(fixups: Iterable[Fixup]) -> bytes:
    """The table's bytes, sorted by the address of the instruction as the kernel's search requires."""
    return b"".join(struct.pack("<II", f.insn, f.target) for f in sorted(fixups, key=lambda f: f.insn))
