"""The real kernel on the machine, and the same image on QEMU."""

from __future__ import annotations

import struct

import pytest

from toykernel import image
from toykernel.machine import Cancelled, Machine, MachineError, Qemu, Workload


def workload(*commands):
    return Workload(commands, {f"bin/{name}": program for name, program in image.programs().items()})


SYSTEM_CALLS = {"exit": 1, "read": 3, "write": 4, "open": 5, "close": 6, "lseek": 19, "getpid": 20}


@pytest.fixture(scope="module")
def readseek():
    return Machine().run(image.kernel(), workload("readseek 65536 25"))


def test_the_micro_benchmark_does_what_it_says(readseek):
    assert readseek.exits == (("readseek 65536 25", 0),)
    numbers = [call.number for call in readseek.calls]
    assert numbers.count(SYSTEM_CALLS["lseek"]) == 25
    reads = [call.result for call in readseek.calls if call.number == SYSTEM_CALLS["read"]]
    assert reads.count(4096) == 16 * 25
    assert readseek.calls[-1].number == SYSTEM_CALLS["exit"]
    assert readseek.calls[-1].result is None
    assert {call.program for call in readseek.calls} == {"readseek"}


def test_two_runs_are_equal(readseek):
    assert Machine().run(image.kernel(), workload("readseek 65536 25")) == readseek


def test_pauses_change_nothing(readseek):
    assert Machine(slice_size=1009).run(image.kernel(), workload("readseek 65536 25")) == readseek


def test_commands_run_one_after_the_other():
    run = Machine().run(image.kernel(), workload("hello", "no-such-program", "readseek 4096 2"))
    assert [status == 0 for _, status in run.exits] == [True, False, True]
    assert {call.program for call in run.calls} == {"hello", "readseek"}


def test_a_run_can_be_cancelled():
    looks = iter([False] * 3)
    with pytest.raises(Cancelled):
        Machine().run(image.kernel(), workload("readseek 65536 25"), cancelled=lambda: next(looks, True))


FAULTS = {"read-null": 139, "divide": 136, "invalid": 132, "halt": 139, "no-interrupts": 139, "breakpoint": 133}


def test_programs_die_by_the_signal_of_their_fault():
    run = Machine().run(image.kernel(), workload(*(f"fault {kind}" for kind in FAULTS), "hello"))
    assert [status for _, status in run.exits] == [*FAULTS.values(), 0]


needs_qemu = pytest.mark.skipif(not Qemu.available(), reason="qemu-system-i386 is not installed")


@needs_qemu
def test_qemu_shows_the_same():
    work = workload("hello", "calls", *(f"fault {kind}" for kind in FAULTS), "readseek 65536 3", "none", "hello")
    assert Qemu().console(image.kernel(), work) == Machine().run(image.kernel(), work).console


@needs_qemu
def test_qemu_reports_a_kernel_that_fails():
    with pytest.raises(MachineError, match="failed on QEMU"):
        Qemu().console(image.kernel().replace(b"070701", b"070702"), workload("hello"))


@needs_qemu
def test_qemu_sends_the_same_profile_frames():
    """The stamps differ, the calls that were stamped do not."""
    work = workload("kprofile start cycles", "hello", "kprofile write cycles")
    ours = Machine().run(image.kernel(), work).profile
    theirs = Qemu().profile(image.kernel(), work)
    numbers = [[row[0] for row in struct.iter_unpack("<IIQQ", frames[4])] for frames in (ours, theirs)]
    assert numbers[0] == numbers[1] != []
