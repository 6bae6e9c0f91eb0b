"""`.eh_frame` and `.gcc_except_table` as they lie in the input, by numbers: labels come later."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rewriter.elf.image import ElfError, RawSection
from rewriter.elf.unwind.fields import OMIT, Reader, size_of
from rewriter.elf.unwind.rows import rows_of
from rewriter.ir import CallSite, Frame, FrameKind, Handlers, Ref

Place = Callable[[int], tuple[str, int]]  # label and offset of an address


@dataclass(frozen=True, slots=True)
class Entry:
    """One unwinding entry (an FDE); `code`: its instructions, `handlers`: the address of its LSDA or 0."""

    start: int
    end: int
    lead: int
    kind: FrameKind
    code: bytes
    handlers: int

    def frame(self, table: ExceptTable | None, place: Place) -> Frame:
        factors = self.kind.code_factor, self.kind.data_factor
        rows = tuple(rows_of(self.kind.rules, self.code, self.start - self.lead, factors))
        found = None
        if self.handlers:
            if table is None:
                raise ElfError("unwinding tables name handlers, but there is no .gcc_except_table")
            found = table.handlers(self.handlers, self.start - self.lead, place)
        return Frame(self.start, self.end, self.lead, self.kind, rows, found)


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: FrameKind
    pointers: int  # encoding of addresses of code
    handlers: int  # encoding of the LSDA's address


def read_entries(section: RawSection, refs: Mapping[int, Ref]) -> list[Entry]:
    """All entries, by address.  `refs`: what fields of the section name, by offset.  Raises ElfError."""
    kinds: dict[int, _Kind] = {}
    found: list[Entry] = []
    reader = Reader(section.raw, section.address)
    while reader.at + 4 <= len(section.raw):
        start = reader.at
        length = reader.number(4)
        end = reader.at + length
        if length == 0xFFFFFFFF or end > len(section.raw):
            raise ElfError(f"malformed unwinding table: the entry at {section.name}+{start:#x} reaches past its end")
        if length:
            at = reader.at
            back = reader.number(4)
            if back == 0:
                kinds[start] = _read_kind(reader, refs)
            else:
                found += _read_entry(reader, kinds.get(at - back), end)
        reader.at = end
    return sorted(found, key=lambda entry: entry.start)


def _read_kind(reader: Reader, refs: Mapping[int, Ref]) -> _Kind:
    start = reader.at - 8
    end = start + 4 + int.from_bytes(reader.raw[start : start + 4], "little")
    version = reader.number(1)
    augmentation = reader.text()
    if version not in (1, 3) or (augmentation and augmentation[0] != "z") or set(augmentation) - set("zPLRSB"):
        raise ElfError(f"unwinding tables of version {version} with {augmentation!r} are not understood")
    factors = reader.uleb(), reader.sleb()
    column = reader.number(1) if version == 1 else reader.uleb()
    pointers = handlers = encoding = 0
    handlers, personality = OMIT, None
    behind = reader.uleb() + reader.at if augmentation else reader.at
    for letter in augmentation[1:]:
        if letter == "R":
            pointers = reader.number(1)
        elif letter == "L":
            handlers = reader.number(1)
        elif letter == "P":
            encoding = reader.number(1)
            personality = refs.get(reader.at)
            if personality is None or size_of(encoding) != 4:
                raise ElfError("an unwinding table names a personality without a relocation")
            reader.pointer(encoding)
    reader.at = behind
    rules = reader.bytes(end - reader.at)
    return _Kind(FrameKind(augmentation, *factors, column, rules, personality, encoding), pointers, handlers)


def _read_entry(reader: Reader, kind: _Kind | None, end: int) -> list[Entry]:
    if kind is None:
        raise ElfError("malformed unwinding table: an entry names no kind")
    start = reader.pointer(kind.pointers)
    size = reader.pointer(kind.pointers & 0x0F)
    handlers = 0
    if kind.kind.augmentation:
        behind = reader.uleb() + reader.at
        if kind.handlers != OMIT:
            handlers = reader.pointer(kind.handlers)
        reader.at = behind
    lead = 1 if "S" in kind.kind.augmentation else 0  # a signal "returns" to before what it interrupted
    code = reader.bytes(end - reader.at)
    return [Entry(start + lead, start + size, lead, kind.kind, code, handlers)] if size > lead else []


class ExceptTable:
    """`.gcc_except_table`; `starts`: the addresses of all LSDAs in it."""

    def __init__(self, section: RawSection, refs: Mapping[int, Ref], starts: list[int]) -> None:
        self.section = section
        self.refs = refs
        self.starts = sorted(set(starts))

    def handlers(self, address: int, function: int, place: Place) -> Handlers:
        """The LSDA at an address; `function` is where its entry's code begins.  Raises ElfError."""
        reader = Reader(self.section.raw, self.section.address, address - self.section.address)
        if not 0 <= reader.at < len(self.section.raw):
            raise ElfError("an unwinding table names handlers outside of .gcc_except_table")
        encoding = reader.number(1)
        base = reader.pointer(encoding) if encoding != OMIT else function
        type_encoding = reader.number(1)
        types = reader.uleb() + reader.at if type_encoding != OMIT else None
        form = reader.number(1)
        tail = reader.uleb() + reader.at
        sites = []
        while reader.at < tail:
            start, size, pad = (reader.pointer(form) for _ in range(3))
            action = reader.uleb()
            where = place((base + pad) & 0xFFFFFFFF) if pad else None
            sites.append(CallSite(function + start, function + start + size, where, action))
        position = bisect_right(self.starts, address)
        end = self.starts[position] if position < len(self.starts) else self.section.end
        end -= self.section.address
        refs = tuple(
            Ref(at - tail, ref.kind, ref.target, ref.addend)
            for at, ref in sorted(self.refs.items())
            if tail <= at < end
        )
        phase = (self.section.address + tail) % 4
        behind = None if types is None else types - tail
        return Handlers(tuple(sites), type_encoding, behind, self.section.raw[tail:end], refs, phase)


def pads(entries: list[Entry], table: ExceptTable) -> list[int]:
    """The addresses of the code that catches something."""
    found: list[int] = []

    def note(address: int) -> tuple[str, int]:
        found.append(address)
        return "", 0

    for entry in entries:
        if entry.handlers:
            table.handlers(entry.handlers, entry.start - entry.lead, note)
    return found
