"""An ELF file as it lies on disk: sections, symbols and relocations, checked, not yet interpreted.

Accepted are statically linked i386 executables that kept their symbols and relocations (`ld --emit-relocs`).
Everything else is refused with an `ElfError` of one line: numbers cannot be told from addresses without them (§2).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from elftools.common.exceptions import ELFError as MalformedElf
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

HEADER = 52  # bytes
MAX_SECTIONS = 4096
MAX_MEMORY = 1 << 30  # bytes that the image may occupy

SHN_UNDEF, SHN_ABS, SHN_COMMON = 0, 0xFFF1, 0xFFF2
R_NONE, R_32, R_PC32, R_GOT32, R_PLT32, R_GOTOFF, R_GOTPC = 0, 1, 2, 3, 4, 9, 10
R_TLS_IE, R_IRELATIVE, R_GOT32X = 15, 42, 43
UNDERSTOOD = {R_32, R_PC32, R_GOT32, R_PLT32, R_GOTOFF, R_GOTPC, R_TLS_IE, R_IRELATIVE, R_GOT32X}
# R_386_TLS_TPOFF and its relatives: offsets from the thread pointer, or from the table that holds them; not addresses.
# The linker leaves the input's types where it made offsets of what was looked up by a descriptor.
THREAD_LOCAL_OFFSETS = {14, 16, 17, 32, 33, 34, 35, 36, 37, 39, 40}
R_TLS_GD, R_TLS_LDM = 18, 19
LOOK_UP = "___tls_get_addr"  # a call of it follows those two, or did
ADVICE = {
    **dict.fromkeys((*range(24, 32), 41), ": thread-local data that is looked up by a call"),
    **dict.fromkeys((5, 6, 7, 8), ": it is the dynamic linker's"),
}
KINDS = {0: "notype", 1: "object", 2: "func", 3: "section", 4: "file", 6: "tls", 10: "func"}
INDIRECT = 10  # STT_GNU_IFUNC: what the symbol stands for is chosen at run time


class ElfError(ValueError):
    """The file is not one that can be rewritten; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class RawSection:
    index: int
    name: str
    kind: str  # SHT_PROGBITS …
    address: int
    size: int
    align: int
    allocated: bool
    writable: bool
    executable: bool
    thread_local: bool
    raw: bytes  # empty where the section is all zero
    link: int
    info: int

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True, slots=True)
class RawSymbol:
    name: str
    value: int
    size: int
    kind: str
    local: bool
    weak: bool
    section: int  # an index, or SHN_ABS …
    indirect: bool = False  # stands for what the function there returns: named is its entry in `.plt`


@dataclass(frozen=True, slots=True)
class RawSegment:
    kind: str
    flags: int
    align: int
    offset: int
    address: int
    physical: int
    file_size: int
    size: int


@dataclass(frozen=True, slots=True)
class Relocation:
    section: int  # index of the section that is patched
    offset: int  # into it, in bytes
    kind: int
    symbol: RawSymbol
    less: int = 0  # the field holds that much less than the address


@dataclass(frozen=True, slots=True)
class Image:
    entry: int
    flags: int
    sections: tuple[RawSection, ...]  # by section index
    segments: tuple[RawSegment, ...]
    symbols: tuple[RawSymbol, ...]
    relocations: tuple[Relocation, ...]

    def allocated(self) -> list[RawSection]:
        """The sections that occupy memory, by address."""
        return sorted((s for s in self.sections if s.allocated and s.size), key=lambda s: s.address)


def read(raw: bytes) -> Image:
    """Parse and check the file.  Raises ElfError."""
    if raw[:4] != b"\x7fELF":
        raise ElfError("not an ELF file")
    if len(raw) < HEADER:
        raise ElfError(f"truncated: {len(raw)} bytes, an ELF header has {HEADER}")
    try:
        elf = ELFFile(io.BytesIO(raw))
        _check_header(elf)
        sections = tuple(_sections(elf, raw))
        segments = tuple(_segments(elf))
        entry, flags = int(elf["e_entry"]), int(elf["e_flags"])
    except ElfError:
        raise
    except (
        MalformedElf,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OverflowError,
        struct.error,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ElfError(f"malformed ELF file: {reason}") from None
    _check_memory(sections)
    symbols = _symbols(sections)
    return Image(entry, flags, sections, segments, symbols, tuple(_relocations(sections, symbols)))


def unique_names(image: Image) -> dict[int, str]:
    """Labels of sections by index: their names, numbered where two are equal."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for section in image.sections:
        label, n = section.name, 1
        while label in taken:
            n += 1
            label = f"{section.name}~{n}"
        taken.add(label)
        names[section.index] = label
    return names


def data_at(raw: bytes) -> dict[str, tuple[int, int]]:
    """Address and size of the data of an image, by label.  Raises ElfError."""
    image = read(raw)
    names = unique_names(image)
    return {names[s.index]: (s.address, s.size) for s in image.allocated() if not s.executable}


def _check_header(elf: ELFFile) -> None:
    if elf.elfclass != 32 or not elf.little_endian or elf["e_machine"] != "EM_386":
        raise ElfError(f"not an i386 image: {elf['e_machine']}, {elf.elfclass} bits")
    if elf["e_type"] != "ET_EXEC":
        raise ElfError(f"not a statically linked executable: {elf['e_type']}")
    if elf["e_shoff"] == 0 or elf.num_sections() == 0:
        raise ElfError("has no section table: stripped?")
    if elf.num_sections() > MAX_SECTIONS:
        raise ElfError(f"has {elf.num_sections()} sections, more than {MAX_SECTIONS}")
    if elf.num_segments() > MAX_SECTIONS:
        raise ElfError(f"has {elf.num_segments()} segments, more than {MAX_SECTIONS}")
    if any(segment["p_type"] == "PT_INTERP" for segment in elf.iter_segments()):
        raise ElfError("is dynamically linked")


def _sections(elf: ELFFile, raw: bytes) -> Iterator[RawSection]:
    for index, section in enumerate(elf.iter_sections()):
        header = section.header
        zero = header["sh_type"] in ("SHT_NOBITS", "SHT_NULL")
        first, size = int(header["sh_offset"]), int(header["sh_size"])
        if not zero and first + size > len(raw):
            raise ElfError(f"section {section.name or index} reaches past the end of the file")
        flags = int(header["sh_flags"])
        yield RawSection(
            index=index,
            name=section.name,
            kind=str(header["sh_type"]),
            address=int(header["sh_addr"]),
            size=size,
            align=max(1, int(header["sh_addralign"])),
            allocated=bool(flags & SH_FLAGS.SHF_ALLOC),
            writable=bool(flags & SH_FLAGS.SHF_WRITE),
            executable=bool(flags & SH_FLAGS.SHF_EXECINSTR),
            thread_local=bool(flags & SH_FLAGS.SHF_TLS),
            raw=b"" if zero else raw[first : first + size],
            link=int(header["sh_link"]),
            info=int(header["sh_info"]),
        )


def _segments(elf: ELFFile) -> Iterator[RawSegment]:
    for segment in elf.iter_segments():
        h = segment.header
        yield RawSegment(
            kind=str(h["p_type"]),
            flags=int(h["p_flags"]),
            align=int(h["p_align"]),
            offset=int(h["p_offset"]),
            address=int(h["p_vaddr"]),
            physical=int(h["p_paddr"]),
            file_size=int(h["p_filesz"]),
            size=int(h["p_memsz"]),
        )


def _check_memory(sections: tuple[RawSection, ...]) -> None:
    placed = sorted((s for s in sections if s.allocated and s.size), key=lambda s: s.address)
    if not any(s.executable for s in placed):
        raise ElfError("has no code")
    for section in placed:
        if section.align & (section.align - 1) or section.align > 1 << 22:
            raise ElfError(f"section {section.name} is aligned to {section.align} bytes")
        if section.end > 1 << 32:
            raise ElfError(f"section {section.name} reaches past 4 GiB")
    if sum(s.size for s in placed) > MAX_MEMORY:
        raise ElfError("occupies more than 1 GiB")
    for before, after in pairwise(placed):
        if before.end > after.address and not _thread_template(before):
            raise ElfError(f"sections {before.name} and {after.name} overlap")


def _thread_template(section: RawSection) -> bool:
    """`.tbss` has an address and a size but occupies nothing."""
    return section.kind == "SHT_NOBITS" and section.thread_local


def _symbols(sections: tuple[RawSection, ...]) -> tuple[RawSymbol, ...]:
    table = next((s for s in sections if s.kind == "SHT_SYMTAB"), None)
    if table is None:
        raise ElfError("has no symbols: link without -s")
    if not 0 < table.link < len(sections):
        raise ElfError("malformed ELF file: the symbol table has no strings")
    strings = sections[table.link].raw
    usable = len(table.raw) // 16 * 16
    return tuple(
        RawSymbol(
            _string(strings, name),
            value,
            size,
            KINDS.get(info & 15, "notype"),
            info >> 4 == 0,
            info >> 4 == 2,
            section,
            info & 15 == INDIRECT,
        )
        for name, value, size, info, _, section in struct.iter_unpack("<IIIBBH", table.raw[:usable])
    )


def _string(strings: bytes, offset: int) -> str:
    end = strings.find(b"\0", offset)
    return strings[offset : end if end >= 0 else None].decode("utf-8", "replace")


def _relocations(sections: tuple[RawSection, ...], symbols: tuple[RawSymbol, ...]) -> Iterator[Relocation]:
    found = False
    for table in sections:
        if table.kind not in ("SHT_REL", "SHT_RELA") or not 0 < table.info < len(sections):
            continue
        patched = sections[table.info]
        if not patched.allocated:
            continue  # debugging information; a table that belongs to no section is the dynamic linker's
        if table.kind == "SHT_RELA":
            raise ElfError(f"{table.name} has relocations with addends, which i386 does not use")
        found = True
        usable = len(table.raw) // 8 * 8
        looked_up = False  # by a call, which the linker replaced, but not its relocation
        for address, info in struct.iter_unpack("<II", table.raw[:usable]):
            kind, index = info & 0xFF, info >> 8
            if looked_up and index < len(symbols) and symbols[index].name == LOOK_UP:
                looked_up = False
                continue
            looked_up = kind in (R_TLS_GD, R_TLS_LDM)
            if not looked_up:
                yield from _relocation(patched, address - patched.address, kind, index, symbols)
    if not found:
        raise ElfError("has no relocations: link with --emit-relocs")


def _relocation(
    patched: RawSection, offset: int, kind: int, index: int, symbols: tuple[RawSymbol, ...]
) -> Iterator[Relocation]:
    if kind == R_NONE or kind in THREAD_LOCAL_OFFSETS:
        return
    where = f"{patched.name}+{offset:#x}"
    if index >= len(symbols):
        raise ElfError(f"malformed ELF file: the relocation at {where} names symbol {index} of {len(symbols)}")
    if not 0 <= offset <= len(patched.raw) - 4:
        raise ElfError(f"malformed ELF file: a relocation lies outside of {patched.name}")
    if kind not in UNDERSTOOD:
        advice = ADVICE.get(kind, "")
        raise ElfError(f"relocation type {kind} at {where} is not understood{advice}")
    yield Relocation(patched.index, offset, kind, symbols[index])
