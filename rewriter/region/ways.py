"""The ways to lower a tree, which differ in where spilled words lie, and the best of them.

Where an exit wants a word anyway, it costs the exit nothing; near esp an instruction names it by one byte, and exits
push what else they need, which is shorter than to store it; pushed and popped, it costs least if there are few.  Exits
that share code (`tails`) want words where that takes them from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rewriter.passes.work import Work
from rewriter.region.cost import with_region
from rewriter.region.exits import Refused
from rewriter.region.lower import Lowered, Lowerer
from rewriter.region.segments import Segments
from rewriter.region.tree import Node
from rewriter.region.value import WORD, Pool, Value

_MOST_PUSHED = 3
_DEARER = 1.03  # what may cost so much more than the cheapest, if it is smaller


def lowest(
    root: Node, pool: Pool, work: Work, known: Mapping[str, Value], depth: int, behind: Mapping[str, float]
) -> tuple[Lowered, float]:
    """The smallest way of those that are cheap, and the instructions that a call is expected to execute: `known` is
    what registers hold, `depth` how far below the entry esp the stack may be used, `behind` what the blocks cost where
    exits lead.  Raises Refused."""
    ways = _Ways(root, pool, work, known, depth)
    made, refused = [], None
    others = [ways.shared] if work.at_home else []
    for way in (ways.homes, ways.near, *([ways.pushed] if work.number is not None else []), *others):
        try:
            lowered = way()
        except Refused as why:
            refused = refused or why
        else:
            made.append((with_region(lowered, root, dict(behind)), lowered))
    if refused is not None and not made:
        raise refused
    least = min(cost for cost, _ in made)
    cost, chosen = min(
        (each for each in made if each[0] <= _DEARER * least), key=lambda each: (_size(each[1]), each[0])
    )
    return chosen, cost


def _size(lowered: Lowered) -> int:
    """Bytes."""
    return sum(len(insn.raw) for block in lowered.blocks for insn in block.insns)


@dataclass(frozen=True, slots=True)
class _Ways:
    root: Node
    pool: Pool
    work: Work
    known: Mapping[str, Value]
    depth: int

    def homes(self) -> Lowered:
        return self._twice(near=False)

    def near(self) -> Lowered:
        return self._twice(near=True)

    def shared(self) -> Lowered:
        """Exits share code, where enough of them do alike."""
        return self._twice(near=False, shared=True)

    def pushed(self) -> Lowered:
        """Exits have to carry pushed words away."""
        maker = self._maker(pushes=True)
        made = self._run(maker)
        if maker.room.lowest < -_MOST_PUSHED * WORD:
            raise Refused("too many words to push")
        return made

    def _twice(self, *, near: bool, shared: bool = False) -> Lowered:
        """The second time it is known how low esp will have to be."""
        first = self._maker(near=near, shared=shared)
        if shared and not first.tails:
            raise Refused("exits have nothing in common")
        made = self._run(first)
        if not first.room.lowest:
            return made
        try:
            return self._run(self._maker(first.room.lowest, near=near, shared=shared))
        except Refused:
            return made

    def _maker(self, frame: int = 0, *, pushes: bool = False, near: bool = False, shared: bool = False) -> Lowerer:
        size, fresh = self.work.contract.stack_size, self.work.labels().fresh
        poll = self.work.depths.poll
        how = {"pushes": pushes, "near": near, "shared": shared}
        return Lowerer(self.root, self.pool, fresh, self.depth, size, frame, **how, poll=poll)

    def _run(self, maker: Lowerer) -> Lowered:
        segments = Segments.of_program(self.pool) if self.work.number is not None else None
        return maker.run(self.work.name, self.known, segments)
