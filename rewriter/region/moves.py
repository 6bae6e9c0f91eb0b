"""Block moves of a known, small count: each word alone, so that words of the frame need not be in memory for it.

    mov ecx, 2
    lea esi, [esp + 8]
    mov edi, [esp + 24]    ⇒    mov [ecx], eax
    rep movsd                   mov [ecx + 4], edx

A fault at the second word finds what the interrupted `rep` leaves: ecx counts what is left, esi and edi lead to it.

The limit is the measure's own: `rep` counts as one instruction, and wants three registers to be set.  A word that is
moved takes a load and a store, one that is filled a store; what stands in the frame as a value would have had to be
stored there for `rep`, so that it costs nothing more.  In modelled cycles that is always less: by Agner Fog's list
(`toykernel/machine/cycle_costs.py`), `rep movs` takes ten micro-operations to start and six for each word, a load and a
store three.
"""

from __future__ import annotations

from typing import Final

from rewriter.analysis.state import EVERYTHING
from rewriter.analysis.step import UNITS
from rewriter.region.algebra import binary, part
from rewriter.region.flag import Unsupported
from rewriter.region.moment import Moment, Place
from rewriter.region.value import WORD, Value
from rewriter.x86.decode import Mem
from rewriter.x86.effects import effects

ALONE: Final = 4  # instructions: `rep`, and to set ecx, esi and edi
MOST: Final = 8  # words, whatever they cost: each may fault, and leave by an exit of its own


def spread(m: Moment) -> bool:
    """Take a `rep movs` or `rep stos` apart; False where that is not possible, or costs more."""
    count, unit = m.state.registers["ecx"].constant, UNITS.get(m.decoded.mnemonic)
    if m.decoded.prefixes != ("rep",) or unit is None or count is None or not 0 < count <= MOST:
        return False
    if not m.step.state.upward or not _somewhere(m):
        return False
    before, effects_before, number = m.state.copy(), len(m.effects), m.count
    try:
        if _cost(m, count, unit) > ALONE:
            return False
        _spread(m, count, unit)
    except Unsupported:
        m.state.be(before)
        del m.effects[effects_before:]
        m.count, m.before = number, before
        return False
    return True


def _spread(m: Moment, count: int, unit: int) -> None:
    moves = m.decoded.mnemonic.startswith("movs")
    source, target, word = (m.state.registers[name] for name in ("esi", "edi", "eax"))
    for done in range(count):
        _count(m, source, target, moves, done * unit, count - done)
        m.before = m.state.copy()
        filled = word if unit == WORD else part(m.pool, word, 0, unit)
        value = m.load(_at(m, source, done * unit), unit) if moves else filled
        m.store(_at(m, target, done * unit), unit, value)
    _count(m, source, target, moves, count * unit, 0)


def _count(m: Moment, source: Value, target: Value, moves: bool, distance: int, left: int) -> None:
    """The registers of a `rep` that has come so far."""
    changed = {"ecx": m.pool.const(left), "edi": binary(m.pool, "add", target, m.pool.const(distance))}
    if moves:
        changed["esi"] = binary(m.pool, "add", source, m.pool.const(distance))
    m.state.registers |= changed


def _somewhere(m: Moment) -> bool:
    """Whether it is known of both ends which words of this stack they are, or that they are none."""
    found = effects(m.insn)
    for mem, size in (*found.loads, *found.stores):
        value = m.state.registers[mem.base or "esi"]
        if mem.segment in ("fs", "gs", "cs", "ss"):
            return False
        if value.offset is None and not _elsewhere(m, mem, size, value):
            return False
    return True


def _elsewhere(m: Moment, mem: Mem, size: int | None, value: Value) -> bool:
    touched = m.step.touched(mem, size)
    return touched is None or (touched == EVERYTHING and m.elsewhere(value))


def _at(m: Moment, pointer: Value, distance: int) -> Place:
    address = binary(m.pool, "add", pointer, m.pool.const(distance))
    if address.offset is not None:
        return address.offset
    m.by_segment()
    return address


def _cost(m: Moment, count: int, unit: int) -> int:
    """Instructions for words that are not values of the frame."""
    names = ("esi", "edi") if m.decoded.mnemonic.startswith("movs") else ("edi",)
    ends = [m.state.registers[name].offset for name in names]
    places = [(end, done * unit) for end in ends for done in range(count)]
    return sum(end is None or not m.virtual(end + distance, unit) for end, distance in places)
