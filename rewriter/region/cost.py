"""How many instructions a call is expected to execute: whether a region pays is decided before it is believed."""

from __future__ import annotations

from rewriter.analysis.graph import Index
from rewriter.passes.work import Work
from rewriter.region.lower import Lowered
from rewriter.region.tree import Node, exits

_ROUNDS = 1000  # of the iteration: a loop that is left less often than that counts as if it were left then


def remaining(work: Work) -> dict[str, float]:
    """Instructions from the top of each block to the return, in the shares of the profile."""
    index: Index = work.index()
    ways = {block.label: _shares(work, index, block.label) for block in work.function.blocks}
    sizes = {block.label: len(block.insns) for block in work.function.blocks}
    found = dict.fromkeys(sizes, 0.0)
    order = _backwards(work.name, ways)
    for _ in range(_ROUNDS):
        before = dict(found)
        for label in order:
            found[label] = sizes[label] + sum(share * found.get(to, 0.0) for to, share in ways[label])
        if all(abs(found[label] - before[label]) < 0.01 for label in found):
            break
    return found


def _backwards(entry: str, ways: dict[str, list[tuple[str, float]]]) -> list[str]:
    """Blocks before those that lead there, as far as loops let them: one round of the iteration is one of each loop."""
    done: dict[str, None] = {}
    for first in (entry, *ways):
        stack = [] if first in done else [(first, iter(ways[first]))]
        seen = {first, *done}
        while stack:
            _, rest = stack[-1]
            after = next((to for to, _ in rest if to in ways and to not in seen), None)
            if after is None:
                done.setdefault(stack.pop()[0])
            else:
                seen.add(after)
                stack.append((after, iter(ways[after])))
    return list(done)


def executed(work: Work) -> float:
    """Instructions that a call is expected to execute, those behind the exits of a region included."""
    return remaining(work)[work.name] + work.behind


def _shares(work: Work, index: Index, label: str) -> list[tuple[str, float]]:
    targets = list(dict.fromkeys(edge.target for edge in index.edges(index.blocks[label])))
    counts = [work.heat.edge(label, target) or work.heat.block(target) / 1e6 for target in targets]
    total = sum(counts)
    return [(to, count / total if total else 1 / len(targets)) for to, count in zip(targets, counts, strict=True)]


def with_region(lowered: Lowered, root: Node, behind: dict[str, float]) -> float:
    """The same for a region; `behind`: from the blocks where its exits lead."""
    inside = sum(lowered.weights.get(block.label, 0.0) * len(block.insns) for block in lowered.blocks)
    return (inside / root.weight if root.weight else 0.0) + outside(root, behind)


def outside(root: Node, behind: dict[str, float]) -> float:
    """The part of it that is executed behind the exits."""
    found = sum(exit.weight * behind.get(exit.label, 0.0) for exit in exits(root))
    return found / root.weight if root.weight else 0.0
