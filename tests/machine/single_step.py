"""What a call costs, told by looking at every instruction: slow, simple, and independent of how the machine counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from toykernel.machine import Workload
from toykernel.machine.multiboot import parse
from toykernel.machine.observer import Entry
from toykernel.machine.pc import Pc

STACK_SIZE = 8192
REPEATABLE = set(b"\xa4\xa5\xaa\xab\xac\xad")


@dataclass
class Count:
    instructions: int = 0
    iterations: int = 0


@dataclass
class SingleStep:
    """Instructions and iterations of every call, and of all of ring 0.  It knows no nested interrupts: the test that
    has one counts by hand."""

    pc: Pc
    calls: list[Count] = field(default_factory=list)
    total: Count = field(default_factory=Count)
    _open: Count | None = None  # the last call of the task that is in the kernel
    _stack: int = 0  # where its kernel stack begins
    _previous: int = -1

    def __post_init__(self):
        self._registers = self.pc.cpu.registers("CS", "ESP")

    def _repeats(self, address, size):
        code = self.pc.memory.read(address, size, self.pc.gates.state().directory)
        return code[0] in (0xF2, 0xF3) and code[1] in REPEATABLE

    def step(self, _, address, size):
        cs, esp = self._registers.read()
        if cs & 3:
            return
        again = address == self._previous and self._repeats(address, size)
        mine = self._stack - STACK_SIZE < esp <= self._stack
        for count in (self.total, self._open if mine else None):
            if count is not None and again:
                count.iterations += 1
            elif count is not None:
                count.instructions += 1
        self._previous = address

    def gate(self, entry, saved, stack, cost):
        if entry is Entry.EXCEPTION and saved.ring == 0:
            for count in (self.total, self._open):
                if count is not None:
                    count.instructions -= 1  # it was broken off
        if stack:
            self._open, self._stack = None, stack
        if cost is not None:
            self._open = Count()
            self.calls.append(self._open)
        self._previous = -1

    def user(self, stack):
        self._open, self._previous = None, -1

    def early(self, address, size):
        pass

    def pause(self, saved):
        """Only at power-off: the oracle runs in one slice."""


def single_step(kernel: bytes, workload: Workload) -> SingleStep:
    """Boot and run with every instruction looked at."""
    pc = Pc(parse(kernel), workload)
    oracle = SingleStep(pc)
    pc.cpu.on_instruction(oracle.step, 0, (1 << 32) - 1)
    pc.observers.append(oracle)
    pc.run(1 << 31, 1 << 31)
    return oracle
