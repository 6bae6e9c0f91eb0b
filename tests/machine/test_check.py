"""What is looked at when a call returns: registers, and all of user memory."""

from __future__ import annotations

from toykernel import image
from toykernel.machine import Machine

from .guest import DATA, KERNEL, guest, run
from .test_boot import workload

GATE = "test ebp, ebp; jne off; inc ebp; iretd; off: power_off"
TABLE = KERNEL + 0x2000


def digest(user, gate=GATE):
    """Of user memory when the first call returns."""
    run_ = run(guest(f"xor ebp, ebp; {user}; int 0x80; int 0x80", {0x80: gate}), check=True)
    first, second = run_.calls
    assert len(first.memory) == 32
    assert second.memory == ""  # it did not return
    return first.memory


def test_nothing_is_looked_at_unasked():
    calls = run(guest("xor ebp, ebp; int 0x80; int 0x80", {0x80: GATE})).calls
    assert [call.memory for call in calls] == ["", ""]


def test_every_user_byte_counts():
    nothing = digest("mov eax, 0; mov [0x8050000], al")
    seen = {digest(f"mov eax, 1; mov [{place:#x}], al") for place in (DATA, DATA + 1, DATA + 0x4FFF, DATA + 0xF000)}
    assert len({nothing, *seen}) == 5


def test_kernel_memory_does_not_count():
    assert digest("nop", f"mov dword ptr [{KERNEL + 0x9000}], eax; {GATE}") == digest("nop")


def test_frames_do_not_count_but_what_they_hold():
    """The same bytes at the same addresses in other frames."""
    away = f"mov dword ptr [{DATA}], 7; mov dword ptr [{DATA + 0x2000}], 9"
    there = f"mov ecx, [{TABLE + 0x50 * 4}]; xchg ecx, [{TABLE + 0x52 * 4}]; mov [{TABLE + 0x50 * 4}], ecx"
    flush = "mov ecx, cr3; mov cr3, ecx; xor ecx, ecx"
    swapped = digest(away, f"{there}; {flush}; {GATE}")
    assert swapped == digest(f"mov dword ptr [{DATA}], 9; mov dword ptr [{DATA + 0x2000}], 7", f"xor ecx, ecx; {GATE}")
    assert swapped != digest(away, f"xor ecx, ecx; {GATE}")


def test_a_page_more_counts():
    more = f"mov dword ptr [{TABLE + 0x58 * 4}], 0x129007; {GATE}"
    elsewhere = f"mov dword ptr [{TABLE + 0x68 * 4}], 0x129007; {GATE}"
    assert len({digest("nop", gate) for gate in (GATE, more, elsewhere)}) == 3


def test_the_kernel_is_the_same_twice():
    work = workload("readseek 8192 2", "calls")
    first = Machine().run(image.kernel(), work, check=True, measure=True)
    assert first == Machine().run(image.kernel(), work, check=True, measure=True)
    assert all((call.memory != "") == (call.result is not None) for call in first.calls)
    reads = [call.memory for call in first.calls if call.program == "readseek" and call.number == 3]
    assert len(set(reads)) == 2  # blocks of the file
