"""The kernel's tests as user programs, on Linux, which the tests themselves must satisfy, and on our kernel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.toykernel.boots import needs_qemu, workload
from tests.toykernel.test_build import needs_gcc
from toykernel import build, disk, image
from toykernel.machine import Machine, Qemu

WORK = workload("usertests", disk=disk.empty(), memory=16)  # little, so that using it up does not take long


def outcomes(console: str) -> dict[str, str]:
    """By filesystem and name, "ok" or "FAILED", of all tests that usertests ran."""
    return dict(re.findall(r"^(\S+ \S+): (ok|FAILED)$", console, re.MULTILINE))


def test_linux_agrees_with_the_tests(on_linux, tmp_path: Path) -> None:
    """All that they expect is what Linux gives; /proc there has other files."""
    if not (tmp_path / "dev" / "null").exists():
        pytest.skip("this system does not let us make devices")
    _, console = on_linux("usertests")
    found = outcomes(console)
    assert len(found) > 130
    assert {name for name, outcome in found.items() if outcome != "ok"} == {"/ device-proc"}, console


@pytest.fixture(scope="module")
def console() -> str:
    return Machine().run(image.kernel(), WORK).console.decode()


def test_our_kernel_passes(console: str) -> None:
    found = outcomes(console)
    assert len(found) > 100
    assert set(found.values()) == {"ok"}, console
    assert console.splitlines()[-1] == f"{len(found)} tests, 0 failed"


@needs_qemu
def test_it_passes_on_qemu(console: str) -> None:
    assert Qemu().console(image.kernel(), WORK).decode() == console


@needs_gcc
@pytest.mark.parametrize(("optimize", "one_unit", "shuffle"), [("-Os", False, 3), ("-O3", True, None)])
def test_other_builds_pass(optimize: str, one_unit: bool, shuffle: int | None, console: str) -> None:
    kernel = build.kernel("gcc", optimize, one_unit, shuffle)
    assert Machine().run(kernel, WORK).console.decode() == console
