"""Exits to the original program: arguments implied, calls inlined, a callee's fixup, a tail call (`home.s`)."""

from __future__ import annotations

from functools import partial
from pathlib import Path as File
from random import Random

from rewriter.analysis.graph import Index
from rewriter.edit import cut
from rewriter.ir import Block, Program, Symbol
from rewriter.passes.paths import Path
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.profile import Profile
from rewriter.region.region import region
from rewriter.show import listing
from rewriter.verify import verify
from tests.listings import before, check_after
from tests.passes.assembly import program
from tests.passes.random_frames import TABLE_WORDS
from tests.passes.random_programs import GATE
from tests.passes.test_lockstep import CONTRACT, check

GOLDEN = File(__file__).parent / "home.s"
WORDS = ["sys_call", "sys_call", *[0] * (TABLE_WORDS - 2), *range(3, 15)]


def kernel() -> Program:
    words: list[int | str] = [*WORDS]
    words[8] = "double"
    found = program(GATE + before(GOLDEN), words)
    found.symbols.append(Symbol("table", "data"))
    return found


def made(found: Program) -> Specialized:
    blocks = {
        b.label: 0 if b.label.endswith((".slow", ".fixup", "other")) else 8 for f in found.functions for b in f.blocks
    }
    edges = {(b.label, b.falls_to): 8 for f in found.functions for b in f.blocks if b.falls_to}
    maker = Specializer(found, CONTRACT, Profile("0" * 64, blocks=blocks, edges=edges))
    sites = {callee: site for site, callee in _calls(found)}
    paths = (Path(sites["get"], "get"), Path(sites["double"], "double"))
    beyond = (("region", partial(region, always=True)),)
    return maker.specialize("sys_call", "sys_call$0", paths, implied={1: 5}, beyond=beyond)


def _calls(found: Program) -> list[tuple[str, str]]:
    index = Index(found)
    blocks: list[Block] = found.function("sys_call").blocks
    return [
        (b.label, index.callee(b.insns[-1]) or "double")
        for b in blocks
        if b.falls_to and b.insns[-1].raw[0] in (0xE8, 0xFF)
    ]


def test_golden() -> None:
    found = kernel()
    new = made(found)
    assert new.wrapper is not None
    text = listing(new.function) + "\n" + listing(new.wrapper) + "\n"
    check_after(GOLDEN, text)


def test_nobody_sees_a_difference() -> None:
    for seed in range(6):
        found = kernel()
        new = made(found)
        assert new.implied == {1: 5}
        check(found, new, Random(seed), count=40)


def test_nothing_of_the_original_is_copied_behind_the_exits() -> None:
    found = kernel()
    new = made(found)
    assert not any(block.label in new.clone_of for block in new.function.blocks)
    cut(found, new.entries)
    assert new.wrapper is not None
    found.functions += [new.function, new.wrapper]
    assert verify(found) == []
