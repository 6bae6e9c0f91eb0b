"""Calls through pointers that lead to several functions, in turn: a guard for each, and the general call behind."""

from __future__ import annotations

from random import Random

import pytest

from rewriter.reasons import Reason
from tests.passes.random_frames import CLEANING, TABLE_WORDS
from tests.passes.random_programs import Writer
from tests.passes.test_lockstep import check, specialized
from tests.region.test_lockstep import with_region


class Choosing(Writer):
    """An argument says which of up to three functions is called: as often as not one that no profile has seen."""

    def statements(self, count: int, nesting: int) -> None:
        if nesting == 2 and self.callees:
            self.call()
        super().statements(count, nesting)

    def call(self) -> None:
        callees = [name for name in self.callees if not name.startswith(CLEANING)]
        if len(callees) < 2:
            super().call()
            return
        chosen = self.random.sample(callees, min(len(callees), 3))
        end, slot = self.label(), f"dword ptr [{{data + {4 * TABLE_WORDS}}}]"
        self.put(f"mov eax, {self.argument()}", "and eax, 3", f"mov ecx, {{{chosen[0]}}}")
        self.put("cmp eax, 1", f"jb {end}", f"mov ecx, {{{chosen[1]}}}", f"je {end}", f"mov ecx, {{{chosen[-1]}}}")
        self.lines.append(f"{end}:")
        self.put(f"mov {slot}, ecx")
        for _ in range(3):
            self.put(f"push {self.random.choice((self.other(), '3', self.argument(), self.place()))}")
            self.depth += 4
        self.put(f"call {self.random.choice(('ecx', slot))}", "add esp, 12")
        self.depth -= 12
        if self.locals:
            self.put(f"mov {self.local()}, eax")


@pytest.mark.parametrize("seed", [4, 9, 12])
def test_nobody_sees_which_targets_have_guards(seed: int) -> None:
    found, new = specialized(seed, writer=Choosing)
    _, executed = check(found, new, Random(seed))
    found, alone = specialized(seed, writer=Choosing, targets=1)
    assert executed < check(found, alone, Random(seed))[1] * 1.01
    inlined = [[r.detail for r in each.outcome.remarks if r.reason is Reason.INLINED] for each in (new, alone)]
    assert len(inlined[0]) > len(inlined[1])


@pytest.mark.parametrize("seed", [1, 9, 12, 5014, 60052])
def test_nor_in_a_region(seed: int) -> None:
    """Of 5014 a callee may leave a stack address alone; 60052 calls one by pointer of which less is known by name."""
    found, new = with_region(seed, writer=Choosing)
    check(found, new, Random(seed))
