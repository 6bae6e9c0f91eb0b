"""Functions that lie side by side as units, their short branches, and the addresses that they get.

Pinned functions keep theirs, as islands; the others flow around them in the order of `Program.functions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rewriter.elf.room import ALIGN, Room, align_up
from rewriter.ir import Block, Function, Insn, Program, RefKind, Section

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


def wide_size(raw: bytes) -> int:
    """Length of a short branch once it is widened; loop and jecxz become a short branch around two jumps."""
    opcode = raw[-2]
    prefixes = len(raw) - 2
    return prefixes + (5 if opcode == 0xEB else 9 if opcode in range(0xE0, 0xE4) else 6)


def units_of(program: Program) -> list[Unit]:
    """The functions as units, with a jump wherever a block does not lie before the one it falls to."""
    units: list[Unit] = []
    functions = program.functions
    for i, function in enumerate(functions):
        after = functions[i + 1] if i + 1 < len(functions) else None
        joined = after is not None and not function.pins and not after.pins and _falls_into(function, after)
        placed = _placed(function, after.name if joined and after else None)
        if units and units[-1].fixed is None and i and not function.pins and _joins(functions[i - 1], function):
            placed[0].align = alignment(function)
            units[-1].blocks += placed
            units[-1].names.append(function.name)
        else:
            units.append(_unit(function, placed))
    return units


def _unit(function: Function, placed: list[PlacedBlock]) -> Unit:
    fixed = function.blocks[0].insns[0].origin if function.pins else None
    return Unit(placed, [function.name], fixed, alignment(function))


def alignment(function: Function) -> int:
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


def extent(function: Function) -> int:
    """Bytes of one function, if all others are far away."""
    unit = _unit(function, _placed(function, None))
    while True:
        assign([unit], 0, [])
        if not widen([unit], _Far({p.block.label: p.address for p in unit.blocks})):
            return unit.size


class _Far(dict[str, int]):
    def __missing__(self, _: str) -> int:
        return 1 << 32


def islands(units: list[Unit], text: Section) -> list[tuple[int, int]]:
    """Address ranges of the pinned units of the main text, in order."""
    found = []
    for unit in units:
        if unit.fixed is not None and text.address <= unit.fixed < text.address + text.size:
            found.append((unit.fixed, unit.fixed + sum(p.size for p in unit.blocks)))
    return sorted(found)


def assign(units: list[Unit], start: int, around: list[tuple[int, int]]) -> int:
    """Give each unit the first free place; returns the end of the last one."""
    room = Room(start, around)
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


def widen(units: list[Unit], addresses: dict[str, int]) -> bool:
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
