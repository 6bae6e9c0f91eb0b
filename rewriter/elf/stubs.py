"""Equal-sized stubs (contract): each begins a block, though nothing but arithmetic leads to any but the first.

irq_stubs:  push -1             ; + 0
            jmp common_interrupt
            nop
            push -2             ; + 8: the gate of line 1 leads here, and no relocation says so
"""

from __future__ import annotations

from bisect import bisect_left

from rewriter.contract import EqualStubs
from rewriter.elf.extents import LEAVES, PADDING, Extent, Extents
from rewriter.elf.image import ElfError, Image
from rewriter.x86.flow import flow

COUNTED = "equal-sized stubs are reached by counting from"


class Stubs:
    """Notes them in the extents of their functions."""

    def __init__(self, image: Image, extents: Extents) -> None:
        self.image = image
        self.extents = extents

    def note(self, promise: EqualStubs) -> None:
        """Let every stub begin a block, and stay.  Raises ElfError where the image has no such stubs."""
        start = self._start(promise)
        for address in range(start, start + promise.size * promise.count, promise.size):
            extent = self.extents.at(address)
            where = f"{promise.symbol}+{address - start:#x}, which the contract names as a stub"
            if extent is None:
                raise ElfError(f"{where}, is not code")
            extent.pin(f"{COUNTED} {promise.symbol}")
            if extent.verbatim:
                continue
            if not extent.holds_instruction(address):
                raise ElfError(f"{where}, is not an instruction")
            extent.leaders.add(address)
            padding = self._padding(extent, address, address + promise.size, where)
            if extent.end <= address + promise.size:
                extent.cut(padding)

    def _start(self, promise: EqualStubs) -> int:
        for symbol in self.image.symbols:
            if symbol.name == promise.symbol and 0 < symbol.section < len(self.image.sections):
                section = self.image.sections[symbol.section]
                if symbol.value + promise.size * promise.count > section.end:
                    raise ElfError(f"the contract's {promise.count} stubs at {promise.symbol} do not fit the section")
                return symbol.value
        raise ElfError(f"has no symbol {promise.symbol}, which the contract names as the first of equal-sized stubs")

    def _padding(self, extent: Extent, start: int, end: int, where: str) -> int:
        """Where the padding begins that fills up a stub: behind a jump."""
        for position in range(bisect_left(extent.starts, start), len(extent.starts)):
            after = extent.starts[position + 1] if position + 1 < len(extent.starts) else extent.end
            if after > end:
                break
            if flow(extent.raw(extent.starts[position], after)) in LEAVES:
                if PADDING.fullmatch(extent.raw(after, min(end, extent.end))):
                    return after
                break
        raise ElfError(f"{where}, does not end with a jump")
