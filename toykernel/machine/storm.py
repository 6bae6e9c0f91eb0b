"""The timer's interrupt at every kernel instruction at which it may arrive: a test of what must bear that (§5).

Not part of any measurement: where results are compared, the work clock alone drives the timer."""

from __future__ import annotations

from .blocks import without_prefixes
from .interrupts import INTERRUPTS
from .pc import Pc

_STI, _POP_SS, _MOV_SS = 0xFB, 0x17, 0x8E


class Storm:
    """Interrupts ring 0 before every `period`-th instruction that has interrupts enabled, `rep` in each iteration.

    `times`: how often there, one behind the other; `once`: only at the first of these instructions."""

    def __init__(
        self, pc: Pc, code: tuple[tuple[int, int], ...], period: int, *, times: int = 1, once: bool = False
    ) -> None:
        self._pc, self._period = pc, period
        self._left, self._times, self._once = period, times, once
        self._more = 0  # interrupts where the last one returned to
        self.chances = 0  # instructions that could be interrupted, up to now
        self._state = pc.cpu.registers("EFLAGS", "ESP")
        self._resumed = (-1, -1)  # where the last interrupt returns to: address and esp
        self._shadowed: dict[int, bool] = {}  # by address: no interrupt may follow this instruction
        self._shadow = False
        for first, last in code:
            pc.cpu.on_instruction(self._step, first, last)

    def _step(self, _: int, address: int, size: int) -> None:
        try:
            shadow, self._shadow = self._shadow, self._casts_shadow(address, size)
            flags, esp = self._state.read()
            if shadow or not flags & INTERRUPTS:
                self._resumed = (-1, -1) if flags & INTERRUPTS else self._resumed
                return
            if self._resumed == (address, esp):
                if not self._more:
                    self._resumed = (-1, -1)
                    return
                self._more -= 1
            else:
                self.chances += 1
                self._left -= 1
                if self._left:
                    return
                self._left = -1 if self._once else self._period
                self._resumed, self._more = (address, esp), self._times - 1
            self._shadow = False
            self._pc.interrupt()
        except BaseException as failure:
            self._pc.cpu.fail(failure)

    def _casts_shadow(self, address: int, size: int) -> bool:
        """Whether this is `sti`, or loads the stack segment: interrupts wait for one instruction more."""
        known = self._shadowed.get(address)
        if known is None:
            raw = self._pc.memory.read(address, size, self._pc.gates.state().directory)
            opcode = without_prefixes(raw)
            loads = opcode[0] == _MOV_SS and opcode[1] >> 3 & 7 == 2
            known = self._shadowed[address] = opcode[0] in (_STI, _POP_SS) or loads
        return known
