"""Tests of arguments in front of calls that are inlined: nobody sees them, whether they fail or not; and which pay."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.passes.expected import Expected
from rewriter.passes.inline import Inliner
from rewriter.passes.inside import Inside, contradicted, except_at
from rewriter.passes.paths import Path
from rewriter.passes.specialize import Specializer
from rewriter.passes.work import Work
from rewriter.profile import Profile
from rewriter.reasons import Reason, Why
from rewriter.x86.effects import FLAGS
from tests.passes.assembly import program
from tests.passes.test_lockstep import check, specialized
from tests.region.test_lockstep import with_region

TEXT = """
sys_call:
    push ebx
    mov ebx, [esp + 8]
    push dword ptr [esp + 12]
    push ebx
    call outer
    add esp, 8
    pop ebx
    ret
outer:
    push dword ptr [esp + 8]
    push dword ptr [esp + 8]
    call inner
    add esp, 8
    ret
inner:
    mov eax, [esp + 4]
    mov ecx, [esp + 8]
    shl ecx, 2
    and ecx, 60
    imul ecx, ecx, 7
    add ecx, 3
    cmp ecx, 31
    ja .more
    add eax, 5
.more:
    ret
"""
INNER = Path("outer", "inner")
OUTER = Path("sys_call", "outer", (INNER,))


@dataclass(slots=True)
class Guessing(Inside):
    """Tests most calls for a number that may well be another."""

    def at(self, chain: tuple[str, ...], path: Path) -> Expected | tuple[Expected, Why] | None:
        random = Random(path.site)
        if random.random() < 0.2 or self.depths.of(path.callee).reads & FLAGS:
            return None
        return Expected(random.randrange(3), random.choice((0, 1, 2, 3, 31, 0x1000)), 0.9)


def guess(maker: Specializer) -> None:
    assert maker.inside is not None
    maker.inside = Guessing(maker.depths, maker.contract, maker.profile, maker.inside.inlined)


@pytest.mark.parametrize("seed", [3, 7, 12, 14, 16, 19])
def test_nobody_sees_a_difference(seed: int) -> None:
    found, new = specialized(seed, prepare=guess)
    check(found, new, Random(seed))


@pytest.mark.parametrize("seed", [1002, 1005, 1006, 1009, 1014, 1017])
def test_nor_in_a_region(seed: int) -> None:
    found, new = with_region(seed, prepare=guess)
    check(found, new, Random(seed))


def test_some_of_those_programs_have_tests() -> None:
    outcomes = [specialized(seed, prepare=guess)[1].outcome for seed in (12, 14)]
    assert sum(r.reason is Reason.TESTED_INSIDE for outcome in outcomes for r in outcome.remarks) > 3


def inside(values: dict[str, dict[tuple[int, ...], int]]) -> Inside:
    found = program(TEXT)
    blocks = {b.label: 100 for f in found.functions for b in f.blocks}
    profile = Profile("0" * 64, blocks=blocks, values=values)
    depths = Depths(Index(found), Contract())
    return Inside(depths, Contract(), profile, Inliner(depths, profile).run)


def test_what_a_call_passes_is_not_what_another_passes() -> None:
    """The table of one call says nothing of others; what pays is found out with the calls below it inlined."""
    asked = inside({"sys_call": {(3, 1): 95, (4, 2): 5}})
    assert asked.at((), INNER) is None
    found = asked.at((), OUTER)
    assert isinstance(found, Expected)
    assert (found.argument, found.value, round(found.share, 2)) == (1, 1, 0.95)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {(): 5},
        {(3, 1): 0},
        {(n, n): 1 for n in range(40)},  # nothing is common
        {(0xC0100000, 0xC0100000): 50},  # addresses
    ],
)
def test_nothing_is_tested_of_which_nothing_is_known(values: dict[tuple[int, ...], int]) -> None:
    assert inside({"outer": values}).at((), INNER) is None


def test_a_test_that_does_not_pay_is_refused_with_the_reason() -> None:
    refused = inside({"outer": {(3, n): 1 for n in range(40)}}).at((), INNER)
    assert isinstance(refused, tuple)
    assert str(refused[0]) == "argument 0 is 0x3"
    assert refused[1].reason is Reason.GUARD_COSTS


def test_a_test_that_certainly_fails_is_not_made() -> None:
    """Here argument 1 is passed on: where the handler is known to be passed another, the call would be lost."""
    asked = inside({"outer": {(3, 1): 1}})
    made = Inliner(asked.depths, asked.profile, tests=asked.at).run("sys_call", "new", (OUTER,))
    work = Work.on(made, asked.depths, Contract(), 0)
    assert list(work.tests.values()) == [("sys_call", "outer", "outer")]
    assert contradicted(work, {1: 1}) == frozenset()
    assert contradicted(work, {}) == frozenset()
    failing = contradicted(work, {1: 2})
    assert failing == {("sys_call", "outer", "outer")}
    left = except_at(asked.at, failing)
    assert left(("around", "sys_call", "outer"), INNER) is None
    assert left(("another", "outer"), INNER) is not None
