"""What tests of phases share."""

from __future__ import annotations

import pytest

from rewriter.options import System
from rewriter.report import PhaseResult
from tests.phases.runs import made
from tui.system import toy


@pytest.fixture(scope="session")
def system() -> System:
    return toy()


@pytest.fixture(scope="session")
def results() -> dict[str, PhaseResult]:
    """The results of all phases with their default options, by name: for tests of the group `default`."""
    return made("default").results
