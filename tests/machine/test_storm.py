"""Interrupts between any two kernel instructions."""

from __future__ import annotations

from toykernel import image
from toykernel.machine import Machine, Workload

from .guest import KERNEL, TIMER, guest
from .test_boot import workload

TICK = "push eax; eoi; pop eax; iretd"
NO_TICKS = TIMER.replace("mov al, 0x34; out 0x43, al; mov al, 100; out 0x40, al; mov al, 0; out 0x40, al", "")
CALL = "test edx, edx; jne off; {}; cli; iretd; off: power_off"
TWICE = "xor edx, edx; int 0x80; inc edx; int 0x80"


def first(call, storm, **options):
    kernel = guest(TWICE, {0x80: CALL.format(call), 0x20: TICK}, start=NO_TICKS)
    run = Machine(storm=storm).run(kernel, Workload([]), measure=True, **options)
    return run.calls[0], run.ticks


def test_every_instruction_is_interrupted_once():
    calm, _ = first("sti; nop; nop; nop", 0)
    call, ticks = first("sti; nop; nop; nop", 1)
    assert ticks == 3  # not directly behind `sti`; two `nop` and `cli`
    assert (call.instructions, call.interrupted) == (calm.instructions, 5 * 3)
    assert first("sti; nop; nop; nop", 2)[1] == 1


def test_nothing_is_interrupted_that_must_not_be():
    assert first("nop; nop; sti; cli; nop", 1)[1] == 0
    assert first("sti; nop; mov eax, ss; mov ss, eax; nop; nop", 1)[1] == 4


def test_repetition_is_interrupted_in_each_iteration():
    copy = f"mov edi, {KERNEL + 0x14000}; mov ecx, 9; sti; nop; rep_stosd"
    call, ticks = first(copy, 1)
    assert (call.instructions, call.iterations) == (9, 9)
    assert ticks == 10 + 1  # before each iteration, once more when ecx is 0, and before `cli`


def test_the_kernel_bears_it():
    work = workload("hello", "readseek 4100 2", "fault divide")
    calm = Machine().run(image.kernel(), work, check=True)
    stormy = Machine(storm=29).run(image.kernel(), work, check=True)
    assert stormy.ticks > 500
    assert (stormy.console, stormy.exits) == (calm.console, calm.exits)
    assert [call.registers for call in stormy.calls] == [call.registers for call in calm.calls]
    assert [call.memory for call in stormy.calls] == [call.memory for call in calm.calls]
