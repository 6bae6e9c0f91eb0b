"""Gate delivery by the processor's manual: privileges, error codes, faults on the way."""

from __future__ import annotations

import struct

import pytest

from toykernel.machine import MachineError

from .guest import ABSENT, DATA, KERNEL, USER, guest, run

IDT = KERNEL + 0x3000
SHOW_ERROR = "pop eax; say; shr eax, 8; say; power_off"
EIP_LOW = "mov eax, [esp + 4]; say; power_off"


def shows(user, handlers, **options):
    """What the handlers say of the user's code."""
    return run(guest(user, handlers, **options)).console


@pytest.mark.parametrize(
    ("instruction", "code"),
    [
        (f"mov eax, [{ABSENT}]", 4),
        (f"mov [{ABSENT}], eax", 6),
        (f"mov eax, [{KERNEL}]", 5),
        (f"mov [{USER}], eax", 7),
    ],
)
def test_page_faults_have_their_error_code(instruction, code):
    assert shows(instruction, {14: SHOW_ERROR}) == bytes([code, 0])


def test_a_kernel_gate_is_closed_to_programs():
    """A protection fault names the gate, and lies at the `int`, not behind it."""
    assert shows("int 0x50", {0x50: "fail", 13: SHOW_ERROR}) == struct.pack("<H", 0x50 * 8 + 2)
    assert shows("nop; int 0x50", {0x50: "fail", 13: EIP_LOW}) == bytes([1])


def test_a_gate_that_is_not_there_is_a_fault():
    assert shows("int 0x60", {13: SHOW_ERROR}) == struct.pack("<H", 0x60 * 8 + 2)
    assert shows("int 0xff", {13: SHOW_ERROR}) == struct.pack("<H", 0xFF * 8 + 2)  # beyond the table's limit


def test_a_gate_may_not_be_present():
    absent = f"mov byte ptr [{IDT + 0x60 * 8 + 5}], 0x6e"
    assert shows("int 0x60", {0x60: "fail", 11: SHOW_ERROR}, start=absent) == struct.pack("<H", 0x60 * 8 + 2)


def test_programs_cannot_forge_exceptions():
    """`int 14` is no page fault: no error code, and the gate's privilege counts."""
    assert shows("int 14", {14: "fail", 13: SHOW_ERROR}) == struct.pack("<H", 14 * 8 + 2)
    allowed = shows("int 14", {14: EIP_LOW.replace("+ 4", "")}, ring3=(14,))
    assert allowed == bytes([2])


def test_breakpoints_return_behind_themselves():
    assert shows("nop; int3", {3: EIP_LOW.replace("+ 4", "")}) == bytes([2])
    assert shows("nop; int3", {3: "fail", 13: EIP_LOW}, ring3=()) == bytes([1])


@pytest.mark.parametrize(("kind", "flag"), [("0x8e", 0), ("0x8f", 2)])
def test_interrupt_gates_clear_the_flag_and_trap_gates_keep_it(kind, flag):
    ring3 = f"mov byte ptr [{IDT + 0x80 * 8 + 5}], {int(kind, 16) | 0x60}"
    say = "pushfd; pop eax; shr eax, 8; and eax, 2; say; power_off"
    assert shows("int 0x80", {0x80: say}, start=ring3) == bytes([flag])


def test_the_kernels_own_exceptions_stay_on_its_stack():
    handlers = {0x80: "mov ebx, esp; ud2", 6: "sub ebx, esp; mov eax, ebx; say; mov eax, [esp + 4]; say; power_off"}
    assert shows("int 0x80", handlers) == bytes([12, 8])


def test_an_unmapped_kernel_stack_is_a_double_fault():
    """A page fault while a page fault is delivered: the double fault's stack is as bad, and that ends the machine."""
    away = {0x80: f"mov esp, {DATA + 0x9000}; mov eax, [{ABSENT}]", 14: "fail", 8: "fail"}
    with pytest.raises(MachineError, match=r"^triple fault at 0xc010[0-9a-f]+: interrupt 14 cannot be delivered$"):
        shows("int 0x80", away)


def test_a_fault_in_delivery_is_delivered():
    """The page fault finds no gate: together they are a double fault.  An `int` that finds none is not."""
    assert shows(f"mov eax, [{ABSENT}]", {8: "pop eax; say; power_off", 13: "fail"}) == b"\0"


def test_a_missing_gate_for_everything_is_a_triple_fault():
    with pytest.raises(MachineError, match="triple fault at 0x8048000"):
        shows("ud2", {})


def test_a_stack_that_is_read_only_is_respected_if_the_kernel_says_so():
    read_only = f"mov dword ptr [{KERNEL + 0x3904}], {USER + 0x1000}"
    with pytest.raises(MachineError, match="triple fault"):
        shows("int 0x80", {0x80: "power_off"}, start=read_only)
    without = f"{read_only}; mov eax, cr0; and eax, 0xfffeffff; mov cr0, eax"
    assert shows("int 0x80", {0x80: "mov al, 1; say; power_off"}, start=without) == b"\1"


def test_a_stack_of_the_tss_that_is_not_there_ends_the_machine():
    bad_stack = f"mov dword ptr [{KERNEL + 0x3904}], {DATA + 0x9000}"
    with pytest.raises(MachineError, match="triple fault"):
        shows("int 0x80", {0x80: "power_off", 14: "power_off", 8: "fail"}, start=bad_stack)


def test_a_call_that_comes_back_elsewhere_has_no_result():
    """Only calls that come back behind their `int` have a result."""
    elsewhere = f"mov dword ptr [esp], {USER + 2 + 5}; inc ebp; cmp ebp, 2; je off; iretd; off: power_off"
    calls = run(guest("int 0x80; nop; nop; nop; nop; nop; int 0x80", {0x80: elsewhere})).calls
    assert [(call.site, call.result) for call in calls] == [(USER, None), (USER + 7, None)]


def test_results_are_signed_and_registers_kept():
    handler = "mov eax, -38; inc ebp; cmp ebp, 2; je off; iretd; off: power_off"
    user = "mov ebx, 1; mov ecx, 2; mov edx, 3; mov esi, 4; mov edi, 5; mov ebp, 0; mov eax, 999; int 0x80; int 0x80"
    first, second = run(guest(user, {0x80: handler})).calls
    assert (first.number, first.arguments, first.result) == (999, (1, 2, 3, 4, 5, 0), -38)
    assert first.registers[:7] == (0xFFFFFFDA, 1, 2, 3, 4, 5, 1)
    assert (second.result, second.registers) == (None, ())
