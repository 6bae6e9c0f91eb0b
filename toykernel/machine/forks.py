"""What would happen if?  At a system call the whole PC is copied, and each copy makes a call of its own.

A copy is a process of the host (`fork`): memory, processor and devices as they are, at no cost until they change.  The
copy makes its call instead of the program's, tells how that ended, and is gone; the run goes on as if nothing had been.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from .digest import UserMemory
from .errors import MachineError
from .interrupts import State
from .memory import PAGE, PageFault
from .observer import Entry
from .pc import Pc
from .storm import Storm
from .trace import Cost

REGISTERS = ("EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP")  # the number and the arguments of a call
_ENTRIES = 100  # into user mode by others, after which a call counts as asleep
_NEVER = 1 << 60
_CHUNK = 16 * PAGE  # compared at once


@dataclass(frozen=True)
class Moment:
    """A program is about to enter the kernel by `int 0x80`."""

    registers: tuple[int, ...]  # see REGISTERS
    site: int  # address of the `int 0x80`
    esp: int
    pages: tuple[int, ...]  # user pages that it may write, by linear address


@dataclass(frozen=True)
class Shower:
    """The timer interrupts a trial so many `times` before the `at`-th kernel instruction at which it may, from 1; 0:
    nowhere."""

    at: int = 0
    times: int = 1


@dataclass(frozen=True)
class Ending:
    """How a call ended.

    how: "returned" to behind the `int 0x80`; "elsewhere", in user mode (a signal ended the program, another began);
    "asleep", while others ran on; or what the machine reports of a kernel that died."""

    how: str
    registers: tuple[int, ...] = ()  # eax ebx ecx edx esi edi ebp esp eflags, then ds es fs gs, if it returned
    changed: Mapping[int, bytes] = field(default_factory=dict)  # physical page → content, without its kernel stack
    blocks: Collection[tuple[int, int]] = ()  # (address, size) of what was executed where it was watched
    chances: int = 0  # kernel instructions at which an interrupt could arrive, where they were counted
    memory: str = ""  # digest of the user pages, where they were counted


class Forks:
    """Asks at every system call which calls to try, and tells how they ended.

    `ask(moment)` answers with the registers of each; none, and the run goes on.  `hear(moment, endings)`.
    `watch`: ranges [first, last] of addresses whose executed blocks are told.  `storm`: by which interrupts the n-th
    trial of a moment is disturbed; `code`: where."""

    def __init__(
        self,
        pc: Pc,
        stack_size: int,
        watch: Sequence[tuple[int, int]],
        ask: Callable[[Moment], Sequence[tuple[int, ...]]],
        hear: Callable[[Moment, Sequence[Ending]], None],
        storm: Callable[[int], Shower] | None = None,
        code: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self._pc, self._stack_size, self._ask, self._hear = pc, stack_size, ask, hear
        self._user = pc.cpu.registers(*REGISTERS)
        self._after = pc.cpu.registers(*REGISTERS, "ESP", "EFLAGS", "DS", "ES", "FS", "GS")
        self._storm, self._code = storm, code
        self._shower: Storm | None = None
        self._pipe: int | None = None  # of a copy
        self._came_from: tuple[int, int] | None = None  # kernel stack, address behind the `int`
        self._base = b""
        self._others = 0
        self._blocks: set[tuple[int, int]] = set()
        pc.before_call = self._at_call
        pc.observers.append(self)
        for first, last in watch:
            pc.cpu.on_block(lambda _, address, size: self._blocks.add((address, size)), first, last)

    def run(self, budget: int, slice_size: int) -> None:
        """As `Pc.run`; a copy never returns from here."""
        try:
            self._pc.run(budget, slice_size)
        except BaseException as failure:
            if self._pipe is None:
                raise
            self._end(str(failure) if isinstance(failure, MachineError) else repr(failure))
        if self._pipe is not None:
            self._end("the machine is off")

    # ---- before the call

    def _at_call(self, state: State) -> State:
        if self._pipe is None:
            self._try(state)
        return state

    def _try(self, state: State) -> None:
        directory = state.directory
        pages = tuple(linear for linear, _ in self._pc.memory.user_pages(directory))
        moment = Moment(tuple(self._user.read()), state.eip - 2, state.esp, pages)
        wanted = self._ask(moment)
        if not wanted:
            return
        self._base = self._pc.memory.raw[: self._pc.installed]
        endings = []
        for n, registers in enumerate(wanted):
            ending = self._copy(state, registers)
            if ending is None:
                if self._storm is not None:
                    self._disturb(self._storm(n))
                return  # this is the copy
            endings.append(ending)
        self._hear(moment, endings)

    def _copy(self, state: State, registers: tuple[int, ...]) -> Ending | None:
        """The ending; None in the copy, which goes on with these registers."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            self._pipe, self._blocks = writing, set()
            self._came_from = self._pc.gates.kernel_stack(state.tss, state.directory), state.eip
            self._user.write(*registers)
            return None
        os.close(writing)
        with open(reading, "rb") as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        if not told:
            raise MachineError("a copy of the machine ended without a word")
        ending: Ending = pickle.loads(told)
        return ending

    # ---- in the copy

    def _disturb(self, shower: Shower) -> None:
        self._shower = Storm(self._pc, self._code, shower.at or _NEVER, times=shower.times, once=True)
        self._pc.cpu.forget_code()

    def gate(self, entry: Entry, saved: State, stack: int, cost: Cost | None) -> None:
        pass

    def early(self, address: int, size: int) -> None:
        pass

    def pause(self, saved: State) -> None:
        pass

    def user(self, stack: int) -> None:
        """Somebody is in user mode again."""
        if self._pipe is None or self._came_from is None:
            return
        if stack == self._came_from[0]:
            self._end("returned" if self._pc.cpu.pc == self._came_from[1] else "elsewhere")
        self._others += 1
        if self._others > _ENTRIES:
            self._end("asleep")

    def _end(self, how: str) -> NoReturn:
        """Tell it, and be gone."""
        assert self._pipe is not None
        ending = Ending(how, blocks=frozenset(self._blocks))
        if how == "returned":
            ending = replace(ending, registers=tuple(self._after.read()))
            if self._shower is None:
                ending = replace(ending, changed=self._changed())
            else:
                digest = UserMemory(self._pc.memory).digest(self._pc.gates.state().directory)
                ending = replace(ending, chances=self._shower.chances, memory=digest)
        with open(self._pipe, "wb") as pipe:
            pickle.dump(ending, pipe)
        os._exit(0)

    def _changed(self) -> dict[int, bytes]:
        raw, base = self._pc.memory.raw, self._base  # slices of bytes: views compare byte by byte
        own = self._own_stack()
        found = {}
        for chunk in range(0, len(base), _CHUNK):
            if raw[chunk : chunk + _CHUNK] == base[chunk : chunk + _CHUNK]:
                continue
            for page in range(chunk, min(chunk + _CHUNK, len(base)), PAGE):
                if page not in own and raw[page : page + PAGE] != base[page : page + PAGE]:
                    found[page] = raw[page : page + PAGE]
        return found

    def _own_stack(self) -> set[int]:
        """The physical pages of the call's kernel stack; but for the lowest, where the task lies, all of it is dead in
        user mode."""
        assert self._came_from is not None
        state, found = self._pc.gates.state(), set()
        for linear in range(self._came_from[0] - self._stack_size + PAGE, self._came_from[0], PAGE):
            try:
                found.add(self._pc.memory.translate(linear, state.directory))
            except PageFault:
                continue
        return found
