"""How near a new lseek(fd, 0, SEEK_SET) comes to one that is written by hand.

pytest tests/bench/test_limit.py -s
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from rewriter.behavior import differences
from rewriter.elf import load
from rewriter.options import System
from rewriter.run import Run
from tests.bench.limit import by_hand
from tests.phases.runs import made
from tests.toykernel.test_build import needs_zig
from tests.toykernel.test_usertests import WORK, outcomes
from toykernel.machine import Machine
from tui.system import toy

COMMANDS = ("readseek 65536 5",)
MOST = 1.3


@dataclass
class Kernels:
    system: System
    ours: bytes
    limit: bytes
    programs: dict[str, bytes]
    number: int  # of the new lseek


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    system = toy()
    results = made("default").results
    summary: Any = results["measure"].summary
    variants = [
        {"call": name, "number": v["number"], "calls": v["calls"]}
        for name, call in summary["syscalls"].items()
        for v in call["variants"]
    ]
    programs = {n.removesuffix(".retargeted.elf"): raw for n, raw in results["retarget"].files.items()}
    limit = by_hand(system, variants, load(programs["readseek"]).made_for)
    number = summary["syscalls"]["lseek"]["variants"][0]["number"]
    return Kernels(system, results["layout"].files["kernel.specialized.elf"], limit, programs, number)


def ran(kernels: Kernels, kernel: bytes, programs: dict[str, bytes], storm: int = 0) -> Run:
    machine: Any = Machine(storm=storm) if storm else kernels.system.machine
    return machine.run(kernel, kernels.system.work(COMMANDS, programs), measure=True, check=True)  # type: ignore[no-any-return]


@needs_zig
def test_what_is_written_by_hand_is_right(kernels: Kernels) -> None:
    """It passes the kernel's tests, and a program that calls it sees no difference, not even if interrupted a lot."""
    console = Machine().run(kernels.limit, WORK).console.decode()
    assert set(outcomes(console).values()) == {"ok"}, console
    original = ran(kernels, kernels.system.kernel, {})
    assert not differences(original, ran(kernels, kernels.limit, kernels.programs))
    stormy = ran(kernels, kernels.limit, kernels.programs, storm=7)
    assert stormy.console == original.console


@needs_zig
def test_ours_is_near(kernels: Kernels) -> None:
    costs = []
    for kernel in (kernels.ours, kernels.limit):
        calls = [c for c in ran(kernels, kernel, kernels.programs).calls if c.number == kernels.number]
        costs.append(calls[-1].instructions)
    ours, limit = costs
    print(f"\nlseek(fd, 0, SEEK_SET): {ours} instructions, by hand {limit}: {ours / limit:.2f} times as many")
    assert ours <= MOST * limit
