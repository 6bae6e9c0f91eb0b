"""What new calls save that the paper could not make, mmap and munmap (§5), and open and close.

    pytest tests/bench/test_mapping.py -s --benchmark-only

Kernel instructions from the gate to the `iret`, as they are; with the paper's own choices; with the contract's fact
that schedule() leaves its caller's frame intact, in place; and with all that there is.  A run of all tests measures
the last alone, of two cases.
"""

from __future__ import annotations

from typing import Any

import pytest

from rewriter.options import Options
from rewriter.pipeline import run
from rewriter.report import PhaseResult
from tui.system import toy

GROWTH = 0.15  # that the text may have cost
REPETITIONS = 25
# Command lines, and which part of the instructions of which calls is to be saved.  Where there are two, the length of
# the mapping differs: five of mmap's six arguments are always the same.
CASES: dict[tuple[str, ...], dict[str, float]] = {
    ("mapping 4 0 {}",): {"mmap2": 0.35, "munmap": 0.35},
    ("mapping 4 0 {}", "mapping 9 0 {}"): {"mmap2": 0.35, "munmap": 0.35},
    ("mapping 4 4 {}",): {"mmap2": 0.35, "munmap": 0.35},
    ("mapping 2 2 {} /data/small/text",): {"mmap2": 0.35, "munmap": 0.35},
    ("opening /data/small/text {}",): {"open": 0.3, "close": 0.3},
    ("opening /disk/small/text {}",): {"close": 0.3},
}
CHAIN = "unmap → zap_pages → cond_resched → schedule → switch_to"


def results(lines: tuple[str, ...], **choices: Any) -> dict[str, PhaseResult]:
    commands = tuple(line.format(REPETITIONS) for line in lines)
    found = run(Options(program=commands[0].split()[0], commands=commands, **choices), toy())
    return {result.name: result for result in found}


def costs(found: dict[str, PhaseResult]) -> dict[str, list[float]]:
    """Of each call, original and specialized."""
    summary: Any = found["measure"].summary
    assert summary["behavior"]["same"]
    layout: Any = found["layout"].summary
    before, after = layout["static"]["text_bytes"]
    assert after <= (1 + GROWTH) * before
    return {name: call["instructions"] for name, call in summary["syscalls"].items()}


@pytest.mark.parametrize("lines", [("mapping 4 0 {}",), ("opening /data/small/text {}",)], ids="; ".join)
def test_what_is_saved(lines: tuple[str, ...]) -> None:
    enough(lines, costs(results(lines)))


@pytest.mark.parametrize("lines", CASES, ids="; ".join)
def test_what_each_part_saves(benchmark: Any, lines: tuple[str, ...]) -> None:
    benchmark.pedantic(show, args=(lines,), rounds=1)


def show(lines: tuple[str, ...]) -> None:
    columns = [
        costs(results(lines, as_published=True)),
        costs(results(lines, without=frozenset({"region"}))),
        costs(results(lines)),
    ]
    print(f"\n{'; '.join(lines)}: original → as published, in place with the fact, all")
    for name in CASES[lines]:
        each = ", ".join(f"{c[name][1]:.1f} (−{saved(c[name]):.1%})" for c in columns)
        print(f"  {name:8}{columns[0][name][0]:8.1f} → {each}")
    enough(lines, columns[-1])


def enough(lines: tuple[str, ...], found: dict[str, list[float]]) -> None:
    for name, least in CASES[lines].items():
        assert saved(found[name]) >= least, name


def saved(instructions: list[float]) -> float:
    before, after = instructions
    return 1 - after / before


def test_the_papers_failure() -> None:
    """Without the fact nothing is known of the stack wherever the scheduler is reached, and the chain is named."""
    found = results(("mapping 4 0 {}",), as_published=True)
    reasons = str(found["specialize"].summary) + str(found["inline"].summary)
    assert costs(found)["mmap2"][0] == costs(found)["mmap2"][1]
    assert f"sys_mmap2 → {CHAIN}" in reasons
    assert f"sys_munmap → {CHAIN}" in reasons
