"""Segments are what a loader sees, sections are what we read: both must tell the same, or what is written is another
program."""

from __future__ import annotations

from itertools import pairwise

from rewriter.elf.image import HEADER, ElfError, Image, RawSection, RawSegment

PAGE = 4096
PROGRAM_HEADER = 32  # bytes
FILLER = b"\0\x90\xcc"  # what may lie between sections: padding, which nothing reads


def check_segments(image: Image, raw: bytes) -> None:
    """Raises ElfError where a segment would load something that no section describes, or a section something else."""
    placed = [s for s in image.allocated() if not _thread_local(s)]
    loaded = sorted((s for s in image.segments if s.kind == "PT_LOAD" and s.size), key=lambda s: s.address)
    for before, after in pairwise(loaded):
        if before.address + before.size > after.address:
            raise ElfError(f"the segments at {before.address:#x} and {after.address:#x} overlap")
    headers = HEADER + PROGRAM_HEADER * len(image.segments)
    for segment in loaded:
        _check_extent(segment, raw)
        inside = [s for s in placed if s.address < segment.address + segment.size and segment.address < s.end]
        _check_contents(segment, inside, raw, headers if segment.offset == 0 else 0)
        placed = [s for s in placed if s not in inside]
    for section in placed:
        if section.executable or section.writable:
            raise ElfError(f"section {section.name} lies in no segment that is loaded")


def _thread_local(section: RawSection) -> bool:
    return section.kind == "SHT_NOBITS" and section.thread_local


def _check_extent(segment: RawSegment, raw: bytes) -> None:
    where = f"the segment at {segment.address:#x}"
    if segment.file_size > segment.size:
        raise ElfError(f"{where} is larger in the file than in memory")
    if segment.offset + segment.file_size > len(raw):
        raise ElfError(f"{where} reaches past the end of the file")
    if segment.address + segment.size > 1 << 32:
        raise ElfError(f"{where} reaches past 4 GiB")


def _check_contents(segment: RawSegment, inside: list[RawSection], raw: bytes, headers: int) -> None:
    content = raw[segment.offset : segment.offset + segment.file_size]
    end = segment.address + segment.size
    reached = headers
    for section in sorted(inside, key=lambda s: s.address):
        start, size = section.address - segment.address, section.size
        if start < 0 or section.end > end:
            raise ElfError(f"section {section.name} lies in the segment at {segment.address:#x} in part")
        found = content[start : start + size]
        if found != section.raw if section.raw else any(found):
            raise ElfError(f"the segment at {segment.address:#x} loads something else than section {section.name}")
        _check_gap(segment, content[reached:start])
        reached = start + size
    _check_gap(segment, content[reached:])
    last = max((s.end for s in inside), default=segment.address + headers)
    if -(-end // PAGE) > -(-last // PAGE):
        raise ElfError(f"the segment at {segment.address:#x} holds memory that belongs to no section")


def _check_gap(segment: RawSegment, content: bytes) -> None:
    if content.strip(FILLER):
        raise ElfError(f"the segment at {segment.address:#x} loads bytes that belong to no section")
