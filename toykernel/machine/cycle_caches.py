"""Caches of code and of moved blocks: which lines are near.

Sizes and ways of the Pentium 4 of the paper's machines (§5) and their latencies: "IA-32 Intel Architecture Optimization
Reference Manual" (Intel 248966), table 1-1, and the paragraphs around it for memory: 12 processor clocks and 6 to 12 of
the bus; 3.2 GHz are 16 times the bus's 200 MHz.  Its trace cache is no cache of bytes; for code this is the
P6 family's, of the "Intel Architecture Software Developer's Manual", volume 3 (Intel 243192), table 9-1.  Replacement
is least recently used; there is no prefetching.
"""

from __future__ import annotations

SECOND_LEVEL = 7  # cycles that a line needs from there
MEMORY = 12 + 6 * 16


class Cache:
    """Lines by address, in sets of `ways`."""

    def __init__(self, size: int, ways: int, line: int) -> None:
        self.line = line
        self._ways = ways
        self.sets: list[list[int]] = [[] for _ in range(size // (ways * line))]  # the line used last is the first

    def hit(self, number: int) -> bool:
        """Whether line `number` (address divided by the line size) was there; now it is."""
        lines = self.sets[number % len(self.sets)]
        if lines and lines[0] == number:
            return True
        found = number in lines
        if found:
            lines.remove(number)
        elif len(lines) == self._ways:
            lines.pop()
        lines.insert(0, number)
        return found


class Caches:
    """The first level for code and for data, the second for both.  Answers are cycles of waiting."""

    def __init__(self) -> None:
        self.code = Cache(16 << 10, 4, 32)
        self.data = Cache(8 << 10, 4, 64)
        self.second = Cache(512 << 10, 8, 64)

    def fetch(self, address: int, size: int) -> int:
        """Of executing `size` bytes of code."""
        return self._wait(self.code, address, size)

    def move(self, address: int, size: int) -> int:
        """Of reading or writing a block of `size` bytes."""
        return self._wait(self.data, address, size)

    def _wait(self, first: Cache, address: int, size: int) -> int:
        cycles, sets = 0, first.sets
        for number in range(address // first.line, (address + size - 1) // first.line + 1):
            lines = sets[number % len(sets)]
            if (not lines or lines[0] != number) and not first.hit(number):
                near = self.second.hit(number * first.line // self.second.line)
                cycles += SECOND_LEVEL if near else MEMORY
        return cycles
