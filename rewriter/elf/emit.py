"""IR → ELF (§2): the one place where labels become numbers again.

What is written can be read again: it carries symbols and relocations, and `load(emit(P))` is `P` up to addresses.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from rewriter.elf.exceptions import FORMATS, WORD, Fixup
from rewriter.elf.image import ElfError
from rewriter.elf.place import Layout, place
from rewriter.elf.sections import main_text
from rewriter.elf.units import Branch, PlacedBlock
from rewriter.elf.write import write
from rewriter.ir import Data, Insn, Program, Ref, RefKind
from rewriter.x86.flow import Flow, flow

INT3, NOP = b"\xcc", b"\x90"


def emit(program: Program, *, move: bool = False) -> bytes:
    """The image of `program`; with `move`, every function goes behind the old text, which becomes int3.
    Raises ElfError where a branch or section does not fit."""
    return _Emitter(place(program, move=move)).image()


class _Emitter:
    def __init__(self, layout: Layout) -> None:
        self.program = layout.program
        self.addresses = layout.addresses
        self.layout = layout
        self.sections = {s.name: s for s in layout.sections}
        self.bytes: dict[str, bytearray] = {}
        self.fields: dict[str, list[tuple[int, Ref]]] = {}  # by section: (offset, ref), for the relocations
        self.fixups: list[Fixup] = []

    def image(self) -> bytes:
        for section in self.layout.sections:
            fill = INT3 if section.executable else b"\0"
            self.bytes[section.name] = bytearray() if section.zero else bytearray(fill * section.size)
            self.fields[section.name] = []
        for unit in self.layout.units:
            self._write_code(unit.blocks)
        self._write_data()
        self._write_exception_table()
        return write(self.program, self.layout, self.bytes, self.fields)

    def _write_code(self, blocks: list[PlacedBlock]) -> None:
        section = self._section_at(blocks[0].address)
        base = self.sections[section].address
        text, fields = self.bytes[section], self.fields[section]
        position = blocks[0].address - base
        for placed in blocks:
            text[position : placed.address - base] = NOP * (placed.address - base - position)
            position = placed.address - base
            insns = placed.block.insns
            for insn in insns[:-1] if placed.last else insns:
                end = position + len(insn.raw)
                text[position:end] = insn.raw
                for ref in insn.refs:
                    self._patch(text, fields, base, position, ref)
                if insn.faults_to is not None and flow(insn.raw) is Flow.NEXT:  # a call's is in the unwinding tables
                    word = self._fault_word(insn)
                    self.fixups.append(Fixup(base + position, self._address(insn.faults_to), word))
                position = end
            for branch in (placed.last, placed.tail):
                if branch is not None:
                    position = self._write_branch(text, fields, base, position, branch)

    def _fault_word(self, insn: Insn) -> int:
        """What else the exception table says of an instruction."""
        word = self.program.fault_words.get(insn.origin or 0, 0)
        return word if isinstance(word, int) else self._address(word.target) + word.addend

    def _section_at(self, address: int) -> str:
        for section in self.layout.sections:
            if section.executable and section.address <= address < section.address + section.size:
                return section.name
        raise ElfError(f"code was placed at {address:#x}, outside of every section")

    def _address(self, label: str) -> int:
        try:
            return self.addresses[label]
        except KeyError:
            raise ElfError(f"a reference names {label}, which was dropped") from None

    def _patch(self, out: bytearray, fields: list[tuple[int, Ref]], base: int, at: int, ref: Ref) -> None:
        """Fill in the field of `ref` in the instruction or datum that begins at `at`."""
        position = at + ref.offset
        value = self._address(ref.target) + ref.addend
        if ref.kind is RefKind.PC8:
            distance = value - (base + position + 1)
            if not -128 <= distance <= 127:
                raise ElfError(f"a pinned short branch does not reach {ref.target}")
            out[position] = distance & 0xFF
            return
        if ref.kind is RefKind.PC32:
            value -= base + position + 4
        elif ref.kind is RefKind.GOTOFF:
            value -= self._address(self.program.got or "")
        struct.pack_into("<I", out, position, value & 0xFFFFFFFF)
        fields.append((position, ref))

    def _write_branch(self, out: bytearray, fields: list[tuple[int, Ref]], base: int, at: int, branch: Branch) -> int:
        raw, kind, offset = branch.insn.raw, RefKind.PC8, len(branch.insn.raw) - 1
        if branch.wide:
            raw, kind, offset = _widened(raw)
        out[at : at + len(raw)] = raw
        self._patch(out, fields, base, at, Ref(offset, kind, branch.target, branch.addend))
        return at + len(raw)

    def _write_data(self) -> None:
        for data in self.program.data:
            if data.name == self.program.exception_table:
                continue
            data = self._in_order(data) if data.sorted_by else data
            out = self.bytes[data.name]
            data = self._indexed(data)
            out[: len(data.raw)] = data.raw
            base = self.addresses[data.name]
            for offset, ref in data.refs.items():
                self._patch(out, self.fields[data.name], base, 0, Ref(offset, ref.kind, ref.target, ref.addend))

    def _indexed(self, data: Data) -> Data:
        """The index of the unwinding tables counts from where they and it lie."""
        tables, unwinding = self.layout.unwinding, self.program.unwinding
        if tables is None or unwinding is None or data.name != unwinding.index:
            return data
        frames = self._address(unwinding.frames)
        return replace(data, raw=tables.index(data.size, self._address(data.name), frames))

    def _in_order(self, data: Data) -> Data:
        """The same entries, sorted by the address that each begins with: a program may search them by halves."""
        size = data.sorted_by
        starts = [(self._address(data.refs[at].target) + data.refs[at].addend, at) for at in range(0, data.size, size)]
        moved = {at: size * i for i, (_, at) in enumerate(sorted(starts))}
        raw = b"".join(data.raw[at : at + size] for at in moved)
        refs = {moved[at // size * size] + at % size: ref for at, ref in data.refs.items()}
        return replace(data, raw=raw, refs=refs)

    def _write_exception_table(self) -> None:
        name = self.program.exception_table
        if name is None:
            if self.fixups:
                raise ElfError("instructions have fixups, but the image has no exception table")
            return
        form, address = FORMATS[self.program.exception_format], self.sections[name].address
        self.bytes[name][:] = form.write(self.fixups, address)
        text = main_text(self.layout.sections).name
        kind = RefKind.PC32 if form.relative else RefKind.ABS32
        for entry in range(0, form.size * len(self.fixups), form.size):
            for offset in range(entry, entry + WORD * form.addresses, WORD):
                self.fields[name].append((offset, Ref(offset, kind, text)))


def _widened(raw: bytes) -> tuple[bytes, RefKind, int]:
    """The long form of a short branch, the kind of its field, and the field's offset."""
    prefixes, opcode = raw[:-2], raw[-2]
    if opcode == 0xEB:
        wide = prefixes + b"\xe9\0\0\0\0"
    elif opcode in range(0xE0, 0xE4):  # jecxz +2; jmp +5; jmp target
        wide = prefixes + bytes((opcode, 2, 0xEB, 5, 0xE9, 0, 0, 0, 0))
    else:
        wide = prefixes + bytes((0x0F, opcode + 0x10, 0, 0, 0, 0))
    return wide, RefKind.PC32, len(wide) - 4
