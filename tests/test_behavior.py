"""Each way in which two runs can differ is found, and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rewriter.behavior import differences, result_class
from toykernel.machine.run import Call, Run

CALL = Call("p", 0x1000, 3, (3, 0x2000, 4096, 0, 0, 0), 4096, (4096, 3, 0x2000, 4096, 0, 0, 0, 0x9000, 0x202), "m")
RUN = Run(b"one\ntwo\n", (("p", 0),), (CALL, CALL))


def test_equal_runs_do_not_differ() -> None:
    assert differences(RUN, replace(RUN)) == []


def test_another_number_is_no_difference() -> None:
    assert differences(RUN, replace(RUN, calls=(replace(CALL, number=201), CALL))) == []


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("console", replace(RUN, console=b"one\ntwo!\n")),
        ("exit", replace(RUN, exits=(("p", 1),))),
        ("files", replace(RUN, files={"/f": "x"})),
        ("returns", replace(RUN, calls=(CALL,))),
        ("returns", replace(RUN, calls=(CALL, replace(CALL, result=-14)))),
        ("returns", replace(RUN, calls=(CALL, replace(CALL, site=0x1004)))),
        ("registers", replace(RUN, calls=(CALL, replace(CALL, registers=(4096, 4, *CALL.registers[2:]))))),
        ("memory", replace(RUN, calls=(CALL, replace(CALL, memory="n")))),
    ],
)
def test_a_difference_is_named(what: str, changed: Run) -> None:
    assert [d.what for d in differences(RUN, changed)] == [what]


@pytest.mark.parametrize(
    ("result", "name"),
    [(None, "none"), (-14, "error"), (0, "zero"), (4096, "full"), (100, "partial"), (-5000, "partial")],
)
def test_results_are_told_apart(result: int | None, name: str) -> None:
    assert result_class(replace(CALL, result=result)) == name


def test_calls_are_paired_within_their_process() -> None:
    """Two processes that take turns otherwise do the same nevertheless."""
    one, two = CALL, replace(CALL, process=1, program="q", result=7)
    assert differences(replace(RUN, calls=(one, two, one, two)), replace(RUN, calls=(one, one, two, two))) == []
    worse = replace(two, result=8)
    (found,) = differences(replace(RUN, calls=(one, two, one, two)), replace(RUN, calls=(one, one, two, worse)))
    assert found.what == "returns"
