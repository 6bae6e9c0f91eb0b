"""Segment registers and the direction flag, where code begins at the gate: there they are still the program's.

The entry saves ds and es, loads its own, clears the flag, and gives all back before `iret`.  Where nobody asks for them
in between, that need not happen: the processor has loaded ss at the gate with a segment that names the same memory
(the contract says so), and no instruction but those on strings looks at the flag.  So they are values, too: what code
believes to be in them is one thing (`State`), what is there another (`Places`), and the second is made the first only
at an exit, before a call, and before an instruction that insists on them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rewriter.ir import Insn
from rewriter.region.flag import Unsupported
from rewriter.region.value import WORD, Pool, Value
from rewriter.x86.anatomy import SEGMENT_PREFIXES, STRING_OPCODES, anatomy
from rewriter.x86.decode import Decoded
from rewriter.x86.effects import Effects
from rewriter.x86.operands import Mem, Reg
from rewriter.x86.state import REGISTERS, SEG

if TYPE_CHECKING:
    from rewriter.region.moment import Moment

NUMBERS = {"es": 0, "ds": 3}  # as the processor counts them
SS_PREFIX = next(byte for byte, name in SEGMENT_PREFIXES.items() if name == "ss")
_PUSH, _POP = {b"\x06": "es", b"\x1e": "ds"}, {b"\x07": "es", b"\x1f": "ds"}


class Segments(NamedTuple):
    """What ds and es hold, and whether the direction flag is known to be clear."""

    ds: Value
    es: Value
    upward: bool

    @staticmethod
    def of_program(pool: Pool) -> Segments:
        """Those that the program had at the gate: anything."""
        return Segments(pool.make("segment", "ds"), pool.make("segment", "es"), False)

    def name_memory(self) -> bool:
        """Whether the entry has loaded its own, so that an address means what it says."""
        return self.ds.constant is not None and self.ds is self.es

    def loaded(self, name: str, value: Value) -> Segments:
        """The same but for one of the registers."""
        return self._replace(ds=value) if name == "ds" else self._replace(es=value)

    def holder(self, value: Value) -> str | None:
        """The segment register with this value."""
        return next((name for name, held in (("ds", self.ds), ("es", self.es)) if held is value), None)


def moved(m: Moment) -> bool:
    """Take an instruction that only moves segment registers or the direction flag; whether it is one."""
    held = m.state.segments
    assert held is not None
    raw, mnemonic = m.insn.raw, m.decoded.mnemonic
    if mnemonic == "cld":
        m.state.segments = held._replace(upward=True)
    elif raw in _PUSH:
        m.state.esp -= WORD
        m.store(m.state.esp, WORD, held.ds if _PUSH[raw] == "ds" else held.es)
    elif raw in _POP:
        value = m.load(m.state.esp, WORD)
        m.move_esp(m.pool.stack(m.state.esp + WORD))
        _load(m, held, _POP[raw], value)
    elif mnemonic == "mov" and isinstance(m.decoded.operands[0], Reg) and m.decoded.operands[0].name in NUMBERS:
        if not isinstance(m.decoded.operands[1], Reg):
            raise Unsupported("a segment register loaded from memory")
        _load(m, held, m.decoded.operands[0].name, m.state.registers["e" + m.decoded.operands[1].name[-2:]])
    else:
        return False
    return True


def _load(m: Moment, held: Segments, name: str, value: Value) -> None:
    """The entry's own segment, or what the register held at the gate; anything else is not followed."""
    if value.constant is None and value is not m.pool.make("segment", name):
        raise Unsupported(f"{name} gets an unknown segment")
    m.state.segments = held.loaded(name, value)


def insists(decoded: Decoded, found: Effects) -> bool:
    """Whether an instruction that stays as it is finds its memory by ds or es and cannot be told to use ss, or looks at
    the direction flag.  Raises Unsupported where it does something else with segments."""
    parts = anatomy(decoded.raw)
    if (found.reads | found.may_write) & SEG:
        raise Unsupported(f"{decoded.mnemonic} with a segment register")
    if not found.loads and not found.stores:
        return False
    return parts.opcode in STRING_OPCODES or sum(isinstance(o, Mem) for o in decoded.operands) != 1


def with_ss(insn: Insn) -> Insn:
    """The same instruction with its memory found by ss."""
    refs = tuple(replace(ref, offset=ref.offset + 1) for ref in insn.refs)
    return replace(insn, raw=bytes([SS_PREFIX]) + insn.raw, refs=refs)


def to_register(segment: str, register: str) -> Insn:
    """`mov register, segment`, all 32 bits of it."""
    return Insn(bytes([0x8C, 0xC0 | NUMBERS[segment] << 3 | REGISTERS.index(register)]))


def from_register(segment: str, register: str) -> Insn:
    return Insn(bytes([0x8E, 0xC0 | NUMBERS[segment] << 3 | REGISTERS.index(register)]))
