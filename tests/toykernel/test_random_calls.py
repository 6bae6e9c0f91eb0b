"""Random system calls give what the model says, on our PC, on QEMU and in other builds (issue 3's third promise)."""

from __future__ import annotations

import pytest

from tests.toykernel.boots import needs_qemu, workload
from tests.toykernel.model.process import Process
from tests.toykernel.random_calls import Trial, without_counters
from toykernel import disk, image
from toykernel.machine import Machine, Qemu

TRIAL = Trial(((1, 6000),))


@pytest.fixture(scope="module")
def run():
    return Machine().run(image.kernel(), TRIAL.work())


def test_the_kernel_does_what_the_model_says(run) -> None:
    """Results, contents, the disk, and the counters of /proc/meminfo."""
    assert list(TRIAL.differences(run)) == []


def test_the_one_unit_kernel_does_the_same(run) -> None:
    other = Machine().run(image.kernel_one_unit(), TRIAL.work())
    assert without_counters(other.console) == without_counters(run.console)
    assert other.disk == run.disk


@needs_qemu
def test_qemu_does_the_same(run) -> None:
    console = Qemu().console(image.kernel(), TRIAL.work())
    assert without_counters(console) == without_counters(run.console)


def test_interrupts_anywhere_in_the_kernel_change_nothing() -> None:
    work = workload("randomcalls 7 120", disk=disk.empty())
    calm, stormy = Machine().run(image.kernel(), work), Machine(storm=61).run(image.kernel(), work)
    assert stormy.ticks > 1000
    assert (stormy.console, stormy.disk) == (calm.console, calm.disk)


def test_a_wrong_result_is_narrowed_down_to_the_call(run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Process.dup2
    monkeypatch.setattr(Process, "dup2", lambda self, fd, new: right(self, fd, new) + (new == 7))
    first, got, expected = TRIAL.differences(run)
    assert "calls: " in first
    assert " dup2 " in got
    assert got.split(" = ")[0].removeprefix("call ") == expected.split(" = ")[0].removeprefix("expected ")
