"""A clock that stands still until a system call spends its cycles: pytest-benchmark measures modelled time with it."""

from __future__ import annotations

HERTZ = 3.2e9  # of the paper's machines (§5); modelled cycles are turned into seconds by it


class VirtualClock:
    """Calling it tells the time, in seconds."""

    def __init__(self) -> None:
        self._cycles = 0

    def __call__(self) -> float:
        return self._cycles / HERTZ

    def spend(self, cycles: int) -> None:
        self._cycles += cycles
