"""Tiny multiboot kernels for the machine's tests: flat memory, one user page table, one task, handlers in assembly.

Everything but the handlers is built here as data, so that a test shows only the instructions that it is about.
Keystone gets some system instructions wrong; those are written as bytes, in the macros below.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

from toykernel.machine import Machine, Run, Workload
from toykernel.machine.multiboot import parse
from toykernel.machine.pc import Pc

KERNEL = 0xC0100000  # where the kernel is linked; loaded at 1 MiB
USER = 0x08048000  # where the user's code begins; one page, read-only
DATA = 0x08050000  # sixteen user pages of zeros, writable
ABSENT = 0x08080000  # a user address that no page backs
STACK = KERNEL + 0xA000  # top of the only kernel stack
USER_STACK = DATA + 0x10000
_DIRECTORY, _TABLE, _IDT, _GDT, _TSS, _CODE = 0x1000, 0x2000, 0x3000, 0x3800, 0x3900, 0x4000
_FRAMES = 0x20000  # user page frames, relative to KERNEL

MACROS = {
    "iretd": ".byte 0xcf",
    "ltr_ax": ".byte 0x0f, 0x00, 0xd8",
    "pushfd": ".byte 0x9c",
    "popfd": ".byte 0x9d",
    "rep_movsd": ".byte 0xf3, 0xa5",
    "rep_stosd": ".byte 0xf3, 0xab",
    "lgdt": f".byte 0x0f, 0x01, 0x15; .long {_GDT + 0x60 + 0x100000:#x}",
    "lidt": f".byte 0x0f, 0x01, 0x1d; .long {_IDT + 0x7F8 + KERNEL:#x}",
    "power_off": "mov al, 0; out 0xf4, al; cli; hlt",
    "fail": "mov al, 3; out 0xf4, al; cli; hlt",
    "say": "push edx; mov edx, 0x3f8; out dx, al; pop edx",  # al, on the console
    "eoi": "mov al, 0x20; out 0x20, al",
}

BOOT = f"""
    lgdt
    mov eax, {0x100000 + _DIRECTORY}
    mov cr3, eax
    mov eax, 0x10
    mov cr4, eax
    mov eax, 0x80010001
    mov cr0, eax
    .byte 0xea; .long {{high:#x}}; .short 8
"""
TIMER = """  # vector 0x20, a tick every 100 user instructions
    mov al, 0x11; out 0x20, al; mov al, 0x20; out 0x21, al; mov al, 4; out 0x21, al; mov al, 1; out 0x21, al
    mov al, 0xfe; out 0x21, al
    mov al, 0x34; out 0x43, al; mov al, 100; out 0x40, al; mov al, 0; out 0x40, al
"""
HIGH = f"""
    mov eax, 0x10; mov ds, ax; mov es, ax; mov ss, ax
    mov esp, {STACK}
    lidt
    mov eax, 0x28
    ltr_ax
"""
TO_USER = f"""
    mov eax, 0x23; mov ds, ax; mov es, ax
    push 0x23; push {USER_STACK}; push 0x202; push 0x1b; push {USER}
    iretd
"""


@cache
def assemble(text: str, address: int) -> bytes:
    """Intel-syntax assembly, with the macros above, at `address`."""
    from keystone import KS_ARCH_X86, KS_MODE_32, Ks

    lines = [line.split("#")[0].strip() for part in text.splitlines() for line in part.split(";")]
    words = [re.sub(r"[a-z_]+$", lambda word: MACROS.get(word[0], word[0]), line) for line in lines if line]
    code, _ = Ks(KS_ARCH_X86, KS_MODE_32).asm(";".join(words).replace(";", "\n"), address, as_bytes=True)
    return bytes(code)


def guest(
    user: str = "jmp .",
    handlers: Mapping[int, str] | None = None,
    *,
    start: str = "",
    ring3: tuple[int, ...] = (0x80, 3),
    functions: Mapping[int, str] | None = None,
) -> bytes:
    """A kernel that runs `start`, then `user` in ring 3.  `handlers` are the gates (vector → assembly), interrupt
    gates all of them, those in `ring3` open to user mode.  `functions` are further pieces at KERNEL + offset."""
    image = bytearray(0x32000)
    struct.pack_into("<III", image, 0, 0x1BADB002, 3, -(0x1BADB002 + 3) & 0xFFFFFFFF)
    high = KERNEL + 0x100
    _put(image, 0x20, assemble(BOOT.format(high=high), 0x100020))
    _put(image, 0x100, assemble(HIGH + start + TO_USER, high))
    _put(image, _FRAMES, assemble(user, USER))
    _tables(image)
    at = _CODE
    for vector, text in (handlers or {}).items():
        code = assemble(text, KERNEL + at)
        _put(image, at, code)
        address = KERNEL + at
        kind = 0xEE if vector in ring3 else 0x8E
        struct.pack_into("<HHBBH", image, _IDT + vector * 8, address & 0xFFFF, 8, 0, kind, address >> 16)
        at += len(code) + 15 & ~15
    for offset, text in (functions or {}).items():
        _put(image, offset, assemble(text, KERNEL + offset))
    return elf(bytes(image))


def _put(image: bytearray, offset: int, code: bytes) -> None:
    assert not any(image[offset : offset + len(code)]), f"pieces overlap at {offset:#x}"
    image[offset : offset + len(code)] = code


def _tables(image: bytearray) -> None:
    """Page tables, GDT with its pointer, TSS, and the IDT's pointer (behind entry 0xfe: 0xff is not used)."""
    for index, entry in ((0, 0x83), (0x300, 0x83), (0x20, 0x100000 + _TABLE + 7)):
        struct.pack_into("<I", image, _DIRECTORY + index * 4, entry)
    frame = 0x100000 + _FRAMES
    struct.pack_into("<I", image, _TABLE + 0x48 * 4, frame + 5)
    for page in range(16):
        frame += 0x1000
        struct.pack_into("<I", image, _TABLE + (0x50 + page) * 4, frame + 7 if page != 8 else 0)
    tss = KERNEL + _TSS
    flat = [0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF, 0x00CFFA000000FFFF, 0x00CFF2000000FFFF]
    flat.append(0x0000890000000067 | (tss & 0xFFFFFF) << 16 | (tss >> 24) << 56)
    struct.pack_into("<6Q", image, _GDT, *flat)
    struct.pack_into("<HI", image, _GDT + 0x60, 0x2F, KERNEL + _GDT)
    struct.pack_into("<II", image, _TSS + 4, STACK, 0x10)
    struct.pack_into("<H", image, _TSS + 0x66, 0x68)
    struct.pack_into("<HI", image, _IDT + 0x7F8, 0x7F7, KERNEL + _IDT)


def elf(image: bytes, *, address: int = KERNEL, physical: int = 0x100000, entry: int = KERNEL + 0x20) -> bytes:
    """A one-segment ELF executable around `image`."""
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, entry, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 0x1000, address, physical, len(image), len(image) + 0x1000, 7, 0x1000)
    return (header + segment).ljust(0x1000, b"\0") + image


def boot(kernel: bytes) -> Pc:
    """A PC that is about to start the kernel."""
    return Pc(parse(kernel), Workload([]))


def run(kernel: bytes, *, slice_size: int = 1000, **options: Any) -> Run:
    """Boot until power-off; a guest that makes no progress for ten thousand instructions hangs."""
    return Machine(budget=10_000, slice_size=slice_size).run(kernel, Workload([]), **options)
