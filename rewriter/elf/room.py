"""Free room around islands that cannot move: what does not fit before one goes behind it, and smaller ones before it.

A, BBBBBBBB, C around an island ▓▓▓    ⇒    A C  ▓▓▓ BBBBBBBB
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

ALIGN = 16  # of functions
FEW = 8  # gaps that are looked at again


def align_up(value: int, to: int) -> int:
    return -(-value // to) * to


class Room:
    """Addresses from `start` on; `islands` are ranges in order.  Everything goes to the first gap where it fits, of
    the few largest, so that the time it takes does not grow with the islands."""

    def __init__(self, start: int, islands: Sequence[tuple[int, int]]) -> None:
        self.end = start  # of what lies behind all others
        self._cursor = start
        self._islands = islands
        self._next = 0  # island behind the cursor
        self._gaps: list[tuple[int, int]] = []

    def take(self, align: int, end_of: Callable[[int], int]) -> int:
        """A place for something that ends at `end_of(its start)`."""
        for n, (start, stop) in enumerate(self._gaps):
            address = align_up(start, align)
            if end_of(address) <= stop:
                self._gaps[n] = end_of(address), stop
                return address
        address = align_up(self._cursor, align)
        while self._next < len(self._islands) and self._islands[self._next][0] < end_of(address):
            first, stop = self._islands[self._next]
            self._next += 1
            self._leave(self._cursor, first)
            self._cursor = max(self._cursor, stop)
            address = align_up(self._cursor, align)
        self._cursor = self.end = end_of(address)
        return address

    def _leave(self, start: int, stop: int) -> None:
        """Nothing fitted here.  A gap smaller than an alignment is one that was there before."""
        if stop - start >= ALIGN:
            self._gaps.append((start, stop))
            if len(self._gaps) > FEW:
                self._gaps.remove(min(self._gaps, key=lambda gap: gap[1] - gap[0]))
