"""Where blocks begin: at whatever a branch, a relocation, a symbol or the exception table names."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from typing import Final

from rewriter.elf.extents import Extent, Extents
from rewriter.elf.image import ElfError, Image, RawSection
from rewriter.elf.relocations import Relocations
from rewriter.ir import RefKind
from rewriter.x86.anatomy import anatomy
from rewriter.x86.flow import DIRECT, Flow, branch_field, flow

WORD, FAR = 4, 6  # bytes of an operand that is relocated: a word, or a far pointer

NO_OPERAND: Final = "a relocated field is no operand"


class Leaders:
    """Notes in every extent where its blocks begin.  `faulting`: addresses of instructions with a fixup, which end
    their block."""

    def __init__(self, image: Image, relocations: Relocations, extents: Extents, faulting: Collection[int]) -> None:
        self.image = image
        self.relocations = relocations
        self.extents = extents
        self.faulting = faulting

    def find(self) -> None:
        """Raises ElfError where something names an address that no section has."""
        for refs in self.relocations.named.values():
            for ref in refs:
                if ref.section.executable and ref.offset < ref.section.size:
                    self._lead(ref.section.address + ref.offset)
        for symbol in self.image.symbols:
            if symbol.name and symbol.kind in ("func", "notype") and 0 < symbol.section < len(self.image.sections):
                section = self.image.sections[symbol.section]
                if section.executable and section.raw and section.address <= symbol.value < section.end:
                    self._lead(symbol.value)
        for extent in list(self.extents):
            try:
                self._lead_branches(extent)
            except (NotImplementedError, IndexError):
                extent.give_up("holds instructions of an unknown encoding")
        self._spread_verbatim()

    def _lead(self, address: int) -> None:
        extent = self.extents.at(address)
        if extent is None:
            raise ElfError(f"a relocation names {address:#x}, where the code section has no bytes")
        if extent.holds_instruction(address):
            extent.leaders.add(address)
        elif not extent.verbatim:
            extent.give_up(f"named in the middle of an instruction at {extent.name}+{address - extent.start:#x}")

    def _lead_branches(self, extent: Extent) -> None:
        """Targets of direct branches, and whatever follows a branch, begin blocks."""
        ends = [*extent.starts[1:], extent.end]
        for address, end in zip(extent.starts, ends, strict=False):
            raw = extent.raw(address, end)
            if flow(raw) is Flow.NEXT and address not in self.faulting:
                continue
            if end < extent.end:
                extent.leaders.add(end)
            target = branch_target(raw, end)
            if target is None:
                continue
            reached = self.extents.at(target)
            if reached is not None:
                self._lead(reached.branched_to(target))
            elif flow(raw) is not Flow.CALL:
                extent.pin(f"branches out of the image at {extent.name}+{address - extent.start:#x}")

    def _spread_verbatim(self) -> None:
        """Code that is not understood has no blocks inside, and may branch wherever its bytes seem to say."""
        for section in self.image.allocated():
            if section.executable:
                self._check_fields(section)
        for extent in [e for e in self.extents if e.verbatim]:
            extent.leaders.clear()
            if any(extent.start <= address < extent.end for address in self.faulting):
                raise ElfError(f"{extent.name} has exception-table entries but cannot be decoded")
            for target in _seeming_targets(extent):
                self._pin_target(extent, target)

    def _pin_target(self, extent: Extent, target: int) -> None:
        reached = self.extents.at(target)
        if reached is not None and reached is not extent and reached.holds_instruction(target):
            reached.pin(f"{extent.name}, which is not understood, may branch to it")

    def _check_fields(self, section: RawSection) -> None:
        """A relocated field must lie within one instruction, else what was decoded there is not code."""
        for ref in self.relocations.named[section.index]:
            address = section.address + ref.field
            extent = self.extents.at(address)
            if extent is None or extent.verbatim:
                continue
            if not _is_operand(extent, address):
                extent.give_up(f"{NO_OPERAND} at {extent.name}+{address - extent.start:#x}")


def _is_operand(extent: Extent, address: int) -> bool:
    """Whether a word of code is all of a displacement, or of an immediate."""
    start = extent.starts[bisect_left(extent.starts, address + 1) - 1]
    end = _instruction_behind(extent, address)
    if extent.holds_instruction(address) or end < address + WORD:
        return False
    try:
        parts = anatomy(extent.raw(start, end))
    except NotImplementedError:  # the vector encodings
        return True
    wide = parts.disp_size == WORD, parts.imm_size in (WORD, FAR)
    return (wide[0] and address - start == parts.disp_offset) or (wide[1] and address - start == parts.imm_offset)


def branch_target(raw: bytes, end: int) -> int | None:
    """Where a direct branch of these bytes, ending at `end`, leads."""
    if flow(raw) not in DIRECT:
        return None
    field = branch_field(raw)
    if field is None:
        return None
    offset, kind = field
    size = 1 if kind is RefKind.PC8 else 4
    return (end + int.from_bytes(raw[offset : offset + size], "little", signed=True)) & 0xFFFFFFFF


def _seeming_targets(extent: Extent) -> Iterator[int]:
    """Where direct branches would lead if one began at any byte of the extent."""
    raw = extent.raw(extent.start, extent.end)
    for i, byte in enumerate(raw):
        if byte in (0xE8, 0xE9) or (0x80 <= byte < 0x90 and i and raw[i - 1] == 0x0F):
            size = 4
        elif byte == 0xEB or 0x70 <= byte < 0x80 or 0xE0 <= byte < 0xE4:
            size = 1
        else:
            continue
        end = i + 1 + size
        if end <= len(raw):
            distance = int.from_bytes(raw[i + 1 : end], "little", signed=True)
            yield (extent.start + end + distance) & 0xFFFFFFFF


def _instruction_behind(extent: Extent, address: int) -> int:
    """The end of the instruction that holds `address`."""
    position = bisect_left(extent.starts, address + 1)
    return extent.starts[position] if position < len(extent.starts) else extent.end
