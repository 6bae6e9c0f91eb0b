"""A bare processor for inserted code: a program is written as an image, loaded into flat memory, and called."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import unicorn
from unicorn import x86_const as x86

from rewriter.elf.emit import emit
from rewriter.elf.place import place
from rewriter.ir import Data, Function, Program, Section, Segment

CODE, STACK, STOP = 0x100000, 0x800000, 0xF00000  # STACK: the top, aligned to more than any stack size
STACK_PAGES = 8
GENERAL = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp")
ARITHMETIC = 0x8D5  # cf pf af zf sf of
INTERRUPTS = 0x200  # if
PT_LOAD, READ_WRITE_EXECUTE = 1, 7


def program_of(functions: Sequence[Function], data: Sequence[Data] = ()) -> Program:
    """A program of these alone, ready to be written."""
    text = Section(".text", CODE, 16, 16, executable=True, writable=False, zero=False)
    segment = Segment(PT_LOAD, READ_WRITE_EXECUTE, 4096, (".text",), headers=False, load_bias=0)
    return Program(list(functions), list(data), functions[0].name, sections=(text,), segments=(segment,))


class Flat:
    """The image of a program in memory, its registers and its flags."""

    def __init__(self, program: Program) -> None:
        self.addresses = place(program).addresses
        self.uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_32)
        self.uc.mem_map(0, STOP + 0x1000)
        _load(self.uc, emit(program))
        self.uc.mem_write(STOP, b"\xf4\xf4")
        self.registers = dict.fromkeys(GENERAL, 0) | {"esp": STACK - 0x100}
        self.flags = 2

    def call(self, label: str, steps: int = 0) -> None:
        """Call `label`; with `steps`, only so many instructions of it."""
        self.push(STOP)
        self.jump(self.addresses[label], steps)

    def jump(self, address: int, steps: int = 0) -> int:
        """Run from `address` until a call returns, or for `steps` instructions; returns eip."""
        for name, value in self.registers.items():
            self.uc.reg_write(getattr(x86, f"UC_X86_REG_{name.upper()}"), value)
        self.uc.reg_write(x86.UC_X86_REG_EFLAGS, self.flags)
        self.uc.emu_start(address, STOP, count=steps or 1_000_000)
        for name in GENERAL:
            self.registers[name] = self.uc.reg_read(getattr(x86, f"UC_X86_REG_{name.upper()}"))
        self.flags = self.uc.reg_read(x86.UC_X86_REG_EFLAGS)
        return self.uc.reg_read(x86.UC_X86_REG_EIP)

    def push(self, word: int) -> None:
        self.registers["esp"] -= 4
        self.write(self.registers["esp"], word)

    def write(self, address: int, *words: int) -> None:
        self.uc.mem_write(address, struct.pack(f"<{len(words)}I", *words))

    def read(self, label: str, size: int) -> bytes:
        return bytes(self.uc.mem_read(self.addresses[label], size))

    def state(self) -> tuple[dict[str, int], int]:
        """Everything that a probe must keep."""
        return dict(self.registers), self.flags


def _load(uc: unicorn.Uc, image: bytes) -> None:
    (table,) = struct.unpack_from("<I", image, 28)
    (count,) = struct.unpack_from("<H", image, 44)
    for i in range(count):
        kind, offset, address, _, size = struct.unpack_from("<5I", image, table + 32 * i)
        if kind == PT_LOAD:
            uc.mem_write(address, image[offset : offset + size])
