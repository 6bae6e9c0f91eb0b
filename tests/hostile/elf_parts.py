"""Where everything lies in an ELF file, for whoever breaks it: rows of tables, their fields, names, code."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER, SEGMENT, SECTION, SYMBOL, RELOCATION = 52, 32, 40, 16, 8  # bytes
SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_REL = 1, 2, 3, 9
_HEADER_FIELDS = ((16, 2), (18, 2), *((at, 4) for at in range(20, 40, 4)), *((at, 2) for at in range(40, 52, 2)))
_SYMBOL_FIELDS = ((0, 4), (4, 4), (8, 4), (12, 1), (13, 1), (14, 2))


def _words(size: int) -> tuple[tuple[int, int], ...]:
    return tuple((at, 4) for at in range(0, size, 4))


@dataclass(frozen=True)
class Table:
    """`count` rows of `size` bytes at `offset`; `fields` of a row: (offset, bytes)."""

    name: str
    offset: int
    size: int
    count: int
    fields: tuple[tuple[int, int], ...]

    @property
    def range(self) -> tuple[int, int]:
        return self.offset, self.offset + self.size * self.count


@dataclass(frozen=True)
class Parts:
    tables: tuple[Table, ...]
    strings: tuple[tuple[int, int], ...]  # ranges [start, end) of the file
    code: tuple[tuple[int, int], ...]
    data: tuple[tuple[int, int], ...]


def parts(image: bytes) -> Parts:
    """Of a file that nobody has broken yet."""
    segments, table = struct.unpack_from("<II", image, 28)
    n_segments, _, n_sections = struct.unpack_from("<3H", image, 44)
    rows = [struct.unpack_from("<10I", image, table + SECTION * i) for i in range(n_sections)]
    tables = [
        Table("header", 0, HEADER, 1, _HEADER_FIELDS),
        Table("segments", segments, SEGMENT, n_segments, _words(SEGMENT)),
        Table("sections", table, SECTION, n_sections, _words(SECTION)),
    ]
    kinds = {
        SHT_SYMTAB: ("symbols", SYMBOL, _SYMBOL_FIELDS),
        SHT_REL: ("relocations", RELOCATION, ((0, 4), (4, 1), (5, 2))),
    }
    for row in rows:
        if row[1] in kinds and row[5]:
            name, size, fields = kinds[row[1]]
            tables.append(Table(name, row[4], size, row[5] // size, fields))
    found = [(row[4], row[4] + row[5], row) for row in rows if row[5]]
    return Parts(
        tuple(tables),
        tuple((start, end) for start, end, row in found if row[1] == SHT_STRTAB),
        tuple((start, end) for start, end, row in found if row[1] == SHT_PROGBITS and row[2] & 4),
        tuple((start, end) for start, end, row in found if row[1] == SHT_PROGBITS and row[2] & 6 == 2),
    )
