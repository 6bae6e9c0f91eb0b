"""The exception table: which instruction may fault on user memory, and where control then goes (§4.1).

absolute-pairs      insn, fixup                              as Linux had them up to 4.5 on i386, and as the toy kernel
relative-pairs      insn − ., fixup − .                      each counts from where it lies itself
relative-handlers   insn − ., fixup − ., handler − .         Linux 4.6 to 5.15: the handler is a function
relative-numbers    insn − ., fixup − ., number              Linux since 5.16: the number tells what to do
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rewriter.contract import ExceptionTable
from rewriter.elf.image import SHN_ABS, ElfError, Image, RawSection

WORD = 4


@dataclass(frozen=True, slots=True)
class Fixup:
    insn: int  # address of the instruction that may fault
    target: int  # where the kernel's fault handler continues
    word: int = 0  # the third one: address of the entry's handler, or a number


@dataclass(frozen=True, slots=True)
class Format:
    """`words` of an entry; those at `addresses` are addresses."""

    words: int
    addresses: int
    relative: bool

    @property
    def size(self) -> int:
        """Bytes of an entry."""
        return WORD * self.words

    @property
    def third(self) -> bool:
        return self.words > 2

    def read(self, raw: bytes, address: int) -> Iterable[Fixup]:
        """The entries of a table at `address`."""
        for at in range(0, len(raw), self.size):
            words = list(struct.unpack_from(f"<{self.words}I", raw, at))
            for i in range(self.addresses if self.relative else 0):
                words[i] = (words[i] + address + at + WORD * i) & 0xFFFFFFFF
            yield Fixup(*words)

    def write(self, fixups: Iterable[Fixup], address: int) -> bytes:
        """The table's bytes, sorted by the address of the instruction as the kernel's search requires."""
        out = bytearray()
        for fixup in sorted(fixups, key=lambda f: f.insn):
            for i, word in enumerate((fixup.insn, fixup.target, fixup.word)[: self.words]):
                counted = self.relative and i < self.addresses
                out += struct.pack("<I", (word - address - len(out) if counted else word) & 0xFFFFFFFF)
        return bytes(out)


FORMATS: Final = {
    "absolute-pairs": Format(2, 2, relative=False),
    "relative-pairs": Format(2, 2, relative=True),
    "relative-handlers": Format(3, 3, relative=True),
    "relative-numbers": Format(3, 2, relative=True),
}


def read_exception_table(image: Image, promise: ExceptionTable) -> tuple[RawSection, list[Fixup]]:
    """The table's section, which it must fill, and its entries.  Raises ElfError."""
    owned = ((s, image.sections[s.section]) for s in image.symbols if 0 < s.section < len(image.sections))
    values = {s.name: s.value for s, section in owned if section.address <= s.value <= section.end}
    values |= {s.name: s.value for s in image.symbols if s.section == SHN_ABS}
    for name in (promise.start, promise.end):
        if name not in values:
            raise ElfError(f"has no symbol {name}, which the contract names as a boundary of the exception table")
    start, end = values[promise.start], values[promise.end]
    form = FORMATS[promise.format]
    for section in image.allocated():
        if section.address == start and section.end == end and section.raw:
            if section.size % form.size:
                raise ElfError(f"the exception table has {section.size} bytes, which are no entries of {form.size}")
            return section, list(form.read(section.raw, start))
    raise ElfError(f"the exception table {promise.start}…{promise.end} is not a section of its own")
