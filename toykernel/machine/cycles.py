"""Modelled cycles: what a processor of the paper's time might have needed.  A model, not a processor.

The sum of what instructions cost by themselves (`cycle_costs`: three micro-operations a cycle, as if none waited for
another), of waiting for code and for moved blocks (`cycle_caches`), and of wrong guesses at branches
(`cycle_branches`).  Every number has its published source where it stands; none was fitted.  Single loads and stores
always hit.  User mode leaves caches and predictor as they are.  The unit is a third of a cycle.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from .blocks import disassemble
from .cycle_branches import Kind, Predictor
from .cycle_caches import Caches
from .cycle_costs import FAST_ALIGNMENT, FAST_DISTANCE, FAST_ELEMENTS, MICROCODED, THIRDS, repeated, thirds

_ELEMENT_SIZES = {"b": 1, "w": 2, "d": 4}


class Shape(NamedTuple):
    """What a block costs before anything is known of caches and branches."""

    upto: tuple[int, ...]  # thirds of a cycle of its first 0, 1, 2, … instructions
    kind: Kind
    last: int  # where the last instruction lies within
    backward: bool  # whether that jumps backwards
    repeats: str  # its mnemonic, if it is under `rep`


@lru_cache(maxsize=1 << 16)
def shape(code: bytes) -> Shape:
    """The shape of the block with these bytes."""
    upto, kind, last, at, backward, repeats = [0], Kind.NEXT, 0, 0, False, ""
    for size, mnemonic, operands in disassemble(code):
        upto.append(upto[-1] + thirds(mnemonic, operands))
        last, at = at, at + size
        kind = _kind(mnemonic, operands)
        # Straight code is decoded at 0: a target below the instruction's end wraps around.
        backward = kind in (Kind.BRANCH, Kind.JUMP) and not last < int(operands, 16) < 1 << 31
        repeats = mnemonic if mnemonic.startswith("rep") else ""
    if at < len(code):
        upto.append(upto[-1] + MICROCODED)
    return Shape(tuple(upto), kind, last, backward, repeats)


def _kind(mnemonic: str, operands: str) -> Kind:
    direct = operands.startswith("0x") or operands.isdigit()
    if mnemonic == "call":
        return Kind.CALL if direct else Kind.CALL_INDIRECT
    if mnemonic == "jmp":
        return Kind.JUMP if direct else Kind.JUMP_INDIRECT
    if mnemonic == "ret":
        return Kind.RETURN
    return Kind.BRANCH if direct and mnemonic.startswith(("j", "loop")) else Kind.NEXT


class Ideal:
    """A processor without caches and guesses, whose answers are 0: for whoever counts instructions alone."""

    def begin(self, address: int, size: int, known: Shape) -> int:
        return 0

    def leave(self) -> None: ...

    def repeat(self, known: Shape, elements: int, source: int, target: int, *, upwards: bool) -> int:
        return 0


class Cycles(Ideal):
    """The state of the modelled processor.  Answers are thirds of a cycle, beyond `Shape.upto`."""

    def __init__(self) -> None:
        self._caches = Caches()
        self._predictor = Predictor()
        self._last: tuple[int, int, Shape] | None = None  # the block whose branch is under way

    def begin(self, address: int, size: int, known: Shape) -> int:
        """A block begins; it is where the one before went."""
        lost = self._caches.fetch(address, size)
        if self._last is not None:
            start, behind, before = self._last
            lost += self._predictor.branch(before.kind, start + before.last, behind, address, before.backward)
        self._last = (address, address + size, known) if known.kind is not Kind.NEXT else None
        return lost * THIRDS

    def leave(self) -> None:
        """What comes next is not where the last block's branch went."""
        self._last = None

    def repeat(self, known: Shape, elements: int, source: int, target: int, *, upwards: bool) -> int:
        """`rep` moved `elements`, up to (behind the last, in its direction) `source` and `target`."""
        mnemonic = known.repeats
        size = _ELEMENT_SIZES.get(mnemonic[-1], 4)
        length = elements * size
        reads, writes = mnemonic[-5:-1] in ("movs", "lods", "cmps"), mnemonic[-5:-1] in ("movs", "stos", "scas", "cmps")
        if upwards:
            source, target = source - length, target - length
        else:
            source, target = source + size, target + size
        fast = (
            upwards
            and elements >= FAST_ELEMENTS
            and target % FAST_ALIGNMENT == 0
            and (not reads or (source % FAST_ALIGNMENT == 0 and abs(source - target) >= FAST_DISTANCE))
        )
        lost = 0
        if elements:
            lost += self._caches.move(source, length) if reads else 0
            lost += self._caches.move(target, length) if writes else 0
        return repeated(mnemonic, elements, fast=fast) + lost * THIRDS
