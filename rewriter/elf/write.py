"""The bytes of an ELF file: header, segments, sections, symbols and relocations (the lesson on executables)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rewriter.elf.image import ElfError
from rewriter.elf.place import PT_LOAD, Layout
from rewriter.elf.sections import PAGE
from rewriter.elf.symtab import SymbolTable
from rewriter.ir import Program, Ref, Section, Segment

HEADER, PROGRAM_HEADER = 52, 32
PROGBITS, SYMTAB, STRTAB, NOBITS, REL = 1, 2, 3, 8, 9
WRITE, ALLOC, EXEC, THREAD_LOCAL = 1, 2, 4, 0x400
LOWEST = 1 << 16  # address that a program may use
READ_EXECUTE, READ_WRITE = 5, 6

Fields = Mapping[str, Sequence[tuple[int, Ref]]]  # by section: (offset, what the field there names)


@dataclass(slots=True)
class _Row:
    """One row of the section table."""

    name: str
    kind: int = 0
    flags: int = 0
    address: int = 0
    offset: int = 0
    size: int = 0
    link: int = 0
    info: int = 0
    align: int = 0
    entry: int = 0


def write(program: Program, layout: Layout, contents: Mapping[str, bytes | bytearray], fields: Fields) -> bytes:
    """The file; `contents` are the bytes of each section.  Raises ElfError where the headers do not fit."""
    segments = _segments(program, layout)
    offsets, end = _offsets(layout, segments)
    out = bytearray(end)
    for name, raw in contents.items():
        out[offsets[name] : offsets[name] + len(raw)] = raw
    rows = [_Row(""), *(_section_row(section, offsets[section.name]) for section in layout.sections)]
    _append_tables(SymbolTable(program, layout), fields, rows, out)
    _append_section_table(rows, out)
    _write_headers(program, segments, layout, offsets, rows, out)
    return bytes(out)


def _segments(program: Program, layout: Layout) -> list[Segment]:
    """The input's segments; new data joins the segment of the section that follows it, everything else that is new
    gets segments of its own."""
    segments = list(program.segments)
    names = [s.name for s in layout.sections]
    known = {section.name for section in program.sections}
    new = [s for s in layout.sections if s.name not in known]
    if not new:
        return segments
    follower = next((n for n in names[names.index(new[-1].name) + 1 :] if n in known), None)
    for i, s in enumerate(segments):
        if s.kind == PT_LOAD and follower in s.sections:
            at = s.sections.index(follower)
            joined = (*s.sections[:at], *(n.name for n in new), *s.sections[at:])
            segments[i] = replace(s, sections=joined)
            return segments
    bias = next(s.load_bias for s in segments if s.kind == PT_LOAD)
    for flags, part in (
        (READ_EXECUTE, [s for s in new if s.executable]),
        (READ_WRITE, [s for s in new if not s.executable]),
    ):
        if part:
            segments.append(Segment(PT_LOAD, flags, PAGE, tuple(s.name for s in part), False, bias))
    return segments


def _offsets(layout: Layout, segments: list[Segment]) -> tuple[dict[str, int], int]:
    """Where each section's bytes lie in the file: within a segment as far apart as in memory, and congruent to the
    address modulo a page."""
    sections = {s.name: s for s in layout.sections}
    offsets: dict[str, int] = {}
    cursor = HEADER + PROGRAM_HEADER * len(segments)
    for segment in (s for s in segments if s.kind == PT_LOAD and s.sections):
        first = sections[segment.sections[0]]
        start = first.address % PAGE if segment.headers else cursor + (first.address - cursor) % PAGE
        if start < cursor:
            start = _room_for_headers(layout, first, start)
        for name in segment.sections:
            offsets[name] = start + sections[name].address - first.address
            if not sections[name].zero:
                cursor = offsets[name] + sections[name].size
    for section in layout.sections:
        if section.name not in offsets:  # allocated, but in no segment: kept in the file alone
            offsets[section.name] = cursor
            cursor += 0 if section.zero else section.size
    return offsets, cursor


def _room_for_headers(layout: Layout, first: Section, start: int) -> int:
    """Where the first section lies in the file if the headers, which the image maps before it, get one more page."""
    start += PAGE
    if first.address - start < LOWEST or any(s.address < first.address for s in layout.sections):
        raise ElfError("no room for another segment beside the headers that the image maps")
    return start


def _section_row(section: Section, offset: int) -> _Row:
    flags = ALLOC | (EXEC if section.executable else 0) | (WRITE if section.writable else 0)
    flags |= THREAD_LOCAL if section.thread_local else 0
    kind = NOBITS if section.zero else PROGBITS
    return _Row(section.name, kind, flags, section.address, offset, section.size, align=section.align)


def _append_tables(table: SymbolTable, fields: Fields, rows: list[_Row], out: bytearray) -> None:
    """Symbols and relocations, behind everything that is loaded."""
    symbols = len(rows)
    relocated = [(i, row.name) for i, row in enumerate(rows) if fields.get(row.name)]
    _append(rows, out, _Row(".symtab", SYMTAB, link=symbols + 1, info=table.locals, entry=16), table.raw)
    _append(rows, out, _Row(".strtab", STRTAB), bytes(table.strings.raw))
    for index, name in relocated:
        raw = table.relocations(rows[index].address, fields[name])
        _append(rows, out, _Row(f".rel{name}", REL, link=symbols, info=index, entry=8), raw)


def _append(rows: list[_Row], out: bytearray, row: _Row, raw: bytes) -> None:
    out += bytes(-len(out) % 4)
    row.offset, row.size, row.align = len(out), len(raw), 4
    rows.append(row)
    out += raw


def _append_section_table(rows: list[_Row], out: bytearray) -> None:
    rows.append(_Row(".shstrtab", STRTAB, align=1))
    names = b"\0".join(row.name.encode("utf-8", "replace") for row in rows) + b"\0"
    rows[-1].offset, rows[-1].size = len(out), len(names)
    out += names
    out += bytes(-len(out) % 4)
    position = 0
    for r in rows:
        packed = (position, r.kind, r.flags, r.address, r.offset, r.size, r.link, r.info, r.align, r.entry)
        out += struct.pack("<10I", *packed)
        position += len(r.name.encode("utf-8", "replace")) + 1


def _entry(program: Program, layout: Layout) -> int:
    return (layout.addresses[program.entry] + program.entry_bias) & 0xFFFFFFFF


def _write_headers(
    program: Program, segments: list[Segment], layout: Layout, offsets: dict[str, int], rows: list[_Row], out: bytearray
) -> None:
    ident = b"\x7fELF" + bytes((1, 1, 1)) + bytes(9)
    table = len(out) - 40 * len(rows)
    head = (2, 3, 1, _entry(program, layout), HEADER, table)  # an executable, for the 386, in version 1
    shape = (HEADER, PROGRAM_HEADER, len(segments), 40, len(rows), len(rows) - 1)
    out[:HEADER] = ident + struct.pack("<HHIIIIIHHHHHH", *head, program.made_for, *shape)
    sections = {s.name: s for s in layout.sections}
    for i, segment in enumerate(segments):
        at = HEADER + PROGRAM_HEADER * i
        out[at : at + PROGRAM_HEADER] = _program_header(
            segment, [sections[n] for n in segment.sections], offsets, len(segments)
        )


def _program_header(segment: Segment, sections: list[Section], offsets: dict[str, int], count: int) -> bytes:
    if not sections and not segment.headers:
        return struct.pack("<8I", segment.kind, 0, 0, 0, 0, segment.beyond, segment.flags, segment.align)
    if not sections:
        size = HEADER + PROGRAM_HEADER * count
        place = (0, segment.address, (segment.address + segment.load_bias) & 0xFFFFFFFF)
        return struct.pack("<8I", segment.kind, *place, size, size, segment.flags, segment.align)
    offset = 0 if segment.headers else offsets[sections[0].name]
    address = sections[0].address - (offsets[sections[0].name] - offset)
    end = max(s.address + s.size for s in sections) + segment.beyond
    stored = max((s.address + s.size for s in sections if not s.zero), default=address)
    if stored == address:
        offset = address % PAGE  # nothing is read, but loaders may still check that it lies in the file
    physical = (address + segment.load_bias) & 0xFFFFFFFF
    if segment.beyond:
        stored = end
    sizes = (stored - address, end - address, segment.flags, segment.align)
    return struct.pack("<8I", segment.kind, offset, address, physical, *sizes)
