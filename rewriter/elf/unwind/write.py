"""Unwinding tables for code that has been placed: each stretch of it gets the entry that its instructions had.

Instructions know where they came from (`Insn.origin`), and so which frame and which row of it hold for them, and who
catches what they throw; new ones count as the one behind them.  Functions may have been moved, taken apart, and made
longer or shorter.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rewriter.elf.unwind.fields import ABSOLUTE, DATAREL, OMIT, PCREL, SDATA4, UDATA4, ULEB, sleb, uleb
from rewriter.elf.unwind.rows import instructions
from rewriter.ir import CallSite, Data, Frame, FrameKind, Handlers, Ref, RefKind, Row, Unwinding

HERE = PCREL | SDATA4
LONGEST = 15  # bytes of an instruction
PADDING = 16  # bytes between blocks that lie side by side, at most


@dataclass(frozen=True, slots=True)
class Piece:
    """A placed instruction, `offset` bytes behind the label of its block."""

    address: int
    size: int
    origin: int | None
    label: str
    offset: int
    pad: str | None = None  # where control goes on that a call here throws, if that is an edge
    unwind: tuple[int, Row] | None = None  # see `Insn`


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables by name; `entries`: where the code of each begins, and the offset of the entry in `frames`."""

    data: dict[str, Data]
    frames: str
    entries: tuple[tuple[int, int], ...]

    def index(self, size: int, address: int, frames: int) -> bytes:
        """`.eh_frame_hdr` at an address, if `frames` is that of the table: to be searched by halves."""
        out = bytearray(bytes((1, HERE, UDATA4, DATAREL | SDATA4)))
        out += struct.pack("<iI", frames - address - 4, len(self.entries))
        for start, offset in sorted(self.entries):
            out += struct.pack("<ii", start - address, frames + offset - address)
        return bytes(out).ljust(size, b"\0")


@dataclass(slots=True)
class _Stretch:
    """Code that one entry describes; `label + offset` is where it begins."""

    frame: Frame
    label: str
    offset: int
    start: int
    end: int
    lead: int
    rows: list[tuple[int, Row]] = field(default_factory=list)
    sites: list[tuple[int, int, CallSite]] = field(default_factory=list)


def unwinding_tables(unwinding: Unwinding, pieces: Sequence[Piece], addresses: Mapping[str, int]) -> Tables:
    """The tables for code that lies as `pieces` says, in the order of addresses; `addresses`: of labels.  The index
    is as long as it will be."""
    stretches = list(_stretches(unwinding, pieces))
    found: dict[str, Data] = {}
    places: dict[int, int] = {}
    if unwinding.handlers is not None:
        table = _Table(unwinding.handlers)
        for stretch in stretches:
            if stretch.frame.handlers is not None:
                places[stretch.start] = table.add(stretch, stretch.frame.handlers, addresses)
        found[unwinding.handlers] = table.data
    frames = _Frames(unwinding, stretches, places)
    found[unwinding.frames] = frames.data
    if unwinding.index is not None:
        found[unwinding.index] = Data(unwinding.index, None, bytes(12 + 8 * len(frames.starts)), writable=False)
    return Tables(found, unwinding.frames, tuple(frames.starts))


def _stretches(unwinding: Unwinding, pieces: Sequence[Piece]) -> Iterator[_Stretch]:
    current: _Stretch | None = None
    for piece, origin in _with_origins(pieces):
        for frame, start, end in _parts(unwinding, piece, origin, current.frame if current else None):
            if current is None or current.frame is not frame or not 0 <= start - current.end < PADDING:
                if current is not None:
                    yield current
                lead = frame.lead if origin == frame.start else 0
                offset = piece.offset + start - piece.address
                current = _Stretch(frame, piece.label, offset, start, end, lead)
            current.end = end
            if piece.unwind is None:
                _note(current, frame, piece, origin + start - piece.address, start, end)
            else:
                _note_made(current, unwinding, piece)
    if current is not None:
        yield current


def _with_origins(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, int]]:
    """New instructions count as the next of the same block, the last as the one before."""
    known: list[int | None] = [piece.origin for piece in pieces]
    for i in range(len(pieces) - 2, -1, -1):
        if known[i] is None and pieces[i].label == pieces[i + 1].label:
            known[i] = known[i + 1]
    before: int | None = None
    for piece, origin in zip(pieces, known, strict=True):
        before = origin if origin is not None else before
        if before is not None:
            yield piece, before


def _parts(unwinding: Unwinding, piece: Piece, origin: int, likely: Frame | None) -> Iterator[tuple[Frame, int, int]]:
    """The frames of one piece: code that is kept verbatim may have several."""
    if piece.unwind is not None:
        made = unwinding.at(piece.unwind[0])
        assert made is not None
        yield made, piece.address, piece.address + piece.size
        return
    frame = likely if likely is not None and likely.start <= origin < likely.end else unwinding.at(origin)
    if frame is not None and (origin + piece.size <= frame.end or piece.size <= LONGEST):
        yield frame, piece.address, piece.address + piece.size
        return
    inside = [f for f in unwinding.all if f.start < origin + piece.size and origin < f.end]
    for frame in inside:
        start, end = max(frame.start, origin), min(frame.end, origin + piece.size)
        yield frame, piece.address + start - origin, piece.address + end - origin


def _note_made(stretch: _Stretch, unwinding: Unwinding, piece: Piece) -> None:
    """An instruction that tells how to unwind; only calls of it throw something."""
    assert piece.unwind is not None
    if not stretch.rows or stretch.rows[-1][1] != piece.unwind[1]:
        stretch.rows.append((piece.address, piece.unwind[1]))
    site = unwinding.site(piece.origin) if piece.origin is not None else None
    mine = site is not None and stretch.frame.handlers is not None and unwinding.at(site.start) is stretch.frame
    if site is not None and mine and (piece.pad is not None or site.pad is None):
        _catch(stretch, piece.address, piece.address + piece.size, site, piece.pad)


def _catch(stretch: _Stretch, start: int, end: int, site: CallSite, pad: str | None) -> None:
    if pad is not None:
        site = replace(site, pad=(pad, 0))
    last = stretch.sites[-1] if stretch.sites else None
    if last is not None and last[2] == site and last[1] <= start:
        stretch.sites[-1] = (last[0], end, site)
    else:
        stretch.sites.append((start, end, site))


def _note(stretch: _Stretch, frame: Frame, piece: Piece, origin: int, start: int, end: int) -> None:
    position = bisect_right(frame.rows, origin, key=lambda row: row[0])
    row = frame.rows[max(position - 1, 0)][1]
    if not stretch.rows or stretch.rows[-1][1] is not row:
        stretch.rows.append((start, row))
    while position < len(frame.rows) and frame.rows[position][0] < origin + end - start:  # bytes kept verbatim
        stretch.rows.append((start + frame.rows[position][0] - origin, frame.rows[position][1]))
        position += 1
    if frame.handlers is None:
        return
    sites = frame.handlers.sites
    for i in range(max(0, bisect_right(sites, origin, key=lambda site: site.start) - 1), len(sites)):
        site = sites[i]
        if site.start >= origin + end - start:
            break
        if origin < site.end:
            begin = start + max(0, site.start - origin)
            _catch(stretch, begin, min(end, start + site.end - origin), site, piece.pad)


class _Table:
    """`.gcc_except_table`, one LSDA after the other."""

    def __init__(self, name: str) -> None:
        self.data = Data(name, None, b"", writable=False, align=4)

    def add(self, stretch: _Stretch, handlers: Handlers, addresses: Mapping[str, int]) -> int:
        """Its offset."""
        begin = stretch.start - stretch.lead
        pads = [addresses[s.pad[0]] + s.pad[1] for _, _, s in stretch.sites if s.pad is not None]
        near = all(pad > begin for pad in pads)
        head = bytes((OMIT,)) if near else bytes((ABSOLUTE, 0, 0, 0, 0))
        sites = b""
        for start, end, site in stretch.sites:
            pad = addresses[site.pad[0]] + site.pad[1] - (begin if near else 0) if site.pad is not None else 0
            if near:
                sites += uleb(start - begin) + uleb(end - start) + uleb(pad)
            else:
                sites += struct.pack("<III", start - begin, end - start, pad)
            sites += uleb(site.action)
        form = bytes((ULEB if near else UDATA4,)) + uleb(len(sites))
        head += bytes((handlers.type_encoding,))
        if handlers.types is not None:
            head += uleb(handlers.types + len(form) + len(sites))
        head += form + sites
        raw = self.data.raw
        raw += bytes((handlers.phase - len(raw) - len(head)) % 4)
        at = len(raw)
        tail = at + len(head)
        self.data.refs |= {tail + r.offset: replace(r, offset=tail + r.offset) for r in handlers.refs}
        self.data.raw = raw + head + handlers.tail
        return at


class _Frames:
    """`.eh_frame`; `starts`: where each entry's code begins, and its offset."""

    def __init__(self, unwinding: Unwinding, stretches: list[_Stretch], handlers: dict[int, int]) -> None:
        self.data = Data(unwinding.frames, None, b"", writable=False)
        self.table = unwinding.handlers
        self.starts: list[tuple[int, int]] = []
        self._raw = bytearray()
        self._kinds: dict[FrameKind, int] = {}
        for stretch in stretches:
            self._add(stretch, handlers.get(stretch.start))
        self.data.raw = bytes(self._raw) + bytes(4)

    def _kind(self, kind: FrameKind) -> int:
        """The offset of its CIE."""
        if kind in self._kinds:
            return self._kinds[kind]
        start = len(self._raw)
        body = bytearray(struct.pack("<IB", 0, 1) + kind.augmentation.encode("latin-1") + b"\0")
        body += uleb(kind.code_factor) + sleb(kind.data_factor) + bytes((kind.return_column,))
        extra = bytearray()
        letters = kind.augmentation[1:]
        at = 4 + len(body) + 1
        for letter in letters:
            if letter in "RL":
                extra.append(HERE)
            elif letter == "P" and kind.personality is not None:
                extra.append(kind.personality_encoding)
                offset = start + at + len(extra)
                self.data.refs[offset] = replace(kind.personality, offset=offset)
                extra += bytes(4)
        body += uleb(len(extra)) + extra if kind.augmentation else b""
        self._append(bytes(body) + kind.rules)
        self._kinds[kind] = start
        return start

    def _add(self, stretch: _Stretch, handlers: int | None) -> None:
        kind = stretch.frame.kind
        common = self._kind(kind)
        start = len(self._raw)
        begin = stretch.start - stretch.lead
        body = bytearray(struct.pack("<II", start + 4 - common, 0) + struct.pack("<I", stretch.end - begin))
        self.data.refs[start + 8] = Ref(start + 8, RefKind.PC32, stretch.label, stretch.offset - stretch.lead + 4)
        if kind.augmentation:
            has = "L" in kind.augmentation
            body += uleb(4 if has else 0)
            if has and handlers is not None and self.table is not None:
                self.data.refs[start + 17] = Ref(start + 17, RefKind.PC32, self.table, handlers + 4)
            body += bytes(4 if has else 0)
        rows = [(at if i else begin, row) for i, (at, row) in enumerate(stretch.rows)]
        body += instructions(kind.rules, rows, begin, (kind.code_factor, kind.data_factor))
        self._append(bytes(body))
        self.starts.append((begin, start))

    def _append(self, body: bytes) -> None:
        """One entry, filled up with instructions that do nothing."""
        body += bytes(-len(body) % 4)
        self._raw += struct.pack("<I", len(body)) + body
