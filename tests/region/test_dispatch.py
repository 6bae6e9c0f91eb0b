"""Every number finds its door: where there are few new calls and where there are many, whatever is expected."""

from __future__ import annotations

from random import Random

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.entrance import entrance
from rewriter.analysis.graph import Index
from rewriter.edit import Labels
from rewriter.passes.dispatch import TABLE, Door, _Tree, dispatch
from rewriter.verify import verify
from tests.passes.assembly import program
from tests.passes.lockstep import link

from .gate import CONTRACT, Call, run
from .test_entry import calls, handler, numbered, old_gate

TITLE = "a default, and what is selected"


def entry(number: int) -> str:
    """What a new call of this number does: nobody else answers so."""
    return f"door{number}:\n    mov eax, {1000 + number}\n    iretd\n"


@pytest.mark.parametrize("seed", range(8))
def test_every_number_finds_its_door(seed: int) -> None:
    random, found = Random(seed), handler(TITLE).program
    way = entrance(found, CONTRACT, Depths(Index(found), CONTRACT), {})
    assert way.limit == 1
    numbers = random.sample(range(1, 24), 1 + 3 * seed)
    doors = {n: Door(f"door{n}", random.choice((1, 5, 100))) for n in numbers}
    others = dict.fromkeys(list(doors)[2:4], 3.0)
    doors = {n: door for n, door in doors.items() if n not in others}
    found.functions.append(old_gate(found))
    found.functions += program("".join(entry(n) for n in doors)).functions
    dispatch(found, way, doors, others)
    assert verify(found) == []
    by_table = any(data.name == "gate$table" for data in found.data)
    assert by_table == (seed > 0), "one door needs no table, many do"
    linked, call = link(found), calls(Random(1), 1)[0]
    call = Call(call.start, call.ds, call.es, call.flags, (0, 0, 0))
    for number in (*range(26), 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        seen = run(linked, numbered(call, number))
        if number in doors:
            assert seen.registers["eax"] == 1000 + number
        elif number not in (1, 2, 3, *others):  # these have nothing in the table
            was = run(linked, numbered(call, number), "old")
            assert (seen.registers, seen.segments, seen.trouble) == (was.registers, was.segments, was.trouble)


def test_a_tree_costs_what_it_says() -> None:
    doors = {n: Door(f"door{n}", weight) for n, weight in ((5, 1.0), (6, 1.0), (7, 98.0))}
    tree = _Tree(doors, Labels("x"), "other")
    assert tree.expected(5) == pytest.approx((1 + 98 * 3 + 4) / 100)
    assert tree.expected(5) > TABLE - 1
