"""The kernel's own tests on rewritten kernels: everything that the original passes, they pass (issue 3)."""

from __future__ import annotations

import pytest

from rewriter.elf import emit, load
from rewriter.options import System
from rewriter.report import PhaseResult
from tests.toykernel.random_calls import Trial
from tests.toykernel.test_usertests import WORK, outcomes
from toykernel.machine import Machine, Run

TRIAL = Trial(((3, 4000),))
KINDS = ("moved", "specialized")


@pytest.fixture(scope="module")
def kernels(system: System, results: dict[str, PhaseResult]) -> dict[str, bytes]:
    return {
        "original": system.kernel,
        "moved": emit(load(system.kernel, system.contract), move=True),
        "specialized": results["layout"].files["kernel.specialized.elf"],
    }


@pytest.fixture(scope="module")
def original(kernels: dict[str, bytes]) -> Run:
    return Machine().run(kernels["original"], WORK)


@pytest.mark.parametrize("kind", KINDS)
def test_usertests_pass(kind: str, kernels: dict[str, bytes], original: Run) -> None:
    run = Machine().run(kernels[kind], WORK)
    assert set(outcomes(run.console.decode()).values()) == {"ok"}, run.console.decode()
    assert (run.console, run.exits, run.files) == (original.console, original.exits, original.files)


@pytest.mark.parametrize("kind", KINDS)
def test_random_calls_give_what_the_model_says(kind: str, kernels: dict[str, bytes]) -> None:
    run = Machine().run(kernels[kind], TRIAL.work())
    assert list(TRIAL.differences(run, kernels[kind])) == []
