"""The kernel's tests as user programs, on Linux, which the tests themselves must satisfy, and on our kernel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.toykernel.boots import needs_qemu, workload
from tests.toykernel.test_build import needs_gcc
from toykernel import build, disk, image
from toykernel.machine import Machine, Qemu

WORK = workload("usertests", disk=disk.empty(), memory=12)  # little, so that using it up does not take long


def outcomes(console: str) -> dict[str, str]:
    """By filesystem and name, "ok" or "FAILED", of all tests that usertests ran."""
    return dict(re.findall(r"^(\S+ \S+): (ok|FAILED)$", console, re.MULTILINE))


def test_linux_agrees_with_the_tests(on_linux, tmp_path: Path) -> None:
    """All that they expect is what Linux gives; /proc there has other files."""
    if not (tmp_path / "dev" / "null").exists():
        pytest.skip("this system does not let us make devices")
    _, console = on_linux("usertests")
    found = outcomes(console)
    assert len(found) > 140
    assert {name for name, outcome in found.items() if outcome != "ok"} == {"/ device-proc"}, console


@pytest.fixture(scope="module")
def console() -> str:
    return Machine().run(image.kernel(), WORK).console.decode()


def test_our_kernel_passes(console: str) -> None:
    found = outcomes(console)
    assert len(found) > 140
    assert set(found.values()) == {"ok"}, console
    assert console.splitlines()[-1] == f"{len(found)} tests, 0 failed"


@needs_qemu
def test_it_passes_on_qemu(console: str) -> None:
    assert Qemu().console(image.kernel(), WORK).decode() == console


@needs_gcc
def test_another_build_passes(console: str) -> None:
    """Another compiler, other names, fields and functions in another order, all in one unit."""
    kernel = build.kernel("gcc", "-Os", one_unit=True, shuffle=3)
    assert Machine().run(kernel, WORK).console.decode() == console
