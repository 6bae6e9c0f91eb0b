"""What a new write saves, on the journaled disk and in memory, and the calls that do least.

    pytest tests/bench/test_writes.py -s --benchmark-only

Kernel instructions from the gate to the `iret`, a block move counted as one: the means of the calls of a program, on
the original kernel, on the specialized one, and on the one of the same sources as one translation unit.  They are the
same wherever they are counted.  A run of all tests takes two of the cases.
"""

from __future__ import annotations

from typing import Any

import pytest

from rewriter.options import Options
from rewriter.pipeline import run
from tui.system import toy

LEAST = 0.3  # of the instructions that are to be saved
GROWTH = 0.15  # that the text may have cost
REPETITIONS = 50
# Command lines; calls that are to be cheaper.
CASES: dict[str, tuple[str, ...]] = {
    "writeseek /disk/new 1024": ("write", "lseek"),
    "writeseek /disk/new 4096": ("write", "lseek"),
    "writeseek /disk/new 16384": ("write", "lseek"),
    "writeseek /new 4096": ("write", "lseek"),
    "brief /bin/sh": ("getpid", "fstat", "dup", "close"),
}


@pytest.mark.parametrize("case", ["writeseek /disk/new 1024", "brief /bin/sh"])
def test_what_is_saved(case: str) -> None:
    enough(case)


@pytest.mark.parametrize("case", CASES)
def test_what_every_case_saves(benchmark: Any, case: str) -> None:
    benchmark.pedantic(enough, args=(case,), rounds=1)


def enough(case: str) -> None:
    command = f"{case} {REPETITIONS}"
    results = {result.name: result for result in run(Options(program=case.split()[0], commands=(command,)), toy())}
    summary: Any = results["measure"].summary
    assert summary["behavior"]["same"]
    layout: Any = results["layout"].summary
    before, after = layout["static"]["text_bytes"]
    print(f"\n{command}: the text grew by {after / before - 1:.1%}")
    assert after <= (1 + GROWTH) * before
    for name in CASES[case]:
        call = summary["syscalls"][name]
        original, specialized = call["instructions"]
        saved = 1 - specialized / original
        print(f"  {name:8}{original:8.1f} → {specialized:8.1f}  −{saved:.1%}  (one unit: {call['one_unit']:.1f})")
        assert saved >= LEAST, name
