"""Whatever a file claims, the answer is right or one line: nothing falls over, hangs, takes gigabytes or leaves a file.

For thousands: `python -m tests.hostile COUNT SEED`.
"""

from __future__ import annotations

import gc
import struct

import pytest

import toykernel.image
from rewriter.contract import Contract
from rewriter.elf import ElfError, emit, load
from rewriter.probes.counters import insert_counters
from rewriter.verify import verify
from tests.hostile.cases import KINDS
from tests.hostile.elf_parts import SECTION, parts
from tests.hostile.pool import Totals, answers
from tests.hostile.trial import Case, attempt


@pytest.fixture(scope="module", autouse=True)
def _room() -> None:
    """Machines that earlier tests in this process left to the collector would count against what a case may take."""
    gc.collect()


def original() -> bytes:
    """A small image that loads: prebuilt, so that no compiler is needed."""
    return toykernel.image.programs()["hello"]


def verdict(image: bytes) -> str:
    """ "loaded", or why not in one line."""
    try:
        program = load(image)
        for move in (False, True):
            emit(program, move=move)
    except ElfError as error:
        return f"{'not one line' if chr(10) in str(error) else 'refused'}: {error}"
    return "loaded"


@pytest.mark.parametrize(("kind", "count"), [("program", 40), ("kernel", 15), ("contract", 25), ("profile", 10)])
def test_broken_files_are_answered(kind: str, count: int) -> None:
    totals = Totals()
    found = [answer for answer in answers(range(count), kind) if totals.add(answer) or answer.fault is not None]
    assert [f"{answer.case.kind} {answer.case.seed}: {answer.fault}" for answer in found] == []
    row = totals.rows[kind]
    assert row.accepted > 0, "every file was refused"
    assert row.refused > 0, "no file was refused"


@pytest.mark.parametrize("kind", ["folder", "archive", "disk"])
def test_broken_surroundings_are_answered(kind: str) -> None:
    found = [answer for answer in answers(range(8), kind) if answer.fault is not None]
    assert [f"{answer.case.kind} {answer.case.seed}: {answer.fault}" for answer in found] == []


def test_every_kind_is_tried_here() -> None:
    assert set(KINDS) == {"program", "foreign", "kernel", "contract", "profile", "folder", "archive", "disk"}


def fall_over() -> None:
    raise KeyError("'.data'")


def take_memory() -> None:
    bytearray(1200 << 20)[::4096] = b"x" * (1200 << 8)


def take_time() -> None:
    while True:
        pass  # SIGKILL comes from the kernel, at the limit of processor time


@pytest.mark.parametrize(
    ("work", "seconds", "words"),
    [(fall_over, 5, "fell over: KeyError"), (take_memory, 5, "MiB"), (take_time, 0.3, "ended by SIGKILL")],
)
def test_what_is_looked_for_is_found(work: object, seconds: float, words: str) -> None:
    case = Case("", 0, "", {}, (), seconds=seconds, work=work)  # type: ignore[arg-type]
    assert words in str(attempt(case).fault)


def test_a_file_left_behind_is_found() -> None:
    case = Case("", 0, "", {"in.elf": original()}, ("rewrite", "in.elf", "-o", "out.elf"))
    assert attempt(case).fault == "left out.elf"


def test_the_original_loads() -> None:
    assert verdict(original()) == "loaded"


def test_symbols_larger_than_their_section_hold_no_padding() -> None:
    """What is written for them is read again: the last function does not fall out of the text's new padding."""
    broken = bytearray(original())
    table = next(table for table in parts(original()).tables if table.name == "symbols")
    for row in range(table.count):
        struct.pack_into("<I", broken, table.offset + table.size * row + 8, 0x7FFF)
    once = load(bytes(broken))
    insert_counters(once, Contract())
    assert verify(load(emit(once, move=True))) == []


def test_truncated_files_are_refused() -> None:
    image = original()
    answered = {size: verdict(image[:size]) for size in range(0, len(image), 64)}
    assert [f"{size}: {answer}" for size, answer in answered.items() if not answer.startswith("refused: ")] == []


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        pytest.param(0, b"\x7fELG", id="magic"),
        pytest.param(4, b"\x02", id="64 bit"),
        pytest.param(5, b"\x02", id="big-endian"),
        pytest.param(16, b"\x01\x00", id="relocatable"),
        pytest.param(16, b"\x03\x00", id="shared"),
        pytest.param(18, b"\x28\x00", id="ARM"),
        pytest.param(24, b"\x01\x00\x00\x00", id="entry outside"),
        pytest.param(28, b"\xf0\xff\xff\xff", id="segments outside"),
        pytest.param(32, b"\xf0\xff\xff\xff", id="sections outside"),
        pytest.param(42, b"\x01\x00", id="size of a segment"),
        pytest.param(46, b"\x01\x00", id="size of a section"),
        pytest.param(48, b"\xff\xff", id="number of sections"),
        pytest.param(50, b"\xfe\xfe", id="section names"),
    ],
)
def test_wrong_headers_are_refused(offset: int, value: bytes) -> None:
    image = original()
    with pytest.raises(ElfError):
        load(image[:offset] + value + image[offset + len(value) :])


@pytest.mark.parametrize("field", range(SECTION // 4))
def test_no_word_of_the_section_table_is_trusted(field: int) -> None:
    """Every section with this word at its largest."""
    image = original()
    start, end = parts(image).tables[2].range
    for section in range(start, end, SECTION):
        broken = bytearray(image)
        struct.pack_into("<I", broken, section + 4 * field, 0xFFFFFFFF)
        assert verdict(bytes(broken)).split(":")[0] in ("loaded", "refused")


@pytest.mark.parametrize("image", [b"", b"\x7fELF", b"#!/bin/sh\n", bytes(10_000), b"\xff" * 10_000])
def test_what_is_no_elf_file_is_refused(image: bytes) -> None:
    assert verdict(image).startswith("refused: ")


@pytest.mark.parametrize("by", [-2, -1, 1, 2])
def test_a_relocation_beside_its_operand_is_noticed(by: int) -> None:
    """What it then says of the bytes is wrong: the function stays as it is, or the file is refused."""
    image = original()
    text = next(s for s in load(image).sections if s.executable)
    table = parts(image).tables[3]  # the first of the relocations: those of the text
    assert table.name == "relocations"
    for row in range(table.count):
        at = table.offset + table.size * row
        (field,) = struct.unpack_from("<I", image, at)
        assert text.address <= field < text.address + text.size
        broken = image[:at] + struct.pack("<I", field + by) + image[at + 4 :]
        try:
            program = load(broken)
        except ElfError:
            continue
        assert any("a relocated field is no operand" in pin for f in program.functions for pin in f.pins)
