"""Channel 0 of the 8254 timer, driven by the work clock: one count is one user-mode instruction."""

from __future__ import annotations

from collections.abc import Callable

CHANNEL_0, MODE = 0x40, 0x43
_PERIODIC = (2, 3, 6, 7)


class Pit:
    """`now` is the clock that counts down.  Ticks begin when a kernel programs a divisor."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._access, self._mode = 3, 3
        self._low: int | None = None  # the first of two bytes of a divisor
        self._latched: list[int] = []  # bytes that wait to be read
        self.divisor = 0
        self._started = 0
        self.next: int | None = None  # the clock at the next tick

    def tick(self) -> None:
        """The next tick has come: plan the one after it."""
        if self.next is not None:
            self.next = self.next + self.divisor if self._mode in _PERIODIC else None

    def write(self, port: int, value: int) -> None:
        if port == MODE:
            self._command(value)
        elif self._access == 3 and self._low is None:
            self._low = value
        else:
            high, low = (value, self._low or 0) if self._access >= 2 else (0, value)
            self._low = None
            self.divisor = high << 8 | low or 0x10000
            self._started = self._now()
            self.next = self._started + self.divisor

    def read(self, port: int) -> int:
        if port == MODE:
            return 0xFF
        if not self._latched:
            self._latch()
        return self._latched.pop(0)

    def _command(self, value: int) -> None:
        if value >> 6:  # another channel, or read-back: no interrupt depends on it
            return
        if value & 0x30:
            self._access, self._mode = value >> 4 & 3, value >> 1 & 7
            self._low, self.next = None, None
        else:
            self._latch()

    def _latch(self) -> None:
        passed = self._now() - self._started
        count = self.divisor - passed % self.divisor if self.divisor else 0
        both = [count & 0xFF, count >> 8 & 0xFF]
        self._latched = both if self._access == 3 else both[self._access - 1 :][:1]
