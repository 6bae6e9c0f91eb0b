"""Costs are means over calls that ended alike, each beside its counterpart."""

from __future__ import annotations

from dataclasses import replace

from rewriter.phases.costs import Dearer, dearer, groups
from toykernel.machine.run import Call, Run

NAMES = {1: "exit", 3: "read"}


def call(cost: int, result: int = 9, **others: int) -> Call:
    return replace(Call("p", 0x1000, 3, (0, 0, 9, 0, 0, 0), result, (), instructions=cost), **others)  # type: ignore[arg-type]


def ran(*calls: Call) -> Run:
    return Run(b"", (), calls)


def test_a_class_is_a_name_and_an_end() -> None:
    run = ran(call(5), call(6, 0), call(7), call(8, -9), call(9, 4))
    found = groups(run, run, NAMES)
    assert found.members == {
        ("read", "error"): ((0, 3),),
        ("read", "full"): ((0, 0), (0, 2)),
        ("read", "partial"): ((0, 4),),
        ("read", "zero"): ((0, 1),),
    }
    assert found.commonest() == {"read": ("read", "full")}
    assert found.measured(("read", "full")) == ((0, 2),)  # the first warms caches
    assert found.measured(("read", "zero")) == ((0, 1),)


def test_what_slept_stands_apart_and_what_slept_otherwise_is_left_out() -> None:
    one = ran(call(5), call(90, switches=1), call(91, switches=1), call(6, faults=1))
    two = ran(call(4), call(80, switches=1), call(81, switches=2), call(6))
    found = groups(one, two, NAMES)
    assert found.members == {("read", "full"): ((0, 0),), ("read", "full, slept"): ((0, 1),)}
    assert found.unlike == {("read", "full"): 1, ("read", "full, slept"): 1}
    assert found.used == {"read": 4}


def test_calls_meet_their_counterparts_whatever_the_order_of_processes() -> None:
    one = ran(call(5), call(100, process=1), call(5))
    two = ran(call(5), call(5), call(100, process=1))
    assert list(dearer(one, two, groups(one, two, NAMES))) == []


def test_what_is_dearer_is_named() -> None:
    one = ran(call(100), call(100), call(100, process=1, program="q"))
    two = ran(call(90), call(114), call(103, process=1, program="q"))
    found = list(dearer(one, two, groups(one, two, NAMES)))
    assert found == [Dearer("q", "read", 1, 100.0, 103.0)]  # the mean of p's is within two percent
