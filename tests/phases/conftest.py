"""What tests of phases share."""

from __future__ import annotations

import pytest

from rewriter.options import System
from rewriter.report import PhaseResult
from tests.groups import group
from tests.phases.runs import let_go, made
from tui.system import toy


@pytest.fixture(scope="session")
def system() -> System:
    return toy()


@pytest.fixture(scope="module")
def results() -> dict[str, PhaseResult]:
    """The results of all phases with their default options, by name: for tests of the group `default`."""
    return made("default").results


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """A run is kept as long as its group."""
    if nextitem is None or group(nextitem.nodeid) != group(item.nodeid):
        let_go()
