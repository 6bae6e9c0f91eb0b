"""Code sections behind the text: they move up with what is in them, as data does, where the text grew.

.text  .rodata  .init.text  .data  .bss    ⇒    .text++++  .rodata  .init.text  .data  .bss
"""

from __future__ import annotations

from typing import Final

from rewriter.elf.units import Unit
from rewriter.ir import Function, Program, RefKind, Section

PROMISED: Final = "the contract says"  # begins the pins of functions that may not move even with their section


def obstacle(program: Program, behind: set[str]) -> str:
    """Why code sections behind the text may not move as a whole, "" if they may.  In kernels they have to: memory
    behind the image is theirs to use, and text is what lies between two symbols.  Of programs nobody asks it."""
    if not is_kernel(program):
        return "a program's sections are where they were"
    ranges = [(s.address, s.address + s.size) for s in program.sections if s.name in behind]

    def inside(function: Function) -> bool:
        origin = next((i.origin for i in function.insns() if i.origin is not None), 0)
        return any(start <= origin < end for start, end in ranges)

    for function in program.functions:
        if inside(function) and (pins := [p for p in function.pins if p.startswith(PROMISED)]):
            return f"{function.name} may not move: {pins[0]}"
    home = {b.label: inside(f) for f in program.functions for b in f.blocks}
    for function in program.functions:
        for ref in (ref for insn in function.insns() for ref in insn.refs):
            if ref.kind is RefKind.PC8 and home.get(ref.target, inside(function)) != inside(function):
                return f"a branch of {function.name} that stays short leads to the other section"
    return ""


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
