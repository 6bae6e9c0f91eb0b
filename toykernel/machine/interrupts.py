"""Gate delivery: what a processor does between an interrupt and the first instruction of its handler.

Unicorn reports interrupts and exceptions and vectors none.  IDT, GDT and TSS are read from the guest's memory by a
page walk, the frame is pushed there, and one ordered batch of register writes enters ring 0.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .cpu import Cpu
from .errors import MachineError
from .memory import Memory, PageFault

PAGING = 1 << 31  # in CR0
PROTECTION = 1
_WRITE_PROTECT = 1 << 16  # for ring 0 too
INTERRUPTS = 1 << 9  # IF in EFLAGS
_CLEARED = 1 << 8 | 1 << 14 | 1 << 16 | 1 << 17  # TF, NT, RF, VM: at every gate
DOUBLE_FAULT, SEGMENT_ABSENT, BAD_STACK, PROTECTION_FAULT, PAGE_FAULT = 8, 11, 12, 13, 14
_CONTRIBUTORY = {0, 10, 11, 12, 13}
_WITH_ERROR = {8, 10, 11, 12, 13, 14, 17}
_STATE = ("EIP", "CS", "SS", "ESP", "EFLAGS", "CR0", "CR3", "IDTR", "GDTR", "TR")


class State(NamedTuple):
    """The registers that delivery depends on, in the order of `_STATE`."""

    eip: int
    cs: int
    ss: int
    esp: int
    eflags: int
    cr0: int
    cr3: int
    idtr: int
    idt: int
    idt_limit: int
    gdtr: int
    gdt: int
    gdt_limit: int
    tr: int
    tss: int
    tss_limit: int

    @property
    def ring(self) -> int:
        return self.cs & 3

    @property
    def directory(self) -> int | None:
        """What a page walk starts from: CR3, None while paging is off."""
        return self.cr3 if self.cr0 & PAGING else None


class _Fault(Exception):
    """Delivery itself raised an exception."""

    def __init__(self, vector: int, error: int, address: int | None = None) -> None:
        super().__init__(vector, error)
        self.vector, self.error, self.address = vector, error, address


class Gates:
    """Delivers interrupts to the guest."""

    def __init__(self, cpu: Cpu, memory: Memory) -> None:
        self._memory = memory
        self._state = cpu.registers(*_STATE)
        # Entering ring 0 loads SS, which is refused in ring 3: without protection the write is free and makes the
        # ring 0; only then may SS and CS be loaded from their descriptors.  Paging needs protection: off with it.
        self._enter = cpu.registers("CR0", "SS", "CR0", "SS", "CS", "ESP", "EFLAGS", "EIP")
        self._stay = cpu.registers("CS", "ESP", "EFLAGS", "EIP")
        self._fault_address = cpu.registers("CR2")

    def state(self) -> State:
        return State(*self._state.read())

    def interrupt(self, vector: int, state: State) -> None:
        """Deliver a device's interrupt; `state.eip` is where to return to."""
        self._deliver(vector, state, None)

    def software(self, vector: int, state: State) -> State:
        """Deliver an `int` that was executed just before `state.eip`.  The answer is the state that was saved: where
        the gate is closed to this ring a protection fault is delivered instead, with eip at the `int`."""
        try:
            if self._gate(vector, state) >> 45 & 3 < state.ring:
                raise _Fault(PROTECTION_FAULT, vector * 8 + 2)
        except _Fault as fault:
            state = state._replace(eip=state.eip - self._size_before(vector, state))
            self._deliver(fault.vector, state, fault.error)
            return state
        self._deliver(vector, state, None)
        return state

    def exception(self, vector: int, state: State, error: int = 0) -> None:
        """Deliver an exception of the processor at `state.eip`."""
        self._deliver(vector, state, error if vector in _WITH_ERROR else None)

    def kernel_stack(self, tss: int, directory: int | None) -> int:
        """Where ring 0's stack begins for entries from user mode: the task's identity.  0 where no TSS is."""
        try:
            return self._memory.word(self._memory.translate(tss + 4, directory))
        except PageFault:
            return 0

    def _size_before(self, vector: int, state: State) -> int:
        """Bytes of the `int` before eip: `int3` and `into` have one, others two."""
        last = self._memory.read(state.eip - 1, 1, state.directory)
        return 1 if (vector, last) in ((3, b"\xcc"), (4, b"\xce")) else 2

    def _deliver(self, vector: int, state: State, error: int | None) -> None:
        """Deliver; faults on the way are delivered instead, up to the triple fault that ends the machine."""
        first = vector
        while True:
            try:
                return self._enter_gate(vector, state, error)
            except _Fault as fault:
                if vector == DOUBLE_FAULT:
                    raise MachineError(
                        f"triple fault at {state.eip:#x}: interrupt {first} cannot be delivered"
                    ) from None
                worse = vector == PAGE_FAULT or (vector in _CONTRIBUTORY and fault.vector != PAGE_FAULT)
                vector, error = (DOUBLE_FAULT, 0) if worse else (fault.vector, fault.error)
                if fault.address is not None:
                    self._fault_address.write(fault.address)

    def _enter_gate(self, vector: int, state: State, error: int | None) -> None:
        gate = self._gate(vector, state)
        selector, target = gate >> 16 & 0xFFFF, (gate & 0xFFFF) | (gate >> 32 & 0xFFFF0000)
        ring = self._code_ring(selector, state)
        frame = [state.eip, state.cs, state.eflags]
        if error is not None:
            frame.insert(0, error)
        stack, esp = state.ss, state.esp
        if ring < state.ring:
            frame += [state.esp, state.ss]
            esp, stack = self._inner_stack(ring, state)
        esp = esp - 4 * len(frame) & 0xFFFFFFFF
        self._push(esp, frame, state)
        flags = state.eflags & ~_CLEARED
        if gate >> 40 & 1 == 0:  # an interrupt gate, not a trap gate
            flags &= ~INTERRUPTS
        if ring < state.ring:
            without = state.cr0 & ~(PAGING | PROTECTION)
            self._enter.write(without, 0, state.cr0, stack, selector | ring, esp, flags, target)
        else:
            self._stay.write(selector | ring, esp, flags, target)

    def _gate(self, vector: int, state: State) -> int:
        """The eight bytes of the vector's gate.  Raises _Fault where it cannot be used."""
        if vector * 8 + 7 > state.idt_limit:
            raise _Fault(PROTECTION_FAULT, vector * 8 + 2)
        gate = self._descriptor(state.idt + vector * 8, state)
        if gate >> 40 & 0x1E != 0x0E:  # 32-bit interrupt or trap gate
            raise _Fault(PROTECTION_FAULT, vector * 8 + 2)
        if not gate >> 47 & 1:
            raise _Fault(SEGMENT_ABSENT, vector * 8 + 2)
        return gate

    def _code_ring(self, selector: int, state: State) -> int:
        """The privilege level of a handler's code segment."""
        at = selector & ~7
        if not at or selector & 4 or at + 7 > state.gdt_limit:
            raise _Fault(PROTECTION_FAULT, at)
        descriptor = self._descriptor(state.gdt + at, state)
        ring = descriptor >> 45 & 3
        if descriptor >> 43 & 3 != 3 or ring > state.ring:  # a code segment, not above the interrupted one
            raise _Fault(PROTECTION_FAULT, at)
        if not descriptor >> 47 & 1:
            raise _Fault(SEGMENT_ABSENT, at)
        return state.ring if descriptor >> 42 & 1 else ring  # conforming code runs where it is called

    def _inner_stack(self, ring: int, state: State) -> tuple[int, int]:
        """(ESP, SS) of an inner ring, from the TSS."""
        if 4 + ring * 8 + 5 > state.tss_limit:
            raise _Fault(10, state.tr & ~7)
        both = self._descriptor(state.tss + 4 + ring * 8, state)
        return both & 0xFFFFFFFF, both >> 32 & 0xFFFF

    def _descriptor(self, linear: int, state: State) -> int:
        try:
            return int.from_bytes(self._memory.read(linear & 0xFFFFFFFF, 8, state.directory), "little")
        except PageFault as fault:
            raise _Fault(PAGE_FAULT, fault.code, fault.address) from None

    def _push(self, esp: int, frame: list[int], state: State) -> None:
        """Write the frame, lowest word first, when all of it is known to fit."""
        protected = bool(state.cr0 & _WRITE_PROTECT)
        try:
            places = [
                self._memory.translate(esp + 4 * i & 0xFFFFFFFF, state.directory, write=protected)
                for i in range(len(frame))
            ]
        except PageFault as fault:
            raise _Fault(PAGE_FAULT, fault.code, fault.address) from None
        for place, word in zip(places, frame, strict=True):
            self._memory.store(place, struct.pack("<I", word & 0xFFFFFFFF))
