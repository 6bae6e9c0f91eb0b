"""Two kernels in lock step: what one of them does otherwise is seen, and said in one line."""

from __future__ import annotations

import pytest

from rewriter.certificate import NewCall
from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.ir import Block
from rewriter.phases.layout import set_handler
from rewriter.x86.encode import assemble
from tests.toykernel.lockstep import Pair, lockstep
from toykernel import image

NUMBER = 240
LSEEK = NewCall("sys_lseek", NUMBER, 19, {}, {})
BROKEN = {
    "eax": ("xor eax, eax", "ret"),
    "edi": ("mov dword ptr [esp + 20], 0", "jmp {sys_lseek}"),
    "memory": (  # where the program has its stack
        "mov eax, [esp + 8]",
        "push eax",
        "mov ecx, esp",
        "mov edx, eax",
        "shr edx, 20",
        "cmp edx, 0xbff",
        "cmovne eax, ecx",
        "mov byte ptr [eax], 1",
        "pop eax",
        "jmp {sys_lseek}",
    ),
}


def pair(body: tuple[str, ...]) -> Pair:
    """A kernel in which a new number does what lseek does, or this."""
    contract = Contract.parse(image.contract())
    kernel = load(image.kernel(), contract)
    if body:
        kernel.function("sys_uname").blocks = [Block("sys_uname", assemble(list(body)))]
    set_handler(kernel, contract, NUMBER, "sys_uname" if body else "sys_lseek")
    return Pair(image.kernel(), emit(kernel), [LSEEK], [NUMBER - 1, NUMBER + 1])


@pytest.mark.parametrize("seed", [1, 2])
def test_a_kernel_is_the_same_as_itself(seed: int) -> None:
    report = lockstep(pair(()), seed, 200)
    assert report.problems == ()
    assert report.renumbered > 30
    assert bool(report.extra) == (seed == 1)


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_call_is_seen(what: str) -> None:
    first = lockstep(pair(BROKEN[what]), 1, 200).problems[0]
    assert f"19 or {NUMBER} with" in first
    assert what in first
