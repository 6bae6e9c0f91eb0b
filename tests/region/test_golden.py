"""What a region makes of a piece of assembly: `golden/NAME.s`, before and after."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rewriter.ir import Program
from rewriter.passes.deadcode import unreachable
from rewriter.passes.layout import layout
from rewriter.region.lift import Limits
from rewriter.region.region import add_region
from rewriter.show import listing
from rewriter.verify import verify
from tests.listings import before, check_after
from tests.passes.assembly import program
from tests.passes.test_golden import options_of, work_of

FILES = sorted((Path(__file__).parent / "golden").glob("*.s"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_golden(file: Path) -> None:
    check_after(file, transformed(before(file)) + "\n")


def transformed(text: str) -> str:
    found = program(text)
    work = work_of(found, options_of(text))
    if "ebx is current" in text:
        work.current = frozenset({"ebx"})
    for label, rounds in re.findall(r"^; rounds: (\S+) (\d+)$", text, re.MULTILINE):
        for copy in [copy for copy, original in work.clone_of.items() if original == f"f{label}"]:
            work.heat.blocks[copy] *= int(rounds)
    add_region(work, Limits(joins=True, long=0.0) if "; joined" in text else Limits())
    unreachable(work)
    layout(work)
    changed = Program([*found.functions, work.function], [*found.data, *work.data], found.entry)
    assert verify(changed) == []
    return listing(work.function)
