"""Other builds of the same sources go through the unchanged pipeline, behave, and gain (DESIGN §5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rewriter.options import Options, System
from rewriter.pipeline import run
from toykernel import build

BUILDS: dict[str, dict[str, Any]] = {
    "shuffled": {"shuffle": 1, "optimize": "-Os"},
    "gcc": {"compiler": "gcc"},
    "gcc shuffled": {"compiler": "gcc", "shuffle": 2, "optimize": "-O1"},
    "one unit": {"one_unit": True},
}


def kernel(name: str) -> bytes:
    try:
        return build.kernel(**BUILDS[name])
    except build.BuildError as error:
        if error.status == 3:
            pytest.skip(str(error))
        raise


@pytest.mark.parametrize("name", BUILDS)
def test_the_pipeline_takes_it_as_it_is(name: str, system: System) -> None:
    other = replace(system, kernel=kernel(name), one_unit=None)
    results = {r.name: r for r in run(Options(commands=("readseek 16384 6",)), other)}
    summary: Any = results["measure"].summary
    assert summary["behavior"]["same"] is True, summary["differences"]
    before, after = summary["syscalls"]["lseek"]["instructions"]
    assert after < before
    before, after = summary["syscalls"]["read"]["instructions"]
    assert after <= before
