"""New calls beside old ones: what is the same is certified, and what a broken call does otherwise is seen."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from rewriter.certificate import Certificate, NewCall, Trials
from rewriter.elf import emit, load
from rewriter.ir import Block, Program
from rewriter.options import System
from rewriter.phases.layout import set_handler
from rewriter.report import PhaseResult
from rewriter.x86.encode import assemble
from toykernel.machine import Machine, Workload

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a machine need a system that can fork")
COMMANDS = ("calls", "readseek 9000 2")
LSEEK = NewCall("sys_lseek", 240, 19, {}, {})


def work(system: System) -> Workload:
    known = system.work(COMMANDS)
    return Workload(known.commands, known.files, known.disk, memory=8)


@pytest.fixture(scope="module")
def program(system: System) -> Program:
    return load(system.kernel, system.contract)


def certified(
    system: System, program: Program, kernel: bytes, calls: Sequence[NewCall], enough: int, seed: int = 3
) -> Sequence[Certificate]:
    workload = work(system)
    moments = len(Machine().run(kernel, workload).calls)
    trials = Trials(program, calls, moments, seed, enough)
    Machine().what_if(kernel, workload, trials.ask, trials.hear, watch=trials.watch)
    return trials.certificates


def with_slot(system: System, program: Program, handler: str, body: Sequence[str] = (), number: int = 240) -> bytes:
    """The kernel with a call of this number more: `handler`, or `body` where that is given."""
    program = program.copy()
    if body:
        ticks = program.symbol("jiffies")
        lines = [line.replace("jiffies", f"{{{ticks.target}+{ticks.offset}}}") for line in body]
        program.function("sys_uname").blocks = [Block("sys_uname", assemble(lines))]
        handler = "sys_uname"
    set_handler(program, system.contract, number, handler)
    return emit(program)


def test_the_new_calls_do_what_the_old_ones_do(system: System, results: dict[str, PhaseResult]) -> None:
    rows = results["layout"].summary["new_calls"]
    assert isinstance(rows, list)
    kernel = results["layout"].files["kernel.specialized.elf"]
    found = certified(system, load(kernel, system.contract), kernel, [NewCall.of(row) for row in rows], 40)
    for each in found:
        assert each.different == []
        assert each.trials >= 30
        assert {"returned", "error 9"} <= set(each.endings)
        assert len(each.executed) > 40
        assert each.row()["never"]  # some exits are not met in so few
    assert any(each.fallbacks for each in found)
    assert any("error 14" in each.endings for each in found)


def test_a_call_is_the_same_as_itself(system: System, program: Program) -> None:
    (found,) = certified(system, program, with_slot(system, program, "sys_lseek"), [LSEEK], 30)
    assert (found.different, found.trials > 20) == ([], True)


@pytest.mark.parametrize(
    ("body", "difference"),
    [
        (("xor eax, eax", "ret"), "registers"),  # another result
        (("mov dword ptr [esp + 20], 0", "jmp {sys_lseek}"), "registers"),  # the program's edi
        (("inc dword ptr [jiffies]", "jmp {sys_lseek}"), "memory"),  # of the kernel
        (("mov eax, [esp + 8]", "mov byte ptr [eax], 1", "jmp {sys_lseek}"), "elsewhere"),  # a wild store
        (("hlt", "jmp {sys_lseek}"), "asleep"),
    ],
    ids=["result", "register", "memory", "death", "sleep"],
)
def test_a_broken_call_is_seen(body: tuple[str, ...], difference: str, system: System, program: Program) -> None:
    (found,) = certified(system, program, with_slot(system, program, "", body), [LSEEK], 20)
    assert found.different
    if difference in ("registers", "memory"):
        assert any(difference in line for line in found.different), found.different


def test_what_is_implied_is_told_to_the_old_call_alone(system: System, program: Program) -> None:
    """`getppid` asks nothing: whatever is in its registers comes back."""
    new = NewCall("sys_getppid", 240, 64, {0: 7, 2: 9}, {})
    (found,) = certified(system, program, with_slot(system, program, "sys_getppid"), [new], 20)
    assert (found.different, found.trials > 10) == ([], True)
    wrong = NewCall("sys_lseek", 240, 19, {2: 1}, {})  # SEEK_CUR; the new call asks the register
    (found,) = certified(system, program, with_slot(system, program, "sys_lseek"), [wrong], 30)
    assert found.different


def test_trials_repeat(system: System, program: Program) -> None:
    kernel = with_slot(system, program, "sys_lseek")
    one, two = (certified(system, program, kernel, [LSEEK], 10)[0].row() for _ in range(2))
    assert one == two
    assert certified(system, program, kernel, [LSEEK], 20, seed=4)[0].row() != one
