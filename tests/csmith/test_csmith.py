"""Programs by csmith do the same, rewritten in every way.  A long run: `python -m tests.csmith 300`."""

from __future__ import annotations

import pytest

from tests.csmith import programs
from tests.csmith.rewrite import report

pytestmark = pytest.mark.skipif(programs.missing() is not None, reason=str(programs.missing()))
SEEDS = (1, 2, 4, 6, 7, 10)


@pytest.mark.parametrize("seed", SEEDS)
def test_rewritten_programs_do_the_same(seed: int) -> None:
    found = report(seed)
    assert found.wrong == ()
    if not found.skipped:
        assert found.functions > 5


def test_most_programs_can_be_compared() -> None:
    """Else the tests above would say nothing."""
    assert sum(programs.generate(seed) is not None for seed in range(8)) > 4
