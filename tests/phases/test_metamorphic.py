"""Other builds of the same sources go through the unchanged pipeline, behave, and gain (DESIGN §5)."""

from __future__ import annotations

from typing import Any

import pytest

from rewriter.pipeline import run
from tests.phases.builds import BUILDS
from tests.phases.runs import SHORT, made, other


@pytest.mark.parametrize("name", BUILDS)
def test_the_pipeline_takes_it_as_it_is(name: str) -> None:
    shared = name == "shuffled"  # others look at this run, too
    results = made(name).results if shared else {r.name: r for r in run(SHORT, other(name))}
    summary: Any = results["measure"].summary
    assert summary["behavior"]["same"] is True, summary["differences"]
    before, after = summary["syscalls"]["lseek"]["instructions"]
    assert after < before
    before, after = summary["syscalls"]["read"]["instructions"]
    assert after <= before
