"""Regions of random programs against the originals, through the gate, from random states: failing guards, loops that
are left, copies that fault, flags that matter behind an exit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from rewriter.analysis.graph import Index
from rewriter.ir import Program
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.phases.order import BEYOND
from rewriter.reasons import Reason
from rewriter.region import ways
from rewriter.region.exits import Refused
from rewriter.region.lift import Limits
from rewriter.region.lower import Lowered
from rewriter.region.region import region
from tests.passes.lockstep import link
from tests.passes.operations import always_the_first
from tests.passes.random_programs import Writer
from tests.passes.test_lockstep import CONTRACT, all_paths, check, made, pointed, profile_of, some, starts

from .random_programs import RegionWriter

WIDE = Limits(budget=400, least=0.0)
JOINED = Limits(budget=2000, least=0.0, joins=True, long=0.0)


def with_region(
    seed: int,
    limits: Limits = WIDE,
    writer: type[Writer] | None = None,
    prepare: Callable[[Specializer], None] | None = None,
) -> tuple[Program, Specialized]:
    random, found = Random(seed + 1), made(seed, writer or (RegionWriter if seed % 4 else None))
    known = {n: random.choice((0, 1, 2, 0x1000)) for n in range(3) if random.random() < 0.6}
    implied = {n: v for n, v in known.items() if random.random() < 0.6}
    guarded = {n: v for n, v in known.items() if n not in implied}
    linked, states = link(found), starts(random, 12, known)
    profile = profile_of(linked, states[1:4])
    if found.data[1:]:
        profile = always_the_first(profile, found)
    maker = Specializer(found, CONTRACT, profile)
    if prepare is not None:
        prepare(maker)
    paths = some(all_paths(Index(found), "sys_call", pointed(linked, found, states)), random)
    reason = maker.obstacle("sys_call")
    if reason:
        pytest.skip(f"refused, as it must be: {reason}")
    beyond = (("region", partial(region, always=True, limits=limits)), *BEYOND[1:])
    return found, maker.specialize("sys_call", "sys_call$0", paths, implied=implied, guarded=guarded, beyond=beyond)


def refusals(new: Specialized) -> list[str]:
    missed = [r for r in new.outcome.remarks if r.pass_name == "region" and r.kind == "missed"]
    return [f"{r.reason}: {r.detail}" for r in missed if r.label == r.function and r.reason is not Reason.CALL]


@pytest.mark.parametrize("seed", range(1000, 1016))
def test_nobody_sees_a_difference(seed: int) -> None:
    found, new = with_region(seed)
    check(found, new, Random(seed))


@pytest.mark.parametrize("seed", [*range(2006, 2016), 2074])
def test_nor_where_paths_meet(seed: int) -> None:
    """With all paths joined, those that come round a loop among them; 2074 changes a stack word in memory there."""
    found, new = with_region(seed, JOINED)
    check(found, new, Random(seed))


def test_most_programs_have_a_region() -> None:
    reasons = Counter[str]()
    for seed in range(1000, 1008):
        reasons.update(refusals(with_region(seed)[1]))
    assert reasons.total() < 3


@pytest.mark.parametrize("seed", range(1016, 1022))
@pytest.mark.parametrize("others", [("near", "pushed"), ("homes", "pushed")], ids=["homes", "near"])
def test_nobody_sees_where_words_are_spilled(seed: int, others: tuple[str, ...], monkeypatch) -> None:
    """Each way to lower a tree by itself; mostly the smallest is taken."""

    def no(_: object) -> Lowered:
        raise Refused("another way is tried")

    for other in others:
        monkeypatch.setattr(ways._Ways, other, no)
    found, new = with_region(seed)
    check(found, new, Random(seed))
