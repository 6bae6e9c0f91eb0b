"""A call's cost: exact to the instruction, whatever faults, repeats, sleeps or interrupts on the way."""

from __future__ import annotations

import pytest

from toykernel import image
from toykernel.machine import Machine

from .guest import ABSENT, DATA, KERNEL, TIMER, guest, run
from .single_step import single_step
from .test_boot import workload

BACK = "iretd"
OFF = "power_off"


def cost(user, handlers, **options):
    """The cost of the first call."""
    return run(guest(user, handlers, **options), measure=True).calls[0]


@pytest.mark.parametrize(
    "command", ["readseek 8192 2", "calls", "hello; readseek 5000 2; fault", "processes", "memory"]
)
def test_every_call_costs_what_single_stepping_counts(command):
    work = workload(*command.split("; "))
    measured = Machine().run(image.kernel(), work, measure=True)
    oracle = single_step(image.kernel(), work)
    counted = [(call.instructions, call.iterations) for call in oracle.calls]
    assert [(call.instructions, call.iterations) for call in measured.calls] == counted
    assert measured.instructions == oracle.total.instructions


def test_pauses_cost_nothing():
    work = workload("readseek 8192 2", "calls", "fault")
    whole = Machine().run(image.kernel(), work, measure=True)
    assert Machine(slice_size=331).run(image.kernel(), work, measure=True) == whole
    assert Machine(slice_size=2).run(image.kernel(), workload("hello"), measure=True) == Machine().run(
        image.kernel(), workload("hello"), measure=True
    )


def test_measuring_changes_nothing_else():
    work = workload("readseek 8192 2", "calls")
    plain, measured = Machine().run(image.kernel(), work), Machine().run(image.kernel(), work, measure=True)
    assert plain.console == measured.console
    assert [call.registers for call in plain.calls] == [call.registers for call in measured.calls]
    assert plain.instructions == 0 == sum(call.instructions for call in plain.calls)


def test_gate_and_return_are_included():
    end = {0x81: OFF}
    assert cost("int 0x80; int 0x81", {0x80: BACK} | end, ring3=(0x80, 0x81)).instructions == 1
    assert cost("int 0x80; int 0x81", {0x80: "nop; nop; jmp x; x: iretd"} | end, ring3=(0x80, 0x81)).instructions == 4


def test_iterations_stand_beside():
    handler = f"mov edi, {KERNEL + 0x9000}; mov ecx, ebx; rep_stosd; test edx, edx; jne off; iretd; off: power_off"
    for count in (0, 1, 2, 700):
        user = f"xor edx, edx; mov ebx, {count}; int 0x80; inc edx; int 0x80"
        call = cost(user, {0x80: handler})
        assert (call.instructions, call.iterations) == (6, count)


def test_a_fault_within_repetition_is_its_callers():
    """The copy breaks off in the middle, the handler maps the page, the copy goes on."""
    page = DATA + 0x8000
    call = f"mov edi, {page - 8}; mov ecx, 5; rep_stosd; test edx, edx; jne off; iretd; off: power_off"
    mapping = f"mov dword ptr [{KERNEL + 0x2000 + 0x58 * 4}], {0x129007}; add esp, 4; iretd"
    paid = cost("xor edx, edx; int 0x80; inc edx; int 0x80", {0x80: call, 14: mapping})
    assert (paid.instructions, paid.iterations, paid.faults) == (6 + 3, 5, 1)


def test_a_fixup_takes_the_place_of_what_faulted():
    call = f"mov ecx, [{ABSENT}]; nop; nop; test edx, edx; jne off; iretd; off: power_off"
    skip = "add esp, 4; add dword ptr [esp], 6; iretd"
    paid = cost("xor edx, edx; int 0x80; inc edx; int 0x80", {0x80: call, 14: skip})
    assert (paid.instructions, paid.faults) == (3 + 5, 1)


def test_interrupts_of_devices_are_reported_apart():
    call = "test edx, edx; jne off; sti; hlt; nop; cli; iretd; off: power_off"
    tick = "push eax; eoi; pop eax; iretd"
    paid = cost("xor edx, edx; int 0x80; inc edx; int 0x80", {0x80: call, 0x20: tick}, start=TIMER)
    assert (paid.instructions, paid.interrupted, paid.faults) == (7, 5, 0)


def test_another_stack_is_another_account():
    """The call goes over to a second stack, works there for nobody, and comes back."""
    other = KERNEL + 0x10000
    call = f"""test edx, edx; jne off; mov eax, esp; mov esp, {other}; nop; nop; nop; push eax; jmp away
        away: nop; pop esp; nop; iretd; off: power_off"""
    paid = cost("xor edx, edx; int 0x80; inc edx; int 0x80", {0x80: call})
    assert paid.instructions == 4 + 2


@pytest.mark.parametrize(
    ("compare", "count", "iterations"),
    [
        (".byte 0xf3, 0xa6", 5, 3),  # repe cmpsb: the third byte differs
        (".byte 0xf3, 0xa6", 2, 2),  # none differs
        (".byte 0xf3, 0xa6", 3, 3),  # the last differs
        (".byte 0xf3, 0xa6", 0, 0),
        (".byte 0xf2, 0xae", 9, 3),  # repne scasb: the third is zero
        (".byte 0xf2, 0xae", 2, 2),
    ],
)
def test_comparisons_end_early(compare, count, iterations):
    """The emulator does not come by again after the comparison that ends one."""
    text = KERNEL + 0x14000
    setup = f"mov dword ptr [{text}], 0x61006161; mov dword ptr [{text + 8}], 0x62626161; xor eax, eax"
    call = f"cld; {setup}; mov esi, {text}; mov edi, {text if 'ae' in compare else text + 8}; mov ecx, {count}"
    paid = cost(
        "xor edx, edx; int 0x80; inc edx; int 0x80",
        {0x80: f"test edx, edx; jne off; {call}; {compare}; iretd; off: power_off"},
    )
    assert (paid.instructions, paid.iterations) == (11, iterations)


def test_instructions_are_counted_without_cycles_too():
    work = workload("readseek 8192 2", "calls")
    whole, quick = (Machine().run(image.kernel(), work, measure=True, cycles=cycles) for cycles in (True, False))
    counted = [[(c.instructions, c.iterations) for c in run.calls] for run in (whole, quick)]
    assert counted[0] == counted[1]
    assert sum(c.cycles for c in quick.calls) < sum(c.cycles for c in whole.calls)
