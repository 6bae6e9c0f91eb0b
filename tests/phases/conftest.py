"""One run of the pipeline with its default options, for all tests that look at its results."""

from __future__ import annotations

import pytest

from rewriter.options import Options, System
from rewriter.pipeline import run
from rewriter.report import PhaseResult
from tui.system import toy


@pytest.fixture(scope="session")
def system() -> System:
    return toy()


@pytest.fixture(scope="session")
def results(system: System) -> dict[str, PhaseResult]:
    """The results of all phases, by name."""
    return {result.name: result for result in run(Options(), system)}
