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
    has one counts by hand.

    Each kernel stack has its own open call.  Who comes back to a stack finds esp where it was; otherwise the last task
    there is gone, and another begins, on nobody's account."""

    pc: Pc
    calls: list[Count] = field(default_factory=list)
    total: Count = field(default_factory=Count)
    _open: dict[int, Count | None] = field(default_factory=dict)  # by stack: the last call of its task
    _left: dict[int, int] = field(default_factory=dict)  # by stack: esp when it was last seen
    _stack: int = 0  # the last
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
        stack = (esp - 1) & -STACK_SIZE
        if stack != self._stack and self._left.get(stack) != esp:
            self._open[stack] = None
        self._stack = stack
        self._left[stack] = esp
        for count in (self.total, self._open.get(stack)):
            if count is not None and again:
                count.iterations += 1
            elif count is not None:
                count.instructions += 1
        self._previous = address

    def gate(self, entry, saved, stack, cost):
        if entry is Entry.EXCEPTION and saved.ring == 0:
            for count in (self.total, self._open.get(self._stack)):
                if count is not None:
                    count.instructions -= 1  # it was broken off
        if stack:
            self._stack = (stack - 1) & -STACK_SIZE
            self._open[self._stack] = None
        if cost is not None:
            self.calls.append(Count())
            self._open[self._stack] = self.calls[-1]
        self._previous = -1

    def user(self, stack):
        self._previous = -1

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
