"""Memory: what is given when it is first needed, what is copied when it is first written, what is not there."""

from __future__ import annotations

from pathlib import Path

from tests.toykernel.boots import boot, needs_qemu, statuses, workload
from tests.toykernel.test_build import needs_gcc
from toykernel import build, image
from toykernel.machine import Machine, Qemu

MEMORY = (Path(__file__).parent / "memory.txt").read_text()
AREAS = [1, 1, 2, 3, 2, 2, 0]  # merged, beside others, cut, filled, replaced, gone


def test_memory() -> None:
    run = boot("memory", "memory")
    assert run.console.decode() == MEMORY * 2
    assert statuses(run) == [0, 0]


def test_on_linux(on_linux) -> None:
    assert on_linux("memory") == (0, MEMORY)


@needs_qemu
def test_on_qemu() -> None:
    assert Qemu().console(image.kernel(), workload("memory")).decode() == MEMORY


def test_in_one_unit() -> None:
    assert boot("memory", kernel=image.kernel_one_unit()).console.decode() == MEMORY


@needs_gcc
def test_metamorphic_gcc() -> None:
    assert boot("memory", kernel=build.kernel("gcc", "-Os", shuffle=12)).console.decode() == MEMORY


def test_interrupts_at_any_instruction() -> None:
    stormy = Machine(storm=211).run(image.kernel(), workload("memory"))
    assert stormy.console.decode() == MEMORY


def test_areas_are_merged_and_cut() -> None:
    lines = boot("memory areas").console.decode().splitlines()
    counts = [int(line.rpartition(" ")[2]) for line in lines if line.startswith("  areas()")]
    assert counts == AREAS
