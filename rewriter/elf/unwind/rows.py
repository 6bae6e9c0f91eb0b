"""Call frame information: DWARF instructions become rows, one for each place where something changes, and again
instructions (DWARF 4, §6.4).

    advance 1; def_cfa_offset 8; offset ebx, 2      ⇔      +0: CFA = esp + 4
                                                           +1: CFA = esp + 8, ebx at CFA - 8
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from rewriter.elf.image import ElfError
from rewriter.elf.unwind.fields import Reader, sleb, uleb
from rewriter.ir import Row

ADVANCE, OFFSET, RESTORE = 0x40, 0x80, 0xC0
NOP, SET_LOC, ADVANCE_1, ADVANCE_2, ADVANCE_4 = 0, 1, 2, 3, 4
RESTORE_EXTENDED, REMEMBER, RECALL = 6, 10, 11
DEF_CFA, DEF_CFA_REGISTER, DEF_CFA_OFFSET, DEF_CFA_EXPRESSION = 12, 13, 14, 15
DEF_CFA_SF, DEF_CFA_OFFSET_SF = 18, 19
ARGS_SIZE = 0x2E  # how many bytes of arguments the unwinder drops before it goes on
# The numbers of registers, and that of the return address, on i386.
NUMBERS: Final = {"eax": 0, "ecx": 1, "edx": 2, "ebx": 3, "esp": 4, "ebp": 5, "esi": 6, "edi": 7}
RETURN: Final = 8
# Rules of one register, by the operands that follow its number.
_RULES = {5: "u", 7: "", 8: "", 9: "u", 16: "b", 17: "s", 20: "u", 21: "s", 22: "b", 0x2F: "u"}
_SIZES = {ADVANCE_1: 1, ADVANCE_2: 2, ADVANCE_4: 4}


@dataclass
class State:
    """What the instructions so far say."""

    data_factor: int
    register: int = 0
    offset: int = 0
    expression: bytes = b""  # in place of register and offset
    rules: dict[int, bytes] = field(default_factory=dict)
    args: bytes = b""

    def row(self) -> Row:
        plain = bytes((DEF_CFA,)) + uleb(self.register) + uleb(max(self.offset, 0))
        if self.offset < 0:
            plain = bytes((DEF_CFA_SF,)) + uleb(self.register) + sleb(self.offset // self.data_factor)
        return self.expression or plain, tuple(sorted(self.rules.items())), self.args


@dataclass(frozen=True, slots=True)
class Plain:
    """A row that needs no expression: the frame's address (CFA) is `register + offset`, and the callers' registers lie
    at these distances from it, by number; where one is missing, the register has its caller's word."""

    register: int
    offset: int
    saved: dict[int, int]

    @staticmethod
    def of(row: Row, data_factor: int) -> Plain | None:
        """What a row says; None where it says more than that."""
        rows = Rows(1, data_factor)
        rows.run(row[0], 0)
        saved: dict[int, int] = {}
        for register, rule in row[1]:
            reader = Reader(rule, 0, 1)
            if rule[0] != OFFSET | register:
                return None
            saved[register] = reader.uleb() * data_factor
        return None if rows.state.expression else Plain(rows.state.register, rows.state.offset, saved)

    def row(self, data_factor: int, args: bytes = b"") -> Row:
        """The same as a row; `args`: of which the unwinder drops so many bytes.  Raises ElfError."""
        if any(distance % data_factor or distance // data_factor < 0 for distance in self.saved.values()):
            raise ElfError("a register is saved where an unwinding row of its kind cannot say it")
        rules = {r: bytes((OFFSET | r,)) + uleb(distance // data_factor) for r, distance in self.saved.items()}
        plain = bytes((DEF_CFA,)) + uleb(self.register) + uleb(self.offset)
        return plain, tuple(sorted(rules.items())), args


class Rows:
    """Executes instructions from `start` on."""

    def __init__(self, code_factor: int, data_factor: int) -> None:
        self.code_factor = code_factor
        self.state = State(data_factor)
        self.initial: dict[int, bytes] = {}
        self._remembered: list[tuple[int, int, bytes, dict[int, bytes]]] = []

    def run(self, code: bytes, start: int) -> list[tuple[int, Row]]:
        """The rows, each with the address where it begins.  Raises ElfError."""
        reader, at = Reader(code, 0), start
        found: dict[int, Row] = {}
        while reader.at < len(code):
            begin = reader.at
            opcode = reader.number(1)
            step = self._step(opcode, reader)
            if step is not None:
                found[at] = self.state.row()
                at += step * self.code_factor
            else:
                self._execute(opcode, reader, begin)
        found[at] = self.state.row()
        return list(found.items())

    def _step(self, opcode: int, reader: Reader) -> int | None:
        if opcode & 0xC0 == ADVANCE:
            return opcode & 0x3F
        return reader.number(_SIZES[opcode]) if opcode in _SIZES else None

    def _execute(self, opcode: int, reader: Reader, begin: int) -> None:
        state = self.state
        if opcode & 0xC0 == OFFSET:
            reader.uleb()
            state.rules[opcode & 0x3F] = reader.raw[begin : reader.at]
        elif opcode & 0xC0 == RESTORE or opcode == RESTORE_EXTENDED:
            self._restore(reader.uleb() if opcode == RESTORE_EXTENDED else opcode & 0x3F)
        elif opcode in _RULES:
            register = reader.uleb()
            self._skip(_RULES[opcode], reader)
            state.rules[register] = reader.raw[begin : reader.at]
        elif opcode in (DEF_CFA, DEF_CFA_SF):
            state.register, state.expression = reader.uleb(), b""
            state.offset = reader.uleb() if opcode == DEF_CFA else reader.sleb() * state.data_factor
        elif opcode == DEF_CFA_REGISTER:
            state.register, state.expression = reader.uleb(), b""
        elif opcode in (DEF_CFA_OFFSET, DEF_CFA_OFFSET_SF):
            state.offset = reader.uleb() if opcode == DEF_CFA_OFFSET else reader.sleb() * state.data_factor
        elif opcode == DEF_CFA_EXPRESSION:
            self._skip("b", reader)
            state.expression = reader.raw[begin : reader.at]
        elif opcode == ARGS_SIZE:
            reader.uleb()
            state.args = reader.raw[begin : reader.at]
        elif opcode == REMEMBER:
            self._remembered.append((state.register, state.offset, state.expression, dict(state.rules)))
        elif opcode == RECALL and self._remembered:
            state.register, state.offset, state.expression, state.rules = self._remembered.pop()
        elif opcode != NOP:
            raise ElfError(f"unwinding tables with the instruction {opcode:#x} are not understood")

    def _restore(self, register: int) -> None:
        self.state.rules.pop(register, None)
        if register in self.initial:
            self.state.rules[register] = self.initial[register]

    def _skip(self, operand: str, reader: Reader) -> None:
        if operand == "b":
            reader.bytes(reader.uleb())
        elif operand == "u":
            reader.uleb()
        elif operand == "s":
            reader.sleb()


def rows_of(rules: bytes, code: bytes, start: int, factors: tuple[int, int]) -> list[tuple[int, Row]]:
    """The rows of an entry whose kind begins with `rules`."""
    rows = Rows(*factors)
    rows.run(rules, start)
    rows.initial = dict(rows.state.rules)
    return rows.run(code, start)


def instructions(rules: bytes, rows: Iterable[tuple[int, Row]], start: int, factors: tuple[int, int]) -> bytes:
    """Instructions that give the rows again."""
    first = Rows(*factors)
    first.run(rules, 0)
    current, at = first.state.row(), start
    out = bytearray()
    for address, row in rows:
        if row == current:
            continue
        out += _advance((address - at) // factors[0])
        out += _difference(current, row)
        current, at = row, address
    return bytes(out)


def _advance(distance: int) -> bytes:
    if distance == 0:
        return b""
    if distance < 0x40:
        return bytes((ADVANCE | distance,))
    opcode, size = next((o, s) for o, s in _SIZES.items() if distance < 1 << 8 * s)
    return bytes((opcode,)) + distance.to_bytes(size, "little")


def _difference(before: Row, after: Row) -> bytes:
    out = bytearray(b"" if before[0] == after[0] else _shorter(before[0], after[0]))
    had, has = dict(before[1]), dict(after[1])
    for register in sorted(had.keys() | has.keys()):
        if had.get(register) == has.get(register):
            continue
        if register not in has:  # no rule: unwinders that we know take a "restore" for that, whatever the kind says
            out += bytes((RESTORE | register,)) if register < 0x40 else bytes((RESTORE_EXTENDED,)) + uleb(register)
        else:
            out += has[register]
    if before[2] != after[2]:
        out += after[2] or bytes((ARGS_SIZE, 0))
    return bytes(out)


def _shorter(before: bytes, after: bytes) -> bytes:
    """Only the offset or the register, where the other stays."""
    if before[0] != DEF_CFA or after[0] != DEF_CFA:
        return after
    old, new = Reader(before, 0, 1), Reader(after, 0, 1)
    registers, offsets = (old.uleb(), new.uleb()), (old.uleb(), new.uleb())
    if registers[0] == registers[1]:
        return bytes((DEF_CFA_OFFSET,)) + uleb(offsets[1])
    return bytes((DEF_CFA_REGISTER,)) + uleb(registers[1]) if offsets[0] == offsets[1] else after
