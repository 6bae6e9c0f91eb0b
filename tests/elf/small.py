"""Images in memory of a few bytes, for what looks at sections and relocations alone."""

from __future__ import annotations

from collections.abc import Iterable

from rewriter.elf.image import Image, RawSection, RawSymbol, Relocation

TEXT, DATA = 0x8049000, 0x804C000


def section(
    index: int, name: str, address: int, raw: bytes, *, executable: bool = False, kind: str = "SHT_PROGBITS"
) -> RawSection:
    return RawSection(
        index, name, kind, address, len(raw), 4, True, not executable, executable, False, raw, link=0, info=0
    )


def symbol(name: str, value: int, of: int = 1, *, kind: str = "func", indirect: bool = False) -> RawSymbol:
    return RawSymbol(name, value, 0, kind, local=False, weak=False, section=of, indirect=indirect)


def image(
    sections: Iterable[RawSection], relocations: Iterable[Relocation] = (), symbols: Iterable[RawSymbol] = ()
) -> Image:
    """The first section, of index 0, is the empty one."""
    nothing = RawSection(0, "", "SHT_NULL", 0, 0, 0, False, False, False, False, b"", 0, 0)
    return Image(TEXT, 0, (nothing, *sections), (), tuple(symbols), tuple(relocations))
