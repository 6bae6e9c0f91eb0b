"""What Unicorn does differently from a processor, each difference with the guest that noticed it."""

from __future__ import annotations

import pytest

from toykernel.machine import MachineError

from .guest import ABSENT, DATA, KERNEL, STACK, TIMER, USER, USER_STACK, assemble, boot, guest, run

EXIT = "int 0x80"
OFF = {0x80: "power_off"}


def word(pc, linear):
    return int.from_bytes(pc.memory.read(linear, 4, pc.gates.state().cr3), "little")


def test_a_gate_enters_ring_0_on_the_stack_of_the_tss():
    """A: SS of ring 0 cannot be written from ring 3."""
    pc = boot(guest("mov eax, 1; int 0x80", {0x80: "mov esi, ss; mov ebx, cs; mov ecx, esp; power_off"}))
    pc.run(1000, 1000)
    ss, cs, esp = pc.cpu.registers("ESI", "EBX", "ECX").read()
    assert (ss, cs, esp) == (0x10, 8, STACK - 20)
    frame = [word(pc, STACK - 20 + 4 * i) for i in range(5)]
    assert frame == [USER + 7, 0x1B, 0x202, USER_STACK, 0x23]


def test_exception_after_exception_keeps_its_vector():
    """B: the second exception was reported as a double fault."""
    skip = "add esp, 4; add dword ptr [esp], 6; iretd"  # past the faulting instruction
    handlers = {14: f"mov al, 0x70; say; {skip}", 8: "mov al, 0x64; say; power_off", **OFF}
    fault = f"mov ecx, [{ABSENT}]; "
    assert run(guest(fault * 3 + EXIT, handlers)).console == b"ppp"


def test_different_exceptions_follow_each_other():
    """B: page fault, division, protection fault, invalid instruction, page fault."""
    handlers = {
        vector: f"mov al, {letter:#x}; say; add esp, {error}; add dword ptr [esp], {size}; iretd"
        for vector, letter, size, error in ((14, 0x70, 6, 4), (0, 0x64, 2, 0), (13, 0x67, 1, 4), (6, 0x75, 2, 0))
    }
    fault = f"mov ecx, [{ABSENT}]; "
    user = fault + "xor ecx, ecx; div ecx; cli; ud2; " + fault + "ud2; div ecx; " + EXIT
    assert run(guest(user, handlers | OFF)).console == b"pdgupud"


@pytest.mark.parametrize("slice_size", [2, 3, 4, 5, 6])
def test_fault_address_survives_pauses(slice_size):
    """C: where a run ended, the address at which to stop was translated, and the fault changed CR2."""
    unmap_zero = f"mov dword ptr [{KERNEL + 0x1000}], 0; mov eax, cr3; mov cr3, eax"
    see = f"nop; nop; nop; nop; mov eax, cr2; cmp eax, {ABSENT + 5}; jne bad; power_off; bad: fail"
    run(guest(f"mov ecx, [{ABSENT + 5}]", {14: see}, start=unmap_zero), slice_size=slice_size)


def retired(user, **options):
    """User instructions up to the `int`, on the work clock."""
    pc = boot(guest(user + "; int 0x80", OFF | options.pop("handlers", {}), **options))
    pc.run(100_000, 100_000)
    return pc.clock.now


def test_long_straight_code_is_several_blocks():
    """E: translation ends a block after 512 instructions."""
    assert retired("\n".join(["inc eax"] * 1500)) == 1501


def test_a_repeated_instruction_is_one():
    """E: `rep` re-enters its own block each iteration."""
    setup = f"mov edi, {DATA}; mov ecx, "
    assert [retired(setup + f"{n}; rep_stosd; nop") for n in (0, 1, 2, 100)] == [5] * 4
    assert retired(f"mov edi, {DATA}; mov ecx, 7; jmp lp; lp: rep_stosd; mov ecx, 3; jmp x; x: rep_stosd") == 8


def test_a_block_that_faults_midway_counts_once():
    """E: the block was announced with all its instructions, and its rest again after the fault."""
    page = DATA + 0x8000
    handler = f"mov dword ptr [{KERNEL + 0x2000 + 0x58 * 4}], {0x129007}; add esp, 4; iretd"
    user = f"inc eax; inc eax; mov [{page}], eax; inc eax; mov ecx, [{page}]; inc eax"
    assert retired(user, handlers={14: handler}) == 7
    rep = f"mov edi, {page - 12}; mov ecx, 6; inc eax; rep_stosd; inc eax"
    assert retired(rep, handlers={14: handler}) == 6


def test_a_timer_between_two_blocks_replaces_the_block():
    """A batch of registers written in a block hook let the block go on, in ring 0."""
    tick = {0x20: "push eax; mov al, 0x2e; say; eoi; pop eax; iretd"}
    loop = "mov ecx, 500; again: call f; dec ecx; jne again; int 0x80; f: push eax; pop eax; ret"
    assert run(guest(loop, OFF | tick, start=TIMER)).console == b"." * 30


def test_interrupts_take_no_time():
    """A tick at a loop's beginning does not take back the round before."""
    tick = {"start": TIMER, "handlers": {0x20: "push eax; eoi; pop eax; iretd"}}
    assert retired("mov ecx, 500; lp: dec ecx; jne lp", **tick) == 1002
    rounds = f"mov edx, 99; lp: mov edi, {DATA}; mov ecx, 3; rep_stosd; dec edx; jne lp"
    assert retired(rounds, **tick) == 1 + 99 * 5 + 1


@pytest.mark.parametrize("slice_size", [2, 3, 7, 50, 99, 101])
def test_pauses_do_not_move_ticks(slice_size):
    """Where a tick comes depends on the program alone: here at the loop's beginning, not within."""
    handlers = {0x20: "push eax; eoi; mov eax, [esp + 4]; say; pop eax; iretd", **OFF}
    kernel = guest("mov ecx, 20; again:\n" + "inc eax\n" * 77 + "dec ecx; jne again; int 0x80", handlers, start=TIMER)
    assert run(kernel, slice_size=slice_size).console == run(kernel).console
    assert set(run(kernel).console) == {5}


def test_user_mode_may_not_touch_ports():
    """The library lets ring 3 through."""
    handlers = {13: "mov al, 0x21; say; power_off", **OFF}
    for instruction in ("out 0xf4, al", "in al, 0x60", "mov edx, 0x3f8; out dx, al"):
        assert run(guest(f"mov al, 1; {instruction}; int 0x80", handlers)).console == b"!"


def test_time_stamps_are_the_same_in_every_run():
    """Without a hook `rdtsc` reads the host's time."""
    send = "; ".join(["say; shr eax, 8"] * 4)
    kernel = guest(
        "rdtsc; mov ebx, eax; rdtsc; sub eax, ebx; jbe bad; int 0x80; bad: int3", {0x80: f"{send}; power_off"}
    )
    first = run(kernel)
    assert len(first.console) == 4
    assert first == run(kernel)


@pytest.mark.parametrize("slice_size", [2, 3, 4, 5, 6, 7, 8, 9, 1000])
def test_a_halted_processor_wakes_at_the_next_tick(slice_size):
    """`hlt` ends a run; the clock jumps.  A used-up slice ends a run too, also directly behind a `hlt`."""
    handlers = {0x20: "eoi; mov al, 0x2e; say; iretd", 0x80: "sti; hlt; nop; hlt; hlt; mov ebx, 0xf4; nop; power_off"}
    shown = run(guest(EXIT, handlers, start=TIMER), slice_size=slice_size)
    assert (shown.console, shown.ticks) == (b"...", 3)


def test_a_halt_that_nothing_ends_is_reported():
    with pytest.raises(MachineError, match="nothing can wake it"):
        run(guest(EXIT, {0x80: "cli; hlt"}, start=TIMER))
    with pytest.raises(MachineError, match="nothing can wake it"):
        run(guest(EXIT, {0x80: "sti; hlt"}))


def test_programs_of_two_address_spaces_are_told_apart():
    """E: blocks at the same addresses, of the same size, with other instructions; two tasks take turns."""
    first = "mov edi, 3; again: inc eax; inc eax; inc eax; inc eax; inc eax; int 0x80; dec edi; jne again; int 0x81"
    second = assemble("mov edi, 9; again: mov eax, 5; int 0x80; jmp again", USER)
    other = KERNEL + 0x13000  # its kernel stack; the page tables and the code lie behind it
    directory, table, code = 0x113000, 0x114000, 0x115000
    frame = (USER, 0x1B, 0x202, USER_STACK, 0x23)
    start = "; ".join(
        [f"mov esi, {KERNEL + 0x1000}; mov edi, {directory + 0xC0000000}; mov ecx, 2048; cld; rep_movsd"]
        + [f"mov dword ptr [{directory + 0xC0000080}], {table + 7}; mov dword ptr [{table + 0xC0000120}], {code + 5}"]
        + [f"mov dword ptr [{other - 20 + 4 * i}], {word}" for i, word in enumerate(frame)]
        + [f"mov dword ptr [{KERNEL + 0x12000}], {other - 20 - 32}; mov dword ptr [{KERNEL + 0x12004}], {other}"]
        + [f"mov dword ptr [{KERNEL + 0x12008}], {directory}"]
    )
    saved, tss = KERNEL + 0x12000, KERNEL + 0x3900
    switch = f"""pushad; mov eax, esp; xchg eax, [{saved}]; mov esp, eax; mov eax, [{tss + 4}]; xchg eax, [{saved + 4}]
        mov [{tss + 4}], eax; mov eax, cr3; xchg eax, [{saved + 8}]; mov cr3, eax; popad; iretd"""
    pieces = {0x15000: "; ".join(f".byte {byte}" for byte in second)}
    pc = boot(guest(first, {0x80: switch, 0x81: "power_off"}, ring3=(0x80, 0x81), start=start, functions=pieces))
    pc.run(100_000, 100_000)
    assert pc.clock.now == (1 + 3 * 8 + 1) + (1 + 3 * 2 + 2)
    calls = pc.trace.calls()
    assert [call.result is None for call in calls] == [False] * 5 + [True]
