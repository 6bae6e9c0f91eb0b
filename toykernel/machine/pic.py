"""The two cascaded 8259 interrupt controllers, as far as kernels program them: vectors, masks, end of interrupt."""

from __future__ import annotations

MASTER, SLAVE = 0x20, 0xA0  # command ports; the data ports follow
_CASCADE = 2  # the master's line on which the slave sits


class Controller:
    """One 8259.  Lines are edge-triggered, line 0 has the highest priority."""

    def __init__(self) -> None:
        self.base = 0  # vector of line 0
        self.mask = 0xFF  # nothing gets through until a kernel asks for it
        self.requested = self.in_service = 0
        self._words_expected = 0  # of the initialization sequence
        self._read_in_service = False

    def command(self, value: int) -> None:
        if value & 0x10:  # ICW1: three more words follow on the data port, two without a cascade
            self.mask = self.requested = self.in_service = 0
            self._words_expected = 3 if value & 1 else 2
        elif value & 0x08:  # OCW3
            if value & 2:
                self._read_in_service = bool(value & 1)
        elif value & 0x60 == 0x60:  # OCW2: end of the interrupt on one line
            self.in_service &= ~(1 << (value & 7))
        elif value & 0x20:  # OCW2: end of the most important interrupt
            self.in_service &= self.in_service - 1

    def data(self, value: int) -> None:
        if not self._words_expected:
            self.mask = value
        else:
            if self._words_expected == 3:
                self.base = value & 0xF8
            self._words_expected -= 1

    def status(self) -> int:
        return self.in_service if self._read_in_service else self.requested

    @property
    def line(self) -> int | None:
        """The line that would interrupt now."""
        ready = self.requested & ~self.mask & 0xFF
        lowest = ready & -ready
        busy = self.in_service & -self.in_service
        return lowest.bit_length() - 1 if lowest and (not busy or lowest < busy) else None

    def acknowledge(self, line: int) -> int:
        """The processor takes the interrupt: its vector."""
        self.requested &= ~(1 << line)
        self.in_service |= 1 << line
        return self.base + line


class Pic:
    """Both controllers: sixteen lines."""

    def __init__(self) -> None:
        self.master, self.slave = Controller(), Controller()

    def request(self, line: int) -> None:
        """A device raises its line; a request that is still waiting is not doubled."""
        controller = self.slave if line >= 8 else self.master
        controller.requested |= 1 << (line & 7)

    def acknowledge(self) -> int | None:
        """The vector of the interrupt to deliver now, which is then in service; None where none may be."""
        if self.slave.line is not None:
            self.master.requested |= 1 << _CASCADE
        line = self.master.line
        if line is None:
            return None
        vector = self.master.acknowledge(line)
        if line == _CASCADE and self.slave.line is not None:
            vector = self.slave.acknowledge(self.slave.line)
        return vector

    def write(self, port: int, value: int) -> None:
        controller = self.slave if port & ~1 == SLAVE else self.master
        (controller.data if port & 1 else controller.command)(value)

    def read(self, port: int) -> int:
        controller = self.slave if port & ~1 == SLAVE else self.master
        return controller.mask if port & 1 else controller.status()
