"""The system-call trace at the gate, as strace has it: who called what from where, and what came back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .run import Call

SYSTEM_CALL = 0x80


@dataclass
class Cost:
    """What a call has cost up to now; see `run.Call`."""

    instructions: int = 0
    iterations: int = 0
    thirds: int = 0  # of a modelled cycle
    faults: int = 0
    interrupted: int = 0
    switches: int = 0


@dataclass
class OpenCall:
    """A call that has not returned."""

    program: str
    process: int
    site: int
    number: int
    arguments: tuple[int, ...]
    cost: Cost = field(default_factory=Cost)
    returned: tuple[int, ...] = ()  # the registers, once it has
    memory: str = ""

    def close(self) -> Call:
        eax = self.returned[0] if self.returned else None
        return Call(
            self.program,
            self.site,
            self.number,
            self.arguments,
            None if eax is None else eax - (eax >> 31 << 32),
            self.returned,
            self.memory,
            self.cost.instructions,
            self.cost.iterations,
            self.cost.thirds // 3,
            self.cost.faults,
            self.cost.interrupted,
            self.cost.switches,
            self.process,
        )


@dataclass
class Task:
    """What runs on one kernel stack: which program, where it left user mode, and in which call it is."""

    program: str = ""
    process: int = 0  # its number among all that came to be
    left: int = -1
    space: int | None = -1  # CR3, None without paging
    call: OpenCall | None = None


class Trace:
    """All calls in the order of their entries; tasks are told apart by their kernel stacks.

    A call returns when its task comes back to user mode behind its `int 0x80`.  One that never does (exit) is over
    when user mode is entered elsewhere on that stack."""

    def __init__(self, commands: Sequence[str]) -> None:
        self._programs = [command.split()[0] if command.split() else "" for command in commands]
        self._tasks: dict[int, Task] = {}
        self._calls: list[OpenCall] = []
        self._callers: dict[int, str] = {}  # by the address behind an `int 0x80`: which program called there last
        self._processes = 0  # how many came to be
        self._exits = -1  # how many commands were over when the last one began

    def program(self, exits: int) -> str:
        """Whose turn it is after so many exits."""
        return self._programs[exits] if exits < len(self._programs) else ""

    def running(self, stack: int) -> str:
        """The program of a task."""
        return self._tasks[stack].program if stack in self._tasks else ""

    def leave(self, stack: int, space: int | None, pc: int) -> Task:
        """A task leaves user mode; it is to go on at `pc`."""
        task = self._tasks.setdefault(stack, Task())
        task.left, task.space = pc, space
        return task

    def open(self, task: Task, number: int, arguments: tuple[int, ...]) -> OpenCall:
        """The task that just left user mode did so by `int 0x80`."""
        task.call = OpenCall(task.program, task.process, task.left - 2, number, arguments)
        self._calls.append(task.call)
        self._callers[task.left] = task.program
        return task.call

    def enter(
        self, stack: int, space: int | None, pc: int, name: Callable[[], str], exits: int
    ) -> tuple[bool, OpenCall | None]:
        """A task enters user mode: (whether it goes on where it left, the call that returns thereby).

        One that does not go on is a copy of whoever made a call there (fork), or a program begins, by `name`: the next
        command's after so many `exits`, or another in the same process (execve)."""
        task = self._tasks.setdefault(stack, Task())
        goes_on = (task.left, task.space) == (pc, space)
        if not goes_on:
            copied = pc in self._callers
            if copied or exits != self._exits:
                task.process = self._processes
                self._processes += 1
            self._exits = self._exits if copied else exits
            task.program = self._callers[pc] if copied else name()
        call, task.call = task.call, None
        return goes_on, call if goes_on else None

    def calls(self) -> tuple[Call, ...]:
        return tuple(call.close() for call in self._calls)
