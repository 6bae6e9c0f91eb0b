"""What a system call costs: every ring-0 instruction from the first at its gate to the `iret`, on its own stack (§6).

Counted by blocks, not instruction by instruction: what a fault broke off is given back, the iterations of a `rep` are
kept apart, and a block that goes over to another stack is divided there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .blocks import Block, describe
from .interrupts import State
from .pc import Entry, Pc
from .trace import Cost


@dataclass
class _Stack:
    """A kernel stack: on whose account it runs, and what interrupted whom there."""

    cost: Cost
    interrupts: list[tuple[int, int, Cost]] = field(default_factory=list)  # eip and esp to return to, cost till then


class Meter:
    """An observer that counts on the accounts of calls; `instructions` counts all of ring 0.

    Interrupts of devices have accounts of their own, and so has what belongs to no call."""

    def __init__(self, pc: Pc, code: tuple[tuple[int, int], ...], stack_size: int) -> None:
        self.instructions = 0
        self._pc = pc
        self._stack_size = stack_size
        self._esp = pc.cpu.registers("ESP")
        self._known: dict[tuple[int, int], Block] = {}
        self._nobody = Cost()
        self._stacks: dict[int, _Stack] = {}
        self._stack = _Stack(self._nobody)  # the one in use
        self._cost = self._nobody  # its account
        self._last: tuple[int, Block] | None = None  # the block under way
        self._repeated = -1  # address of the `rep` under way
        self._switched = False  # the block under way changes the stack; what comes then is not counted yet
        for first, last in code:
            pc.cpu.on_block(self._block, first, last)

    def _block(self, _: int, address: int, size: int) -> None:
        try:
            if address == self._repeated:
                self._cost.iterations += 1
            else:
                self.early(address, size)
        except BaseException as failure:
            self._pc.cpu.fail(failure)

    def early(self, address: int, size: int) -> None:
        if self._switched:
            self._settle(self._esp.read()[0])
        interrupts = self._stack.interrupts
        if interrupts and interrupts[-1][0] == address and interrupts[-1][1] == self._esp.read()[0]:
            self._resume()
        key = address, size
        block = self._known.get(key)
        if block is None:
            directory = self._pc.gates.state().directory
            block = self._known[key] = describe(self._pc.memory.read(address, size, directory))
        self._charge(block.switch or len(block.sizes))
        self._last = address, block
        self._switched = block.switch > 0
        self._repeated = address + size - block.sizes[-1] if block.repeats else -1

    def gate(self, entry: Entry, saved: State, stack: int, cost: Cost | None) -> None:
        if stack:
            self._stack = self._stacks[self._place(stack)] = _Stack(cost or self._nobody)
            self._cost = self._stack.cost
            return
        self._leave(saved)
        self._stacks[self._place(saved.esp)] = self._stack
        if entry is Entry.EXCEPTION:
            self._cost.faults += 1
        elif entry is Entry.DEVICE:
            self._stack.interrupts.append((saved.eip, saved.esp, self._cost))
            self._cost = self._stack.cost = Cost()

    def user(self, stack: int) -> None:
        if self._switched:
            self._settle(stack)
        self._last, self._repeated = None, -1

    def pause(self, saved: State) -> None:
        if saved.ring == 0:
            self._leave(saved)

    def _charge(self, instructions: int) -> None:
        self._cost.instructions += instructions
        self.instructions += instructions

    def _leave(self, saved: State) -> None:
        """The block under way is left at `saved.eip`: what lies from there on did not retire."""
        if self._last is not None:
            address, block = self._last
            retired = block.before(saved.eip - address)
            counted = block.switch or len(block.sizes)
            if retired is not None and retired < counted:
                self._charge(retired - counted)
            elif self._switched:
                self._settle(saved.esp, retired)
        self._last, self._repeated, self._switched = None, -1, False

    def _settle(self, esp: int, retired: int | None = None) -> None:
        """The block under way changed the stack: from there on it ran, up to `retired` instructions, on this one."""
        assert self._last is not None
        _, block = self._last
        self._switched = False
        self._stack = self._stacks.setdefault(self._place(esp), _Stack(self._nobody))
        self._cost = self._stack.cost
        self._charge((len(block.sizes) if retired is None else retired) - block.switch)

    def _resume(self) -> None:
        """A device's interrupt is over."""
        _, _, cost = self._stack.interrupts.pop()
        cost.interrupted += self._cost.instructions
        self._cost = self._stack.cost = cost

    def _place(self, esp: int) -> int:
        """The kernel stack on which esp lies; an empty stack's esp is the first address behind it."""
        return (esp - 1) & -self._stack_size
