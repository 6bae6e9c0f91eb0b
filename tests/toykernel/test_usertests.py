"""The kernel's tests as user programs, on Linux, which the tests themselves must satisfy, and on our kernel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def outcomes(console: str) -> dict[str, str]:
    """ "filesystem name" → "ok" or "FAILED", of all tests that usertests ran."""
    return dict(re.findall(r"^(\S+ \S+): (ok|FAILED)$", console, re.MULTILINE))


def test_linux_agrees_with_the_tests(on_linux, tmp_path: Path) -> None:
    """All that they expect is what Linux gives; /proc there has other files."""
    if not (tmp_path / "dev" / "null").exists():
        pytest.skip("this system does not let us make devices")
    _, console = on_linux("usertests")
    found = outcomes(console)
    assert len(found) > 120
    assert {name for name, outcome in found.items() if outcome != "ok"} == {"/ device-proc"}, console
