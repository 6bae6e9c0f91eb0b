"""Images that do not boot, kernels that die or hang: one line, and nothing worse."""

from __future__ import annotations

import os
import re
import signal
import struct
import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toykernel import image
from toykernel.machine import Cancelled, Machine, MachineError, Workload

from .guest import ABSENT, KERNEL, TIMER, elf, guest, run

PLAIN = guest("int 0x80", {0x80: "power_off"})
HEADER = 52  # where the program header of such an image lies


def refusal(kernel, **options):
    """The line with which a kernel is refused or dies."""
    with pytest.raises(MachineError) as caught:
        run(kernel, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def patched(at, *words, kernel=PLAIN):
    return kernel[:at] + struct.pack(f"<{len(words)}I", *words) + kernel[at + 4 * len(words) :]


@pytest.mark.parametrize("place", [KERNEL + 0x200000, 0x08050000])
def test_a_kernel_that_leaves_its_code(place):
    """Zeros are instructions: twenty million of them would be translated, and kept, before that is a hang."""
    away = guest("int 0x80", {0x80: f"mov eax, {place}; jmp eax"})
    assert refusal(away) == f"the kernel runs into {place:#x}, where it has no code"


def test_no_multiboot_header():
    assert refusal(b"") == "not a multiboot kernel: no header in the first 8 KiB"
    assert "not a multiboot kernel" in refusal(b"\x7fELF" + bytes(10_000))
    assert "not a multiboot kernel" in refusal(patched(0x1008, 0))  # the checksum
    late = elf(bytes(8192) + PLAIN[0x1000:0x1020])
    assert "not a multiboot kernel" in refusal(late)


def test_a_multiboot_header_that_asks_for_more():
    for flags in (4, 0x10003, 8):
        asks = patched(0x1004, flags, -(0x1BADB002 + flags) & 0xFFFFFFFF)
        assert "asks for what is not offered" in refusal(asks)


def test_not_an_i386_executable():
    assert "not a 32-bit" in refusal(b"\x7fELF\2" + PLAIN[5:])
    assert "not an i386 executable" in refusal(PLAIN[:18] + b"\x3e" + PLAIN[19:])
    assert "not an i386 executable" in refusal(PLAIN[:16] + b"\1" + PLAIN[17:])


@pytest.mark.parametrize(
    ("at", "words", "message"),
    [
        (28, (0x7FFFFFFF,), "program headers lie outside the file"),
        (HEADER, (0,), "nothing to load"),
        (HEADER + 4, (0xFFFFFF00,), "outside the file"),
        (HEADER + 16, (0xFFFFFFFF,), "outside the file"),
        (HEADER + 20, (16,), "larger in the file than in memory"),
        (HEADER + 20, (0x7FFFFFFF,), "does not fit memory"),
        (HEADER + 12, (0x3FF0000,), "does not fit memory"),
        (HEADER + 12, (0,), "does not fit memory"),
        (HEADER + 8, (0xFFFFF000,), "does not fit memory"),
        (24, (0x1234,), "lies in no executable segment"),
        (HEADER + 24, (6,), "lies in no executable segment"),
    ],
)
def test_program_headers_that_lie(at, words, message):
    assert message in refusal(patched(at, *words))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_headers_never_crash(data):
    """Any byte of the headers may be anything: the kernel runs, or there is one line."""
    at = data.draw(st.integers(0, HEADER + 31))
    damaged = PLAIN[:at] + bytes([data.draw(st.integers(0, 255))]) + PLAIN[at + 1 :]
    with suppress(MachineError):
        run(damaged)


@pytest.mark.parametrize("size", [0, 3, 51, 52, 83, 84, 4096, 4200, 20_000])
def test_truncated_files(size):
    assert refusal(image.kernel()[:size])


def test_an_archive_that_does_not_fit():
    with pytest.raises(MachineError, match="does not fit memory behind the kernel"):
        Machine().run(PLAIN, Workload([], {"big": bytes(64 << 20)}))
    with pytest.raises(MachineError, match="command line"):
        Machine().run(PLAIN, Workload(["x" * 10_000]))


def test_a_kernel_that_loops():
    assert re.fullmatch(
        "the kernel hangs at 0xc01001[0-9a-f]+: 10000 instructions without progress", refusal(guest(start="jmp ."))
    )
    assert "the program hangs at 0x8048000" in refusal(guest("jmp ."))
    tick = {0x20: "push eax; eoi; pop eax; iretd"}
    assert "program hangs at 0x8048000" in refusal(guest("jmp .", tick, start=TIMER))  # ticks are no progress
    assert "hangs" in refusal(guest("int 0x80", {0x80: f"mov eax, [{ABSENT}]", 14: "add esp, 4; iretd"}))
    assert "hangs" in refusal(guest(f"mov eax, [{ABSENT}]", {14: "add esp, 4; iretd"}))


def test_a_program_that_calls_for_good(monkeypatch):
    monkeypatch.setattr("toykernel.machine.pc._MOST_CALLS", 1000)
    assert "hangs at 0x8048002: 1000 system calls" in refusal(guest("again: int 0x80; jmp again", {0x80: "iretd"}))


def test_a_kernel_that_sleeps_for_good():
    sleeps = {0x80: "sti; again: hlt; jmp again", 0x20: "push eax; eoi; pop eax; iretd"}
    assert "20000 ticks without any program" in refusal(guest("int 0x80", sleeps, start=TIMER))


def test_a_kernel_that_reports_a_failure():
    words = "mov al, 0x6f; say; mov al, 0x68; say; mov al, 10; say; fail"
    assert refusal(guest("int 0x80", {0x80: words})) == "the kernel powered off with status 3: oh"


def test_a_kernel_that_leaves_memory():
    """Physical addresses behind the memory answer nothing a kernel could go on with."""
    beyond = f"mov dword ptr [{KERNEL + 0x1000 + 0x304 * 4}], 0x20000083; mov eax, [0xc1000000]"
    assert "the processor stopped at 0xc010" in refusal(guest(start=beyond))


def test_a_kernel_that_loses_its_tables():
    assert "triple fault" in refusal(guest("int 0x80", {0x80: "xor eax, eax; mov cr3, eax; nop"}))
    assert "triple fault" in refusal(guest(start=".byte 0x0f, 0x01, 0x1d; .long 0xc0108000; ud2"))
    assert "triple fault" in refusal(guest("int 0x80", start=f"mov dword ptr [{KERNEL + 0x3858}], 0; ud2"))


@pytest.mark.parametrize("kernel", [guest(start="jmp ."), guest("jmp ."), guest("again: call f; jmp again; f: ret")])
def test_control_c_leaves_cleanly(kernel):
    machine = Machine(budget=1 << 40, slice_size=1_000_000)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        machine.run(kernel, Workload([]))
    timer.join()
    assert machine.run(PLAIN, Workload([])).console == b""


def test_a_loop_can_be_cancelled():
    for kernel in (guest(start="jmp ."), guest("jmp .")):
        with pytest.raises(Cancelled):
            Machine(slice_size=100_000).run(kernel, Workload([]), cancelled=lambda: True)


def test_a_kernel_that_sleeps_with_its_timer_masked():
    """A tick that the controller keeps back wakes nobody."""
    masked = TIMER + "; mov al, 0xff; out 0x21, al"
    assert "20000 ticks without any program" in refusal(guest("int 0x80", {0x80: "sti; hlt; fail"}, start=masked))
