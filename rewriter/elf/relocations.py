"""What each relocated field names: a section and an offset into it, told by the symbol that owns the reference."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rewriter.elf.getpc import adds_entry
from rewriter.elf.got import GlobalOffsetTable
from rewriter.elf.image import (
    R_32,
    R_GOT32,
    R_GOT32X,
    R_GOTOFF,
    R_IRELATIVE,
    R_PC32,
    R_TLS_IE,
    SHN_ABS,
    ElfError,
    Image,
    RawSection,
    RawSymbol,
)
from rewriter.ir import RefKind

WORD = 4
ANY = RawSymbol("", 0, 0, "section", True, False, 0)  # an address without a symbol


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
        self.got = GlobalOffsetTable(image)
        self.named: dict[int, list[Named]] = {s.index: [] for s in image.sections}
        self._read()
        self._read_slots()
        self._check()

    def addresses(self) -> set[int]:
        """All addresses of the image that some field names."""
        return {n.section.address + n.offset for fields in self.named.values() for n in fields}

    def _read(self) -> None:
        starts = self._counted_from()
        for r in self.image.relocations:
            patched = self.image.sections[r.section]
            if not patched.raw:
                raise ElfError(f"a relocation in {patched.name}, which has no bytes")
            if r.kind == R_IRELATIVE:
                continue  # the slot is named below
            value = int.from_bytes(patched.raw[r.offset : r.offset + 4], "little")
            if r.kind == R_TLS_IE:
                if self.got.at(value) is not None:  # else the linker made the slot's content of it
                    self._name(patched, r.offset, RefKind.ABS32, value)
            elif r.kind in (R_GOT32, R_GOT32X):
                kind, slot = self.got.slot(r)
                self._name(patched, r.offset, kind, slot)
            elif r.kind == R_GOTOFF:
                self._name(patched, r.offset, RefKind.GOTOFF, value + self.got.base, r.symbol)
            elif r.kind == R_32:
                self._name(patched, r.offset, RefKind.ABS32, value + r.less, r.symbol, -r.less)
            else:
                # A branch counts from its end; `.eh_frame` counts from the field itself.
                behind = 0 if patched.executable else 4 + r.offset - starts.get((r.section, r.offset), r.offset)
                value += patched.address + r.offset + 4 - behind
                self._name(patched, r.offset, RefKind.PC32, value, r.symbol, behind)

    def _check(self) -> None:
        for index, refs in self.named.items():
            refs.sort(key=lambda ref: ref.field)
            for before, after in pairwise(refs):
                if after.field < before.field + WORD:
                    where = f"{self.image.sections[index].name}+{after.field:#x}"
                    raise ElfError(f"two relocations want the same bytes at {where}")
        if not any(self.named.values()):
            raise ElfError("no relocation names anything in the image")

    def _counted_from(self) -> dict[tuple[int, int], int]:
        """Where data holds a row of distances, all from its start, for code that fetches where the row is, adds one of
        them to that, and jumps there: (section, offset of a field) → offset of the first."""
        named = set()
        for r in self.image.relocations:
            patched = self.image.sections[r.section]
            if r.less and adds_entry(patched.raw, r.offset + 4):
                value = int.from_bytes(patched.raw[r.offset : r.offset + 4], "little")
                named.add((value + r.less) & 0xFFFFFFFF)
        found: dict[tuple[int, int], int] = {}
        for section in self.image.allocated() if named else ():
            start, after = -1, -1
            for field in sorted(() if section.executable else self._distances(section)):
                if section.address + field in named:
                    start = field
                elif field != after:
                    start = -1
                if start >= 0:
                    found[section.index, field] = start
                after = field + WORD
        return found

    def _distances(self, section: RawSection) -> list[int]:
        return [r.offset for r in self.image.relocations if r.section == section.index and r.kind == R_PC32]

    def _read_slots(self) -> None:
        """What no relocation says: the addresses in the global offset table, and who names its slots."""
        for slot, symbol in self.got.slots().items():
            section = self.got.at(slot)
            if section is not None and section.raw:
                offset = slot - section.address
                value = int.from_bytes(section.raw[offset : offset + 4], "little")
                self._name(section, offset, RefKind.ABS32, value, symbol)
        for section, offset, slot in (*self.got.listed(), *self.got.jumps()):
            if all(named.field != offset for named in self.named[section.index]):  # else it was written by us
                self._name(section, offset, RefKind.ABS32, slot)

    def _name(
        self,
        patched: RawSection,
        field: int,
        kind: RefKind,
        value: int,
        symbol: RawSymbol | None = None,
        behind: int = 0,
    ) -> None:
        """Note that a field names the address `value`, as a part of what `symbol` belongs to; None: of any section."""
        value &= 0xFFFFFFFF
        place = self._at(value) if symbol is None or symbol.indirect else self._place(symbol, value)
        if place is not None:
            section, offset, addend = place
            self.named[patched.index].append(Named(field, kind, section, offset, addend + behind, symbol or ANY))

    def _at(self, value: int) -> tuple[RawSection, int, int] | None:
        """The place of an address, by the address alone."""
        for section in self.image.allocated():
            if section.address <= value < section.end and not section.thread_local:
                return section, value - section.address, 0
        return None

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
                if section.address <= symbol.value <= section.end and not section.thread_local:
                    return section
        return None

    def bias(self, section: RawSection) -> int:
        for segment in self.image.segments:
            if segment.kind == "PT_LOAD" and segment.address <= section.address < segment.address + segment.size:
                return segment.physical - segment.address
        return 0
