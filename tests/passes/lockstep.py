"""Two functions run on equal states under Unicorn, and what may be different afterwards: nothing that anybody sees.

Before every instruction the bytes below esp are overwritten, as an interrupt would; an access to the unmapped user
page continues at the instruction's fixup, as the kernel's fault handler would do it.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import unicorn
from unicorn import x86_const as x86

from rewriter.ir import END, Data, Function, Insn, Program, RefKind
from rewriter.x86.encode import jump
from rewriter.x86.flow import Flow, flow

CODE, DATA, STACK, USER = 0x400000, 0x500000, 0x700000, 0x900000  # USER is never mapped
STACK_SIZE = 8192
ROOM = 0x20000  # bytes mapped for data
SENTINEL = CODE  # where the outermost call returns to
LIMIT = 20000  # instructions
MASK = 0xFFFFFFFF
REGISTERS = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")
_IDS = {name: getattr(x86, f"UC_X86_REG_{name.upper()}") for name in REGISTERS}


@dataclass(slots=True)
class Linked:
    """Code and data at addresses."""

    code: bytes
    data: bytes
    labels: dict[str, int]
    fixups: dict[int, int]
    leaders: dict[int, str]


@dataclass(frozen=True, slots=True)
class Start:
    """A state at a function's first instruction."""

    registers: Mapping[str, int]
    stack: bytes  # from esp upwards, behind the return address
    data: bytes | None = None  # in place of the program's


@dataclass(slots=True)
class End:
    """What is left: registers, the stack from the entry esp upwards, data; and how control went."""

    registers: dict[str, int]
    stack: bytes
    data: bytes
    executed: int
    blocks: Counter[str] = field(default_factory=Counter)
    edges: Counter[tuple[str, str]] = field(default_factory=Counter)
    deepest: int = 0
    trouble: str = ""


def link(program: Program, extra: Iterable[Function] = (), data: Iterable[Data] = ()) -> Linked:
    """Place everything, branches in their long form."""
    blocks = [block for function in (*program.functions, *extra) for block in function.blocks]
    labels: dict[str, int] = {}
    at = DATA
    every = [*program.data, *data]
    for datum in every:
        labels[datum.name], labels[datum.name + END] = at, at + datum.size
        at += datum.size + -datum.size % 16
    code_at, insns = CODE + 16, []
    leaders = {}
    for block in blocks:
        labels[block.label] = code_at
        leaders[code_at] = block.label
        body = [*block.insns, *([jump(block.falls_to)] if block.falls_to else [])]
        for insn in body or [Insn(b"\x90")]:
            wide = _wide(insn)
            insns.append((code_at, wide))
            code_at += len(wide.raw)
    code = bytearray(b"\xf4" * 16)
    for address, insn in insns:
        code += _patched(insn, address, labels)
    raw = bytearray()
    for datum in every:
        words = bytearray(datum.raw + bytes(datum.zero_size + -datum.size % 16))
        for offset, ref in datum.refs.items():
            struct.pack_into("<I", words, offset, (labels[ref.target] + ref.addend) & MASK)
        raw += words
    fixups = {address: labels[insn.faults_to] for address, insn in insns if insn.faults_to}
    return Linked(bytes(code), bytes(raw), labels, fixups, leaders)


def _wide(insn: Insn) -> Insn:
    """PC8 → PC32, for jmp and jcc."""
    if not insn.refs or insn.refs[0].kind is not RefKind.PC8:
        return insn
    ref = insn.refs[0]
    head = b"\xe9" if flow(insn.raw) is Flow.JUMP else bytes((0x0F, insn.raw[0] + 0x10))
    moved = type(ref)(len(head), RefKind.PC32, ref.target, ref.addend)
    return Insn(head + bytes(4), (moved,), insn.origin, insn.faults_to)


def _patched(insn: Insn, address: int, labels: Mapping[str, int]) -> bytes:
    raw = bytearray(insn.raw)
    for ref in insn.refs:
        value = labels[ref.target] + ref.addend
        if ref.kind is RefKind.PC32:
            value -= address + ref.offset + 4
        struct.pack_into("<I", raw, ref.offset, value & MASK)
    return bytes(raw)


def random_start(random: Random, arguments: int = 8, **registers: int) -> Start:
    """Registers and stack words at random, small numbers and corner values among them."""
    values = {name: word(random) for name in REGISTERS if name != "esp"} | registers
    return Start(values, b"".join(struct.pack("<I", word(random)) for _ in range(arguments)))


def word(random: Random) -> int:
    return random.choice(
        (random.getrandbits(32), random.getrandbits(4), 0, 1, 2, 0x80000000, MASK, random.getrandbits(31))
    )


def run(linked: Linked, label: str, start: Start, lower: int = 0) -> End:
    """Call the function at `label` and wait for its return; on a stack that begins `lower` bytes further down, which
    is left out of what is told."""
    engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_32)
    for place, size in ((CODE, 0x40000), (DATA, ROOM), (STACK, STACK_SIZE)):
        engine.mem_map(place, size)
    engine.mem_write(CODE, linked.code)
    engine.mem_write(DATA, start.data if start.data is not None else linked.data)
    top = STACK + STACK_SIZE - lower
    esp = top - 64 - len(start.stack)
    engine.mem_write(esp, struct.pack("<I", SENTINEL) + start.stack)
    for name, value in start.registers.items():
        engine.reg_write(_IDS[name], value)
    engine.reg_write(_IDS["esp"], esp)
    engine.reg_write(x86.UC_X86_REG_EFLAGS, 2)
    watch = _Watch(linked, esp)
    go(engine, linked, linked.labels[label], watch)
    registers = {name: engine.reg_read(_IDS[name]) for name in REGISTERS}
    registers["esp"] += lower
    above = bytes(engine.mem_read(esp + 4, top - esp - 4))
    data = bytes(engine.mem_read(DATA, len(linked.data)))
    return End(registers, above, data, watch.executed, watch.blocks, watch.edges, esp - watch.lowest, watch.trouble)


def go(engine: Any, linked: Linked, address: int, watch: _Watch) -> None:
    """Run from there until SENTINEL is reached, over faults that have a fixup."""
    hook = engine.hook_add(unicorn.UC_HOOK_CODE, watch.step)
    _go(engine, linked, address, watch)
    _unhook(engine, hook)


def _unhook(engine: Any, hook: int) -> None:
    """An engine and its hook hold each other, and the hook itself: gigabytes, before somebody looks for circles."""
    function = engine._callbacks[hook]
    engine.hook_del(hook)
    function._objects.clear()


def _go(engine: Any, linked: Linked, address: int, watch: _Watch) -> None:
    while True:
        try:
            engine.emu_start(address, SENTINEL, count=LIMIT)
        except unicorn.UcError as error:
            at = engine.reg_read(x86.UC_X86_REG_EIP)
            if at in linked.fixups:
                address = linked.fixups[at]
                watch.last = ""
                continue
            watch.trouble = f"{error} at {at:#x}"
            return
        if engine.reg_read(x86.UC_X86_REG_EIP) != SENTINEL:
            watch.trouble = watch.trouble or "does not return"
        return


class _Watch:
    """Counts, and writes garbage below esp."""

    def __init__(self, linked: Linked, esp: int) -> None:
        self.linked = linked
        self.lowest = esp
        self.executed = 0
        self.blocks: Counter[str] = Counter()
        self.edges: Counter[tuple[str, str]] = Counter()
        self.last = ""
        self.trouble = ""

    def step(self, engine: Any, address: int, size: int, _: object) -> None:
        if address == SENTINEL:
            return
        self.executed += 1
        label = self.linked.leaders.get(address)
        if label is not None:
            self.blocks[label] += 1
            if self.last:
                self.edges[self.last, label] += 1
            self.last = label
        esp = engine.reg_read(_IDS["esp"])
        self.lowest = min(self.lowest, esp)
        if not STACK + 256 <= esp <= STACK + STACK_SIZE:
            self.trouble = f"esp is {esp:#x}"
            engine.emu_stop()
            return
        engine.mem_write(esp - 128, b"\xa5" * 128)
