"""The real kernel on the machine, and the same image on QEMU."""

from __future__ import annotations

import struct

import pytest

from toykernel import image
from toykernel.machine import Cancelled, Machine, MachineError, Qemu, Workload
from toykernel.machine.multiboot import parse
from toykernel.machine.observer import Entry
from toykernel.machine.pc import Pc


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


def test_the_work_clock_counts_what_programs_retire():
    """Also when other programs follow at the same addresses: compared with looking at every instruction."""
    kernel = parse(image.kernel())
    pc = Pc(kernel, workload("hello", "readseek 5000 2", "fault divide", "calls"))
    ring, stepped, previous = pc.cpu.registers("CS"), [], 0

    def step(_, address, size):
        nonlocal previous
        if ring.read()[0] & 3:
            again = address == previous and pc.memory.read(address, 1, pc.gates.state().cr3) in (b"\xf2", b"\xf3")
            stepped.append(0 if again else 1)
        previous = address

    class BrokenOff(Unmoved):
        def gate(self, entry, saved, stack, cost):
            nonlocal previous
            if entry is Entry.EXCEPTION and saved.ring == 3 and saved.eip == previous:
                stepped.append(-1)  # otherwise it could not even be fetched
                previous = -1

    for first, last in kernel.elsewhere:
        pc.cpu.on_instruction(step, first, last)
    pc.observers.append(BrokenOff())
    pc.run(1 << 31, 1 << 31)
    assert pc.clock.now == sum(stepped) > 30_000


class Unmoved:
    """An observer that looks at nothing."""

    def gate(self, entry, saved, stack, cost): ...
    def user(self, stack): ...
    def early(self, address, size): ...
    def pause(self, saved): ...
