"""The kernel and its programs behave the same after identity, and after moving every function."""

from __future__ import annotations

from functools import lru_cache

import pytest

import toykernel.image
from rewriter.behavior import differences
from rewriter.contract import Contract
from rewriter.elf import emit, load
from toykernel.machine import Machine, Run, Workload

COMMANDS = ("hello", "readseek 10000 2", "calls", "fault read-null", "hello")


def boot(kernel: bytes, programs: dict[str, bytes]) -> Run:
    files = {f"bin/{name}": raw for name, raw in programs.items()}
    return Machine().run(kernel, Workload(COMMANDS, files), check=True)


@lru_cache(maxsize=1)
def original() -> Run:
    return boot(toykernel.image.kernel(), toykernel.image.programs())


@pytest.mark.parametrize("move", [False, True], ids=["identity", "moved"])
def test_rewritten_kernel_behaves_the_same(move: bool) -> None:
    contract = Contract.parse(toykernel.image.contract())
    kernel = emit(load(toykernel.image.kernel(), contract), move=move)
    found = differences(original(), boot(kernel, toykernel.image.programs()))
    assert not found


@pytest.mark.parametrize("move", [False, True], ids=["identity", "moved"])
def test_rewritten_programs_behave_the_same(move: bool) -> None:
    """Sites move, so what is compared is what a program can see of itself: its output and its status."""
    programs = {name: emit(load(raw), move=move) for name, raw in toykernel.image.programs().items()}
    found = boot(toykernel.image.kernel(), programs)
    assert (found.console, found.exits) == (original().console, original().exits)
    assert [(c.number, c.result) for c in found.calls] == [(c.number, c.result) for c in original().calls]
