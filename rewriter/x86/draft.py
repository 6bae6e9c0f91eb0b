"""The effects of one instruction while the rules write them down."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from rewriter.x86.anatomy import OPERAND_16
from rewriter.x86.operands import Decoded, Imm, Mem, Operand, Reg
from rewriter.x86.state import EAX, EDX, ESP, FPU, SEG, SSE, SYS, register_mask

SEGMENTS = ("es", "cs", "ss", "ds", "fs", "gs")
ACCUMULATORS = {1: "al", 2: "ax", 4: "eax"}  # by size in bytes


class Access(NamedTuple):
    """Memory that is read or written: `size` bytes from where `mem` leads with the registers **before** the
    instruction; with size None an unknown number of bytes above or below it."""

    mem: Mem
    size: int | None


ANYWHERE = Access(Mem(), None)


class NotUnderstood(Exception):
    """There is no rule for this form; it gets the effects of an unknown instruction."""


class Draft:
    """Collects what the rules find.  Starts as an instruction that does nothing."""

    def __init__(self, decoded: Decoded, opaque_imm: bool = False, opaque_disp: bool = False) -> None:
        self.decoded = decoded
        self.mnemonic = decoded.mnemonic
        self.operands = decoded.operands
        self.opaque_imm = opaque_imm  # the immediate is a relocated field: its value means nothing here
        self.opaque_disp = opaque_disp  # the same of the displacement
        self.reads = 0
        self.writes = 0
        self.may_write = 0
        self.loads: list[Access] = []
        self.stores: list[Access] = []
        self.esp_change: int | None = 0
        self.fixed: str | None = None
        self.faults = False

    @property
    def narrow(self) -> bool:
        """Whether a 66 prefix halves the size of a push, a pop or of what has no operands."""
        return OPERAND_16 in self.decoded.raw[: self.decoded.prefix_size]

    def refuse(self) -> NoReturn:
        raise NotUnderstood(self.decoded.raw.hex(" "))

    def known_imm(self, operand: Operand) -> int | None:
        """The operand's value if it is an immediate that means what it says."""
        return operand.value if isinstance(operand, Imm) and not self.opaque_imm else None

    def read(self, *operands: Operand) -> None:
        """Registers, and memory with its address, are read."""
        for operand in operands:
            if isinstance(operand, Reg):
                self.reads |= self.mask(operand)
            elif isinstance(operand, Mem):
                self.address(operand)
                self.loads.append(Access(operand, operand.size))

    def write(self, operand: Operand) -> None:
        """The operand is overwritten whatever happens (unless the instruction faults)."""
        if isinstance(operand, Reg):
            self.set(self.mask(operand))
        elif isinstance(operand, Mem):
            self.address(operand)
            self.stores.append(Access(operand, operand.size))

    def maybe_write(self, operand: Operand) -> None:
        """The operand may be overwritten, or its new value is undefined.  Memory keeps what is not written."""
        if isinstance(operand, Reg):
            self.touch(self.mask(operand))
        elif isinstance(operand, Mem):
            self.read(operand)
            self.write(operand)

    def set(self, mask: int) -> None:
        """Certainly overwritten."""
        self.writes |= mask
        self.touch(mask)

    def touch(self, mask: int) -> None:
        """May be written."""
        self.may_write |= mask
        if mask & ESP:
            self.esp_change = None  # rules that know better say so afterwards

    def address(self, mem: Mem) -> None:
        """The registers that lead to memory are read."""
        for name in (mem.base, mem.index):
            self.reads |= register_mask(name) if name else 0
        if mem.segment:
            self.reads |= SEG
            self.fixed = "segment override"

    def move_esp(self, distance: int) -> None:
        """esp is read, and moves by a constant."""
        self.reads |= ESP
        self.set(ESP)
        self.esp_change = distance

    def anywhere(self) -> None:
        """Any memory may be read and written."""
        self.loads.append(ANYWHERE)
        self.stores.append(ANYWHERE)

    def lump(self, mask: int, why: str) -> None:
        """Part of a lump is read or changes: the instruction stays where it is."""
        self.reads |= mask
        self.touch(mask)
        self.fixed = why

    def mask(self, operand: Reg) -> int:
        """The bits of any register."""
        name = operand.name
        if name in SEGMENTS:
            return SEG
        if name.startswith(("cr", "dr", "tr")):
            return SYS
        if name.startswith(("st", "mm", "fp")):
            return FPU
        if name.startswith(("xmm", "ymm", "zmm")):
            return SSE
        return register_mask(name)

    def wide_accumulator(self, size: int) -> int:
        """What holds the double-sized product or dividend: ax, dx:ax or edx:eax."""
        if size == 1:
            return register_mask("ax")
        return EAX | EDX if size == 4 else register_mask("ax") | register_mask("dx")
