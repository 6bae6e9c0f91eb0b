"""Guards of pointers to tables of operations: the profile says that it is always one table, and it is another as often
as not, also after somebody slept."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from rewriter.reasons import Reason
from tests.passes.operations import Operating
from tests.passes.test_lockstep import check, specialized
from tests.region.test_lockstep import with_region


@pytest.mark.parametrize("seed", range(3000, 3010))
def test_nobody_sees_which_pointers_are_tested(seed: int) -> None:
    check(*specialized(seed, writer=Operating), Random(seed))


@pytest.mark.parametrize("seed", [*range(3010, 3013), 3018, 3036, 5009, 5007, 5013])
def test_nor_in_a_region(seed: int) -> None:
    """In the last two, control leaves where a test has made the operand of the original's call superfluous."""
    check(*with_region(seed, writer=Operating), Random(seed))


def test_the_programs_are_worth_it() -> None:
    """Pointers are tested, but not as published; and it costs nothing, although the profile lies."""
    why, executed = Counter[Reason](), [0, 0]
    for seed in range(3000, 3008):
        for n, without in enumerate((frozenset[str](), frozenset({"tables"}))):
            found, new = specialized(seed, writer=Operating, without=without)
            executed[n] += check(found, new, Random(seed))[1]
            why.update(r.reason for r in new.outcome.remarks if r.pass_name == "tables")
        published = specialized(seed, writer=Operating, published=True)[1]
        assert not any(r.pass_name == "tables" for r in published.outcome.remarks)
    assert why[Reason.TABLE] > 8
    assert executed[0] < executed[1] * 1.01
