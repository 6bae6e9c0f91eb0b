"""Each handler as a region, against itself, on and off its hot path."""

from __future__ import annotations

from collections import Counter
from functools import partial
from random import Random

import pytest

from rewriter.edit import cut
from rewriter.ir import Program, Ref, RefKind, Symbol
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.phases.order import BEYOND
from rewriter.region.region import region
from tests.passes.assembly import program
from tests.passes.lockstep import DATA, ROOM, Start, link, random_start, run
from tests.passes.random_frames import TABLE_WORDS
from tests.passes.random_programs import GATE
from tests.passes.test_lockstep import ARGUMENTS, CONTRACT, NEW, difference, profile_of

from . import handlers, handlers_with_calls, handlers_with_many_values

HANDLERS = handlers.HANDLERS | handlers_with_many_values.HANDLERS | handlers_with_calls.HANDLERS
WORDS = ["sys_call", "sys_call", *[0] * (TABLE_WORDS - 2), *range(3, 15)]


def states(random: Random, count: int, hot: bool) -> list[Start]:
    """The first argument is 1 where the path shall be hot, the others are mostly small."""
    found = []
    for _ in range(count):
        start = random_start(random, eax=0)
        small = {name: random.choice((0, 1, 2, 5, start.registers[name])) for name in ARGUMENTS}
        first = 1 if hot else random.choice((0, 1, 1, 2, -3 & 0xFFFFFFFF))
        found.append(Start({**start.registers, **small, "ebx": first}, start.stack))
    return found


def made(title: str) -> tuple[Program, Specialized]:
    text = HANDLERS[title].replace("HALF", hex(DATA + ROOM - 4))
    found = program(GATE + text, WORDS)
    found.symbols.append(Symbol("table", "data"))
    linked = link(found)
    maker = Specializer(found, CONTRACT, profile_of(linked, states(Random(3), 8, hot=True)))
    beyond = (("region", partial(region, always=True)), *BEYOND[1:])
    new = maker.specialize("sys_call", "sys_call$0", (), beyond=beyond)
    return found, new


def compared(found: Program, new: Specialized) -> Counter[str]:
    """Run both from many states; how often each block of the new call ran."""
    found.data[0].refs[4 * NEW] = Ref(4 * NEW, RefKind.ABS32, new.function.name)
    cut(found, new.entries)
    linked = link(found, [new.function, *([new.wrapper] if new.wrapper else [])], new.data)
    ran = Counter[str]()
    for start in states(Random(4), 30, hot=False):
        before = run(linked, "gate", start)
        after = run(linked, "gate", Start({**start.registers, "eax": NEW}, start.stack))
        assert not before.trouble
        assert difference([before], after, {}) is None
        ran += after.blocks
    return ran


@pytest.mark.parametrize("title", HANDLERS)
def test_nobody_sees_a_difference(title: str) -> None:
    found, new = made(title)
    missed = [r for r in new.outcome.remarks if r.pass_name == "region" and r.kind == "missed"]
    assert [r for r in missed if r.label == r.function] == []
    ran = compared(found, new)
    mine = [block.label for block in new.function.blocks]
    assert sum(label in ran for label in mine) > len(mine) / 2, "most of it has run"
