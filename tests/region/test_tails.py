"""Exits that share code put the same words onto the stack as each would alone (`tails.s`)."""

from __future__ import annotations

from functools import partial
from pathlib import Path as File
from random import Random

import pytest

from rewriter.analysis.graph import Index
from rewriter.ir import Program, Symbol
from rewriter.passes.paths import Path
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.profile import Profile
from rewriter.reasons import Reason, Why
from rewriter.region import tails, ways
from rewriter.region.exits import Refused
from rewriter.region.lower import Lowered
from rewriter.region.region import region
from rewriter.region.tails import Tail
from rewriter.region.tree import Branch, Exit, Node, exits
from rewriter.region.value import WORD, Pool, Value
from rewriter.show import listing
from tests.listings import before, check_after
from tests.passes.assembly import program
from tests.passes.random_programs import GATE
from tests.passes.test_lockstep import CONTRACT, check
from tests.region.test_home import WORDS
from tests.region.test_lockstep import JOINED, WIDE, with_region

DEPTH = 400
GOLDEN = File(__file__).parent / "tails.s"


def tree(random: Random, pool: Pool) -> Node:
    """Exits of frames within frames: each has most of its words from the one around it, some of them others."""
    free = [pool.const(0), pool.const(0x4000), pool.label("f.1"), pool.label("g.2"), pool.stack(-8)]
    words = [*free, pool.make("param", "ebx"), pool.make("result", 1, ""), pool.make("given", 4)]
    words.append(pool.make("and", pool.make("given", 8), pool.const(0xFFF)))
    root = Node(1.0)
    _grow(random, root, words, {}, 0, 5)
    return root


def _grow(random: Random, node: Node, words: list[Value], slots: dict[int, Value], esp: int, left: int) -> None:
    slots = dict(slots)
    for _ in range(random.randrange(8)):
        esp -= WORD
        slots[esp] = random.choice(words)
    if slots and random.random() < 0.4:
        slots[random.choice(sorted(slots))] = random.choice(words)
    if not left or (left < 4 and random.random() < 0.2):
        node.end = Exit("f", 0, Why(Reason.COLD_EDGE), esp, {}, slots, home=("f", 0))
        return
    taken, falls = Node(0.1), Node(0.9)
    node.end = Branch((), taken, falls, None)
    _grow(random, taken, words, slots, esp, left - 1)
    _grow(random, falls, words, slots, esp, left - 1)


@pytest.mark.parametrize("seed", range(20))
def test_each_exit_gets_its_own_words(seed: int) -> None:
    """What it stores itself, then what each tail stores that it comes by; all from words that are in their homes."""
    root = tree(Random(seed), Pool())
    made = tails.tails(root, DEPTH)
    assert made
    for exit in exits(root):
        if id(exit) not in made:
            continue
        stack = dict(made[id(exit)].left(exit))
        for tail in made[id(exit)].chain():
            for slot, value in tail.own().items():
                assert slot not in stack
                assert all(_found(tail, leaf, stack) for leaf in (value, *value.parts) if leaf.leaf)
                stack[slot] = value
        assert stack == exit.slots


def _found(tail: Tail, value: Value, stack: dict[int, Value]) -> bool:
    home = tail.homes.get(value)
    return value.op in ("const", "label", "stack") or value.op == "given" or stack.get(home or 0) is value


def test_what_is_alike_is_there_once() -> None:
    root = tree(Random(1), Pool())
    made = tails.tails(root, DEPTH)
    every = {id(tail): tail for first in made.values() for tail in first.chain()}.values()
    alone = sum(len(exit.slots) for exit in exits(root))
    stored = sum(len(made[id(e)].left(e)) if id(e) in made else len(e.slots) for e in exits(root))
    assert stored + sum(len(tail.own()) for tail in every) < alone * 0.6


def test_no_exit_needs_more_room_than_there_was() -> None:
    root = tree(Random(2), Pool())
    lowest = min(exit.esp for exit in exits(root))
    made = tails.tails(root, -lowest)
    assert all(exit.esp - tails.SAVED >= lowest for exit in exits(root) if id(exit) in made)
    assert len(made) < len(tails.tails(root, DEPTH))


def nested() -> tuple[Program, Specialized]:
    found = program(GATE + before(GOLDEN), WORDS)
    found.symbols.append(Symbol("table", "data"))
    blocks = {b.label: 0 if ".slow" in b.label else 8 for f in found.functions for b in f.blocks}
    edges = {(b.label, b.falls_to): 8 for f in found.functions for b in f.blocks if b.falls_to}
    maker = Specializer(found, CONTRACT, Profile("0" * 64, blocks=blocks, edges=edges))
    index = Index(found)
    calls = [(b.label, index.callee(b.insns[-1])) for f in found.functions for b in f.blocks if b.insns]
    inner = tuple(Path(site, "leaf") for site, callee in calls if callee == "leaf")
    paths = tuple(Path(site, "mid", inner) for site, callee in calls if callee == "mid")
    beyond = (("region", partial(region, always=True)),)
    return found, maker.specialize("sys_call", "sys_call$0", paths, implied={2: 5}, beyond=beyond)


def only_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it hardly pays."""

    def no(_: object) -> Lowered:
        raise Refused("another way is tried")

    for other in ("homes", "near", "pushed"):
        monkeypatch.setattr(ways._Ways, other, no)
    monkeypatch.setattr(tails, "WORTH", 8)


def shares(new: Specialized) -> bool:
    return any(insn.raw == b"\x60" for insn in new.function.insns())


def test_golden(monkeypatch: pytest.MonkeyPatch) -> None:
    only_shared(monkeypatch)
    check_after(GOLDEN, listing(nested()[1].function) + "\n")


@pytest.mark.parametrize("seed", range(3))
def test_nobody_sees_what_is_shared(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    only_shared(monkeypatch)
    found, new = nested()
    assert shares(new)
    check(found, new, Random(seed), count=40)


@pytest.mark.parametrize(("seed", "joined"), [(5005, True), (5009, True), (5025, True), (5026, False), (5030, True)])
def test_nor_in_random_programs(seed: int, joined: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    only_shared(monkeypatch)
    found, new = with_region(seed, JOINED if joined else WIDE)
    assert shares(new)
    check(found, new, Random(seed))
