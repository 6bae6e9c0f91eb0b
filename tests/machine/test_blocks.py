"""Where instructions begin, told from bytes alone."""

from __future__ import annotations

from toykernel import image
from toykernel.machine.blocks import disassemble, instructions

from .guest import assemble

HLT = 0xF4


def test_operands_are_no_instructions():
    code = assemble("mov eax, [ebp - 12]; mov [esp + 0xf4], ecx; push 0xf4f4f4f4; inc ecx; hlt; inc edx;" * 6, 0)
    found = instructions(code, HLT)
    assert code.count(HLT) > 30
    assert [at for at in found if at > 48] == [at for at in _true_places(code) if at > 48]
    assert set(found) >= set(_true_places(code))


def test_what_stands_behind_data_is_found_where_it_sleeps_or_loops():
    for data in (b"\xb8\xe8" * 40, b"\x0f" * 70, b"\xff\x15\x81\x69" * 30):
        for text in ("sti; hlt; nop", "cli; hlt; nop", "self: hlt; jmp self"):
            code = data + assemble(text, 0)
            assert code.index(HLT) in instructions(code, HLT)


def test_the_kernels_own_are_few():
    """And none is missed: the processor would not be known to sleep (see test_devices)."""
    kernel = image.kernel()
    assert kernel.count(HLT) > 10
    assert len(instructions(kernel, HLT)) <= kernel.count(HLT) / 3


def _true_places(code: bytes) -> list[int]:
    at, found = 0, []
    for size, mnemonic, _ in disassemble(code):
        found += [at] if mnemonic == "hlt" else []
        at += size
    return found
