"""The PC's memory: 64 MiB shared with the emulator, and the page walk that finds a linear address in it."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from functools import lru_cache

SIZE = 64 << 20
PAGE = 4096
_WORD = struct.Struct("<I")
_TABLE = struct.Struct("<1024I")
PRESENT, WRITABLE, USER, LARGE, COPY_ON_WRITE = 1, 2, 4, 0x80, 0x200  # the last is free for a kernel's use


class PageFault(Exception):
    """`address` is not mapped, or not for this kind of access; `code` is the processor's error code."""

    def __init__(self, address: int, code: int) -> None:
        super().__init__(f"page fault at {address:#x}")
        self.address = address
        self.code = code


class Memory:
    """Physical memory.  `raw` is the buffer that the emulated processor uses itself: nothing is copied."""

    def __init__(self) -> None:
        self.raw = mmap.mmap(-1, SIZE, access=mmap.ACCESS_COPY)  # private: a fork's is its own

    def word(self, physical: int) -> int:
        """The 32-bit word at a physical address; all ones where there is no memory, as on a bus."""
        if physical > SIZE - 4:
            return 0xFFFFFFFF
        value: int = _WORD.unpack_from(self.raw, physical)[0]
        return value

    def store(self, physical: int, content: bytes) -> None:
        """Copy bytes to a physical address; lost where there is no memory, as on a bus."""
        if physical <= SIZE - len(content):
            self.raw[physical : physical + len(content)] = content

    def translate(self, linear: int, cr3: int | None, *, write: bool = False) -> int:
        """The physical address of a linear one, for the supervisor; `cr3` is None while paging is off.
        `write`: only if the page may be written.  Raises PageFault."""
        if cr3 is None:
            return linear
        entry = self.word((cr3 & ~0xFFF) + (linear >> 22) * 4)
        if entry & (PRESENT | LARGE) == PRESENT | LARGE:
            physical = (entry & 0xFFC00000) | (linear & 0x3FFFFF)
        elif entry & PRESENT:
            writable = entry & WRITABLE
            entry = self.word((entry & ~0xFFF) + (linear >> 12 & 0x3FF) * 4)
            physical = (entry & ~0xFFF) | (linear & 0xFFF)
            entry &= writable | ~WRITABLE
        if not entry & PRESENT or (write and not entry & WRITABLE):
            raise PageFault(linear, (entry & PRESENT) | (WRITABLE if write else 0))
        return physical

    def read(self, linear: int, size: int, cr3: int | None) -> bytes:
        """`size` bytes at a linear address, for the supervisor.  Raises PageFault."""
        parts = []
        while size:
            physical = self.translate(linear, cr3)
            length = min(size, PAGE - linear % PAGE)
            parts.append(self.raw[physical : physical + length])
            linear, size = linear + length & 0xFFFFFFFF, size - length
        return b"".join(parts)

    def user_pages(self, cr3: int | None) -> Iterator[tuple[int, int]]:
        """(linear, physical) of every 4 KiB page that user mode may write, in ascending linear order; also of those
        that the kernel will copy before they are written, which it marks by a bit of its own.

        A page that it may only read cannot change, except between programs: there, a program and its retargeted
        copy differ in the numbers that their code loads, and in nothing else that matters."""
        if cr3 is None:
            return
        for high, entry in self._table(cr3):
            if entry & LARGE:
                for low in range(1024):
                    yield high << 22 | low << 12, (entry & 0xFFC00000) + (low << 12)
                continue
            for low, page in self._table(entry):
                yield high << 22 | low << 12, page & ~0xFFF

    def _table(self, entry: int) -> tuple[tuple[int, int], ...]:
        base = entry & ~0xFFF
        return _writable(self.raw[base : base + PAGE]) if base <= SIZE - PAGE else ()


@lru_cache(maxsize=256)
def _writable(table: bytes) -> tuple[tuple[int, int], ...]:
    """(index, entry) of a page table or directory, of those through which user mode may write, now or after a copy."""
    needed, either = PRESENT | USER, WRITABLE | COPY_ON_WRITE
    entries = enumerate(_TABLE.unpack(table))
    return tuple((index, entry) for index, entry in entries if entry & needed == needed and entry & either)
