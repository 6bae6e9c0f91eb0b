"""What each pass buys, measured by leaving it out: the same figures as a run without it gives."""

from __future__ import annotations

from typing import Any

import pytest

from rewriter.ablation import ALL, ORIGINAL, UP_TO, WITHOUT, Row, ablation, variations
from rewriter.options import Options, System
from rewriter.phases.order import ALL_PASSES, ORDER
from rewriter.pipeline import Cancelled, run

FEW = Options(commands=("readseek 9000 3",), without=frozenset(ALL_PASSES) - {"inline", "arguments", "peephole"})


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def rows(system: System) -> dict[tuple[str, str], Row]:
    return {(row.kind, row.name): row for row in ablation(FEW, system, lambda _: None, never)}


def test_every_pass_is_left_out_once_and_ends_a_prefix() -> None:
    found = [(kind, name, options) for kind, name, options in variations(Options())]
    assert [name for kind, name, _ in found if kind == WITHOUT] == list(ALL_PASSES)
    assert [name for kind, name, _ in found if kind == UP_TO] == list(ORDER[:-1])
    published = [name for kind, name, _ in variations(Options(as_published=True)) if kind == UP_TO]
    assert "region" not in published
    assert published[-1] == "layout"


def test_rows_are_of_the_passes_that_are_run(rows: dict[tuple[str, str], Row]) -> None:
    few = ("inline", "arguments", "peephole")
    ended = (*few[:2], "peephole")
    assert list(rows) == [(ORIGINAL, ""), (ALL, ""), *((WITHOUT, name) for name in few), *((UP_TO, n) for n in ended)]
    assert all(row.different == () for row in rows.values())


def test_a_row_is_what_a_run_without_the_pass_measures(rows: dict[tuple[str, str], Row], system: System) -> None:
    options = Options(commands=FEW.commands, without=FEW.without | {"arguments"})
    measured: Any = {r.name: r for r in run(options, system)}["measure"].summary["syscalls"]
    for name in ("read", "lseek"):
        before, after = measured[name]["instructions"]
        assert rows[ORIGINAL, ""].instructions[name] == before
        assert rows[WITHOUT, "arguments"].instructions[name] == after
        assert rows[ALL, ""].instructions[name] <= after


def test_cancelling_ends_it(system: System) -> None:
    heard: list[str] = []
    with pytest.raises(Cancelled):
        list(ablation(FEW, system, heard.append, lambda: "original kernel" in heard))
    assert heard[-1] == "original kernel"
