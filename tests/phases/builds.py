"""Other builds of the kernel's sources."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from toykernel import build

BUILDS: dict[str, dict[str, Any]] = {
    "shuffled": {"shuffle": 1, "optimize": "-Os"},
    "gcc": {"compiler": "gcc"},
    "gcc shuffled": {"compiler": "gcc", "shuffle": 2, "optimize": "-O1"},
    "one unit": {"one_unit": True},
}


@cache
def built(name: str) -> bytes:
    """Raises build.BuildError."""
    return build.kernel(**BUILDS[name])


def kernel(name: str) -> bytes:
    """For a test, which is skipped where there is no such compiler."""
    try:
        return built(name)
    except build.BuildError as error:
        if error.status == 3:
            pytest.skip(str(error))
        raise
