"""Hostile programs: whatever a file says, the kernel refuses it or runs it, and lives on."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from tests.toykernel.boots import boot, statuses
from toykernel import image

HEADER, SEGMENT = 52, 32  # bytes


def word(elf: bytes, at: int, value: int, size: int = 4) -> bytes:
    return elf[:at] + value.to_bytes(size, "little") + elf[at + size :]


def field(number: int, value: int) -> Callable[[bytes], bytes]:
    """Set a word of the second program header, the data's."""
    return lambda elf: word(elf, HEADER + SEGMENT + 4 * number, value)


BAD = {
    "empty": lambda elf: b"",
    "magic": lambda elf: b"\x7fELG" + elf[4:],
    "64 bits": lambda elf: word(elf, 4, 2, 1),
    "big-endian": lambda elf: word(elf, 5, 2, 1),
    "shared": lambda elf: word(elf, 16, 3, 2),
    "machine": lambda elf: word(elf, 18, 62, 2),
    "no headers": lambda elf: word(elf, 44, 0, 2),
    "many headers": lambda elf: word(elf, 44, 9, 2),
    "header size": lambda elf: word(elf, 42, 56, 2),
    "headers outside": lambda elf: word(elf, 28, 0x7FFFFFF0),
    "headers beyond": lambda elf: word(elf, 28, 0xFFFFFFF0),
    "cut header": lambda elf: elf[:51],
    "cut headers": lambda elf: elf[: HEADER + SEGMENT + 31],
    "cut code": lambda elf: elf[:4200],
    "entry in no segment": lambda elf: word(elf, 24, 0x08000000),
    "entry in the kernel": lambda elf: word(elf, 24, 0xC0100000),
    "entry in data": lambda elf: word(word(elf, 24, 0x20000000), HEADER + SEGMENT + 8, 0x20000000),
    "interpreter": field(0, 3),
    "file part outside": field(1, 0xFFFFFFFF),
    "more file than memory": lambda elf: field(5, 1)(field(4, 2)(elf)),
    "kernel address": field(2, 0xC0100000),
    "address zero": field(2, 0),
    "address wraps": field(2, 0xFFFFFFF0),
    "stack": field(2, 0xBFFF8000),
    "page below the stack": field(2, 0xBFEFF000),
    "huge": field(5, 0xFFFFFFFF),
    "large": field(5, (16 << 20) + 1),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name: str) -> None:
    elf = BAD[name](image.programs()["readseek"])
    run = boot("bad", "hello", files={"bin/bad": elf})
    assert statuses(run) == [126, 0]
    assert run.console == b"hello from process 3, ring 3\n"


def test_headers_at_random() -> None:
    """Words of the headers take other values, often extreme ones; no file may take the kernel down."""
    chance = random.Random(1)
    good = image.programs()["hello"]
    files = {}
    for number in range(300):
        elf = good
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(0, HEADER + 2 * SEGMENT, 2)
            value = chance.choice([0, 1, 0xFFFF, 0x8000, chance.randrange(0x10000), *struct.unpack_from("<H", elf, at)])
            elf = word(elf, at, value, 2)
        files[f"bin/e{number}"] = elf
    run = boot(*(path.removeprefix("bin/") for path in files), "hello", files=files)
    assert run.exits[-1] == ("hello", 0)
    assert {126, 0} <= set(statuses(run)) <= {0, 2, 126, 132, 133, 135, 136, 139}
