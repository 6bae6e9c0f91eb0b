"""Programs that fork, exec and talk through pipes go through the phases as one program does."""

from __future__ import annotations

from typing import Any

import pytest

from rewriter.options import Options, System
from rewriter.pipeline import run
from rewriter.report import PhaseResult

COMMAND = "sh -c head 60000 /dev/zero | tee /copy | wc"
STARTED = {"head", "tee", "wc"}  # by execve, in the shell's children


@pytest.fixture(scope="module")
def piped(system: System) -> dict[str, PhaseResult]:
    return {result.name: result for result in run(Options(program="sh", commands=(COMMAND,)), system)}


def test_the_kernels_behave_the_same_call_by_call(piped: dict[str, PhaseResult]) -> None:
    summary: Any = piped["measure"].summary
    assert summary["behavior"]["same"] is True, summary["differences"]
    assert summary["processes"] == 1 + len(STARTED)


def test_every_program_that_was_started_is_retargeted(piped: dict[str, PhaseResult]) -> None:
    assert {name.split(".")[0] for name in piped["retarget"].files} >= STARTED
    calls: Any = piped["measure"].summary["syscalls"]
    assert all(sum(v["calls"] for v in calls[name]["variants"]) > 100 for name in ("read", "write"))


def test_no_call_of_any_program_is_dearer(piped: dict[str, PhaseResult]) -> None:
    summary: Any = piped["measure"].summary
    assert summary["dearer"] == []
    for name in ("read", "write"):
        before, after = summary["syscalls"][name]["instructions"]
        assert after < before


def test_calls_that_slept_are_told_apart(piped: dict[str, PhaseResult]) -> None:
    (classes,) = (t for t in piped["measure"].tables if t.title == "Every result class")
    ends = {(row[0], row[1]) for row in classes.rows}
    assert {("read", "full"), ("read", "full, slept"), ("write", "full, slept")} <= ends


def test_read_takes_another_path_for_each_kind_of_file(piped: dict[str, PhaseResult]) -> None:
    paths: Any = piped["traces"].summary["hot_paths"]
    indirect = {path["functions"][2] for path in paths["read"] if len(path["functions"]) > 2 and path["indirect"][1]}
    assert {"pipe_read", "zero_read"} <= indirect
