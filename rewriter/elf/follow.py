"""Code sections behind the text: they move up with what is in them, as data does, where the text grew.

.text  .rodata  .init.text  .data  .bss    ⇒    .text++++  .rodata  .init.text  .data  .bss
"""

from __future__ import annotations

from typing import Final

from rewriter.elf.units import Unit
from rewriter.ir import Function, Program, RefKind, Section

PROMISED: Final = "the contract says"  # begins the pins of functions that may not move even with their section


def moves_up(program: Program, behind: set[str]) -> bool:
    """Whether code sections behind the text may move as a whole.  In kernels they have to: memory behind the image is
    theirs to use, and text is what lies between two symbols.  Of programs nobody asks it."""
    ranges = [(s.address, s.address + s.size) for s in program.sections if s.name in behind]

    def inside(function: Function) -> bool:
        origin = next((i.origin for i in function.insns() if i.origin is not None), 0)
        return any(start <= origin < end for start, end in ranges)

    stays = {f.name for f in program.functions if inside(f) and any(p.startswith(PROMISED) for p in f.pins)}
    home = {b.label: inside(f) for f in program.functions for b in f.blocks}
    short = any(
        ref.kind is RefKind.PC8 and home.get(ref.target, inside(f)) != inside(f)
        for f in program.functions
        for i in f.insns()
        for ref in i.refs
    )
    return is_kernel(program) and not stays and not short


def is_kernel(program: Program) -> bool:
    """Whether it is loaded elsewhere than it runs."""
    return any(segment.load_bias for segment in program.segments)


def carry(units: list[Unit], behind: set[str], before: tuple[Section, ...], after: tuple[Section, ...]) -> None:
    """Let the code of these sections be where its section is now."""
    now = {s.name: s.address for s in after}
    for section in before:
        shift = now[section.name] - section.address
        if section.name in behind and shift:
            for unit in units:
                if unit.fixed is not None and section.address <= unit.fixed < section.address + section.size:
                    for placed in unit.blocks:
                        placed.address += shift
