"""Where Unicorn's saved context keeps the exception that it reported: in no interface, so it is looked for."""

from __future__ import annotations

import ctypes
import gc
import struct
from functools import cache
from typing import Any, NamedTuple

import unicorn.x86_const as x86
from unicorn.unicorn_const import UC_ARCH_X86, UC_HOOK_INTR, UC_MODE_32
from unicorn.unicorn_py3 import unicorn as binding

Uc: Any = binding.Uc


class Words(NamedTuple):
    """Places, in 32-bit words, of a saved context: the exception that is pending, its error code, and whether an
    `int` asked for it."""

    pending: int
    error: int
    software: int


@cache
def exception_words() -> Words:
    """Find the places, which no interface tells, by watching them change at exceptions that are known."""
    division = _context_after(b"\x31\xc9\xf7\xf1")  # xor ecx, ecx; div ecx
    fault = _context_after(b"\xa3\x00\x50\x00\x00")  # mov [0x5000], eax, to a read-only page
    software = _context_after(b"\xcd\x20")  # int 0x20
    gc.collect(1)  # these engines and their hooks hold each other: a gigabyte of addresses each
    seen = list(zip(division, fault, software, strict=True))
    patterns = {"pending": (0, 14, -1), "error": (0, 3, 0), "software": (0, 0, 1)}
    places = {name: [i for i, values in enumerate(seen) if values == known] for name, known in patterns.items()}
    if any(len(found) != 1 for found in places.values()):
        raise RuntimeError(f"this version of Unicorn keeps its exceptions elsewhere: {places}")
    return Words(**{name: found[0] for name, found in places.items()})


def _context_after(code: bytes) -> list[int]:
    """The words of the context saved in the first interrupt of `code`, run with paging and write protection."""
    engine = Uc(UC_ARCH_X86, UC_MODE_32)
    context: list[int] = []
    engine.mem_map(0, 0x10000)
    engine.mem_write(0x1000, code)
    engine.mem_write(0x2000, struct.pack("<I", 0x3003))
    engine.mem_write(0x3000, struct.pack("<16I", *(page << 12 | (1 if page == 5 else 3) for page in range(16))))
    engine.reg_write(x86.UC_X86_REG_CR3, 0x2000)
    engine.reg_write(x86.UC_X86_REG_CR0, 0x80010011)

    def save(*_: object) -> None:
        saved = engine.context_save()
        words = ctypes.cast(saved.context, ctypes.POINTER(ctypes.c_int32))
        context.extend(words[: saved.size // 4])
        engine.emu_stop()

    engine.hook_add(UC_HOOK_INTR, save)
    engine.ctl_exits_enabled(True)
    engine.emu_start(0x1000, 0)
    return context
