"""What each relocated field names: a section and an offset into it, told by the symbol that owns the reference."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rewriter.elf.image import R_32, SHN_ABS, ElfError, Image, RawSection, RawSymbol
from rewriter.ir import RefKind

WORD = 4


@dataclass(frozen=True, slots=True)
class Named:
    """What a relocated field names: `section.address + offset + addend`."""

    field: int  # offset into the section that holds the field
    kind: RefKind
    section: RawSection
    offset: int
    addend: int
    symbol: RawSymbol


class Relocations:
    """The relocated fields of every section, by section index, each list by the field's offset."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.named: dict[int, list[Named]] = {s.index: [] for s in image.sections}
        self._read()

    def addresses(self) -> set[int]:
        """All addresses of the image that some field names."""
        return {n.section.address + n.offset for fields in self.named.values() for n in fields}

    def _read(self) -> None:
        for r in self.image.relocations:
            patched = self.image.sections[r.section]
            if not patched.raw:
                raise ElfError(f"a relocation in {patched.name}, which has no bytes")
            value = int.from_bytes(patched.raw[r.offset : r.offset + 4], "little")
            kind, behind = RefKind.ABS32, 0
            if r.kind != R_32:
                # A branch counts from its end; `.eh_frame` counts from the field itself.
                kind, behind = RefKind.PC32, 0 if patched.executable else 4
                value += patched.address + r.offset + 4 - behind
            place = self._place(r.symbol, value & 0xFFFFFFFF)
            if place is not None:
                section, offset, addend = place
                self.named[r.section].append(Named(r.offset, kind, section, offset, addend + behind, r.symbol))
        for index, refs in self.named.items():
            refs.sort(key=lambda ref: ref.field)
            for before, after in pairwise(refs):
                if after.field < before.field + WORD:
                    where = f"{self.image.sections[index].name}+{after.field:#x}"
                    raise ElfError(f"two relocations want the same bytes at {where}")
        if not any(self.named.values()):
            raise ElfError("no relocation names anything in the image")

    def _place(self, symbol: RawSymbol, value: int) -> tuple[RawSection, int, int] | None:
        """(section, offset, addend) of a value, by the section that owns the *symbol*: an index below the start of
        an array names another section's bytes, but still means the array.  None: not an address of this image."""
        section = self.owner(symbol)
        if section is None:
            return None
        offset = value - section.address
        if 0 <= offset <= section.size:
            return section, offset, 0
        for bias in {self.bias(section), -self.bias(section)} - {0}:
            physical = (offset - bias + (1 << 31)) % (1 << 32) - (1 << 31)
            if 0 <= physical <= section.size:
                return section, physical, bias
        if not section.executable:
            return section, 0, offset
        if symbol.value < section.address:
            self._check_headers(symbol, section)
            return None
        return section, symbol.value - section.address, value - symbol.value

    def _check_headers(self, symbol: RawSymbol, section: RawSection) -> None:
        """`__executable_start` names the file's headers, which stay where they are, as does all before the text."""
        if section is not self.image.allocated()[0]:
            raise ElfError(f"{symbol.name} lies before {section.name}, where nothing is known to be")

    def owner(self, symbol: RawSymbol) -> RawSection | None:
        if 0 < symbol.section < len(self.image.sections):
            section = self.image.sections[symbol.section]
            return section if section.allocated and section.size else None
        if symbol.section == SHN_ABS:  # `_end = .` of a linker script may count as absolute
            for section in self.image.allocated():
                if section.address <= symbol.value <= section.end:
                    return section
        return None

    def bias(self, section: RawSection) -> int:
        for segment in self.image.segments:
            if segment.kind == "PT_LOAD" and segment.address <= section.address < segment.address + segment.size:
                return segment.physical - segment.address
        return 0
