"""The training set: programs that fork, exec and talk through pipes, on files in memory and on the journaled disk."""

from __future__ import annotations

import os
from typing import Any

import pytest

from rewriter.behavior import checked, differences, keyed
from rewriter.options import System
from rewriter.phases.costs import dearer, groups, of
from rewriter.report import PhaseResult
from rewriter.run import Run
from tests.phases.runs import made
from tests.toykernel.boots import needs_qemu
from tests.toykernel.disturbed import Disturbances
from tests.toykernel.lockstep import Pair, lockstep
from tests.toykernel.torn import Tears
from toykernel.machine import Qemu, Workload

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a machine need a system that can fork")
COMMAND = "sh /data/small.sh"
NAMES = {3: "read", 4: "write", 6: "close", 7: "waitpid", 19: "lseek"}
FIGURE_1 = (
    ("system_call", ""),
    ("sys_write", "indirect call"),
    ("ext_file_write", "indirect call"),
    ("generic_file_write", "call"),
    ("ext_prepare_write", "indirect call"),
    ("walk_page_buffers", "call"),
    ("do_journal_get_write_access", "indirect call"),
    ("journal_get_write_access", "call"),
    ("do_get_write_access", "call"),
)


@pytest.fixture(scope="module")
def trained() -> dict[str, PhaseResult]:
    return made("training set").results


@pytest.fixture(scope="module")
def runs(trained: dict[str, PhaseResult], system: System) -> tuple[Run, Run]:
    kernel, programs = rewritten(trained)
    pairs = ((system.kernel, {}), (kernel, programs))
    one, two = (system.machine.run(k, system.work((COMMAND,), p), measure=True, check=True) for k, p in pairs)
    return one, two


def rewritten(trained: dict[str, PhaseResult]) -> tuple[bytes, dict[str, bytes]]:
    """The specialized kernel, and the programs that were made for it."""
    programs = {name.split(".")[0]: raw for name, raw in trained["retarget"].files.items()}
    return trained["layout"].files["kernel.specialized.elf"], programs


def test_the_kernels_behave_the_same_call_by_call_and_file_by_file(runs: tuple[Run, Run]) -> None:
    assert differences(*runs) == []
    assert "files" in checked(runs[0])
    assert len({call.process for call in runs[0].calls}) > 20


def test_random_calls_do_the_same_in_lock_step(trained: dict[str, PhaseResult], system: System) -> None:
    """Ten thousand, many by new numbers; seed 1 with hostile ones between them, seed 2 as a model says, too."""
    pair = Pair.of(system, trained["layout"])
    found = [lockstep(pair, seed, 1000) for seed in (1, 2)]
    assert [report.problems for report in found] == [(), ()]
    assert sum(report.calls for report in found) > 10_000
    assert found[0].extra > 1000
    assert all(report.renumbered > 1000 for report in found)


@needs_fork
def test_interrupts_at_any_instruction_change_no_new_call(trained: dict[str, PhaseResult], system: System) -> None:
    """Some of the instructions; `python -m tests.toykernel.disturbed` takes all of them."""
    pair = Pair.of(system, trained["layout"])
    found = Disturbances(pair.calls, moments=1, most=5)
    found.run(pair.specialized, small(system, "calls", "readseek 9000 1"))
    assert found.wrong == []
    assert len(found.tried) >= 4
    assert found.tried.total() > 30


@needs_fork
def test_copies_may_fault_at_any_byte(trained: dict[str, PhaseResult], system: System) -> None:
    """Some of the places; `python -m tests.toykernel.torn` takes all of them."""
    pair = Pair.of(system, trained["layout"])
    found = Tears(pair.calls, moments=2, stride=29)
    found.run(pair.specialized, small(system, "readseek 9000 1"))
    assert found.wrong == []
    assert found.faulted.total() > 4


def small(system: System, *commands: str) -> Workload:
    """Copies of a small machine are cheap."""
    known = system.work(commands)
    return Workload(known.commands, known.files, known.disk, memory=12)


def test_write_takes_the_path_of_figure_1(trained: dict[str, PhaseResult]) -> None:
    paths: Any = trained["traces"].summary["hot_paths"]
    expected = tuple(name for name, _ in FIGURE_1), [mark == "indirect call" for _, mark in FIGURE_1[1:]]
    assert expected in [(tuple(path["functions"]), path["indirect"]) for path in paths["write"]]


def test_read_has_four_hot_paths_and_lseek_one_of_length_three(trained: dict[str, PhaseResult]) -> None:
    """Figure 4; one for each kind of file, and one down to the disk."""
    paths: Any = trained["traces"].summary["hot_paths"]
    found = [tuple(path["functions"]) for path in paths["read"]]
    assert len(set(found)) >= 4
    assert {"generic_file_read", "pipe_read", "zero_read"} <= {path[2] for path in found if len(path) > 2}
    assert any("ext_get_block" in path for path in found)
    assert any(len(path["functions"]) >= 3 for path in paths["lseek"])


def test_programs_that_were_started_are_retargeted(trained: dict[str, PhaseResult]) -> None:
    """Not the shell alone, which was named: its children's images, too, where they make a call that is worth a number
    (adpcm's own are `exit`, which gains nothing)."""
    changed = set(rewritten(trained)[1])
    assert {"sh", "sort", "tee", "lz", "crc32", "look", "head", "sha1", "wc"} <= changed


def test_no_call_of_any_program_is_dearer(runs: tuple[Run, Run]) -> None:
    found = groups(*runs, NAMES)
    assert list(dearer(*runs, found)) == []
    before, after = (keyed(run) for run in runs)
    for name, key in found.commonest().items():
        costs = [sum(call.instructions for call in of(calls, found.members[key])) for calls in (before, after)]
        assert costs[1] < costs[0] or name not in NAMES.values(), name


def test_the_text_grows_by_no_more_than_it_may(trained: dict[str, PhaseResult]) -> None:
    static: Any = trained["layout"].summary["static"]
    for key in ("text_bytes", "text_bytes_with_unused"):
        assert static[key][1] <= static[key][0] * 1.15
    assert static["text_bytes"][1] < static["text_bytes_with_unused"][1]


def test_calls_that_slept_are_told_apart(runs: tuple[Run, Run]) -> None:
    ends = set(groups(*runs, NAMES).members)
    assert {("read", "full"), ("read", "full, slept"), ("waitpid", "partial, slept")} <= ends


def test_the_kernels_tests_pass_on_the_specialized_one(trained: dict[str, PhaseResult], system: System) -> None:
    kernel, programs = rewritten(trained)
    run = system.machine.run(kernel, system.work(("usertests",), programs))
    assert run.console.endswith(b" tests, 0 failed\n")


@needs_qemu
def test_the_training_set_runs_on_another_pc(trained: dict[str, PhaseResult], system: System) -> None:
    kernel, programs = rewritten(trained)
    work = system.work((COMMAND,), programs)
    assert Qemu().console(kernel, work) == system.machine.run(kernel, work).console
