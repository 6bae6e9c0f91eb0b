"""The work clock: one count per user-mode instruction, the same for a program whatever the kernel does (§6).

It drives the timer, so that two kernels with the same programs are interrupted at the same user instructions.
Time passes in user mode only; when everybody sleeps it jumps to the next tick.
"""

from __future__ import annotations

from collections.abc import Callable

from .blocks import Block, describe


class WorkClock:
    """Counts what user mode retires, from blocks that are announced before they run.

    `fetch(address, size)` reads code.  Known blocks are kept, for each address space, until `forget`."""

    def __init__(self, fetch: Callable[[int, int], bytes]) -> None:
        self.now = 0
        self._fetch = fetch
        self._spaces: dict[int | None, dict[tuple[int, int], Block]] = {}
        self._known: dict[tuple[int, int], Block] = {}
        self._block: tuple[int, Block] | None = None  # the last announced
        self._repeated = -1  # address of a `rep` that is running: its iterations are not instructions

    def enter(self, space: int | None, *, forget: bool) -> None:
        """User mode goes on in an address space, where other code may be than before: then `forget`."""
        self._known = self._spaces.setdefault(space, {})
        if forget:
            self._known.clear()

    def announce(self, address: int, size: int) -> None:
        """The block is about to run."""
        if address == self._repeated:
            return
        key = address, size
        block = self._known.get(key)
        if block is None:
            block = self._known[key] = describe(self._fetch(address, size))
        self.now += len(block.sizes)
        self._block = address, block
        self._repeated = address + size - block.sizes[-1] if block.repeats else -1

    def leave(self, pc: int) -> None:
        """The last block is left at `pc`, by a fault, an `int`, or for a while: what lies from there on did not
        retire.  Not for a border between blocks, where `pc` may be the last block's beginning."""
        if self._block is not None:
            address, block = self._block
            retired = block.before(pc - address)
            if retired is not None:
                self.now -= len(block.sizes) - retired
        self._block, self._repeated = None, -1
