"""Interrupts and torn buffers show what a new call does wrong."""

from __future__ import annotations

import os

import pytest

from rewriter.certificate import NewCall
from tests.toykernel.disturbed import Disturbances
from tests.toykernel.test_lockstep import LSEEK, pair
from tests.toykernel.torn import Tears
from toykernel.machine import Workload
from tui.system import toy

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a machine need a system that can fork")
BELOW = (  # believes that a word below esp stays as it was
    "push 77",
    "lea esp, [esp + 4]",
    "nop",
    "nop",
    "mov edx, dword ptr [esp - 4]",
    "sub edx, 77",
    "add dword ptr [esp + 8], edx",
    "jmp {sys_lseek}",
)
NOT_COPIED = ("mov eax, 0", "ret")  # whatever is there


def work() -> Workload:
    known = toy().work(("readseek 9000 1",))
    return Workload(known.commands, known.files, known.disk, memory=8)


def test_what_is_kept_below_esp_is_lost() -> None:
    found = Disturbances([LSEEK], moments=1, most=200)
    found.run(pair(BELOW).specialized, work())
    assert 0 < len(found.wrong) < found.tried.total()
    assert "interrupted 1 times before instruction" in found.wrong[0]
    calm = Disturbances([LSEEK], moments=1, most=20)
    calm.run(pair(()).specialized, work())
    assert calm.wrong == []


def test_a_copy_that_does_not_fault_is_seen() -> None:
    read = NewCall("sys_read", LSEEK.number, 3, {}, {})
    found = Tears([read], moments=1, stride=20)
    found.run(pair(NOT_COPIED).specialized, work())
    assert found.faulted.total() > 0
    assert any("fffffff2" in line for line in found.wrong)
