"""A program that keeps only what the IR says: functions and blocks in another order, every block longer.

Whatever held by accident (a distance, a neighbor, an address that no `Ref` names) breaks.
"""

from __future__ import annotations

import random

from rewriter.ir import Function, Insn, Program

# Change no register, flag or memory; of different lengths, so that no distance survives.
IDLE = (b"\x90", b"\x89\xf6", b"\x8d\x76\x00", b"\x8d\xb6\x00\x00\x00\x00")


def shuffle(program: Program, seed: int) -> Program:
    """The same program, changed in place.  Pinned functions stay as they are."""
    source = random.Random(seed)
    source.shuffle(program.functions)
    for function in program.functions:
        if not function.pins:
            _shuffle(function, source)
    return program


def _shuffle(function: Function, source: random.Random) -> None:
    entry, *others = function.blocks
    source.shuffle(others)
    function.blocks = [entry, *others]
    for block in function.blocks:
        block.insns.insert(0, Insn(source.choice(IDLE)))
