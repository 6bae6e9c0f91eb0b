"""Whatever a file claims, the answer is a program or one line: no other exception, no hang, no gigabytes."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from rewriter.elf import ElfError, load
from tests.elf.hostile import SECTION, flipped, original, structures, truncated, verdict

ROOT = Path(__file__).parent.parent.parent
GIGABYTE = 1 << 30


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (GIGABYTE, GIGABYTE))


def test_the_original_loads() -> None:
    assert verdict(original()) == "loaded"


def test_truncated_files_are_refused() -> None:
    answers = {name: verdict(image) for name, image in truncated(original())}
    assert [f"{name}: {answer}" for name, answer in answers.items() if not answer.startswith("refused: ")] == []


@pytest.mark.parametrize("first", [0, 1000])
def test_flipped_files_are_refused_or_loaded(first: int) -> None:
    """In a process of its own, with one gigabyte and a minute."""
    command = [sys.executable, "-m", "tests.elf.hostile", str(first), "500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, preexec_fn=_limit)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-500:]


def test_flips_reach_both_answers() -> None:
    answers = [verdict(image).split(":")[0] for _, image in flipped(original(), 0, 60)]
    assert answers.count("loaded") > 5
    assert answers.count("refused") > 5


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
    table, size = structures(image)[2]
    for section in range(table, table + size, SECTION):
        broken = bytearray(image)
        struct.pack_into("<I", broken, section + 4 * field, 0xFFFFFFFF)
        assert verdict(bytes(broken)).split(":")[0] in ("loaded", "refused")


@pytest.mark.parametrize("image", [b"", b"\x7fELF", b"#!/bin/sh\n", bytes(10_000), b"\xff" * 10_000])
def test_what_is_no_elf_file_is_refused(image: bytes) -> None:
    assert verdict(image).startswith("refused: ")
