"""The suite notices each broken rewriter: `HOTPATH_MUTANT=name pytest -p tests.mutants.plugin` shows how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
FAILED = 1  # pytest's exit status where tests failed; others mean that it did not get that far


@pytest.mark.parametrize("name", MUTANTS)
def test_the_suite_kills(name: str) -> None:
    command = [sys.executable, "-m", "pytest", "-x", "-p", "tests.mutants.plugin", "-p", "no:cacheprovider"]
    environment = {**os.environ, "HOTPATH_MUTANT": name}
    found = subprocess.run(
        [*command, *MUTANTS[name].killers], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert found.returncode == FAILED, f"{MUTANTS[name].mistake}:\n{found.stdout[-2000:]}"
