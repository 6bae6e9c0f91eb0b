"""Numbers and pointers as DWARF writes them (LEB128, `DW_EH_PE_…`)."""

from __future__ import annotations

from rewriter.elf.image import ElfError

ABSOLUTE, ULEB, UDATA2, UDATA4, SLEB, SDATA2, SDATA4 = 0, 1, 2, 3, 9, 10, 11
PCREL, DATAREL, INDIRECT, OMIT = 0x10, 0x30, 0x80, 0xFF
_SIZES = {ABSOLUTE: 4, UDATA2: 2, UDATA4: 4, SDATA2: 2, SDATA4: 4}
_SIGNED = (SDATA2, SDATA4)


class Reader:
    """Reads a section's bytes from `at` on; `address` is where the section lies."""

    def __init__(self, raw: bytes, address: int, at: int = 0) -> None:
        self.raw = raw
        self.address = address
        self.at = at

    def number(self, size: int) -> int:
        if self.at + size > len(self.raw):
            raise ElfError("malformed unwinding table: it ends too early")
        self.at += size
        return int.from_bytes(self.raw[self.at - size : self.at], "little")

    def uleb(self) -> int:
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 70:
                raise ElfError("malformed unwinding table: a number without end")

    def sleb(self) -> int:
        start = self.at
        value = self.uleb()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def text(self) -> str:
        end = self.raw.find(b"\0", self.at)
        if end < 0:
            raise ElfError("malformed unwinding table: a text without end")
        start, self.at = self.at, end + 1
        return self.raw[start:end].decode("latin-1")

    def bytes(self, size: int) -> bytes:
        if not 0 <= size <= len(self.raw) - self.at:
            raise ElfError("malformed unwinding table: it ends too early")
        self.at += size
        return self.raw[self.at - size : self.at]

    def pointer(self, encoding: int) -> int:
        """An address; where it is `INDIRECT`, of the word that holds it.  0 stays 0."""
        where = self.address + self.at
        form = encoding & 0x0F
        if form == ULEB:
            value = self.uleb()
        elif form == SLEB:
            value = self.sleb()
        elif form in _SIZES:
            value = self.number(_SIZES[form])
            if form in _SIGNED and value >> (8 * _SIZES[form] - 1):
                value -= 1 << 8 * _SIZES[form]
        else:
            raise ElfError(f"unwinding tables with pointers of encoding {encoding:#x} are not understood")
        base = encoding & 0x70
        if base not in (0, PCREL):
            raise ElfError(f"unwinding tables with pointers of encoding {encoding:#x} are not understood")
        return (value + (where if base == PCREL else 0)) & 0xFFFFFFFF if value else 0


def size_of(encoding: int) -> int | None:
    """Bytes of a pointer; None where that depends on its value."""
    return _SIZES.get(encoding & 0x0F)


def uleb(value: int) -> bytes:
    """A number."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sleb(value: int) -> bytes:
    """A number that may be negative."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)
