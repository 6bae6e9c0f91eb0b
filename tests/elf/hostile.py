"""Broken ELF files, and what the rewriter makes of them: `python -m tests.elf.hostile FIRST COUNT` tries that many.

The only answers allowed are a program and an `ElfError` of one line.
"""

from __future__ import annotations

import random
import struct
import sys
import time
from collections.abc import Iterable, Iterator

import toykernel.image
from rewriter.elf import ElfError, emit, load

SHT_SYMTAB, SHT_STRTAB, SHT_REL = 2, 3, 9
HEADER, SECTION, SEGMENT = 52, 40, 32  # bytes
LONGEST = 300  # characters of a message
SLOWEST = 10.0  # seconds for one file of a few kilobytes
EDGES = (0, 1, 2, 3, 0x1000, 0x08048000, 0x08049000, 0x40000000, 0x7FFFFFFF, 0x80000000, 0xFFF1FFF1, 0xFFFFFFFF)


def original() -> bytes:
    """A small image that loads: prebuilt, so that no compiler is needed."""
    return toykernel.image.programs()["hello"]


def structures(image: bytes) -> list[tuple[int, int]]:
    """(offset, size) of what describes the image: headers, the section table, symbols, names, relocations."""
    table, segments = struct.unpack_from("<I", image, 32)[0], struct.unpack_from("<H", image, 44)[0]
    sections = [
        struct.unpack_from("<10I", image, table + SECTION * i) for i in range(struct.unpack_from("<H", image, 48)[0])
    ]
    parts = [(s[4], s[5]) for s in sections if s[1] in (SHT_SYMTAB, SHT_STRTAB, SHT_REL) and s[5]]
    return [(0, HEADER), (HEADER, SEGMENT * segments), (table, SECTION * len(sections)), *parts]


def truncated(image: bytes) -> Iterator[tuple[str, bytes]]:
    for size in range(0, len(image), 64):
        yield f"first {size} bytes", image[:size]


def flipped(image: bytes, first: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Files with a few bytes or words of the structures changed, and now and then of the code."""
    parts = structures(image)
    for seed in range(first, first + count):
        source, broken = random.Random(seed), bytearray(image)
        for _ in range(source.choice((1, 1, 1, 2, 5))):
            offset, size = source.choice(parts) if source.random() < 0.9 else (0, len(image))
            position = offset + source.randrange(size)
            if source.random() < 0.5:
                broken[position] = source.choice((0, 0x80, 0xFF, broken[position] ^ 1 << source.randrange(8)))
            else:
                position = min(position & ~3, len(image) - 4)
                value = source.choice((*EDGES, len(image), len(image) - 1, source.getrandbits(32)))
                struct.pack_into("<I", broken, position, value)
        yield f"seed {seed}", bytes(broken)


def verdict(image: bytes) -> str:
    """ "loaded", "refused: …", or what is wrong with the rewriter."""
    start = time.process_time()
    try:
        program = load(image)
        for move in (False, True):
            emit(program, move=move)
        answer = "loaded"
    except ElfError as error:
        answer = f"refused: {error}"
        if "\n" in answer or len(answer) > LONGEST:
            return f"not one line: {answer!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return answer if time.process_time() - start < SLOWEST else "takes too long"


def faults(files: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """One line for each file that the rewriter does not answer as it should."""
    for name, image in files:
        answer = verdict(image)
        if answer != "loaded" and not answer.startswith("refused: "):
            yield f"{name}: {answer}"


if __name__ == "__main__":
    found = list(faults(flipped(original(), int(sys.argv[1]), int(sys.argv[2]))))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
