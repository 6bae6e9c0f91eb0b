"""Where everything goes: functions in the text, short branches where they reach, sections behind a grown text.

Data keeps its place, or moves up as a whole by pages when the text before it grew.  Pinned functions keep theirs,
as islands; the other functions flow around them in the order of `Program.functions`, or all go behind the old
text (`move`), which is then filled with int3.  Other code sections behind the text move up with what is in them; where
they cannot, nothing does: what does not fit goes behind the whole image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from rewriter.elf.exceptions import FORMATS
from rewriter.elf.follow import carry, is_kernel, moves_up
from rewriter.elf.image import ElfError
from rewriter.elf.room import ALIGN, Room, align_up
from rewriter.elf.unwind import Piece, Tables, unwinding_tables
from rewriter.ir import ABSOLUTE, END, Block, Data, Function, Insn, Program, RefKind, Section

PAGE = 4096
PT_LOAD = 1
JUMP = Insn(b"\xeb\x00")


@dataclass(slots=True)
class Branch:
    """A branch in its short form, widened once its target is found to be out of reach; never shortened again."""

    insn: Insn
    target: str
    addend: int
    wide: bool = False

    @property
    def size(self) -> int:
        return wide_size(self.insn.raw) if self.wide else len(self.insn.raw)


@dataclass(slots=True)
class PlacedBlock:
    """`head` bytes of instructions that never change, then the short branch that ends the block, then the jump
    that leads to `falls_to` where that block does not follow."""

    block: Block
    head: int
    last: Branch | None
    tail: Branch | None
    align: int = 1  # of a function that another one falls into, over no-operations
    address: int = 0

    @property
    def size(self) -> int:
        return self.head + (self.last.size if self.last else 0) + (self.tail.size if self.tail else 0)


@dataclass(slots=True)
class Unit:
    """Functions that lie side by side because each falls into the next."""

    blocks: list[PlacedBlock]
    names: list[str]  # labels of the functions' first blocks
    fixed: int | None  # the address, of pinned ones
    align: int
    size: int = 0


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


def wide_size(raw: bytes) -> int:
    """Length of a short branch once it is widened; loop and jecxz become a short branch around two jumps."""
    opcode = raw[-2]
    prefixes = len(raw) - 2
    return prefixes + (5 if opcode == 0xEB else 9 if opcode in range(0xE0, 0xE4) else 6)


def place(program: Program, *, move: bool = False) -> Layout:
    """Give every label an address.  Raises ElfError where something does not fit."""
    text = main_text(program.sections)
    behind = {s.name for s in program.sections if s.executable and s.address > text.address}
    stuck = bool(behind) and not moves_up(program, behind)
    end_of_text = text.address + text.size
    free = align_up(max(s.address + s.size for s in program.sections), PAGE) if stuck else end_of_text
    units = _units(program)
    islands = _islands(units, text)
    barrier = [(end_of_text, free)] if stuck else []
    start = align_up(free, ALIGN) if move else text.address

    def assign(program: Program) -> tuple[tuple[Section, ...], dict[str, int]]:
        end = _assign(units, start, islands + barrier)
        if stuck:
            sections = _append_sections(program, text, free, end)
        else:
            sections = _place_sections(program, text, max([end, start, *(stop for _, stop in islands)]))
            carry(units, behind, program.sections, sections)
        return sections, {p.block.label: p.address for unit in units for p in unit.blocks}

    while True:
        sections, addresses = assign(program)
        if not _widen(units, addresses):
            break
    bare, tables, known = program, None, dict[str, int]()
    while program.unwinding is not None and addresses != known:  # code behind the text may move once more
        known = addresses
        program, tables = _with_unwinding(bare, units, addresses)
        sections, addresses = assign(program)
    for section in sections:
        addresses[section.name] = section.address
        addresses[section.name + END] = section.address + section.size
    addresses[ABSOLUTE] = 0
    if max(s.address + s.size for s in sections) > 1 << 32:
        raise ElfError("the rewritten image reaches past 4 GiB")
    return Layout(program, sections, addresses, tuple(units), tables)


def _with_unwinding(program: Program, units: list[Unit], addresses: dict[str, int]) -> tuple[Program, Tables | None]:
    """The program with unwinding tables for where its code lies: in place of the input's, or as new data where they
    have become too long for that."""
    if program.unwinding is None:
        return program, None
    pieces = [piece for unit in sorted(units, key=lambda u: u.blocks[0].address) for piece in _pieces(unit)]
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


def _pieces(unit: Unit) -> Iterator[Piece]:
    for placed in unit.blocks:
        at, label = placed.address, placed.block.label
        insns = placed.block.insns
        sizes = [(len(insn.raw), insn.origin) for insn in (insns[:-1] if placed.last else insns)]
        sizes += [(placed.last.size, placed.last.insn.origin)] if placed.last else []
        sizes += [(placed.tail.size, None)] if placed.tail else []
        for size, origin in sizes:
            yield Piece(at, size, origin, label, at - placed.address)
            at += size


def _append_sections(program: Program, text: Section, free: int, end: int) -> tuple[Section, ...]:
    """The input's sections where they were, as code that is pinned lies behind the text; what does not fit into the
    text, and new data, behind them all."""
    placed = list(program.sections)
    if any(_grown(program, s, text, 0) != s.size for s in placed if s.name == program.exception_table):
        raise ElfError(f"code behind {text.name} keeps the exception table from growing")
    if is_kernel(program) and (end > free or any(d.address is None for d in program.data)):
        raise ElfError(f"code behind {text.name} stays in place, and behind the image is memory that the kernel uses")
    if end > free:
        name = f"{text.name}.moved"
        while any(s.name == name for s in placed):
            name += "+"
        placed.append(Section(name, free, end - free, ALIGN, True, False, False))
    new = [_new_section(d) for d in program.data if d.address is None]
    return tuple(placed + _append(new, placed[-1]))


def extent(function: Function) -> int:
    """Bytes of one function, if all others are far away."""
    unit = _unit(function, _placed(function, None))
    while True:
        _assign([unit], 0, [])
        if not _widen([unit], _Far({p.block.label: p.address for p in unit.blocks})):
            return unit.size


class _Far(dict[str, int]):
    def __missing__(self, _: str) -> int:
        return 1 << 32


def main_text(sections: tuple[Section, ...]) -> Section:
    """The largest code section: the one that may grow."""
    return max((s for s in sections if s.executable), key=lambda s: (s.size, -s.address))


def _units(program: Program) -> list[Unit]:
    """The functions as units, with a jump wherever a block does not lie before the one it falls to."""
    units: list[Unit] = []
    functions = program.functions
    for i, function in enumerate(functions):
        after = functions[i + 1] if i + 1 < len(functions) else None
        joined = after is not None and not function.pins and not after.pins and _falls_into(function, after)
        placed = _placed(function, after.name if joined and after else None)
        if units and units[-1].fixed is None and i and not function.pins and _joins(functions[i - 1], function):
            placed[0].align = _align(function)
            units[-1].blocks += placed
            units[-1].names.append(function.name)
        else:
            units.append(_unit(function, placed))
    return units


def _unit(function: Function, placed: list[PlacedBlock]) -> Unit:
    fixed = function.blocks[0].insns[0].origin if function.pins else None
    return Unit(placed, [function.name], fixed, _align(function))


def _align(function: Function) -> int:
    """A function keeps the alignment that it had, which assembly may not have had, unless a pass chose another."""
    if function.align is not None:
        return function.align
    origin = next((insn.origin for insn in function.blocks[0].insns), None)
    return min(ALIGN, origin & -origin) if origin else ALIGN


def _falls_into(function: Function, after: Function) -> bool:
    return function.blocks[-1].falls_to == after.blocks[0].label


def _joins(before: Function, function: Function) -> bool:
    return not before.pins and _falls_into(before, function)


def _placed(function: Function, after: str | None) -> list[PlacedBlock]:
    found = []
    for i, block in enumerate(function.blocks):
        follows = function.blocks[i + 1].label if i + 1 < len(function.blocks) else after
        jump = block.falls_to is not None and block.falls_to != follows and not function.pins
        tail = Branch(JUMP, block.falls_to, 0) if jump and block.falls_to else None
        last = None if function.pins else _short_branch(block)
        head = sum(len(insn.raw) for insn in block.insns) - (last.size if last else 0)
        found.append(PlacedBlock(block, head, last, tail))
    return found


def _short_branch(block: Block) -> Branch | None:
    if block.insns and block.insns[-1].refs and block.insns[-1].refs[0].kind is RefKind.PC8:
        insn = block.insns[-1]
        return Branch(insn, insn.refs[0].target, insn.refs[0].addend)
    return None


def _islands(units: list[Unit], text: Section) -> list[tuple[int, int]]:
    """Address ranges of the pinned units of the main text, in order."""
    found = []
    for unit in units:
        if unit.fixed is not None and text.address <= unit.fixed < text.address + text.size:
            found.append((unit.fixed, unit.fixed + sum(p.size for p in unit.blocks)))
    return sorted(found)


def _assign(units: list[Unit], start: int, islands: list[tuple[int, int]]) -> int:
    """Give each unit the first free place; returns the end of the last one."""
    room = Room(start, islands)
    for unit in units:
        unit.size = sum(p.size for p in unit.blocks)
        start = room.take(unit.align, partial(_end, unit)) if unit.fixed is None else unit.fixed
        address = start
        for placed in unit.blocks:
            placed.address = align_up(address, placed.align)
            address = placed.address + placed.size
        unit.size = address - start
    return room.end


def _end(unit: Unit, start: int) -> int:
    """Where the unit ends if it begins there: functions that lie side by side keep their alignments."""
    if len(unit.names) == 1:
        return start + unit.size
    end = start
    for placed in unit.blocks:
        end = align_up(end, placed.align) + placed.size
    return end


def _widen(units: list[Unit], addresses: dict[str, int]) -> bool:
    """Widen the short branches that do not reach; whether there were any."""
    changed = False
    for unit in units:
        for placed in unit.blocks:
            end = placed.address + placed.head
            for branch in (placed.last, placed.tail):
                if branch is None:
                    continue
                end += branch.size
                distance = addresses[branch.target] + branch.addend - end
                if not branch.wide and not -128 <= distance <= 127:
                    branch.wide = changed = True
    return changed


def _place_sections(program: Program, text: Section, text_end: int) -> tuple[Section, ...]:
    """The input's sections in order, new data before the first writable section behind the text."""
    new = [_new_section(d) for d in program.data if d.address is None]
    placed: list[Section] = []
    shift = 0
    behind_text = False
    for section in program.sections:
        if behind_text and section.writable and new:
            placed += _append(new, placed[-1])
            new = []
        size = _grown(program, section, text, text_end)
        shift += _gap_needed(program, section, placed, shift) if placed else 0
        placed.append(_moved(section, section.address + shift, size))
        behind_text = behind_text or section is text
    if new:
        placed += _append(new, placed[-1])
    return tuple(placed)


def _grown(program: Program, section: Section, text: Section, text_end: int) -> int:
    if section is text:
        return text_end - text.address
    if section.name == program.exception_table:
        return FORMATS[program.exception_format].size * sum(
            1 for f in program.functions for insn in f.insns() if insn.faults_to
        )
    return section.size


def _gap_needed(program: Program, section: Section, placed: list[Section], shift: int) -> int:
    """How much further this section must move, a multiple of every alignment, to begin behind the one before."""
    before = next((s for s in reversed(placed) if not (s.thread_local and s.zero)), placed[-1])
    end = before.address + before.size
    page = max([PAGE, *(s.align for s in program.sections)])
    address = section.address + shift
    original = next((s for s in reversed(program.sections) if s.name == before.name), None)
    separate = original is None or original.address + original.size <= section.address // PAGE * PAGE
    overlap = end - (address // PAGE * PAGE if separate and before.writable != section.writable else address)
    return align_up(overlap, page) if overlap > 0 else 0


def _new_section(data: Data) -> Section:
    return Section(data.name, 0, data.size, max(data.align, 4), False, data.writable, False)


def _append(new: list[Section], before: Section) -> list[Section]:
    """New data on pages of its own behind what is there."""
    address = align_up(before.address + before.size, PAGE)
    found = []
    for section in new:
        address = align_up(address, section.align)
        found.append(_moved(section, address, section.size))
        address += section.size
    return found


def _moved(s: Section, address: int, size: int) -> Section:
    return replace(s, address=address, size=size)
