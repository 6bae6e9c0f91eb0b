"""Figures 6 and 7 (§5): read and lseek by file size, the original kernel beside the specialized one.

    pytest tests/bench --benchmark-only --benchmark-group-by=param:call,param:size

The time is modelled: the cycles of one call after the other, on a virtual clock.
"""

from __future__ import annotations

from functools import cache, lru_cache
from statistics import fmean
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from rewriter.behavior import differences
from rewriter.run import Call, Run
from tests.bench.clock import VirtualClock
from tests.phases.runs import made
from tui.system import toy

KIB = 1024
SIZES = (4 * KIB, 64 * KIB, 256 * KIB, 1024 * KIB)
REPETITIONS = 5
CLOCK = VirtualClock()


@lru_cache(maxsize=1)
def specialized() -> tuple[bytes, dict[str, bytes], dict[int, int]]:
    """The specialized kernel, its programs, and the original number of every new call."""
    results: dict[str, Any] = made("default").results
    programs = {name.removesuffix(".retargeted.elf"): raw for name, raw in results["retarget"].files.items()}
    numbers = {int(row["is"]): int(row["was"]) for row in results["retarget"].summary["sites"]}
    return results["layout"].files["kernel.specialized.elf"], programs, numbers


@cache
def runs(size: int) -> dict[str, Run]:
    system = toy()
    commands = (f"readseek {size} {REPETITIONS}",)
    kernel, programs, _ = specialized()
    found = {
        "original": system.machine.run(system.kernel, system.work(commands), measure=True, check=True),
        "specialized": system.machine.run(kernel, system.work(commands, programs), measure=True, check=True),
    }
    assert not differences(found["original"], found["specialized"])
    return found


def calls(kernel: str, name: str, size: int) -> list[Call]:
    """The calls of one name that did something, the first repetition left out."""
    number = {"read": 3, "lseek": 19}[name]
    numbers = specialized()[2]
    found = [c for c in runs(size)[kernel].calls if numbers.get(c.number, c.number) == number]
    full = [c for c in found if name == "lseek" or c.result]
    return full[len(full) // REPETITIONS :]


@pytest.mark.parametrize("kernel", ["original", "specialized"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size // KIB}K")
@pytest.mark.parametrize("call", ["read", "lseek"])
@pytest.mark.benchmark(timer=CLOCK)
def test_cycles_of_a_call(benchmark: BenchmarkFixture, call: str, size: int, kernel: str) -> None:
    costs = calls(kernel, call, size)
    benchmark.extra_info["instructions"] = round(fmean(c.instructions for c in costs), 3)
    left = iter(costs)
    benchmark.pedantic(lambda: CLOCK.spend(next(left).cycles), rounds=len(costs), iterations=1)
