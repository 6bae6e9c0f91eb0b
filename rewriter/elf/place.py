"""Where everything goes: functions in the text, short branches where they reach, sections behind a grown text.

Functions that are not pinned flow around those that are, or all go behind the old text (`move`), which is then filled
with int3.  Other code sections behind the text move up with what is in them; where they cannot, nothing does: what does
not fit goes behind the whole image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rewriter.elf.follow import carry, obstacle
from rewriter.elf.image import ElfError
from rewriter.elf.room import ALIGN, align_up
from rewriter.elf.sections import PAGE, append_sections, main_text, place_sections
from rewriter.elf.units import JUMP, Unit, assign, islands, units_of, widen
from rewriter.elf.unwind import Piece, Tables, unwinding_tables
from rewriter.ir import ABSOLUTE, END, Insn, Program, Section

PT_LOAD = 1


@dataclass(frozen=True, slots=True)
class Layout:
    program: Program  # with tables for where its code lies
    sections: tuple[Section, ...]  # in the order of their new addresses
    addresses: dict[str, int]  # of every label
    units: tuple[Unit, ...]
    unwinding: Tables | None = None

    @property
    def functions(self) -> Iterator[tuple[str, int, int]]:
        """(label, start, end) of every function."""
        for unit in self.units:
            names, label, start, end = set(unit.names), "", 0, 0
            for placed in unit.blocks:
                if placed.block.label in names:
                    if label:
                        yield label, start, end
                    label, start = placed.block.label, placed.address
                end = placed.address + placed.size
            yield label, start, end


def place(program: Program, *, move: bool = False) -> Layout:
    """Give every label an address.  Raises ElfError where something does not fit."""
    placer = _Placer(program, move)
    sections, addresses = placer.assign(program)
    while widen(placer.units, addresses):
        sections, addresses = placer.assign(program)
    bare, tables, known = program, None, dict[str, int]()
    while program.unwinding is not None and addresses != known:  # code behind the text may move once more
        known = addresses
        program, tables = _with_unwinding(bare, placer.units, addresses)
        sections, addresses = placer.assign(program)
    for section in sections:
        addresses[section.name] = section.address
        addresses[section.name + END] = section.address + section.size
    addresses[ABSOLUTE] = 0
    if max(s.address + s.size for s in sections) > 1 << 32:
        raise ElfError("the rewritten image reaches past 4 GiB")
    return Layout(program, sections, addresses, tuple(placer.units), tables)


class _Placer:
    """Assigns addresses to units, and then to sections; again whenever units have grown."""

    def __init__(self, program: Program, move: bool) -> None:
        self.units = units_of(program)
        self._text = text = main_text(program.sections)
        self._behind = {s.name for s in program.sections if s.executable and s.address > text.address}
        self._stuck = obstacle(program, self._behind) if self._behind else ""
        end = text.address + text.size
        self._free = align_up(max(s.address + s.size for s in program.sections), PAGE) if self._stuck else end
        self._islands = islands(self.units, text)
        self._barrier = [(end, self._free)] if self._stuck else []
        self._start = align_up(self._free, ALIGN) if move else text.address

    def assign(self, program: Program) -> tuple[tuple[Section, ...], dict[str, int]]:
        """Where the sections are now, and every block."""
        end = assign(self.units, self._start, self._islands + self._barrier)
        if self._stuck:
            sections = append_sections(program, self._text, self._free, end, self._stuck)
        else:
            end_of_text = max([end, self._start, *(stop for _, stop in self._islands)])
            sections = place_sections(program, self._text, end_of_text)
            carry(self.units, self._behind, program.sections, sections)
        return sections, {p.block.label: p.address for unit in self.units for p in unit.blocks}


def _with_unwinding(program: Program, units: list[Unit], addresses: dict[str, int]) -> tuple[Program, Tables | None]:
    """The program with unwinding tables for where its code lies: in place of the input's, or as new data where they
    have become too long for that."""
    if program.unwinding is None:
        return program, None
    firsts = {p.block.label: p.block.insns[0] for unit in units for p in unit.blocks if p.block.insns}
    pieces = [piece for unit in sorted(units, key=lambda u: u.blocks[0].address) for piece in _pieces(unit, firsts)]
    tables = unwinding_tables(program.unwinding, pieces, addresses)
    old = {s.name: s for s in program.sections}
    fits = all(n in old and d.size <= old[n].size and old[n].address % 4 == 0 for n, d in tables.data.items())
    if fits:
        new = [replace(d, address=old[n].address, raw=d.raw.ljust(old[n].size, b"\0")) for n, d in tables.data.items()]
        return replace(program, data=[d for d in program.data if d.name not in tables.data] + new), tables
    rest = [d for d in program.data if d.name not in tables.data]
    segments = tuple(
        replace(s, sections=tuple(n for n in s.sections if n not in tables.data)) if s.kind == PT_LOAD else s
        for s in program.segments
        if s.kind != PT_LOAD or s.headers or not set(s.sections) <= tables.data.keys()
    )
    sections = tuple(s for s in program.sections if s.name not in tables.data)
    return replace(program, data=rest + list(tables.data.values()), sections=sections, segments=segments), tables


def _pieces(unit: Unit, firsts: Mapping[str, Insn]) -> Iterator[Piece]:
    """Its instructions; a jump to a block counts as the `first` instruction there."""
    for placed in unit.blocks:
        at, label = placed.address, placed.block.label
        insns = placed.block.insns
        sizes = [(len(insn.raw), insn) for insn in (insns[:-1] if placed.last else insns)]
        sizes += [(placed.last.size, placed.last.insn)] if placed.last else []
        sizes += [(placed.tail.size, firsts.get(placed.tail.target, JUMP))] if placed.tail else []
        for n, (size, insn) in enumerate(sizes):
            pad = insn.faults_to if n < len(insns) else None
            yield Piece(at, size, insn.origin, label, at - placed.address, pad, insn.unwind)
            at += size
