"""Random programs do the same before and after: identity, and moved with the old text full of int3.

A long run: `python -m tests.random_c 500`.
"""

from __future__ import annotations

import os

import pytest

from rewriter.elf import emit, load
from tests.random_c import native
from tests.random_c.generate import generate
from tests.random_c.rewrite import compiled, differences

SEEDS = range(int(os.environ.get("HOTPATH_SEEDS", "20")))
pytestmark = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))


@pytest.mark.parametrize("seed", SEEDS)
def test_rewritten_programs_do_the_same(seed: int) -> None:
    assert list(differences(seed)) == []


def test_moved_leaves_hardly_anything_behind() -> None:
    """Else the tests above would say nothing."""
    functions = [f for seed in range(10) for _, image in compiled(seed) for f in load(image).functions]
    pinned = [f for f in functions if f.pins]
    assert len(functions) > 200
    assert len(pinned) < len(functions) / 10, {reason for f in pinned for reason in f.pins}


def test_a_wrong_table_entry_is_seen() -> None:
    """The programs execute what they hold: one jump-table entry or function pointer too far shows."""
    image = native.build({"program.c": generate(2)}, ("-O2",))
    seen = 0
    for data in load(image).data:
        for offset, ref in list(data.refs.items())[:20]:
            program = load(image)
            refs = program.datum(data.name).refs
            refs[offset] = type(ref)(ref.offset, ref.kind, ref.target, ref.addend + 1)
            seen += native.run(emit(program, move=True)) != native.run(image)
    assert seen > 3
