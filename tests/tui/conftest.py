"""What the tests of the command share."""

from __future__ import annotations

import sys

import pytest

from tests.tui.shell import Run
from tui import command, exits


@pytest.fixture
def hotpath(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: (exit status, stdout, stderr)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = exits.ending(lambda: command.invoke(list(arguments)))
        sys.stdout.flush()
        return status, *capfd.readouterr()

    return run
