"""What a system call costs: every ring-0 instruction from the first at its gate to the `iret`, on its own stack (§6).

Counted by blocks, not instruction by instruction: what a fault broke off is given back, the iterations of a `rep` are
kept apart, and a block that goes over to another stack is divided there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .blocks import Block, describe
from .cpu import BlockHook
from .cycles import Ideal, Shape, shape
from .interrupts import State
from .observer import Entry
from .pc import Pc
from .trace import Cost

_ZERO, _DOWN = 1 << 6, 1 << 10  # ZF, DF in EFLAGS
_UNCONDITIONAL = ("movs", "stos", "lods")  # end when their count does


@dataclass
class _Stack:
    """A kernel stack: on whose account it runs, and what interrupted whom there."""

    cost: Cost
    interrupts: list[tuple[int, int, Cost]] = field(default_factory=list)  # eip and esp to return to, cost till then
    left: int = 0  # esp when it was last left for another


class _Code(NamedTuple):
    """A block of the kernel's code."""

    block: Block
    shape: Shape
    sure: int  # how many instructions run on the stack on which the block begins
    thirds: int  # of a cycle that these cost
    plain: bool  # neither changes the stack nor repeats anything


_Run = tuple[int, _Code]  # a block under way: its address, and what it is


class Meter:
    """An observer that counts on the accounts of calls; `instructions` counts all of ring 0.

    Interrupts of devices have accounts of their own, and so has what belongs to no call."""

    def __init__(self, pc: Pc, code: tuple[tuple[int, int], ...], stack_size: int, processor: Ideal) -> None:
        self.instructions = self._thirds = 0
        self._pc, self._stack_size = pc, stack_size
        self._cycles = processor
        self._begin = processor.begin
        self._esp = pc.cpu.registers("ESP")
        self._string = pc.cpu.registers("ESI", "EDI", "ECX", "EFLAGS")
        self._known: dict[tuple[int, int], _Code] = {}
        self._nobody = Cost()
        self._stacks: dict[int, _Stack] = {}
        self._stack = _Stack(self._nobody)  # the one in use
        self._cost = self._nobody  # its account
        self._last: _Run | None = None
        self._leaving = 0  # esp where the block under way changes the stack
        self._switched = False  # the block under way changes the stack; what comes then is not counted yet
        self._repeated = -1  # address of the `rep` under way
        self._before = 0  # iterations on the account when it began
        self._paused = -1  # address of a `rep` that goes on after a pause
        self._hook: BlockHook | None = None  # silent at the `rep` under way
        self._ahead = 0  # iterations that were left to it when it fell silent
        pc.stamp = self.stamp
        self._hooks = [pc.cpu.on_block(self._block, first, last) for first, last in code]

    def stamp(self) -> int:
        """The cycle clock: modelled in the kernel, one per instruction in user mode."""
        ahead = 0
        if self._last is not None:
            address, code = self._last
            done = code.block.before(self._pc.cpu.pc - address)
            ahead = code.shape.upto[code.sure] - code.shape.upto[done] if done is not None else 0
        return self._pc.clock.now + (self._thirds - ahead) // 3

    # ---- what the processor tells

    def _block(self, _: int, address: int, size: int) -> None:
        try:
            if address == self._repeated:
                self._cost.iterations += 1
                self._fall_silent(address)
            else:
                self.early(address, size)
        except BaseException as failure:
            self._pc.cpu.fail(failure)

    def _fall_silent(self, address: int) -> None:
        """Look away from a `rep` until it is over; what ends early, as comparisons do, is watched."""
        assert self._last is not None
        if self._last[1].shape.repeats[-5:-1] in _UNCONDITIONAL:
            self._hook = next(h for h in self._hooks if h.first <= address <= h.last)
            if self._hook.adjustable:
                self._ahead = self._string.read()[2]
                self._hook.leave_out(address)
            else:
                self._hook = None

    def _look_again(self) -> None:
        """Count what a `rep` did in silence."""
        if self._hook is not None:
            self._hook.restore()
            self._hook = None
            self._cost.iterations += self._ahead - self._string.read()[2]

    def early(self, address: int, size: int) -> None:
        if self._repeated >= 0:
            self._end_repetition()
        if self._switched:
            self._settle(self._esp.read()[0])
        interrupts = self._stack.interrupts
        if interrupts and interrupts[-1][0] == address and interrupts[-1][1] == self._esp.read()[0]:
            self._resume()
        code = self._known.get((address, size)) or self._describe(address, size)
        _, known, instructions, thirds, plain = code
        thirds += self._begin(address, size, known)
        cost = self._cost
        cost.instructions += instructions
        cost.thirds += thirds
        self.instructions += instructions
        self._thirds += thirds
        self._last = address, code
        self._paused, paused = -1, self._paused
        if not plain:
            self._watch(address, code, paused)

    def _watch(self, address: int, code: _Code, paused: int) -> None:
        """A block is under way that changes the stack, or ends with a `rep`."""
        self._switched = code.block.switch > 0
        if self._switched:
            self._leaving = self._esp.read()[0] - sum(code.block.pushed[: code.block.switch])
        if code.block.repeats:
            self._repeated = address + code.shape.last
            if self._repeated != paused:
                self._before = self._cost.iterations

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
        self._cycles.leave()
        self._last = None

    def pause(self, saved: State) -> None:
        if saved.ring == 0:
            self._paused = self._repeated if saved.eip == self._repeated else -1
            self._leave(saved)

    # ---- accounts

    def _charge(self, code: _Code, first: int, last: int) -> None:
        """Instructions `first` to `last` (not included) of the block; backwards, they are given back."""
        thirds = code.shape.upto[last] - code.shape.upto[first]
        self._cost.instructions += last - first
        self._cost.thirds += thirds
        self.instructions += last - first
        self._thirds += thirds

    def _leave(self, saved: State) -> None:
        """The block under way is left at `saved.eip`: what lies from there on did not retire."""
        self._look_again()
        if saved.eip == self._repeated and self._paused < 0 and self._cost.iterations > self._before:
            self._end_repetition(saved.eip)
        if self._last is not None:
            address, code = self._last
            retired = code.block.before(saved.eip - address)
            if retired is not None and retired < code.sure:
                self._charge(code, code.sure, retired)
            elif self._switched:
                self._settle(saved.esp, retired)
        self._cycles.leave()
        self._last, self._repeated, self._switched = None, -1, False

    def _settle(self, esp: int, retired: int | None = None) -> None:
        """The block under way changed the stack: from there on it ran, up to `retired` instructions, on this one.

        Who comes back finds esp where it was.  If it is elsewhere, the stack's last task is gone and another begins."""
        assert self._last is not None
        _, code = self._last
        self._switched = False
        stack = self._stacks.get(self._place(esp))
        if stack is not self._stack:
            self._stack.left = self._leaving
            self._cost.switches += 1
            if stack is None or stack.left != esp + sum(code.block.pushed[code.block.switch : retired]):
                stack = self._stacks[self._place(esp)] = _Stack(self._nobody)
            self._stack = stack
        self._cost = self._stack.cost
        self._charge(code, code.sure, len(code.block.sizes) if retired is None else retired)

    def _resume(self) -> None:
        """A device's interrupt is over."""
        _, _, cost = self._stack.interrupts.pop()
        cost.interrupted += self._cost.instructions
        self._cost = self._stack.cost = cost

    def _end_repetition(self, eip: int = -1) -> None:
        """The `rep` under way is over, or broken off at `eip`.

        The emulator comes by once more for each iteration, but for one that ends a comparison."""
        assert self._last is not None
        self._look_again()
        known = self._last[1].shape
        source, target, left, flags = self._string.read()
        elements = self._cost.iterations - self._before
        if eip != self._repeated and known.repeats[-5:-1] in ("scas", "cmps") and (left or elements):
            ended = bool(flags & _ZERO) == known.repeats.startswith("repne")
            self._cost.iterations += ended
            elements += ended
        thirds = self._cycles.repeat(known, elements, source, target, upwards=not flags & _DOWN)
        self._cost.thirds += thirds
        self._thirds += thirds
        self._repeated = -1

    def _describe(self, address: int, size: int) -> _Code:
        raw = self._pc.memory.read(address, size, self._pc.gates.state().directory)
        block = describe(raw)
        sure, known = block.switch or len(block.sizes), shape(raw)
        plain = not block.switch and not block.repeats
        code = self._known[address, size] = _Code(block, known, sure, known.upto[sure], plain)
        return code

    def _place(self, esp: int) -> int:
        """The kernel stack on which esp lies; an empty stack's esp is the first address behind it."""
        return (esp - 1) & -self._stack_size
