"""Another PC agrees: original, identity, moved and specialized kernels print the same on Unicorn and on QEMU."""

from __future__ import annotations

import pytest

from rewriter.elf import emit, load
from rewriter.options import System
from rewriter.report import PhaseResult
from tests.toykernel.boots import needs_qemu
from tests.toykernel.test_usertests import WORK, outcomes
from toykernel.machine import Qemu

COMMANDS = ("hello", "readseek 9000 3", "calls", "fault read-null")
pytestmark = needs_qemu


@pytest.fixture(scope="module")
def expected(system: System) -> bytes:
    return system.machine.run(system.kernel, system.work(COMMANDS)).console


@pytest.mark.parametrize("kind", ["original", "identity", "moved", "specialized"])
def test_the_console_says_the_same(kind: str, system: System, results: dict[str, PhaseResult], expected: bytes) -> None:
    program = load(system.kernel, system.contract)
    kernels = {
        "original": system.kernel,
        "identity": emit(program),
        "moved": emit(program, move=True),
        "specialized": results["layout"].files["kernel.specialized.elf"],
    }
    work = system.work(COMMANDS)
    assert system.machine.run(kernels[kind], work).console == expected
    assert Qemu().console(kernels[kind], work) == expected


def test_the_retargeted_program_runs_there_too(system: System, results: dict[str, PhaseResult]) -> None:
    program = {"readseek": results["retarget"].files["readseek.retargeted.elf"]}
    work = system.work(("readseek 9000 3",), program)
    kernel = results["layout"].files["kernel.specialized.elf"]
    found = Qemu().console(kernel, work)
    assert found == system.machine.run(kernel, work).console
    assert b"9000 bytes, 3 repetitions" in found


def test_the_kernels_own_tests_pass_there(results: dict[str, PhaseResult]) -> None:
    found = outcomes(Qemu().console(results["layout"].files["kernel.specialized.elf"], WORK).decode())
    assert len(found) > 100
    assert set(found.values()) == {"ok"}, found
