"""One system call, instruction by instruction."""

from __future__ import annotations

from .interrupts import State
from .observer import Entry
from .pc import Pc
from .trace import Cost

_REGISTERS = ("EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI", "EFLAGS")
_MOST = 200_000  # instructions of a call that are kept


class Follow:
    """Notes the instructions of the `call`-th system call, counted from 0, that it executes on its own kernel stack; of
    the last call that began, if that is None.  `points`: (address, registers before it)."""

    def __init__(self, pc: Pc, code: tuple[tuple[int, int], ...], stack_size: int, call: int | None) -> None:
        self._pc, self._call, self._stack_size = pc, call, stack_size
        self._state = pc.cpu.registers(*_REGISTERS)
        self._stack = 0  # of the call that is followed
        self._nested = 0
        self.number = -1  # of the call that began last, or that is followed
        self.points: list[tuple[int, tuple[int, ...]]] = []
        for first, last in code:
            pc.cpu.on_instruction(self._step, first, last)
        pc.observers.append(self)

    def gate(self, entry: Entry, saved: State, stack: int, cost: Cost | None) -> None:
        if cost is None or (self._call is not None and self.number == self._call):
            return
        self.number += 1
        if self._call in (None, self.number):
            self._stack = stack
            self.points.clear()

    def user(self, stack: int) -> None:
        if stack == self._stack:
            self._stack = 0

    def early(self, address: int, size: int) -> None:
        """Before paging there are no calls."""

    def pause(self, saved: State) -> None:
        """The instruction at which the processor stopped is announced again."""

    def _step(self, _: int, address: int, size: int) -> None:
        if not self._stack or len(self.points) >= _MOST:
            return
        try:
            registers = tuple(self._state.read())
            if self._stack - self._stack_size < registers[4] <= self._stack:
                self.points.append((address, registers))
        except BaseException as failure:
            self._pc.cpu.fail(failure)
