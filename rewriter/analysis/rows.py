"""Unwinding rows and what the code does to its stack: compared in the input, and made from it behind the passes (§5.4).

    push ebx              CFA = esp + 4
    sub  esp, 8           CFA = esp + 8, and ebx lies at CFA - 8, or is what it was
    call f                CFA = esp + 16, and ebx lies at CFA - 8

Where the analysis knows at each instruction where the entry esp is, and where each register's old word is that a callee
keeps, that is the row.
"""

from __future__ import annotations

from typing import Final

from rewriter.analysis.state import State
from rewriter.analysis.value import WORD, Opaque, Value
from rewriter.analysis.values import Values
from rewriter.elf.image import ElfError
from rewriter.elf.unwind.rows import NUMBERS, RETURN, Plain
from rewriter.ir import Frame, Insn, Row, Unwinding
from rewriter.x86.flow import CALLS, flow

_NAMES: Final = {number: name for name, number in NUMBERS.items()}
_KEPT: Final = ("ebx", "ebp", "esi", "edi")
_BASES: Final = ("esp", "ebp", "ebx", "esi", "edi")  # of a frame


class Unwindable(Exception):
    """How the function is unwound is not known.  The message says why."""


def check(values: Values, unwinding: Unwinding) -> Frame | None:
    """The frame of a function's entry, if its rows say of all of its calls what the analysis does; None if none of
    its code has any.  Elsewhere rows need not be exact, and compilers differ.  Raises Unwindable."""
    frames: set[Frame | None] = set()
    main: Frame | None = None
    for block in values.blocks:
        for _, insn, state in values.walk(block.label):
            frame = unwinding.at(insn.origin) if insn.origin is not None else None
            frames.add(frame)
            main = main or frame
            if frame is not None and insn.origin is not None and flow(insn.raw) in CALLS:
                _compare(frame, unwinding.row(insn.origin), insn, state)
    if main is not None and None in frames:
        raise Unwindable("a part of its code has no unwinding entry")
    return main


def _compare(frame: Frame, row: Row | None, insn: Insn, state: State) -> None:
    plain = Plain.of(row, frame.kind.data_factor) if row is not None else None
    where = f" at {insn.origin:#x}"
    if plain is None or plain.register not in _NAMES:
        raise Unwindable("its frame is found by computing" + where)
    if plain.saved.pop(RETURN, None) != -WORD or frame.kind.return_column != RETURN:
        raise Unwindable("its return address is not where its callers put it" + where)
    if state.places[_NAMES[plain.register]].plus(plain.offset).slot != WORD:
        raise Unwindable("its unwinding row and the analysis do not agree on the frame" + where)
    for name in _KEPT:
        distance = plain.saved.pop(NUMBERS[name], None)
        held = state.places[name] if distance is None else state.places.get(WORD + distance)
        if not _is_old(held, name):
            raise Unwindable(f"its unwinding row and the analysis do not agree on {name}" + where)
    if plain.saved:
        raise Unwindable("its unwinding row saves a register that callees need not keep" + where)


def _is_old(value: Value | None, register: str) -> bool:
    """Whether this is the register's word at the entry."""
    base = value.base if value is not None else None
    return isinstance(base, Opaque) and base.place == f"entry {register}" and value is not None and not value.offset


def row(insn: Insn, before: State, behind: State, frame: Frame, args: bytes) -> Row:
    """The row of an instruction; for who returns into a call, it must hold behind that, too.  Raises Unwindable."""
    bases = [r for r in _BASES if before.places[r].slot is not None]
    if not bases:
        raise Unwindable("the frame is not known behind a pass")
    offset = WORD - (before.places[bases[0]].slot or 0)
    saved = {RETURN: -WORD}
    for name in _KEPT:
        if _is_old(before.places[name], name):
            continue
        slots = [s for s, value in before.places.items() if isinstance(s, int) and _is_old(value, name)]
        if flow(insn.raw) in CALLS:
            slots = [slot for slot in slots if _is_old(behind.places.get(slot), name)]
        if not slots:
            raise Unwindable(f"where {name} is saved is not known behind a pass")
        saved[NUMBERS[name]] = max(slots) - WORD
    if offset < 0:
        raise Unwindable("the frame lies below esp behind a pass")
    try:
        return Plain(NUMBERS[bases[0]], offset, saved).row(frame.kind.data_factor, args)
    except ElfError as error:
        raise Unwindable(f"{error}, behind a pass") from None
