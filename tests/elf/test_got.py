"""What the global offset table and the linkage table name without relocations (§2)."""

from __future__ import annotations

import struct

import pytest

from rewriter.elf.got import GlobalOffsetTable
from rewriter.elf.image import (
    R_32,
    R_GOT32,
    R_GOT32X,
    R_GOTOFF,
    R_IRELATIVE,
    ElfError,
    Image,
    RawSymbol,
    Relocation,
)
from rewriter.ir import RefKind
from tests.elf.small import DATA, TEXT, image, section, symbol

BASE = symbol("_GLOBAL_OFFSET_TABLE_", DATA, 2, kind="object")
SLOTS = 8
JUMP = b"\xff\x25" + DATA.to_bytes(4, "little")


def linked(
    text: bytes = bytes(16),
    *relocations: Relocation,
    symbols: tuple[RawSymbol, ...] = (BASE,),
    plt: bytes = b"",
    rel: bytes = b"",
    name: str = ".plt",
) -> Image:
    sections = (
        section(1, ".text", TEXT, text, executable=True),
        section(2, ".got.plt", DATA, bytes(4 * SLOTS)),
        section(3, ".data", DATA + 0x100, bytes(16)),
        section(4, name, TEXT + 0x100, plt, executable=True),
        section(5, ".rel.plt", 0x8048100, rel, kind="SHT_REL"),
    )
    return image(sections, relocations, symbols)


def loads(value: int, kind: int = R_GOT32X, of: RawSymbol | None = None) -> Image:
    """Code whose first word is a field of this value."""
    text = (value & 0xFFFFFFFF).to_bytes(4, "little") + bytes(12)
    return linked(text, Relocation(1, 0, kind, of or symbol("f", TEXT + 8)))


def test_where_it_is() -> None:
    table = GlobalOffsetTable(linked())
    assert table.base == DATA
    assert table.owner() is table.at(DATA) is table.at(DATA + 4 * SLOTS - 1) is not None
    assert table.at(DATA - 1) is table.at(DATA + 4 * SLOTS) is table.at(DATA + 0x100) is None


@pytest.mark.parametrize("kind", [R_GOT32, R_GOT32X, R_GOTOFF])
def test_code_that_counts_from_nowhere_is_refused(kind: int) -> None:
    lost = linked(bytes(16), Relocation(1, 0, kind, symbol("f", TEXT)), symbols=())
    with pytest.raises(ElfError, match="no symbol _GLOBAL_OFFSET_TABLE_"):
        GlobalOffsetTable(lost)
    assert GlobalOffsetTable(linked(bytes(16), Relocation(1, 0, R_32, symbol("f", TEXT)), symbols=())).base == 0


def test_a_table_in_no_section_is_none() -> None:
    for index in (0, 77, 0xFFF1):
        assert GlobalOffsetTable(linked(symbols=(symbol(BASE.name, DATA, index),))).base == 0
    inside = GlobalOffsetTable(linked(symbols=(symbol(BASE.name, DATA + 4, 2),)))
    assert inside.owner() is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, (RefKind.GOTOFF, DATA)),
        (4 * SLOTS - 4, (RefKind.GOTOFF, DATA + 4 * SLOTS - 4)),
        (DATA + 8, (RefKind.ABS32, DATA + 8)),
        (-4, None),
        (4 * SLOTS, None),
        (0x7FFFFFFF, None),
        (DATA + 0x100, None),
    ],
)
def test_a_slot_is_counted_or_named(value: int, expected: tuple[RefKind, int] | None) -> None:
    found = loads(value)
    table = GlobalOffsetTable(found)
    if expected is not None:
        assert table.slot(found.relocations[0]) == expected
        return
    with pytest.raises(ElfError, match=r"^\.text\+0x0 loads no slot of the global offset table$"):
        table.slot(found.relocations[0])
    with pytest.raises(ElfError):
        table.slots()


def test_a_slot_holds_what_its_loader_names() -> None:
    one, other = symbol("one", TEXT), symbol("other", TEXT + 8)
    text = struct.pack("<III", 8, 8, 12)
    both = linked(text, Relocation(1, 0, R_GOT32X, one), Relocation(1, 4, R_GOT32, other))
    assert GlobalOffsetTable(both).slots() == {DATA + 8: one}


def test_slots_of_nothing_and_of_chosen_functions_are_left() -> None:
    assert GlobalOffsetTable(loads(8, of=symbol("weak", 0, 0))).slots() == {}
    assert GlobalOffsetTable(loads(8, of=symbol("strlen", TEXT, indirect=True))).slots() == {}
    chosen = linked(bytes(16), Relocation(2, 12, R_IRELATIVE, symbol("", 0, 0)))
    assert GlobalOffsetTable(chosen).slots() == {DATA + 12: None}


def test_rows_for_when_it_starts() -> None:
    rows = struct.pack("<4I", DATA + 4, R_IRELATIVE, DATA + 8, R_IRELATIVE)
    listed = [(s.name, offset, address) for s, offset, address in GlobalOffsetTable(linked(rel=rows + b"abc")).listed()]
    assert listed == [(".rel.plt", 0, DATA + 4), (".rel.plt", 8, DATA + 8)]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(struct.pack("<2I", DATA, 8), id="another type"),
        pytest.param(struct.pack("<2I", DATA + 0x100, R_IRELATIVE), id="outside"),
        pytest.param(b"\xff" * 8, id="ones"),
    ],
)
def test_other_rows_are_refused(row: bytes) -> None:
    with pytest.raises(ElfError, match=r"\.rel\.plt has relocations of type"):
        list(GlobalOffsetTable(linked(rel=row)).listed())


@pytest.mark.parametrize(
    ("plt", "expected"),
    [
        pytest.param(JUMP, [(2, DATA)], id="jmp [slot]"),
        pytest.param(b"\xf3\x0f\x1e\xfb" + JUMP + b"\x66\x90", [(6, DATA)], id="behind endbr32"),
        pytest.param(b"\xf2" + JUMP, [(3, DATA)], id="bnd jmp"),
        pytest.param(b"\x3e" + JUMP, [(3, DATA)], id="notrack jmp"),
        pytest.param(JUMP + JUMP[:2] + (DATA + 4).to_bytes(4, "little"), [(2, DATA), (8, DATA + 4)], id="two"),
        pytest.param(b"\xff\x25" + (DATA + 4 * SLOTS).to_bytes(4, "little"), [], id="behind the table"),
        pytest.param(b"\xff\x35" + DATA.to_bytes(4, "little"), [], id="push [slot]"),
        pytest.param(JUMP[:5], [], id="cut off"),
        pytest.param(b"\xff", [], id="a byte"),
    ],
)
def test_jumps_through_slots(plt: bytes, expected: list[tuple[int, int]]) -> None:
    for name in (".plt", ".iplt", ".plt.got", ".plt.sec"):
        found = GlobalOffsetTable(linked(plt=plt, name=name)).jumps()
        assert [(offset, slot) for _, offset, slot in found] == expected
    assert list(GlobalOffsetTable(linked(plt=plt, name=".text.plt")).jumps()) == []
