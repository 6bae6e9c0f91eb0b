"""Who may follow what ring 0 does, and what the PC tells them."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from .interrupts import State
from .trace import Cost


class Entry(Enum):
    """Why a gate was passed."""

    SOFTWARE = "int"
    EXCEPTION = "exception"  # broke off at eip, or refused an `int` there
    DEVICE = "interrupt"  # between two instructions


class Observer(Protocol):
    """Follows what ring 0 does, with hooks of its own, added before the PC runs."""

    def gate(self, entry: Entry, saved: State, stack: int, cost: Cost | None) -> None:
        """A gate was passed: from user mode onto the kernel stack that begins at `stack` (`cost` is a system call's,
        if it is one), or from within the kernel (`stack` is 0)."""

    def user(self, stack: int) -> None:
        """User mode is entered by the task with the kernel stack that begins at `stack`."""

    def early(self, address: int, size: int) -> None:
        """Ring 0 is about to run a block outside the kernel's code: before paging."""

    def pause(self, saved: State) -> None:
        """The processor stopped before an instruction, for a while: nothing that the guest could see."""
