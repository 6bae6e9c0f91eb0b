"""Calls that fetch where they are become numbers, where what is added to them is a relocated constant (§2)."""

from __future__ import annotations

import pytest

from rewriter.elf.getpc import adds_entry, constant_pc
from rewriter.elf.image import R_32, R_GOTOFF, R_GOTPC, R_PC32, Image, Relocation
from tests.elf.small import DATA, TEXT, image, section, symbol

GOT = symbol("_GLOBAL_OFFSET_TABLE_", DATA, 2, kind="object")
THUNKS = {register: bytes((0x8B, 0x04 | register << 3, 0x24, 0xC3)) for register in range(8)}
BEHIND = TEXT + 5  # the call at the section's start


def call(at: int, target: int) -> bytes:
    """Of a place in the section, from another one."""
    return b"\xe8" + (target - at - 5).to_bytes(4, "little", signed=True)


def added(register: int) -> bytes:
    """add register, 0x11223344"""
    return (b"\x05" if register == 0 else bytes((0x81, 0xC0 | register))) + b"\x44\x33\x22\x11"


def text(raw: bytes, *relocations: Relocation, thunk: bytes = b"") -> Image:
    """A text of these bytes, at its place 32 a thunk, and some data."""
    sections = (
        section(1, ".text", TEXT, raw.ljust(32, b"\x90") + thunk, executable=True),
        section(2, ".data", DATA, bytes(32)),
    )
    return image(sections, relocations)


def fetched(register: int, kind: int = R_GOTPC) -> Image:
    raw = call(0, 32) + added(register)
    relocations = Relocation(1, 1, R_PC32, symbol("thunk", TEXT + 32)), Relocation(1, len(raw) - 4, kind, GOT)
    return text(raw, *relocations, thunk=THUNKS[register])


@pytest.mark.parametrize("register", [0, 1, 2, 3, 5, 6, 7])
@pytest.mark.parametrize("kind", [R_GOTPC, R_PC32])
def test_a_call_of_a_thunk_is_a_number(register: int, kind: int) -> None:
    before = fetched(register, kind)
    after = constant_pc(before)
    raw = after.sections[1].raw
    assert raw[:5] == bytes((0xB8 | register,)) + BEHIND.to_bytes(4, "little")
    assert raw[5:] == before.sections[1].raw[5:]
    (left,) = after.relocations
    assert (left.kind, left.less, left.symbol) == (R_32, BEHIND, GOT)


def test_a_call_of_the_next_instruction_is_a_push() -> None:
    raw = b"\xe8\0\0\0\0\x5a" + added(2)  # pop edx
    after = constant_pc(text(raw, Relocation(1, 8, R_GOTPC, GOT)))
    assert after.sections[1].raw[:6] == b"\x68" + BEHIND.to_bytes(4, "little") + b"\x5a"
    assert [(r.kind, r.less) for r in after.relocations] == [(R_32, BEHIND)]


def test_what_was_written_before_is_understood_again() -> None:
    once = constant_pc(fetched(3))
    again = image(once.sections[1:], [Relocation(1, 7, R_32, GOT)])
    assert constant_pc(again).relocations == once.relocations
    assert constant_pc(again).sections == once.sections


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(call(0, 32) + added(1), id="of another register"),
        pytest.param(call(0, 33) + added(3), id="of the middle of the thunk"),
        pytest.param(call(0, 31) + added(3), id="of what is before the thunk"),
        pytest.param(call(0, DATA - TEXT) + added(3), id="of data"),
        pytest.param(call(0, -16) + added(3), id="of nothing"),
        pytest.param(call(0, 34) + added(3), id="where the section ends"),
        pytest.param(call(0, 32) + b"\x90" + added(3), id="not side by side"),
        pytest.param(b"\xe8\0\0\0\0\x5a" + added(3), id="popped to another register"),
        pytest.param(b"\xe8\1\0\0\0\x5b" + added(3), id="over the pop"),
        pytest.param(b"\xe8\0\0\0\0\x90\x5b" + added(3), id="popped later"),
    ],
)
def test_other_calls_stay(raw: bytes) -> None:
    before = text(raw, Relocation(1, len(raw) - 4, R_GOTPC, GOT), thunk=THUNKS[3])
    after = constant_pc(before)
    assert (after.sections, {*after.relocations}) == (before.sections, {*before.relocations})


def test_a_number_is_one_only_without_a_relocation_and_inside_of_the_image() -> None:
    def moved(number: int, *more: Relocation) -> Image:
        return text(b"\xbb" + number.to_bytes(4, "little") + added(3), Relocation(1, 7, R_32, GOT), *more)

    assert [r.less for r in constant_pc(moved(TEXT + 5)).relocations] == [TEXT + 5]
    for other in (moved(0), moved(DATA + 32), moved(0xFFFFFFFF), moved(TEXT, Relocation(1, 1, R_32, GOT))):
        assert {r.less for r in constant_pc(other).relocations} == {0}


def test_other_relocations_and_data_stay() -> None:
    raw = call(0, 32) + added(3)
    before = text(raw, Relocation(1, 7, R_GOTOFF, GOT), Relocation(2, 0, R_32, GOT), thunk=THUNKS[3])
    after = constant_pc(before)
    assert (after.sections, {*after.relocations}) == (before.sections, {*before.relocations})


@pytest.mark.parametrize(
    "pattern", [b"\x81\xc3", b"\x05", b"\xe8", b"\xbb", b"\x8b\x04\x24\xc3", b"\xe8\0\0\0\0\x5b\x81\xc3"]
)
def test_sections_of_a_few_bytes(pattern: bytes) -> None:
    """A field anywhere, at the very start and end: nothing before or behind the section is looked at."""
    for size in range(4, 20):
        raw = (pattern * 20)[:size]
        for offset in range(size - 3):
            for kind in (R_32, R_PC32, R_GOTPC):
                before = image([section(1, ".text", TEXT, raw, executable=True)], [Relocation(1, offset, kind, GOT)])
                after = constant_pc(before)
                assert len(after.sections[1].raw) == size
                assert len(after.relocations) == 1


def test_addresses_wrap() -> None:
    """A section at the end of memory calls its beginning."""
    raw = call(0, 0x100) + added(3)
    sections = (
        section(1, ".low", 0, THUNKS[3], executable=True),
        section(2, ".high", 0xFFFFFF00, raw, executable=True),
    )
    after = constant_pc(image(sections, [Relocation(2, 7, R_GOTPC, GOT)]))
    assert after.sections[2].raw[:5] == b"\xbb" + (0xFFFFFF05).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        pytest.param(added(3) + b"\x03\x1c\x8b", True, id="add ebx, [ebx + ecx*4]"),
        pytest.param(added(0) + b"\x03\x04\x90", True, id="add eax, [eax + edx*4]"),
        pytest.param(added(3) + b"\x03\x0c\x8b", False, id="to another register"),
        pytest.param(added(1) + b"\x03\x1c\x8b", False, id="from another register"),
        pytest.param(added(3) + b"\x03\x1c\x4b", False, id="of two bytes"),
        pytest.param(added(3) + b"\x03\x1c\x9b", False, id="by itself"),
        pytest.param(added(3) + b"\x03\x1c", False, id="cut off"),
        pytest.param(added(3) + b"\x2b\x1c\x8b", False, id="sub"),
    ],
)
def test_a_row_of_distances_is_added_to_what_names_it(raw: bytes, found: bool) -> None:
    assert adds_entry(raw, raw.index(b"\x44\x33\x22\x11") + 4) is found
