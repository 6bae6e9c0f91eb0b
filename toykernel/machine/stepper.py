"""Watching the kernel instruction by instruction: how often it comes by, and a shadow of its call stacks.

Slow, and therefore an oracle: what inserted counters and stack walks tell is compared with this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from .blocks import is_repeated, without_prefixes
from .interrupts import PAGING, State
from .memory import PageFault
from .multiboot import Image
from .observer import Entry
from .pc import Pc
from .trace import Cost

# What is special about an instruction, as bits.
_WATCHED, _ENTRY, _CALL, _RETURN, _IRET, _REPEATED = 1, 2, 4, 8, 16, 32
_RETURNS = {0xC2, 0xC3, 0xCA, 0xCB}
_OPCODE_IRET, _LONGEST = 0xCF, 15
_MOST_HOOKS = 32  # each is looked at whenever one of them may be meant
_FRAME = 12  # bytes that an exception within ring 0 saves: eip, cs, eflags


class Stepper:
    """An observer with a hook on every kernel instruction that may matter.  The results are `executed` and `stacks`.

    An instruction counts when it begins, a `rep` once, and not again when it is restarted after a fault."""

    def __init__(
        self,
        pc: Pc,
        image: Image,
        stack_size: int,
        watch: Collection[int] = (),
        shadow: Collection[int] = (),
    ) -> None:
        self.executed = dict.fromkeys(sorted(watch), 0)
        self.stacks: Counter[tuple[int, tuple[int, ...]]] = Counter()
        self._pc, self._stack_size, self._shadow = pc, stack_size, frozenset(shadow)
        self._kinds: dict[int, int] = {}
        self._frames: dict[int, list[tuple[int, int]]] = {}  # by stack: (place, return address), outermost first
        self._faults: dict[int, int] = {}  # by the place of what was saved: eip
        self._repeating = self._restarting = -1
        self._state = pc.cpu.registers("ESP", "CR0", "CR3")
        for first, last in image.code if shadow else _few(list(_near(watch, image))):
            pc.cpu.on_instruction(self._step, first, last)

    def gate(self, entry: Entry, saved: State, stack: int, cost: Cost | None) -> None:
        if stack:
            self._frames[self._place(stack)] = []
        elif entry is Entry.EXCEPTION:
            self._faults[saved.esp - _FRAME] = saved.eip

    def user(self, stack: int) -> None:
        self._repeating = -1

    def early(self, address: int, size: int) -> None:
        """Code before paging is not watched."""

    def pause(self, saved: State) -> None:
        """The instruction at which the processor stopped was not announced yet."""

    def _step(self, _: int, address: int, size: int) -> None:
        try:
            if address == self._repeating:
                return
            self._repeating = -1
            kind = self._kinds.get(address)
            if kind is None:
                kind = self._kinds[address] = self._classify(address, size)
            if kind or address == self._restarting:
                self._special(kind, address, size)
        except BaseException as failure:
            self._pc.cpu.fail(failure)

    def _special(self, kind: int, address: int, size: int) -> None:
        if kind & _REPEATED:
            self._repeating = address
        if address == self._restarting:
            self._restarting = -1
            return
        if kind & _WATCHED:
            self.executed[address] += 1
        if kind & _IRET:
            self._return_from_fault()
        if kind & _ENTRY:
            self._note_stack(address)
        if kind & _CALL:
            self._call(address + size)
        if kind & _RETURN:
            self._drop(self._state.read()[0])

    def _classify(self, address: int, size: int) -> int:
        instruction = self._pc.memory.read(address, size, self._directory())
        opcode = without_prefixes(instruction)
        kind = _WATCHED if address in self.executed else 0
        kind |= _REPEATED if is_repeated(instruction) else 0
        kind |= _IRET if opcode[0] == _OPCODE_IRET else 0
        if self._shadow:
            indirect = opcode[0] == 0xFF and opcode[1] >> 3 & 7 in (2, 3)
            kind |= _ENTRY if address in self._shadow else 0
            kind |= _CALL if opcode[0] in (0xE8, 0x9A) or indirect else 0
            kind |= _RETURN if opcode[0] in _RETURNS else 0
        return kind

    def _return_from_fault(self) -> None:
        """`iret`: where it goes back to what faulted, that begins a second time."""
        esp = self._state.read()[0]
        eip, cs = self._word(esp), self._word(esp + 4)
        if cs is not None and cs & 3 == 0 and self._faults.pop(esp, None) == eip:
            self._restarting = eip if eip is not None else -1

    def _call(self, back: int) -> None:
        place = self._state.read()[0] - 4
        self._drop(place).append((place, back))

    def _drop(self, place: int) -> list[tuple[int, int]]:
        """Forget what lies at `place` or below, on its stack; the answer is what stays."""
        frames = self._frames.setdefault(self._place(place), [])
        while frames and frames[-1][0] <= place:
            frames.pop()
        return frames

    def _note_stack(self, entry: int) -> None:
        """Count the return addresses above esp.  One that was overwritten is none any more (`call` and `pop`)."""
        esp = self._state.read()[0]
        frames = self._frames.get(self._place(esp), ())
        live = tuple(back for place, back in reversed(frames) if place >= esp and self._word(place) == back)
        self.stacks[entry, live] += 1

    def _directory(self) -> int | None:
        _, cr0, cr3 = self._state.read()
        return cr3 if cr0 & PAGING else None

    def _word(self, linear: int) -> int | None:
        try:
            return int.from_bytes(self._pc.memory.read(linear, 4, self._directory()), "little")
        except PageFault:
            return None

    def _place(self, esp: int) -> int:
        """The kernel stack on which esp lies; an empty stack's esp is the first address behind it."""
        return (esp - 1) & -self._stack_size


def _near(watch: Collection[int], image: Image) -> Iterator[tuple[int, int]]:
    """Ranges with all watched instructions, those behind them, where one under `rep` is over, and every `iret`."""
    wanted = {(at, at + _LONGEST) for at in watch} | {(at, at) for at in image.places(_OPCODE_IRET)}
    start, end = -1, -1
    for first, last in sorted(wanted):
        if first > end + 1:
            if end >= 0:
                yield start, end
            start = first
        end = max(end, last)
    if end >= 0:
        yield start, end


def _few(ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same with the narrowest gaps closed, where there are too many."""
    gaps = sorted(after - last for (_, last), (after, _) in pairwise(ranges))
    widest = gaps[-_MOST_HOOKS] if len(gaps) >= _MOST_HOOKS else 0
    start = 0
    for n, (_, last) in enumerate(ranges):
        if n + 1 == len(ranges) or ranges[n + 1][0] - last > widest:
            yield ranges[start][0], last
            start = n + 1
