"""Processes: how they end, wait, sleep, take turns and become other programs."""

from __future__ import annotations

from pathlib import Path

from tests.toykernel.boots import boot, needs_qemu, statuses, workload
from tests.toykernel.test_build import needs_gcc
from toykernel import build, image
from toykernel.machine import Machine, Qemu

PROCESSES = (Path(__file__).parent / "processes.txt").read_text()
EVERYBODY = """\
  fork number 127 gives -11
  kill(-1, SIGKILL) = 0
  126 ended
  start(sleep, 1) > 0 = 1
"""
# 2.4 keeps a child whose status could not be told; today's Linux does not.
DIFFERENT = ("  status_of(second) = 512\n", "  status_of(second) = -10\n")


def test_processes() -> None:
    run = boot("processes", "processes")
    assert run.console.decode() == PROCESSES * 2
    assert statuses(run) == [0, 0]


def test_on_linux(on_linux) -> None:
    assert on_linux("processes") == (0, PROCESSES.replace(*DIFFERENT))


@needs_qemu
def test_on_qemu() -> None:
    assert Qemu().console(image.kernel(), workload("processes")).decode() == PROCESSES


def test_in_one_unit() -> None:
    assert boot("processes", "processes all", kernel=image.kernel_one_unit()).console.decode() == PROCESSES + EVERYBODY


@needs_gcc
def test_metamorphic_gcc() -> None:
    assert boot("processes", kernel=build.kernel("gcc", "-O3", shuffle=11)).console.decode() == PROCESSES


def test_everybody_is_killed_but_init() -> None:
    """Whoever kills all others by kill(-1) lives on; by kill(0) it dies, too."""
    run = boot("processes all", "hello")
    assert run.console.decode() == EVERYBODY + "hello from process 130, ring 3\n"
    assert statuses(run) == [143, 0]


def test_orphans_go_on_until_power_off() -> None:
    """A command is over when its own process is; init buries the others between."""
    run = boot("processes all", "processes all", "processes")
    assert run.console.decode() == EVERYBODY * 2 + PROCESSES


def test_interrupts_at_any_instruction() -> None:
    """Ticks come so often then that those who sleep wake before all of them sleep."""
    stormy = Machine(storm=211).run(image.kernel(), workload("processes"))
    consoles = (PROCESSES, stormy.console.decode())
    calm, shaken = ([line for line in console.splitlines() if "slept" not in line] for console in consoles)
    assert shaken == calm


def test_commands_get_many_arguments() -> None:
    lines = boot("hello " + "x " * 300).console.decode().splitlines()
    assert lines[1:] == [f"argument {n}: x" for n in range(1, 301)]
