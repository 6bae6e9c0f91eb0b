"""One foreign program, rewritten in the ways that need no kernel: what must be the same, and what was seen instead."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.contract import Contract
from rewriter.elf import ElfError, emit, load
from rewriter.elf.image import read
from rewriter.elf.place import place
from rewriter.elf.sections import main_text
from rewriter.ir import Program
from rewriter.passes.everywhere import everywhere
from rewriter.passes.layout import arrange
from rewriter.probes.counters import COUNTS, insert_counters
from rewriter.verify import verify
from tests.foreign import watched
from tests.foreign.build import build, remarks
from tests.random_c import native
from tests.random_c.shuffle import shuffle


@dataclass(frozen=True)
class Difference:
    """What a rewritten program did otherwise, in one line; `refused`: it was not rewritten, for this reason."""

    program: str
    rewrite: str
    what: str
    refused: bool = False


def arranged(program: Program, seed: int) -> Program:
    """The same program, the blocks of every function laid out as if these edges, chosen at random, were hot."""
    source = random.Random(seed)
    for function in program.functions:
        weights: dict[tuple[str, str], float] = {}
        hot = {block.label for block in function.blocks if source.random() < 0.5}
        arrange(
            function,
            lambda a, b, weights=weights: weights.setdefault((a, b), source.random()),  # type: ignore[misc]
            lambda label, hot=hot: label in hot,  # type: ignore[misc]
        )
    return program


def differences(name: str, level: str, deep: bool = True, passes: bool = False) -> Iterator[Difference]:
    """All that the rewriter got wrong on this program.  `deep`: also what was rewritten before; `passes`: and behind
    all passes in place, which takes minutes."""
    title = f"{name} {level}"
    image = build(name, level)
    expected = native.run(image)
    try:
        program = load(image)
    except ElfError as error:
        yield Difference(title, "load", str(error), refused=True)
        return
    moved = emit(program.copy(), move=True)
    images = {"identity": emit(program.copy()), "moved": moved}
    images["shuffled"] = emit(shuffle(program.copy(), 1))
    images["arranged"] = emit(arranged(program.copy(), 2))
    if deep:
        images["moved twice"] = emit(load(moved), move=True)
    if passes:
        changed = program.copy()
        everywhere(changed)
        images["all passes"] = emit(changed)
    for rewrite, made in images.items():
        yield from _compare(title, rewrite, made, expected)
    yield from (Difference(title, "moved", what) for what in _left_behind(program, moved))
    yield from (Difference(title, "counted", what) for what in _counted(name, program, expected))


def _compare(title: str, rewrite: str, image: bytes, expected: native.Outcome) -> Iterator[Difference]:
    try:
        found = native.run(image, seconds=60)
    except subprocess.TimeoutExpired:
        yield Difference(title, rewrite, "does not end")
        return
    if found != expected:
        yield Difference(title, rewrite, _told(found, expected))


def _told(found: native.Outcome, expected: native.Outcome) -> str:
    pairs = zip(found.output.splitlines(), expected.output.splitlines(), strict=False)
    line = next((i for i, (a, b) in enumerate(pairs, 1) if a != b), "?")
    return f"status {found.status}, expected {expected.status}; the first line that differs: {line}"


def _left_behind(program: Program, moved: bytes) -> Iterator[str]:
    """Whether all that may move is elsewhere, and the old text full of int3."""
    text = main_text(program.sections)
    end = text.address + text.size
    pinned = {f.name for f in program.functions if f.pins}
    kept = bytearray(text.size)
    for label, start, stop in place(program.copy(), move=True).functions:
        if label not in pinned and start < end:
            yield f"{label} is still at {start:#x}"
        if label in pinned and text.address <= start < end:
            kept[start - text.address : stop - text.address] = b"\1" * (stop - start)
    section = next(s for s in load(moved).sections if s.name == text.name)
    raw = _bytes(moved, section.address, text.size)
    if any(byte != 0xCC and not keep for byte, keep in zip(raw, kept, strict=True)):
        yield "the old text is not full of int3"


def _bytes(image: bytes, address: int, size: int) -> bytes:
    """What the file loads there."""
    for segment in read(image).segments:
        if segment.kind == "PT_LOAD" and segment.address <= address < segment.address + segment.file_size:
            start = segment.offset + address - segment.address
            return image[start : start + size]
    raise AssertionError(f"nothing is loaded at {address:#x}")


def _counted(name: str, program: Program, expected: native.Outcome) -> Iterator[str]:
    """Whether the counted program does the same, and its counts are those that the program's comments name."""
    counted = program.copy()
    counters = insert_counters(counted, Contract())
    if faults := verify(counted):
        yield faults[0]
    address = place(counted).addresses[COUNTS]
    outcome, raw = watched.run(emit(counted), address, counters.size)
    if outcome != expected:
        yield _told(outcome, expected)
    if len(raw) != counters.size:
        yield "its counters cannot be read"
        return
    blocks, edges = counters.decode(raw)
    entered = blocks.get(program.entry, 1)
    if entered != 1:
        yield f"it was entered {entered} times"
    if any(count < 0 for count in edges.values()):
        yield "an edge was taken less than never"
    for function, count in (line.split(": ") for line in remarks(name, "counted")):
        if blocks.get(function, int(count)) != int(count):
            yield f"{function} was executed {count} times, but counted {blocks[function]} times"
