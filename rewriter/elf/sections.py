"""Where the sections go: data keeps its place, or moves up as a whole by pages when the text before it grew."""

from __future__ import annotations

from dataclasses import replace

from rewriter.elf.exceptions import FORMATS
from rewriter.elf.follow import is_kernel
from rewriter.elf.image import ElfError
from rewriter.elf.room import ALIGN, align_up
from rewriter.ir import Data, Program, Section

PAGE = 4096


def main_text(sections: tuple[Section, ...]) -> Section:
    """The largest code section: the one that may grow."""
    return max((s for s in sections if s.executable), key=lambda s: (s.size, -s.address))


def place_sections(program: Program, text: Section, text_end: int) -> tuple[Section, ...]:
    """The input's sections in order, new data before the first writable section behind the text."""
    new = [_new_section(d) for d in program.data if d.address is None]
    placed: list[Section] = []
    shift = 0
    behind_text = False
    for section in program.sections:
        if behind_text and section.writable and new:
            placed += _append(new, placed[-1])
            new = []
        size = _grown(program, section, text, text_end)
        shift += _gap_needed(program, section, placed, shift) if placed else 0
        placed.append(_moved(section, section.address + shift, size))
        behind_text = behind_text or section is text
    if new:
        placed += _append(new, placed[-1])
    return tuple(placed)


def append_sections(program: Program, text: Section, free: int, end: int, stuck: str) -> tuple[Section, ...]:
    """The input's sections where they were, as code lies behind the text that is `stuck` there, for a reason; what
    does not fit into the text, and new data, behind them all."""
    placed = list(program.sections)
    if any(_grown(program, s, text, 0) != s.size for s in placed if s.name == program.exception_table):
        raise ElfError(f"the exception table cannot grow: behind {text.name}, {stuck} (link that before {text.name})")
    if is_kernel(program) and (end > free or any(d.address is None for d in program.data)):
        raise ElfError(f"{text.name} cannot grow: behind it, {stuck} (link that before {text.name})")
    if end > free:
        name = f"{text.name}.moved"
        while any(s.name == name for s in placed):
            name += "+"
        placed.append(Section(name, free, end - free, ALIGN, True, False, False))
    new = [_new_section(d) for d in program.data if d.address is None]
    return tuple(placed + _append(new, placed[-1]))


def _grown(program: Program, section: Section, text: Section, text_end: int) -> int:
    if section is text:
        return text_end - text.address
    if section.name == program.exception_table:
        return FORMATS[program.exception_format].size * sum(
            1 for f in program.functions for insn in f.insns() if insn.faults_to
        )
    return section.size


def _gap_needed(program: Program, section: Section, placed: list[Section], shift: int) -> int:
    """How much further this section must move, a multiple of every alignment, to begin behind the one before."""
    before = next((s for s in reversed(placed) if not (s.thread_local and s.zero)), placed[-1])
    end = before.address + before.size
    page = max([PAGE, *(s.align for s in program.sections)])
    address = section.address + shift
    original = next((s for s in reversed(program.sections) if s.name == before.name), None)
    separate = original is None or original.address + original.size <= section.address // PAGE * PAGE
    overlap = end - (address // PAGE * PAGE if separate and before.writable != section.writable else address)
    return align_up(overlap, page) if overlap > 0 else 0


def _new_section(data: Data) -> Section:
    return Section(data.name, 0, data.size, max(data.align, 4), False, data.writable, False)


def _append(new: list[Section], before: Section) -> list[Section]:
    """New data on pages of its own behind what is there."""
    address = align_up(before.address + before.size, PAGE)
    found = []
    for section in new:
        address = align_up(address, section.align)
        found.append(_moved(section, address, section.size))
        address += section.size
    return found


def _moved(s: Section, address: int, size: int) -> Section:
    return replace(s, address=address, size=size)
