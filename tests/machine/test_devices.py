"""The devices behind the ports, each by itself."""

from __future__ import annotations

from toykernel.machine.devices import Devices, Uart
from toykernel.machine.pic import Pic
from toykernel.machine.pit import Pit


def programmed(mask=0):
    """Controllers as kernels set them up: vectors 0x20 to 0x2f."""
    pic = Pic()
    for port, base, connection in ((0x20, 0x20, 4), (0xA0, 0x28, 2)):
        pic.write(port, 0x11)
        for word in (base, connection, 1, mask):
            pic.write(port + 1, word)
    return pic


def test_nothing_interrupts_before_a_kernel_asks_for_it():
    pic = Pic()
    pic.request(0)
    assert pic.acknowledge() is None


def test_lines_become_vectors_by_priority():
    pic = programmed()
    pic.request(4)
    pic.request(1)
    assert pic.acknowledge() == 0x21
    assert pic.acknowledge() is None  # 4 is less important than 1, which is in service
    pic.write(0x20, 0x20)
    assert pic.acknowledge() == 0x24
    pic.request(0)
    assert pic.acknowledge() == 0x20  # more important than 4
    pic.write(0x20, 0x64)  # the end of 4
    pic.write(0x20, 0x0B)
    assert pic.read(0x20) == 1  # 0 is in service


def test_a_masked_line_waits():
    pic = programmed(mask=1)
    pic.request(0)
    pic.request(0)
    assert pic.read(0x21) == 1
    assert pic.acknowledge() is None
    assert pic.read(0x20) == 1  # requested
    pic.write(0x21, 0)
    assert pic.acknowledge() == 0x20
    pic.write(0x20, 0x20)
    assert pic.acknowledge() is None  # two requests were one


def test_the_second_controller_sits_on_line_2():
    pic = programmed()
    pic.request(12)
    assert pic.acknowledge() == 0x2C
    pic.write(0xA0, 0x20)
    pic.write(0x20, 0x20)
    assert pic.acknowledge() is None


class Clock:
    now = 0


def timer(*writes):
    clock = Clock()
    pit = Pit(lambda: clock.now)
    for port, value in writes:
        pit.write(port, value)
    return clock, pit


def test_the_timer_ticks_once_it_is_programmed():
    clock, pit = timer((0x43, 0x34), (0x40, 0x9B))
    assert pit.next is None
    pit.write(0x40, 0x2E)
    assert (pit.divisor, pit.next) == (11931, 11931)
    clock.now = 12_000
    pit.tick()
    assert pit.next == 2 * 11931
    pit.write(0x40, 0)
    pit.write(0x40, 0)
    assert (pit.divisor, pit.next) == (0x10000, 12_000 + 0x10000)


def test_one_shot_ticks_once():
    _, pit = timer((0x43, 0x30), (0x40, 10), (0x40, 0))
    assert pit.next == 10
    pit.tick()
    assert pit.next is None


def test_the_counter_counts_down():
    clock, pit = timer((0x43, 0x34), (0x40, 0xE8), (0x40, 3))
    clock.now = 1001
    pit.write(0x43, 0x00)
    clock.now = 1500
    assert [pit.read(0x40), pit.read(0x40)] == [0xE7, 3]  # as it was when it was latched
    assert [pit.read(0x40), pit.read(0x40)] == [0xF4, 1]


def test_low_and_high_byte_alone():
    assert timer((0x43, 0x14), (0x40, 7))[1].divisor == 7
    assert timer((0x43, 0x24), (0x40, 7))[1].divisor == 7 << 8


def test_other_channels_do_not_matter():
    _, pit = timer((0x43, 0x34), (0x40, 10), (0x40, 0), (0x43, 0xB6), (0x43, 0xC2))
    assert pit.next == 10


def test_a_line_sends_at_once():
    uart = Uart()
    uart.write(3, 0x80)
    uart.write(0, 1)
    uart.write(1, 0)
    assert [uart.read(0), uart.read(1)] == [1, 0]
    uart.write(3, 3)
    uart.write(2, 1)
    uart.write(0, ord("x"))
    assert uart.sent == b"x"
    assert uart.read(5) & 0x61 == 0x60  # empty, nothing received
    assert [uart.read(0), uart.read(2), uart.read(3)] == [0, 0xC1, 3]


def test_ports_with_nothing_behind():
    devices = Devices(lambda: 0)
    devices.write(0x1234, 4, 5)
    assert [devices.read(0x1234, size) for size in (1, 2, 4)] == [0xFF, 0xFFFF, 0xFFFFFFFF]


def test_ways_to_power_off():
    for port, size, value, status in ((0xF4, 1, 3, 3), (0x604, 2, 0x2000, 0), (0x64, 1, 0xFE, -1)):
        devices = Devices(lambda: 0)
        devices.write(port, size, value)
        assert devices.power_off == status
    devices = Devices(lambda: 0)
    devices.write(0xE0, 4, 0xFFFFFFFF)
    devices.write(0xE0, 1, 7)  # not a record
    assert (devices.exits, devices.power_off) == ([-1], None)
