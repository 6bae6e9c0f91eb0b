"""Which bytes of the code sections belong to which function: symbols first, then what lies between them (§2)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from rewriter.elf.image import Image, RawSection, RawSymbol
from rewriter.ir import DATA_IN_TEXT
from rewriter.x86.flow import Flow, flow, sweep

# What assemblers and linkers put between functions: int3, ud2, zeros, and the no-operation forms of GNU as and LLVM.
PADDING = re.compile(
    rb"(?:\xcc|\x00|\x0f\x0b|(?:\x66|\x2e|\x3e)*(?:\x90|\x0f\x1f(?:\x00|[\x40\x44]\x00\x00?|\x80\x00{4}|\x84\x00\x00{4})"
    rb"|\x8d\x76\x00|\x8d\x74\x26\x00|\x8d\xb6\x00{4}|\x8d\xb4\x26\x00{4}|\x89\xf6|\x8d\x3f|\x8d\x36|\x87\xf6))*"
)

LOCK = b"\xf0"
LEAVES = (Flow.JUMP, Flow.JUMP_INDIRECT, Flow.RETURN, Flow.IRET, Flow.STOP)


@dataclass(slots=True)
class Extent:
    """The bytes [start, end) of one function; `starts` are the addresses of its instructions, decoded in a row."""

    name: str
    section: RawSection
    start: int
    end: int
    sized: bool
    unnamed: bool = False  # no symbol of the image names it
    starts: list[int] = field(default_factory=list)
    leaders: set[int] = field(default_factory=set)
    pins: dict[str, None] = field(default_factory=dict)  # reasons, in order of discovery
    verbatim: bool = False  # not to be split into instructions
    sticks_out: bool = False  # its symbol is larger than what is left of the section

    def pin(self, reason: str) -> None:
        self.pins.setdefault(reason)

    def raw(self, start: int, end: int) -> bytes:
        return self.section.raw[start - self.section.address : end - self.section.address]

    def holds_instruction(self, address: int) -> bool:
        """Whether an instruction begins at `address`."""
        position = bisect_right(self.starts, address) - 1
        return position >= 0 and self.starts[position] == address

    def branched_to(self, address: int) -> int:
        """The instruction that a branch to `address` reaches.  Over a lock prefix, as where there is a single thread,
        it may as well lead to the prefix."""
        locked = self.raw(address - 1, address) == LOCK and not self.holds_instruction(address)
        return address - 1 if locked and self.holds_instruction(address - 1) else address

    def decode(self) -> None:
        """Find the instructions by linear sweep; what does not decode to the last byte stays verbatim."""
        if self.verbatim:
            return
        reached = self.start
        for address, size in sweep(self.raw(self.start, self.end), self.start):
            self.starts.append(address)
            reached = address + size
        if reached != self.end:
            self.give_up(f"bytes that do not decode at {self.name}+{reached - self.start:#x}")

    def cut(self, end: int) -> None:
        """Leave out what lies behind `end`: padding, out of which control would seem to fall."""
        self.end = end
        self.starts = [start for start in self.starts if start < end]

    def cut_padding(self) -> None:
        """Leave out padding behind the last jump or return."""
        if self.verbatim:
            return
        ends = [*self.starts[1:], self.end]
        for address, end in reversed(list(zip(self.starts, ends, strict=True))):
            if not PADDING.fullmatch(self.raw(address, end)):
                if flow(self.raw(address, end)) in LEAVES and end < self.end:
                    self.cut(end)
                return

    def give_up(self, reason: str) -> None:
        """Keep the bytes as they are: control flow in them is not understood."""
        self.pin(reason)
        self.verbatim = True
        self.starts = []


class Extents:
    """All functions of an image, found by address."""

    def __init__(self, image: Image, named: Collection[int]) -> None:
        """`named` are the addresses that relocations name."""
        self._named_addresses = named
        self._names: set[str] = set()
        self._gaps: list[tuple[int, int, RawSection]] = []
        found: list[Extent] = []
        for section in image.allocated():
            if section.executable and section.raw:
                found += self._cover(section, [s for s in image.symbols if s.section == section.index])
        self.all = sorted(found, key=lambda extent: extent.start)
        self._starts = [extent.start for extent in self.all]

    def __iter__(self) -> Iterator[Extent]:
        return iter(self.all)

    def at(self, address: int) -> Extent | None:
        """The function that holds this address.  Padding that something refers to becomes a function of its own."""
        position = bisect_right(self._starts, address) - 1
        if position >= 0 and address < self.all[position].end:
            return self.all[position]
        for gap in self._gaps:
            if gap[0] <= address < gap[1]:
                return self._claim(gap)
        return None

    def behind(self, extent: Extent) -> Extent | None:
        """The function that control reaches when it runs off the end of this one."""
        position = bisect_right(self._starts, extent.start)
        if position == len(self.all) or self.all[position].section is not extent.section:
            return None
        return self.all[position]

    def _claim(self, gap: tuple[int, int, RawSection]) -> Extent:
        self._gaps.remove(gap)
        extent = self._unnamed(*gap)
        position = bisect_right(self._starts, extent.start)
        self.all.insert(position, extent)
        self._starts.insert(position, extent.start)
        return extent

    def _unnamed(self, start: int, end: int, section: RawSection) -> Extent:
        """Bytes without a symbol are code where a relocation names their first one (as `.fixup` code is named by
        the exception table); others are anything."""
        extent = Extent(self._unique(f"{section.name}_{start:x}"), section, start, end, sized=True, unnamed=True)
        if start in self._named_addresses:
            extent.decode()
            extent.cut_padding()
        else:
            extent.give_up("no symbol names it")
        return extent

    def _cover(self, section: RawSection, symbols: list[RawSymbol]) -> Iterator[Extent]:
        position = section.address
        for extent in self._named(section, symbols):
            yield from self._between(section, position, extent.start)
            extent.decode()
            if extent.sticks_out:
                extent.cut_padding()
            yield extent
            position = extent.end
        yield from self._between(section, position, section.end)

    def _named(self, section: RawSection, symbols: list[RawSymbol]) -> Iterator[Extent]:
        """Merge symbols into extents: one inside another is a second entry, one that sticks out lengthens it."""
        current: Extent | None = None
        candidates = [
            s
            for s in symbols
            if s.kind in ("func", "notype", "object") and s.name and section.address <= s.value < section.end
        ]
        candidates.sort(key=lambda s: (s.value, s.kind != "func", -s.size, s.weak, s.local, s.name))
        starts = sorted({s.value for s in candidates} | {section.end})
        for symbol in candidates:
            size = min(symbol.size, section.end - symbol.value)
            if current is not None and symbol.value < current.end and (current.sized or symbol.value == current.start):
                current.end = max(current.end, symbol.value + size)
                current.sticks_out |= size < symbol.size
                continue
            if current is not None:
                yield current
            end = symbol.value + size if size else starts[bisect_right(starts, symbol.value)]
            current = Extent(self._unique(symbol.name), section, symbol.value, end, sized=size > 0)
            current.sticks_out = size < symbol.size
            if symbol.kind == "object":
                current.give_up(DATA_IN_TEXT)
        if current is not None:
            yield current

    def _between(self, section: RawSection, start: int, end: int) -> Iterator[Extent]:
        if start >= end:
            return
        if PADDING.fullmatch(section.raw, start - section.address, end - section.address):
            self._gaps.append((start, end, section))
            return
        raw = section.raw[start - section.address : end - section.address]
        yield self._unnamed(start, start + len(raw.rstrip(b"\xcc")), section)

    def _unique(self, name: str) -> str:
        """`name`, `name~2`, …; never one that reads like the label of another function's block."""
        stem, dot, number = name.rpartition(".")
        if dot and number.isdigit() and stem in self._names:
            name += "~"
        label, n = name, 1
        while label in self._names:
            n += 1
            label = f"{name}~{n}"
        self._names.add(label)
        return label


def ends_block(raw: bytes) -> bool:
    return flow(raw) is not Flow.NEXT


def labels_of(addresses: Iterable[int], extent: Extent) -> dict[int, str]:
    """Labels of an extent's blocks by address: the function's name, then `name.1`, `name.2`, …"""
    return {a: extent.name if i == 0 else f"{extent.name}.{i}" for i, a in enumerate(sorted(addresses))}
