"""The command as a child process, its output piped."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]  # of the fixture `hotpath`, in this process
ROOT = Path(__file__).parent.parent.parent


def hotpath(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with its output piped."""
    command = [sys.executable, "-m", "tui", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
