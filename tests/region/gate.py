"""A gate as the kernel has one, and what somebody sees of a call through it: run under Unicorn, interrupted everywhere.

The program's ds and es have another base than the kernel's, so that memory found by the wrong one is other memory.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random

import unicorn
from unicorn import x86_const as x86

from rewriter.contract import Contract, SystemCalls
from rewriter.facts import FLAT, UNSEEN
from tests.passes.lockstep import (
    _IDS,
    CODE,
    DATA,
    REGISTERS,
    ROOM,
    SENTINEL,
    STACK,
    STACK_SIZE,
    Linked,
    Start,
    _Watch,
    go,
    random_start,
)

SLOTS = 4
CONTRACT = Contract(SystemCalls("table", "sys_none", "gate", SLOTS), facts=(FLAT, UNSEEN))
KERNEL_CODE, KERNEL_DATA, SHIFTED, FLAT_TOO = 0x10, 0x18, 0x20, 0x28
NEED_RESCHED, SIGPENDING, TRACED = 0, 4, 16  # in the task, at the bottom of the stack
# What is called on the side writes down the whole frame that it is given.
GATE = """
gate:
    push eax
    cld
    push es
    push ds
    push eax
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    mov edx, 0x18
    mov ds, edx
    mov es, edx
    mov ebx, -8192
    and ebx, esp
    cmp eax, 4
    jae .bad
    test byte ptr [ebx + 16], 2
    jne .traced
    call [eax*4 + {data}]
    mov [esp + 24], eax
.return:
    cli
    cmp dword ptr [ebx], 0
    jne .resched
    cmp dword ptr [ebx + 4], 0
    jne .signal
    pop ebx
    pop ecx
    pop edx
    pop esi
    pop edi
    pop ebp
    pop eax
    pop ds
    pop es
    add esp, 4
    iretd
.bad:
    mov dword ptr [esp + 24], -38
    jmp .return
.traced:
    mov dword ptr [esp + 24], -38
    push esp
    call record
    add esp, 4
    mov eax, [esp + 36]
    call [eax*4 + {data}]
    mov [esp + 24], eax
    push esp
    call record
    add esp, 4
    jmp .return
.resched:
    sti
    mov dword ptr [ebx], 0
    push esp
    call record
    add esp, 4
    jmp .return
.signal:
    sti
    mov dword ptr [ebx + 4], 0
    push esp
    call record
    add esp, 4
    jmp .return
record:
    push esi
    push edi
    mov esi, [esp + 12]
    mov edi, [{data + LOG}]
    add edi, {data + LOG}
    mov ecx, 15
    rep movsd
    add dword ptr [{data + LOG}], 60
    pop edi
    pop esi
    ret
"""


@dataclass(frozen=True)
class Call:
    """A program that stands at the gate: its registers, segments, flags, and what its task has in store."""

    start: Start
    ds: int
    es: int
    flags: int
    task: tuple[int, int, int]  # need_resched, sigpending, ptrace


@dataclass
class Seen:
    """All that anybody can see afterwards."""

    registers: dict[str, int]
    segments: tuple[int, int, int]
    flags: int
    stack: bytes
    data: bytes
    task: bytes
    executed: int
    blocks: dict[str, int]
    edges: dict[tuple[str, str], int]
    trouble: str


def random_call(random: Random, start: Start | None = None) -> Call:
    """Anything; mostly nobody waits for the way back."""
    segments = (0, KERNEL_DATA, SHIFTED, FLAT_TOO)
    flags = random.choice((0x2, 0x402, 0x202, 0xED7))  # DF among them
    task = tuple(random.choice((0, 0, 0, 1)) for _ in range(2))
    traced = random.choice((0, 0, 0, 1, 2, 3))
    return Call(start or random_start(random), *random.choices(segments, k=2), flags, (*task, traced))  # type: ignore[arg-type]


def _descriptor(base: int, access: int) -> bytes:
    return struct.pack("<HHBBBB", 0xFFFF, base & 0xFFFF, base >> 16 & 0xFF, access, 0xCF, base >> 24)


TABLES = 0x300000
GDT = bytes(16) + b"".join(
    (_descriptor(0, 0x9B), _descriptor(0, 0x93), _descriptor(0x1000000, 0x93), _descriptor(0, 0x93))
)


def run(linked: Linked, call: Call, gate: str = "gate") -> Seen:
    """From the gate to the `iret`."""
    engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_32)
    for place, size in ((CODE, 0x80000), (DATA, ROOM), (STACK, STACK_SIZE), (TABLES, 0x1000)):
        engine.mem_map(place, size)
    engine.mem_write(CODE, linked.code)
    engine.mem_write(DATA, linked.data)
    engine.mem_write(TABLES, GDT)
    engine.reg_write(x86.UC_X86_REG_GDTR, (0, TABLES, len(GDT) - 1, 0))
    for name, selector in (("CS", KERNEL_CODE), ("SS", KERNEL_DATA), ("DS", call.ds), ("ES", call.es)):
        engine.reg_write(getattr(x86, f"UC_X86_REG_{name}"), selector)
    esp = STACK + STACK_SIZE - 64
    engine.mem_write(esp, struct.pack("<5I", SENTINEL, KERNEL_CODE, call.flags, 0x1234, 0x5678))
    resched, pending, traced = call.task
    engine.mem_write(STACK, struct.pack("<5I", resched, pending, 0, 0, traced))
    for name, value in call.start.registers.items():
        engine.reg_write(_IDS[name], value)
    engine.reg_write(_IDS["esp"], esp)
    engine.reg_write(x86.UC_X86_REG_EFLAGS, call.flags)
    watch = _Watch(linked, esp)
    go(engine, linked, linked.labels[gate], watch)
    found = {name: getattr(x86, f"UC_X86_REG_{name}") for name in ("DS", "ES", "SS", "EFLAGS")}
    values = {name: engine.reg_read(which) for name, which in found.items()}
    return Seen(
        {name: engine.reg_read(_IDS[name]) for name in REGISTERS},
        (values["DS"], values["ES"], values["SS"]),
        values["EFLAGS"],
        bytes(engine.mem_read(esp, STACK + STACK_SIZE - esp)),
        bytes(engine.mem_read(DATA, len(linked.data))),
        bytes(engine.mem_read(STACK, 64)),
        watch.executed,
        dict(watch.blocks),
        dict(watch.edges),
        watch.trouble,
    )
