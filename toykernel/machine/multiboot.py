"""Multiboot 1: from an ELF file to a loaded kernel, as `qemu-system-i386 -kernel` does it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .blocks import instructions
from .errors import MachineError
from .memory import PAGE, SIZE, Memory

BOOTLOADER_MAGIC = 0x2BADB002  # in eax when the kernel starts
_HEADER_MAGIC = 0x1BADB002
_SEARCHED = 8192  # the header lies in so many first bytes of the file
_UNDERSTOOD = 0x3  # of the flags that a loader must understand: page-aligned modules, memory sizes
_INFORMATION = 0x9000  # where the information for the kernel is put, with its strings behind
_EXECUTABLE = 1  # of a segment's flags


@dataclass(frozen=True)
class Segment:
    """A part of the file that is loaded: `content`, then zeros up to `size` bytes."""

    virtual: int
    physical: int
    size: int
    content: bytes
    executable: bool


@dataclass(frozen=True)
class Image:
    """A checked kernel image; `entry` is physical."""

    segments: tuple[Segment, ...]
    entry: int

    @property
    def end(self) -> int:
        """The first physical address behind all segments."""
        return max(segment.physical + segment.size for segment in self.segments)

    @property
    def code(self) -> tuple[tuple[int, int], ...]:
        """Linear ranges [first, last] of the kernel's code once it runs where it is linked: of executable segments,
        without those that are linked where they are loaded if there are others (they only lead to these)."""
        executable = [segment for segment in self.segments if segment.executable]
        moved = [segment for segment in executable if segment.virtual != segment.physical]
        pages = sorted(
            (segment.virtual & -PAGE, (segment.virtual + segment.size - 1) | (PAGE - 1))
            for segment in moved or executable
        )
        return tuple(pages)

    @property
    def elsewhere(self) -> Iterator[tuple[int, int]]:
        """The linear ranges [first, last] outside `code`: where programs run."""
        start = 0
        for first, last in self.code:
            if start < first:
                yield start, first - 1
            start = max(start, last + 1)
        if start < 1 << 32:
            yield start, (1 << 32) - 1

    def holds(self, address: int) -> bool:
        """Whether the kernel has code there, where it is linked or where it is loaded."""
        return any(
            start <= address < start + segment.size
            for segment in self.segments
            if segment.executable
            for start in (segment.virtual, segment.physical)
        )

    def places(self, opcode: int) -> Iterator[int]:
        """Where instructions of this opcode, a byte, may begin: whoever comes from a little before gets there."""
        for segment in self.segments:
            if segment.executable:
                yield from (segment.virtual + at for at in instructions(segment.content, opcode))


def parse(kernel: bytes) -> Image:
    """Check header and program headers.  Raises MachineError: never trust a size that the file names."""
    _check_header(kernel)
    if kernel[:7] != b"\x7fELF\x01\x01\x01" or len(kernel) < 52:
        raise MachineError("the kernel is not a 32-bit little-endian ELF file")
    kind, machine, _, entry, table, _, _, _, size, count = struct.unpack_from("<HHIIIIIHHH", kernel, 16)
    if (kind, machine) != (2, 3):
        raise MachineError("the kernel is not an i386 executable")
    if size != 32 or not count or table + count * size > len(kernel):
        raise MachineError("the kernel's program headers lie outside the file")
    headers = [struct.unpack_from("<8I", kernel, table + index * size) for index in range(count)]
    segments = tuple(_segment(kernel, *header[1:7]) for header in headers if header[0] == 1 and header[5])
    if not segments:
        raise MachineError("the kernel has nothing to load")
    return Image(segments, _physical(entry, segments))


def _check_header(kernel: bytes) -> None:
    for at in range(0, min(len(kernel), _SEARCHED) - 11, 4):
        magic, flags, checksum = struct.unpack_from("<III", kernel, at)
        if magic == _HEADER_MAGIC and not (magic + flags + checksum) & 0xFFFFFFFF:
            if flags & 0x1FFFF & ~_UNDERSTOOD:
                raise MachineError(f"the multiboot header asks for what is not offered (flags {flags:#x})")
            return
    raise MachineError("not a multiboot kernel: no header in the first 8 KiB")


def _segment(kernel: bytes, offset: int, virtual: int, physical: int, filled: int, size: int, flags: int) -> Segment:
    if offset + filled > len(kernel):
        raise MachineError(f"the segment at {virtual:#x} lies outside the file")
    if filled > size:
        raise MachineError(f"the segment at {virtual:#x} is larger in the file than in memory")
    if physical < _INFORMATION + PAGE or physical + size > SIZE or virtual + size > 1 << 32:
        raise MachineError(f"the kernel does not fit memory: {size} bytes at {physical:#x}")
    return Segment(virtual, physical, size, kernel[offset : offset + filled], bool(flags & _EXECUTABLE))


def _physical(entry: int, segments: tuple[Segment, ...]) -> int:
    """Entries are linked addresses where a segment holds them, as QEMU takes them, else physical ones."""
    executable = [segment for segment in segments if segment.executable]
    for segment in executable:
        if segment.virtual <= entry < segment.virtual + segment.size:
            return entry - segment.virtual + segment.physical
    if any(segment.physical <= entry < segment.physical + segment.size for segment in executable):
        return entry
    raise MachineError(f"the entry {entry:#x} lies in no executable segment")


def load(
    image: Image, memory: Memory, modules: Sequence[bytes], command_line: str, size: int = SIZE
) -> tuple[int, list[int]]:
    """Put kernel, modules and information into memory, and tell the kernel of `size` bytes of it: (the information's
    physical address, for ebx; where each module is).  Raises MachineError where they do not fit."""
    for segment in image.segments:
        memory.store(segment.physical, segment.content)
    starts, end = [], image.end
    for module in modules:
        starts.append(-(-end // PAGE) * PAGE)
        end = starts[-1] + len(module)
        if end > min(size, SIZE):
            raise MachineError(f"a module of {len(module)} bytes does not fit memory behind the kernel")
        memory.store(starts[-1], module)
    line = command_line.encode() + b"\0"
    if len(line) > PAGE - 256:
        raise MachineError(f"the command line of {len(line)} bytes is too long")
    table, name, text = (_INFORMATION + at for at in (64, 144, 160))
    # flags 1: memory sizes in KiB below 1 MiB and above; 4: command line; 8: modules
    flags = 1 | 4 | 8
    information = struct.pack("<7I", flags, 640, (min(size, SIZE) >> 10) - 1024, 0, text, len(modules), table)
    memory.store(_INFORMATION, information)
    for number, (start, module) in enumerate(zip(starts, modules, strict=True)):
        memory.store(table + 16 * number, struct.pack("<4I", start, start + len(module), name, 0))
    memory.store(name, b"module\0")
    memory.store(text, line)
    return _INFORMATION, starts
