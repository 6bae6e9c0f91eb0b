"""Other system calls than the programs': in place of one, or before it, from the same place in user mode.

A call made before the program's own begins at the same `int 0x80` and returns there, so that the program's is made
next, with the registers that it had; it never knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .forks import REGISTERS
from .interrupts import State
from .pc import Pc

Registers = tuple[int, ...]  # see REGISTERS


@dataclass(frozen=True)
class Turn:
    """A program is about to make a call; `extra`: how many others were made before it."""

    program: str
    registers: Registers
    site: int  # address of the `int 0x80`
    esp: int
    extra: int


@dataclass
class _Own:
    """The call that a program wanted to make, and how many were made before it."""

    registers: Registers
    passed: Registers  # by the call under way, which leaves all but eax as they were
    extra: int


class Steer:
    """`ask(turn)` answers with the registers of the call to be made, and whether it is one before the program's own."""

    def __init__(self, pc: Pc, ask: Callable[[Turn], tuple[Registers, bool]]) -> None:
        self._pc, self._ask = pc, ask
        self._user = pc.cpu.registers(*REGISTERS)
        self._own: dict[tuple[int, int | None, int], _Own] = {}  # by kernel stack, address space, site
        pc.before_call = self._at_call

    def _at_call(self, state: State) -> State:
        stack = self._pc.gates.kernel_stack(state.tss, state.directory)
        key = stack, state.directory, state.eip
        registers, extra = tuple(self._user.read()), 0
        own = self._own.pop(key, None)
        if own is not None and own.passed[1:] == registers[1:]:
            registers, extra = own.registers, own.extra
        turn = Turn(self._pc.trace.running(stack), registers, state.eip - 2, state.esp, extra)
        chosen, before = self._ask(turn)
        self._user.write(*chosen)
        if not before:
            return state
        self._own[key] = _Own(registers, chosen, extra + 1)
        return state._replace(eip=state.eip - 2)
