"""What it takes to execute one instruction and see what it did."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from rewriter.x86.state import AF, ALL_REGISTERS, CF, DF, IF, OF, PF, SF, ZF

MASK = 0xFFFFFFFF
CODE, CODE_SIZE = 0x10000000, 0x100000
DATA, DATA_SIZE = 0x20000000, 0x10000
PAGE = 0x1000
FLAG_BITS = {CF: 0, PF: 2, AF: 4, ZF: 6, SF: 7, OF: 11, DF: 10, IF: 9}
LOCATIONS = tuple(1 << bit for bit in range(32)) + tuple(FLAG_BITS)


def contents(page: int) -> bytes:
    """What is in a page of memory before every instruction."""
    return random.Random(page).randbytes(PAGE)


@dataclass(slots=True)
class State:
    """Eight registers, and flags in the bits of `FLAG_BITS`."""

    registers: list[int]
    flags: int

    def get(self, location: int) -> int:
        if location <= ALL_REGISTERS:
            register, byte = divmod(location.bit_length() - 1, 4)
            return self.registers[register] >> 8 * byte & 0xFF
        return self.flags >> FLAG_BITS[location] & 1

    def changed(self, location: int, rng: random.Random) -> None:
        """Another value in this place."""
        if location <= ALL_REGISTERS:
            register, byte = divmod(location.bit_length() - 1, 4)
            self.registers[register] ^= rng.randrange(1, 256) << 8 * byte
        else:
            self.flags ^= 1 << FLAG_BITS[location]

    def copy(self) -> State:
        return State(list(self.registers), self.flags)


@dataclass(slots=True)
class Outcome:
    """What is there afterwards.  `fault`: "memory", "trap", or None."""

    state: State
    fault: str | None
    reads: set[int]  # addresses of bytes
    written: dict[int, int]  # bytes by address


class Processor(Protocol):
    """Who executes one instruction at a time."""

    watches: bool  # whether every access to memory is seen, or changes only

    def map(self, page: int) -> None:
        """Make a page of memory with contents of its own, the same in every run."""

    def place(self, raw: bytes) -> None:
        """The instruction that `run` executes from now on."""

    def run(self, state: State) -> Outcome:
        """Execute it, put memory back, and tell."""
