"""Which tables of operations a pointer leads to: what the loads hold that indirect calls go through (§4.2).

    mov ecx, dword ptr [eax + 4]             mov ecx, dword ptr [eax + 4]
    mov ecx, dword ptr [ecx + 8]       ⇒     push ecx
    …                                        push …                        the table of this place
                                             call __hotpath_note_pointer   keeps registers and flags, takes them off
                                         sys_write.4.watched.0:
                                             mov ecx, dword ptr [ecx + 8]
                                             …

The words go into bounded tables (§3.3) behind those of the stack walk, so that one run fills both, and one snapshot
holds them.  What they point to is told by the image in which they were seen: a place in its data, by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rewriter.analysis.graph import Index
from rewriter.analysis.operations import Point, loaded
from rewriter.contract import Contract
from rewriter.edit import Labels, pieces
from rewriter.ir import Block, Insn, Program
from rewriter.probes.areas import extend
from rewriter.probes.assembly import function
from rewriter.probes.physical import physical_functions
from rewriter.probes.table import Shape, note_function, read_tables
from rewriter.profile import Place
from rewriter.x86.encode import assemble, call

WATCH, NOTE = "__hotpath_note_pointer", "__hotpath_note_pointers"

WATCH_TEXT = """
    pushfd
    cli
    pushal
    mov ebx, dword ptr [esp + 40]       # 8 registers, flags, the return address: the table of the place
    lea esi, [esp + 44]                 # and the word, which is the key
    call {__hotpath_note_pointers}
    popal
    popfd
    ret 8
"""
STACK_USE = 8 + 4 + 4 + 32 + 4  # bytes below esp: two pushes, a return address, flags, registers, another


@dataclass(frozen=True, slots=True)
class PointerTables:
    """How to read what the probes noted: one table for each point, `at` so many bytes into the frame."""

    points: tuple[Point, ...]
    shape: Shape
    at: int = 0

    def read(self, frame: bytes, sections: Mapping[str, tuple[int, int]]) -> dict[Point, dict[Place, int]]:
        """How often each point loaded the address of which place in data.  `sections`: (address, size) of the image's
        by name; words that lie in none are left out.  Raises ProbeError."""
        tables = read_tables(self.shape, [str(n) for n in range(len(self.points))], frame[self.at :])
        found = {}
        for point, table in zip(self.points, tables.values(), strict=True):
            slots = sorted(table.occupied, key=lambda slot: (-slot.count, slot.key))
            words = {place: slot.count for slot in slots for place in _places(slot.key[0], sections)}
            if words:
                found[point] = words
        return found


def _places(word: int, sections: Mapping[str, tuple[int, int]]) -> Iterator[Place]:
    for name, (address, size) in sections.items():
        if address <= word < address + size:
            yield name, word - address


def insert_pointer_tables(
    program: Program,
    contract: Contract,
    index: Index,
    points: Sequence[Point],
    kind: str,
    *,
    table_size: int = 12,
    clean_every: int = 1000,
) -> PointerTables:
    """Insert the probe behind these loads, in place; `index` is of the program before any probe was inserted, and
    kprofile's type `kind` has tables already.  Raises ProbeError."""
    shape = Shape(1, table_size, clean_every)
    pinned = {function.name for function in program.functions if function.pins} | physical_functions(
        program, index
    ).keys()
    chosen = tuple(p for p in points if index.owners[p.label].name not in pinned)
    if not chosen:
        return PointerTables((), shape)
    area, at = extend(program, contract, kind, shape.size * len(chosen))
    for n, point in enumerate(chosen):
        insn = index.blocks[point.label].insns[point.position]
        _watch(program, index.owners[point.label].name, insn, f"{{{area}+{at + shape.size * n}}}")
    program.functions += [function(WATCH, WATCH_TEXT), note_function(shape, NOTE)]
    return PointerTables(chosen, shape, at)


def _watch(program: Program, owner: str, insn: Insn, table: str) -> None:
    """Cut the block behind an instruction (which other probes may have moved), and note there what it loaded."""
    inside = program.function(owner)
    block = next(b for b in inside.blocks if any(each is insn for each in b.insns))
    position = next(n for n, each in enumerate(block.insns) if each is insn) + 1
    label = Labels(f"{block.label}.watched", (b.label for b in inside.blocks)).fresh()
    head, rest = pieces(block, {position: label})
    _follow(program, block.label, head, rest)
    head.insns += [*assemble([f"push {loaded(insn)}", f"push {table}"]), call(WATCH)]
    at = inside.blocks.index(block)
    inside.blocks[at : at + 1] = [head, rest]


def _follow(program: Program, label: str, head: Block, rest: Block) -> None:
    """Addresses behind the end of the block, where its call returns to, are counted from the rest."""
    size = sum(len(insn.raw) for insn in head.insns)
    for data in program.data:
        for offset, ref in data.refs.items():
            if ref.target == label and ref.addend > size:
                data.refs[offset] = replace(ref, target=rest.label, addend=ref.addend - size)
