"""The symbols and relocations of a written image, so that it can be read again."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from rewriter.elf.image import R_32, R_GOTOFF, R_PC32
from rewriter.elf.place import Layout
from rewriter.ir import ABSOLUTE, END, Program, Ref, RefKind, Symbol

KINDS = {"notype": 0, "object": 1, "func": 2}
RELOCATIONS = {RefKind.ABS32: R_32, RefKind.PC32: R_PC32, RefKind.GOTOFF: R_GOTOFF}
LOCAL, GLOBAL = 0, 1
SECTION = 3


class Strings:
    """A string table; equal names share their bytes."""

    def __init__(self) -> None:
        self.raw = bytearray(b"\0")
        self._known: dict[str, int] = {"": 0}

    def add(self, text: str) -> int:
        """The offset of `text` in the table."""
        if text not in self._known:
            self._known[text] = len(self.raw)
            self.raw += text.encode("utf-8", "replace") + b"\0"
        return self._known[text]


class SymbolTable:
    """Section symbols first, then local names, then global ones.  Relocations name sections, as the value that is
    in place tells the rest, except where only a symbol can say what is meant: the boundary `_stext`."""

    def __init__(self, program: Program, layout: Layout) -> None:
        self.strings = Strings()
        self._layout = layout
        self._index_of: dict[str, int] = {}  # of boundary labels: the symbol's
        self._section_of = _sections_of(program, layout)
        rows = [bytes(16)]
        for i, section in enumerate(layout.sections, 1):
            rows.append(struct.pack("<IIIBBH", 0, section.address, 0, SECTION, 0, i))
        self._sizes = _function_sizes(layout)
        names = [s for s in (*program.symbols, *_unnamed(program)) if s.target in layout.addresses]
        for symbol in sorted(names, key=lambda s: not s.local):
            self._note(symbol, len(rows))
            rows.append(self._row(symbol))
        self.locals = 1 + len(layout.sections) + sum(s.local for s in names)
        self.raw = b"".join(rows)

    def _note(self, symbol: Symbol, index: int) -> None:
        if symbol.offset == 0:
            self._index_of.setdefault(symbol.target, index)

    def _row(self, symbol: Symbol) -> bytes:
        section = self._section_of[symbol.target]
        size = self._sizes.get(symbol.target, symbol.size) if symbol.offset == 0 else symbol.size
        info = (LOCAL if symbol.local else GLOBAL) << 4 | KINDS.get(symbol.kind, 0)
        value = (self._layout.addresses[symbol.target] + symbol.offset) & 0xFFFFFFFF
        return struct.pack("<IIIBBH", self.strings.add(symbol.name), value, size, info, 0, section)

    def relocations(self, base: int, fields: Sequence[tuple[int, Ref]]) -> bytes:
        """A SHT_REL table for a section at `base`."""
        executable = {s.name for s in self._layout.sections if s.executable}
        rows = []
        for offset, ref in sorted(fields, key=lambda field: field[0]):
            by_name = ref.target in executable or ref.addend  # a boundary, or physical addresses
            index = self._index_of.get(ref.target) if by_name else None
            if index is None:
                index = self._section_of[ref.target]
            rows.append(struct.pack("<II", base + offset, index << 8 | RELOCATIONS[ref.kind]))
        return b"".join(rows)


def _sections_of(program: Program, layout: Layout) -> dict[str, int]:
    """The section index of every label."""
    index = {s.name: i for i, s in enumerate(layout.sections, 1)}
    found = index | {name + END: i for name, i in index.items()} | {ABSOLUTE: 0}
    code = [(s.address, s.address + s.size, index[s.name]) for s in layout.sections if s.executable]
    for unit in layout.units:
        first = unit.blocks[0].address
        section = next(i for start, end, i in code if start <= first < end)
        for placed in unit.blocks:
            found[placed.block.label] = section
    return found


def _function_sizes(layout: Layout) -> dict[str, int]:
    """Bytes of each function, by its label."""
    return {label: end - start for label, start, end in layout.functions}


def _unnamed(program: Program) -> Iterator[Symbol]:
    """Symbols for functions and data that the input did not have."""
    named = {s.target for s in program.symbols if s.offset == 0}
    for function in program.functions:
        if function.name not in named and not any("no symbol" in pin for pin in function.pins):
            yield Symbol(function.name, function.name, kind="func")
    tables = program.unwinding
    own = {tables.frames, tables.handlers, tables.index} if tables is not None else set()
    for data in program.data:
        if data.address is None and data.name not in named | own:
            yield Symbol(data.name, data.name, size=data.size, kind="object")
