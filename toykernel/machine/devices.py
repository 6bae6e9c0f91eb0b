"""What stands behind the ports: serial lines, interrupt controllers, timer, and ways to power off."""

from __future__ import annotations

from collections.abc import Callable

from .pic import MASTER, SLAVE, Pic
from .pit import CHANNEL_0, MODE, Pit

CONSOLE, PROFILE = 0x3F8, 0x2F8  # COM1, COM2
EXIT_RECORD = 0xE0  # a program's exit status, 32 bits
DEBUG_EXIT = 0xF4  # as QEMU's isa-debug-exit: powers off with a status
ACPI = 0x604  # QEMU's power management: 0x2000 powers off
KEYBOARD = 0x64  # 0xFE resets the machine
_NOTHING = 0xFFFFFFFF  # what a port reads behind which nothing is


class Uart:
    """A 16550 that sends at once and never receives; `sent` is what the guest wrote."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self._registers = [0] * 8
        self._divisor = [0, 0]

    def write(self, register: int, value: int) -> None:
        if register < 2 and self._registers[3] & 0x80:  # the divisor latch
            self._divisor[register] = value
        elif register == 0:
            self.sent.append(value)
        else:
            self._registers[register] = value

    def read(self, register: int) -> int:
        if register < 2 and self._registers[3] & 0x80:
            return self._divisor[register]
        if register == 5:  # line status: all sent, nothing received
            return 0x60
        if register == 6:  # modem status: connected
            return 0xB0
        # a receive buffer that is empty, no interrupt pending, and the rest as written
        return {0: 0, 2: 0xC1 if self._registers[2] & 1 else 0x01}.get(register, self._registers[register])


class Devices:
    """All devices on the ports.  `power_off` is None while the machine is on, then the status."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.pic, self.pit = Pic(), Pit(now)
        self.console, self.profile = Uart(), Uart()
        self.exits: list[int] = []
        self.power_off: int | None = None
        self.progress = 0  # grows whenever something comes out

    def write(self, port: int, size: int, value: int) -> None:
        """`out`: `size` bytes of `value`.  Ports behind which nothing is take everything."""
        if port & ~7 in (CONSOLE, PROFILE):
            self.progress += 1
            (self.console if port & ~7 == CONSOLE else self.profile).write(port & 7, value & 0xFF)
        elif port & ~1 in (MASTER, SLAVE):
            self.pic.write(port, value & 0xFF)
        elif port in (CHANNEL_0, MODE):
            self.pit.write(port, value & 0xFF)
        elif port == EXIT_RECORD and size == 4:
            self.progress += 1
            self.exits.append(value - (1 << 32) if value >> 31 else value)
        elif port == DEBUG_EXIT:
            self.power_off = value
        elif (port == ACPI and value & 0x2000) or (port == KEYBOARD and value == 0xFE):
            self.power_off = 0 if port == ACPI else -1

    def read(self, port: int, size: int) -> int:
        """`in`: `size` bytes."""
        if port & ~7 in (CONSOLE, PROFILE):
            return (self.console if port & ~7 == CONSOLE else self.profile).read(port & 7)
        if port & ~1 in (MASTER, SLAVE):
            return self.pic.read(port)
        if port in (CHANNEL_0, MODE):
            return self.pit.read(port)
        return _NOTHING >> (32 - 8 * size)
