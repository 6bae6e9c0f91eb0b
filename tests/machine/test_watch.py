"""Watching addresses and call stacks: the oracles of what is inserted into kernels."""

from __future__ import annotations

import io

from elftools.elf.elffile import ELFFile

from toykernel import image
from toykernel.machine import Machine

from .guest import ABSENT, DATA, KERNEL, guest, run
from .test_boot import workload

F, G, H = KERNEL + 0x10000, KERNEL + 0x11000, KERNEL + 0x12000
END = "test ebp, ebp; jne off; inc ebp; iretd; off: power_off"
TWICE = "xor ebp, ebp; int 0x80; int 0x80"


def functions(kernel):
    """Address of each function of an ELF file."""
    symbols = ELFFile(io.BytesIO(kernel)).get_section_by_name(".symtab")
    return {
        symbol.name: symbol["st_value"] for symbol in symbols.iter_symbols() if symbol["st_info"]["type"] == "STT_FUNC"
    }


def test_the_very_first_instruction_is_seen():
    """D: code translated before a hook was added runs without it."""
    entry = KERNEL + 0x100
    assert run(guest("int 0x80", {0x80: "power_off"}), watch=[entry, entry + 5]).executed == {entry: 1, entry + 5: 1}


def test_a_repeated_instruction_is_executed_once():
    fill = f"mov edi, {KERNEL + 0x14000}; mov ecx, 9; jmp there; there: rep_stosd; jmp self; self: rep_stosd; ret"
    there, this = F + 12, F + 16
    shown = run(guest(TWICE, {0x80: f"call {F}; {END}"}, functions={0x10000: fill}), watch=[there, this, F])
    assert shown.executed == {F: 2, there: 2, this: 2}


def test_an_instruction_that_is_restarted_is_executed_once():
    page = DATA + 0x8000
    fill = f"mov edi, {page - 8}; mov ecx, 5; rep_stosd; mov eax, [{page}]; ret"
    mapping = f"mov dword ptr [{KERNEL + 0x2000 + 0x58 * 4}], {0x129007}; add esp, 4; iretd"
    for slice_size in (2, 3, 1000):
        kernel = guest(TWICE, {0x80: f"call {F}; {END}", 14: mapping}, functions={0x10000: fill})
        assert run(kernel, slice_size=slice_size, watch=[F, F + 10, F + 12]).executed == {F: 2, F + 10: 2, F + 12: 2}


def test_an_instruction_that_gives_up_was_executed():
    skip = "add esp, 4; add dword ptr [esp], 6; iretd"
    kernel = guest(TWICE, {0x80: f"call {F}; {END}", 14: skip}, functions={0x10000: f"mov ecx, [{ABSENT}]; ret"})
    assert run(kernel, watch=[F, F + 6]).executed == {F: 2, F + 6: 2}


def test_stacks_are_return_addresses_innermost_first():
    pieces = {
        0x10000: f"call {G}; push 1; push 2; call {H}; add esp, 8; ret",
        0x11000: f"call {H}; ret",
        0x12000: "ret",
    }
    gate = f"call {F}; {END}"
    shown = run(guest(TWICE, {0x80: gate}, functions=pieces), shadow=[F, H])
    back = KERNEL + 0x4000 + 5
    assert shown.stacks == {(F, (back,)): 2, (H, (G + 5, F + 5, back)): 2, (H, (F + 14, back)): 2}


def test_tail_jumps_and_odd_calls_leave_no_trace():
    """`call` and `pop` is no call; `push` and `ret` is none either; a jump keeps the caller's return address."""
    odd = f"call next; next: pop eax; push 5; push {G}; ret"
    pieces = {0x10000: odd, 0x11000: f"pop eax; jmp {H}", 0x12000: "ret"}
    shown = run(guest(TWICE, {0x80: f"call {F}; {END}"}, functions=pieces), shadow=[G, H])
    back = KERNEL + 0x4000 + 5
    assert shown.stacks == {(G, (back,)): 2, (H, (back,)): 2}


def test_what_returned_is_forgotten():
    """Its return address may stand above esp for long, where nobody writes."""
    pieces = {0x10000: f"call {G}; sub esp, 32; call {H}; add esp, 32; ret", 0x11000: "ret", 0x12000: "ret"}
    shown = run(guest(TWICE, {0x80: f"call {F}; {END}"}, functions=pieces), shadow=[H])
    assert shown.stacks == {(H, (F + 13, KERNEL + 0x4000 + 5)): 2}


def test_a_fault_within_a_call_sees_through_to_the_user_frame():
    """What the kernel's own faults call stands on the stack of what faulted."""
    handler = f"call {G}; add esp, 4; add dword ptr [esp], 6; iretd"
    pieces = {0x10000: f"mov ecx, [{ABSENT}]; ret", 0x11000: "ret"}
    shown = run(guest(TWICE, {0x80: f"call {F}; {END}", 14: handler}, functions=pieces), shadow=[G])
    (entry, stack), count = next(iter(shown.stacks.items()))
    assert (entry, len(stack), count) == (G, 2, 2)


def test_the_kernel_agrees_with_its_trace():
    """Executions of handlers are calls in the trace; each was called once, from the gate."""
    kernel, work = image.kernel(), workload("readseek 8192 3", "calls")
    symbols = functions(kernel)
    handlers = {19: symbols["sys_lseek"], 3: symbols["sys_read"]}
    shown = Machine().run(kernel, work, watch=handlers.values(), shadow=handlers.values())
    for number, handler in handlers.items():
        calls = sum(call.number == number for call in shown.calls)
        assert shown.executed[handler] == calls > 0
        stacks = {stack: count for (entry, stack), count in shown.stacks.items() if entry == handler}
        assert list(stacks.values()) == [calls]
        assert all(len(stack) == 1 for stack in stacks)
    assert Machine(slice_size=503).run(kernel, work, watch=handlers.values(), shadow=handlers.values()) == shown
