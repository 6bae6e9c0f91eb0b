"""The global offset table and what surrounds it: addresses in data for which the linker keeps no relocation.

A slot of `.got` is named by the code that loads it, as a distance from the table; the symbol named there tells what
the slot holds.  `.rel.plt` of a static image lists slots to be filled at its start by asking a function for each,
and `.plt` jumps through them:

    .plt:      jmp [slot]                   .rel.plt:  slot, R_386_IRELATIVE          slot: strlen's chooser
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from rewriter.elf.image import (
    R_GOT32,
    R_GOT32X,
    R_GOTOFF,
    R_IRELATIVE,
    ElfError,
    Image,
    RawSection,
    RawSymbol,
    Relocation,
)
from rewriter.ir import RefKind
from rewriter.x86.flow import sweep

TABLE = "_GLOBAL_OFFSET_TABLE_"
JUMP_THROUGH = b"\xff\x25"  # jmp [address]
ROW = 8  # bytes of a relocation
FIELD = 4  # bytes of an address, with which such a jump ends: before it may be prefixes (bnd, notrack)
COUNTED = (R_GOT32, R_GOT32X, R_GOTOFF)


class GlobalOffsetTable:
    """`base`: the address from which position-independent code counts, 0 where nothing does."""

    def __init__(self, image: Image) -> None:
        """Raises ElfError where code counts from it and nothing says where it is."""
        self.image = image
        self.sections = [s for s in image.allocated() if s.name.startswith(".got")]
        values = [s.value for s in image.symbols if s.name == TABLE and 0 < s.section < len(image.sections)]
        self.base = values[0] if values else 0
        if not values and any(r.kind in COUNTED for r in image.relocations):
            raise ElfError(f"has position-independent code, but no symbol {TABLE}")

    def at(self, address: int) -> RawSection | None:
        """The section of slots that holds this address."""
        return next((s for s in self.sections if s.address <= address < s.end), None)

    def owner(self) -> RawSection | None:
        """The section that begins where position-independent code counts from."""
        return next((s for s in self.sections if self.base == s.address), None)

    def slot(self, relocation: Relocation) -> tuple[RefKind, int]:
        """Which slot an instruction loads, and how it names it.  Raises ElfError where it is none."""
        section = self.image.sections[relocation.section]
        value = int.from_bytes(section.raw[relocation.offset : relocation.offset + 4], "little")
        if self.at((self.base + value) & 0xFFFFFFFF) is not None:
            return RefKind.GOTOFF, (self.base + value) & 0xFFFFFFFF
        if self.at(value) is not None:
            return RefKind.ABS32, value
        raise ElfError(f"{section.name}+{relocation.offset:#x} loads no slot of the global offset table")

    def slots(self) -> dict[int, RawSymbol | None]:
        """Addresses of slots that hold an address, and whose it is; None: of a function that chooses another."""
        found: dict[int, RawSymbol | None] = {}
        for relocation in self.image.relocations:
            symbol = relocation.symbol
            if relocation.kind in (R_GOT32, R_GOT32X) and symbol.section and not symbol.indirect:
                found.setdefault(self.slot(relocation)[1], symbol)
        for relocation in self.image.relocations:
            if relocation.kind == R_IRELATIVE:
                found[self.image.sections[relocation.section].address + relocation.offset] = None
        return found

    def listed(self) -> Iterator[tuple[RawSection, int, int]]:
        """(section, offset, address): where relocation tables that are loaded with the image name slots."""
        for section in self.image.allocated():
            if section.kind == "SHT_REL":
                for offset in range(0, len(section.raw) // ROW * ROW, ROW):
                    address, info = struct.unpack_from("<II", section.raw, offset)
                    if info & 0xFF != R_IRELATIVE or self.at(address) is None:
                        raise ElfError(f"{section.name} has relocations of type {info & 0xFF} for when it starts")
                    yield section, offset, address

    def jumps(self) -> Iterator[tuple[RawSection, int, int]]:
        """(section, offset, slot): jumps through slots, of which no relocation tells."""
        for section in self.image.allocated():
            if section.executable and section.name in (".plt", ".iplt", ".plt.got", ".plt.sec"):
                for address, size in sweep(section.raw, section.address):
                    offset = address - section.address
                    raw = section.raw[offset : offset + size]
                    slot = int.from_bytes(raw[-FIELD:], "little")
                    if raw[-FIELD - 2 : -FIELD] == JUMP_THROUGH and self.at(slot) is not None:
                        yield section, offset + size - FIELD, slot
